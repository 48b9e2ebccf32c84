//! The configuration file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Checked, Complaint, parse, web_config, whereabouts};

/// A configuration larger than this is a mistake: 1 MiB.
const MOST: u64 = 1 << 20;

/// Why a configuration file gives no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("the configuration cannot be read")]
    Read(#[source] io::Error),
    /// It is a folder, a device or a pipe.
    #[error("the configuration is not a file")]
    NotAFile,
    /// It is too large.
    #[error("the configuration is larger than 1 MiB")]
    TooLarge,
    /// It is not text.
    #[error("the configuration is not UTF-8 text: byte {0} is wrong")]
    NotText(usize),
    /// It is wrong.
    #[error("the configuration has {} complaint(s)", .0.len())]
    Wrong(Vec<Complaint>),
}

/// Reads and checks the file at `path`; resolves no secret.
///
/// # Errors
/// [`LoadError::Wrong`] with every complaint, or why the file could not be read at all.
pub fn load(path: &Path) -> Result<Checked, LoadError> {
    let host_name = gethostname::gethostname().to_string_lossy().into_owned();
    let mut checked = parse(&read(path)?, &host_name).map_err(LoadError::Wrong)?;
    if let Some(http) = &mut checked.settings.http
        && let Some(file) = &http.web_config
    {
        // That it is wrong is said where the secrets are read.
        http.tls = web_config(file).is_ok_and(|web| web.tls.is_some());
    }
    Ok(checked)
}

/// The ledger's folder that the file at `path` names, or its default, even if the file cannot be run: for those who only want to find the daemon
/// that runs.
///
/// # Errors
/// As [`load`], of what that folder rests on alone.
pub fn ledger_folder(path: &Path) -> Result<PathBuf, LoadError> {
    whereabouts(&read(path)?).map_err(LoadError::Wrong)
}

/// What stands in the file. Pipes are refused before they are opened, as opening one could wait for ever; no more than 1 MiB is read.
///
/// # Errors
/// [`LoadError`], but not that it is wrong or no text.
pub fn content(path: &Path) -> Result<Vec<u8>, LoadError> {
    if !std::fs::metadata(path).map_err(LoadError::Read)?.is_file() {
        return Err(LoadError::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)).map_err(LoadError::Read)?;
    if bytes.len() as u64 > MOST {
        return Err(LoadError::TooLarge);
    }
    Ok(bytes)
}

fn read(path: &Path) -> Result<String, LoadError> {
    String::from_utf8(content(path)?).map_err(|error| LoadError::NotText(error.utf8_error().valid_up_to() + 1))
}
