//! Waking: the earliest instant at which time alone changes anything.

use std::collections::BTreeSet;

use super::event::Reads;
use super::{LOOK_EVERY, Watchdog, incident, judge, suspicion};
use crate::model::{At, Span};

impl Watchdog {
    /// When to wake, later than `at`; `asks_at`: when the next confirmation may be due.
    pub(super) fn next_wake(&self, at: At, asks_at: Option<At>) -> Option<At> {
        // With implied reads a line that comes later completes the read; otherwise reading takes its time and comes as an event.
        let implied = self.state.reads() == Reads::Implied;
        let read_first = |due: At| match (implied, due <= at) {
            (true, _) => due.max(at).plus(Span::from_ms(1)),
            (false, true) => at.plus(LOOK_EVERY),
            (false, false) => due,
        };
        [
            self.ix.due.first().filter(|_| !self.stopping).map(|(due, _)| *due),
            self.seen_through(&self.ix.looks).map(read_first),
            self.ix.checks.first().map(|(due, _)| read_first(*due)),
            self.seen_through(&self.ix.deadlines).map(read_first),
            judge::assess(&self.plan, &self.state, &self.ix, at).again_at,
            asks_at,
            incident::next(&self.plan, &self.state, &self.ix),
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

    /// When the first of these instants has been read up to in the inbox of its route, of those that can be read.
    fn seen_through(&self, dues: &BTreeSet<(At, usize, u32)>) -> Option<At> {
        let mut first: Option<At> = None;
        for (due, slot, _) in dues {
            if first.is_some_and(|at| at <= *due) {
                break;
            }
            let Some(route) = self.state.routes.get(*slot).filter(|r| self.state.sees(&r.route.inbox)) else { continue };
            let read = self.state.reads_at(&route.route.inbox, *due);
            first = Some(first.map_or(read, |at| at.min(read)));
        }
        first
    }
}
