//! Who of those that an alarm covers has a part in it: what fails in part is often thought to be wider than it is, for what is lost of one
//! route speaks against whoever covers it.

use std::collections::BTreeSet;

use super::alarm::Alarm;
use super::beside;
use super::hold::Sort;
use super::plan::Plan;
use super::record::Fact;
use super::sorting;
use super::state::State;

/// Nats for a part alone failing, against all that the alarm covers.
const NARROWS_AT: f64 = 9.0;
/// Nats of what a part shows itself.
const FAILS: f64 = 4.0;
/// The newest canaries of each route that tell.
const NEWEST: usize = 32;
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
