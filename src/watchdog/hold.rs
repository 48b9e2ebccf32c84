//! How long a page waits: learnt from the alarms of the same culprit that resolved themselves.
//!
//! Queues stall for minutes and recover; no detector can tell that silence from an outage before it has lasted longer than stalls do.
//! Alarms that resolve themselves come with a rate (Gamma) and last a time with a heavy tail (Lomax); the page waits until no more of them
//! than the promise allows would still last.
//!
//! Before much was sent, nobody knows how long mail takes here: then a page waits until what is missing is older than what came was, too.

use serde::{Deserialize, Serialize};

use super::alarm::Alarm;
use super::canary::Canary;
use super::drift;
use super::plan::Plan;
use super::state::State;
use crate::model::{At, Culprit, Kind, Span};

/// Fewer than this many alarms that resolved themselves are no habit.
const HABIT: f64 = 1.5;
/// Before any alarm, this is what one is thought to last: part of the tail's scale.
const FIRST_GUESS_MS: f64 = 60_000.0;
/// Half of the promise goes to alarms that resolve themselves, the rest to everything else.
const SHARE: f64 = 0.5;
/// A page waits no longer than the longest of them, times this.
const BEYOND: f64 = 1.5;
/// The rate is thought to have been watched for this much longer, in years: a bad day is no habit.
const EXPOSURE_YEARS: f64 = 0.25;
/// An alarm that follows another within this time is the same spell.
const SAME_SPELL: Span = Span::from_secs(1800);
/// So many canaries a route, and it is known how long mail takes…
const KNOWN_AFTER: u64 = 240;
/// …so many, and what is lost can be told from what is late…
const SORTED_AFTER: u64 = 60;
/// …and before so many, nothing is known.
const UNKNOWN_BEFORE: u64 = 8;
/// Until it is known, nothing is missed that is younger than four in five of those that came, times this.
const PATIENCE: u64 = 2;
/// So many routes of a culprit tell.
const LOOKED_AT: usize = 64;
/// If more than one in so many of those that were sent before is missing, too, what came tells nothing: it was the quickest.
const FEW: usize = 7;
/// Of several alarms within so long one counts: a bad day is no habit.
const ONE_DAY: Span = Span::from_secs(24 * 3600);
/// What is remembered weighs half as much after a year.
const HALF_LIFE_MS: f64 = 365.25 * 86_400_000.0;

/// What an alarm is about, as far as its duration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    Stop,
    Loss,
    Slow,
}

impl Sort {
    /// The kind of incident that it is told as.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Stop => Kind::Stopped,
            Self::Loss => Kind::Loss,
            Self::Slow => Kind::Slow,
        }
    }

    /// The other way round.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        [Self::Stop, Self::Loss, Self::Slow].into_iter().find(|sort| sort.kind() == kind)
    }

    /// An incident that was told and lasted longer than this was real; a shorter one resolved itself.
    pub(super) const fn real_after(self) -> Span {
        match self {
            Self::Stop => Span::from_secs(1200),
            Self::Loss | Self::Slow => Span::from_secs(3600),
        }
    }
}

/// The alarms of one culprit that resolved themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Habit {
    pub(super) culprit: Culprit,
    pub(super) sort: Sort,
    /// How many, decayed.
    count: f32,
    /// How long they lasted together, in milliseconds, decayed.
    lasted_ms: f32,
    /// The longest of them, in milliseconds, decayed.
    longest_ms: f32,
    /// When the newest of them began, and ended.
    newest: (At, At),
    /// When the newest that counts began.
    #[serde(default)]
    counted: At,
}

impl Habit {
    pub(super) const fn new(culprit: Culprit, sort: Sort, at: At) -> Self {
        Self { culprit, sort, count: 0.0, lasted_ms: 0.0, longest_ms: 0.0, newest: (at, at), counted: at }
    }

    /// Another one; or, if it follows soon, more of the last.
    pub(super) fn add(&mut self, from: At, to: At) {
        if self.count > 0.0 && from.since(self.newest.1) < SAME_SPELL {
            // Of what does not count its return does not, either.
            self.lasted_ms += if self.counted == self.newest.0 { to.since(self.newest.1).as_ms() as f32 } else { 0.0 };
        } else {
            let fade = fade(to.since(self.newest.1)) as f32;
            let counts = self.count == 0.0 || from.since(self.counted) >= ONE_DAY;
            let (one, lasted) = if counts { (1.0, to.since(from).as_ms() as f32) } else { (0.0, 0.0) };
            self.count = self.count * fade + one;
            self.lasted_ms = self.lasted_ms * fade + lasted;
            self.longest_ms *= fade;
            self.newest.0 = from;
            self.counted = if counts { from } else { self.counted };
        }
        self.newest.1 = to;
        self.longest_ms = self.longest_ms.max(to.since(self.newest.0).as_ms() as f32);
    }
}

fn fade(age: Span) -> f64 {
    (-(age.as_ms() as f64) / HALF_LIFE_MS).exp2()
}

/// When a page for an alarm may go out, by what was learnt and by what the configuration says.
pub(super) fn over_at(plan: &Plan, state: &State, alarm: &Alarm, now: At) -> At {
    let (since, (at_least, at_most)) = (alarm.since, plan.hold);
    learnt(plan, state, alarm).max(known_at(plan, state, alarm, now)).max(since.plus(at_least)).min(since.plus(at_most))
}

/// When it is known that something is missing, whatever was learnt of alarms.
pub(super) fn known_at(plan: &Plan, state: &State, alarm: &Alarm, now: At) -> At {
    missed_at(plan, state, alarm).max(drift::excluded_at(plan, state, alarm, now))
}

fn learnt(plan: &Plan, state: &State, alarm: &Alarm) -> At {
    let since = alarm.since;
    let Some(habit) = state.habits.iter().find(|h| h.culprit == alarm.culprit && h.sort == alarm.sort) else { return since };
    // What comes back soon has lasted since it began.
    let again = since.since(habit.newest.1) < SAME_SPELL;
    let began = if again { habit.newest.0 } else { since };
    began.plus(of(plan, state, habit, state.at)).max(since)
}

/// Before much was sent: when what is missing is old enough to be missed. What came by then was the quickest, so that a partial loss waits
/// for the deadline, and so does silence where little ever came. Mail that was refused is not awaited.
fn missed_at(plan: &Plan, state: &State, alarm: &Alarm) -> At {
    let Some(suspect) = plan.suspect(&alarm.culprit).and_then(|s| plan.suspects.get(s)) else { return alarm.since };
    let some = suspect.routes.iter().step_by(suspect.routes.len().div_ceil(LOOKED_AT).max(1));
    let routes = || some.clone().filter_map(|slot| state.routes.get(*slot)).filter(|r| r.serial > 0);
    // Confirmations come in rows: rounds tell better how much was seen.
    let rounds = state.began.map_or(0, |b| state.at.since(b.at).as_ms()) / plan.every.as_ms().max(1);
    let sent = routes().map(|r| u64::from(r.serial)).max().unwrap_or(0).min(rounds);
    if sent >= if alarm.sort == Sort::Stop { KNOWN_AFTER } else { SORTED_AFTER } {
        return alarm.since;
    }
    let deadline = suspect.routes.iter().filter_map(|slot| plan.routes.get(*slot)).map(|r| r.deadline).min().unwrap_or_default();
    let (mut took, mut missed, mut missing, mut oldest) = (Vec::new(), 0, None::<At>, None::<At>);
    for route in routes() {
        // What an incident has judged that is over is missed no more.
        let judged = |c: &Canary| route.judged_before.is_some_and(|before| c.sent_at() < before);
        let mut row = true;
        for canary in route.canaries.iter().rev().filter(|c| !c.is_set_aside() && !c.refused()) {
            if let Some(latency) = canary.latency() {
                took.push(latency);
                row = false;
            } else if !judged(canary) {
                oldest = Some(oldest.map_or(canary.sent_at(), |at| at.min(canary.sent_at())));
                if row {
                    missing = Some(missing.map_or(canary.sent_at(), |at| at.min(canary.sent_at())));
                } else {
                    missed += 1;
                }
            }
        }
    }
    let Some(oldest) = oldest else { return alarm.since };
    if alarm.sort != Sort::Stop || sent < UNKNOWN_BEFORE || missed * FEW > took.len() {
        return oldest.plus(deadline);
    }
    took.sort_unstable();
    let usual = took.get(took.len() * 4 / 5).copied().unwrap_or(deadline);
    missing.map_or(alarm.since, |first| first.plus(usual.scaled(PATIENCE, 1).min(deadline)))
}

/// How long after its alarm a page waits.
fn of(plan: &Plan, state: &State, habit: &Habit, now: At) -> Span {
    let Some(began) = state.began else { return Span::ZERO };
    let faded = fade(now.since(habit.newest.1));
    let count = f64::from(habit.count) * faded;
    if count < HABIT {
        return Span::ZERO;
    }
    let years = (1.0 - fade(now.since(began.at))) / std::f64::consts::LN_2;
    let rate = (0.5 + count) / (EXPOSURE_YEARS + years);
    let budget = SHARE * plan.false_pages;
    let scale = FIRST_GUESS_MS + f64::from(habit.lasted_ms) * faded;
    let wait = scale * ((rate / budget).max(1.0).powf(1.0 / (1.0 + count)) - 1.0);
    // Alarms tell nothing of what is much longer than the longest of them.
    let known = f64::from(habit.longest_ms) * BEYOND;
    Span::from_ms(wait.min(known).max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_alarms_of_one_day_count_once() {
        let hours = |n: u64| At::from_ms(1_700_000_000_000).plus(Span::from_secs(3600 * n));
        let mut habit = Habit::new(Culprit::Watcher {}, Sort::Loss, hours(0));
        [0, 2, 5, 9].into_iter().for_each(|n| habit.add(hours(n), hours(n).plus(Span::from_secs(1200))));
        habit.add(hours(9).plus(Span::from_secs(1800)), hours(9).plus(Span::from_secs(2400)));
        assert!(f64::from(habit.count) < HABIT && habit.lasted_ms < 1_200_001.0, "{habit:?}");
        habit.add(hours(30), hours(30).plus(Span::from_secs(600)));
        assert!(f64::from(habit.count) > HABIT && habit.lasted_ms < 1_800_001.0, "{habit:?}");
    }
}
