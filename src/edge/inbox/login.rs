//! Logs in and looks around, for `check --live`.

use super::credentials::Credentials;
use super::folders::Folder;
use super::lane::folders_besides;
use super::link::Link;
use super::pace::Pace;
use super::trouble::Trouble;
use super::{jmap, maildir, mx};
use crate::config::{Inbox, InboxKind};
use crate::edge::dial::Dialer;
use crate::model::{Class, Now, Placement};

/// Capabilities that make a difference to the reader.
const OF_NOTE: [&str; 4] = ["IDLE", "SPECIAL-USE", "UIDPLUS", "X-GM-EXT-1"];

/// Why an inbox cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Blindness {
    /// What kind of failure.
    pub class: Class,
    /// In words: one line, at most 200 characters.
    pub why: String,
}

impl From<Trouble> for Blindness {
    fn from(trouble: Trouble) -> Self {
        Self { class: trouble.class(), why: trouble.why() }
    }
}

/// What a login found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The folders that are read, as people see them: `INBOX`, then the junk folders. One that is configured and not there is left out.
    pub folders: Vec<(String, Placement)>,
    /// Of the server's capabilities those that matter here: without `IDLE` mail is seen some seconds later.
    pub capabilities: Vec<&'static str>,
}

/// Logs in, opens every folder that would be read, for reading only, and logs out.
///
/// # Errors
/// What would make the inbox blind.
pub async fn log_in(inbox: &Inbox, credentials: &Credentials, dialer: &Dialer, now: &Now) -> Result<Login, Blindness> {
    let imap = match &inbox.kind {
        InboxKind::Imap(imap) => imap,
        InboxKind::Maildir(maildir) => return Ok(maildir::look_around(maildir).await?),
        InboxKind::Jmap(jmap) => return Ok(jmap::look_around(jmap, dialer, credentials, now).await?),
        InboxKind::Smtp(mx) => return Ok(mx::look_around(mx).await?),
    };
    let (dialer, credentials) = (dialer.clone(), credentials.clone());
    let link = Link { dialer, imap: imap.clone(), credentials, pace: Pace::default(), now: Now::clone(now) };
    let mut session = link.session().await?;
    let besides = folders_besides(&mut session, imap).await?;
    let mut found = Vec::new();
    for folder in std::iter::once(Folder::inbox()).chain(besides) {
        if session.examine(&folder.wire).await?.is_some() {
            found.push((folder.name(), folder.placement));
        }
    }
    let capabilities = OF_NOTE.into_iter().filter(|name| session.capabilities.has(name)).collect();
    session.end(link.pace.done).await;
    Ok(Login { folders: found, capabilities })
}
