//! Who of those that an alarm covers has a part in it: what fails in part is often thought to be wider than it is, for what is lost of one
//! route speaks against whoever covers it.

use std::collections::BTreeSet;

use super::alarm::Alarm;
use super::beside;
use super::canary::Canary;
use super::flight::RouteState;
use super::hold::Sort;
use super::plan::Plan;
use super::record::Fact;
use super::sorting;
use super::state::State;
use crate::model::{At, Culprit, Span};

/// Nats for a part alone failing, against all that the alarm covers.
const NARROWS_AT: f64 = 9.0;
/// Nats of what a part shows itself.
const FAILS: f64 = 4.0;
/// The newest canaries of each route that tell.
const NEWEST: usize = 32;
/// A stop of everything that is older than this was not called too early; and what was sent so long before it has its part in it.
const EARLY: Span = Span::from_secs(120);
/// Nats of silence that one part shows alone.
const SILENT_AT: f64 = 12.0;
/// What takes longer than all but this share of healthy mail is late.
const QUICK: f64 = 0.1;
/// So many canaries must have come since.
const COME: usize = 3;
/// Alarms over more routes than this are left as they are: it is asked at every event while they last.
const ROUTES_AT_MOST: usize = 72;

/// The part that explains a loss or a delay better than all that the alarm covers, if there is one: the rest delivers as it always did.
pub(super) fn narrow_part(plan: &Plan, state: &State, alarm: &Alarm) -> Option<Fact> {
    let index = plan.suspect(&alarm.culprit)?;
    let suspect = plan.suspects.get(index)?;
    if alarm.sort == Sort::Stop || suspect.routes.len() < 2 || suspect.routes.len() > ROUTES_AT_MOST {
        return None;
    }
    let telling = beside::telling(plan, state, &alarm.culprit, &suspect.routes);
    let sees = |slot: &&usize| state.routes.get(**slot).is_some_and(|r| state.sees(&r.route.inbox) && !r.is_suppressed());
    let said: Vec<(usize, Vec<f64>)> = telling.iter().filter(sees).map(|slot| (*slot, says(state, alarm, *slot))).collect();
    // In the way in which those that fail fail most.
    let ways = said.iter().map(|(_, nats)| nats.len()).max()?;
    let most = |way: usize| said.iter().filter_map(|(_, nats)| nats.get(way)).map(|nats| nats.max(0.0)).sum::<f64>();
    let way = (0..ways).max_by(|a, b| most(*a).total_cmp(&most(*b)))?;
    let said: Vec<(usize, f64)> = said.iter().filter_map(|(slot, nats)| Some((*slot, *nats.get(way)?))).collect();
    let whole: f64 = said.iter().map(|(_, nats)| nats).sum();
    let failing = said.iter().filter(|(_, nats)| *nats > 0.0).filter_map(|(slot, _)| plan.routes.get(*slot));
    let parts: BTreeSet<usize> =
        failing.flat_map(|r| r.suspects.iter().copied()).filter(|s| *s != index && plan.within(*s, index)).collect();
    let covers = |slot: usize, part: usize| plan.routes.get(slot).is_some_and(|r| r.suspects.contains(&part));
    let own = |part: usize| said.iter().filter(|(slot, _)| covers(*slot, part)).map(|(_, nats)| nats).sum::<f64>();
    let (part, nats) = parts.into_iter().map(|part| (part, own(part))).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let culprit = plan.suspects.get(part)?.culprit.clone();
    let kind = Some(alarm.sort.kind());
    (nats >= FAILS && nats - whole >= NARROWS_AT).then(|| Fact::Alarmed { culprit, instead_of: vec![alarm.culprit.clone()], kind })
}

/// Nats for each way in which the alarm's sort of mail fails, of what was sent over a route since it was blamed.
fn says(state: &State, alarm: &Alarm, slot: usize) -> Vec<f64> {
    let Some(route) = state.routes.get(slot) else { return Vec::new() };
    let horizon = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i));
    let mut sums: Vec<f64> = Vec::new();
    for saying in sorting::newest(route, alarm.blamed_at, horizon).take(NEWEST) {
        let nats = saying.in_part(alarm.sort);
        sums.resize(nats.len(), 0.0);
        sums.iter_mut().zip(nats).for_each(|(sum, z)| *sum += z);
    }
    sums
}

/// Of a stop of everything that was called too early: the inbox or the provider that is silent, where mail of the others has come since that
/// was sent before.
pub(super) fn narrow_everything(plan: &Plan, state: &State, alarm: &Alarm) -> Option<Fact> {
    let is_young = state.at.since(alarm.blamed_at) <= EARLY;
    if alarm.culprit != (Culprit::Watcher {}) || alarm.sort != Sort::Stop || !is_young || plan.routes.len() > ROUTES_AT_MOST {
        return None;
    }
    let seen: Vec<&RouteState> = state.routes.iter().filter(|r| state.sees(&r.route.inbox) && !r.is_suppressed()).collect();
    let came = |route: &RouteState| came_since(route, alarm.blamed_at).min();
    // What was sent before the first of it says nothing against the others; and where that was sent after the alarm, everything was silent.
    let first = seen.iter().filter_map(|r| came(r)).min().filter(|first| *first < alarm.blamed_at)?;
    if seen.iter().flat_map(|r| came_since(r, alarm.blamed_at)).count() < COME {
        return None;
    }
    let delivers = |is_its: &dyn Fn(&RouteState) -> bool| seen.iter().any(|r| is_its(r) && came(r).is_some());
    // Only where the other end of a route delivers its silence tells whose it is.
    let silent = |route: &RouteState, of_inbox: bool| {
        let is_others = |r: &RouteState| {
            if of_inbox { r.route.provider == route.route.provider } else { r.route.inbox == route.route.inbox }
        };
        if delivers(&is_others) { silence_since(state, route, first) } else { 0.0 }
    };
    let inboxes: Vec<Culprit> = plan.inboxes.iter().filter(|name| state.sees(name)).map(|name| Culprit::Inbox(name.clone())).collect();
    let providers: Vec<Culprit> = plan.providers.iter().map(|name| Culprit::Provider(name.clone())).collect();
    let part = |(parts, of_inbox): (Vec<Culprit>, bool)| {
        let all = parts.len();
        let ill = parts.into_iter().filter(|part| !delivers(&|r: &RouteState| part.covers(&r.route)));
        let nats = |part: &Culprit| seen.iter().filter(|r| part.covers(&r.route)).map(|r| silent(r, of_inbox)).sum::<f64>();
        let ill: Vec<(f64, Culprit)> = ill.map(|part| (nats(&part), part)).collect();
        // Who has not had the time to deliver is perhaps well.
        let is_clear = ill.len() * 2 <= all && ill.iter().all(|(nats, _)| *nats >= FAILS);
        ill.into_iter().filter(|(nats, _)| is_clear && *nats >= SILENT_AT).max_by(|(a, _), (b, _)| a.total_cmp(b))
    };
    let (_, culprit) = [(inboxes, true), (providers, false)].into_iter().filter_map(part).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(Fact::Alarmed { culprit, instead_of: vec![alarm.culprit.clone()], kind: None })
}

/// When the canaries of a route were sent that have come since, of those sent not long before; where mail is late, that some comes tells nothing.
fn came_since(route: &RouteState, since: At) -> impl Iterator<Item = At> {
    let sent = route.canaries.iter().rev().take_while(move |c| c.sent_at() >= since.minus(EARLY));
    let is_quick = |took| route.survival.at(took) > QUICK;
    sent.filter(move |c| c.latency().is_some_and(|took| is_quick(took) && c.sent_at().plus(took) >= since)).map(Canary::sent_at)
}

/// Nats of the silence of what a route was sent since.
fn silence_since(state: &State, route: &RouteState, since: At) -> f64 {
    let Some(horizon) = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i)) else { return 0.0 };
    let ages = route.flying.iter().filter(|f| f.counted && f.sent_at >= since).map(|f| horizon.since(f.sent_at));
    ages.map(|age| -route.survival.at(age).max(1e-9).ln()).sum()
}
