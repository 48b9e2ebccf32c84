//! How the server of an inbox is reached.

use super::credentials::Credentials;
use super::greet;
use super::pace::Pace;
use super::session::Session;
use super::trouble::Trouble;
use crate::config::ImapSettings;
use crate::edge::dial::Dialer;
use crate::model::{Class, Now};

/// How an inbox is reached.
pub(super) struct Link {
    /// The way out.
    pub(super) dialer: Dialer,
    /// The server and the account.
    pub(super) imap: ImapSettings,
    /// What proves that the account is ours.
    pub(super) credentials: Credentials,
    /// All durations.
    pub(super) pace: Pace,
    /// Our clock.
    pub(super) now: Now,
}

impl Link {
    /// Connects and logs in. Where a token that was kept is not taken any more, once again with a new one: it may have been withdrawn before
    /// its end, and servers that refuse one may hang up.
    pub(super) async fn session(&self) -> Result<Session, Trouble> {
        let (proof, kept) = self.credentials.proof(&self.now, self.pace.login).await?;
        let refused = match greet::greet(&self.dialer, &self.imap, &proof, &self.pace).await {
            Ok((stream, capabilities)) => return Ok(Session::begin(stream, capabilities, &self.pace)),
            Err(trouble @ Trouble::Refused { login: true, .. }) if trouble.class() == Class::Auth => trouble,
            Err(other) => return Err(other),
        };
        self.credentials.reject(&proof).await;
        if !kept {
            return Err(refused);
        }
        let (proof, _) = self.credentials.proof(&self.now, self.pace.login).await?;
        let (stream, capabilities) = greet::greet(&self.dialer, &self.imap, &proof, &self.pace).await?;
        Ok(Session::begin(stream, capabilities, &self.pace))
    }
}
