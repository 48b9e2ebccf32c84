//! How the running configuration stands.

use super::At;

/// When it was taken over, and whether a newer one was refused since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// When the configuration that runs was taken over; nothing where nothing runs.
    pub at: Option<At>,
    /// The file that it was read from, with its whole path; nothing where there is none.
    pub file: Option<String>,
    /// The newest try to take over another one, if that was refused.
    pub refused: Option<Refusal>,
}

/// A configuration that was not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: At,
    /// Every complaint. Holds no secret.
    pub complaints: Vec<String>,
}
