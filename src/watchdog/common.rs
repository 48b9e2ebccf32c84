//! What every provider refuses alike: no connection, no certificate that is believed, too much from one address. That is the watcher's own
//! doing, or has a cause common to everything, however the matrix looks.

use std::collections::BTreeSet;

use super::alarm::Alarm;
use super::index::Index;
use super::plan::Plan;
use super::state::State;
use crate::model::{At, Class, Name, Outcome, Span};

/// So many refusals in a row, by all providers, are the watcher's.
const ENOUGH: u64 = 4;
/// Until another provider was reached, or all were tried, nobody is blamed for so long.
const GRACE: Span = Span::from_secs(30);
/// Classes that say nothing of an account.
const ALIKE: [Class; 4] = [Class::Network, Class::Tls, Class::Rate, Class::Transient];

/// Whether all providers refuse alike.
pub(super) enum Common {
    None,
    /// Perhaps: nobody is blamed before this.
    Doubtful(At),
    To(Refused),
}

/// What all providers refuse with, and on which routes.
pub(super) struct Refused {
    pub(super) class: Class,
    pub(super) routes: Vec<usize>,
}

/// What every provider refuses alike, if it does.
pub(super) fn to_all(plan: &Plan, state: &State, ix: &Index, now: At) -> Common {
    // What is known to be cut off has an incident of its own.
    if state.cut_off_since.is_some() || plan.providers.len() < 2 {
        return Common::None;
    }
    // One look is enough where all that is refused is refused for reasons of its own.
    let class = |slot: &usize| state.routes.get(*slot).and_then(|r| r.refusal);
    if !ix.refused.iter().filter_map(class).any(|class| ALIKE.contains(&class)) {
        return Common::None;
    }
    let alike = ALIKE.iter().map(|class| refused(plan, state, ix, *class, now));
    alike.fold(Common::None, |found, next| if matches!(found, Common::None) { next } else { found })
}

fn refused(plan: &Plan, state: &State, ix: &Index, class: Class, now: At) -> Common {
    let refuses = |slot: &usize| state.routes.get(*slot).is_some_and(|r| r.refusal == Some(class));
    let rows: Vec<(usize, u64, At)> = ix.refused.iter().filter(|s| refuses(s)).filter_map(|s| row(state, *s, class)).collect();
    let Some(since) = rows.iter().map(|(.., at)| *at).min() else { return Common::None };
    if taken_since(state, since) {
        return Common::None;
    }
    let silent: BTreeSet<&Name> = rows.iter().filter_map(|(slot, ..)| Some(&plan.routes.get(*slot)?.route.provider)).collect();
    let row: u64 = rows.iter().map(|(_, count, _)| count).sum();
    let all = plan.providers_that_tell().is_subset(&silent);
    if now.since(since) < GRACE || (all && row < ENOUGH) {
        return Common::Doubtful(since.plus(GRACE).max(now.plus(Span::from_secs(1))));
    }
    if !all {
        return Common::None;
    }
    Common::To(Refused { class, routes: rows.iter().map(|(slot, ..)| *slot).collect() })
}

/// Whether one provider has taken something that was sent since: then the others have no cause in common with it.
fn taken_since(state: &State, since: At) -> bool {
    let newest = |r: &super::flight::RouteState| {
        r.canaries.iter().rev().take_while(|c| c.sent_at() >= since).any(|c| c.outcome().is_some() && !c.refused())
    };
    state.routes.iter().any(newest)
}

/// How many of a route's newest canaries were refused so, and when the first of them was sent.
pub(super) fn row(state: &State, slot: usize, class: Class) -> Option<(usize, u64, At)> {
    let answered = state.routes.get(slot)?.canaries.iter().rev().filter(|c| c.outcome().is_some());
    let row = answered.take_while(|c| c.outcome() == Some(Outcome::Refused(class)));
    let (count, first) = row.fold((0, None), |(count, _), c| (count + 1, Some(c.sent_at())));
    Some((slot, count, first?))
}

/// Whether an alarm was raised while every provider refused alike, and nobody was told of it: what they refused says nothing of one.
pub(super) fn was_of_all(state: &State, alarm: &Alarm) -> bool {
    let Some(common) = state.open().find(|i| i.is_common()).filter(|_| !alarm.told) else { return false };
    let opened_at = common.shown.opened_at;
    let ended = state.routes.iter().filter_map(|r| r.canaries.iter().rev().find(|c| c.refused())).map(|c| c.sent_at()).max();
    alarm.since >= opened_at.minus(GRACE) && ended.is_some_and(|at| alarm.since <= at.plus(GRACE) && taken_since(state, at))
}
