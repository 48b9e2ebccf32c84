//! Figures of the evidence: how many of how many, since when; and where mail waits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::{At, DeliveryKind, Kind, Outcome};
use crate::watchdog::canary::Canary;
use crate::watchdog::evidence::{self, Tally};
use crate::watchdog::flight::RouteState;
use crate::watchdog::judge::Finding;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;
use crate::watchdog::travel;

/// The newest canaries of a route of which is counted how many were slow.
const NEWEST: usize = 60;
/// Inboxes that are named.
const NAMED: usize = 3;
/// Fewer arrivals in a row than this are nothing new where mail is lost in part.
const SAYS_SOMETHING: usize = 6;

/// How many canaries show it, of how many that were sent since it began (`count`, `of`, `since`), and what became of them (`what`). Nothing
/// before there is one.
pub(super) fn how_many(plan: &Plan, state: &State, finding: &Finding, tallies: &[Tally], first_bad: Option<At>) -> Option<Value> {
    let figures = |what: &str, count: u64, of: u64, since: Option<At>| {
        (count > 0).then(|| json!({ "what": what, "count": count, "of": of, "since": since.map(At::rfc3339) }))
    };
    match finding.kind.delivery() {
        Some(DeliveryKind::Junked) => {
            let (junk, arrived) = evidence::in_junk(tallies);
            figures("in_junk", u64::try_from(junk).ok()?, u64::try_from(arrived).ok()?, None)
        }
        Some(DeliveryKind::Loss) => {
            let (missing, sent) = evidence::lost_of(tallies);
            figures("missing", missing, sent, begin(tallies, usize::try_from(sent).ok()?))
        }
        Some(DeliveryKind::Slow) => {
            let (late, all, since) = late(plan, state, finding);
            figures("late", late, all, since)
        }
        Some(DeliveryKind::Stopped | DeliveryKind::Refused) => {
            let since = first_bad?;
            let refused = finding.kind == Kind::Refused;
            let (mut all, mut missing) = (0_u64, 0_u64);
            for canary in canaries(state, finding, since) {
                all += 1;
                missing += u64::from(if refused { canary.refused() } else { !canary.has_arrived() });
            }
            figures(if refused { "refused" } else { "missing" }, missing, all, Some(since))
        }
        None => None,
    }
}

/// To which inboxes of several all is sent that is missing, if not to all of them.
pub(super) fn where_missing(plan: &Plan, finding: &Finding, tallies: &[Tally]) -> String {
    let (mut short, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (slot, tally) in finding.routes.iter().zip(tallies) {
        let Some(planned) = plan.routes.get(*slot) else { continue };
        all.insert(&planned.route.inbox);
        if tally.missing > 0 {
            short.insert(&planned.route.inbox);
        }
    }
    let named: Vec<String> = short.iter().take(NAMED).map(|inbox| format!("`{inbox}`")).collect();
    let listed = match named.as_slice() {
        [all @ .., last] if short.len() == named.len() && !all.is_empty() => format!("{} and {last}", all.join(", ")),
        all if short.len() > all.len() => format!("{} and {} more", all.join(", "), short.len() - all.len()),
        all => all.join(", "),
    };
    if short.is_empty() || short.len() == all.len() { String::new() } else { format!(", all of them to {listed}") }
}

/// Over which routes a refusal was the answer so far: one that has not been asked since is not well for that.
pub(super) fn on_which(plan: &Plan, state: &State, finding: &Finding, tallies: &[Tally]) -> String {
    // What was taken before it refused says nothing, though it has not come.
    let refused_first = |r: &RouteState| {
        let row = r.canaries.iter().rev().take_while(|c| !c.has_arrived()).filter(|c| evidence::counts(r, c));
        row.filter(|c| c.refused()).map(Canary::sent_at).last()
    };
    let Some(since) = finding.routes.iter().filter_map(|slot| refused_first(state.routes.get(*slot)?)).min() else { return String::new() };
    let is_beside =
        |slot: &usize| plan.routes.get(*slot).is_some_and(|r| finding.culprit.covers(&r.route)) && !finding.routes.contains(slot);
    let (mut refused, mut taken, mut unasked, mut asked) = (finding.routes.len(), 0, 0, false);
    for route in (0..plan.routes.len()).filter(is_beside).filter_map(|slot| state.routes.get(slot)) {
        let sent = || route.canaries.iter().rev().take_while(|c| c.sent_at() >= since);
        match sent().find_map(Canary::outcome) {
            Some(Outcome::Accepted) => taken += 1,
            Some(Outcome::Refused(_)) => refused += 1,
            Some(Outcome::Unknown) | None => (unasked, asked) = (unasked + 1, asked || sent().next().is_some()),
        }
    }
    let all = refused + taken + unasked;
    // A confirmation that is refused on another route is an answer, too.
    let is_first = refused < 2 && tallies.iter().map(|t| t.row).sum::<u64>() < 2;
    let (others, verb) = if unasked == 1 { ("the other route".to_owned(), "has") } else { (format!("the other {unasked} routes"), "have") };
    let not_asked = format!("{verb} {}", if asked { "given no answer since" } else { "not been asked since" });
    match (taken, unasked) {
        (0, 0) if all < 2 => String::new(),
        (0, 0) if all == 2 => "; on both its routes".to_owned(),
        (0, 0) => format!("; on all its {all} routes"),
        (0, _) if is_first => format!("; that is its first answer: {others} {not_asked}"),
        (0, _) => format!("; on {refused} of its {all} routes so far: {others} {not_asked}"),
        (1, 0) => format!("; on {refused} of its {all} routes: 1 takes mail"),
        (_, 0) => format!("; on {refused} of its {all} routes: {taken} take mail"),
        (_, _) => format!("; on {refused} of its {all} routes: {taken} took mail since, {unasked} {not_asked}"),
    }
}

/// Of what was lost in part: how many arrived since the last that is missing, once that says something.
pub(super) fn newest(tallies: &[Tally]) -> String {
    let mut settled: Vec<(At, bool)> = tallies.iter().flat_map(|t| t.settled.iter().copied()).collect();
    settled.sort_unstable_by(|a, b| b.cmp(a));
    let arrived = settled.iter().take_while(|(_, arrived)| *arrived).count();
    if arrived < SAYS_SOMETHING || arrived == settled.len() { String::new() } else { format!(", the newest {arrived} have arrived") }
}

/// The canaries of a finding's routes that count and were sent since.
fn canaries<'s>(state: &'s State, finding: &'s Finding, since: At) -> impl Iterator<Item = &'s Canary> {
    let routes = finding.routes.iter().filter_map(|slot| state.routes.get(*slot));
    routes.flat_map(move |r| r.canaries.iter().rev().take_while(move |c| c.sent_at() >= since).filter(|c| evidence::counts(r, c)))
}

/// When the oldest of so many that settled last was sent.
fn begin(tallies: &[Tally], sent: usize) -> Option<At> {
    let mut settled: Vec<At> = tallies.iter().flat_map(|t| t.settled.iter().map(|(at, _)| *at)).collect();
    settled.sort_unstable_by(|a, b| b.cmp(a));
    settled.get(sent.checked_sub(1)?).copied()
}

/// How many took longer than nearly all do, or are out for longer, since the first of them; of those of which that is known.
pub(super) fn late(plan: &Plan, state: &State, finding: &Finding) -> (u64, u64, Option<At>) {
    let mut known: Vec<(At, bool)> = Vec::new();
    for slot in finding.routes.iter().filter(|slot| **slot < plan.routes.len()) {
        let Some(route) = state.routes.get(*slot) else { continue };
        let usual = evidence::usual(route);
        let horizon = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i));
        let newest = route.canaries.iter().rev().filter(|c| !c.is_set_aside() && !c.refused()).take(NEWEST);
        known.extend(newest.filter_map(|c| {
            let age = c.latency().or_else(|| horizon.map(|h| h.since(c.sent_at())).filter(|age| *age > usual))?;
            Some((c.sent_at(), age > usual))
        }));
    }
    known.sort_unstable_by(|a, b| b.cmp(a));
    let (late, all) = evidence::since_it_began(known.iter().map(|(_, is_late)| *is_late), evidence::LATE_IN_HEALTH);
    let since = known.iter().take(usize::try_from(all).unwrap_or(usize::MAX)).rev().find(|(_, is_late)| *is_late);
    (late, all, since.map(|(at, _)| *at))
}

/// On which leg mail waits. Where some is missing, only what was sent since the first of it and came late after all tells.
pub(super) fn slow_leg(state: &State, finding: &Finding, first_bad: Option<At>) -> Option<Value> {
    let since = match finding.kind.delivery() {
        Some(DeliveryKind::Slow) => None,
        Some(DeliveryKind::Loss | DeliveryKind::Stopped) => Some(first_bad?),
        Some(DeliveryKind::Junked | DeliveryKind::Refused) | None => return None,
    };
    travel::grown(state, &finding.routes, since).map(|leg| leg.facts())
}
