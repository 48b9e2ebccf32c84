//! Failures that stand beside each other: what an inbox does not take is no provider's doing, and what a provider loses is no inbox's. Where
//! both fail, the route that they share tells of neither whether it goes on.

use super::outbox::Incident;
use super::plan::Plan;
use super::state::State;
use crate::model::{Class, Culprit, Kind};

impl Incident {
    /// Whether whose failure it is stands in the provider's own words: that is so whatever else fails.
    pub(super) fn is_said(&self) -> bool {
        let its_own = matches!(self.shown.culprit, Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..));
        its_own && self.shown.kind == Kind::Refused && self.class.is_some_and(Class::speaks_for_itself)
    }
}

/// Who refuses mail, as it says itself. No cause common to everything explains that, and it tells nothing of one.
pub(super) fn said(state: &State) -> impl Iterator<Item = &Culprit> {
    state.open().filter(|i| i.is_said()).map(|i| &i.shown.culprit)
}

/// Who fails beside `culprit`: by an alarm, or by refusals that were told, for which there need be none.
fn others<'s>(state: &'s State, culprit: &Culprit) -> Vec<&'s Culprit> {
    if *culprit == (Culprit::Watcher {}) {
        return said(state).collect();
    }
    let refused = state.open().filter(|i| i.shown.kind == Kind::Refused && !i.is_of_seed()).map(|i| &i.shown.culprit);
    state.alarms.iter().map(|a| &a.culprit).chain(refused).filter(|other| is_beside(culprit, other)).collect()
}

fn is_beside(culprit: &Culprit, other: &Culprit) -> bool {
    match (culprit, other) {
        (Culprit::Provider(_) | Culprit::Stream(..), Culprit::Inbox(_))
        | (Culprit::Inbox(_), Culprit::Provider(_) | Culprit::Stream(..)) => true,
        (
            Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Inbox(_) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {},
            Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Inbox(_) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {},
        ) => false,
    }
}

/// Whether the trouble over this route is that of one of these.
fn is_theirs(plan: &Plan, others: &[&Culprit], slot: usize) -> bool {
    plan.routes.get(slot).is_some_and(|r| others.iter().any(|other| other.covers(&r.route)))
}

/// Whether this route tells of `culprit`, one of whose `routes` it is. Where all are another's, too, all do.
pub(super) fn tells(plan: &Plan, state: &State, culprit: &Culprit, routes: &[usize], slot: usize) -> bool {
    let others = others(state, culprit);
    !is_theirs(plan, &others, slot) || routes.iter().all(|slot| is_theirs(plan, &others, *slot))
}

/// Those of a culprit's `routes` that tell of it.
pub(super) fn telling(plan: &Plan, state: &State, culprit: &Culprit, routes: &[usize]) -> Vec<usize> {
    let others = others(state, culprit);
    if others.is_empty() {
        return routes.to_vec();
    }
    let own: Vec<usize> = routes.iter().copied().filter(|slot| !is_theirs(plan, &others, *slot)).collect();
    if own.is_empty() { routes.to_vec() } else { own }
}
