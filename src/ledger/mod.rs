//! The durable record: a folder with one SQLite file, written by one process.
//!
//! Two things stand in it, changed in one transaction. `records` is what the watchdog's state is rebuilt from, with a checkpoint now and
//! then so that a start need not read all of them. The other tables say the same in an operator's terms, for `sqlite3`; nothing of the
//! state is read back from them. Everything here blocks: the loop calls it from a thread of its own. Nothing else in this process may open the file but
//! SQLite itself (see `Past::beside`): closing it again would drop SQLite's locks (POSIX keeps them by process), and an operator's `sqlite3` could then
//! delete the WAL.

mod dossier;
mod error;
mod hops;
mod key;
mod look;
mod open;
mod past;
mod prune;
mod recover;
mod slate;
mod sql;
mod tables;

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::model::{At, CanaryId};
use crate::watchdog::Record;

pub use crate::model::dossier::{Dossier, Failed, Header, Said, Sight, Tally, Told, Trace};
pub use error::{Cause, LedgerError};
pub use hops::Hops;
pub use key::{KEY_FILE, KeyError};
pub use past::{Extent, Past};
pub use prune::Pruned;
pub use recover::Recovered;
pub use slate::Slate;

/// An open ledger. While it is, no other process can open the same folder.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    file: PathBuf,
    last_seq: u64,
    checkpoint_seq: u64,
    /// Holds the folder's lock until it is dropped.
    _lock: File,
}

impl Ledger {
    /// Opens the ledger in `folder`, making both if they are not there, and returns it with what the state is rebuilt from.
    ///
    /// Checked are the file's kind, version and length, the small tables, the newest rows of the large ones, and every byte of what is returned.
    /// The rest is checked when it is read, so that a start stays fast however long the history is.
    ///
    /// # Errors
    /// [`LedgerError`]: in use, newer, damaged, not writable, no space; nothing is changed then.
    pub fn open(folder: &Path, now: At) -> Result<(Self, Recovered), LedgerError> {
        let lock = open::lock(folder)?;
        let file = folder.join("ledger.sqlite");
        let connection = open::connect(folder, &file, now)?;
        let recovered = recover::recover(&connection, &file)?;
        let last_seq = recover::last_seq(&connection, &file)?;
        let checkpoint_seq = recovered.checkpoint.as_ref().map_or(0, |(seq, _)| *seq);
        Ok((Self { connection, file, last_seq, checkpoint_seq, _lock: lock }, recovered))
    }

    /// Writes all of `records`, in order, or none. When it returns they are on the disk.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was written; the same records can be handed in again.
    pub fn append(&mut self, records: &[Record]) -> Result<(), LedgerError> {
        self.append_with(records, &[])
    }

    /// The same, and in the same breath the hops of canaries' mails and what filters wrote of them, each with the inbox that it was seen in; what is there stays.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was written; the same can be handed in again.
    pub fn append_with(&mut self, records: &[Record], hops: &[Hops]) -> Result<(), LedgerError> {
        if records.is_empty() && hops.is_empty() {
            return Ok(());
        }
        let mut seq = self.last_seq;
        self.write(|transaction, file| {
            for record in records {
                seq = seq.saturating_add(1);
                recover::add_record(transaction, file, seq, record)?;
                tables::keep(transaction, record).map_err(|e| LedgerError::sqlite(file, e))?;
            }
            hops.iter().try_for_each(|hops| hops.keep(transaction)).map_err(|e| LedgerError::sqlite(file, e))
        })?;
        self.last_seq = seq;
        Ok(())
    }

    /// Keeps `state` as what the records up to now amount to, and returns the number of the last of them. The checkpoint before stays too.
    ///
    /// # Errors
    /// [`LedgerError`]: the checkpoints are as they were.
    pub fn checkpoint(&mut self, state: &str) -> Result<u64, LedgerError> {
        let seq = self.last_seq;
        self.write(|transaction, file| recover::add_checkpoint(transaction, file, seq, state))?;
        self.checkpoint_seq = seq;
        Ok(seq)
    }

    /// Writes that mailcanary is alive at `now`. When it returns that is on the disk: a proof that the ledger can be written.
    ///
    /// # Errors
    /// [`LedgerError`]: it cannot.
    pub fn prove(&mut self, now: At) -> Result<(), LedgerError> {
        self.write(|transaction, file| {
            let proof = transaction.prepare_cached(sql::ALIVE).and_then(|mut alive| alive.execute([now.as_ms()]));
            proof.map(|_| ()).map_err(|e| LedgerError::sqlite(file, e))
        })
    }

    /// Writes down what stood in the headers of canaries. What is there stays; of all, the newest 2,000.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was written.
    pub fn keep_headers(&mut self, now: At, headers: &[(CanaryId, String)]) -> Result<(), LedgerError> {
        if headers.is_empty() {
            return Ok(());
        }
        self.write(|transaction, file| {
            let keep = || {
                let mut add = transaction.prepare_cached(sql::HEADER)?;
                for (canary, header) in headers {
                    add.execute(rusqlite::params![now.as_ms(), canary.to_string(), header])?;
                }
                transaction.prepare_cached(sql::OLD_HEADERS)?.execute([]).map(|_| ())
            };
            keep().map_err(|e| LedgerError::sqlite(file, e))
        })
    }

    /// Writes down what was found in the mails of canaries, as JSON, beside their headers; where there is no header, nothing.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was written.
    pub fn keep_mails(&mut self, mails: &[(CanaryId, String)]) -> Result<(), LedgerError> {
        if mails.is_empty() {
            return Ok(());
        }
        self.write(|transaction, file| {
            let keep = || {
                let mut add = transaction.prepare_cached(sql::MAIL)?;
                mails.iter().try_for_each(|(canary, mail)| add.execute(rusqlite::params![canary.to_string(), mail]).map(|_| ()))
            };
            keep().map_err(|e| LedgerError::sqlite(file, e))
        })
    }

    /// How many records a start would read besides the newest checkpoint.
    #[must_use]
    pub const fn since_checkpoint(&self) -> u64 {
        self.last_seq.saturating_sub(self.checkpoint_seq)
    }

    /// The records after number `seq`, as far as they are kept: all of them with 0. For a state that a checkpoint of an older version does not give.
    ///
    /// # Errors
    /// [`LedgerError`]: damaged, or records from `seq` on are not kept any more.
    pub fn records_after(&self, seq: u64) -> Result<Vec<Record>, LedgerError> {
        recover::records_after(&self.connection, &self.file, seq)
    }

    /// One transaction: all that `work` writes, or nothing.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>, &Path) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let sorted = |e| LedgerError::sqlite(&self.file, e);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sorted)?;
        let done = work(&transaction, &self.file)?;
        transaction.commit().map_err(sorted)?;
        Ok(done)
    }
}
