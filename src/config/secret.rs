//! Secrets: where they come from, and a type that cannot be printed. The only place that reads the environment.

use std::env::{self, VarError};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::complaint::printable;

/// A secret longer than this is a mistake: 64 KiB.
const MOST: u64 = 64 << 10;

/// Where a secret is to be read from. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRef {
    /// `{ file = "/path" }`; one trailing newline is cut.
    File(PathBuf),
    /// `{ env = "NAME" }`.
    Env(String),
    /// `{ credential = "name" }`: a file of that name in systemd's `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// As in the configuration: `{ file = "/path" }`.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{{ file = \"{}\" }}", printable(&path.display().to_string())),
            Self::Env(name) => write!(f, "{{ env = \"{}\" }}", printable(name)),
            Self::Credential(name) => write!(f, "{{ credential = \"{}\" }}", printable(name)),
        }
    }
}

/// A secret in memory. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: only for the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a secret cannot be had. Never holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[source] io::Error),
    /// It is a folder, a device or a pipe.
    #[error("it is not a file")]
    NotAFile,
    /// More than 64 KiB.
    #[error("it is larger than 64 KiB")]
    TooLarge,
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// A line break or NUL in the middle: no protocol could carry it.
    #[error("it has more than one line, or a NUL in it")]
    NotALine,
    /// The environment variable is not set.
    #[error("the environment variable is not set")]
    NotSet,
    /// systemd gave no credentials.
    #[error("`$CREDENTIALS_DIRECTORY` is not set: the service has no `LoadCredential=`, or this is not the service")]
    NoCredentials,
}

impl SecretError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "see that it is there, and that the user of the service may read it",
            Self::NotAFile | Self::TooLarge | Self::NotText => "write the secret alone into a file",
            Self::Empty => "write the secret into it",
            Self::NotALine => "write the secret on one line",
            Self::NotSet => "set it for the service, or use `{ file = … }`",
            Self::NoCredentials => "run it by systemd with `LoadCredential=`, or use `{ file = … }`",
        }
    }
}

/// A secret, and what is questionable about where it was.
#[derive(Debug)]
pub struct Resolved {
    /// The secret.
    pub secret: Secret,
    /// The permissions of its file, if others than its owner may read it.
    pub loose: Option<u32>,
}

impl SecretRef {
    /// Reads the secret, now.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn resolve(&self) -> Result<Resolved, SecretError> {
        let resolved = self.resolve_lines()?;
        if resolved.secret.expose().contains(['\n', '\r', '\0']) { Err(SecretError::NotALine) } else { Ok(resolved) }
    }

    /// The same, of a secret that may have several lines: a whole key file.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn resolve_lines(&self) -> Result<Resolved, SecretError> {
        match self {
            Self::File(path) => from_file(path),
            Self::Env(name) => Ok(Resolved { secret: checked(variable(name)?)?, loose: None }),
            Self::Credential(name) => {
                let folder = variable("CREDENTIALS_DIRECTORY").or(Err(SecretError::NoCredentials))?;
                // systemd gives the folder to the service alone.
                from_file(&Path::new(&folder).join(name)).map(|found| Resolved { loose: None, ..found })
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Result<String, SecretError> {
    env::var(name).map_err(|error| match error {
        VarError::NotPresent => SecretError::NotSet,
        VarError::NotUnicode(_) => SecretError::NotText,
    })
}

fn from_file(path: &Path) -> Result<Resolved, SecretError> {
    let metadata = std::fs::metadata(path).map_err(SecretError::Read)?;
    if !metadata.is_file() {
        return Err(SecretError::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)).map_err(SecretError::Read)?;
    if bytes.len() as u64 > MOST {
        return Err(SecretError::TooLarge);
    }
    let mut text = String::from_utf8(bytes).or(Err(SecretError::NotText))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    let mode = metadata.permissions().mode() & 0o777;
    Ok(Resolved { secret: checked(text)?, loose: (mode & 0o077 != 0).then_some(mode) })
}

fn checked(text: String) -> Result<Secret, SecretError> {
    if text.is_empty() { Err(SecretError::Empty) } else { Ok(Secret(text)) }
}
