//! Retention: what is old goes, a little at a time, so that the loop is never held up for long.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{Ledger, LedgerError, sql};
use crate::model::{At, Span};

/// The most rows of one table that one call deletes.
const BATCH: i64 = 2000;

/// What one call of [`Ledger::prune`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows deleted, of all tables.
    pub rows: u64,
    /// Whether there may be more: call again soon. Otherwise in an hour is soon enough.
    pub more: bool,
}

impl Ledger {
    /// Deletes canaries that arrived more than `keep` ago, everything that failed and incidents that ended more than `keep_failures` ago, and
    /// records that are older than `keep` and that no checkpoint needs. At most 2,000 rows of each table a call; space is given back.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was deleted.
    pub fn prune(&mut self, now: At, keep: Span, keep_failures: Span) -> Result<Pruned, LedgerError> {
        let (arrived, failed) = (now.minus(keep).as_ms(), now.minus(keep_failures.max(keep)).as_ms());
        let pruned = self.write(|transaction, file| {
            let mut pruned = Pruned::default();
            delete(transaction, file, &mut pruned, sql::PRUNE_RECORDS, arrived)?;
            delete(transaction, file, &mut pruned, sql::PRUNE_ARRIVED, arrived)?;
            for statement in sql::PRUNE_FAILED {
                delete(transaction, file, &mut pruned, statement, failed)?;
            }
            Ok(pruned)
        })?;
        let sorted = |e| LedgerError::sqlite(&self.file, e);
        let mut vacuum = self.connection.prepare_cached(sql::VACUUM).map_err(sorted)?;
        let mut pages = vacuum.query([]).map_err(sorted)?;
        while pages.next().map_err(sorted)?.is_some() {}
        Ok(pruned)
    }
}

/// Runs one statement and counts what it deleted.
fn delete(connection: &Connection, file: &Path, pruned: &mut Pruned, statement: &str, before: i64) -> Result<(), LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let rows = connection.prepare_cached(statement).map_err(sorted)?.execute(params![before, BATCH]).map_err(sorted)?;
    pruned.rows = pruned.rows.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
    pruned.more |= i64::try_from(rows).is_ok_and(|rows| rows >= BATCH / 4);
    Ok(())
}
