//! Drills: one provider fails as seen by the watchdog, to prove that the alarm can ring. Its canaries are withheld: they are sent and seen,
//! but until the drill is over nothing of the watchdog knows of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watchdog;
use super::canary::{Arrival, Canary, Copied};
use super::event::{Delivery, Event};
use super::evidence;
use super::flight::RouteState;
use super::incident::Move;
use super::index::Index;
use super::outbox::{DRILL, Incident, is_drill};
use super::plan::Plan;
use super::record::Fact;
use super::sequence::{Rule, Sequence};
use super::state::State;
use super::step::{Step, Unfit};
use super::trial::{due_at, is_due};
use crate::config;
use crate::model::{At, CanaryId, Change, Culprit, IncidentId, Kind, Name, Notice, Placement, Severity, Span};

/// After the last sink has answered, the page rings for so long before it is taken back.
const RINGS_FOR: Span = Span::from_secs(30);
/// After the first sink has taken it, the others have so long to answer.
const WAITS_FOR: Span = Span::from_secs(120);
/// No drill lasts longer.
pub(super) const LONGEST: Span = Span::from_secs(30 * 60);
/// Where the evidence says what to do.
pub(super) const STEP: &str = "next_step";
/// What others sent so long before a drill and has not come, nor anything after it, is no drill's either.
const LATELY: Span = Span::from_secs(900);
/// Sightings that are withheld.
const WITHHELD: usize = 20_000;

/// A drill that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Drill {
    provider: Name,
    from: At,
    until: At,
    by: String,
    /// When the page was written, and by which incident. That nobody has heard yet.
    #[serde(alias = "paged")]
    written: Option<(At, IncidentId)>,
    /// The sinks that it was handed to, and what each said first: when, and whether it took it.
    #[serde(default)]
    answers: BTreeMap<Name, Option<(At, bool)>>,
    withheld: Vec<Withheld>,
}

impl Drill {
    /// When the first sink took the page.
    fn paged_at(&self) -> Option<At> {
        self.answers.values().filter_map(|answer| answer.filter(|(_, took)| *took)).map(|(at, _)| at).min()
    }
}

/// A sighting that is not known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Withheld {
    inbox: Name,
    canary: CanaryId,
    at: At,
    placement: Placement,
    copy: Option<Copied>,
    reported: At,
    seen: At,
}

/// A drill that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Drilled {
    pub(super) provider: Name,
    pub(super) at: At,
    /// From its beginning until a sink took the page; none: none did.
    pub(super) paged_after: Option<Span>,
    /// From its beginning until the page was written; none: it was not.
    #[serde(default)]
    written_after: Option<Span>,
    /// What the sinks did with the page.
    #[serde(default)]
    sinks: BTreeMap<Name, Rang>,
}

/// What a sink did with the page of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rang {
    /// It took it, so long after the drill began.
    Taken(Span),
    /// It refused it.
    Refused,
    /// It had not taken it when the drill was over.
    Silent,
}

/// A drill that goes on, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrillView {
    /// Whose canaries are withheld.
    pub provider: Name,
    /// Since when.
    pub from: At,
    /// Until when at the latest.
    pub until: At,
    /// Who wants it. Foreign text.
    pub by: String,
    /// The incident whose page is written.
    pub incident: Option<IncidentId>,
    /// From its beginning until the first sink took the page, if one has.
    pub paged_after: Option<Span>,
}

/// A drill that is over, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrilledView {
    /// Whose canaries were withheld.
    pub provider: Name,
    /// When it ended.
    pub at: At,
    /// From its beginning until the first sink took the page; none: none did, and the drill has failed.
    pub paged_after: Option<Span>,
    /// From its beginning until the page was written; none: it was not.
    pub written_after: Option<Span>,
    /// What each sink did that the page was handed to.
    pub sinks: BTreeMap<Name, Rang>,
}

impl DrilledView {
    /// From its beginning until this sink took the page, if it did.
    #[must_use]
    pub fn taken_after(&self, sink: &Name) -> Option<Span> {
        if let Rang::Taken(after) = self.sinks.get(sink)? { Some(*after) } else { None }
    }
}

impl Watchdog {
    /// Whether a drill can begin, or be ended.
    pub(super) fn check_drill(&self, event: &Event) -> Result<(), Unfit> {
        if let Event::Approved { provider, stream, .. } | Event::Unlearnt { provider, stream, .. } = event {
            let known = self.plan.routes.iter().any(|r| r.route.provider == *provider && r.route.stream == *stream);
            return if known { Ok(()) } else { Err(Unfit::UnknownStream(provider.clone(), stream.clone())) };
        }
        if let Event::DrillBegan { provider, .. } = event {
            if !self.plan.providers.contains(provider) {
                return Err(Unfit::UnknownProvider(provider.clone()));
            }
            if self.state.drill.is_some() {
                return Err(Unfit::NoDrill("a drill goes on: wait for its end, or stop it"));
            }
            // What a drill withholds would be laid to the same cause as what fails already.
            if self
                .state
                .open()
                .any(|i| i.shown.kind.is_delivery() || i.shown.last.sink().is_none() && concerns(&i.shown.culprit, provider))
            {
                return Err(Unfit::NoDrill("mail fails already, or an incident of this provider is open: that is no drill"));
            }
        }
        if matches!(event, Event::DrillStopped { .. }) && self.state.drill.is_none() {
            return Err(Unfit::NoDrill("no drill goes on"));
        }
        Ok(())
    }

    /// Begins a drill whose hours have come, unless something keeps it from being one.
    pub(super) fn drill_on_schedule(&mut self, step: &mut Step, at: At) {
        let due = |(name, drill): (&Name, &config::Drill)| {
            let last = self.state.drills_began.get(&drill.provider).copied();
            if !is_due(&drill.every, last, at) {
                return None;
            }
            let (provider, until) = (drill.provider.clone(), at.plus(drill.lasts));
            let began = Event::DrillBegan { provider, until, by: format!("schedule {name}") };
            self.check_drill(&began).is_ok().then_some(began)
        };
        if let Some(began) = self.plan.drills.iter().find_map(due).filter(|_| !self.stopping) {
            self.record(step, at, Fact::Happened(began));
        }
    }

    /// What a drill has brought about says so.
    pub(super) fn mark_drill(&self, change: &mut Move) {
        let was = change.incident.and_then(|id| self.state.incidents.get(&id)).is_some_and(|i| is_drill(&i.shown.last));
        if change.change == Change::Resolved && was {
            let over = self.state.drilled.as_ref().filter(|_| self.state.drill.is_none());
            change.summary = format!("DRILL, over{}", over.map_or_else(String::new, outcome));
            return;
        }
        let Some(drill) = self.state.brought_about(change) else { return };
        change.summary = marked(&drill, &change.summary);
        if let Some(evidence) = change.evidence.as_object_mut() {
            evidence.insert(DRILL.to_owned(), drill.into());
            if let Some(until) = self.state.drill.as_ref().map(|drill| drill.until) {
                evidence.insert(STEP.to_owned(), nothing_to_do(until).into());
            }
        }
    }
}

/// What is to be done about a drill's incident.
fn nothing_to_do(until: At) -> String {
    format!(
        "nothing: this is a drill. It ends by itself soon after the sinks have answered its page, at {} at the latest; `mailcanary drill stop -c FILE` ends it at once",
        until.minute()
    )
}

/// The words of a drill's incident, which say it once and first.
pub(super) fn marked(drill: &str, summary: &str) -> String {
    let mark = format!("DRILL ({drill}), nothing is wrong: ");
    format!("{mark}{}", summary.replacen(&mark, "", 1))
}

/// Whether a notice calls, and says that it is a drill's.
fn is_page(notice: &Notice) -> bool {
    let calls = matches!(notice.change, Change::Opened | Change::Updated | Change::Reminder);
    calls && notice.severity == Severity::Page && is_drill(notice)
}

/// Whether a culprit is a provider, or a part of it.
fn concerns(culprit: &Culprit, provider: &Name) -> bool {
    match culprit {
        Culprit::Provider(p) | Culprit::Stream(p, _) | Culprit::Path(p, _) | Culprit::Route(p, ..) => p == provider,
        // What is wrong with all mail is wrong with this one's: a drill would be told as a part of it.
        Culprit::Watcher {} => true,
        Culprit::Inbox(_) => false,
    }
}

/// What has come of a drill, in words.
fn outcome(drilled: &Drilled) -> String {
    match (drilled.paged_after, drilled.written_after) {
        (Some(after), _) => format!(": the first sink took the page {after} after it began"),
        (None, Some(after)) => format!(", and it has failed: the page was written {after} after it began, and no sink took it"),
        (None, None) => String::new(),
    }
}

/// When the next drill is due by its schedule.
pub(super) fn next(plan: &Plan, now: At) -> Option<At> {
    plan.drills.values().filter_map(|drill| due_at(&drill.every, now)).min()
}

impl State {
    /// A drill begins.
    pub(super) fn begin_drill(&mut self, at: At, provider: &Name, until: At, by: &str) {
        let (until, by) = (until.min(at.plus(LONGEST)), super::people::cut_name(by));
        self.drills_began.insert(provider.clone(), at);
        let (provider, answers) = (provider.clone(), BTreeMap::new());
        self.drill = Some(Drill { provider, from: at, until, by, written: None, answers, withheld: Vec::new() });
    }

    /// Whether a sighting is withheld; then it is kept for later.
    pub(super) fn withhold(&mut self, ix: &Index, inbox: &Name, canary: CanaryId, arrival: &Arrival, seen: At) -> bool {
        let Some(drill) = &self.drill else { return false };
        let sent = self.canary(ix, canary).map(|(route, c)| (&route.route, c.sent_at()));
        let mine = sent.is_some_and(|(route, at)| route.provider == drill.provider && route.inbox == *inbox && at >= drill.from);
        if mine && let Some(drill) = self.drill.as_mut().filter(|d| d.withheld.len() < WITHHELD) {
            let Arrival { at, placement, copy, reported } = arrival.clone();
            drill.withheld.push(Withheld { inbox: inbox.clone(), canary, at, placement, copy, reported, seen });
        }
        mine
    }

    /// Whether a canary was seen, and that is withheld.
    pub(super) fn is_withheld(&self, canary: CanaryId) -> bool {
        self.drill.as_ref().is_some_and(|d| d.withheld.iter().any(|w| w.canary == canary))
    }

    /// The drill's name for a notice about this culprit, if it is the drill that made it: not where mail of others is missing, too.
    pub(super) fn drilled(&self, culprit: &Culprit) -> Option<String> {
        let drill = self.drill.as_ref()?;
        let is_its = concerns(culprit, &drill.provider) && !(*culprit == Culprit::Watcher {} && self.misses_others(drill));
        is_its.then(|| format!("provider {} as stopped, by {}", drill.provider, drill.by))
    }

    /// The drill's name for a change, if it has brought it about. A refusal is real, drill or not.
    pub(super) fn brought_about(&self, change: &Move) -> Option<String> {
        let known = change.incident.and_then(|id| self.incidents.get(&id));
        let may_be = matches!(change.kind, Kind::Stopped | Kind::Loss | Kind::Slow) && known.is_none_or(|i| is_drill(&i.shown.last));
        self.drilled(&change.culprit).filter(|_| may_be)
    }

    /// Whether what was told as a drill's is real after all.
    pub(super) fn is_real(&self, open: &Incident) -> bool {
        is_drill(&open.shown.last) && self.drilled(&open.shown.culprit).is_none()
    }

    /// Whether mail of another provider is missing, or refused, while a drill goes on.
    fn misses_others(&self, drill: &Drill) -> bool {
        let others = |r: &&RouteState| r.route.provider != drill.provider && !r.is_suppressed() && self.sees(&r.route.inbox);
        self.routes.iter().filter(others).any(|route| {
            let horizon = self.inboxes.get(&route.route.inbox).and_then(|inbox| self.horizon(inbox));
            let is_due = |c: &Canary| horizon.is_some_and(|horizon| horizon > c.sent_at().plus(evidence::usual(route)));
            let newest = route.canaries.iter().rev().filter(|c| evidence::counts(route, c));
            let mut nothing_since = true;
            newest
                .take_while(|c| {
                    nothing_since &= !c.has_arrived();
                    c.sent_at() >= drill.from || nothing_since && c.sent_at() >= drill.from.minus(LATELY)
                })
                .any(|c| !c.has_arrived() && (c.refused() || is_due(c)))
        })
    }

    /// A page is handed to these sinks. If it is the drill's, it is known how long they take from now on.
    pub(super) fn note_drill(&mut self, at: At, notice: &Notice, sinks: &[Name]) {
        if let Some(drill) = self.drill.as_mut().filter(|_| is_page(notice)) {
            drill.written.get_or_insert((at, notice.incident));
            for sink in sinks {
                drill.answers.entry(sink.clone()).or_default();
            }
        }
    }

    /// A sink has answered a notice, which may be the drill's page. What it says first counts, unless it takes a later one after all.
    pub(super) fn hear_drill(&mut self, at: At, notice: &Notice, sink: &Name, outcome: Delivery) {
        let took = match outcome {
            Delivery::Delivered => true,
            Delivery::Refused => false,
            Delivery::Dropped => return,
        };
        let Some(drill) = self.drill.as_mut().filter(|_| is_page(notice)) else { return };
        if let Some(answer) = drill.answers.get_mut(sink).filter(|known| known.is_none_or(|(_, taken)| took && !taken)) {
            *answer = Some((at, took));
        }
    }

    /// When the drill is over: so long after all sinks have answered the page, or the first took it; or when its time is up.
    pub(super) fn drill_ends_at(&self) -> Option<At> {
        let drill = self.drill.as_ref()?;
        let answered: Option<Vec<At>> = drill.answers.values().map(|answer| Some((*answer)?.0)).collect();
        let all = answered.and_then(|all| all.into_iter().max()).map(|last| last.plus(RINGS_FOR));
        let first = drill.paged_at().map(|first| first.plus(WAITS_FOR));
        Some([all, first].into_iter().flatten().fold(drill.until, At::min))
    }

    /// A drill is over: nothing is learnt from it, and nothing of it is held against anybody; what was withheld is known now.
    pub(super) fn end_drill(&mut self, plan: &Plan, ix: &mut Index, at: At) {
        let Some(drill) = self.drill.take() else { return };
        let after = |then: At| then.since(drill.from);
        let rang = |answer: &Option<(At, bool)>| match answer {
            Some((then, true)) => Rang::Taken(after(*then)),
            Some((_, false)) => Rang::Refused,
            None => Rang::Silent,
        };
        self.drilled = Some(Drilled {
            provider: drill.provider.clone(),
            at,
            paged_after: drill.paged_at().map(after),
            written_after: drill.written.map(|(then, _)| after(then)),
            sinks: drill.answers.iter().map(|(sink, answer)| (sink.clone(), rang(answer))).collect(),
        });
        for route in self.routes.iter_mut().filter(|r| r.route.provider == drill.provider) {
            route.judged_before = Some(at);
            for flying in route.flying.iter_mut().filter(|f| f.sent_at >= drill.from) {
                (flying.counted, flying.teaches) = (false, false);
            }
            for canary in route.canaries.iter_mut().rev().take_while(|c| c.sent_at() >= drill.from) {
                canary.set_aside(true);
            }
        }
        let own = |suspect: usize| {
            let routes = plan.suspects.get(suspect).map_or(&[][..], |s| &s.routes);
            routes.iter().filter_map(|slot| plan.routes.get(*slot)).any(|r| r.route.provider == drill.provider)
        };
        self.alarms.retain(|alarm| alarm.since < drill.from || !plan.suspect(&alarm.culprit).is_some_and(own));
        ix.follow_alarms(plan, self);
        for suspect in (0..plan.suspects.len()).filter(|suspect| own(*suspect)) {
            if let Some(standing) = self.standings.get_mut(suspect) {
                standing.evidence = Sequence::new(Rule::Failure);
            }
            self.gather(plan, ix, suspect);
        }
        for Withheld { inbox, canary, at, placement, copy, reported, seen } in drill.withheld {
            self.sight(plan, ix, &inbox, canary, Arrival { at, placement, copy, reported }, seen);
        }
    }

    /// The drill that goes on, as people see it.
    pub(super) fn drill_view(&self) -> Option<DrillView> {
        let drill = self.drill.as_ref()?;
        let (provider, from, until, by) = (drill.provider.clone(), drill.from, drill.until, drill.by.clone());
        let paged_after = drill.paged_at().map(|at| at.since(from));
        Some(DrillView { provider, from, until, by, incident: drill.written.map(|(_, incident)| incident), paged_after })
    }

    /// The last drill that is over.
    pub(super) fn drilled_view(&self) -> Option<DrilledView> {
        let Drilled { provider, at, paged_after, written_after, sinks } = self.drilled.clone()?;
        Some(DrilledView { provider, at, paged_after, written_after, sinks })
    }
}
