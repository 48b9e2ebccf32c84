//! Opening: the folder, its lock, the file, its schema, and the checks that every start can afford.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::LedgerError;
use super::sql;
use crate::model::At;

/// How long to wait for another program's lock on the file (an operator's `sqlite3` that writes) before giving up: a try that the caller
/// repeats. Shorter than the 5 s within which the loop must answer whoever asks for its state.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Statements kept prepared; more than there are.
const STATEMENTS: usize = 48;

/// Makes the folder if it is not there, readable by its owner alone, and takes its lock.
pub(super) fn lock(folder: &Path) -> Result<File, LedgerError> {
    make_folder(folder).map_err(|e| LedgerError::system(folder, "making the folder", e))?;
    let lock = private(&folder.join("lock")).map_err(|e| LedgerError::system(folder, "opening the file `lock`", e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse { folder: folder.to_path_buf() }),
        Err(TryLockError::Error(e)) => Err(LedgerError::system(folder, "locking the file `lock`", e)),
    }
}

/// Makes the folder if it is not there, readable by its owner alone.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        if let Some(parent) = folder.parent() {
            // So that the new folder is still there after a power cut. Not every file system can; then nothing is lost by it.
            drop(File::open(parent).and_then(|parent| parent.sync_all()));
        }
    }
    Ok(())
}

/// A file that only its owner can read, made if it is not there.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The file's length, learnt without opening it.
fn length(folder: &Path, file: &Path) -> Result<u64, LedgerError> {
    file.metadata().map(|m| m.len()).map_err(|e| LedgerError::system(folder, "reading the length of `ledger.sqlite`", e))
}

/// Opens `file` in the locked `folder`, brings its schema up to date, checks it and writes down the start.
pub(super) fn connect(folder: &Path, file: &Path, now: At) -> Result<Connection, LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    // Closed again before SQLite opens it: POSIX drops a process's locks on a file when any of its descriptors of that file is closed, and
    // another program would then take itself for the last user and delete the WAL under us.
    drop(private(file).map_err(|e| LedgerError::system(folder, "opening the file `ledger.sqlite`", e))?);
    let length = length(folder, file)?;
    refuse_lone_wal(file, length)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags).map_err(sorted)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sorted)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let version = identify(&connection, file)?;
    connection.execute_batch(sql::CONNECT).map_err(sorted)?;
    migrate(&mut connection, version).map_err(sorted)?;
    check(&connection, folder, file)?;
    connection.execute(sql::STARTED, params![now.as_ms(), env!("CARGO_PKG_VERSION")]).map_err(sorted)?;
    connection.execute(sql::OLD_STARTS, []).map_err(sorted)?;
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(connection)
}

/// An empty file beside a WAL with content is a ledger that was cut off: SQLite would silently begin anew.
pub(super) fn refuse_lone_wal(file: &Path, length: u64) -> Result<(), LedgerError> {
    let wal = file.with_file_name("ledger.sqlite-wal");
    let left = wal.metadata().map_or(0, |m| m.len());
    if length == 0 && left > 0 {
        return Err(LedgerError::damaged(file, format!("it is empty, but `ledger.sqlite-wal` beside it holds {left} bytes")));
    }
    Ok(())
}

/// The version of its schema; 0 for a new file. Reads only, so that a file that is refused stays as it is.
pub(super) fn identify(connection: &Connection, file: &Path) -> Result<usize, LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(sorted);
    let (application, version) = (number("application_id")?, number("user_version")?);
    let objects: i64 = connection.query_row(sql::OBJECTS, [], |row| row.get(0)).map_err(sorted)?;
    if application == 0 && version == 0 && objects == 0 {
        return Ok(0);
    }
    if application != i64::from(sql::APPLICATION_ID) {
        return Err(LedgerError::Foreign { file: file.to_path_buf() });
    }
    match usize::try_from(version) {
        Ok(known @ 1..) if known <= sql::MIGRATIONS.len() => Ok(known),
        Ok(1..) => {
            let known = i64::try_from(sql::MIGRATIONS.len()).unwrap_or(i64::MAX);
            Err(LedgerError::Newer { file: file.to_path_buf(), found: version, known })
        }
        Ok(0) | Err(_) => Err(LedgerError::damaged(file, format!("its schema's number is {version}"))),
    }
}

/// Applies the migrations from `version` on, all or none.
fn migrate(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    if version == sql::MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in sql::MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", sql::APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(sql::MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()
}

/// What can be checked in a time that does not grow with the history.
fn check(connection: &Connection, folder: &Path, file: &Path) -> Result<(), LedgerError> {
    let sorted = |e| LedgerError::sqlite(file, e);
    let in_the_way: i64 = connection.query_row(sql::EMPTY_WAL, [], |row| row.get(0)).map_err(sorted)?;
    if in_the_way == 0 {
        let expected: i64 = connection.query_row(sql::FILE_SIZE, [], |row| row.get(0)).map_err(sorted)?;
        let length = length(folder, file)?;
        if u64::try_from(expected).is_ok_and(|expected| expected > length) {
            return Err(LedgerError::damaged(file, format!("it ends after {length} bytes of {expected}")));
        }
    }
    for pragma in sql::CHECKED {
        let finding: String = connection.query_row(pragma, [], |row| row.get(0)).map_err(sorted)?;
        if finding != "ok" {
            return Err(LedgerError::damaged(file, finding.replace('\n', " ")));
        }
    }
    for edge in sql::EDGES {
        let mut statement = connection.prepare(edge).map_err(sorted)?;
        let mut rows = statement.query([]).map_err(sorted)?;
        while rows.next().map_err(sorted)?.is_some() {}
    }
    Ok(())
}
