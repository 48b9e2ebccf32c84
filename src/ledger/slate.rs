//! A text beside the ledger that can be rewritten while the ledger cannot: its room is taken in advance, it is open all the time and
//! changed in place, so that neither a full disk nor a folder that became read-only stands in the way.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::LedgerError;

/// The name of the file in the ledger's folder.
const SLATE_FILE: &str = "told.json";
/// The room that is taken; a longer text is refused.
const ROOM: usize = 16 * 1024;

/// The text.
#[derive(Debug)]
pub struct Slate {
    folder: PathBuf,
    file: File,
}

impl Slate {
    /// Opens it in the ledger's folder, and returns it with what stands in it: nothing but blanks at first.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be opened, read or made.
    pub fn open(folder: &Path) -> Result<(Self, String), LedgerError> {
        let fail = |what| move |e| LedgerError::system(folder, what, e);
        let path = folder.join(SLATE_FILE);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let slate = Self { folder: folder.to_owned(), file: open.map_err(fail("opening the file `told.json`"))? };
        let mut bytes = vec![b' '; ROOM];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match slate.file.read_at(rest, read as u64).map_err(fail("reading the file `told.json`"))? {
                0 => break,
                more => read = read.saturating_add(more),
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if read < ROOM {
            slate.write(text.trim_end())?;
        }
        Ok((slate, text))
    }

    /// Puts `text` in place of what stood there.
    ///
    /// # Errors
    /// [`LedgerError`]: too long, or the disk failed; what stands there then may be neither.
    pub fn write(&self, text: &str) -> Result<(), LedgerError> {
        let mut bytes = text.as_bytes().to_vec();
        let fits = if bytes.len() > ROOM { Err(io::Error::from(ErrorKind::FileTooLarge)) } else { Ok(()) };
        bytes.resize(ROOM, b' ');
        let written = fits.and_then(|()| self.file.write_all_at(&bytes, 0)).and_then(|()| self.file.sync_data());
        written.map_err(|e| LedgerError::system(&self.folder, "writing the file `told.json`", e))
    }
}
