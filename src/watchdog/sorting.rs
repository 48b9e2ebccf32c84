//! What an alarm is about by now: mail that stopped, is lost in part, or is late. Early silence looks the same for all of them.
//!
//! Only what was sent since the first arrival tells: what was sent before may have been lost, or held, by a stop that is over.

use super::alarm::{Alarm, Standing};
use super::flight::RouteState;
use super::hold::Sort;
use super::hypothesis::{self, Nats, WAYS};
use super::plan::Plan;
use super::record::Fact;
use super::state::State;
use crate::model::{At, Span};

/// The newest canaries of each route that are looked at.
const NEWEST: usize = 16;
/// So many must have been sent since.
const ENOUGH: usize = 5;
/// Nats for one sort against health, and…
const CLEAR: f64 = 4.0;
/// …against what it is called now.
const CLEARER: f64 = 2.0;
/// Nats for silence of everything against what the alarm was about, of each route: nothing arrives any more.
const NOTHING_ARRIVES: f64 = 8.0;
/// Canaries that say so.
const SILENT: usize = 3;
/// The first way that is a delay.
const SLOW: usize = 4;
/// Alarms over more routes than this keep what they were raised as.
const ROUTES_AT_MOST: usize = 256;

/// What has become clear of an alarm, if it is not what it is called.
pub(super) fn resort(plan: &Plan, state: &State, alarm: &Alarm) -> Option<Fact> {
    let suspect = plan.suspects.get(plan.suspect(&alarm.culprit)?)?;
    let first = alarm.first_arrival?;
    if suspect.routes.len() > ROUTES_AT_MOST {
        return None;
    }
    let sees = |r: &&RouteState| state.sees(&r.route.inbox);
    let mut said: Vec<(At, bool, Nats)> = Vec::new();
    // Where some routes deliver, the others were silent before: they do not tell that it is more by now.
    let mut alive: Vec<(At, bool, Nats)> = Vec::new();
    for route in suspect.routes.iter().filter_map(|slot| state.routes.get(*slot)).filter(sees) {
        let horizon = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i));
        let from = said.len();
        said.extend(newest(route, first, horizon));
        let own = said.get(from..).unwrap_or_default();
        if own.iter().any(|(_, arrived, _)| *arrived) {
            alive.extend_from_slice(own);
        }
    }
    let standing = state.standings.get(plan.suspect(&alarm.culprit)?)?;
    let telling = if alive.is_empty() { &said } else { &alive };
    let silent = likeliest(alarm.sort, standing).is_some_and(|way| is_silent(way, telling, suspect.routes.len()));
    let sort = if silent { Sort::Stop } else { in_part(alarm.sort, &said)? };
    (sort != alarm.sort).then(|| Fact::Sorted { culprit: alarm.culprit.clone(), kind: sort.kind() })
}

/// What the newest canaries of a route say that were sent since.
fn newest(route: &RouteState, since: At, horizon: Option<At>) -> impl Iterator<Item = (At, bool, Nats)> {
    let sent = route.canaries.iter().rev().take_while(move |c| c.sent_at >= since).filter(|c| !c.set_aside && !c.refused());
    sent.take(NEWEST).filter_map(move |canary| {
        let Some(latency) = canary.latency() else {
            let age = horizon?.since(canary.sent_at);
            return (age > Span::ZERO).then(|| (canary.sent_at, false, hypothesis::silent(&route.survival, age).map(f64::ln)));
        };
        Some((canary.sent_at, true, hypothesis::arrived(&route.survival, latency).map(f64::ln)))
    })
}

/// Which of the ways of its sort explains an alarm best, all in all.
pub(super) fn likeliest(sort: Sort, standing: &Standing) -> Option<usize> {
    let ways = match sort {
        Sort::Stop => return None,
        Sort::Loss => 1..SLOW,
        Sort::Slow => SLOW..WAYS,
    };
    let chances = standing.chances();
    ways.max_by(|a, b| chances.get(*a).unwrap_or(&0.0).total_cmp(chances.get(*b).unwrap_or(&0.0)))
}

/// Whether nothing arrives any more where some of it did, in the way that it was; a delay may be half way to the next longer one.
fn is_silent(way: usize, said: &[(At, bool, Nats)], routes: usize) -> bool {
    let last = said.iter().filter(|(_, arrived, _)| *arrived).map(|(at, ..)| *at).max();
    let silent = said.iter().filter(|(at, ..)| last.is_none_or(|l| *at > l));
    let (count, nats) = silent.fold((0, 0.0), |(count, sum), (.., nats)| {
        let [stop, ..] = nats;
        let longer = nats.get(way + 1).filter(|_| way >= SLOW);
        let as_it_was = nats.get(way).into_iter().chain(longer).fold(f64::NEG_INFINITY, |most, n| most.max(*n));
        (count + 1, sum + (stop - as_it_was).max(0.0))
    });
    count >= SILENT && nats >= NOTHING_ARRIVES + (routes as f64).ln()
}

/// Loss or delay, if one of them is clear.
fn in_part(now: Sort, said: &[(At, bool, Nats)]) -> Option<Sort> {
    if said.len() < ENOUGH || !said.iter().any(|(_, arrived, _)| *arrived) {
        return None;
    }
    let mut sums = [0.0; WAYS];
    for (.., nats) in said {
        sums.iter_mut().zip(nats).for_each(|(sum, z)| *sum += z);
    }
    let [stop, losses @ .., a, b, c] = sums;
    let most = |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (loss, slow) = (most(&losses), most(&[a, b, c]));
    let called = match now {
        Sort::Stop => stop,
        Sort::Loss => loss,
        Sort::Slow => slow,
    };
    let (best, sort) = if slow > loss { (slow, Sort::Slow) } else { (loss, Sort::Loss) };
    (best >= CLEAR && best >= called + CLEARER && (best - loss.min(slow)).abs() >= CLEARER).then_some(sort)
}
