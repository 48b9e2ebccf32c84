//! Refusals as by a receiver that is being replaced: they are final only after some minutes, however often a process begins meanwhile, and
//! whatever is told instead of what was refused first.

use std::collections::BTreeMap;

use super::Queue;
use crate::model::{At, NoticeId};

/// After so many refusals of the doubtful kind, the last counts as final: five waits, with `Pace::doubt` of 5 s ten minutes in all.
pub(in crate::edge::notify) const DOUBTS: u32 = 5;

impl Queue {
    /// Since when which notices have been refused like this, those included that an earlier process has left and that were not handed over
    /// again yet.
    pub(in crate::edge::notify) fn doubted(&self) -> BTreeMap<NoticeId, At> {
        let waiting = self.waiting.iter().filter_map(|w| Some((w.out.notice.notice, w.doubted?)));
        self.doubted.iter().map(|(notice, since)| (*notice, *since)).chain(waiting).collect()
    }

    /// The notice was refused like this: it waits, or that was once too often.
    pub(super) fn doubt(&mut self, index: usize, now: At) {
        let Some(waiting) = self.waiting.get_mut(index) else { return };
        // Five waits, each three times the one before; a restart begins them anew, but not the time that they take in all.
        let all = self.pace.doubt.scaled((3_u64.pow(DOUBTS) - 1) / 2, 1);
        let since = *waiting.doubted.get_or_insert(now);
        if waiting.doubts >= DOUBTS || now.since(since) >= all {
            return self.refused(index);
        }
        let wait = self.pace.doubt.scaled(3_u64.pow(waiting.doubts), 1);
        waiting.doubts = waiting.doubts.saturating_add(1);
        waiting.tries = waiting.tries.saturating_add(1);
        waiting.flying = false;
        waiting.due = super::Due { since: now, at: now.plus(wait) };
        let incident = waiting.out.notice.incident;
        self.overtake(incident, now);
    }
}
