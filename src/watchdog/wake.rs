//! What cannot wait for an event: when to wake, and which inboxes to have read at once.

use super::effect::Effect;
use super::event::Reads;
use super::judge::Assessment;
use super::step::Step;
use super::{Watchdog, budget, deaf, drill, incident, judge, remind, suspicion, trial, unseen};
use crate::model::{At, Span};

/// Between two requests to read an inbox at once.
const LOOK_EVERY: Span = Span::from_secs(2);
/// Between two looks at what an inbox that is read late has not shown yet, though its time has passed.
const READ_LATER: Span = Span::from_ms(250);

impl Watchdog {
    /// Has the inboxes read in which something is overdue.
    pub(super) fn look(&mut self, step: &mut Step, at: At) {
        if self.state.reads() == Reads::Implied {
            return;
        }
        let mut inboxes = judge::unread(&self.plan, &self.state, &self.ix, at);
        inboxes.extend(self.state.late_inboxes(&self.ix, at));
        for inbox in inboxes {
            let due = self.looked_at.get(&inbox).is_none_or(|last| at.since(*last) >= LOOK_EVERY);
            if due {
                self.looked_at.insert(inbox.clone(), at);
                step.effects.push(Effect::Look { inbox });
            }
        }
    }

    /// When to wake, later than `at`. `weighed`: what was assessed of the state as it is, if it was; `asks_at`: when the next confirmation or
    /// question may be due.
    pub(super) fn next_wake(&self, at: At, weighed: Option<Assessment>, asks_at: Option<At>) -> Option<At> {
        let weighed = weighed.unwrap_or_else(|| judge::assess(&self.plan, &self.state, &self.ix, at));
        // With implied reads a line that comes later completes the read; otherwise reading takes its time and comes as an event.
        let implied = self.state.reads() == Reads::Implied;
        // What has passed and is not read yet waits for an inbox that is read later than others: it is looked at now and then.
        let waits = |due: At| self.state.passed.is_some_and(|passed| due <= passed);
        let read_first = |due: At| match (implied, due <= at) {
            (true, _) if waits(due) => at.plus(READ_LATER),
            (true, _) => due.max(at).plus(Span::from_ms(1)),
            (false, true) => at.plus(LOOK_EVERY),
            (false, false) => due,
        };
        [
            budget::next_routine(&self.plan, &self.state, &self.ix, at).filter(|_| !self.stopping).map(|(due, _)| due),
            self.state.seen_through(&self.ix.looks).map(read_first),
            self.ix.checks.first().map(|(due, _)| read_first(*due)),
            self.state.seen_through(&self.ix.deadlines).map(read_first),
            weighed.again_at,
            asks_at,
            (self.ix.clears_at > at)
                .then(|| self.state.inboxes.values().map(|inbox| inbox.clear_from).filter(|clear| *clear > at).min())
                .flatten(),
            incident::next(&self.plan, &self.state),
            unseen::next(&self.plan, &self.state, &self.ix),
            remind::next(&self.plan, &self.state),
            trial::next(&self.plan, at),
            deaf::next(&self.plan, &self.state, at),
            drill::next(&self.plan, at),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|wake| wake.max(at.plus(Span::from_ms(1))))
    }

    /// When the next confirmation may be due, if nothing changes.
    pub(super) fn asks_at(&self, at: At) -> Option<At> {
        if self.stopping { None } else { suspicion::asks(&self.plan, &self.state, &self.ix, at).again_at }
    }
}
