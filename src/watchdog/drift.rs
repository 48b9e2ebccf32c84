//! Whether mail may merely take a little longer than it did: twice, three times. Nobody need get up for that, and its first half minute
//! looks like a stop; so nobody is told before it can be excluded.

use super::alarm::Alarm;
use super::hypothesis::{arrived_not_slower, silent_not_slower};
use super::plan::Plan;
use super::sorting;
use super::state::State;
use crate::model::{At, Span};

/// So much longer is no failure: by 1.8 and by 3, in buckets of an eighth of an octave.
const LITTLE: [u32; 2] = [7, 13];
/// Nats for what the alarm is about, against that, of one route…
const EXCLUDED_AT: f64 = 2.5;
/// …and so much more for the logarithm of the routes: where more are looked at, more of them come together.
const OF_MANY: f64 = 2.5;
/// Canaries sent so long before an alarm may have been its first victims.
const ONSET: Span = Span::from_secs(600);
/// Between two looks.
const LOOK_AGAIN: Span = Span::from_ms(500);
/// So many routes of a culprit tell.
const LOOKED_AT: usize = 256;

/// When it can be told that an alarm is about more than that: it is by now, or a moment from now.
pub(super) fn excluded_at(plan: &Plan, state: &State, alarm: &Alarm, now: At) -> At {
    if is_excluded(plan, state, alarm) { alarm.since } else { now.plus(LOOK_AGAIN) }
}

fn is_excluded(plan: &Plan, state: &State, alarm: &Alarm) -> bool {
    let Some(index) = plan.suspect(&alarm.culprit) else { return true };
    let (Some(suspect), Some(standing)) = (plan.suspects.get(index), state.standings.get(index)) else { return true };
    // A stop is the first way.
    let way = sorting::likeliest(alarm.sort, standing).unwrap_or(0);
    let from = alarm.since.minus(ONSET);
    let mut said: Vec<(At, [f64; 2])> = Vec::new();
    let some = suspect.routes.iter().step_by(suspect.routes.len().div_ceil(LOOKED_AT).max(1));
    for route in some.filter_map(|slot| state.routes.get(*slot)).filter(|r| !r.is_suppressed()) {
        // What is refused does not take longer.
        if route.refusal.is_some() {
            return true;
        }
        let horizon = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i));
        for canary in route.canaries.iter().rev().take_while(|c| c.sent_at() >= from).filter(|c| !c.is_set_aside() && !c.refused()) {
            let ratio = |by| match (canary.latency(), horizon) {
                (Some(latency), _) => arrived_not_slower(&route.survival, latency, way, by),
                (None, Some(horizon)) => silent_not_slower(&route.survival, horizon.since(canary.sent_at()), way, by),
                (None, None) => 1.0,
            };
            said.push((canary.sent_at(), LITTLE.map(|by| ratio(by).ln())));
        }
    }
    said.sort_by_key(|(at, _)| *at);
    // From where it most likely began.
    let mut sums = [0.0_f64; 2];
    for (_, nats) in said {
        sums.iter_mut().zip(nats).for_each(|(sum, z)| *sum = (*sum + z).max(0.0));
    }
    let needed = EXCLUDED_AT + OF_MANY * (suspect.routes.len().max(1) as f64).ln();
    sums.iter().all(|sum| *sum >= needed)
}
