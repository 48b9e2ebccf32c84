//! What canaries in flight say by their silence, and when silence alone brings the evidence to where it matters.

use super::flight::RouteState;
use super::hypothesis::{self, Factors, WAYS, mixture};
use super::plan::Plan;
use super::sequence::Sequence;
use crate::model::{At, Span};

/// Between two looks at the same silence.
const LOOK_AGAIN: Span = Span::from_ms(100);
/// Looks ahead in one weighing.
const STEPS_AHEAD: usize = 16;
/// Evidence of suspects that overlap adds up: this much below its own alarm a suspect is watched closely.
const CLOSE: f64 = 1.0;
/// Above its alarm, evidence that could decide between two suspects is still of use.
pub(super) const DECIDES: f64 = 4.0;

/// A canary in flight.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) sent_at: At,
    /// Up to when its inbox was read.
    pub(super) horizon: At,
    /// By how much its inbox is read later than others.
    pub(super) lag: Span,
    /// Whether its inbox can be read.
    pub(super) sees: bool,
    /// Its route.
    pub(super) slot: usize,
}

impl Waiting {
    /// What it says if it is still out at `at`.
    pub(super) fn says(&self, routes: &[RouteState], at: At) -> Factors {
        routes.get(self.slot).map_or([1.0; WAYS], |route| hypothesis::silent(&route.survival, at.since(self.sent_at)))
    }

    /// What it will say if it is still out then.
    fn will_say(&self, routes: &[RouteState], at: At) -> Factors {
        self.says(routes, at.minus(self.lag).max(self.horizon))
    }

    /// The most that it can ever say.
    fn says_at_last(&self, routes: &[RouteState]) -> Factors {
        routes.get(self.slot).map_or([1.0; WAYS], |route| hypothesis::silent_for_ever(&route.survival))
    }
}

/// The next level that matters.
pub(super) fn target(plan: &Plan, level: f64, alarm: f64) -> Option<f64> {
    let targets = plan.asks.into_iter().chain([alarm - CLOSE, alarm, alarm + DECIDES]);
    let next = targets.filter(|t| *t > level + 1e-3).fold(f64::INFINITY, f64::min);
    (next < f64::INFINITY).then_some(next)
}

/// When silence brings the level to `target`: steps that double until it is there, then by halving. `None`: never.
pub(super) fn foresee(
    routes: &[RouteState],
    evidence: &Sequence,
    target: f64,
    waiting: &[Waiting],
    open: &mut [(At, Factors)],
    read: At,
) -> Option<At> {
    let at_last = |open: &mut [(At, Factors)]| {
        for (waits, (_, factors)) in waiting.iter().zip(open) {
            if waits.sees {
                *factors = waits.says_at_last(routes);
            }
        }
    };
    at_last(open);
    let target = target.exp();
    if mixture(&evidence.failure(open)) < target {
        return None;
    }
    let mut level_at = |at: At| {
        for (waits, (_, factors)) in waiting.iter().zip(open.iter_mut()) {
            *factors = if waits.sees { waits.will_say(routes, at) } else { waits.says(routes, waits.horizon) };
        }
        mixture(&evidence.failure(open))
    };
    let (mut before, mut step) = (read, LOOK_AGAIN);
    for _ in 0..STEPS_AHEAD {
        let mut after = before.plus(step);
        if level_at(after) >= target {
            while after.since(before) > LOOK_AGAIN {
                let middle = before.plus(after.since(before).scaled(1, 2));
                if level_at(middle) >= target { after = middle } else { before = middle }
            }
            return Some(after);
        }
        before = after;
        step = step.scaled(2, 1);
    }
    Some(before)
}
