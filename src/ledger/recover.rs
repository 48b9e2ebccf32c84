//! Records and checkpoints: writing them so that a changed byte is noticed, and finding what the state is rebuilt from.

use std::path::Path;

use rusqlite::{Connection, Row, params};
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::sql;
use super::tables;
use crate::model::At;
use crate::watchdog::{Fact, Record};

/// What the state is rebuilt from: the checkpoint, then every record after it, in order.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The newest whole checkpoint: the number of the last record in it, and the state. `None`: the records begin with the first.
    pub checkpoint: Option<(u64, String)>,
    /// The records after it.
    pub tail: Vec<Record>,
    /// What was found wrong and could be done without; for the log.
    pub warning: Option<String>,
}

/// The number of the newest record there ever was; 0 before the first.
pub(super) fn last_seq(connection: &Connection, file: &Path) -> Result<u64, LedgerError> {
    let last: i64 = connection.query_row(sql::LAST_SEQ, [], |row| row.get(0)).map_err(|e| LedgerError::sqlite(file, e))?;
    u64::try_from(last).or(Err(LedgerError::damaged(file, format!("it has a record with the number {last}"))))
}

/// Writes one record. `seq` numbers them from 1 without gaps.
pub(super) fn add_record(connection: &Connection, file: &Path, seq: u64, record: &Record) -> Result<(), LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let (seq, at) = (tables::number(seq), record.at.as_ms());
    let body = serde_json::to_string(&record.fact).map_err(|e| sorted(rusqlite::Error::ToSqlConversionFailure(e.into())))?;
    let mut statement = connection.prepare_cached(sql::ADD_RECORD).map_err(sorted)?;
    statement.execute(params![seq, at, tables::kind(&record.fact), body, sum(seq, at, &body)]).map_err(sorted)?;
    Ok(())
}

/// Writes one checkpoint and drops those before the last two.
pub(super) fn add_checkpoint(connection: &Connection, file: &Path, seq: u64, state: &str) -> Result<(), LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let seq = tables::number(seq);
    connection.execute(sql::ADD_CHECKPOINT, params![seq, hash(seq, state), state]).map_err(sorted)?;
    connection.execute(sql::OLD_CHECKPOINTS, []).map_err(sorted)?;
    Ok(())
}

/// The newest checkpoint whose hash is right and all records after it; without one, all records from the first.
pub(super) fn recover(connection: &Connection, file: &Path) -> Result<Recovered, LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let mut statement = connection.prepare(sql::CHECKPOINTS).map_err(sorted)?;
    let mut rows = statement.query([]).map_err(sorted)?;
    let mut damaged = Vec::new();
    let mut checkpoint = None;
    while let Some(row) = rows.next().map_err(sorted)? {
        let seq: i64 = row.get(0).map_err(sorted)?;
        // A changed byte can make a text unreadable as UTF-8: no different from a wrong hash.
        let read = row.get::<_, String>(1).and_then(|hash| Ok((hash, row.get::<_, String>(2)?)));
        if let (Ok((expected, state)), Ok(number)) = (read, u64::try_from(seq))
            && expected == hash(seq, &state)
        {
            checkpoint = Some((number, state));
            break;
        }
        damaged.push(seq.to_string());
    }
    let after = checkpoint.as_ref().map_or(0, |(seq, _)| *seq);
    let tail = records_after(connection, file, after)?;
    let warning = (!damaged.is_empty()).then(|| {
        let from = if checkpoint.is_some() { format!("the one at record {after}") } else { "the first record".to_owned() };
        format!("the checkpoint at record {} is damaged: went on from {from}", damaged.join(" and at record "))
    });
    Ok(Recovered { checkpoint, tail, warning })
}

/// Every record after number `seq`, in order and without a gap.
pub(super) fn records_after(connection: &Connection, file: &Path, seq: u64) -> Result<Vec<Record>, LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let mut statement = connection.prepare(sql::RECORDS_AFTER).map_err(sorted)?;
    let mut rows = statement.query([tables::number(seq)]).map_err(sorted)?;
    let mut records = Vec::new();
    let mut expected = tables::number(seq).saturating_add(1);
    while let Some(row) = rows.next().map_err(sorted)? {
        records.push(record(row, expected, file)?);
        expected = expected.saturating_add(1);
    }
    let last = tables::number(last_seq(connection, file)?);
    if expected <= last {
        return Err(LedgerError::damaged(file, format!("record {expected} is missing: there should be records up to {last}")));
    }
    Ok(records)
}

/// The record in a row, which must be number `expected` and as it was written.
fn record(row: &Row<'_>, expected: i64, file: &Path) -> Result<Record, LedgerError> {
    let found: i64 = row.get(0).map_err(|e| LedgerError::sqlite(file, e))?;
    if found != expected {
        return Err(LedgerError::damaged(file, format!("record {expected} is missing: the next one is {found}")));
    }
    let changed = || LedgerError::damaged(file, format!("record {found} is not as it was written"));
    let (Ok(at), Ok(body), Ok(written)) = (row.get::<_, i64>(1), row.get::<_, String>(2), row.get::<_, i64>(3)) else {
        return Err(changed());
    };
    if sum(found, at, &body) != written {
        return Err(changed());
    }
    let unreadable = |source| LedgerError::Unreadable { file: file.to_path_buf(), seq: found.unsigned_abs(), source };
    let fact: Fact = serde_json::from_str(&body).map_err(unreadable)?;
    Ok(Record { at: At::from_ms(at), fact })
}

/// Hands every record that is kept to `take`, in order and without a gap, until it says that it has enough.
pub(super) fn each_record(connection: &Connection, file: &Path, mut take: impl FnMut(&Record) -> bool) -> Result<(), LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let mut statement = connection.prepare(sql::RECORDS).map_err(sorted)?;
    let mut rows = statement.query([]).map_err(sorted)?;
    let mut expected = None;
    while let Some(row) = rows.next().map_err(sorted)? {
        let number: i64 = match expected {
            Some(number) => number,
            None => row.get(0).map_err(sorted)?,
        };
        if !take(&record(row, number, file)?) {
            break;
        }
        expected = Some(number.saturating_add(1));
    }
    Ok(())
}

/// The first 63 bits of SHA-256 over a record: enough against accident, and small.
fn sum(seq: i64, at: i64, body: &str) -> i64 {
    let digest = Sha256::new().chain_update(seq.to_be_bytes()).chain_update(at.to_be_bytes()).chain_update(body).finalize();
    digest.iter().take(8).fold(0_i64, |bits, byte| (bits << 8) | i64::from(*byte)) & i64::MAX
}

/// SHA-256 over a checkpoint's number and state, in hexadecimal.
fn hash(seq: i64, state: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::new().chain_update(seq.to_be_bytes()).chain_update(state).finalize())
}
