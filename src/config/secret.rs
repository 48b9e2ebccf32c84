//! Secrets: where they come from, and a type that cannot be printed.

use std::fmt;
use std::path::PathBuf;

/// Where a secret is to be read from. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// `{ file = "/path" }`; one trailing newline is cut.
    File(PathBuf),
    /// `{ env = "NAME" }`.
    Env(String),
    /// `{ credential = "name" }`: a file of that name in systemd's `$CREDENTIALS_DIRECTORY`.
    Credential(String),
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
