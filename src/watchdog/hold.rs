//! How long a page waits: learnt from the alarms of the same culprit that resolved themselves.
//!
//! Queues stall for minutes and recover; no detector can tell that silence from an outage before it has lasted longer than stalls do.
//! Alarms that resolve themselves come with a rate (Gamma) and last a time with a heavy tail (Lomax); the page waits until no more of them
//! than the promise allows would still last.

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::state::State;
use crate::model::{At, Culprit, Span};

/// A page waits no longer than this, whatever was learnt.
const CEILING: Span = Span::from_secs(2 * 3600);
/// Fewer than this many alarms that resolved themselves are no habit.
const HABIT: f64 = 1.5;
/// Before any alarm, this is what one is thought to last: part of the tail's scale.
const FIRST_GUESS_MS: f64 = 60_000.0;
/// Half of the promise goes to alarms that resolve themselves, the rest to everything else.
const SHARE: f64 = 0.5;
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
    /// An incident that was told and lasted longer than this was real; a shorter one resolved itself.
    pub(super) const fn real_after(self) -> Span {
        match self {
            Self::Stop => Span::from_secs(600),
            Self::Loss | Self::Slow => Span::from_secs(1800),
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
    at: At,
}

impl Habit {
    pub(super) const fn new(culprit: Culprit, sort: Sort, at: At) -> Self {
        Self { culprit, sort, count: 0.0, lasted_ms: 0.0, at }
    }

    pub(super) fn add(&mut self, at: At, lasted: Span) {
        let fade = (-(at.since(self.at).as_ms() as f64) / HALF_LIFE_MS).exp2() as f32;
        self.count = self.count * fade + 1.0;
        self.lasted_ms = self.lasted_ms * fade + lasted.as_ms() as f32;
        self.at = at;
    }
}

/// How long after its alarm a page for `culprit` waits.
pub(super) fn of(plan: &Plan, state: &State, culprit: &Culprit, sort: Sort, now: At) -> Span {
    let Some(habit) = state.habits.iter().find(|h| h.culprit == *culprit && h.sort == sort) else { return Span::ZERO };
    let Some(began) = state.began else { return Span::ZERO };
    let fade = (-(now.since(habit.at).as_ms() as f64) / HALF_LIFE_MS).exp2();
    let count = f64::from(habit.count) * fade;
    if count < HABIT {
        return Span::ZERO;
    }
    let years = (1.0 - (-(now.since(began.at).as_ms() as f64) / HALF_LIFE_MS).exp2()) / std::f64::consts::LN_2;
    let rate = (0.5 + count) / (1.0 + years);
    let budget = SHARE * plan.false_pages;
    let scale = FIRST_GUESS_MS + f64::from(habit.lasted_ms) * fade;
    let wait = scale * ((rate / budget).powf(1.0 / (1.0 + count)) - 1.0);
    Span::from_ms(wait.max(0.0) as u64).min(CEILING)
}
