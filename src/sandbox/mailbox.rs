//! What an inbox holds: folders of messages with UIDs, as IMAP sees them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::JunkFolder;
use crate::model::At;

/// Bytes that a folder keeps; beyond, the oldest messages go.
const FOLDER_BYTES: usize = 64 << 20;

/// One message in a folder.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its UID.
    pub uid: u32,
    /// When it was delivered: its `INTERNALDATE`.
    pub arrived_at: At,
    /// Header and body.
    pub bytes: Arc<[u8]>,
    /// Its flags.
    pub(super) flags: Flags,
}

/// The system flags of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) seen: bool,
    pub(super) deleted: bool,
    pub(super) answered: bool,
    pub(super) flagged: bool,
    pub(super) draft: bool,
}

/// One folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Its name in Unicode; the first one is `INBOX`.
    pub(super) name: String,
    /// Whether it is said to be `\Junk`.
    pub(super) junk_attribute: bool,
    /// Its UIDVALIDITY.
    pub(super) validity: u32,
    /// The UID of the next message.
    pub(super) next: u32,
    /// By UID.
    pub(super) messages: BTreeMap<u32, Stored>,
    bytes: usize,
    capacity: usize,
}

impl Folder {
    fn new(name: &str, junk_attribute: bool, validity: u32, capacity: usize) -> Self {
        Self { name: name.to_owned(), junk_attribute, validity, next: 1, messages: BTreeMap::new(), bytes: 0, capacity: capacity.max(1) }
    }

    fn add(&mut self, arrived_at: At, bytes: Arc<[u8]>) {
        let uid = self.next;
        self.next = self.next.saturating_add(1);
        self.bytes += bytes.len();
        self.messages.insert(uid, Stored { uid, arrived_at, bytes, flags: Flags::default() });
        while self.messages.len() > self.capacity || self.bytes > FOLDER_BYTES {
            let Some((_, oldest)) = self.messages.pop_first() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.bytes.len());
        }
    }

    /// Takes a message out.
    pub(super) fn remove(&mut self, uid: u32) {
        if let Some(gone) = self.messages.remove(&uid) {
            self.bytes = self.bytes.saturating_sub(gone.bytes.len());
        }
    }

    /// Gives every message a new UID from 1, under a new UIDVALIDITY.
    fn renumber(&mut self) {
        self.validity = self.validity.saturating_add(1);
        let old = std::mem::take(&mut self.messages);
        self.next = 1;
        for (_, mut message) in old {
            message.uid = self.next;
            self.messages.insert(self.next, message);
            self.next = self.next.saturating_add(1);
        }
    }
}

/// The folders of an inbox, and a signal that something in them changed.
#[derive(Debug)]
pub(super) struct Mailbox {
    folders: Mutex<Vec<Folder>>,
    changes: watch::Sender<u64>,
}

impl Mailbox {
    /// `INBOX` and the junk folders, all empty. UIDVALIDITY begins at `validity`.
    pub(super) fn new(junk: &[JunkFolder], validity: u32, capacity: usize) -> Self {
        let mut folders = vec![Folder::new("INBOX", false, validity, capacity)];
        folders.extend(junk.iter().map(|j| Folder::new(&j.name, j.attribute, validity, capacity)));
        Self { folders: Mutex::new(folders), changes: watch::Sender::new(0) }
    }

    /// Looks at all folders.
    pub(super) fn look<T>(&self, see: impl FnOnce(&[Folder]) -> T) -> T {
        see(&self.folders.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at one.
    pub(super) fn look_at<T>(&self, folder: usize, see: impl FnOnce(&Folder) -> T) -> Option<T> {
        self.look(|folders| folders.get(folder).map(see))
    }

    /// Changes one, and says so.
    pub(super) fn change<T>(&self, folder: usize, act: impl FnOnce(&mut Folder) -> T) -> Option<T> {
        let done = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get_mut(folder).map(act);
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
        done
    }

    /// Puts a message in Junk or `INBOX`; in `INBOX` too when there is no junk folder. `count` hears whether it is in Junk, once it is
    /// there and before anybody is woken: who waits for either finds both.
    pub(super) fn deliver(&self, junk: bool, arrived_at: At, bytes: Arc<[u8]>, count: impl FnOnce(bool)) {
        let junk = junk && self.look(|folders| folders.len() > 1);
        self.change(usize::from(junk), |folder| {
            folder.add(arrived_at, bytes);
            count(junk);
        });
    }

    /// As after a restored backup: new UIDVALIDITY, new UIDs.
    pub(super) fn renumber(&self) {
        for folder in 0..self.look(<[Folder]>::len) {
            self.change(folder, Folder::renumber);
        }
    }

    /// Wakes whoever waits for a change.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_a_folder_is_over_its_capacity() {
        let mailbox = Mailbox::new(&[], 1, 2);
        for n in 0..3_u8 {
            mailbox.deliver(true, At::from_ms(0), Arc::from([n].as_slice()), |junk| assert!(!junk, "there is no junk folder"));
        }
        let uids = mailbox.look_at(0, |f| (f.messages.keys().copied().collect::<Vec<_>>(), f.bytes, f.next));
        assert_eq!(uids, Some((vec![2, 3], 2, 4)));
        mailbox.renumber();
        let uids = mailbox.look_at(0, |f| (f.messages.values().map(|m| m.uid).collect::<Vec<_>>(), f.validity, f.next));
        assert_eq!(uids, Some((vec![1, 2], 2, 3)));
    }
}
