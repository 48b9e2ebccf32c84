//! What of an account's signs is a reason to warn, and how bad it is. Pure. Edges differ by direction, so that a figure that wobbles does not
//! flap.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::config::Signs;
use crate::model::{At, Sign, Span, Standing};

/// How bad it is that a provider holds something against the account, and that it says that it sends nothing: worse than any figure.
const WARNED: u8 = 5;
pub(super) const STOPPED: u8 = 6;
/// A pace is that of so much time at most…
const LOOKS_BACK: Span = Span::from_secs(6 * 3600);
/// …and of so much at least: a burst is no pace.
const PACE_OF: Span = Span::from_secs(1800);
/// Readings closer together than this are one point of a pace.
const APART: Span = Span::from_secs(600);
/// Where nobody says when a quota renews, an end within this is soon.
const SOON: Span = Span::from_secs(6 * 3600);
/// A quota of which more than one in so many is there again was renewed or topped up.
const RENEWED: u64 = 20;
/// Shares that differ by less are the same.
const FINEST: f64 = 1e-9;
/// A peak of the backlog is forgotten after so long, little by little.
const REMEMBERED: Span = Span::from_secs(7 * 86_400);

/// What can be wrong with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Concern {
    Standing,
    Quota,
    Backlog,
    Reputation,
}

impl Concern {
    /// The most telling first.
    pub(super) const ALL: [Self; 4] = [Self::Standing, Self::Quota, Self::Backlog, Self::Reputation];

    /// What a sign is about.
    pub(super) const fn of(sign: &Sign) -> Self {
        match sign {
            Sign::Standing { .. } => Self::Standing,
            Sign::Quota { .. } => Self::Quota,
            Sign::Backlog { .. } => Self::Backlog,
            Sign::Reputation { .. } => Self::Reputation,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::Quota => "quota",
            Self::Backlog => "backlog",
            Self::Reputation => "reputation",
        }
    }
}

/// What readings before this one have shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Past {
    /// What was left of the quota at some instants, oldest first; since it was renewed last.
    points: VecDeque<(At, u64)>,
    /// What was left at the last reading.
    last: Option<u64>,
    /// The largest backlog lately, while it worried nobody.
    peak: u64,
    /// When that was.
    peaked_at: At,
}

impl Past {
    /// Takes in what is left of a quota at `at`.
    pub(super) fn note_quota(&mut self, at: At, remaining: u64, limit: Option<u64>) {
        let before = self.points.front().map_or(remaining, |(_, first)| *first);
        let much = limit.unwrap_or(before) / RENEWED;
        if remaining > before || self.last.is_some_and(|last| remaining > last.saturating_add(much)) {
            self.points.clear();
        }
        self.last = Some(remaining);
        while self.points.pop_front_if(|(then, _)| at.since(*then) > LOOKS_BACK).is_some() {}
        if self.points.back().is_none_or(|(then, _)| at.since(*then) >= APART) {
            self.points.push_back((at, remaining));
        }
    }

    /// Takes in a backlog that worries nobody.
    pub(super) fn note_backlog(&mut self, at: At, waiting: u64) {
        if waiting >= self.usual(at) {
            (self.peak, self.peaked_at) = (waiting, at);
        }
    }

    /// The largest backlog lately, less with time.
    pub(super) fn usual(&self, at: At) -> u64 {
        let left = REMEMBERED.as_ms().saturating_sub(at.since(self.peaked_at).as_ms());
        u64::try_from(u128::from(self.peak) * u128::from(left) / u128::from(REMEMBERED.as_ms())).unwrap_or(u64::MAX)
    }

    /// When nothing is left of the quota, if it goes on as it did lately. `None`: not at all, or there is no pace yet.
    pub(super) fn ends_at(&self, at: At, remaining: u64) -> Option<At> {
        let (since, first) = *self.points.front()?;
        let (took, used) = (at.since(since), first.checked_sub(remaining).filter(|used| *used > 0)?);
        let left = u128::from(remaining) * u128::from(took.as_ms()) / u128::from(used);
        (took >= PACE_OF).then(|| at.plus(Span::from_ms(u64::try_from(left).unwrap_or(u64::MAX))))
    }
}

/// How bad `sign` is: 0 is well, and more is worse. `worried`: whether its concern stands already, and so has further to go before it is over.
pub(super) fn level(sign: &Sign, by: &Signs, past: &Past, at: At, worried: bool) -> u8 {
    match sign {
        Sign::Standing { state: Standing::Good, .. } => 0,
        Sign::Standing { state: Standing::Warned, .. } => WARNED,
        Sign::Standing { state: Standing::Stopped, .. } => STOPPED,
        // No limit is no share.
        Sign::Quota { limit: Some(0), .. } => 0,
        Sign::Quota { remaining, limit, .. } => {
            let scarce = scarce(*remaining, *limit, by, worried);
            if scarce > 0 { scarce } else { u8::from(ends_early(sign, past, at, worried).is_some()) }
        }
        Sign::Backlog { waiting } => {
            let edge = edge_of_backlog(by, past, at);
            let over = if worried { *waiting > edge / 2 } else { *waiting >= edge };
            let tens = |n: u64| *waiting >= edge.saturating_mul(n);
            u8::from(over) + u8::from(over && tens(10)) + u8::from(over && tens(100))
        }
        Sign::Reputation { percent } => {
            let edge = u64::from(by.reputation);
            let over = if worried { *percent < edge + 100_u64.saturating_sub(edge) / 5 } else { *percent < edge };
            u8::from(over) + u8::from(over && *percent < edge / 2)
        }
    }
}

/// From how many mails on a backlog worries.
pub(super) fn edge_of_backlog(by: &Signs, past: &Past, at: At) -> u64 {
    u64::from(by.backlog).max(past.usual(at).saturating_mul(2).saturating_add(1)).max(1)
}

/// How little is left of a quota: nothing is 4, a quarter of the edge 3, less than the edge 2; 1 is more than that, but not enough for a
/// worry to be over.
fn scarce(remaining: u64, limit: Option<u64>, by: &Signs, worried: bool) -> u8 {
    let (left, edge, enough) = match limit {
        Some(limit) => (remaining as f64 / limit.max(1) as f64, by.quota, by.quota + (1.0 - by.quota) / 8.0),
        None => (remaining as f64, f64::from(by.credits), f64::from(by.credits) * 2.0),
    };
    let below = |edge: f64| left < edge - FINEST;
    if !below(edge) {
        return u8::from(worried && below(enough));
    }
    if remaining == 0 { 4 } else { 2 + u8::from(below(edge / 4.0)) }
}

/// When a quota ends, if that is too early at the present pace.
pub(super) fn ends_early(sign: &Sign, past: &Past, at: At, worried: bool) -> Option<At> {
    let Sign::Quota { remaining, limit, renews_at } = sign else { return None };
    // Just after it was renewed, any burst would look like the end.
    if limit.is_some_and(|limit| *remaining > limit / 2) {
        return None;
    }
    let renews_at = renews_at.filter(|renews| *renews > at);
    let slack = match (renews_at, worried) {
        (Some(renews), true) => renews.plus(renews.since(at).scaled(1, 4)),
        (Some(renews), false) => renews,
        (None, true) => at.plus(SOON.scaled(2, 1)),
        (None, false) => at.plus(SOON),
    };
    past.ends_at(at, *remaining).filter(|ends| *ends < slack)
}

/// Whether a sign alone, without a past, is a reason to warn.
#[must_use]
pub fn is_early(sign: &Sign, by: &Signs) -> bool {
    level(sign, by, &Past::default(), At::default(), false) > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn at(minutes: u64) -> At {
        At::from_ms(1_700_000_000_000).plus(Span::from_ms(minutes * MINUTE))
    }

    fn quota(remaining: u64, limit: Option<u64>, renews_at: Option<At>) -> Sign {
        Sign::Quota { remaining, limit, renews_at }
    }

    /// The level of a sign that has no past.
    fn alone(sign: &Sign, worried: bool) -> u8 {
        level(sign, &Signs::default(), &Past::default(), at(0), worried)
    }

    #[test]
    fn edges_differ_by_direction() {
        let of = |remaining| quota(remaining, Some(1000), None);
        assert_eq!([200, 199, 49, 0].map(|n| alone(&of(n), false)), [0, 2, 3, 4]);
        assert_eq!([300, 299, 199].map(|n| alone(&of(n), true)), [0, 1, 2]);
        let credits = |remaining| quota(remaining, None, None);
        assert_eq!([100, 99, 24, 0].map(|n| alone(&credits(n), false)), [0, 2, 3, 4]);
        assert_eq!([200, 199].map(|n| alone(&credits(n), true)), [0, 1]);
        let reputation = |percent| Sign::Reputation { percent };
        assert_eq!([40, 39, 19].map(|n| alone(&reputation(n), false)), [0, 1, 2]);
        assert_eq!([52, 51].map(|n| alone(&reputation(n), true)), [0, 1]);
        let backlog = |waiting| Sign::Backlog { waiting };
        assert_eq!([9, 10, 100, 1000].map(|n| alone(&backlog(n), false)), [0, 1, 2, 3]);
        assert_eq!([5, 6].map(|n| alone(&backlog(n), true)), [0, 1]);
        for (state, expected) in [(Standing::Good, 0), (Standing::Warned, 5), (Standing::Stopped, 6)] {
            assert_eq!(alone(&Sign::Standing { state, word: String::new() }, false), expected);
        }
    }

    #[test]
    fn nothing_overflows_and_no_limit_is_no_share() {
        let max = u64::MAX;
        for (sign, expected) in [
            (quota(max, Some(max), Some(At::from_ms(i64::MAX))), 0),
            (quota(0, Some(max), Some(At::from_ms(i64::MIN))), 4),
            (quota(0, Some(0), None), 0),
            (quota(max, None, None), 0),
            (quota(max, Some(1), None), 0),
            (Sign::Backlog { waiting: max }, 3),
            (Sign::Reputation { percent: max }, 0),
        ] {
            assert_eq!(alone(&sign, false), expected, "{sign:?}");
            let mut past = Past::default();
            past.note_quota(At::from_ms(i64::MIN), max, Some(max));
            past.note_quota(At::from_ms(i64::MAX), 1, None);
            past.note_backlog(At::from_ms(i64::MAX), max);
            for worried in [true, false] {
                let _ = level(&sign, &Signs::default(), &past, At::from_ms(i64::MAX), worried);
            }
        }
    }

    /// A quota of 10,000 that is used up by so many a minute, read every quarter of an hour.
    fn used(first: u64, a_minute: u64, minutes: u64) -> (Past, u64) {
        let mut past = Past::default();
        let left = |minute: u64| first.saturating_sub(minute * a_minute);
        (0..=minutes).step_by(15).for_each(|minute| past.note_quota(at(minute), left(minute), Some(10_000)));
        (past, left(minutes))
    }

    #[test]
    fn a_quota_that_ends_before_it_renews_is_seen_coming() {
        let (past, left) = used(5000, 20, 60);
        let early = |hours: u64, worried| ends_early(&quota(left, Some(10_000), Some(at(60 + hours * 60))), &past, at(60), worried);
        // 3,800 are left at 20 a minute: 190 minutes.
        assert_eq!(early(4, false), Some(at(60 + 190)));
        assert_eq!(early(3, false), None);
        assert_eq!(early(3, true), Some(at(60 + 190)), "it is not over yet");
        assert_eq!(early(2, true), None);
        // Where nobody says when it renews, within hours.
        assert!(ends_early(&quota(left, Some(10_000), None), &past, at(60), false).is_some());
        let (slow, left) = used(5000, 5, 60);
        assert_eq!(ends_early(&quota(left, Some(10_000), None), &slow, at(60), false), None);
        assert_eq!(ends_early(&quota(left, None, None), &slow, at(60), false), None);
    }

    #[test]
    fn a_burst_a_renewal_and_a_full_quota_are_no_pace() {
        let (burst, left) = used(5000, 100, 15);
        assert_eq!(burst.ends_at(at(15), left), None, "too short");
        let (full, left) = used(10_000, 80, 60);
        assert_eq!(ends_early(&quota(left, Some(10_000), Some(at(3000))), &full, at(60), false), None, "more than half is left");
        let (mut renewed, _) = used(5000, 20, 60);
        renewed.note_quota(at(75), 10_000, Some(10_000));
        renewed.note_quota(at(90), 9900, Some(10_000));
        assert_eq!(renewed.ends_at(at(90), 9900), None);
        // A rolling window gives some back now and then.
        let (mut rolling, left) = used(5000, 20, 60);
        rolling.note_quota(at(75), left + 100, Some(10_000));
        assert!(rolling.ends_at(at(75), left + 100).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut past = Past::default();
        for second in 0..200_000_u64 {
            past.note_quota(At::from_ms(0).plus(Span::from_secs(second)), 1_000_000 - second, Some(1_000_000));
        }
        assert!(past.points.len() <= 37, "{}", past.points.len());
    }

    #[test]
    fn a_backlog_is_held_against_what_was_seen_before() {
        let by = Signs::default();
        let mut past = Past::default();
        past.note_backlog(at(0), 60);
        past.note_backlog(at(15), 3);
        let of = |past: &Past, minutes, waiting| level(&Sign::Backlog { waiting }, &by, past, at(minutes), false);
        assert_eq!((of(&past, 30, 100), of(&past, 30, 121)), (0, 1));
        // It is forgotten.
        let week = 7 * 24 * 60;
        assert_eq!((of(&past, week / 2, 59), of(&past, week / 2, 62)), (0, 1));
        assert_eq!((of(&past, week + 1, 9), of(&past, week + 1, 10)), (0, 1));
    }
}
