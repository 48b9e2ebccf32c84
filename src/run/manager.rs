//! The service manager (systemd), where there is one: told when we are ready, how it goes, and that the loop turns.
//!
//! There is no timer here. The watchdog of `WatchdogSec=` is fed at the end of a turn of the loop whose schedule is on time, and by nothing
//! else, so that a loop that hangs, or turns without doing what is due, is ended and started anew.

use std::env::var_os;
use std::os::unix::ffi::OsStrExt;

use sd_notify::NotifyState;

use crate::model::{At, Span};

/// A schedule this late stands still.
const LATE: Span = Span::from_secs(60);
/// Between two looks for a new `STATUS=`: it costs as much as a scrape.
const STATUS_EVERY: Span = Span::from_secs(5);

/// What is told to the service manager. Silent where there is none.
#[derive(Debug)]
pub(super) struct Manager {
    there: bool,
    /// `WatchdogSec=`: it ends us when nothing was heard for so long.
    patience: Option<Span>,
    fed: Option<At>,
    status: String,
    stated: Option<At>,
}

impl Manager {
    /// The one that started this process.
    pub(super) fn find() -> Self {
        let there = var_os("NOTIFY_SOCKET").is_some_and(|at| !at.as_bytes().is_empty());
        let patience = if there { sd_notify::watchdog_enabled().map(Span::from) } else { None };
        Self { there, patience, fed: None, status: String::new(), stated: None }
    }

    /// The longest time between two turns that it bears with ease.
    pub(super) fn longest_nap(&self) -> Option<Span> {
        self.patience.map(|patience| patience.scaled(1, 4))
    }

    /// The ledger is replayed, and HTTP listens.
    pub(super) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again; ends with [`Manager::ready`].
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    /// Nothing new begins.
    pub(super) fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// A turn is over. `wake` is what the schedule waits for; a ledger that cannot be written (`stuck`) keeps it from acting, of which
    /// people are told, and which no restart mends.
    pub(super) fn turned(&mut self, now: At, wake: Option<At>, stuck: bool) {
        let Some(patience) = self.patience else { return };
        if is_fed(patience, self.fed, now, wake, stuck) {
            self.tell(&[NotifyState::Watchdog]);
            self.fed = Some(now);
        }
    }

    /// Whether it is time to say how it stands.
    pub(super) fn listens(&mut self, now: At) -> bool {
        let listens = self.there && self.stated.is_none_or(|at| now.since(at) >= STATUS_EVERY);
        if listens {
            self.stated = Some(now);
        }
        listens
    }

    /// Says in one line how it stands, where that is new.
    pub(super) fn state(&mut self, sentence: &str) {
        let status: String = sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if status != self.status {
            self.tell(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }

    fn tell(&self, what: &[NotifyState<'_>]) {
        if !self.there {
            return;
        }
        if let Err(error) = sd_notify::notify(what) {
            tracing::warn!(%error, "the service manager could not be told");
        }
    }
}

/// Whether the manager's watchdog is fed at the end of a turn.
fn is_fed(patience: Span, fed: Option<At>, now: At, wake: Option<At>, stuck: bool) -> bool {
    let on_time = stuck || wake.is_none_or(|at| now.since(at) <= LATE);
    on_time && fed.is_none_or(|at| now.since(at) >= patience.scaled(1, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_turns_without_doing_what_is_due_is_not_fed() {
        let at = |secs: i64| At::from_ms(1_659_987_000_000 + secs * 1000);
        let fed = |fed: Option<i64>, now, wake: i64, stuck| is_fed(Span::from_secs(60), fed.map(at), at(now), Some(at(wake)), stuck);
        assert!(fed(None, 0, 5, false), "the first turn");
        assert!(!fed(Some(0), 5, 6, false), "not oftener than is needed");
        assert!(fed(Some(0), 8, 9, false));
        assert!(fed(Some(0), 60, 0, false), "a minute late is no standstill");
        assert!(!fed(Some(0), 61, 0, false));
        assert!(fed(Some(0), 3600, 0, true), "a full disk is told of, and no reason to start anew");
    }
}
