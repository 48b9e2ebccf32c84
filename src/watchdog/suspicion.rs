//! Suspicion asks: confirmation canaries where they tell most, within what they may cost.
//!
//! Under health a level of w nats is reached with probability about e^−w, so that the canaries that are asked for may grow with it.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::alarm::Alarm;
use super::budget;
use super::index::Index;
use super::plan::{Plan, Suspect};
use super::recovery;
use super::state::State;
use crate::model::{At, Class, Reason, Span};

/// A confirmation younger than this may still tell something: no other is sent instead of it.
pub(super) const FRESH: Span = Span::from_secs(30);
/// Two confirmations on one route are at least this far apart, or a round if that is shorter: no burst that looks like spam.
const APART: Span = Span::from_secs(2);
/// What may be spent at once: the share of so long, within bounds.
const BURST_OF: Span = Span::from_secs(4 * 3600);
/// At least this.
const BURST_AT_LEAST: f64 = 16.0;
/// And at most.
const BURST_AT_MOST: f64 = crate::config::BURST;
/// A provider that throttles is not asked again for this long.
const THROTTLED: Span = Span::from_secs(300);
/// Confirmations in flight at the highest level.
const MOST: usize = 8;
/// How many fresh ones each level asks for, and the share of the allowance that it leaves alone: chronic doubts must not use up what a
/// failure will need.
const TIERS: [(usize, f64); 4] = [(1, 0.15), (2, 0.1), (4, 0.05), (MOST, 0.0)];

/// What suspicion may still spend: a bucket that fills by its share of the routine canaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Allowance {
    left: f32,
    at: At,
}

impl Allowance {
    pub(super) fn full(plan: &Plan, at: At) -> Self {
        Self { left: capacity(plan) as f32, at }
    }

    pub(super) fn spend(&mut self, plan: &Plan, at: At) {
        *self = Self { left: (self.left(plan, at) - 1.0) as f32, at };
    }

    fn left(self, plan: &Plan, at: At) -> f64 {
        let filled = at.since(self.at).as_secs_f64() * rate(plan);
        (f64::from(self.left) + filled).min(capacity(plan))
    }

    /// When there is one to spend, if this share of the whole is to be kept for those who need it more.
    fn ready(self, plan: &Plan, at: At, kept: f64) -> Option<At> {
        let short = 1.0 + kept * (capacity(plan) - 1.0) - self.left(plan, at);
        if short <= 0.0 {
            return Some(at);
        }
        let rate = rate(plan);
        (rate > 0.0).then(|| at.plus(Span::from_ms((short / rate * 1000.0).ceil() as u64 + 1)))
    }
}

fn capacity(plan: &Plan) -> f64 {
    (rate(plan) * BURST_OF.as_secs_f64()).clamp(BURST_AT_LEAST, BURST_AT_MOST)
}

/// Confirmations a second, in the long run.
fn rate(plan: &Plan) -> f64 {
    plan.confirmations * plan.routine
}

/// Of the routes of a larger culprit, so many that have been silent longest are asked.
const ASKED_OF_MANY: usize = 16;
/// A culprit of more than one in so many routes is found among all that are silent.
const SPARSE: usize = 16;

/// What is asked now, and when more may be.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The route for the next confirmation.
    pub(super) now: Option<usize>,
    /// When the next confirmation may be due, if nothing changes.
    pub(super) again_at: Option<At>,
}

/// Where confirmations are due. They are sent one by one: ask again after each.
pub(super) fn asks(plan: &Plan, state: &State, ix: &Index, now: At) -> Asked {
    let mut asked = Asked::default();
    if plan.confirmations <= 0.0 || state.cut_off_since.is_some() || (ix.asking.is_empty() && state.alarms.is_empty()) {
        return asked;
    }
    // Routes, each with the time from which a confirmation may be sent over it.
    let mut wanted: Vec<(usize, At)> = Vec::new();
    for (_, Reverse(suspect)) in ix.asking.iter().rev().filter(|(_, Reverse(s))| !ix.alarmed.contains(s)).take(MOST) {
        let (Some(planned), Some(standing)) = (plan.suspects.get(*suspect), state.standings.get(*suspect)) else { continue };
        // A culprit of many routes is weighed at ticks, and asks at them.
        if planned.is_wide() && state.passed.is_some_and(|passed| standing.weighed_at < passed) {
            continue;
        }
        let (enough, kept) = enough(plan, planned.excess(standing.level));
        match state.allowance.ready(plan, now, kept).filter(|_| enough > 0) {
            Some(at) if at <= now => wanted.extend(wish(plan, state, ix, *suspect, enough, now)),
            // It need not be known now which.
            Some(at) => asked.again_at = Some(asked.again_at.map_or(at, |again| again.min(at))),
            None => {}
        }
    }
    if let Some(ready) = state.allowance.ready(plan, now, 0.0) {
        let hopes = state.alarms.iter().filter_map(|alarm| hope(plan, state, ix, alarm, now));
        wanted.extend(hopes.map(|(slot, at)| (slot, at.max(ready))));
    }
    for (slot, at) in wanted {
        if at <= now {
            asked.now = asked.now.or(Some(slot));
        } else {
            asked.again_at = Some(asked.again_at.map_or(at, |again| again.min(at)));
        }
    }
    asked
}

/// What one suspect's level asks for: so many fresh confirmations in flight over its routes. One that is in flight counts for every
/// suspect that covers its route; so the first goes over the route that shows most, and speaks for or against all of them, and the next
/// ones, where they differ.
fn wish(plan: &Plan, state: &State, ix: &Index, index: usize, enough: usize, now: At) -> Option<(usize, At)> {
    let suspect = plan.suspects.get(index)?;
    let tells = |slot: &usize| !state.explained_away(plan, ix, *slot, index);
    let fresh: Vec<(At, usize)> = confirming(state, ix, index, now).filter(|(_, slot)| tells(slot)).take(enough).collect();
    if fresh.len() >= enough {
        // Again when the oldest of them is not fresh any more.
        let (sent, slot) = fresh.first()?;
        return may(plan, state, *slot, now).map(|(slot, at)| (slot, at.max(sent.plus(FRESH))));
    }
    if let [only] = *suspect.routes {
        return may(plan, state, only, now).filter(|_| tells(&only));
    }
    let mut members = longest_silent(plan, state, ix, suspect, index);
    let pivot = members.iter().copied().max_by_key(|slot| (silent_for(state, *slot), Reverse(*slot)))?;
    // The route that shows it asks first; then those that have been asked least.
    members.sort_by_cached_key(|slot| (*slot != pivot || !fresh.is_empty(), asked(state, *slot, now), *slot));
    let mut soonest: Option<(usize, At)> = None;
    for (slot, at) in members.iter().filter_map(|slot| may(plan, state, *slot, now)) {
        // None may be sooner than now.
        if at <= now {
            return Some((slot, at));
        }
        soonest = soonest.filter(|(_, before)| *before <= at).or(Some((slot, at)));
    }
    soonest
}

/// The routes of a suspect that something may be asked of: all of a small one, those that have been silent longest of a large one.
fn longest_silent(plan: &Plan, state: &State, ix: &Index, suspect: &Suspect, index: usize) -> Vec<usize> {
    let mine = |slot: &usize| !state.explained_away(plan, ix, *slot, index);
    if !suspect.is_wide() {
        return suspect.routes.iter().copied().filter(mine).collect();
    }
    if suspect.routes.len() * SPARSE > plan.routes.len() {
        let covered = |slot: &usize| plan.routes.get(*slot).is_some_and(|r| r.suspects.contains(&index));
        return ix.aging.iter().map(|(_, slot)| *slot).filter(|slot| covered(slot) && mine(slot)).take(ASKED_OF_MANY).collect();
    }
    let since = |slot: usize| state.routes.get(slot)?.flying.front().map(|f| (f.sent_at, slot));
    let mut silent: Vec<(At, usize)> = suspect.routes.iter().filter(|slot| mine(slot)).filter_map(|slot| since(*slot)).collect();
    if silent.len() > ASKED_OF_MANY {
        silent.select_nth_unstable(ASKED_OF_MANY);
        silent.truncate(ASKED_OF_MANY);
    }
    silent.into_iter().map(|(_, slot)| slot).collect()
}

/// How many fresh confirmations a level asks for, and the share of the allowance that it leaves to higher ones.
fn enough(plan: &Plan, level: f64) -> (usize, f64) {
    let mut tiers = plan.asks.into_iter().zip(TIERS).rev();
    tiers.find(|(at, _)| level >= *at).map_or((0, 1.0), |(_, tier)| tier)
}

/// Canaries of the last half minute in flight over a route, routine ones too: what they say is on its way.
fn asked(state: &State, slot: usize, now: At) -> usize {
    let fresh = |f: &&super::flight::Flying| f.counted && now.since(f.sent_at) < FRESH;
    state.routes.get(slot).map_or(0, |r| r.flying.iter().filter(fresh).count())
}

/// After the first arrival since an alarm: is it over? Over which route that is asked, and from when on it may be.
fn hope(plan: &Plan, state: &State, ix: &Index, alarm: &Alarm, now: At) -> Option<(usize, At)> {
    if alarm.arrivals == 0 || recovery::is_over(plan, state, alarm) {
        return None;
    }
    let index = plan.suspect(&alarm.culprit)?;
    let suspect = plan.suspects.get(index)?;
    let in_flight: Vec<usize> = confirming(state, ix, index, now).map(|(_, slot)| slot).take(2).collect();
    if in_flight.len() >= 2 {
        return None;
    }
    let proven = |slot: &usize| state.routes.get(*slot).and_then(|r| r.good_sent_at).is_some_and(|at| at >= alarm.blamed_at);
    let mut targets: Vec<usize> = suspect.routes.iter().copied().take(64).collect();
    targets.sort_by_key(|slot| (proven(slot), in_flight.contains(slot), *slot));
    targets.iter().find_map(|slot| may(plan, state, *slot, now))
}

/// Fresh confirmations in flight over a suspect's routes, oldest first: when each was sent, and over which.
fn confirming(state: &State, ix: &Index, suspect: usize, now: At) -> impl Iterator<Item = (At, usize)> {
    let flies = |sent: At, slot: usize| {
        let is = |f: &super::flight::Flying| f.counted && f.reason == Reason::Confirmation && f.sent_at == sent;
        state.routes.get(slot).is_some_and(|r| r.flying.iter().any(is))
    };
    ix.confirming(suspect).filter(move |(sent, slot)| now.since(*sent) < FRESH && flies(*sent, *slot))
}

fn silent_for(state: &State, slot: usize) -> Option<Reverse<At>> {
    let oldest = state.routes.get(slot)?.flying.iter().filter(|f| f.counted).map(|f| f.sent_at).min();
    oldest.map(Reverse)
}

/// The route, and from when on a confirmation may be sent over it; if at all.
fn may(plan: &Plan, state: &State, slot: usize, now: At) -> Option<(usize, At)> {
    let route = state.routes.get(slot)?;
    if !state.sees(&route.route.inbox) {
        return None;
    }
    if let Some((outcome, at)) = route.newest_answer() {
        let throttled = matches!(outcome, crate::model::Outcome::Refused(Class::Rate | Class::Transient));
        if throttled && now.since(at) < THROTTLED {
            return None;
        }
    }
    let free = budget::confirmation_at(plan, state, &route.route, now)?;
    let apart = APART.min(plan.routes.get(slot)?.every);
    let last = route.canaries.back().map(|c| c.sent_at().plus(apart));
    Some((slot, last.map_or(free, |at| at.max(free))))
}
