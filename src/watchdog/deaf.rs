//! Sinks that take no notices: whoever listens there hears nothing, so that the others are told.
//!
//! Of how they take that nothing follows, or two sinks that refuse would never come to rest. A sink that refuses is tried again, at growing
//! intervals and before anybody is reminded of it: what it takes ends its incident.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audience::Listener;
use super::event::Delivery;
use super::explain::shorten;
use super::heard::Missed;
use super::incident::Move;
use super::outbox::{Incident, ONLY_OF, Pending};
use super::plan::Plan;
use super::state::State;
use super::trial::UNTAKEN;
use crate::model::{At, Change, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Severity, Span};

/// Characters of what a sink said.
const WORDS: usize = 300;
/// A sink that refuses is tried so long after it has done so, after twice as long if it refuses that, too, and so on…
const TRIED_AFTER: Span = Span::from_secs(120);
/// …up to this.
const TRIED_AT_LEAST: Span = Span::from_secs(3600);
/// Other sinks that refuse already, of which somebody was called, in the evidence: of this one nobody is.
const BESIDE: &str = "beside";
/// What it takes all the same, in the evidence.
const TAKES: &str = "takes";
const OTHERS: &str = "other notices";
const TESTS: &str = "test notices";
/// So many of them are named.
const NAMED: usize = 3;

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
    /// It takes notices of other incidents than those of which it refuses what it is told.
    #[serde(default)]
    takes_others: bool,
}

impl Incident {
    /// Whether it is about a sink that is there for everything but what it was to be told of some incidents: nobody need be called for that,
    /// who has heard of it once.
    pub(super) fn is_of_sink_in_part(&self) -> bool {
        self.shown.last.sink().is_some() && self.shown.last.evidence.get(TAKES).is_some_and(|takes| takes == OTHERS)
    }
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

    /// A sink has taken a notice: it refuses nothing any more, unless it may go on refusing what it is told of other incidents.
    fn take(&mut self, plan: &Plan, notice: NoticeId, sink: &Name) {
        let Some(pending) = self.outbox.get(&notice) else { return };
        let (is_trial, change, mine) = (pending.notice.is_trial(), pending.notice.change, pending.notice.incident);
        let goes_on = self.owes_again(plan, sink, Some(mine).filter(|_| !is_trial)).next().is_some();
        let Some(deaf) = self.deaf.get_mut(sink).filter(|_| goes_on) else {
            self.deaf.remove(sink);
            return;
        };
        // It is told once more when its trial begins, or when it takes something else for the first time, and not again after that.
        let is_first = if is_trial { change == Change::Opened } else { !deaf.takes_others };
        deaf.takes_trials |= is_trial;
        deaf.takes_others |= !is_trial;
        if is_first {
            let open = self.incidents.iter_mut().filter(|(id, i)| i.shown.resolved_at.is_none() && (is_trial || **id != mine));
            open.filter_map(|(_, i)| i.missed.get_mut(sink)).for_each(|missed| *missed = Missed::Due);
        }
    }

    /// The incidents, but for one that it has just taken something of, of which a sink has refused what it is to be told again.
    fn owes_again<'s>(&'s self, plan: &Plan, sink: &'s Name, but: Option<IncidentId>) -> impl Iterator<Item = &'s Incident> {
        let waits = plan.sinks.get(sink).is_some_and(|listener| listener.takes.after.is_some());
        let is_told = move |open: &Incident| !(open.quiet || waits && open.shown.acknowledged.is_some());
        self.open().filter(move |open| Some(open.shown.incident) != but && open.missed.contains_key(sink) && is_told(open))
    }

    /// The incidents of which alone a sink refuses what it is told: it was told once more after it had taken something else, and has refused
    /// that again. Empty: that is not known.
    fn refuses_only_of(&self, plan: &Plan, sink: &Name, deaf: &Deaf) -> Vec<IncidentId> {
        if !deaf.takes_trials && !deaf.takes_others {
            return Vec::new();
        }
        let all: Vec<&Incident> = self.owes_again(plan, sink, None).collect();
        let is_again = |open: &&Incident| open.missed.get(sink) == Some(&Missed::Again) && !self.awaits(open.shown.incident, sink);
        if all.iter().all(is_again) { all.iter().map(|open| open.shown.incident).collect() } else { Vec::new() }
    }

    /// A sink has refused a notice that is still in the outbox.
    fn refuse(&mut self, at: At, notice: NoticeId, sink: &Name, why: Option<&str>) {
        let pending = self.outbox.get(&notice).map(|pending| &pending.notice);
        let Some(refused) = pending.filter(|n| n.sink().is_none()) else { return };
        // A sink that is only tried may be told quietly; that it takes nothing is no small thing.
        let severity = if refused.is_trial() { Severity::Warn } else { refused.severity };
        let (is_trial, why) = (refused.is_trial(), why.map(|why| shorten(why, WORDS)));
        let missed = self.incidents.get(&refused.incident).map(|open| open.missed.contains_key(sink));
        let is_new = !is_trial && missed == Some(false);
        let refused = Some(Box::new(Notice::clone(refused)));
        let new = Deaf { why, severity, refused, refused_at: at, tries: 0, wanted: false, takes_trials: false, takes_others: false };
        let known = self.deaf.entry(sink.clone()).or_insert(new);
        known.severity = known.severity.max(severity);
        (known.refused_at, known.wanted) = (at, false);
        // What it refuses of an incident of which it took everything until now is no matter of the others alone.
        let is_more = is_trial || is_new;
        if is_new && (known.takes_trials || known.takes_others) {
            known.tries = 0;
        }
        known.takes_trials &= !is_more;
        known.takes_others &= !is_more;
        known.tries = known.tries.saturating_add(u32::from(is_trial));
    }

    /// Sinks that refuse may have been mended: one of them, or all.
    pub(super) fn want_trials(&mut self, which: Option<&str>) {
        let meant = self.deaf.iter_mut().filter(|(sink, _)| which.is_none_or(|which| which == sink.as_str()));
        meant.for_each(|(_, deaf)| deaf.wanted = true);
    }

    /// Sinks that refuse what they are told.
    pub(super) fn refusing_sinks(&self, plan: &Plan) -> Vec<Name> {
        self.deaf.keys().filter(|sink| plan.sinks.contains_key(*sink)).cloned().collect()
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
        if deaf.takes_trials || deaf.takes_others {
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
        if refuses.any(|(_, deaf)| deaf.refused_at < due && !(deaf.takes_trials || deaf.takes_others)) { due.plus(UNTAKEN) } else { due }
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
    // What takes everything else counts as well.
    let is_out = |trouble: &Option<Move>| trouble.as_ref().is_some_and(|trouble| only_of(&trouble.evidence).is_none());
    let mut loud: BTreeSet<&Name> =
        troubles.iter().filter(|(sink, trouble)| is_out(trouble) && is_loud(sink)).map(|(sink, _)| *sink).collect();
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
            (Some(known), Some(trouble)) if is_other(state, sink, known, &trouble) => {
                if known.moves_quietly_at(&trouble.culprit, trouble.kind) <= now {
                    let severity = known.shown.severity.max(trouble.severity);
                    moves.push(Move { incident: Some(known.shown.incident), change: Change::Updated, severity, ..trouble });
                }
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

fn only_of(evidence: &Value) -> Option<&Value> {
    evidence.get(ONLY_OF)
}

/// Whether a sink refuses more, or less, than was told of it. That it is more shows when it refuses a test notice, too.
fn is_other(state: &State, sink: &Name, known: &Incident, trouble: &Move) -> bool {
    let what = |evidence: &Value| (only_of(evidence).cloned(), evidence.get(TAKES).cloned());
    let (now, told) = (what(&trouble.evidence), what(&known.shown.last.evidence));
    let shows = || now.0.is_some() || state.deaf.get(sink).is_some_and(|deaf| deaf.tries > 0);
    now != told && shows()
}

/// Whether all who are `called` at once, or were, when another sink takes nothing hear warnings, too, as far as they are not this sink itself.
fn hear_warnings(plan: &Plan, called: &BTreeSet<&Name>, itself: &Name) -> bool {
    let hears = |severities: &[Severity]| !severities.contains(&Severity::Page) || severities.contains(&Severity::Warn);
    let is_told = |(name, listener): &(&Name, &Listener)| *name != itself && (listener.takes.after.is_none() || called.contains(name));
    plan.sinks.iter().filter(is_told).all(|(_, listener)| hears(&listener.takes.severities))
}

/// Why what was wrong with a sink is over, if it is.
fn why_over(state: &State, sink: &Name, known: &Incident) -> Option<String> {
    let took = state.took_at.get(sink).is_some_and(|took| *took >= known.shown.opened_at);
    match only_of(&known.shown.last.evidence).filter(|_| took && state.deaf.contains_key(sink)) {
        Some(_) => {
            let takes = known.shown.last.evidence.get(TAKES).and_then(Value::as_str).unwrap_or(OTHERS);
            return Some(format!("what sink `{sink}` refused to be told of is over, and it takes {takes}"));
        }
        None if took => return Some(format!("sink `{sink}` takes notices again")),
        None => {}
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
    let more_known =
        state.open().filter(|open| open.shown.last.sink().is_some_and(|sink| state.deaf.keys().any(|deaf| deaf.as_str() == sink)));
    let told_more = more_known.map(|open| open.moves_quietly_at(&open.shown.culprit, open.shown.kind));
    tried.chain(again).chain(told_more).chain(waits).chain(took).filter(|at| *at > now).min()
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

/// That a sink refuses what it is told of some incidents, and what to do about it.
fn refuses_part(sink: &Name, why: &str, only_of: &[IncidentId], takes: &str) -> (String, String) {
    let ids: Vec<String> = only_of.iter().take(NAMED).map(ToString::to_string).collect();
    let what = if only_of.len() == 1 { "incident" } else { "incidents" };
    let all = match ids.as_slice() {
        ids if only_of.len() > ids.len() => format!("{} and {} more", ids.join(", "), only_of.len() - ids.len()),
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        ids => ids.concat(),
    };
    let summary =
        format!("sink `{sink}` refuses what is said of {what} {all} ({why}), and takes {takes}: whoever listens there does not hear of it");
    let next_step = format!(
        "tell by hand whoever listens there of {what} {all}; then see what the receiver dislikes in the text: a rule of its own, or a template of this sink"
    );
    (summary, next_step)
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
    let owes = || state.owes_again(plan, sink, None).next().is_some();
    if let Some(deaf) = state.deaf.get(sink).filter(|deaf| !(deaf.takes_trials || deaf.takes_others) || owes()) {
        let why = deaf.why.as_deref().unwrap_or("it is closed");
        let only_of = state.refuses_only_of(plan, sink, deaf);
        if !only_of.is_empty() {
            let takes = if deaf.takes_others { OTHERS } else { TESTS };
            let (summary, next_step) = refuses_part(sink, why, &only_of, takes);
            let evidence = json!({
                "sink": sink.as_str(), "why": why, ONLY_OF: only_of, TAKES: takes, "refused": deaf.refused, "next_step": next_step,
            });
            return Some(new(deaf.severity, summary, evidence));
        }
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
