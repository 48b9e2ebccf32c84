//! The way between providers and inboxes: every mail waits here until its time has come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::Inbox;
use super::inbox::Delivery;
use super::message::Mail;
use crate::model::Span;

/// KiB of mail that may be under way or held back in a world at once.
const ROOM_KIB: usize = 64 << 10;

/// There is no more room for mail under way: the sandbox's own limit, not a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Mail that waits, by the instant of its delivery.
#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeMap<(Instant, u64), Mail>,
    /// Mails taken out for a delivery that has not ended.
    in_hand: usize,
}

/// Mail under way.
#[derive(Debug)]
pub(super) struct Transit {
    queue: Mutex<Queue>,
    order: AtomicU64,
    wake: Notify,
    room: Arc<Semaphore>,
    bounced: AtomicU64,
    inboxes: Vec<Arc<Inbox>>,
}

impl Transit {
    /// Nothing under way, to these inboxes.
    pub(super) fn new(inboxes: Vec<Arc<Inbox>>) -> Self {
        Self {
            queue: Mutex::default(),
            order: AtomicU64::new(0),
            wake: Notify::new(),
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            bounced: AtomicU64::new(0),
            inboxes,
        }
    }

    /// Room for a mail of this many bytes.
    pub(super) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, NoRoom> {
        let kib = u32::try_from(bytes.div_ceil(1024)).or(Err(NoRoom))?.max(1);
        Arc::clone(&self.room).try_acquire_many_owned(kib).or(Err(NoRoom))
    }

    /// Sends `mail` on its way, to arrive after `span`.
    pub(super) fn send(&self, mail: Mail, span: Span) {
        let key = (Instant::now() + span.into(), self.order.fetch_add(1, Ordering::Relaxed));
        self.queue().waiting.insert(key, mail);
        self.wake.notify_one();
    }

    /// Mails under way. Once it is zero, everything that was sent before has been counted where it arrived.
    pub(super) fn under_way(&self) -> usize {
        let queue = self.queue();
        queue.waiting.len() + queue.in_hand
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mails to addresses that nobody has.
    pub(super) fn bounced(&self) -> u64 {
        self.bounced.load(Ordering::Relaxed)
    }

    /// Delivers, for ever.
    pub(super) async fn run(&self) {
        loop {
            while let Some(mail) = self.due() {
                self.deliver(mail);
                self.queue().in_hand = 0;
            }
            let next = self.queue().waiting.first_key_value().map(|((at, _), _)| *at);
            match next {
                Some(at) => tokio::select! { () = sleep_until(at) => {}, () = self.wake.notified() => {} },
                None => self.wake.notified().await,
            }
        }
    }

    fn due(&self) -> Option<Mail> {
        let mut queue = self.queue();
        let first = queue.waiting.first_entry()?;
        let mail = (first.key().0 <= Instant::now()).then(|| first.remove());
        queue.in_hand = usize::from(mail.is_some());
        mail
    }

    fn deliver(&self, mail: Mail) {
        let Some(inbox) = self.inboxes.iter().find(|inbox| inbox.is_at(&mail.recipient)) else {
            self.bounced.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if let Delivery::Later(mail, span) = inbox.deliver(mail) {
            self.send(*mail, span);
        }
    }
}
