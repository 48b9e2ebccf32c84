//! When a failure began: the first canary that shows it, and the last that was well.

use serde_json::Value;

use super::figures;
use crate::model::proof::{GOES_ON_FROM, begin_as};
use crate::model::{At, CanaryId, DeliveryKind, Kind, Placement};
use crate::watchdog::canary::Canary;
use crate::watchdog::evidence::{self, Tally};
use crate::watchdog::flight::RouteState;
use crate::watchdog::judge::Finding;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// A canary, and when it was sent.
type Sent = (At, CanaryId);

/// The newest canaries of a route among which the first bad one is looked for.
const NEWEST: usize = 60;

/// The first bad canary and the last good one. Of what has stopped that is the newest that arrived; of what fails in part, where good and bad
/// come in turn, the newest that was well before the first that was not.
pub(super) fn onset(plan: &Plan, state: &State, finding: &Finding, tallies: &[Tally]) -> (Option<Sent>, Option<Sent>) {
    let found = match finding.kind.delivery() {
        Some(DeliveryKind::Loss) => began(newest(state, finding, |_, slot| evidence::settled(plan, state, slot))),
        Some(DeliveryKind::Junked) => {
            let arrived = |c: &&Canary| c.has_arrived();
            let clean = |c: &Canary| c.placement() != Some(Placement::Junk);
            began(newest(state, finding, |route, _| {
                let counts = route.canaries.iter().rev().filter(|c| evidence::counts(route, c));
                counts.filter(arrived).map(move |c| (c, clean(c)))
            }))
        }
        Some(DeliveryKind::Slow) => late(plan, state, finding),
        Some(DeliveryKind::Stopped | DeliveryKind::Refused) | None => None,
    };
    found.map_or_else(|| row(state, finding, tallies), |(bad, good)| (Some(bad), good))
}

/// What fails in part began when that was told first, whatever becomes of it: what is known of it now reaches back only so far. So did what
/// goes on though a person closed it.
pub(in crate::watchdog) fn keep_onset(evidence: &mut Value, kind: Kind, (was, told): (Kind, &Value), now: At) {
    let since = |evidence: &Value| evidence.get("since").and_then(Value::as_str).and_then(At::from_rfc3339);
    let goes_on = told.get(GOES_ON_FROM);
    let keeps = kind.is_partial() || was.is_partial() || goes_on.is_some();
    if since(told).is_some_and(|told| keeps && since(evidence).is_none_or(|since| since > told)) {
        begin_as(evidence, told, now);
    }
    if let (Some(from), Some(evidence)) = (goes_on, evidence.as_object_mut()) {
        evidence.insert(GOES_ON_FROM.to_owned(), from.clone());
    }
}

/// Of what nothing has arrived since: the first of the row, and the newest before it that arrived.
fn row(state: &State, finding: &Finding, tallies: &[Tally]) -> (Option<Sent>, Option<Sent>) {
    let sent = |(slot, id): (&usize, CanaryId)| state.routes.get(*slot).and_then(|r| r.find(id)).map(|c| (c.sent_at(), id));
    let pairs = finding.routes.iter().zip(tallies);
    (tallies.iter().filter_map(|t| t.first_missing).min(), pairs.filter_map(|(slot, t)| sent((slot, t.last_good?))).max())
}

/// What `of_route` says of the newest canaries of each of the finding's routes, all in the order of sending, newest first: whether each was well.
fn newest<'s, I>(state: &'s State, finding: &Finding, of_route: impl Fn(&'s RouteState, usize) -> I) -> Vec<(Sent, bool)>
where
    I: Iterator<Item = (&'s Canary, bool)>,
{
    let routes = finding.routes.iter().filter_map(|slot| Some((state.routes.get(*slot)?, *slot)));
    let mut all: Vec<(Sent, bool)> = routes
        .flat_map(|(route, slot)| {
            let newest = of_route(route, slot).take(NEWEST);
            newest.map(|(c, well)| ((c.sent_at(), route.id(c.serial)), well)).collect::<Vec<_>>()
        })
        .collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all
}

/// Where bad became likelier than it is in health.
fn began(newest_first: Vec<(Sent, bool)>) -> Option<(Sent, Option<Sent>)> {
    let (_, of) = evidence::since_it_began(newest_first.iter().map(|(_, well)| !well), evidence::LOST_IN_HEALTH);
    let of = usize::try_from(of).ok()?;
    let bad = newest_first.iter().take(of).rev().find(|(_, well)| !well).map(|(sent, _)| *sent)?;
    Some((bad, before(&newest_first, bad)))
}

/// Where lateness became the rule.
fn late(plan: &Plan, state: &State, finding: &Finding) -> Option<(Sent, Option<Sent>)> {
    let since = figures::late(plan, state, finding).2?;
    let all = newest(state, finding, |route, _| {
        let usual = evidence::usual(route);
        let known = route.canaries.iter().rev().filter(|c| evidence::counts(route, c) && !c.refused());
        known.map(move |c| (c, c.latency().is_some_and(|took| took <= usual)))
    });
    let bad = all.iter().rev().find(|((at, _), well)| *at >= since && !well).map(|(sent, _)| *sent)?;
    Some((bad, before(&all, bad)))
}

/// The newest that was well before `bad`.
fn before(newest_first: &[(Sent, bool)], bad: Sent) -> Option<Sent> {
    newest_first.iter().find(|((at, _), well)| *at < bad.0 && *well).map(|(sent, _)| *sent)
}
