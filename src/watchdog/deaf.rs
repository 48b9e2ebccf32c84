//! Sinks that take no notices: whoever listens there hears nothing, so that the others are told.
//!
//! Of how they take that nothing follows, or two sinks that refuse would never come to rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::event::Delivery;
use super::explain::shorten;
use super::incident::Move;
use super::outbox::Incident;
use super::plan::Plan;
use super::state::State;
use super::trial::UNTAKEN;
use crate::model::{At, Change, Culprit, Kind, Name, Notice, NoticeId, Severity};

/// Characters of what a sink said.
const WORDS: usize = 300;

/// A sink that refuses, until it takes something again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deaf {
    why: Option<String>,
    /// That of the loudest notice that was lost.
    severity: Severity,
    /// The first notice that was lost.
    refused: Option<Box<Notice>>,
}

impl State {
    /// A notice's way to one sink is over.
    pub(super) fn hear(&mut self, plan: &Plan, at: At, notice: NoticeId, sink: &Name, outcome: Delivery, why: Option<&str>) {
        match outcome {
            Delivery::Delivered => _ = self.deaf.remove(sink),
            Delivery::Dropped => {}
            Delivery::Refused => self.refuse(notice, sink, why),
        }
        self.close(plan, at, notice, sink, outcome);
    }

    /// A sink has refused a notice that is still in the outbox.
    fn refuse(&mut self, notice: NoticeId, sink: &Name, why: Option<&str>) {
        let pending = self.outbox.get(&notice).map(|pending| &pending.notice);
        let Some(refused) = pending.filter(|n| n.sink().is_none()) else { return };
        // A sink that is only tried may be told quietly; that it takes nothing is no small thing.
        let severity = if refused.is_trial() { Severity::Warn } else { refused.severity };
        let new = Deaf { why: why.map(|why| shorten(why, WORDS)), severity, refused: Some(Box::new(Notice::clone(refused))) };
        let known = self.deaf.entry(sink.clone()).or_insert(new);
        known.severity = known.severity.max(severity);
    }
}

/// What is to be told of sinks.
pub(super) fn moves(plan: &Plan, state: &State, now: At) -> Vec<Move> {
    let told = |i: &Incident| i.shown.last.sink().map(str::to_owned);
    let mut open: BTreeMap<String, &Incident> = state.open().filter_map(|i| Some((told(i)?, i))).collect();
    let mut moves = Vec::new();
    for sink in plan.sinks.keys() {
        match (open.remove(sink.as_str()), trouble(state, sink, now)) {
            (None, Some(trouble)) => moves.push(trouble),
            (Some(known), Some(trouble)) if trouble.severity > known.shown.severity => {
                moves.push(Move { incident: Some(known.shown.incident), change: Change::Updated, ..trouble });
            }
            (Some(known), None) => moves.push(Move::end(known, format!("sink `{sink}` takes notices again"))),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    moves.extend(open.iter().map(|(sink, known)| Move::end(known, format!("sink `{sink}` is not configured any more"))));
    moves
}

/// When a test notice will have waited too long, if nothing happens before.
pub(super) fn next(plan: &Plan, state: &State) -> Option<At> {
    let waits = state.trials.iter().filter(|(sink, trial)| plan.tries.contains_key(*sink) && trial.outcome.is_none());
    waits.map(|(_, trial)| trial.at.plus(UNTAKEN)).filter(|at| *at > state.at).min()
}

/// What is wrong with a sink, as a new incident.
fn trouble(state: &State, sink: &Name, now: At) -> Option<Move> {
    let new = |severity, summary, evidence| Move {
        incident: None,
        change: Change::Opened,
        kind: Kind::Blind,
        severity,
        culprit: Culprit::Watcher {},
        summary,
        evidence,
        only: None,
    };
    if let Some(deaf) = state.deaf.get(sink) {
        let why = deaf.why.as_deref().unwrap_or("it is closed");
        let of = |n: &Notice| format!("; it has missed a notice of incident {}", n.incident);
        let lost = deaf.refused.as_deref().filter(|n| !n.is_trial()).map_or_else(String::new, of);
        let summary = format!("sink `{sink}` refuses notices ({why}): whoever listens there hears nothing{lost}");
        let next_step =
            "mend the sink's settings or its receiver, and tell by hand whoever listens there; the status page has what was not told";
        let evidence = json!({ "sink": sink.as_str(), "why": why, "refused": deaf.refused, "next_step": next_step });
        return Some(new(deaf.severity, summary, evidence));
    }
    let waits = state.trials.get(sink).filter(|trial| trial.outcome.is_none() && now.since(trial.at) >= UNTAKEN)?;
    let summary = format!("sink `{sink}` has not taken a test notice for {}: nobody may hear a page there", now.since(waits.at));
    let next_step = "see whether its receiver is there, and try it with `mailcanary check --live`";
    Some(new(Severity::Warn, summary, json!({ "sink": sink.as_str(), "since": waits.at.rfc3339(), "next_step": next_step })))
}
