//! A provider as its servers keep it: what it accepts, and what becomes of that.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::chance::Chance;
use super::door::Switch;
use super::message::{Mail, missing_headers, plain, received};
use super::plan::Setting;
use super::transit::{NoRoom, Transit};
use super::{Fault, ProviderPlan, Transport, Unfit};
use crate::model::{Name, Span};

/// What a provider saw so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderCounts {
    /// Connections taken.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Mails accepted, one for each recipient.
    pub accepted: u64,
    /// Logins and submissions refused.
    pub refused: u64,
    /// Mails that a fault made disappear here.
    pub lost: u64,
    /// Mails that a fault keeps back now.
    pub held: u64,
}

/// The number and the id of a mail.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    number: u64,
    /// 32 hexadecimal digits.
    pub(super) id: String,
}

/// A provider of the world, and the switch to break it.
#[derive(Debug)]
pub struct Provider {
    name: Name,
    plan: ProviderPlan,
    secret: String,
    host: String,
    socket: SocketAddr,
    pub(super) setting: Setting,
    transit: Arc<Transit>,
    numbers: AtomicU64,
    backlog: Mutex<VecDeque<(Mail, Span)>>,
    switch: watch::Sender<Option<Fault>>,
    counts: watch::Sender<ProviderCounts>,
}

impl Provider {
    /// A provider that is spoken to at `socket`.
    pub(super) fn new(name: &Name, plan: &ProviderPlan, setting: &Setting, socket: SocketAddr, transit: &Arc<Transit>) -> Self {
        Self {
            name: name.clone(),
            plan: plan.clone(),
            secret: setting.secret(name),
            host: Setting::host(if plan.transport == Transport::Smtp { "smtp" } else { "api" }, name),
            socket,
            setting: setting.clone(),
            transit: Arc::clone(transit),
            numbers: AtomicU64::new(1),
            backlog: Mutex::default(),
            switch: watch::Sender::new(None),
            counts: watch::Sender::new(ProviderCounts::default()),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How it takes mail.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        self.plan.transport
    }

    /// Where it is spoken to, without TLS.
    #[must_use]
    pub const fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Base URL of its HTTP API; for [`Transport::Smtp`] nothing answers there.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/api/1.0", self.socket)
    }

    /// The user name for SMTP.
    #[must_use]
    pub fn username(&self) -> &str {
        self.name.as_str()
    }

    /// The password for SMTP, or the API key.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Who its mail is from, as `Example <no-reply@example.test>`.
    #[must_use]
    pub fn from(&self) -> String {
        self.plan.from.clone().unwrap_or_else(|| format!("Example <no-reply@{}>", Setting::host("", &self.name)))
    }

    /// Breaks it, instead of what was broken before.
    ///
    /// # Errors
    /// [`Unfit`] for a fault that only an inbox can have.
    pub fn set(&self, fault: Fault) -> Result<(), Unfit> {
        let fault = fault.on_provider()?;
        self.switch.send_replace(Some(fault));
        Ok(())
    }

    /// Repairs it. Mail that was held back stays so until [`Provider::release`] or [`Provider::discard`].
    pub fn clear(&self) {
        self.switch.send_replace(None);
    }

    /// What is broken.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.switch.borrow().clone()
    }

    /// Repairs it and sends what was held back on its way; how many.
    pub fn release(&self) -> usize {
        self.clear();
        let held = self.unhold();
        let released = held.len();
        for (mail, span) in held {
            self.transit.send(mail, span);
        }
        released
    }

    /// Throws away what was held back, as a deactivated account does; how many.
    pub fn discard(&self) -> usize {
        let discarded = self.unhold().len();
        self.count(|c| c.lost += discarded as u64);
        discarded
    }

    fn unhold(&self) -> VecDeque<(Mail, Span)> {
        let held = std::mem::take(&mut *self.backlog.lock().unwrap_or_else(PoisonError::into_inner));
        self.count(|c| c.held = c.held.saturating_sub(held.len() as u64));
        held
    }

    /// What it saw so far.
    #[must_use]
    pub fn counts(&self) -> ProviderCounts {
        *self.counts.borrow()
    }

    /// To wait for a count.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<ProviderCounts> {
        self.counts.subscribe()
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn switch(&self) -> Switch {
        self.switch.subscribe()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut ProviderCounts)) {
        self.counts.send_modify(change);
    }

    /// The next number and id.
    pub(super) fn ticket(&self) -> Ticket {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let mut chance = Chance::of(self.setting.seed, self.name.as_str(), number, "id");
        Ticket { number, id: format!("{:016x}{:016x}", chance.bits(), chance.bits()) }
    }

    /// Accepts a message for one recipient, and does with it what its fault says.
    pub(super) fn take(&self, ticket: &Ticket, sender: &str, recipient: &str, message: &[u8], with: &str) -> Result<(), NoRoom> {
        let (number, id) = (ticket.number, ticket.id.as_str());
        let at = (self.setting.now)();
        let fault = self.fault();
        let mut header = received("localhost (localhost [127.0.0.1])", &self.host, with, id, recipient, at);
        header.push_str(&missing_headers(message, id, &self.host, at));
        if let Some(Fault::AddHeader { name, value }) = &fault {
            header.push_str(&format!("{}: {}\r\n", plain(name), plain(value)));
        }
        let room = self.transit.room(header.len() + message.len())?;
        let mut bytes = header.into_bytes();
        bytes.extend_from_slice(message);
        let from_host = Setting::host("out", &self.name);
        let (id, sender, recipient) = (id.to_owned(), sender.to_owned(), recipient.to_owned());
        let mail = Mail { id, from_host, sender, recipient, bytes, number, junk: false, delayed: false, _room: room };
        self.count(|c| c.accepted += 1);
        self.handle(mail, fault);
        Ok(())
    }

    /// Accepts a message of its customer's as if it had been handed in over any of its ways. False: there is no room for it.
    pub fn send(&self, sender: &str, recipient: &str, message: &str) -> bool {
        self.take(&self.ticket(), sender, recipient, message.replace('\n', "\r\n").as_bytes(), "HTTP").is_ok()
    }

    /// Holds a mail back, unless what held it was repaired since it was accepted: who releases repairs first, so that nothing stays behind.
    fn hold(&self, mail: Mail, span: Span) {
        let fault = self.switch.borrow();
        if matches!(&*fault, Some(Fault::Suspend | Fault::SuspendSilently | Fault::Hold)) {
            self.backlog.lock().unwrap_or_else(PoisonError::into_inner).push_back((mail, span));
            self.count(|c| c.held += 1);
        } else {
            self.transit.send(mail, span);
        }
    }

    fn handle(&self, mut mail: Mail, fault: Option<Fault>) {
        let chance = |what| Chance::of(self.setting.seed, self.name.as_str(), mail.number, what);
        let mut span = self.plan.latency.draw(&mut chance("latency"));
        if chance("greylist").hits(self.plan.greylisted) {
            span = span + self.plan.greylist;
        }
        match fault {
            Some(Fault::Suspend | Fault::SuspendSilently | Fault::Hold) => return self.hold(mail, span),
            Some(Fault::Swallow) => {
                self.count(|c| c.lost += 1);
                return;
            }
            Some(Fault::Lose(share)) if chance("lose").hits(share) => {
                self.count(|c| c.lost += 1);
                return;
            }
            Some(Fault::Junk(share)) => mail.junk = chance("junk").hits(share),
            Some(Fault::Delay(more)) => span = span + more,
            Some(_) | None => {}
        }
        self.transit.send(mail, span);
    }
}
