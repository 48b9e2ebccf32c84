//! Reads what is new in the open folder, and tells of the canaries in it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use async_imap::imap_proto::{AttributeValue, MessageSection, Response, SectionPath};

use super::cursor::Fault;
use super::desk::Desk;
use super::folders::Folder;
use super::header::kept;
use super::report::Report;
use super::session::Session;
use super::trouble::Trouble;
use super::whole::{self, Mail};
use super::{labels, tabs, times};
use crate::canary::Found;
use crate::model::{At, CanaryId, Class, Placement};

/// What is asked of every new message: where a token may stand, and whether it is a bounce or an answer, which only quote one; who it is from;
/// and what its receiver thought of it, which people will want to see. `BODY.PEEK` leaves `\Seen` alone; no `ENVELOPE` or `BODYSTRUCTURE`, which servers get wrong.
pub(super) const HEADERS: &str = "(UID INTERNALDATE RFC822.SIZE \
    BODY.PEEK[HEADER.FIELDS (X-MAILCANARY SUBJECT MIME-VERSION CONTENT-TYPE CONTENT-TRANSFER-ENCODING TO CC DELIVERED-TO X-ORIGINAL-TO ENVELOPE-TO X-ENVELOPE-TO \
    X-DELIVERED-TO ORIGINAL-RECIPIENT APPARENTLY-TO RECEIVED FROM SENDER REPLY-TO DATE MESSAGE-ID IN-REPLY-TO REFERENCES AUTO-SUBMITTED \
    X-AUTOREPLY X-AUTORESPOND LIST-ID LIST-UNSUBSCRIBE LIST-POST FEEDBACK-ID X-MC-USER X-MANDRILL-USER X-MAILIN-CLIENT RETURN-PATH AUTHENTICATION-RESULTS ARC-AUTHENTICATION-RESULTS RECEIVED-SPF DKIM-SIGNATURE \
    X-SPAM-STATUS X-SPAM-FLAG X-SPAM-SCORE X-FOREFRONT-ANTISPAM-REPORT X-MICROSOFT-ANTISPAM)])";
/// What is asked of a message whose look matters: as much as would be searched for a token.
const WHOLE: &str = "(UID BODY.PEEK[]<0.262144>)";
/// What is asked of a message without a token in its header.
pub(super) const BODY: &str = "(UID BODY.PEEK[]<0.65536>)";
/// The same where the header is so long that no text is in that.
const TEXT: &str = "(UID BODY.PEEK[TEXT]<0.65536>)";
/// So much of these is asked for.
const BODY_MOST: usize = 65_536;
const WHOLE_MOST: usize = 262_144;
/// Headers that are fetched by one command: about 4 KiB each.
const BATCH: usize = 50;
/// Messages beyond these are not taken from one command.
pub(super) const FLOOD: usize = 100_000;

/// What is known of one message.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// `INTERNALDATE`.
    pub(super) internal_date: Option<String>,
    /// `RFC822.SIZE`.
    pub(super) size: Option<u32>,
    /// The header fields that we asked for.
    pub(super) header: Option<Vec<u8>>,
    /// The message, or, where its header is too long, the fields of it that we asked for and its text.
    pub(super) body: Option<Vec<u8>>,
    /// There may be more of that.
    cut: bool,
    /// The text alone.
    text: Option<Vec<u8>>,
}

/// Messages by UID.
pub(super) type Items = BTreeMap<u32, Item>;

/// What a read is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// The server spoke of new mail: fast, and it may not be there yet.
    Push,
    /// Whatever is new, at a later look at a folder that is open.
    Rest,
    /// Whatever is new, and that may be more than one answer should hold.
    Bulk,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Haul {
    /// New messages that were looked at.
    pub(super) seen: usize,
    /// The server has one that it does not hand out yet: the read is not complete.
    pub(super) withheld: bool,
    /// Nothing was read: the server does not say what there is.
    unread: bool,
}

/// Reads all that is new in the open folder.
pub(super) async fn new_mail(session: &mut Session, desk: &Desk, folder: &Folder, ask: Ask) -> Result<Haul, Trouble> {
    let began = (desk.now)();
    let haul = read_on(session, desk, folder, ask).await?;
    if !haul.withheld && !haul.unread {
        desk.positions(|p| p.complete(&folder.wire, began));
    }
    Ok(haul)
}

async fn read_on(session: &mut Session, desk: &Desk, folder: &Folder, ask: Ask) -> Result<Haul, Trouble> {
    session.take_news();
    let Some(place) = desk.positions(|p| p.at(&folder.wire)) else {
        // The other lane has just found the folder gone.
        return Ok(Haul { withheld: true, ..Haul::default() });
    };
    let Some(from) = place.last.checked_add(1) else { return Ok(Haul::default()) };
    if folder.placement == Placement::Other {
        return filed_mail(session, desk, folder, from, ask).await;
    }
    let careful = place.careful_to >= from;
    if !careful && ask != Ask::Bulk {
        let all = format!("UID FETCH {from}:* {HEADERS}");
        let items = match fetch(session, "FETCH", &all, from).await {
            Ok(items) => items,
            Err(trouble) => return Err(stumble(desk, folder, u32::MAX, None, trouble)),
        };
        return take_in(session, desk, folder, items, ask).await;
    }
    let waiting = fetch(session, "FETCH", &format!("UID FETCH {from}:* (UID)"), from).await?;
    let uids: Vec<u32> = waiting.into_keys().collect();
    let newest = uids.last().copied().unwrap_or(0);
    let mut haul = Haul::default();
    for batch in uids.chunks(if careful { 1 } else { BATCH }) {
        let set = batch.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let alone = if let [only] = batch { Some(*only) } else { None };
        let items = match fetch(session, "FETCH", &format!("UID FETCH {set} {HEADERS}"), from).await {
            Ok(items) => items,
            Err(trouble) => return Err(stumble(desk, folder, newest, alone, trouble)),
        };
        let more = take_in(session, desk, folder, items, ask).await?;
        haul.seen = haul.seen.saturating_add(more.seen);
        if more.withheld {
            return Ok(Haul { withheld: true, ..haul });
        }
        // What was listed and is not there any more was expunged in between.
        desk.positions(|p| p.advance(&folder.wire, batch.last().copied().unwrap_or(0)));
    }
    desk.positions(|p| p.calm(&folder.wire));
    Ok(haul)
}

/// Reads what is new in All Mail and lies nowhere else.
async fn filed_mail(session: &mut Session, desk: &Desk, folder: &Folder, from: u32, ask: Ask) -> Result<Haul, Trouble> {
    let unread = Haul { unread: true, ..Haul::default() };
    if desk.tabs.are_labels_failing() {
        return Ok(unread);
    }
    let labels::Filed { uids, newest } = match labels::filed(session, from).await {
        Ok(filed) => filed,
        Err(trouble) => {
            desk.tabs.labels_failed();
            let goes_on = matches!(trouble, Trouble::Refused { .. }) && !matches!(trouble.class(), Class::Rate | Class::Auth);
            tracing::debug!(inbox = %desk.name, why = trouble.why(), "the server does not say which labels messages have");
            return if goes_on { Ok(unread) } else { Err(trouble) };
        }
    };
    let mut haul = Haul::default();
    for batch in uids.chunks(BATCH) {
        let set = batch.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let items = fetch(session, "FETCH", &format!("UID FETCH {set} {HEADERS}"), from).await?;
        let more = take_in(session, desk, folder, items, ask).await?;
        haul.seen = haul.seen.saturating_add(more.seen);
        if more.withheld {
            return Ok(Haul { withheld: true, ..haul });
        }
    }
    desk.positions(|p| p.advance(&folder.wire, newest));
    Ok(haul)
}

/// Notes what a failure says about the messages that were being fetched, and gives it back.
fn stumble(desk: &Desk, folder: &Folder, newest: u32, alone: Option<u32>, trouble: Trouble) -> Trouble {
    let fault = match &trouble {
        Trouble::Garbled { .. } | Trouble::Flood { .. } => Fault::Garbled,
        Trouble::Refused { .. } if matches!(trouble.class(), Class::Rate | Class::Auth) => return trouble,
        Trouble::Refused { .. } => Fault::Withheld,
        Trouble::Lost { .. } | Trouble::Deadline { .. } | Trouble::Bye { .. } => Fault::Lost,
        Trouble::Dial(_)
        | Trouble::Unfit { .. }
        | Trouble::NoToken { .. }
        | Trouble::Here { .. }
        | Trouble::Answered { .. }
        | Trouble::Closed => return trouble,
    };
    desk.positions(|positions| match alone {
        Some(uid) => {
            if positions.strike(&folder.wire, uid, fault) {
                tracing::warn!(inbox = %desk.name, folder = folder.name(), uid, "a message cannot be read and is stepped over");
            }
        }
        None => positions.careful(&folder.wire, newest),
    });
    trouble
}

/// Looks at each message, in order, and tells of what it is.
async fn take_in(session: &mut Session, desk: &Desk, folder: &Folder, items: Items, ask: Ask) -> Result<Haul, Trouble> {
    let mut haul = Haul::default();
    for (uid, mut item) in items {
        let Some(header) = &item.header else {
            let given_up = ask != Ask::Push && desk.positions(|p| p.strike(&folder.wire, uid, Fault::Withheld));
            if given_up {
                tracing::warn!(inbox = %desk.name, folder = folder.name(), uid, "a message is not handed out and is stepped over");
                continue;
            }
            return Ok(Haul { withheld: true, ..haul });
        };
        let mut found = desk.recognise(header);
        if !matches!(found, Found::Ours { .. })
            && let Some(body) = fetch_one(session, desk, folder, uid, BODY).await?
        {
            found = desk.recognise(&body);
            let has_text = whole::header_of(&body).len() < body.len();
            (item.cut, item.body) = (body.len() >= BODY_MOST, Some(body).filter(|_| has_text));
            if !has_text && found == Found::Nothing {
                item.body = with_text(session, &item, uid).await?;
            }
        }
        let place = desk.positions(|p| p.at(&folder.wire)).unwrap_or_default();
        let told = place.was_told(uid, item.internal_date.as_deref().and_then(times::internal_date));
        let key = key(folder, &item, found);
        haul.seen = haul.seen.saturating_add(1);
        // Numbered anew, and told of by this run.
        if place.is_old(uid) && desk.was_told(key) {
            desk.positions(|p| p.advance(&folder.wire, uid));
            continue;
        }
        let mut ours = false;
        match mismatch(session, desk, folder, uid, found).await? {
            Some((canary, why)) => desk.tell(Report::Mismatched { canary, why }).await?,
            None => {
                let placement =
                    if let Found::Ours { .. } = found { tabs::placement(session, desk, folder, uid).await? } else { folder.placement };
                tell(desk, folder, placement, (uid, &item, told), found).await?;
                ours = true;
            }
        }
        desk.note_told(key);
        desk.positions(|p| p.advance(&folder.wire, uid));
        if ours && !told {
            hand_over(session, desk, folder, (uid, &item), found).await?;
        }
    }
    Ok(haul)
}

/// By what a message is known again in a folder that is numbered anew: a canary by its id, other mail by what its header says.
fn key(folder: &Folder, item: &Item, found: Found) -> u64 {
    let mut hasher = DefaultHasher::new();
    folder.wire.hash(&mut hasher);
    if let Found::Ours { canary, .. } = found {
        canary.bits().hash(&mut hasher);
    } else {
        (&item.internal_date, &item.header).hash(&mut hasher);
    }
    hasher.finish()
}

/// Hands over the message of a canary that was told of, if it is wanted. A server that does not give it out has lost nothing that matters.
async fn hand_over(session: &mut Session, desk: &Desk, folder: &Folder, (uid, item): (u32, &Item), found: Found) -> Result<(), Trouble> {
    let Found::Ours { canary, issued_at } = found else { return Ok(()) };
    if !desk.wanted.message(canary) {
        return Ok(());
    }
    match fetch(session, "FETCH", &format!("UID FETCH {uid} {WHOLE}"), uid).await {
        Ok(mut items) => match items.remove(&uid).and_then(|item| item.body) {
            Some(message) => {
                let has_text = message.len() < WHOLE_MOST || whole::header_of(&message).len() < message.len();
                let cut = message.len() >= WHOLE_MOST;
                let message = if has_text { Some(message) } else { with_text(session, item, uid).await? };
                match message {
                    Some(message) => desk.tell(Report::Mail { canary, issued_at, message, cut }).await,
                    None => Ok(()),
                }
            }
            None => Ok(()),
        },
        Err(Trouble::Refused { .. }) => {
            tracing::debug!(inbox = %desk.name, folder = folder.name(), uid, "the server does not give out the whole of a message");
            Ok(())
        }
        Err(trouble) => Err(trouble),
    }
}

/// The fields that we asked for of a message whose header is too long, and the beginning of its text, if the server gives it out.
async fn with_text(session: &mut Session, item: &Item, uid: u32) -> Result<Option<Vec<u8>>, Trouble> {
    let text = match fetch(session, "FETCH", &format!("UID FETCH {uid} {TEXT}"), uid).await {
        Ok(mut items) => items.remove(&uid).and_then(|item| item.text),
        Err(Trouble::Refused { .. }) => None,
        Err(trouble) => return Err(trouble),
    };
    let header = item.header.as_deref().unwrap_or_default().trim_ascii_end();
    Ok(text.map(|text| [header, b"\r\n\r\n", &text].concat()))
}

/// What is wrong with a canary that somebody else has written, if anything is.
async fn mismatch(
    session: &mut Session,
    desk: &Desk,
    folder: &Folder,
    uid: u32,
    found: Found,
) -> Result<Option<(CanaryId, String)>, Trouble> {
    let Found::Ours { canary, .. } = found else { return Ok(None) };
    let Some(expected) = (desk.looks)(canary) else { return Ok(None) };
    // A message that is gone meanwhile has been here.
    let whole = fetch_one(session, desk, folder, uid, WHOLE).await?;
    Ok(whole.and_then(|whole| expected.unlike(&whole)).map(|why| (canary, why)))
}

/// The text of one message, as much as `what` asks for.
async fn fetch_one(session: &mut Session, desk: &Desk, folder: &Folder, uid: u32, what: &str) -> Result<Option<Vec<u8>>, Trouble> {
    match fetch(session, "FETCH", &format!("UID FETCH {uid} {what}"), uid).await {
        Ok(mut items) => Ok(items.remove(&uid).and_then(|item| item.body)),
        Err(trouble) => {
            desk.positions(|p| p.careful(&folder.wire, uid));
            Err(stumble(desk, folder, uid, Some(uid), trouble))
        }
    }
}

/// `told`: it was told of before it was numbered anew.
async fn tell(
    desk: &Desk,
    folder: &Folder,
    placement: Placement,
    (uid, item, told): (u32, &Item, bool),
    found: Found,
) -> Result<(), Trouble> {
    let place = desk.positions(|p| p.at(&folder.wire)).unwrap_or_default();
    match found {
        // It was counted when it came.
        Found::Nothing | Found::Forged if told => Ok(()),
        Found::Nothing => {
            let (arrived_at, copy) = (arrival(item, (desk.now)()), copy_name(&folder.wire, place.uid_validity, uid));
            // The fields that were asked for are not all: the whole header is better, if all of it is there.
            let raw = item.body.as_deref().or(item.header.as_deref()).unwrap_or_default();
            let cut = item.cut || item.body.is_none();
            whole::foreign(desk, Mail { raw, cut, placement, arrived_at, copy, before: false }).await
        }
        Found::Forged => desk.tell(Report::Forged).await,
        Found::Ours { canary, .. } => {
            let seen_at = (desk.now)();
            let received_top = item.header.as_deref().and_then(times::top_received);
            let arrived_at = arrival(item, seen_at);
            let copy = copy_name(&folder.wire, place.uid_validity, uid);
            let header = item.header.as_deref().map(kept).unwrap_or_default();
            desk.tell(Report::Sighted { canary, placement, arrived_at, seen_at, copy, received_top, header }).await
        }
    }
}

/// When the server had a message, by its own clock, as far as it says.
fn arrival(item: &Item, seen_at: At) -> At {
    let by_field = || item.header.as_deref().and_then(times::top_received);
    item.internal_date.as_deref().and_then(times::internal_date).or_else(by_field).unwrap_or(seen_at)
}

fn copy_name(wire: &str, uid_validity: u32, uid: u32) -> String {
    let folder: String = wire.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("{folder}/{uid_validity}/{uid}")
}

/// Runs a `FETCH` and gathers what it brings, without messages below `from`: `n:*` names the last message even if its UID is below `n`.
pub(super) async fn fetch(session: &mut Session, what: &'static str, line: &str, from: u32) -> Result<Items, Trouble> {
    let mut items = Items::new();
    session
        .command(what, line, |response| {
            let Response::Fetch(_, attributes) = response else { return Ok(()) };
            let uid = attributes.iter().find_map(|a| if let AttributeValue::Uid(uid) = a { Some(*uid) } else { None });
            if let Some(uid) = uid.filter(|uid| *uid >= from) {
                if items.len() >= FLOOD {
                    return Err(Trouble::Flood { what });
                }
                gather(items.entry(uid).or_default(), attributes);
            }
            Ok(())
        })
        .await?;
    Ok(items)
}

fn gather(item: &mut Item, attributes: &[AttributeValue<'_>]) {
    for attribute in attributes {
        #[expect(clippy::wildcard_enum_match_arm, reason = "what we did not ask for does not matter")]
        match attribute {
            AttributeValue::InternalDate(date) => item.internal_date = Some(date.to_string()),
            AttributeValue::Rfc822Size(size) => item.size = Some(*size),
            AttributeValue::BodySection { section: Some(SectionPath::Full(MessageSection::Header)), data: Some(data), .. } => {
                item.header = Some(data.to_vec());
            }
            AttributeValue::BodySection { section: Some(SectionPath::Full(MessageSection::Text)), data: Some(data), .. } => {
                item.text = Some(data.to_vec());
            }
            AttributeValue::BodySection { section: None, data: Some(data), .. } => item.body = Some(data.to_vec()),
            _ => {}
        }
    }
}
