//! FETCH and UID FETCH.

use std::num::NonZeroU32;

use chrono::{DateTime as Instant, Utc};
use imap_next::imap_types::IntoStatic;
use imap_next::imap_types::core::{Literal, NString, Tag, Vec1};
use imap_next::imap_types::datetime::DateTime;
use imap_next::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItem, MessageDataItemName, Section};
use imap_next::imap_types::flag::{Flag, FlagFetch};
use imap_next::imap_types::response::Data;
use imap_next::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};
use tokio::io::{AsyncRead, AsyncWrite};

use super::say;
use super::section::cut;
use super::session::{Session, number};
use super::wire::Wire;
use crate::sandbox::mailbox::{Flags, Stored};

/// Whether `value` is in the set, where `*` is `last`.
pub(super) fn holds(set: &SequenceSet, value: u32, last: u32) -> bool {
    let point = |p: &SeqOrUid| match p {
        SeqOrUid::Value(v) => v.get(),
        SeqOrUid::Asterisk => last,
    };
    set.0.as_ref().iter().any(|sequence| match sequence {
        Sequence::Single(p) => point(p) == value,
        Sequence::Range(a, b) => (point(a).min(point(b))..=point(a).max(point(b))).contains(&value),
    })
}

/// The flags as FETCH has them.
pub(super) fn flag_list(flags: Flags) -> Vec<FlagFetch<'static>> {
    let all = [
        (flags.answered, Flag::Answered),
        (flags.flagged, Flag::Flagged),
        (flags.deleted, Flag::Deleted),
        (flags.seen, Flag::Seen),
        (flags.draft, Flag::Draft),
    ];
    all.into_iter().filter(|(set, _)| *set).map(|(_, flag)| FlagFetch::from(flag)).collect()
}

impl Session {
    /// The messages of the view that the set names, by sequence number or by UID: `(n, uid)`.
    pub(super) fn named(&self, set: &SequenceSet, uid: bool) -> Vec<(usize, u32)> {
        let Some(selected) = &self.selected else { return Vec::new() };
        let last = if uid { selected.view.last().copied().unwrap_or(0) } else { u32::try_from(selected.view.len()).unwrap_or(u32::MAX) };
        let value = |n: usize, id: u32| if uid { id } else { number(n).map_or(u32::MAX, NonZeroU32::get) };
        selected.view.iter().copied().enumerate().filter(|(n, id)| holds(set, value(*n, *id), last)).collect()
    }

    pub(super) async fn fetch<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        set: &SequenceSet,
        names: MacroOrMessageDataItemNames<'static>,
        uid: bool,
    ) {
        let names = match names {
            MacroOrMessageDataItemNames::Macro(shorthand) => shorthand.expand().into_iter().map(IntoStatic::into_static).collect(),
            MacroOrMessageDataItemNames::MessageDataItemNames(names) => names,
        };
        if names.iter().any(|name| item(name, &Stored::blank()).is_none()) {
            return wire.say(say::no(tag, "This sandbox does not tell the structure of a message"));
        }
        for (n, id) in self.named(set, uid) {
            let Some(message) = self.see(id, names.iter().any(marks_seen)) else { continue };
            let mut items: Vec<MessageDataItem<'static>> = names.iter().filter_map(|name| item(name, &message)).collect();
            if uid && !names.contains(&MessageDataItemName::Uid) {
                items.extend(NonZeroU32::new(id).map(MessageDataItem::Uid));
            }
            let (Some(seq), Ok(items)) = (number(n), Vec1::try_from(items)) else { continue };
            let bytes = message.bytes.len() * names.len();
            if wire.tell_much(Data::Fetch { seq, items }, bytes).await.is_err() {
                // The main loop finds the connection gone.
                return;
            }
        }
        if uid {
            self.catch_up(wire);
        }
        wire.say(say::ok(tag, "Fetch completed"));
    }

    /// A message, marked as seen first if that is asked and allowed.
    fn see(&self, uid: u32, mark: bool) -> Option<Stored> {
        let selected = self.selected.as_ref()?;
        let unseen = self.inbox.mailbox.look_at(selected.folder, |f| f.messages.get(&uid).is_some_and(|m| !m.flags.seen))?;
        if mark && unseen && !selected.read_only {
            self.inbox.mailbox.change(selected.folder, |f| {
                if let Some(message) = f.messages.get_mut(&uid) {
                    message.flags.seen = true;
                }
            });
        }
        self.inbox.mailbox.look_at(selected.folder, |f| f.messages.get(&uid).cloned())?
    }
}

/// Whether fetching this marks the message as seen (RFC 3501, 6.4.5).
const fn marks_seen(name: &MessageDataItemName<'_>) -> bool {
    matches!(name, MessageDataItemName::BodyExt { peek: false, .. } | MessageDataItemName::Rfc822 | MessageDataItemName::Rfc822Text)
}

fn literal(bytes: Vec<u8>) -> NString<'static> {
    NString::from(Literal::unvalidated(bytes))
}

/// One item of one message; `None` for what we do not tell.
fn item(name: &MessageDataItemName<'static>, message: &Stored) -> Option<MessageDataItem<'static>> {
    let whole = &message.bytes;
    match name {
        MessageDataItemName::Uid => NonZeroU32::new(message.uid).map(MessageDataItem::Uid),
        MessageDataItemName::Flags => Some(MessageDataItem::Flags(flag_list(message.flags))),
        MessageDataItemName::InternalDate => {
            // Whole seconds, and years of four digits: what IMAP can say.
            let at = Instant::<Utc>::from_timestamp(message.arrived_at.as_ms().div_euclid(1000), 0);
            let said = at.and_then(|at| DateTime::try_from(at.fixed_offset()).ok());
            Some(MessageDataItem::InternalDate(said.unwrap_or_else(|| DateTime::unvalidated(Instant::UNIX_EPOCH.fixed_offset()))))
        }
        MessageDataItemName::Rfc822Size => Some(MessageDataItem::Rfc822Size(u32::try_from(whole.len()).unwrap_or(u32::MAX))),
        MessageDataItemName::Rfc822 => Some(MessageDataItem::Rfc822(literal(whole.to_vec()))),
        MessageDataItemName::Rfc822Header => cut(whole, Some(&Section::Header(None))).map(|b| MessageDataItem::Rfc822Header(literal(b))),
        MessageDataItemName::Rfc822Text => cut(whole, Some(&Section::Text(None))).map(|b| MessageDataItem::Rfc822Text(literal(b))),
        MessageDataItemName::BodyExt { section, partial, .. } => {
            let mut bytes = cut(whole, section.as_ref())?;
            let origin = partial.map(|(origin, length)| {
                let (from, most) = (origin as usize, length.get() as usize);
                bytes = bytes.iter().skip(from).take(most).copied().collect();
                origin
            });
            Some(MessageDataItem::BodyExt { section: section.clone(), origin, data: literal(bytes) })
        }
        MessageDataItemName::Body
        | MessageDataItemName::BodyStructure
        | MessageDataItemName::Envelope
        | MessageDataItemName::Binary { .. }
        | MessageDataItemName::BinarySize { .. } => None,
    }
}

impl Stored {
    /// To try items on.
    fn blank() -> Self {
        Self { uid: 1, arrived_at: crate::model::At::from_ms(0), bytes: [].into(), flags: Flags::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_to_the_star_holds_the_last_message_even_from_beyond() {
        let set = |text: &str| SequenceSet::try_from(text).unwrap();
        assert!(holds(&set("7:*"), 5, 5), "n:* names the last message though n is greater (RFC 3501, 6.4.8)");
        assert!(!holds(&set("7:*"), 4, 5));
        assert!(holds(&set("2,4:3"), 3, 9));
        assert!(!holds(&set("2,4:3"), 5, 9));
    }
}
