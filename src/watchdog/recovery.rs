//! Recovery: when health is the better explanation of what was sent since an alarm.

use super::alarm::Alarm;
use super::beside;
use super::common;
use super::evidence;
use super::hold::Sort;
use super::hypothesis::{self, Factors};
use super::plan::Plan;
use super::state::State;
use crate::model::At;

/// Nats for health against the three larger losses that the end of a stop needs: five arrivals, and no canary missing since…
const AFTER_STOP: [f64; 3] = [7.8, 4.0, 1.75];
/// …or two, where none can be asked for.
const AFTER_STOP_UNASKED: [f64; 3] = [7.8, 1.8, 0.7];
/// What was sent since the first arrival and is missing again raises a doubt: perhaps mail was lost in part all the time.
const AFTER_DOUBT: [f64; 3] = [7.8, 7.0, 4.6];
/// It is missing if no more than this share of healthy mail takes longer.
const MISSING: f64 = 0.1;
/// And against delays: mail that was held and comes in one burst is no sign of health.
const NOT_SLOW: f64 = 2.0;
/// After a partial loss or a delay a few arrivals prove nothing: ln of the canaries of one route for each false recovery. Where more
/// routes are looked at, more of them come together.
const AFTER_PART: f64 = 8.5;

/// And for health against the smallest loss: what is lost in part by less than was thought goes on.
const NOT_A_LITTLE: f64 = 5.0;

/// And that mail is no later than it was by these, in buckets, 2.8 to 5.7 times: what slows down less than at first is late still…
const LATE_STILL: [u32; 3] = [12, 16, 20];
/// …by so many nats.
const NOT_LATE: f64 = 5.0;
/// Arrivals on each route that tell of that, the newest.
const NEWEST: usize = 32;

/// Whether the alarm is over.
pub(super) fn is_over(plan: &Plan, state: &State, alarm: &Alarm) -> bool {
    if alarm.arrivals < 2 {
        return false;
    }
    let Some(suspect) = plan.suspect(&alarm.culprit).and_then(|s| plan.suspects.get(s)) else { return true };
    let telling = beside::telling(plan, state, &alarm.culprit, &suspect.routes);
    let mine = telling.iter().filter_map(|slot| state.routes.get(*slot));
    let live = mine.filter(|r| state.sees(&r.route.inbox) && r.serial > 0 && !r.is_suppressed());
    let mut open: Vec<(At, Factors)> = Vec::new();
    let mut doubt = false;
    for route in live {
        if route.good_sent_at.is_none_or(|at| at < alarm.blamed_at) {
            return false;
        }
        let Some(horizon) = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i)) else { continue };
        let sent = route.flying.iter().filter(|f| f.counted && f.sent_at >= alarm.blamed_at);
        for flying in sent {
            let age = horizon.since(flying.sent_at);
            doubt |= alarm.first_arrival.is_some_and(|first| flying.sent_at >= first) && route.survival.at(age) <= MISSING;
            open.push((flying.sent_at, hypothesis::silent(&route.survival, age)));
        }
    }
    open.sort_by_key(|(at, _)| *at);
    let sums = alarm.trial.recovery(&open);
    let [stop, most, some, least, delays @ ..] = sums;
    let reached = |needed: &[f64; 3]| [stop, most, some].iter().zip(needed).all(|(sum, n)| sum >= n);
    let swift = |needed: f64| delays.iter().all(|sum| *sum >= needed);
    let after_stop = match (doubt, plan.confirmations > 0.0) {
        (true, _) => &AFTER_DOUBT,
        (false, true) => &AFTER_STOP,
        (false, false) => &AFTER_STOP_UNASKED,
    };
    let after_part = AFTER_PART + (suspect.routes.len() as f64).ln();
    // A stop on top of a loss leaves the loss behind.
    let was_loss = alarm.was.is_some_and(|(_, before)| before == Sort::Loss);
    match alarm.sort {
        Sort::Stop if !was_loss => reached(after_stop) && swift(NOT_SLOW),
        Sort::Stop | Sort::Loss => reached(&[after_part; 3]) && least >= NOT_A_LITTLE && swift(NOT_SLOW),
        Sort::Slow => reached(after_stop) && swift(after_part) && is_in_time(state, alarm, &telling),
    }
}

/// Whether what arrived of what was sent since an alarm is no later than it was before, summed from where that speaks for it most.
fn is_in_time(state: &State, alarm: &Alarm, routes: &[usize]) -> bool {
    let mut said: Vec<(At, [f64; LATE_STILL.len()])> = Vec::new();
    for route in routes.iter().filter_map(|slot| state.routes.get(*slot)) {
        let sent = route.canaries.iter().rev().take_while(|c| c.sent_at() >= alarm.blamed_at);
        let newest = sent.filter_map(|c| Some((c.sent_at(), c.latency()?))).take(NEWEST);
        said.extend(newest.map(|(at, took)| (at, LATE_STILL.map(|by| hypothesis::arrived_later(&route.survival, took, by).ln()))));
    }
    said.sort_by_key(|(at, _)| *at);
    let mut sums = [0.0_f64; LATE_STILL.len()];
    for (_, late) in said {
        sums.iter_mut().zip(late).for_each(|(sum, late)| *sum = (*sum - late).max(0.0));
    }
    sums.iter().all(|sum| *sum >= NOT_LATE)
}

/// Whether it has come out that an alarm is nobody's failure: every provider refused alike, or a seed is suppressed.
pub(super) fn is_explained(plan: &Plan, state: &State, alarm: &Alarm) -> bool {
    common::was_of_all(state, alarm) || is_of_seeds(plan, state, alarm)
}

/// Whether an alarm was for mail that its provider never sent, because it suppresses a seed: that has come out since, and nothing else is
/// missing.
fn is_of_seeds(plan: &Plan, state: &State, alarm: &Alarm) -> bool {
    let Some(suspect) = plan.suspect(&alarm.culprit).and_then(|s| plan.suspects.get(s)) else { return false };
    let routes = || suspect.routes.iter().filter_map(|slot| Some((*slot, state.routes.get(*slot)?)));
    let found = routes().any(|(_, r)| r.suppressed.as_ref().is_some_and(|s| s.found_at >= alarm.since));
    found && routes().all(|(slot, r)| r.is_suppressed() || evidence::tally(plan, state, slot).row == 0)
}
