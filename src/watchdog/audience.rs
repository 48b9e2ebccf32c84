//! Who hears of an incident: what each sink takes, who was told, and who is to hear of it only later.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Watchdog;
use super::canary::Canary;
use super::effect::Effect;
use super::flaps::is_calm;
use super::flight::RouteState;
use super::incident::Move;
use super::outbox::{CALLS, DRILL, Incident, KEPT_BACK, ONLY_OF, QUIET, is_drill, without_age};
use super::plan::{Plan, RoutePlan};
use super::record::Fact;
use super::seen::{ACKNOWLEDGED, in_evidence};
use super::state::State;
use super::step::Step;
use crate::config::{Settings, Sink, Takes};
use crate::model::{At, Change, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Route, Severity, Span};

/// What fails in part is seen on some of its routes before the others: this soon after it was told, it is thought to be one failure.
const WIDENS_WITHIN: Span = Span::from_secs(900);

/// What is said when blame turns from everything to one culprit.
const NOT_ALL: &str = "; it is no longer everything, as was told before";

/// One sink, as far as it matters who hears what.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) takes: Takes,
    /// Suspects with a route that it is for; `None`: all of them.
    touched: Option<BTreeSet<usize>>,
    /// It keeps itself who has seen an incident.
    pub(super) keeps: bool,
    /// It shows what was said there only when it is told of it.
    pub(super) shows: bool,
    /// Whoever is called there late is told who has seen it: it calls nobody for that.
    pub(super) hears_who: bool,
    /// It is told the state again and again: what it refused it may have by now.
    pub(super) has_state: bool,
}

/// Every sink.
pub(super) fn listeners(settings: &Settings, routes: &[RoutePlan]) -> BTreeMap<Name, Listener> {
    let touched = |takes: &Takes| routes.iter().filter(|r| takes.scope.covers(&r.route)).flat_map(|r| r.suspects.iter().copied()).collect();
    let of = |sink: &Sink| Listener {
        takes: sink.takes.clone(),
        touched: sink.takes.scope.is_narrow().then(|| touched(&sink.takes)),
        keeps: sink.kind.keeps_acknowledgements(),
        shows: sink.kind.shows_what_it_is_told(),
        hears_who: sink.kind.hears_who_has_it(),
        has_state: sink.kind.takes_state(),
    };
    settings.sinks.iter().map(|(name, sink)| (name.clone(), of(sink))).collect()
}

impl Listener {
    /// Whether it takes such an incident at all. What is wider than what it is for touches that, too.
    fn is_for(&self, plan: &Plan, kind: Kind, severity: Severity, culprit: &Culprit) -> bool {
        // That another sink takes nothing is no kind of failure that one could want to hear nothing of.
        let of_sinks = kind == Kind::Blind && *culprit == Culprit::Watcher {};
        let likes = self.takes.likes(kind, severity) || (of_sinks && self.takes.severities.contains(&severity));
        if !likes {
            return false;
        }
        let Some(touched) = &self.touched else { return true };
        let any = || plan.routes.iter().any(|r| culprit.covers(&r.route) && self.takes.scope.covers(&r.route));
        *culprit == Culprit::Watcher {} || plan.suspect(culprit).map_or_else(any, |suspect| touched.contains(&suspect))
    }

    /// Whether it hears at once of what is new to it.
    fn hears(&self, plan: &Plan, notice: &Notice, at: At) -> bool {
        self.takes.after.is_none() && self.takes.listens(at) && self.is_for(plan, notice.kind, notice.severity, &notice.culprit)
    }
}

/// When a sink that has not heard of an open incident is to hear of it, not before `now` and if nothing changes: when nobody has
/// acknowledged a page for as long as the sink waits, and in its hours.
fn hears_at(plan: &Plan, state: &State, open: &Incident, (name, listener): (&Name, &Listener), now: At) -> Option<At> {
    let (shown, takes) = (&open.shown, &listener.takes);
    let waits = takes.after.is_some() || takes.hours.is_some();
    let itself = || shown.last.sink() == Some(name.as_str());
    if !waits || open.quiet || open.told.contains(name) || open.missed.contains_key(name) || shown.acknowledged.is_some() || itself() {
        return None;
    }
    if !listener.is_for(plan, shown.kind, shown.severity, &shown.culprit) {
        return None;
    }
    if is_calm(plan, state, open) || open.is_of_sink_in_part() {
        return None;
    }
    let due = takes.after.map_or(Some(shown.opened_at), |after| Some(open.paged_at()?.plus(after)))?;
    let from = due.max(now).max(state.silenced_until(plan, shown.kind, &shown.culprit, now).unwrap_or(now));
    if takes.listens(from) { Some(from) } else { takes.hours.as_ref()?.changes_at(from) }
}

/// The sinks that are to hear of an open incident now, after all: those that are called because nobody has acknowledged it, and those
/// whose hours have begun.
pub(super) fn later(plan: &Plan, state: &State, open: &Incident, now: At) -> [Vec<Name>; 2] {
    let due = |(name, listener): &(&Name, &Listener)| hears_at(plan, state, open, (name, listener), now).is_some_and(|at| at <= now);
    let due: Vec<(&Name, &Listener)> = plan.sinks.iter().filter(due).collect();
    [true, false].map(|called| due.iter().filter(|(_, l)| l.takes.after.is_some() == called).map(|(name, _)| (*name).clone()).collect())
}

/// When the next sink is to hear of an open incident, if nothing changes.
pub(super) fn next(plan: &Plan, state: &State) -> Option<At> {
    let of = |open| plan.sinks.iter().filter_map(move |sink| hears_at(plan, state, open, sink, state.at));
    state.open().flat_map(of).min()
}

impl Incident {
    /// Whether people were sent to look at their own host and network, and it is a provider's or an inbox's failure that goes on.
    pub(super) fn turns(&self, change: &Move) -> bool {
        let all = |culprit: &Culprit| *culprit == Culprit::Watcher {};
        change.change == Change::Updated && change.kind.is_delivery() && all(&self.shown.culprit) && !all(&change.culprit)
    }
}

impl State {
    /// Whether what was told last was narrower, and what it covers besides has delivered since: though it was as wide before, this is news.
    pub(super) fn spreads(&self, known: &Incident, change: &Move) -> bool {
        let total = change.change == Change::Updated && matches!(change.kind, Kind::Stopped | Kind::Refused);
        total && known.is_wider_now(&change.culprit) && self.added_delivered(known, &change.culprit, known.told_last_at())
    }

    /// Whether a canary that was sent since then has arrived on what a culprit covers, and the one that was told last does not.
    fn added_delivered(&self, known: &Incident, culprit: &Culprit, since: At) -> bool {
        let delivers = |route: &RouteState| route.canaries.iter().rev().take_while(|c| c.sent_at() >= since).any(Canary::has_arrived);
        let is_added = |route: &Route| culprit.covers(route) && !known.shown.culprit.covers(route);
        self.routes.iter().any(|r| is_added(&r.route) && delivers(r))
    }
}

impl Watchdog {
    /// Whether a sink has heard of an incident.
    #[must_use]
    pub fn has_told(&self, sink: &Name, incident: IncidentId) -> bool {
        self.state.incidents.get(&incident).is_some_and(|i| i.told.contains(sink))
    }

    /// An incident that grows after it was acknowledged calls again, and says so. Sinks where what is acknowledged stays silent count by that.
    fn mark_calls(&self, change: &mut Move, at: At) {
        let Some(known) = change.incident.and_then(|id| self.state.incidents.get(&id)) else { return };
        let is_drills = change.evidence.get(DRILL).is_some();
        let spreads = self.state.spreads(known, change);
        let worse = || known.grows(change.severity, &change.culprit, change.kind, is_drills);
        let grown = change.change != Change::Resolved && (spreads || worse());
        let seen = known.shown.acknowledged.as_ref().filter(|_| grown);
        // That a drill's page was heard is no reason to stay silent about what is real.
        let is_real = grown && !is_drills && is_drill(&known.shown.last);
        let calls = known.calls + u32::from(seen.is_some() || is_real);
        // What was told of as less than it is, is one failure: one page.
        let turns = known.turns(change);
        let is_news = turns || grown && (seen.is_some() || is_real || spreads || !self.was_so_wide(known, change));
        // Who is to be reminded at the same time hears both at once, and nothing quietly.
        let reminds = change.change == Change::Updated && change.only.is_none() && known.is_reminded_with(&self.plan, at);
        // That a sink refuses less than was told is none, either.
        let may_be_quiet = change.kind.is_delivery() || change.evidence.get(ONLY_OF).is_some();
        // What was kept back is news to those who hear it.
        let quiet = change.change == Change::Updated && may_be_quiet && !is_news && !known.quiet && change.only.is_none() && !reminds;
        if let Some(evidence) = change.evidence.as_object_mut() {
            if calls > 0 {
                evidence.insert(CALLS.to_owned(), calls.into());
            }
            if quiet {
                evidence.insert(QUIET.to_owned(), true.into());
            } else {
                evidence.remove(QUIET);
            }
            match known.shown.acknowledged.as_ref().filter(|_| !grown && change.change != Change::Resolved) {
                Some(word) => _ = evidence.insert(ACKNOWLEDGED.to_owned(), in_evidence(word)),
                None => _ = evidence.remove(ACKNOWLEDGED),
            }
        }
        if turns {
            change.summary = format!("{}{NOT_ALL}", without_age(&change.summary));
        }
        if reminds {
            change.summary = format!("{}{}", without_age(&change.summary), known.open_for(at));
        }
        if let Some(word) = seen {
            change.summary.push_str(&format!("; it has grown since {} acknowledged it", word.by));
        }
    }

    /// Whether it is no worse than what was told, only wider, and was so from its beginning: nothing that was sent since has arrived on what
    /// it covers besides. Of what fails in part some arrives: there only the first minutes are one with the beginning.
    fn was_so_wide(&self, known: &Incident, change: &Move) -> bool {
        if !known.is_only_outgrown(change.severity, &change.culprit, change.kind) {
            return false;
        }
        let shown = &known.shown;
        let began = shown.last.evidence.get("since").and_then(Value::as_str).and_then(At::from_rfc3339).unwrap_or(shown.opened_at);
        if shown.kind.is_partial() {
            return self.state.at.since(shown.opened_at) < WIDENS_WITHIN;
        }
        !self.state.added_delivered(known, &change.culprit, began)
    }

    /// Writes down that an incident began, moved, goes on or ended, and has those told who are to hear of it.
    pub(super) fn tell(&mut self, step: &mut Step, at: At, mut change: Move) {
        self.mark_drill(&mut change);
        self.mark_calls(&mut change, at);
        let incident = change.incident.unwrap_or(IncidentId(self.state.next_incident + 1));
        let mut notice = Notice {
            notice: NoticeId(self.state.next_notice + 1),
            incident,
            change: change.change,
            kind: change.kind,
            severity: change.severity,
            culprit: change.culprit,
            summary: change.summary,
            evidence: change.evidence,
        };
        let known = self.state.incidents.get(&incident);
        let ends = notice.change == Change::Resolved;
        let kept_back = self.state.kept_back_by(&self.plan, notice.kind, &notice.culprit, at).filter(|_| !ends);
        let silenced = kept_back.is_some();
        if let Some(evidence) = notice.evidence.as_object_mut() {
            evidence.remove(KEPT_BACK);
            evidence.extend(kept_back.map(|by| (KEPT_BACK.to_owned(), by.into())));
        }
        let unheard = ends && known.is_some_and(|i| i.told_at.is_none() && i.told.is_empty());
        let (late, only) = (change.only.is_some(), change.only);
        let told = |name: &Name| known.is_some_and(|i| i.told.contains(name));
        // Who has taken nothing of it, and is not about to, hears of no end.
        let heard = |name: &Name| known.is_some_and(|i| i.has_heard(name)) || self.state.awaits(incident, name);
        let missed = |name: &Name| known.is_some_and(|i| i.missed.contains_key(name));
        // Of what it was called for just now it need not be reminded.
        let reminds = notice.change == Change::Reminder;
        let just_called = |name: &Name| reminds && known.is_some_and(|i| i.has_just_called(name, &self.plan, at));
        // A sink that takes nothing is not told of that itself.
        let itself = |name: &Name| notice.sink() == Some(name.as_str());
        let hears = |(name, listener): &(&Name, &Listener)| {
            !itself(name)
                && !just_called(name)
                && if ends {
                    told(name) && (heard(name) || listener.has_state)
                } else {
                    told(name) || listener.hears(&self.plan, &notice, at)
                }
        };
        let sinks: Vec<Name> = match only {
            _ if silenced => Vec::new(),
            Some(only) => only.into_iter().filter(|name| !told(name) || missed(name)).collect(),
            None => self.plan.sinks.iter().filter(hears).map(|(name, _)| name.clone()).collect(),
        };
        if late && sinks.is_empty() {
            return;
        }
        // What is news to anybody is no mere move.
        let is_news = sinks.iter().any(|name| !told(name));
        if let Some(evidence) = notice.evidence.as_object_mut().filter(|_| is_news) {
            evidence.remove(QUIET);
        }
        self.record(step, at, Fact::Told { notice: notice.clone(), sinks, silenced, late });
        if !silenced && !unheard {
            step.effects.push(Effect::Notify(notice));
        }
    }
}
