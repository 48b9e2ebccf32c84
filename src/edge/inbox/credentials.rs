//! What proves that an account is ours.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::trouble::Trouble;
use crate::config::{Inbox, InboxKind, Proof, Secret, SecretRef};
use crate::edge::dial::Dialer;
use crate::edge::submit::{SetUpError, Tokens};
use crate::model::Now;

/// What an inbox is logged in to with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Nothing: it is on this machine.
    None,
    /// A password.
    Password(Secret),
    /// OAuth 2 access tokens, which are got over HTTP.
    Tokens {
        /// Where they come from; all sessions of the inbox share one.
        tokens: Arc<Tokens>,
        /// The way to there.
        http: reqwest::Client,
    },
}

/// One proof, for one log-in.
#[derive(Debug)]
pub(super) enum Shown {
    /// A password.
    Password(Secret),
    /// An access token.
    Bearer(Secret),
}

impl Credentials {
    /// Those of `inbox`. Connects to nothing yet.
    ///
    /// # Errors
    /// A secret was not handed over or does not fit, or the way out cannot be prepared.
    pub fn new(inbox: &Inbox, secrets: &dyn Fn(&SecretRef) -> Option<Secret>, dialer: &Dialer) -> Result<Self, SetUpError> {
        let (proof, username) = match &inbox.kind {
            InboxKind::Imap(imap) => (&imap.proof, &imap.username),
            InboxKind::Jmap(jmap) => (&jmap.proof, &jmap.username),
            InboxKind::Maildir(_) | InboxKind::Smtp(_) => return Ok(Self::None),
        };
        Ok(match proof {
            Proof::Password(at) => Self::Password(secrets(at).ok_or_else(|| SetUpError::Secret(at.clone()))?),
            Proof::OAuth(oauth) => Self::Tokens { tokens: Arc::new(Tokens::new(oauth, secrets, username)?), http: dialer.http()? },
        })
    }

    /// A proof that is good now, and whether it was shown before.
    pub(super) async fn proof(&self, now: &Now, within: Duration) -> Result<(Shown, bool), Trouble> {
        match self {
            Self::None => Ok((Shown::Password(Secret::new(String::new())), false)),
            Self::Password(password) => Ok((Shown::Password(password.clone()), false)),
            Self::Tokens { tokens, http } => {
                let access = tokens.token(http, now(), Instant::now() + within).await?;
                Ok((Shown::Bearer(access.token), access.kept))
            }
        }
    }

    /// What was shown was not taken.
    pub(super) async fn reject(&self, shown: &Shown) {
        if let (Self::Tokens { tokens, .. }, Shown::Bearer(token)) = (self, shown) {
            tokens.reject(token).await;
        }
    }
}
