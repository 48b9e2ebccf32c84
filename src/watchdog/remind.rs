//! What is told again: reminders of what nobody has acknowledged, what goes on when its silence has ended, and what a sink hears of only
//! later, because it waits for the others or for its hours.

use serde_json::{Value, json};

use super::audience;
use super::flaps;
use super::heard;
use super::incident::Move;
use super::index::Index;
use super::judge::Assessment;
use super::outbox::{Incident, OPEN_FOR, without_age};
use super::plan::Plan;
use super::present;
use super::state::State;
use crate::model::proof::renew_ages;
use crate::model::{At, Change, IncidentId, Name};

/// Marks the evidence of a notice to a sink that waited for the others.
const ESCALATION: &str = "escalation";

/// What is due, besides what has `moved`. What has been held back is told with a reminder.
pub(super) fn moves(
    plan: &Plan,
    state: &State,
    ix: &Index,
    assessment: &Assessment,
    (moved, held): (&[Move], &[Move]),
    now: At,
) -> Vec<Move> {
    let mut moves = Vec::new();
    for open in state.open() {
        let changes = |id: IncidentId| moved.iter().filter(move |m| m.incident == Some(id));
        let mine = || changes(open.shown.incident);
        // What moves at this moment is how it stands.
        let again = || mine().next_back().cloned().unwrap_or_else(|| as_it_stands(plan, state, ix, assessment, open, now));
        if mine().next().is_none() {
            let known = || held.iter().find(|m| m.incident == Some(open.shown.incident)).cloned();
            let told = |m: Move| known().filter(|_| m.change == Change::Reminder).unwrap_or(m);
            moves.extend(reminder(plan, state, open, again, now).map(told));
        }
        if mine().all(|m| m.change != Change::Resolved) {
            let [called, in_hours] = audience::later(plan, state, open, now);
            moves.extend((!called.is_empty()).then(|| escalation(open, again(), called, now)));
            moves.extend((!in_hours.is_empty()).then(|| in_its_hours(open, again(), in_hours, now)));
            let missed = heard::again(plan, state, open, now);
            moves.extend((!missed.is_empty()).then(|| once_more(open, again(), missed, now)));
        }
    }
    moves
}

/// The next instant at which time alone has something told again.
pub(super) fn next(plan: &Plan, state: &State) -> Option<At> {
    let heard_again =
        state.open().filter(|i| i.waits_for_silence()).filter_map(|i| state.silenced_until(plan, i.shown.kind, &i.shown.culprit, state.at));
    let mut due: Vec<(At, &Incident)> = state.open().filter_map(|i| Some((state.reminded_at(i, i.remind_at(plan)?), i))).collect();
    due.sort_by_key(|(at, _)| *at);
    let reminder = due.into_iter().find(|(_, i)| !flaps::is_calm(plan, state, i)).map(|(at, _)| at);
    heard_again.chain(reminder).chain(audience::next(plan, state)).min()
}

/// An open incident as it is now.
fn as_it_stands(plan: &Plan, state: &State, ix: &Index, assessment: &Assessment, open: &Incident, now: At) -> Move {
    let shown = &open.shown;
    let finding = assessment.findings.iter().find(|f| f.culprit == shown.culprit && f.kind == shown.kind);
    let (summary, evidence) = match present::of(plan, state, ix, assessment, open, now) {
        Some(now) => (now.summary, now.evidence),
        None => {
            let mut evidence = shown.last.evidence.clone();
            renew_ages(&mut evidence, now);
            (shown.last.summary.clone(), evidence)
        }
    };
    let severity = finding.map_or(shown.severity, |f| f.severity.max(shown.severity));
    // Of an earlier reminder nothing is repeated.
    let summary = without_age(&summary).to_owned();
    Move { severity, summary, evidence, ..Move::end(open, String::new()) }
}

/// What nobody has acknowledged for long, and what goes on when its silence has ended.
fn reminder(plan: &Plan, state: &State, open: &Incident, again: impl FnOnce() -> Move, now: At) -> Option<Move> {
    let shown = &open.shown;
    let heard_again = open.waits_for_silence() && state.silenced_until(plan, shown.kind, &shown.culprit, now).is_none();
    // Nobody is called while mail arrives again.
    let due = open.remind_at(plan).map(|due| state.reminded_at(open, due));
    if !heard_again && due.is_none_or(|at| at > now) || flaps::is_calm(plan, state, open) {
        return None;
    }
    let mut again = again();
    let kept_back = || format!("{OPEN_FOR}{}, a silence kept this back", now.since(shown.opened_at));
    again.summary.push_str(&if heard_again { kept_back() } else { open.open_for(now) });
    again.change = match (heard_again, open.told_at) {
        (true, None) => Change::Opened,
        (true, Some(_)) => Change::Updated,
        (false, _) => Change::Reminder,
    };
    Some(again)
}

/// What a sink hears that is called because nobody has acknowledged a page.
fn escalation(open: &Incident, again: Move, only: Vec<Name>, now: At) -> Move {
    let paged_at = open.paged_at().unwrap_or(open.shown.opened_at);
    let waited = now.since(paged_at);
    let mut evidence = again.evidence;
    if let Some(evidence) = evidence.as_object_mut() {
        let mark: Value = json!({ "paged_at": paged_at.rfc3339(), "unacknowledged_for": waited.to_string() });
        evidence.insert(ESCALATION.to_owned(), mark);
    }
    let summary = format!("ESCALATION, nobody has acknowledged this for {waited}: {}", again.summary);
    Move { change: Change::Opened, summary, evidence, only: Some(only), ..again }
}

/// What a sink hears when its hours begin.
fn in_its_hours(open: &Incident, again: Move, only: Vec<Name>, now: At) -> Move {
    let summary = format!("{}{OPEN_FOR}{}, and the hours of this sink have begun", again.summary, now.since(open.shown.opened_at));
    Move { change: Change::Opened, summary, only: Some(only), ..again }
}

/// What a sink hears that refused it before, and takes notices again.
fn once_more(open: &Incident, again: Move, only: Vec<Name>, now: At) -> Move {
    let age = now.since(open.shown.opened_at);
    let summary = format!("{}{OPEN_FOR}{age}, and this sink has refused what it was told of it", again.summary);
    let heard = only.iter().all(|sink| open.has_heard(sink));
    Move { change: if heard { Change::Updated } else { Change::Opened }, summary, only: Some(only), ..again }
}
