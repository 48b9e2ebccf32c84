//! What hides deliveries: inboxes that cannot be read, one by one or all of them, and a watcher without network.
//!
//! While no inbox can be read the watchdog sees nothing. That is one incident, whatever the reasons of each, and it pages; those of single
//! inboxes are part of it.

use std::collections::BTreeSet;

use super::incident::Move;
use super::index::Index;
use super::outbox::Incident;
use super::plan::Plan;
use super::present;
use super::sight::Blindness;
use super::state::State;
use crate::model::{At, Change, Culprit, IncidentId, Kind, Name, PART_OF, Severity};

/// What is to be told.
pub(super) fn moves(plan: &Plan, state: &State, ix: &Index, now: At) -> Vec<Move> {
    let mut moves: Vec<Move> = of_all(plan, state, now).into_iter().collect();
    let whole = moves.first().filter(|m| m.change != Change::Resolved).and_then(|m| m.incident).or_else(|| whole(state));
    let opens = moves.first().is_some_and(|m| m.change != Change::Resolved);
    let told = state.open().filter(|i| i.shown.kind == Kind::Blind).filter_map(|i| match &i.shown.culprit {
        Culprit::Inbox(name) => Some(name),
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => None,
    });
    let names: BTreeSet<&Name> = ix.blind.iter().chain(told).filter(|name| plan.inboxes.contains(*name)).collect();
    for name in names {
        let open = state.open().find(|i| is_of(i, name)).filter(|i| Some(i.shown.incident) != whole);
        let blind = state.inboxes.get(name).and_then(|i| i.blind.as_ref());
        match (open, blind) {
            (Some(open), Some(_)) if cut_off_for_long(plan, state, now) => {
                moves.push(Move::end(open, format!("{PART_OF}the watcher has no network")));
            }
            (Some(open), Some(_)) if opens || whole.is_some() => {
                let by = whole.map_or_else(String::new, |id| format!(" (incident {id})"));
                moves.push(Move::end(open, format!("{PART_OF}no inbox can be read{by}")));
            }
            // Where none can be read, that is one incident and not one for each.
            (None, Some(_)) if opens || whole.is_some() || all_dark_since(plan, state).is_some() => {}
            (None, Some(blind)) if due_at(plan, state, name).is_some_and(|due| now >= due) => moves.push(of_one(plan, name, blind, now)),
            (Some(open), None) => moves.push(Move::end(open, format!("inbox `{name}` can be read again"))),
            _ => {}
        }
    }
    moves.extend(cut_off_move(plan, state, now));
    moves
}

/// The next instant at which time alone opens an incident.
pub(super) fn next(plan: &Plan, state: &State, ix: &Index) -> Option<At> {
    let cut = state.cut_off_since.map(|since| (since.plus(plan.cut_off_after), Kind::CutOff, Culprit::Watcher {}));
    let cut =
        cut.filter(|(_, kind, culprit)| !state.open().any(|i| i.shown.kind == *kind && i.shown.culprit == *culprit)).map(|(at, ..)| at);
    if state.cut_off_since.is_some() || whole(state).is_some() {
        return cut;
    }
    if let Some(since) = all_dark_since(plan, state) {
        return Some(since.plus(plan.blind_after));
    }
    let dark = ix.blind.iter().filter(|name| plan.inboxes.contains(*name) && !state.open().any(|i| is_of(i, name)));
    dark.filter_map(|name| due_at(plan, state, name)).min()
}

/// The open incident that no inbox can be read.
fn whole(state: &State) -> Option<IncidentId> {
    state.open().find(|i| is_of_all(i)).map(|i| i.shown.incident)
}

fn is_of_all(incident: &Incident) -> bool {
    let shown = &incident.shown;
    shown.kind == Kind::Blind && shown.culprit == Culprit::Watcher {} && shown.last.sink().is_none()
}

fn is_of(incident: &Incident, name: &Name) -> bool {
    incident.shown.kind == Kind::Blind && incident.shown.culprit == Culprit::Inbox(name.clone())
}

/// Since when an inbox cannot be read for reasons of its own: while the watcher had no network none could.
fn dark_since(state: &State, name: &Name) -> Option<At> {
    let inbox = state.inboxes.get(name)?;
    Some(inbox.blind.as_ref()?.since.max(inbox.clear_from))
}

/// Since when none of several inboxes can be read, if none can.
fn all_dark_since(plan: &Plan, state: &State) -> Option<At> {
    let since: Option<Vec<At>> = plan.inboxes.iter().map(|name| dark_since(state, name)).collect();
    since.filter(|all| all.len() > 1)?.into_iter().max()
}

/// When an inbox that cannot be read is told of. What was part of a larger failure until now has its time to come back, too.
fn due_at(plan: &Plan, state: &State, name: &Name) -> Option<At> {
    if state.cut_off_since.is_some() {
        return None;
    }
    let over = state.incidents.values().filter(|i| is_of_all(i)).filter_map(|i| i.shown.resolved_at).max();
    Some(dark_since(state, name)?.max(over.unwrap_or_default()).plus(plan.blind_after))
}

/// That no inbox can be read, or that one can be again. The first of those that were told of one by one becomes it.
fn of_all(plan: &Plan, state: &State, now: At) -> Option<Move> {
    let (open, dark) = (state.open().find(|i| is_of_all(i)), all_dark_since(plan, state));
    match (open, dark) {
        (Some(open), Some(_)) if cut_off_for_long(plan, state, now) => {
            Some(Move::end(open, format!("{PART_OF}the watcher has no network")))
        }
        (Some(open), None) => {
            let seen = plan.inboxes.iter().find(|name| dark_since(state, name).is_none());
            Some(Move::end(open, seen.map_or_else(String::new, |name| format!("inbox `{name}` can be read again"))))
        }
        (None, Some(since)) if state.cut_off_since.is_none() && now >= since.plus(plan.blind_after) => {
            let first = state.open().find(|i| plan.inboxes.iter().any(|name| is_of(i, name))).map(|i| i.shown.incident);
            let (summary, evidence) = present::all_blind(plan, state, now)?;
            Some(Move {
                incident: first,
                change: if first.is_some() { Change::Updated } else { Change::Opened },
                kind: Kind::Blind,
                severity: Severity::Page,
                culprit: Culprit::Watcher {},
                summary,
                evidence,
                only: None,
            })
        }
        _ => None,
    }
}

/// That one inbox cannot be read.
fn of_one(plan: &Plan, name: &Name, blind: &Blindness, now: At) -> Move {
    let why = blind.why.as_deref().unwrap_or("it cannot be read");
    Move {
        incident: None,
        change: Change::Opened,
        kind: Kind::Blind,
        severity: Severity::Warn,
        culprit: Culprit::Inbox(name.clone()),
        summary: present::blind(name, blind, now),
        evidence: serde_json::json!({
            "since": blind.since.rfc3339(), "class": blind.class, "why": why, "routes": routes_of(plan, name),
            "next_step": "log in to the mailbox by hand; check its password, its quota and the server's limits",
        }),
        only: None,
    }
}

fn routes_of(plan: &Plan, inbox: &Name) -> Vec<String> {
    plan.routes.iter().filter(|r| r.route.inbox == *inbox).map(|r| r.route.to_string()).collect()
}

/// Whether the watcher has had no network for so long that it is told of.
fn cut_off_for_long(plan: &Plan, state: &State, now: At) -> bool {
    state.cut_off_since.is_some_and(|since| now >= since.plus(plan.cut_off_after))
}

fn cut_off_move(plan: &Plan, state: &State, now: At) -> Option<Move> {
    let open = state.open().find(|i| i.shown.kind == Kind::CutOff);
    match (open, state.cut_off_since) {
        (None, Some(since)) if now >= since.plus(plan.cut_off_after) => Some(Move {
            incident: None,
            change: Change::Opened,
            kind: Kind::CutOff,
            severity: Severity::Warn,
            culprit: Culprit::Watcher {},
            summary: present::cut_off(since, now),
            evidence: serde_json::json!({
                "since": since.rfc3339(), "next_step": "check the network, the resolver and the firewall of the host that runs mailcanary",
            }),
            only: None,
        }),
        (Some(open), None) => Some(Move::end(open, "the watcher has network again".to_owned())),
        _ => None,
    }
}
