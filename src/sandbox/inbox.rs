//! An inbox as the receiving server keeps it: what arrives, and what is broken.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::chance::Chance;
use super::door::Switch;
use super::mailbox::{Mailbox, Stored};
use super::message::{Mail, address_of, plain, received};
use super::plan::Setting;
use super::{Fault, InboxPlan, Unfit};
use crate::model::{At, Name, Placement, Span};

/// What an inbox saw so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxCounts {
    /// Connections taken.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Sessions in IDLE now.
    pub idling: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins refused.
    pub refused_logins: u64,
    /// Mails put in `INBOX`.
    pub delivered: u64,
    /// Mails put in Junk.
    pub junked: u64,
    /// Mails that a fault made disappear here.
    pub lost: u64,
    /// Mails that a fault keeps back now.
    pub held: u64,
    /// Times that a mail was put off because the inbox was full.
    pub deferred: u64,
}

/// What became of a mail that was brought to an inbox.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It is no more the bringer's.
    Done,
    /// To be brought again after this time.
    Later(Box<Mail>, Span),
}

/// An inbox of the world, and the switch to break it.
#[derive(Debug)]
pub struct Inbox {
    name: Name,
    address: String,
    password: String,
    socket: SocketAddr,
    pub(super) setting: Setting,
    pub(super) mailbox: Mailbox,
    backlog: Mutex<VecDeque<Mail>>,
    switch: watch::Sender<Option<Fault>>,
    counts: watch::Sender<InboxCounts>,
}

impl Inbox {
    /// An empty inbox that is read at `socket`.
    pub(super) fn new(name: &Name, plan: &InboxPlan, setting: &Setting, socket: SocketAddr) -> Self {
        // RFC 3501, 2.3.1.1: a UIDVALIDITY that grows when a mailbox is made anew, so the seconds since 1970.
        let validity = u32::try_from((setting.now)().as_ms() / 1000).unwrap_or(1).max(1);
        Self {
            name: name.clone(),
            address: plan.address.clone().unwrap_or_else(|| format!("canary@{}", Setting::host("", name))),
            password: setting.secret(name),
            socket,
            setting: setting.clone(),
            mailbox: Mailbox::new(&plan.junk, validity, plan.capacity),
            backlog: Mutex::default(),
            switch: watch::Sender::new(None),
            counts: watch::Sender::new(InboxCounts::default()),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// Its address, which is its user name too.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where it is read over IMAP, without TLS.
    #[must_use]
    pub const fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Breaks it, instead of what was broken before.
    ///
    /// # Errors
    /// [`Unfit`] for a fault that only a provider can have.
    pub fn set(&self, fault: Fault) -> Result<(), Unfit> {
        let fault = fault.on_inbox()?;
        self.switch.send_replace(Some(fault));
        Ok(())
    }

    /// Repairs it. Mail that was held back stays so until [`Inbox::release`].
    pub fn clear(&self) {
        self.switch.send_replace(None);
    }

    /// What is broken.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.switch.borrow().clone()
    }

    /// Repairs it and delivers what was held back; how many.
    pub fn release(&self) -> usize {
        self.clear();
        let held = std::mem::take(&mut *self.backlog.lock().unwrap_or_else(PoisonError::into_inner));
        let released = held.len();
        for mail in held {
            self.count(|c| c.held = c.held.saturating_sub(1));
            self.store(mail);
        }
        released
    }

    /// What it saw so far.
    #[must_use]
    pub fn counts(&self) -> InboxCounts {
        *self.counts.borrow()
    }

    /// To wait for a count.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<InboxCounts> {
        self.counts.subscribe()
    }

    /// What it holds there now, in the order of arrival; all junk folders count as one.
    #[must_use]
    pub fn messages(&self, placement: Placement) -> Vec<Stored> {
        self.mailbox.look(|folders| {
            let wanted = folders.iter().enumerate().filter(|(n, _)| match placement {
                Placement::Inbox => *n == 0,
                Placement::Junk => *n > 0,
                Placement::Other | Placement::Promotions | Placement::Social | Placement::Updates | Placement::Forums => false,
            });
            wanted.flat_map(|(_, folder)| folder.messages.values().cloned()).collect()
        })
    }

    /// Puts a message in it as it is, past every fault: with any date, as `APPEND` can.
    pub fn append(&self, placement: Placement, arrived_at: At, message: &[u8]) {
        self.mailbox.deliver(placement == Placement::Junk, arrived_at, without_nul(message.to_vec()).into(), |_| {});
    }

    /// Gives every message a new UID under a new UIDVALIDITY, as after a restored backup.
    pub fn renumber(&self) {
        self.mailbox.renumber();
    }

    pub(super) fn switch(&self) -> Switch {
        self.switch.subscribe()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut InboxCounts)) {
        self.counts.send_modify(change);
    }

    /// Whether mail to `address` comes here: its own, in any case, with or without `+anything`.
    pub(super) fn is_at(&self, address: &str) -> bool {
        let split = |text: &str| text.rsplit_once('@').map(|(l, d)| (l.to_lowercase(), d.to_lowercase()));
        let (Some((own, own_domain)), Some((local, domain))) = (split(&self.address), split(address)) else { return false };
        let stem = local.split_once('+').map_or(local.as_str(), |(stem, _)| stem);
        own_domain == domain && (own == local || own == stem)
    }

    /// Whether these are its credentials, and a fault does not say otherwise.
    pub(super) fn admits(&self, username: &[u8], password: &[u8]) -> bool {
        let broken = matches!(*self.switch.borrow(), Some(Fault::WrongPassword));
        let admitted = !broken && username == self.address.as_bytes() && password == self.password.as_bytes();
        self.count(|c| *(if admitted { &mut c.logins } else { &mut c.refused_logins }) += 1);
        admitted
    }

    /// Takes a mail from the last hop.
    pub(super) fn deliver(&self, mut mail: Mail) -> Delivery {
        let mut chance = Chance::of(self.setting.seed, self.name.as_str(), mail.number, &mail.from_host);
        match &*self.switch.borrow() {
            Some(Fault::Full) => {
                self.count(|c| c.deferred += 1);
                return Delivery::Later(Box::new(mail), self.setting.retry);
            }
            Some(Fault::Delay(span)) if !mail.delayed => {
                mail.delayed = true;
                return Delivery::Later(Box::new(mail), *span);
            }
            Some(Fault::Hold) => {
                self.count(|c| c.held += 1);
                self.backlog.lock().unwrap_or_else(PoisonError::into_inner).push_back(mail);
                return Delivery::Done;
            }
            Some(Fault::Swallow) => {
                self.count(|c| c.lost += 1);
                return Delivery::Done;
            }
            Some(Fault::Lose(share)) if chance.hits(*share) => {
                self.count(|c| c.lost += 1);
                return Delivery::Done;
            }
            Some(Fault::Junk(share)) => mail.junk |= chance.hits(*share),
            Some(_) | None => {}
        }
        self.store(mail);
        Delivery::Done
    }

    fn store(&self, mail: Mail) {
        let at = (self.setting.now)();
        let host = Setting::host("mx", &self.name);
        let from = format!("{0} ({0} [{1}])", mail.from_host, address_of(&mail.from_host));
        let mut message = format!("Return-Path: <{}>\r\nDelivered-To: {}\r\n", plain(&mail.sender), plain(&mail.recipient));
        message.push_str(&received(&from, &host, "ESMTPS", &mail.id, &mail.recipient, at));
        if mail.junk {
            message.push_str("X-Spam-Flag: YES\r\n");
        }
        let mut message = message.into_bytes();
        message.extend_from_slice(&mail.bytes);
        self.mailbox.deliver(mail.junk, at, without_nul(message).into(), |junk| {
            self.count(|c| *(if junk { &mut c.junked } else { &mut c.delivered }) += 1);
        });
    }
}

/// IMAP has no way to send a NUL (RFC 3501, 4.3): Dovecot sends 0x80 in its place, and so do we.
fn without_nul(mut message: Vec<u8>) -> Vec<u8> {
    message.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x80);
    message
}
