//! Failures that stand beside each other: what an inbox does not take is no provider's doing, and what a provider loses is no inbox's. Where
//! both fail, the route that they share tells of neither whether it goes on.

use super::plan::Plan;
use super::state::State;
use crate::model::Culprit;

/// Whether the trouble over this route is that of another alarm, as far as `culprit` goes.
fn is_others(plan: &Plan, state: &State, culprit: &Culprit, slot: usize) -> bool {
    let beside = |other: &Culprit| match (culprit, other) {
        (Culprit::Provider(_) | Culprit::Stream(..), Culprit::Inbox(_))
        | (Culprit::Inbox(_), Culprit::Provider(_) | Culprit::Stream(..)) => true,
        (
            Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Inbox(_) | Culprit::Route(..) | Culprit::Watcher {},
            Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Inbox(_) | Culprit::Route(..) | Culprit::Watcher {},
        ) => false,
    };
    plan.routes.get(slot).is_some_and(|r| state.alarms.iter().any(|a| beside(&a.culprit) && a.culprit.covers(&r.route)))
}

/// Whether this route tells of `culprit`, one of whose `routes` it is. Where all are another's, too, all do.
pub(super) fn tells(plan: &Plan, state: &State, culprit: &Culprit, routes: &[usize], slot: usize) -> bool {
    let is_others = |slot: &usize| is_others(plan, state, culprit, *slot);
    !is_others(&slot) || routes.iter().all(is_others)
}

/// Those of a culprit's `routes` that tell of it.
pub(super) fn telling(plan: &Plan, state: &State, culprit: &Culprit, routes: &[usize]) -> Vec<usize> {
    if state.alarms.iter().all(|a| a.culprit == *culprit) {
        return routes.to_vec();
    }
    let own: Vec<usize> = routes.iter().copied().filter(|slot| !is_others(plan, state, culprit, *slot)).collect();
    if own.is_empty() { routes.to_vec() } else { own }
}
