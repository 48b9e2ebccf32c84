//! Sessions that have handed a canary over and wait for the next one, for a short time.
//!
//! Few, and not for long: a provider counts open connections, and what was proved at the log-in is not known for ever. A session from here
//! says nothing against its provider: what fails on it before the message is asked again on a new one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::talk::Talk;
use crate::config::Secret;

/// As many wait at once: providers allow ten connections and more.
const MOST: usize = 4;
/// So long a session waits. Servers hang up after a minute and later.
const PATIENCE: Duration = Duration::from_secs(5);
/// No session is older: a password that is not good any more is found out soon.
const LIFE: Duration = Duration::from_secs(60);
/// Canaries over one session: providers allow a hundred and more.
const CANARIES: u32 = 50;

/// A session that is logged in.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) talk: Talk,
    /// The access tokens that were shown.
    pub(super) shown: Vec<Secret>,
    /// When it was opened.
    pub(super) born: Instant,
    /// How many canaries it took.
    pub(super) canaries: u32,
}

/// The sessions of one provider that wait, each with the time when it is closed; the newest last.
#[derive(Debug, Default)]
pub(super) struct Pool {
    waiting: Mutex<Vec<(Instant, Idle)>>,
    /// One more waits.
    more: Notify,
}

impl Pool {
    /// One that still waits, and is as it was left.
    pub(super) async fn take(&self) -> Option<Idle> {
        // What has come in meanwhile is noticed when the others have had their turn.
        yield_now().await;
        let now = Instant::now();
        loop {
            let (end, mut idle) = self.waiting().pop()?;
            if end > now && idle.talk.is_quiet() {
                return Some(idle);
            }
        }
    }

    /// Lets a session wait; gives it back if it has done enough, or if too many wait.
    pub(super) fn put(&self, idle: Idle) -> Option<Idle> {
        let now = Instant::now();
        let end = (now + PATIENCE).min(idle.born + LIFE);
        let mut waiting = self.waiting();
        if idle.canaries >= CANARIES || end <= now || waiting.len() >= MOST {
            return Some(idle);
        }
        waiting.push((end, idle));
        self.more.notify_one();
        None
    }

    /// Gives a session whose time has come. Waits for one; one that comes later and ends sooner is seen to afterwards.
    pub(super) async fn over(&self) -> Idle {
        loop {
            let first = self.waiting().iter().map(|(end, _)| *end).min();
            match first {
                Some(end) => sleep_until(end).await,
                None => self.more.notified().await,
            }
            let now = Instant::now();
            let mut waiting = self.waiting();
            if let Some(place) = waiting.iter().position(|(end, _)| *end <= now) {
                return waiting.remove(place).1;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Instant, Idle)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
