//! What settings would have said of a past that is written down: pure, from records to findings.
//!
//! ```text
//! records → a watchdog in hindsight → its incidents ┐
//!         → what was told then                      ├→ findings
//!         → canaries → other rules ─────────────────┘
//! ```
//!
//! The watchdog begins with nothing learnt at the oldest record, and lives through all of them; a window only says what is reported.

mod canaries;
mod findings;
mod others;
mod outage;
mod wishes;

use crate::config::Settings;
use crate::model::{At, Reason, Route};
use crate::watchdog::{Effect, Event, Fact, Reads, Record, Step, Watchdog};

use canaries::Canaries;
use outage::Outages;
use wishes::Wishes;

pub use findings::{Findings, LeftOut, Rate, Told};
pub use others::Other;
pub use outage::{Mark, Outage, Then, When};

/// What is reported: incidents that were open in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From here…
    pub from: At,
    /// …to here. What came later is not known yet.
    pub to: At,
}

/// A past being lived through.
#[derive(Debug)]
pub struct Backtest<'s> {
    settings: &'s Settings,
    window: Window,
    dog: Watchdog,
    ours: Outages,
    then: Outages,
    canaries: Canaries,
    wishes: Wishes,
}

impl<'s> Backtest<'s> {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(settings: &'s Settings, window: Window) -> Self {
        Self {
            settings,
            window,
            dog: Watchdog::in_hindsight(settings),
            ours: Outages::default(),
            then: Outages::default(),
            canaries: Canaries::new(&settings.routes),
            wishes: Wishes::default(),
        }
    }

    /// Lives through one more record, in the order in which they were written. Says whether more is wanted.
    pub fn take(&mut self, record: &Record) -> bool {
        let at = record.at;
        if at > self.window.to {
            return false;
        }
        if !self.dog.has_begun() && !matches!(record.fact, Fact::Began { .. }) {
            // The beginning is not kept any more. Only daemons keep ledgers, and they report their reads.
            self.relive(&Record { at, fact: Fact::Began { seed: 0, reads: Reads::Explicit } });
        }
        if !matches!(record.fact, Fact::Slept {}) {
            self.wake_until(at);
        }
        if let Fact::Sent { provider, stream, inbox, reason: Reason::Confirmation, .. } = &record.fact {
            // It may be time alone that made it due.
            self.wishes.wish(at, self.dog.would_ask(at));
            self.wishes.sent(at, &Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() });
        }
        self.relive(record);
        self.canaries.note(record);
        if let Fact::Told { notice, late: false, .. } = &record.fact {
            self.then.take(at, notice);
        }
        true
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Findings {
        self.wake_until(self.window.to);
        let canaries = self.canaries.settled();
        findings::of(self.settings, self.window, self.ours, self.then, &canaries, &self.wishes)
    }

    fn wake_until(&mut self, end: At) {
        while let Some(at) = self.dog.wake_at().filter(|at| *at < end) {
            let woken = self.dog.step(at, Event::Woke {});
            let Ok(step) = woken else { break };
            self.follow(at, step);
        }
    }

    /// What does not fit is of routes that are not watched any more: [`Canaries`] counts them.
    fn relive(&mut self, record: &Record) {
        if let Ok(step) = self.dog.relive(record) {
            self.follow(record.at, step);
        }
    }

    fn follow(&mut self, at: At, step: Step) {
        for effect in step.effects {
            if let Effect::Notify(notice) = effect
                && !notice.is_trial()
            {
                self.ours.take(at, &notice);
            }
        }
        if at >= self.window.from {
            self.wishes.wish(at, self.dog.would_ask(at));
        }
    }
}
