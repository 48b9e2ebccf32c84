//! STORE, EXPUNGE, CLOSE and SEARCH.

use std::num::NonZeroU32;

use chrono::DateTime;
use imap_next::imap_types::core::{Tag, Vec1};
use imap_next::imap_types::fetch::MessageDataItem;
use imap_next::imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_next::imap_types::response::Data;
use imap_next::imap_types::search::SearchKey;
use imap_next::imap_types::sequence::SequenceSet;
use tokio::io::{AsyncRead, AsyncWrite};

use super::fetch::{flag_list, holds};
use super::say;
use super::session::{Session, number};
use super::wire::Wire;
use crate::sandbox::mailbox::{Flags, Stored};

/// The system flag that is meant; keywords are not kept.
const fn slot<'a>(flags: &'a mut Flags, flag: &Flag<'_>) -> Option<&'a mut bool> {
    match flag {
        Flag::Answered => Some(&mut flags.answered),
        Flag::Deleted => Some(&mut flags.deleted),
        Flag::Draft => Some(&mut flags.draft),
        Flag::Flagged => Some(&mut flags.flagged),
        Flag::Seen => Some(&mut flags.seen),
        Flag::Extension(_) | Flag::Keyword(_) => None,
    }
}

impl Session {
    pub(super) fn store<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        set: &SequenceSet,
        (kind, response, flags): (StoreType, StoreResponse, &[Flag<'static>]),
        uid: bool,
    ) {
        let Some(selected) = self.selected.as_ref().filter(|s| !s.read_only) else {
            return wire.say(say::no(tag, "The folder is open for reading only"));
        };
        let named = self.named(set, uid);
        let stored = self.inbox.mailbox.change(selected.folder, |folder| {
            let mut stored = Vec::new();
            for (n, id) in named {
                let Some(message) = folder.messages.get_mut(&id) else { continue };
                if kind == StoreType::Replace {
                    message.flags = Flags::default();
                }
                for flag in flags {
                    if let Some(slot) = slot(&mut message.flags, flag) {
                        *slot = kind != StoreType::Remove;
                    }
                }
                stored.push((n, id, message.flags));
            }
            stored
        });
        for (n, id, flags) in stored.unwrap_or_default() {
            if let (StoreResponse::Answer, Some(seq), Some(id)) = (response, number(n), NonZeroU32::new(id)) {
                let mut items = Vec1::from(MessageDataItem::Flags(flag_list(flags)));
                if uid {
                    items = Vec1::unvalidated(vec![MessageDataItem::Uid(id), MessageDataItem::Flags(flag_list(flags))]);
                }
                wire.tell(Data::Fetch { seq, items });
            }
        }
        wire.say(say::ok(tag, "Store completed"));
    }

    /// Removes what is marked as deleted: all of it, or only these UIDs.
    pub(super) fn expunge<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, tag: Tag<'static>, only: Option<&SequenceSet>) {
        if self.selected.as_ref().is_none_or(|s| s.read_only) {
            return wire.say(say::no(tag, "The folder is open for reading only"));
        }
        self.remove_deleted(only);
        self.catch_up(wire);
        wire.say(say::ok(tag, "Expunge completed"));
    }

    /// Closes the folder; what is marked as deleted goes, unless it is open for reading only.
    pub(super) fn close(&mut self) {
        if self.selected.as_ref().is_some_and(|s| !s.read_only) {
            self.remove_deleted(None);
        }
        self.selected = None;
    }

    fn remove_deleted(&self, only: Option<&SequenceSet>) {
        let Some(selected) = &self.selected else { return };
        let last = selected.view.last().copied().unwrap_or(0);
        self.inbox.mailbox.change(selected.folder, |folder| {
            let meant = |m: &&Stored| m.flags.deleted && only.is_none_or(|set| holds(set, m.uid, last));
            let gone: Vec<u32> = folder.messages.values().filter(meant).map(|m| m.uid).collect();
            for uid in gone {
                folder.remove(uid);
            }
        });
    }

    pub(super) fn search<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        keys: &[SearchKey<'static>],
        uid: bool,
    ) {
        let Some(selected) = &self.selected else { return };
        let mut found = Vec::new();
        for (n, id) in selected.view.iter().copied().enumerate() {
            let Some(Some(message)) = self.inbox.mailbox.look_at(selected.folder, |f| f.messages.get(&id).cloned()) else { continue };
            let Some(seq) = number(n) else { continue };
            let place = Place { seq: seq.get(), of: u32::try_from(selected.view.len()).unwrap_or(u32::MAX), last: selected.view.last() };
            match keys.iter().map(|key| matches(key, &message, &place)).collect::<Option<Vec<bool>>>() {
                Some(all) if all.iter().all(|hit| *hit) => found.extend(if uid { NonZeroU32::new(id) } else { Some(seq) }),
                Some(_) => {}
                None => return wire.say(say::no_with(tag, "CANNOT", "This sandbox does not search for that")),
            }
        }
        wire.tell(Data::Search(found));
        wire.say(say::ok(tag, "Search completed"));
    }
}

/// Where a message stands among the others.
struct Place<'a> {
    seq: u32,
    of: u32,
    last: Option<&'a u32>,
}

/// Whether a message fits; `None` for keys that need more than what stands beside a message.
#[expect(clippy::wildcard_enum_match_arm, reason = "thirty-odd keys, of which a reader of new mail needs these")]
fn matches(key: &SearchKey<'_>, message: &Stored, place: &Place<'_>) -> Option<bool> {
    let day = || DateTime::from_timestamp_millis(message.arrived_at.as_ms()).map(|t| t.date_naive());
    match key {
        SearchKey::All => Some(true),
        SearchKey::SequenceSet(set) => Some(holds(set, place.seq, place.of)),
        SearchKey::Uid(set) => Some(holds(set, message.uid, place.last.copied().unwrap_or(0))),
        SearchKey::Seen => Some(message.flags.seen),
        SearchKey::Unseen => Some(!message.flags.seen),
        SearchKey::Deleted => Some(message.flags.deleted),
        SearchKey::Undeleted => Some(!message.flags.deleted),
        SearchKey::Since(date) => Some(day()? >= *date.as_ref()),
        SearchKey::Before(date) => Some(day()? < *date.as_ref()),
        SearchKey::Not(key) => matches(key, message, place).map(|hit| !hit),
        SearchKey::And(keys) => keys.as_ref().iter().map(|key| matches(key, message, place)).try_fold(true, |all, hit| Some(all && hit?)),
        _ => None,
    }
}
