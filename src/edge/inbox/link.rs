//! How the server of an inbox is reached.

use super::pace::Pace;
use super::session::Session;
use super::trouble::Trouble;
use crate::config::{ImapSettings, Secret};
use crate::edge::dial::Dialer;

/// How an inbox is reached.
#[derive(Debug)]
pub(super) struct Link {
    /// The way out.
    pub(super) dialer: Dialer,
    /// The server and the account.
    pub(super) imap: ImapSettings,
    /// The password.
    pub(super) password: Secret,
    /// All durations.
    pub(super) pace: Pace,
}

impl Link {
    /// Connects and logs in.
    pub(super) async fn session(&self) -> Result<Session, Trouble> {
        Session::begin(&self.dialer, &self.imap, &self.password, &self.pace).await
    }
}
