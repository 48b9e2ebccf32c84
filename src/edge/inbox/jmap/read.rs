//! One read: all that is new in the account since the state that is known, and what lies in the folders that matter is told of.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::desk::Desk;
use super::super::gist::Seen;
use super::super::trouble::Trouble;
use super::super::whole::{self, LOOKED_AT, Mail, OWN};
use super::folders::{self, Folder};
use super::method::{Api, Failure, read as read_answer};
use super::place::Place;
use super::wire;
use crate::model::{At, Class};

/// Changes that are asked for at once.
const CHANGES: usize = 100;
/// More changes than these requests bring are no mailbox's.
const ROUNDS_MAX: usize = 5000;
/// Where it is not known where we stand, so many messages of each folder are looked at.
const RESCAN: usize = 200;
/// The same, if all of them came since we last stood there.
const RESCAN_MAX: usize = 10_000;

/// The server may be asked for the header alone of what is larger.
const LARGE: u64 = 1024 * 1024;

/// What a read brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Haul {
    /// New messages that were looked at.
    pub(super) seen: usize,
    /// The server has one that it does not hand out yet: the read is not complete.
    pub(super) withheld: bool,
}

/// Who reads.
pub(super) struct Reading<'a> {
    pub(super) desk: &'a Desk,
    pub(super) api: &'a Api<'a>,
    /// Junk mailboxes by name, instead of finding them.
    pub(super) junk: Option<&'a [String]>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    new_state: String,
    #[serde(default)]
    has_more_changes: bool,
    #[serde(default)]
    created: Vec<String>,
    #[serde(default)]
    updated: Vec<String>,
}

#[derive(Deserialize)]
struct Emails {
    state: String,
    list: Vec<Email>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Email {
    id: String,
    #[serde(default)]
    blob_id: String,
    #[serde(default)]
    mailbox_ids: BTreeMap<String, bool>,
    received_at: Option<String>,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
struct Found {
    ids: Vec<String>,
}

/// A message's header as JMAP has it.
#[derive(Deserialize)]
struct Headers {
    list: Vec<Fields>,
}

#[derive(Deserialize)]
struct Fields {
    headers: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

/// Why messages are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// They are new.
    Created,
    /// Something about them is.
    Updated,
    /// It is not known what is new.
    Latest,
}

impl Reading<'_> {
    /// Reads all that is new.
    pub(super) async fn read(&self, place: &mut Place) -> Result<Haul, Trouble> {
        let mut haul = Haul::default();
        for _ in 0..ROUNDS_MAX {
            let Some(state) = place.state.clone() else { return self.latest(place).await };
            let calls = vec![folders::call(), ("Email/changes", json!({ "sinceState": state, "maxChanges": CHANGES }))];
            let mut answers = self.api.call(calls).await?.into_iter();
            let folders = folders::answered(next("Mailbox/get", &mut answers)?, self.junk)?;
            let changes: Changes = match next("Email/changes", &mut answers)? {
                Ok(answer) => read_answer("Email/changes", answer)?,
                Err(failure) if matches!(failure.r#type.as_str(), "cannotCalculateChanges" | "invalidArguments") => {
                    tracing::info!(inbox = %self.desk.name, "the server does not know any more what has changed; its latest mail is read again");
                    place.state = None;
                    continue;
                }
                Err(failure) => return Err(failure.into_trouble("Email/changes")),
            };
            for (ids, cause) in [(&changes.created, Cause::Created), (&changes.updated, Cause::Updated)] {
                let (more, _) = self.take_in(ids, cause, &folders, place).await?;
                haul = Haul { seen: haul.seen.saturating_add(more.seen), withheld: haul.withheld || more.withheld };
            }
            // What is withheld is asked for again from where we stand.
            if haul.withheld {
                return Ok(haul);
            }
            let stuck = changes.has_more_changes && changes.new_state == state;
            place.state = Some(changes.new_state);
            if !changes.has_more_changes {
                return Ok(haul);
            }
            if stuck {
                return Err(Trouble::Garbled { what: "Email/changes" });
            }
        }
        Err(Trouble::Flood { what: "Email/changes" })
    }

    /// Looks at the latest messages of each folder: what is new among them is not known.
    async fn latest(&self, place: &mut Place) -> Result<Haul, Trouble> {
        let calls = vec![folders::call(), ("Email/get", json!({ "ids": [], "properties": ["id"] }))];
        let mut answers = self.api.call(calls).await?.into_iter();
        let folders = folders::answered(next("Mailbox/get", &mut answers)?, self.junk)?;
        let answer = next("Email/get", &mut answers)?.map_err(|failure| failure.into_trouble("Email/get"))?;
        // What changes while we look is told of as a change, later.
        let Emails { state, .. } = read_answer("Email/get", answer)?;
        let mut haul = Haul::default();
        for folder in &folders {
            let more = self.latest_of(folder, &folders, place).await?;
            haul = Haul { seen: haul.seen.saturating_add(more.seen), withheld: haul.withheld || more.withheld };
        }
        if !haul.withheld {
            tracing::info!(inbox = %self.desk.name, "reading the mailbox from here on");
            place.state = Some(state);
        }
        Ok(haul)
    }

    async fn latest_of(&self, folder: &Folder, folders: &[Folder], place: &mut Place) -> Result<Haul, Trouble> {
        const WHAT: &str = "Email/query";
        let (mut haul, mut position) = (Haul::default(), 0_usize);
        let least = if place.first { 0 } else { RESCAN };
        let oldest_wanted = if place.first { place.since } else { place.read_to };
        while position < RESCAN_MAX {
            let limit = self.api.session.get_most.max(1);
            let sort = json!([{ "property": "receivedAt", "isAscending": false }]);
            let asked = json!({ "filter": { "inMailbox": folder.id }, "sort": sort, "position": position, "limit": limit });
            let Found { ids } = self.api.one(WHAT, asked).await?.map_err(|failure: Failure| failure.into_trouble(WHAT))?;
            let (more, oldest) = self.take_in(&ids, Cause::Latest, folders, place).await?;
            haul = Haul { seen: haul.seen.saturating_add(more.seen), withheld: haul.withheld || more.withheld };
            position = position.saturating_add(ids.len());
            let far_enough = position >= least && oldest.is_none_or(|oldest| oldest < oldest_wanted);
            if ids.is_empty() || far_enough {
                break;
            }
        }
        Ok(haul)
    }

    /// Looks at messages, and tells of those in our folders. When the oldest of them came, too.
    async fn take_in(&self, ids: &[String], cause: Cause, folders: &[Folder], place: &mut Place) -> Result<(Haul, Option<At>), Trouble> {
        const PROPERTIES: [&str; 5] = ["id", "blobId", "mailboxIds", "receivedAt", "size"];
        let (mut haul, mut oldest): (Haul, Option<At>) = (Haul::default(), None);
        for some in ids.chunks(self.api.session.get_most.max(1)) {
            let asked = json!({ "ids": some, "properties": PROPERTIES });
            let answer = self.api.one("Email/get", asked).await?;
            let emails: Emails = answer.map_err(|failure: Failure| failure.into_trouble("Email/get"))?;
            for email in emails.list {
                let received = email.received_at.as_deref().and_then(At::from_rfc3339);
                oldest = received.map(|at| oldest.map_or(at, |before| before.min(at))).or(oldest);
                if some.contains(&email.id) && self.is_wanted(&email, received, cause, place) {
                    haul.withheld |= !self.tell(&email, received, cause, folders, place).await?;
                    haul.seen = haul.seen.saturating_add(1);
                }
            }
        }
        Ok((haul, oldest))
    }

    /// Whether a message is looked at. Of old mail only a move of what was told of is.
    fn is_wanted(&self, email: &Email, received: Option<At>, cause: Cause, place: &Place) -> bool {
        let recent = received.is_none_or(|at| at >= place.since);
        let wanted = match cause {
            Cause::Created => true,
            Cause::Updated => recent || place.knows(&email.id),
            Cause::Latest => recent || !place.first,
        };
        wanted && !place.is_struck(&email.id)
    }

    /// Tells of one message, if it lies in a folder of ours and was not told of there. `false`: it cannot be had yet.
    async fn tell(
        &self,
        email: &Email,
        received: Option<At>,
        cause: Cause,
        folders: &[Folder],
        place: &mut Place,
    ) -> Result<bool, Trouble> {
        let lies_in = |folder: &&Folder| email.mailbox_ids.get(&folder.id).copied().unwrap_or_default();
        let Some(folder) = folders.iter().find(lies_in) else { return Ok(true) };
        if place.was_told(&email.id, &folder.id) {
            return Ok(true);
        }
        let Seen { raw, cut } = match self.message(email).await {
            Ok(Some(seen)) => seen,
            Ok(None) => {
                let given_up = place.strike(&email.id);
                if given_up {
                    tracing::warn!(inbox = %self.desk.name, folder = folder.name, "a message is not handed out and is stepped over");
                }
                return Ok(given_up);
            }
            Err(trouble) => {
                let mail_may_be_at_fault = !matches!(trouble.class(), Class::Auth | Class::Rate | Class::Tls);
                if mail_may_be_at_fault && !matches!(trouble, Trouble::Dial(_) | Trouble::Closed) && place.strike(&email.id) {
                    tracing::warn!(inbox = %self.desk.name, folder = folder.name, "a message cannot be read and is stepped over");
                }
                return Err(trouble);
            }
        };
        let arrived_at = received.unwrap_or_else(|| (self.desk.now)());
        let before = cause != Cause::Created && arrived_at <= place.told_to;
        let copy = copy_name(&folder.id, &email.id);
        let ours = whole::tell(self.desk, Mail { raw: &raw, cut, placement: folder.placement, arrived_at, copy, before }).await?;
        place.note(&email.id, &folder.id);
        if ours && self.desk.delete {
            place.own(&email.id, (self.desk.now)());
        }
        Ok(true)
    }

    /// The message, as much as is looked at; of one that is large at least the header. `None`: the server does not hand it out.
    async fn message(&self, email: &Email) -> Result<Option<Seen>, Trouble> {
        let beginning = self.beginning(email).await;
        if email.size <= LARGE || matches!(&beginning, Ok(Some((_, true)))) {
            return beginning.map(|found| found.map(|(seen, _)| seen));
        }
        let asked = json!({ "ids": [email.id], "properties": ["headers"] });
        let answer = self.api.one("Email/get", asked).await?;
        let headers: Headers = answer.map_err(|failure: Failure| failure.into_trouble("Email/get"))?;
        Ok(headers.list.first().map(|fields| Seen { raw: written(fields), cut: true }))
    }

    /// The beginning of a message, and whether that has any of its text.
    async fn beginning(&self, email: &Email) -> Result<Option<(Seen, bool)>, Trouble> {
        const WHAT: &str = "a message";
        let response = self.api.wire.fetch(WHAT, &self.api.session.message(&email.blob_id)?, "message/rfc822, */*;q=0.5").await?;
        match response.status().as_u16() {
            200..=299 => wire::gist(WHAT, response).await.map(Some),
            404 | 410 => Ok(None),
            _ => Err(wire::refusal(WHAT, response).await),
        }
    }
}

/// A header as it was written, as far as that can be known. Of one that is too long our own fields are there wherever they stood.
fn written(fields: &Fields) -> Vec<u8> {
    let mut out = Vec::new();
    let is_ours = |field: &&Field| field.name.eq_ignore_ascii_case(OWN);
    let size = |field: &Field| field.name.len().saturating_add(field.value.len()).saturating_add(3);
    let kept: usize = fields.headers.iter().filter(is_ours).map(size).sum();
    let room = LOOKED_AT.saturating_sub(kept);
    for field in &fields.headers {
        if is_ours(&field) || out.len().saturating_add(size(field)) <= room {
            out.extend_from_slice(format!("{}:{}\r\n", field.name, field.value.trim_end()).as_bytes());
        }
    }
    out.truncate(LOOKED_AT);
    out.extend_from_slice(b"\r\n");
    out
}

/// The next answer.
fn next(what: &'static str, answers: &mut impl Iterator<Item = Result<Value, Failure>>) -> Result<Result<Value, Failure>, Trouble> {
    answers.next().ok_or(Trouble::Garbled { what })
}

/// Names a copy for ever: the server's ids of messages hold in all of its folders, so that there is one numbering.
fn copy_name(folder: &str, id: &str) -> String {
    let plain = |text: &str| text.chars().take(255).map(|c| if c.is_control() || c == '/' { '?' } else { c }).collect::<String>();
    format!("{}/0/{}", plain(folder), plain(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_written_anew() {
        let field = |(name, value): &(&str, &str)| Field { name: (*name).to_owned(), value: (*value).to_owned() };
        let fields_of = |all: &[(&str, &str)]| Fields { headers: all.iter().map(field).collect() };
        let fields = fields_of(&[("Subject", " a\r\n b"), ("X-Mailcanary", " t\r\n")]);
        assert_eq!(written(&fields), b"Subject: a\r\n b\r\nX-Mailcanary: t\r\n\r\n");
        let long = fields_of(&[("X-Pad", &"x".repeat(LOOKED_AT)), ("Subject", " a"), ("x-mailcanary", " t")]);
        assert_eq!(written(&long), b"Subject: a\r\nx-mailcanary: t\r\n\r\n", "ours is there wherever it stands");
        assert_eq!(copy_name("in/1", "m\n1"), "in?1/0/m?1");
    }
}
