//! The file that keeps the key of the canaries: `canary.key` in the ledger's folder, 64 hexadecimal digits, for the service alone.
//!
//! A lost key makes every canary that is on its way a forged one, so a file that is there is never replaced, whatever is in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

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

impl Key {
    /// The key in `folder`, if there is one; makes none. For those who only look: a key that another user made is none for the service.
    ///
    /// # Errors
    /// [`KeyError::Read`] and [`KeyError::Damaged`].
    pub fn load(folder: &Path) -> Result<Option<Self>, KeyError> {
        load(&folder.join(KEY_FILE))
    }

    /// The key in `folder`, and whether it was made just now. The folder must be there.
    ///
    /// A new key is on the disk, file and folder, before it is handed out; a crash leaves a whole key or none. Loose permissions warn.
    ///
    /// # Errors
    /// See [`KeyError`]. A file that is there is never replaced.
    pub fn load_or_create(folder: &Path) -> Result<(Self, bool), KeyError> {
        let path = folder.join(KEY_FILE);
        if let Some(key) = load(&path)? {
            return Ok((key, false));
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        let made = write_new(folder, &path, &format!("{}\n", HEXLOWER.encode(&bytes)));
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
fn write_new(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let draft = folder.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let written = write_draft(&draft, text).and_then(|()| match fs::hard_link(&draft, path) {
        // Some file systems have no links. Renaming is as whole, and the ledger's lock keeps a second process away.
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => fs::rename(&draft, path),
        linked => linked,
    });
    // Gone already if it was renamed.
    let _ = fs::remove_file(&draft);
    written?;
    File::open(folder)?.sync_all()
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    // A draft that a crash left behind keeps its own mode when it is opened again.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
