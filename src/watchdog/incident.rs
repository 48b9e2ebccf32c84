//! Incidents: one for each culprit, opened once, resolved once. Compares what the judge found with what is open.

use super::evidence::Tally;
use super::explain;
use super::judge::{Assessment, Finding};
use super::plan::Plan;
use super::state::{Incident, State};
use crate::model::{At, Change, Culprit, IncidentId, Kind, Name, Severity};
use serde_json::Value;

/// So many of the newest canaries of a stopped culprit must have arrived before it is called recovered.
const RECOVERED_FROM_STOP: usize = 3;
/// After a partial loss a few arrivals prove nothing: at 30 % lost, ten in a row come by chance once in 35 tries.
const RECOVERED_FROM_LOSS: usize = 10;

/// A change of an incident that is to be told.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// `None`: a new one.
    pub(super) incident: Option<IncidentId>,
    pub(super) change: Change,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) culprit: Culprit,
    pub(super) summary: String,
    pub(super) evidence: Value,
}

/// What changes by what was found.
pub(super) fn moves(plan: &Plan, state: &State, assessment: &Assessment, now: At) -> Vec<Move> {
    let mut moves = delivery_moves(plan, state, assessment, now);
    moves.extend(blind_moves(plan, state, now));
    moves.extend(cut_off_move(plan, state, now));
    moves.extend(state.open().filter(|i| !plan.knows(&i.shown.culprit)).map(|i| {
        let why = format!("{} is no longer in the configuration", explain::subject(&i.shown.culprit));
        end(i, why)
    }));
    moves
}

/// The next instant at which time alone opens an incident.
pub(super) fn next(plan: &Plan, state: &State) -> Option<At> {
    let silent = |i: &Incident, kind, culprit: &Culprit| i.shown.kind == kind && i.shown.culprit == *culprit;
    let cut = state.cut_off_since.map(|since| (since.plus(plan.cut_off_after), Kind::CutOff, Culprit::Watcher {}));
    let blind =
        state.inboxes.iter().filter(|(name, _)| state.cut_off_since.is_none() && plan.inboxes.contains(*name)).filter_map(
            |(name, inbox)| Some((inbox.blind.as_ref()?.since.plus(plan.blind_after), Kind::Blind, Culprit::Inbox(name.clone()))),
        );
    blind.chain(cut).filter(|(_, kind, culprit)| !state.open().any(|i| silent(i, *kind, culprit))).map(|(at, ..)| at).min()
}

fn delivery_moves(plan: &Plan, state: &State, assessment: &Assessment, now: At) -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    let mut kept: Vec<IncidentId> = Vec::new();
    for finding in &assessment.findings {
        if let Some(same) = state.open_delivery(&finding.culprit) {
            kept.push(same.shown.incident);
            if louder_or_other(same, finding) {
                moves.push(tell(plan, state, assessment, finding, Some(same.shown.incident), now));
            }
        } else if let Some(wider) = wider(plan, state, &finding.culprit) {
            let alone = assessment.findings.iter().filter(|f| covered(plan, &f.culprit, &wider.shown.culprit)).count() == 1;
            if alone && rest_is_well(plan, &assessment.tallies, wider, finding) {
                moves.push(tell(plan, state, assessment, finding, Some(wider.shown.incident), now));
            }
            kept.push(wider.shown.incident);
        } else {
            let mut narrower = state.open().filter(|i| i.shown.kind.is_delivery() && covered(plan, &i.shown.culprit, &finding.culprit));
            let first = narrower.next().map(|i| i.shown.incident);
            moves.push(tell(plan, state, assessment, finding, first, now));
            kept.extend(first);
            for other in narrower {
                kept.push(other.shown.incident);
                let by = first.map_or_else(String::new, |id| format!(" (incident {id})"));
                moves.push(end(other, format!("part of a larger failure: {}{by}", explain::subject(&finding.culprit))));
            }
        }
    }
    for open in state.open().filter(|i| i.shown.kind.is_delivery() && plan.knows(&i.shown.culprit)) {
        let goes_on = |f: &&Finding| f.culprit == open.shown.culprit && f.severity >= open.shown.severity && !is_aftermath(open, f);
        let moved = moves.iter().any(|m| m.incident == Some(open.shown.incident));
        let held = moved || (kept.contains(&open.shown.incident) && assessment.findings.iter().any(|f| goes_on(&f)));
        let inside = assessment.findings.iter().any(|f| f.culprit != open.shown.culprit && covered(plan, &f.culprit, &open.shown.culprit));
        if !held && !inside && recovered(plan, &assessment.tallies, open) {
            moves.push(end(open, explain::recovery(plan, &assessment.tallies, &open.shown.culprit, open.shown.opened_at, now)));
        }
    }
    moves
}

/// A quieter finding moves nothing while the louder incident lasts: on the way to recovery every stop looks like a loss.
fn louder_or_other(open: &Incident, finding: &Finding) -> bool {
    let shown = &open.shown;
    let other = finding.severity == shown.severity && finding.kind != shown.kind && !is_aftermath(open, finding);
    finding.severity > shown.severity || other
}

/// A stop that is ending looks like a loss until its gap has left the window: recovery decides, not the share.
fn is_aftermath(open: &Incident, finding: &Finding) -> bool {
    finding.kind == Kind::Loss && matches!(open.shown.kind, Kind::Stopped | Kind::Refused)
}

/// An open incident whose culprit covers all that `culprit` does, and more.
fn wider<'s>(plan: &Plan, state: &'s State, culprit: &Culprit) -> Option<&'s Incident> {
    state.open().find(|i| i.shown.kind.is_delivery() && i.shown.culprit != *culprit && covered(plan, culprit, &i.shown.culprit))
}

/// Whether every route of `small` is one of `large`.
fn covered(plan: &Plan, small: &Culprit, large: &Culprit) -> bool {
    let mut any = false;
    for route in plan.routes.iter().filter(|r| small.covers(&r.route)) {
        any = true;
        if !large.covers(&route.route) {
            return false;
        }
    }
    any
}

/// Whether all that the wider incident covers beyond the finding has delivered since it was opened.
fn rest_is_well(plan: &Plan, tallies: &[Tally], wider: &Incident, finding: &Finding) -> bool {
    let rest = |r: &crate::model::Route| wider.shown.culprit.covers(r) && !finding.culprit.covers(r);
    let mut rest = plan.routes.iter().zip(tallies).filter(|(r, t)| t.live && rest(&r.route)).peekable();
    rest.peek().is_some() && rest.all(|(_, t)| t.row == 0 && t.good_sent_at.is_some_and(|at| at >= wider.shown.opened_at))
}

/// Whether canaries sent since the incident was opened show health: the newest all arrived, and on no route the row goes on.
fn recovered(plan: &Plan, tallies: &[Tally], open: &Incident) -> bool {
    let shown = &open.shown;
    let live: Vec<&Tally> =
        plan.routes.iter().zip(tallies).filter(|(r, t)| t.live && shown.culprit.covers(&r.route)).map(|(_, t)| t).collect();
    if live.is_empty() || live.iter().any(|t| t.row > 0 || t.slow && shown.kind == Kind::Slow || t.junked && shown.kind == Kind::Junked) {
        return false;
    }
    if !live.iter().all(|t| t.good_sent_at.is_some_and(|at| at >= shown.opened_at)) {
        return false;
    }
    let mut settled: Vec<(At, bool)> =
        live.iter().flat_map(|t| t.settled.iter().copied()).filter(|(at, _)| *at >= shown.opened_at).collect();
    settled.sort_unstable_by(|a, b| b.cmp(a));
    let needed = if shown.kind == Kind::Loss { RECOVERED_FROM_LOSS } else { RECOVERED_FROM_STOP };
    settled.len() >= needed && settled.iter().take(needed).all(|(_, arrived)| *arrived)
}

fn tell(plan: &Plan, state: &State, assessment: &Assessment, finding: &Finding, incident: Option<IncidentId>, now: At) -> Move {
    Move {
        incident,
        change: if incident.is_some() { Change::Updated } else { Change::Opened },
        kind: finding.kind,
        severity: finding.severity,
        culprit: finding.culprit.clone(),
        summary: explain::summary(plan, state, assessment, finding, now),
        evidence: explain::evidence(plan, state, assessment, finding, now),
    }
}

fn end(open: &Incident, why: String) -> Move {
    let shown = &open.shown;
    Move {
        incident: Some(shown.incident),
        change: Change::Resolved,
        kind: shown.kind,
        severity: shown.severity,
        culprit: shown.culprit.clone(),
        summary: why,
        evidence: shown.last.evidence.clone(),
    }
}

fn blind_moves(plan: &Plan, state: &State, now: At) -> Vec<Move> {
    let mut moves = Vec::new();
    for name in &plan.inboxes {
        let culprit = Culprit::Inbox(name.clone());
        let open = state.open().find(|i| i.shown.kind == Kind::Blind && i.shown.culprit == culprit);
        let blind = state.inboxes.get(name).and_then(|i| i.blind.as_ref());
        match (open, blind) {
            (None, Some(blind)) if state.cut_off_since.is_none() && now >= blind.since.plus(plan.blind_after) => {
                let why = blind.why.as_deref().unwrap_or("it cannot be read");
                moves.push(Move {
                    incident: None,
                    change: Change::Opened,
                    kind: Kind::Blind,
                    severity: Severity::Warn,
                    culprit,
                    summary: format!(
                        "inbox `{name}` could not be read for {}: {why}. Nothing is known of mail to it",
                        now.since(blind.since)
                    ),
                    evidence: serde_json::json!({
                        "since": blind.since.rfc3339(), "class": blind.class, "why": why, "routes": routes_of(plan, name),
                        "next_step": "log in to the mailbox by hand; check its password, its quota and the server's limits",
                    }),
                });
            }
            (Some(open), None) => moves.push(end(open, format!("inbox `{name}` can be read again"))),
            _ => {}
        }
    }
    moves
}

fn routes_of(plan: &Plan, inbox: &Name) -> Vec<String> {
    plan.routes.iter().filter(|r| r.route.inbox == *inbox).map(|r| r.route.to_string()).collect()
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
            summary: format!("the watcher has had no network for {}: nothing is known of any route", now.since(since)),
            evidence: serde_json::json!({
                "since": since.rfc3339(), "next_step": "check the network, the resolver and the firewall of the host that runs mailcanary",
            }),
        }),
        (Some(open), None) => Some(end(open, "the watcher has network again".to_owned())),
        _ => None,
    }
}
