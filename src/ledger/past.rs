//! The ledger looked back on: opened to be read alone, beside a daemon that writes it or without one. Makes and changes nothing.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use super::error::Cause;
use super::{LedgerError, open, recover, sql};
use crate::model::At;
use crate::watchdog::Record;

/// The records of a ledger as they were when it was opened. What a daemon writes meanwhile is not seen, and nothing keeps it from writing.
#[derive(Debug)]
pub struct Past {
    connection: Connection,
    file: PathBuf,
    /// Of its schema.
    version: usize,
    /// When the file was last changed, if nobody had it open: it alone is read, without the files beside it that readers would otherwise make.
    alone: Option<SystemTime>,
}

/// How far back the records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many there are.
    pub records: u64,
    /// When the oldest that is kept was written.
    pub first: At,
    /// When the newest was.
    pub last: At,
}

impl Past {
    /// Opens the ledger in `folder` for reading. The schema stays as it is; the folder's lock is not taken.
    ///
    /// # Errors
    /// [`LedgerError`]: missing, not readable, newer, of another program, damaged.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        let file = folder.join("ledger.sqlite");
        let meta = match fs::File::open(&file).and_then(|f| f.metadata()) {
            Ok(meta) => meta,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Err(LedgerError::Missing { file }),
            Err(source) => {
                return Err(LedgerError::NotReadable { file, source: Cause::System { what: "opening it", source } });
            }
        };
        open::refuse_lone_wal(&file, meta.len())?;
        let alone = if has_wal(&file) { None } else { meta.modified().ok() };
        Self::connect(file, alone)
    }

    /// Opens the ledger in `folder` for reading, in the process that writes it. The file is opened by `SQLite` alone, which knows of its other
    /// connection and keeps the locks of both.
    ///
    /// # Errors
    /// As [`Past::open`].
    pub fn beside(folder: &Path) -> Result<Self, LedgerError> {
        Self::connect(folder.join("ledger.sqlite"), None)
    }

    fn connect(file: PathBuf, alone: Option<SystemTime>) -> Result<Self, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let sorted = |e| refused(&file, e);
        let connection = Connection::open_with_flags(uri(&file, alone.is_some()), flags).map_err(sorted)?;
        connection.busy_timeout(open::BUSY_TIMEOUT).map_err(sorted)?;
        connection.execute_batch(sql::LOOK_BACK).map_err(sorted)?;
        let found: i64 = connection.query_row(sql::OBJECTS, [], |row| row.get(0)).map_err(sorted)?;
        if found == 0 {
            return Err(LedgerError::Missing { file });
        }
        let version = open::identify(&connection, &file)?;
        Ok(Self { connection, file, version, alone })
    }

    /// The file that is read.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How far back the records go; `None` if there are none.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn extent(&self) -> Result<Option<Extent>, LedgerError> {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?));
        let (count, first, last) = self.connection.query_row(sql::EXTENT, [], row).map_err(|e| refused(&self.file, e))?;
        let ends = first.zip(last).map(|(first, last)| (At::from_ms(first), At::from_ms(last)));
        Ok(ends.map(|(first, last)| Extent { records: count.unsigned_abs(), first, last }))
    }

    /// Hands every record to `take`, in the order in which they were written, until it says that it has enough.
    ///
    /// # Errors
    /// [`LedgerError`]: damaged, or a record that this version does not understand.
    pub fn each(&self, take: impl FnMut(&Record) -> bool) -> Result<(), LedgerError> {
        let read = recover::each_record(&self.connection, &self.file, take);
        self.unchanged()?;
        read
    }

    /// What ends a statement that takes too long, from another thread.
    #[must_use]
    pub fn stopper(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// The version of its schema.
    pub(super) const fn version(&self) -> usize {
        self.version
    }

    /// What its statements run on.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Without its WAL a file must not change under its reader: what was read then may be half old and half new.
    pub(super) fn unchanged(&self) -> Result<(), LedgerError> {
        let changed = |at| has_wal(&self.file) || self.file.metadata().and_then(|m| m.modified()).ok() != Some(at);
        if self.alone.is_some_and(changed) { Err(LedgerError::Changed { file: self.file.clone() }) } else { Ok(()) }
    }
}

/// Whether a daemon has written to the WAL, or died with it. An empty one is what another reader left.
fn has_wal(file: &Path) -> bool {
    file.with_file_name("ledger.sqlite-wal").metadata().is_ok_and(|wal| wal.len() > 0)
}

/// What `SQLite` says of a ledger that is only read: what it cannot open, it may not read.
pub(super) fn refused(file: &Path, source: rusqlite::Error) -> LedgerError {
    let file = file.to_path_buf();
    match source.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            LedgerError::NotReadable { file, source: source.into() }
        }
        _ => LedgerError::sqlite(&file, source),
    }
}

/// The file's name as `SQLite` reads it with options: whatever is not plain is written as its bytes.
fn uri(file: &Path, alone: bool) -> String {
    let mut uri = String::from("file:");
    for byte in file.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str(if alone { "?immutable=1" } else { "" });
    uri
}
