//! Why an incident is over.

use super::about;
use crate::model::{At, Culprit, DeliveryKind, Placement, Route, Span};
use crate::watchdog::canary::Canary;
use crate::watchdog::evidence;
use crate::watchdog::flight::RouteState;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;
use crate::watchdog::travel;
use crate::watchdog::view::IncidentView;

/// What came late had been sent so long before an incident was opened, at most.
const BEFORE: Span = Span::from_secs(3600);

/// In a sentence: what is well again, by how many canaries, and how long after it was opened.
pub(in crate::watchdog) fn recovery(plan: &Plan, state: &State, shown: &IncidentView, now: At) -> String {
    let (culprit, opened_at) = (&shown.culprit, shown.opened_at);
    let covered: Vec<usize> = plan.routes.iter().enumerate().filter(|(_, r)| culprit.covers(&r.route)).map(|(slot, _)| slot).collect();
    let found = |r: &RouteState| r.suppressed.as_ref().is_some_and(|s| s.found_at >= opened_at);
    let seeds: Vec<&Route> = state.routes.iter().filter(|r| culprit.covers(&r.route) && found(r)).map(|r| &r.route).collect();
    let suppressed = seeds.first().map(|r| format!("provider `{}` suppresses the seed of inbox `{}`", r.provider, r.inbox));
    if let Some(why) = suppressed.as_ref().filter(|_| seeds.len() == covered.len()) {
        return format!("no outage: {why}; {}", after(opened_at, now));
    }
    let suppressed = suppressed.map_or_else(String::new, |why| format!("; {why}: what did not arrive there is no outage"));
    let late = travel::grown(state, &covered, Some(opened_at.minus(BEFORE)))
        .map_or_else(String::new, |leg| format!("; of what came late: {}", leg.in_words()));
    format!("{}{suppressed}{late}; {}", well(plan, state, shown, &covered), after(opened_at, now))
}

/// How long after it was opened: true at whatever time it is read.
fn after(opened_at: At, now: At) -> String {
    format!("{} after it was opened", now.since(opened_at))
}

/// What is well, and by what that is known: of what failed in part, only what has come since the last that was bad tells.
fn well(plan: &Plan, state: &State, shown: &IncidentView, covered: &[usize]) -> String {
    let common = shown.culprit == (Culprit::Watcher {});
    let delivers = match &shown.culprit {
        Culprit::Watcher {} => "arrives",
        Culprit::Inbox(_) => "receives mail",
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) => "delivers",
    };
    let who = about(&shown.culprit);
    let since = |c: &Canary| c.sent_at() >= shown.opened_at;
    let arrived = || {
        let routes = covered.iter().filter_map(|slot| state.routes.get(*slot));
        routes.flat_map(|r| r.canaries.iter().rev().take_while(|c| since(c)).filter(|c| c.has_arrived()).map(move |c| (r, c)))
    };
    match shown.kind.delivery() {
        Some(DeliveryKind::Junked) => {
            let clean = in_a_row(arrived().map(|(_, c)| (c.sent_at(), c.placement() != Some(Placement::Junk))));
            let mail = if common { who } else { format!("mail of {who}") };
            format!("{mail} lands in Junk no more: {}", newest(clean, "came past it"))
        }
        Some(DeliveryKind::Loss) => {
            let settled = covered.iter().flat_map(|slot| evidence::settled_since(plan, state, *slot, shown.opened_at));
            let again = match &shown.culprit {
                Culprit::Watcher {} => "all mail arrives again through every provider".to_owned(),
                Culprit::Inbox(_) => format!("{who} receives all mail again"),
                Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) => {
                    format!("{who} delivers all mail again")
                }
            };
            format!("{again}: {}", newest(in_a_row(settled.map(|(c, came)| (c.sent_at(), came))), "have arrived"))
        }
        Some(DeliveryKind::Slow) => {
            let timely = |(r, c): (&RouteState, &Canary)| (c.sent_at(), c.latency().is_some_and(|took| took <= evidence::usual(r)));
            format!("{who} {delivers} in time again: {}", newest(in_a_row(arrived().map(timely)), "took no longer than usual"))
        }
        Some(DeliveryKind::Stopped | DeliveryKind::Refused) | None => {
            // Where some routes were well all the time, they do not tell that it is over.
            let came =
                |slot: &usize| evidence::settled_since(plan, state, *slot, shown.opened_at).map(|(_, came)| came).collect::<Vec<_>>();
            let failed = covered.iter().map(came).filter(|route| route.contains(&false));
            let after: usize = failed.map(|route| route.iter().take_while(|came| **came).count()).sum();
            let count = if after > 0 { after } else { arrived().count() };
            let canaries = if count == 1 { "canary sent since has arrived" } else { "canaries sent since have arrived" };
            format!("{who} {delivers} again: {count} {canaries}")
        }
    }
}

/// How many in a row, the newest last, were well.
fn in_a_row(all: impl Iterator<Item = (At, bool)>) -> usize {
    let mut all: Vec<(At, bool)> = all.collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    // The last ones may be on their way.
    all.into_iter().skip_while(|(_, well)| !well).take_while(|(_, well)| *well).count()
}

fn newest(count: usize, what: &str) -> String {
    match count {
        0 => "no canary that was sent since shows it".to_owned(),
        1 => format!("the newest canary {}", what.replacen("have", "has", 1)),
        _ => format!("the newest {count} canaries {what}"),
    }
}
