//! LIST, STATUS, SELECT and EXAMINE.

use std::num::NonZeroU32;

use imap_next::imap_types::core::{Atom, QuotedChar, Tag};
use imap_next::imap_types::flag::{Flag, FlagNameAttribute, FlagPerm};
use imap_next::imap_types::mailbox::{ListMailbox, Mailbox};
use imap_next::imap_types::response::{Code, Data};
use imap_next::imap_types::status::{StatusDataItem, StatusDataItemName};
use tokio::io::{AsyncRead, AsyncWrite};

use super::say;
use super::session::{Selected, Session};
use super::wire::Wire;
use crate::sandbox::mailbox::Folder;

/// The system flags, all of which are kept.
const FLAGS: [Flag<'static>; 5] = [Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];

/// The name as the client gave it.
fn text_of(mailbox: &Mailbox<'_>) -> String {
    match mailbox {
        Mailbox::Inbox => "INBOX".to_owned(),
        Mailbox::Other(other) => String::from_utf8_lossy(other.as_ref()).into_owned(),
    }
}

/// A folder's name as it goes over the wire.
fn encoded(name: &str) -> String {
    if name.is_ascii() && !name.contains('&') { name.to_owned() } else { utf7_imap::encode_utf7_imap(name.to_owned()) }
}

/// Whether a name fits a pattern: `*` and `%` stand for anything, for there is no hierarchy.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*' | '%') => {
            let rest = pattern.get(1..).unwrap_or_default();
            std::iter::once(name.len())
                .chain(name.char_indices().map(|(at, _)| at))
                .any(|at| fits(rest, name.get(at..).unwrap_or_default()))
        }
        Some(first) => name.strip_prefix(first).is_some_and(|rest| fits(pattern.get(first.len_utf8()..).unwrap_or_default(), rest)),
    }
}

impl Session {
    /// The folder of that name, in the order of the mailbox.
    fn find(&self, mailbox: &Mailbox<'_>) -> Option<usize> {
        let wanted = text_of(mailbox);
        self.inbox.mailbox.look(|folders| folders.iter().position(|f| encoded(&f.name) == wanted))
    }

    pub(super) fn list<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        reference: &Mailbox<'static>,
        wildcard: &ListMailbox<'static>,
        subscribed: bool,
    ) {
        let pattern = match wildcard {
            ListMailbox::Token(token) => String::from_utf8_lossy(token.as_ref()).into_owned(),
            ListMailbox::String(string) => String::from_utf8_lossy(string.as_ref()).into_owned(),
        };
        let pattern = format!("{}{pattern}", text_of(reference));
        // A pattern of many wildcards is somebody's joke: matching it takes exponential time.
        if pattern.len() > 256 || pattern.matches(['*', '%']).count() > 4 {
            return self.mistake(wire, Some(tag), "Pattern too long");
        }
        let listed: Vec<(String, bool)> = self.inbox.mailbox.look(|folders| {
            let all = folders.iter().map(|f| (encoded(&f.name), f.junk_attribute));
            all.filter(|(name, _)| fits(&pattern, name) || (name == "INBOX" && pattern.eq_ignore_ascii_case(name))).collect()
        });
        let delimiter = QuotedChar::try_from('/').ok();
        for (name, junk) in listed {
            let Ok(mailbox) = Mailbox::try_from(name) else { continue };
            let junk = Atom::try_from("Junk").ok().filter(|_| junk).map(FlagNameAttribute::from);
            let (items, delimiter) = (junk.into_iter().collect(), delimiter);
            wire.tell(if subscribed { Data::Lsub { items, delimiter, mailbox } } else { Data::List { items, delimiter, mailbox } });
        }
        wire.say(say::ok(tag, "List completed"));
    }

    pub(super) fn status<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        mailbox: Mailbox<'static>,
        names: &[StatusDataItemName],
    ) {
        let items = self.find(&mailbox).and_then(|folder| {
            self.inbox.mailbox.look_at(folder, |f| names.iter().filter_map(|name| status_item(f, name)).collect::<Vec<_>>())
        });
        let Some(items) = items else { return wire.say(say::no_with(tag, "NONEXISTENT", "No such folder")) };
        wire.tell(Data::Status { mailbox, items: items.into() });
        wire.say(say::ok(tag, "Status completed"));
    }

    pub(super) fn select<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        mailbox: &Mailbox<'static>,
        read_only: bool,
    ) {
        self.selected = None;
        let found = self.find(mailbox);
        let state = found.and_then(|n| {
            let see =
                |f: &Folder| (n, f.messages.keys().copied().collect::<Vec<_>>(), NonZeroU32::new(f.validity), NonZeroU32::new(f.next));
            self.inbox.mailbox.look_at(n, see)
        });
        let Some((folder, view, validity, next)) = state else {
            return wire.say(say::no_with(tag, "NONEXISTENT", "No such folder"));
        };
        wire.tell(Data::Flags(FLAGS.to_vec()));
        wire.tell(Data::Exists(u32::try_from(view.len()).unwrap_or(u32::MAX)));
        wire.tell(Data::Recent(0));
        let permanent = if read_only { Vec::new() } else { FLAGS.into_iter().map(FlagPerm::from).collect() };
        wire.say(say::note_with(Code::PermanentFlags(permanent), "Flags permitted"));
        if let (Some(validity), Some(next)) = (validity, next) {
            wire.say(say::note_with(Code::UidValidity(validity), "UIDs valid"));
            wire.say(say::note_with(Code::UidNext(next), "Predicted next UID"));
        }
        let (code, text) = if read_only { (Code::ReadOnly, "Examine completed") } else { (Code::ReadWrite, "Select completed") };
        self.selected = Some(Selected { folder, validity: validity.map_or(0, NonZeroU32::get), read_only, view });
        wire.say(say::ok_with(tag, code, text));
    }
}

fn status_item(folder: &Folder, name: &StatusDataItemName) -> Option<StatusDataItem> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    match name {
        StatusDataItemName::Messages => Some(StatusDataItem::Messages(count(folder.messages.len()))),
        StatusDataItemName::Recent => Some(StatusDataItem::Recent(0)),
        StatusDataItemName::UidNext => NonZeroU32::new(folder.next).map(StatusDataItem::UidNext),
        StatusDataItemName::UidValidity => NonZeroU32::new(folder.validity).map(StatusDataItem::UidValidity),
        StatusDataItemName::Unseen => Some(StatusDataItem::Unseen(count(folder.messages.values().filter(|m| !m.flags.seen).count()))),
        StatusDataItemName::Deleted => Some(StatusDataItem::Deleted(count(folder.messages.values().filter(|m| m.flags.deleted).count()))),
        StatusDataItemName::DeletedStorage => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_the_rfc() {
        for (pattern, name, fit) in [
            ("*", "INBOX", true),
            ("%", "Junk", true),
            ("J*k", "Junk", true),
            ("Junk", "Junk", true),
            ("", "Junk", false),
            ("S*", "Junk", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
        assert_eq!(encoded("Skräppost"), "Skr&AOQ-ppost");
    }
}
