//! What a full cycle is: what a heartbeat says has happened, and what keeps it back.
//!
//! The loop turns, or nobody would ask here; the schedule is on time; something was written to the ledger and is on the disk; and at least
//! one inbox was read whole. All of it since the last beat, and not long ago. One inbox is enough: another one that cannot be read is an
//! incident, which is told as such by a watchdog that works.

use crate::model::{At, Span};

/// What is older than this proves nothing, however rare the beats are.
const FRESH: Span = Span::from_secs(300);
/// A schedule this late stands still.
const LATE: Span = Span::from_secs(60);

/// What has happened, as far as it proves something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cycle {
    /// When the ledger was last written, and the disk had it.
    pub(super) written: Option<At>,
    /// When the newest complete read of any inbox began.
    pub(super) read: Option<At>,
    /// What the schedule waits for.
    pub(super) wake: Option<At>,
}

/// What is missing of a full cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// What was due has not been done.
    Schedule,
    /// Nothing was written.
    Ledger,
    /// Nothing was read.
    Inbox,
}

impl Lack {
    /// In words.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "the schedule stands still",
            Self::Ledger => "the ledger is not written",
            Self::Inbox => "no inbox is read",
        }
    }
}

impl Cycle {
    /// What is missing at `now` for a beat every `every`, the last of which was at `last`.
    pub(super) fn lacks(&self, last: At, every: Span, now: At) -> Vec<Lack> {
        let since = last.max(now.minus(every.min(FRESH)));
        let fresh = |at: Option<At>| at.is_some_and(|at| at > since);
        let on_time = self.wake.is_some_and(|at| now.since(at) <= LATE);
        let all = [(Lack::Schedule, on_time), (Lack::Ledger, fresh(self.written)), (Lack::Inbox, fresh(self.read))];
        all.into_iter().filter(|(_, there)| !there).map(|(lack, _)| lack).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Span = Span::from_secs(60);

    fn at(secs: i64) -> At {
        At::from_ms(1_659_987_000_000 + secs * 1000)
    }

    fn cycle(written: i64, read: i64, wake: i64) -> Cycle {
        Cycle { written: Some(at(written)), read: Some(at(read)), wake: Some(at(wake)) }
    }

    #[test]
    fn all_three_must_have_happened_since_the_last_beat() {
        let lacks = |cycle: Cycle| cycle.lacks(at(0), EVERY, at(60));
        assert_eq!(lacks(cycle(1, 1, 61)), []);
        assert_eq!(lacks(cycle(0, 1, 61)), [Lack::Ledger], "what the last beat told of is told");
        assert_eq!(lacks(cycle(1, 0, 61)), [Lack::Inbox]);
        assert_eq!(lacks(cycle(1, 1, -1)), [Lack::Schedule]);
        assert_eq!(lacks(cycle(1, 1, 0)), [], "a minute late is no standstill");
        assert_eq!(lacks(Cycle::default()), [Lack::Schedule, Lack::Ledger, Lack::Inbox]);
    }

    #[test]
    fn what_happened_before_a_sleep_proves_nothing_after_it() {
        assert_eq!(cycle(5, 6, 1001).lacks(at(0), EVERY, at(1000)), [Lack::Ledger, Lack::Inbox]);
        assert_eq!(cycle(941, 941, 1001).lacks(at(0), EVERY, at(1000)), []);
        let day = Span::from_secs(86_400);
        assert_eq!(cycle(80_000, 86_200, 86_401).lacks(at(0), day, at(86_400)), [Lack::Ledger], "rare beats want fresh proof, too");
    }
}
