//! Sinks that take no notices: whoever listens there hears nothing, so that the others are told.
//!
//! Of how they take that nothing follows, or two sinks that refuse would never come to rest. A sink that refuses is tried again, at growing
//! intervals and before anybody is reminded of it: what it takes ends its incident.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audience::Listener;
use super::event::Delivery;
use super::explain::shorten;
use super::heard::Missed;
use super::incident::Move;
use super::outbox::{Incident, Pending};
use super::plan::Plan;
use super::state::State;
use super::trial::UNTAKEN;
use crate::model::{At, Change, Culprit, Kind, Name, Notice, NoticeId, Severity, Span};

/// Characters of what a sink said.
const WORDS: usize = 300;
/// A sink that refuses is tried so long after it has done so, after twice as long if it refuses that, too, and so on…
const TRIED_AFTER: Span = Span::from_secs(120);
/// …up to this.
const TRIED_AT_LEAST: Span = Span::from_secs(3600);
/// Other sinks that refuse already, of which somebody was called, in the evidence: of this one nobody is.
const BESIDE: &str = "beside";

/// A sink that refuses, until it takes something again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deaf {
    why: Option<String>,
    /// That of the loudest notice that was lost.
    severity: Severity,
    /// The first notice that was lost.
    refused: Option<Box<Notice>>,
    /// When it refused last.
    #[serde(default)]
    refused_at: At,
    /// Test notices among what it has refused.
    #[serde(default)]
    tries: u32,
    /// It is to be tried at once: somebody says that it was mended.
    #[serde(default)]
    wanted: bool,
    /// It takes test notices. That proves nothing as long as it is to be told again what it has refused.
    #[serde(default)]
    takes_trials: bool,
}

impl State {
    /// A notice's way to one sink is over.
    pub(super) fn hear(&mut self, plan: &Plan, at: At, notice: NoticeId, sink: &Name, outcome: Delivery, why: Option<&str>) {
        match outcome {
            Delivery::Delivered => {
                self.take(plan, notice, sink);
                self.took_at.insert(sink.clone(), at);
            }
            Delivery::Dropped => {}
            Delivery::Refused => self.refuse(at, notice, sink, why),
        }
        self.close(plan, at, notice, sink, outcome);
        if let Some(since) = self.owed_since.get_mut(sink).filter(|_| outcome != Delivery::Dropped) {
            *since = at;
        }
    }

    /// A sink has taken a notice: it refuses nothing any more, unless that was a test notice and it may go on refusing others.
    fn take(&mut self, plan: &Plan, notice: NoticeId, sink: &Name) {
        let trial = self.outbox.get(&notice).filter(|pending| pending.notice.is_trial()).map(|pending| pending.notice.change);
        let goes_on = trial.is_some() && self.owes_again(plan, sink);
        let Some(deaf) = self.deaf.get_mut(sink).filter(|_| goes_on) else {
            self.deaf.remove(sink);
            return;
        };
        deaf.takes_trials = true;
        // It is told once more when its trial begins, and not again when that is over.
        if trial != Some(Change::Opened) {
            return;
        }
        let open = self.incidents.values_mut().filter(|i| i.shown.resolved_at.is_none());
        open.filter_map(|i| i.missed.get_mut(sink)).for_each(|missed| *missed = Missed::Due);
    }

    /// Whether a sink has refused what it is to be told again.
    fn owes_again(&self, plan: &Plan, sink: &Name) -> bool {
        let waits = plan.sinks.get(sink).is_some_and(|listener| listener.takes.after.is_some());
        let is_told = |open: &Incident| !(open.quiet || waits && open.shown.acknowledged.is_some());
        self.open().any(|open| open.missed.contains_key(sink) && is_told(open))
    }

    /// A sink has refused a notice that is still in the outbox.
    fn refuse(&mut self, at: At, notice: NoticeId, sink: &Name, why: Option<&str>) {
        let pending = self.outbox.get(&notice).map(|pending| &pending.notice);
        let Some(refused) = pending.filter(|n| n.sink().is_none()) else { return };
        // A sink that is only tried may be told quietly; that it takes nothing is no small thing.
        let severity = if refused.is_trial() { Severity::Warn } else { refused.severity };
        let (is_trial, why) = (refused.is_trial(), why.map(|why| shorten(why, WORDS)));
        let refused = Some(Box::new(Notice::clone(refused)));
        let new = Deaf { why, severity, refused, refused_at: at, tries: 0, wanted: false, takes_trials: false };
        let known = self.deaf.entry(sink.clone()).or_insert(new);
        known.severity = known.severity.max(severity);
        (known.refused_at, known.wanted) = (at, false);
        known.takes_trials &= !is_trial;
        known.tries = known.tries.saturating_add(u32::from(is_trial));
    }

    /// Sinks that refuse may have been mended: one of them, or all.
    pub(super) fn want_trials(&mut self, which: Option<&str>) {
        let meant = self.deaf.iter_mut().filter(|(sink, _)| which.is_none_or(|which| which == sink.as_str()));
        meant.for_each(|(_, deaf)| deaf.wanted = true);
    }

    /// A sink is being tried.
    pub(super) fn has_trial(&mut self, sink: &Name) {
        if let Some(deaf) = self.deaf.get_mut(sink) {
            deaf.wanted = false;
        }
    }

    /// When a sink that refuses is to be tried again, not before `now`. Not while anything waits for it: how that ends says as much.
    pub(super) fn tries_again_at(&self, plan: &Plan, sink: &Name, now: At) -> Option<At> {
        let (deaf, listener) = (self.deaf.get(sink)?, plan.sinks.get(sink)?);
        if self.outbox.values().any(|pending| pending.sinks.contains(sink)) {
            return None;
        }
        if deaf.wanted {
            return Some(now);
        }
        if deaf.takes_trials {
            return None;
        }
        let last = self.trials.get(sink).map_or(deaf.refused_at, |trial| trial.at.max(deaf.refused_at));
        let grown = last.plus(TRIED_AFTER.scaled(1 << deaf.tries.min(5), 1).min(TRIED_AT_LEAST));
        let mine = self.open().find(|open| open.shown.last.sink() == Some(sink.as_str()));
        let reminded = mine.and_then(|open| open.remind_at(plan)).filter(|at| *at > last);
        let at = reminded.map_or(grown, |at| at.min(grown)).max(now);
        if listener.takes.listens(at) { Some(at) } else { listener.takes.hours.as_ref()?.changes_at(at) }
    }

    /// When a reminder that is due at `due` is told: if it is of a sink that refuses, once that has refused again, and not much later.
    pub(super) fn reminded_at(&self, open: &Incident, due: At) -> At {
        let mut refuses = self.deaf.iter().filter(|(sink, _)| open.shown.last.sink() == Some(sink.as_str()));
        if refuses.any(|(_, deaf)| deaf.refused_at < due && !deaf.takes_trials) { due.plus(UNTAKEN) } else { due }
    }
}

/// What is to be told of sinks.
pub(super) fn moves(plan: &Plan, state: &State, now: At) -> Vec<Move> {
    let told = |i: &Incident| i.shown.last.sink().map(str::to_owned);
    let is_calm = state.deaf.is_empty() && state.outbox.is_empty() && state.trials.values().all(|trial| trial.outcome.is_some());
    if is_calm && state.open().all(|i| told(i).is_none()) {
        return Vec::new();
    }
    let mut open: BTreeMap<String, &Incident> = state.open().filter_map(|i| Some((told(i)?, i))).collect();
    let troubles: Vec<(&Name, Option<Move>)> = plan.sinks.keys().map(|sink| (sink, trouble(plan, state, sink, now))).collect();
    // Of these somebody was called, and they go on.
    let is_loud = |sink: &Name| open.get(sink.as_str()).is_some_and(|i| i.shown.severity == Severity::Page);
    let mut loud: BTreeSet<&Name> =
        troubles.iter().filter(|(sink, trouble)| trouble.is_some() && is_loud(sink)).map(|(sink, _)| *sink).collect();
    let called: BTreeSet<&Name> = open.values().filter(|i| i.shown.severity == Severity::Page).flat_map(|i| &i.told).collect();
    let mut moves = Vec::new();
    for (sink, trouble) in troubles {
        match (open.remove(sink.as_str()), trouble) {
            (None, Some(mut trouble)) => {
                // Somebody is up already, and is told of this one, too.
                if trouble.severity == Severity::Page && !loud.is_empty() && hear_warnings(plan, &called, sink) {
                    trouble.severity = Severity::Warn;
                    trouble.evidence.as_object_mut().into_iter().for_each(|all| _ = all.insert(BESIDE.to_owned(), json!(loud)));
                } else if trouble.severity == Severity::Page {
                    loud.insert(sink);
                }
                moves.push(trouble);
            }
            (Some(known), Some(_)) if known.shown.last.evidence.get(BESIDE).is_some() && loud.iter().any(|other| *other != sink) => {}
            (Some(known), Some(trouble)) if trouble.severity > known.shown.severity => {
                if trouble.severity == Severity::Page {
                    loud.insert(sink);
                }
                moves.push(Move { incident: Some(known.shown.incident), change: Change::Updated, ..trouble });
            }
            (Some(known), None) => moves.extend(why_over(state, sink, known).map(|why| Move::end(known, why))),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    moves.extend(open.iter().map(|(sink, known)| Move::end(known, format!("sink `{sink}` is not configured any more"))));
    moves
}

/// Whether all who are `called` at once, or were, when another sink takes nothing hear warnings, too, as far as they are not this sink itself.
fn hear_warnings(plan: &Plan, called: &BTreeSet<&Name>, itself: &Name) -> bool {
    let hears = |severities: &[Severity]| !severities.contains(&Severity::Page) || severities.contains(&Severity::Warn);
    let is_told = |(name, listener): &(&Name, &Listener)| *name != itself && (listener.takes.after.is_none() || called.contains(name));
    plan.sinks.iter().filter(is_told).all(|(_, listener)| hears(&listener.takes.severities))
}

/// Why what was wrong with a sink is over, if it is.
fn why_over(state: &State, sink: &Name, known: &Incident) -> Option<String> {
    if state.took_at.get(sink).is_some_and(|took| *took >= known.shown.opened_at) {
        return Some(format!("sink `{sink}` takes notices again"));
    }
    let waits = state.owed(sink).next().is_some();
    (!waits).then(|| format!("nothing waits for sink `{sink}` any more; whether it takes notices is not known"))
}

/// When a sink that refuses is to be tried, or a notice will have waited too long, after `now` and if nothing happens before.
pub(super) fn next(plan: &Plan, state: &State, now: At) -> Option<At> {
    let trials = state.trials.iter().filter(|(sink, trial)| plan.sinks.contains_key(*sink) && trial.outcome.is_none());
    let tried = trials.map(|(_, trial)| trial.at.plus(UNTAKEN));
    let again = state.deaf.keys().filter_map(|sink| state.tries_again_at(plan, sink, now));
    // Where no sink takes anything there is nobody to tell.
    let told = !state.took_at.is_empty();
    let since = state.owed_since.values().copied().chain(state.outbox.values().flat_map(|pending| [pending.at, pending.opened_at]));
    let waits = since.filter(|_| told).map(|at| at.plus(UNTAKEN));
    let took = state.took_at.values().filter(|_| !state.outbox.is_empty()).map(|at| at.plus(UNTAKEN));
    tried.chain(again).chain(waits).chain(took).filter(|at| *at > now).min()
}

/// Since when a sink has taken nothing, and the loudest of what waits for it, if that is long and others have taken something meanwhile.
fn waits<'s>(state: &'s State, sink: &Name, now: At) -> Option<(At, Severity, &'s Notice)> {
    let oldest = state.owed(sink).next()?;
    let since = state.owed_since.get(sink).copied().unwrap_or(oldest.at);
    let begun = since.min(oldest.at);
    let others = || state.took_at.iter().any(|(name, took)| name != sink && *took >= begun);
    if now.since(since) < UNTAKEN || !others() {
        return None;
    }
    let severity = |pending: &Pending| {
        // Where somebody has heard of it nobody need be called for this, nor while others may just be hearing of it.
        let heard = state.incidents.get(&pending.notice.incident).is_none_or(|i| i.took.as_ref().is_none_or(|took| !took.is_empty()));
        let is_new = now.since(pending.opened_at) < UNTAKEN;
        if heard || is_new { pending.notice.severity.min(Severity::Warn) } else { pending.notice.severity }
    };
    let all = state.owed(sink).map(|pending| (severity(pending), &*pending.notice));
    // Of what is alike, the oldest.
    let (severity, loudest) = all.reduce(|first, next| if next.0 > first.0 { next } else { first })?;
    Some((since, severity, loudest))
}

/// What is wrong with a sink, as a new incident.
fn trouble(plan: &Plan, state: &State, sink: &Name, now: At) -> Option<Move> {
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
    if let Some(deaf) = state.deaf.get(sink).filter(|deaf| !deaf.takes_trials || state.owes_again(plan, sink)) {
        let why = deaf.why.as_deref().unwrap_or("it is closed");
        let of = |n: &Notice| format!("; it has missed a notice of incident {}", n.incident);
        let lost = deaf.refused.as_deref().filter(|n| !n.is_trial()).map_or_else(String::new, of);
        let summary = format!("sink `{sink}` refuses notices ({why}): whoever listens there hears nothing{lost}");
        let next_step =
            "mend the sink's settings or its receiver, and tell by hand whoever listens there; the status page has what was not told";
        let evidence = json!({ "sink": sink.as_str(), "why": why, "refused": deaf.refused, "next_step": next_step });
        return Some(new(deaf.severity, summary, evidence));
    }
    let took = state.took_at.get(sink).copied().unwrap_or_default();
    let tried = state.trials.get(sink).filter(|trial| trial.outcome.is_none() && now.since(trial.at.max(took)) >= UNTAKEN);
    let untried =
        tried.map(|trial| (Severity::Warn, trial.at, "has not taken a test notice for ".to_owned() + &now.since(trial.at).to_string()));
    let untold = waits(state, sink, now).map(|(since, severity, notice)| {
        (severity, since, format!("has taken nothing for {}, and a notice of incident {} waits for it", now.since(since), notice.incident))
    });
    let (severity, since, what) = [untried, untold].into_iter().flatten().max_by_key(|(severity, ..)| *severity)?;
    let summary = format!("sink `{sink}` {what}: nobody may hear a page there");
    let next_step = "see whether its receiver is there, and try it with `mailcanary check --live`";
    Some(new(severity, summary, json!({ "sink": sink.as_str(), "since": since.rfc3339(), "next_step": next_step })))
}
