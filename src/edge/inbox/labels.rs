//! Gmail's labels: a filter may keep a mail out of `INBOX` and put a label on it. It lies in All Mail then, as every mail does, and only its
//! labels (`X-GM-LABELS`, behind `X-GM-EXT-1`) tell it from what is in `INBOX`.

use async_imap::imap_proto::{AttributeValue, Response};

use super::fetch::FLOOD;
use super::session::Session;
use super::trouble::Trouble;

/// The label of what is in `INBOX`; of drafts and of what was sent, which have not arrived.
const NOT_FILED: [&str; 3] = ["\\Inbox", "\\Draft", "\\Sent"];

/// What is new in All Mail.
#[derive(Debug, Default)]
pub(super) struct Filed {
    /// The messages that lie nowhere else.
    pub(super) uids: Vec<u32>,
    /// The newest of all.
    pub(super) newest: u32,
}

/// Looks at the labels of the messages from this UID on, in the open folder.
pub(super) async fn filed(session: &mut Session, from: u32) -> Result<Filed, Trouble> {
    let mut filed = Filed::default();
    session
        .command("FETCH", &format!("UID FETCH {from}:* (UID X-GM-LABELS)"), |response| {
            let Response::Fetch(_, attributes) = response else { return Ok(()) };
            let uid = attributes.iter().find_map(|a| if let AttributeValue::Uid(uid) = a { Some(*uid) } else { None });
            let labels = attributes.iter().find_map(|a| if let AttributeValue::GmailLabels(labels) = a { Some(labels) } else { None });
            let Some(uid) = uid.filter(|uid| *uid >= from) else { return Ok(()) };
            if filed.uids.len() >= FLOOD {
                return Err(Trouble::Flood { what: "FETCH" });
            }
            filed.newest = filed.newest.max(uid);
            let is = |label: &str, other: &&str| label.trim_matches('\\').eq_ignore_ascii_case(other.trim_matches('\\'));
            // Without its labels nobody can say that it is not in `INBOX`, where it is seen anyway.
            if labels.is_some_and(|labels| labels.iter().all(|label| NOT_FILED.iter().all(|other| !is(label, other)))) {
                filed.uids.push(uid);
            }
            Ok(())
        })
        .await?;
    Ok(filed)
}
