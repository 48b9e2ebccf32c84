//! The file that keeps the key of the canaries: `canary.key` in the ledger's folder, 64 hexadecimal digits, for the service alone.
//!
//! A lost key makes every canary that is on its way a forged one, so a file that is there is never replaced, whatever is in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::open::make_folder;
use crate::canary::Key;

/// The name of the file in the ledger's folder.
pub const KEY_FILE: &str = "canary.key";

/// 64 digits and a newline; what is longer is no key.
const MAX_LEN: u64 = 66;

/// The key cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is there and cannot be read.
    #[error("reading the key `{path}`")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is there and holds something else.
    #[error("`{path}` is no key: it should hold 64 hexadecimal digits; restore it, or remove it to have a new one made")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// No file can be made.
    #[error("writing the key `{path}`")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The system has no random numbers.
    #[error("making a key: {0}")]
    Random(getrandom::Error),
}

/// Who makes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    /// Who holds the folder's lock.
    Daemon,
    /// Somebody else, for the folder's owner.
    Other,
}

impl Key {
    /// The key in `folder`, and whether it was made just now. The folder must be there.
    ///
    /// A new key is on the disk, file and folder, before it is handed out; a crash leaves a whole key or none. Loose permissions warn.
    ///
    /// # Errors
    /// See [`KeyError`]. A file that is there is never replaced.
    pub fn load_or_create(folder: &Path) -> Result<(Self, bool), KeyError> {
        Self::load_or_make(folder, Maker::Daemon)
    }

    /// The same for somebody who sends canaries beside the daemon, or before it: the folder is made if it is not there, as the daemon would, and
    /// a new key belongs to the folder's owner, as whom the daemon runs. One that the daemon could not read would keep it from starting.
    ///
    /// # Errors
    /// As of [`Key::load_or_create`]; [`KeyError::Write`], too, if the folder is another user's and this one may give nothing away.
    pub fn load_or_leave(folder: &Path) -> Result<(Self, bool), KeyError> {
        let path = folder.join(KEY_FILE);
        // A folder that cannot be looked into may have a key.
        if let Some(key) = load(&path)? {
            return Ok((key, false));
        }
        make_folder(folder).map_err(|cause| KeyError::Write { path, cause })?;
        Self::load_or_make(folder, Maker::Other)
    }

    fn load_or_make(folder: &Path, by: Maker) -> Result<(Self, bool), KeyError> {
        let path = folder.join(KEY_FILE);
        if let Some(key) = load(&path)? {
            return Ok((key, false));
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        let made = write_new(folder, &path, &format!("{}\n", HEXLOWER.encode(&bytes)), by);
        match made {
            Ok(()) => Ok((Self::new(bytes), true)),
            // Another process was faster: its key is the key.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => match load(&path)? {
                Some(key) => Ok((key, false)),
                None => Err(KeyError::Write { path, cause: e }),
            },
            Err(cause) => Err(KeyError::Write { path, cause }),
        }
    }
}

/// The key in the file at `path`; nothing if there is no such file.
fn load(path: &Path) -> Result<Option<Key>, KeyError> {
    let fail = |cause| KeyError::Read { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    if file.metadata().map_err(fail)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others may read the key of the canaries; its mode should be 0600");
    }
    let mut text = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut text).map_err(fail)?;
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim_ascii()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(|bytes| Some(Key::new(bytes))).ok_or_else(|| KeyError::Damaged { path: path.to_owned() })
}

/// Makes the file at `path`, whole or not at all; fails if it is there.
fn write_new(folder: &Path, path: &Path, text: &str, by: Maker) -> io::Result<()> {
    let draft = folder.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let owner = if by == Maker::Other { Some(folder.metadata()?) } else { None };
    let written = write_draft(&draft, text, owner.as_ref()).and_then(|()| match fs::hard_link(&draft, path) {
        // Some file systems have no links. Renaming is as whole, and the ledger's lock keeps a second process away; who does not hold it leaves
        // the key to the daemon.
        Err(e) if by == Maker::Daemon && matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
            fs::rename(&draft, path)
        }
        linked => linked,
    });
    // Gone already if it was renamed.
    let _ = fs::remove_file(&draft);
    written?;
    File::open(folder)?.sync_all()
}

/// Writes a draft, and gives it to `owner`, if that is another user.
fn write_draft(draft: &Path, text: &str, owner: Option<&fs::Metadata>) -> io::Result<()> {
    // One that a crash left behind has a mode of its own, and what is a link leads somewhere that is not ours to write, least of all as root in
    // another user's folder.
    let _ = fs::remove_file(draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    if let Some(owner) = owner
        && owner.uid() != file.metadata()?.uid()
    {
        let why = "the folder is another user's, who could not read it";
        fchown(&file, Some(owner.uid()), Some(owner.gid())).map_err(|error| io::Error::new(error.kind(), why))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
