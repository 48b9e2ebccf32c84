//! What the rest of the matrix shows beside a failure: who delivers, and who fails as well.

use std::collections::BTreeSet;

use super::{inboxes, subject};
use crate::model::{At, Culprit, Kind, Name, Route};
use crate::watchdog::beside;
use crate::watchdog::evidence::{self, Tally};
use crate::watchdog::index::Index;
use crate::watchdog::judge::Finding;
use crate::watchdog::outbox::Incident;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// Nats of silence with which nobody is called well.
const DOUBTFUL: f32 = 3.0;
/// Others that fail are named up to so many.
const FAILING: usize = 3;

/// Who delivers to the same inboxes, or which inboxes receive from the same providers; and whose failure stands beside this one.
pub(super) fn others(plan: &Plan, state: &State, ix: &Index, finding: &Finding) -> String {
    format!("{}{}", well(plan, state, ix, finding), ill(plan, state, finding))
}

fn well(plan: &Plan, state: &State, ix: &Index, finding: &Finding) -> String {
    let shared = inboxes(plan, &finding.routes);
    let mut healthy: BTreeSet<&Name> = BTreeSet::new();
    let only = only_provider(plan, finding);
    let inbox_fault = matches!(finding.culprit, Culprit::Inbox(_)) && only.is_none();
    let is_beside = |r: &Route| only.map_or_else(|| !finding.culprit.covers(r), |only| r.provider != *only);
    let own = plan.suspect(&finding.culprit);
    // Nobody is called well whose silence is suspicious by now, though nothing of it is overdue yet.
    let is_doubtful = |s: &usize| ix.alarmed.contains(s) || state.standings.get(*s).is_some_and(|standing| standing.level >= DOUBTFUL);
    let doubted = |s: &usize| is_doubtful(s) && own.is_none_or(|own| !plan.overlap(*s, own));
    for (slot, route) in plan.routes.iter().enumerate().filter(|(_, r)| is_beside(&r.route)) {
        let name = if inbox_fault { &route.route.inbox } else { &route.route.provider };
        if healthy.contains(name) || !(inbox_fault || shared.contains(&route.route.inbox)) || route.suspects.iter().any(doubted) {
            continue;
        }
        let tally = evidence::tally(plan, state, slot);
        if tally.live && tally.row == 0 && tally.good_sent_at.is_some() {
            healthy.insert(name);
        }
    }
    if healthy.is_empty() {
        return String::new();
    }
    // A provider that is blamed for a part is well in its other parts alone.
    let own = finding.culprit.parts().0.filter(|name| healthy.remove(*name));
    let streams = own.map(|name| format!("other streams of {name}"));
    let verb = if healthy.len() == 1 && own.is_none() { "s" } else { "" };
    let names: Vec<String> = healthy.iter().take(4).map(ToString::to_string).chain(streams).collect();
    if inbox_fault {
        format!("; {} receive{verb} from the same providers", names.join(", "))
    } else {
        format!("; {} deliver{verb} to the same inboxes", names.join(", "))
    }
}

/// The only provider whose mail an inbox does not show, where others write to it, too.
pub(super) fn only_provider<'p>(plan: &'p Plan, finding: &Finding) -> Option<&'p Name> {
    let Culprit::Inbox(inbox) = &finding.culprit else { return None };
    let mut through = finding.routes.iter().filter_map(|slot| plan.routes.get(*slot)).map(|r| &r.route.provider);
    let first = through.next()?;
    let is_only = through.all(|other| other == first) && finding.kind != Kind::Refused;
    let others = || plan.routes.iter().any(|r| r.route.inbox == *inbox && r.route.provider != *first);
    (is_only && others()).then_some(first)
}

/// Who meets the culprit there, where what it fails in shows at one inbox of several, or through one provider of several.
pub(super) fn meets(plan: &Plan, finding: &Finding) -> Option<Culprit> {
    if let Some(only) = only_provider(plan, finding) {
        return Some(Culprit::Provider(only.clone()));
    }
    let is_provider = matches!(finding.culprit, Culprit::Provider(_) | Culprit::Stream(..)) && finding.kind != Kind::Refused;
    let at = inboxes(plan, &finding.routes);
    let only = at.first().filter(|_| is_provider && at.len() == 1)?;
    let others = plan.routes.iter().any(|r| finding.culprit.covers(&r.route) && r.route.inbox != *only);
    others.then(|| Culprit::Inbox(only.clone()))
}

/// Whose mail stops, is lost, late or refused meanwhile: other providers where a provider fails, other inboxes where an inbox does.
fn ill(plan: &Plan, state: &State, finding: &Finding) -> String {
    let beside = |other: &&Culprit| match (finding.culprit.parts(), other.parts()) {
        ((Some(own), ..), (Some(other), ..)) => own != other,
        ((None, _, Some(own)), (None, _, Some(other))) => own != other,
        _ => false,
    };
    if finding.is_of_seed() {
        return String::new();
    }
    if finding.culprit == (Culprit::Watcher {}) {
        let refusing: Vec<String> = beside::said(state).map(subject).collect();
        return named(&refusing, ["refuses mail besides", "refuse mail besides"]);
    }
    // What is kept open, because it came and went before, may deliver by now.
    let is_well = |i: &&Incident| matches!(&i.shown.culprit, Culprit::Provider(p) if delivers(plan, state, p, i.shown.opened_at));
    let refused = state.open().filter(|i| i.shown.kind == Kind::Refused && !i.is_of_seed() && !is_well(i)).map(|i| &i.shown.culprit);
    let failing: BTreeSet<String> = state.alarms.iter().map(|a| &a.culprit).chain(refused).filter(beside).map(subject).collect();
    named(&failing.into_iter().collect::<Vec<_>>(), ["fails as well", "fail as well"])
}

/// The first of these, how many more there are, and what they do: one alone, or several.
fn named(names: &[String], [one, several]: [&str; 2]) -> String {
    let (said, more) = names.split_at(names.len().min(FAILING));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    match names.len() {
        0 => String::new(),
        1 => format!("; {}{more} {one}", said.join(", ")),
        _ => format!("; {}{more} {several}", said.join(", ")),
    }
}

/// Whether a provider beside this culprit's delivers, as far as is known; who is not watched may.
pub(super) fn is_anybody_well(plan: &Plan, state: &State, culprit: &Culprit) -> bool {
    if plan.providers.len() < 2 {
        return true;
    }
    let (own, ..) = culprit.parts();
    let all = Culprit::Watcher {};
    let goes_on = state.alarms.iter().any(|a| a.culprit == all);
    let fails = |name: &Name| {
        let mine = Culprit::Provider(name.clone());
        // What was told of everything, and is about to be told of one, is over for those who have delivered since.
        let told = |i: &Incident| i.shown.culprit == mine || i.shown.culprit == all && !delivers(plan, state, name, i.shown.opened_at);
        let open = state.open().filter(|i| i.shown.kind.is_delivery() && !i.is_of_seed()).any(told);
        open || goes_on || state.alarms.iter().any(|a| a.culprit == mine)
    };
    plan.providers.iter().any(|name| Some(name) != own && !fails(name))
}

/// Whether the newest mail through a provider arrives, and some of it was sent since.
fn delivers(plan: &Plan, state: &State, provider: &Name, since: At) -> bool {
    let live: Vec<Tally> = plan.of_provider(provider).map(|slot| evidence::tally(plan, state, slot)).filter(|t| t.live).collect();
    live.iter().all(|t| t.row == 0) && live.iter().any(|t| t.good_sent_at.is_some_and(|at| at >= since))
}
