//! What can go wrong with the ledger, in the operator's words: what, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the ledger could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the folder.
    #[error(
        "the ledger's folder `{}` is in use by another mailcanary: stop that one, or give this one a folder of its own with `[ledger] path`",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing is there to be read.
    #[error(
        "there is no ledger at `{}`: let `mailcanary run` watch with this configuration for a while first, or name the folder of a daemon's ledger with `[ledger] path`",
        file.display()
    )]
    Missing {
        /// Where it was looked for.
        file: PathBuf,
    },
    /// It is there, and others may not read it.
    #[error("the ledger `{}` cannot be read: run this as the user that mailcanary runs as", file.display())]
    NotReadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A daemon was started on a ledger that nobody had open, while it was read.
    #[error("a mailcanary was started on the ledger `{}` while it was being read: try again", file.display())]
    Changed {
        /// The file.
        file: PathBuf,
    },
    /// The file was written by a later version.
    #[error(
        "the ledger `{}` was written by a newer mailcanary (its schema is {found}, this version knows up to {known}): install that version again, or restore a backup from before the upgrade",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its schema's number.
        found: i64,
        /// The highest that we know.
        known: i64,
    },
    /// A database, but none of ours.
    #[error("`{}` is a database of another program: move it away, or choose another folder with `[ledger] path`", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// What stands in the file is not what was written.
    #[error(
        "the ledger `{0}` is damaged: {what}; stop mailcanary, keep a copy of the folder, then restore a backup, \
         or save what can be read with `sqlite3 {0} .recover | sqlite3 new.sqlite`, or move the file away to begin anew",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where, and how it was noticed.
        what: String,
        /// SQLite's own finding, if it was the one to notice.
        #[source]
        source: Option<rusqlite::Error>,
    },
    /// A record that this version cannot understand, though its bytes are as they were written.
    #[error(
        "record {seq} of the ledger `{}` is not understood by this version of mailcanary: install the version that wrote it",
        file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The record's number.
        seq: u64,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// No space left: what was to be written is not there, and can be written again once there is space.
    #[error("no space left for the ledger in `{}`: free some, or shorten `[ledger] keep`", folder.display())]
    Full {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// The folder or file may not be written.
    #[error("the ledger in `{}` cannot be written: its folder and files must belong to the user that mailcanary runs as, on a file system mounted read-write", folder.display())]
    ReadOnly {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// Another program held the file locked for longer than we wait.
    #[error("the ledger `{}` is locked by another program: end the `sqlite3` or backup that is writing to it", file.display())]
    Busy {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The disk or its file system failed.
    #[error("reading or writing the ledger in `{}` failed: look at the system's log for errors of the disk", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// `SQLite` refused what we asked of it: a defect of mailcanary, or somebody changed the tables.
    #[error("the ledger `{}` refused a statement: its tables were changed from outside, or this is a defect of mailcanary", file.display())]
    Statement {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
}

/// Where a failure to read or write was noticed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// By the operating system.
    #[error("{what}")]
    System {
        /// What was being done.
        what: &'static str,
        /// Its answer.
        #[source]
        source: io::Error,
    },
    /// By `SQLite`.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl LedgerError {
    /// Sorts what `SQLite` says of the ledger at `file`.
    pub(super) fn sqlite(file: &Path, source: rusqlite::Error) -> Self {
        let folder = || file.parent().unwrap_or(file).to_path_buf();
        let file = file.to_path_buf();
        let Some(code) = source.sqlite_error_code() else {
            return Self::Statement { file, source };
        };
        // The index of the WAL is a file too: that it cannot grow is said in a code of its own.
        let index_full = source.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        if code == ErrorCode::DiskFull || index_full {
            Self::Full { folder: folder(), source: source.into() }
        } else if code == ErrorCode::ReadOnly || code == ErrorCode::PermissionDenied {
            Self::ReadOnly { folder: folder(), source: source.into() }
        } else if code == ErrorCode::DatabaseCorrupt {
            Self::Damaged { file, what: "its pages contradict each other".to_owned(), source: Some(source) }
        } else if code == ErrorCode::NotADatabase {
            Self::Damaged { file, what: "it does not begin as a database does".to_owned(), source: Some(source) }
        } else if code == ErrorCode::DatabaseBusy || code == ErrorCode::DatabaseLocked {
            Self::Busy { file, source }
        } else if code == ErrorCode::SystemIoFailure || code == ErrorCode::CannotOpen {
            Self::Io { folder: folder(), source: source.into() }
        } else {
            Self::Statement { file, source }
        }
    }

    /// Sorts what the operating system says of the ledger's folder.
    pub(super) fn system(folder: &Path, what: &'static str, source: io::Error) -> Self {
        let kind = source.kind();
        let folder = folder.to_path_buf();
        let source = Cause::System { what, source };
        if kind == io::ErrorKind::StorageFull || kind == io::ErrorKind::QuotaExceeded {
            Self::Full { folder, source }
        } else if kind == io::ErrorKind::ReadOnlyFilesystem || kind == io::ErrorKind::PermissionDenied {
            Self::ReadOnly { folder, source }
        } else {
            Self::Io { folder, source }
        }
    }

    /// What was found wrong in `file`.
    pub(super) fn damaged(file: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_path_buf(), what: what.into(), source: None }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_cause_is_told_twice() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let words = full.to_string().split_once(": ").unwrap().1.to_owned();
        let error = rusqlite::Error::SqliteFailure(full, Some(words.clone()));
        assert_eq!(crate::model::chained(&error), words);
        let other = rusqlite::Error::SqliteFailure(full, Some("disk I/O".to_owned()));
        assert!(crate::model::chained(&other).starts_with("disk I/O: Error code 13: "), "{}", crate::model::chained(&other));
    }
}
