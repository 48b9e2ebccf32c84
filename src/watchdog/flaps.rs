//! What comes and goes: until when it stays one incident, and whether mail is delivered meanwhile.

use super::flight::RouteState;
use super::outbox::{Incident, is_drill};
use super::plan::Plan;
use super::state::State;
use crate::model::{At, Culprit, Kind, Span};

/// What comes back so soon after it was resolved flaps: it stays one incident until it has been well for twice as long as it was between…
const FLAPS_WITHIN: Span = Span::from_secs(900);
/// …and at least this long.
const WELL_FOR: Span = Span::from_secs(300);

/// Until when an incident that flaps stays open after its alarm is over; `None`: it does not flap.
pub(super) fn settles_at(plan: &Plan, state: &State, open: &Incident) -> Option<At> {
    let calmed = calmed_at(plan, state, open)?;
    let between = back_after(state, &open.shown.culprit, open.shown.opened_at)?;
    Some(calmed.plus(between.scaled(2, 1).max(WELL_FOR)))
}

/// When its alarm was over; what is refused needs none, and is over with the last that was.
fn calmed_at(plan: &Plan, state: &State, open: &Incident) -> Option<At> {
    let shown = &open.shown;
    let suspect = plan.suspect(&shown.culprit)?;
    let alarm = state.standings.get(suspect).and_then(|s| s.calmed_at).filter(|at| *at > shown.opened_at);
    if shown.kind != Kind::Refused || open.is_of_seed() {
        return alarm;
    }
    let mine = || plan.suspects.get(suspect).into_iter().flat_map(|s| &s.routes).filter_map(|slot| state.routes.get(*slot));
    if mine().any(|r| r.refusal.is_some()) {
        return alarm;
    }
    let refused = mine().filter_map(|r| r.canaries.iter().rev().find(|c| c.refused())).map(|c| c.sent_at()).max();
    alarm.max(refused.map(|at| at.max(shown.opened_at)))
}

/// How long after its last incident was resolved a culprit fails again, if that is soon. A drill was no failure.
pub(super) fn back_after(state: &State, culprit: &Culprit, opened_at: At) -> Option<Span> {
    let failed = |i: &&Incident| i.shown.kind.is_delivery() && i.shown.culprit == *culprit && i.shown.closed.is_none();
    let mine = state.incidents.values().filter(failed).filter(|i| !is_drill(&i.shown.last));
    let last = mine.filter_map(|i| i.shown.resolved_at).filter(|at| *at <= opened_at).max()?;
    Some(opened_at.since(last)).filter(|between| *between < FLAPS_WITHIN)
}

/// Whether mail arrives again though the incident is open: it came and went before, or little of what was refused has been sent since.
/// Nobody is reminded of it meanwhile, and nobody else is called.
pub(super) fn is_calm(plan: &Plan, state: &State, open: &Incident) -> bool {
    let shown = &open.shown;
    if !shown.kind.is_delivery() || open.is_of_seed() || shown.kind != Kind::Refused && settles_at(plan, state, open).is_none() {
        return false;
    }
    let since = |at: At| at >= shown.opened_at;
    // Looked up, and not searched for: a thousand may be open.
    let mine: Vec<&RouteState> = match plan.suspect(&shown.culprit).and_then(|s| plan.suspects.get(s)) {
        Some(suspect) => suspect.routes.iter().filter_map(|slot| state.routes.get(*slot)).collect(),
        None => state.routes.iter().filter(|r| shown.culprit.covers(&r.route)).collect(),
    };
    // What overlaps with it fails with it.
    let alarmed = || mine.iter().any(|r| state.alarms.iter().any(|a| a.culprit.covers(&r.route)));
    let arrives = || mine.iter().any(|r| r.good_sent_at.is_some_and(since));
    mine.iter().all(|r| r.refusal.is_none()) && !alarmed() && arrives()
}
