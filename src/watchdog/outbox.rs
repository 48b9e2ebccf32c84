//! What has been told of incidents, and which notices still wait for their sinks.

mod shared;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::Delivery;
use super::heard::Missed;
use super::lookup::Lookup;
use super::plan::Plan;
use super::state::State;
use super::step::PendingNotice;
use super::view::{IncidentView, Word};
use crate::model::{At, Change, Class, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Severity, Span};

/// Incidents that ended are remembered for the page; the ledger has them all.
const REMEMBER_ENDED: usize = 50;

/// A move that calls nobody is told so long after the last notice, or so long if it corrects what was told, then after so many times as long,
/// and so on…
const MORE_KNOWN: Span = Span::from_secs(30);
const CORRECTED: Span = Span::from_secs(120);
const QUIET_LONGER: u64 = 4;
/// …up to this.
const QUIET_AT_MOST: Span = Span::from_secs(3600);

/// Marks the evidence of a move that calls nobody: what was told before is no smaller.
pub(super) const QUIET: &str = "quiet";
/// What kept a notice from everybody, in its evidence.
pub(super) const KEPT_BACK: &str = "kept_back";
/// Marks the evidence of what is told as it was last known: of when it is.
pub(super) const AS_OF: &str = "as_of";
/// Marks the evidence of a drill.
pub(super) const DRILL: &str = "drill";
/// The incidents of which alone a sink refuses what it is told, in the evidence.
pub(super) const ONLY_OF: &str = "only_of";
/// How often an incident has called again, in the evidence.
pub(super) const CALLS: &str = "calls";

/// An incident, and which sinks have heard of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Incident {
    pub(super) shown: IncidentView,
    pub(super) told: BTreeSet<Name>,
    /// When anybody was told last, but for moves that call nobody.
    #[serde(default)]
    pub(super) told_at: Option<At>,
    /// When it was told of as a page first.
    #[serde(default)]
    paged_at: Option<At>,
    /// Its last notice was silenced: when the silence ends, it is told.
    #[serde(default)]
    pub(super) quiet: bool,
    /// Reminders since it rose to what it is.
    #[serde(default)]
    pub(super) reminders: u32,
    /// When something was said of it last, by the clock of who passed it on.
    #[serde(default)]
    pub(super) spoken_at: Option<At>,
    /// Who had seen it before it called again.
    #[serde(default)]
    pub(super) former: Option<Word>,
    /// The worst that it has been.
    #[serde(default)]
    worst: Weight,
    /// How often it has called again, because it grew after it was acknowledged.
    #[serde(default)]
    pub(super) calls: u32,
    /// How often it has moved without calling anybody, since it called last.
    #[serde(default)]
    quiet_moves: u32,
    /// When a notice of it was written last, whether anybody was to hear it or not.
    #[serde(default)]
    moved_at: Option<At>,
    /// When it was told of whom it is of now.
    #[serde(default)]
    blamed_at: Option<At>,
    /// Sinks that have taken anything of it.
    #[serde(default)]
    pub(super) took: Option<BTreeSet<Name>>,
    /// Sinks that have refused what they were told last.
    #[serde(default)]
    pub(super) missed: BTreeMap<Name, Missed>,
    /// Sinks that were called because nobody had acknowledged it, and when.
    #[serde(default)]
    called: BTreeMap<Name, At>,
    /// How often its alarm has come back while it was open.
    #[serde(default)]
    pub(super) returns: u32,
    /// The class of its refusal, as the evidence of what was told last has it: asked for too often to be looked up there.
    #[serde(skip)]
    pub(super) class: Option<Class>,
}

/// How bad an incident is: its severity, how much it touches, and whether nothing at all comes through.
type Weight = (Option<Severity>, u8, bool);

/// The weight of a notice.
fn weight(severity: Severity, culprit: &Culprit, kind: Kind) -> Weight {
    (Some(severity), touches(culprit), matches!(kind, Kind::Stopped | Kind::Refused))
}

const fn touches(culprit: &Culprit) -> u8 {
    match culprit {
        Culprit::Route(..) => 1,
        Culprit::Stream(..) | Culprit::Path(..) => 2,
        Culprit::Provider(_) | Culprit::Inbox(_) => 3,
        Culprit::Watcher {} => 4,
    }
}

impl Incident {
    /// One that is told of first, by this notice.
    fn new(at: At, notice: &Notice) -> Self {
        Self {
            shown: IncidentView {
                incident: notice.incident,
                kind: notice.kind,
                severity: notice.severity,
                culprit: notice.culprit.clone(),
                opened_at: at,
                resolved_at: None,
                last: notice.clone(),
                present: None,
                acknowledged: None,
                also: Vec::new(),
                closed: None,
                delivers: false,
                silenced_until: None,
            },
            told: BTreeSet::new(),
            told_at: None,
            paged_at: None,
            quiet: false,
            reminders: 0,
            spoken_at: None,
            former: None,
            worst: Weight::default(),
            calls: 0,
            quiet_moves: 0,
            moved_at: None,
            blamed_at: None,
            took: Some(BTreeSet::new()),
            missed: BTreeMap::new(),
            called: BTreeMap::new(),
            returns: 0,
            class: None,
        }
    }

    /// Knows its class again, after what was told last is another, or was read from a checkpoint.
    pub(super) fn classify(&mut self) {
        self.class = self.shown.last.evidence.get("class").and_then(|class| Class::deserialize(class).ok());
    }

    /// Whether a sink was called so lately, half a first reminder ago or less, that a reminder would be that again.
    pub(super) fn has_just_called(&self, sink: &Name, plan: &Plan, now: At) -> bool {
        self.called.get(sink).is_some_and(|called| now.since(*called) < plan.remind_after.scaled(1, 2))
    }

    /// When it was told of as a page first, if it was.
    pub(super) fn paged_at(&self) -> Option<At> {
        // An earlier version did not write it down.
        let before = || self.told_at.filter(|_| self.shown.severity == Severity::Page).map(|_| self.shown.opened_at);
        self.paged_at.or_else(before)
    }

    /// The worst that it has been told as. Who has heard of a drill has heard of nothing that is real.
    fn worst_before(&self, is_drills: bool) -> Weight {
        if is_drill(&self.shown.last) && !is_drills { Weight::default() } else { self.worst }
    }

    /// Whether with this it becomes worse than it has ever been: who has acknowledged it did not know of that.
    pub(super) fn grows(&self, severity: Severity, culprit: &Culprit, kind: Kind, is_drills: bool) -> bool {
        let (new, old) = (weight(severity, culprit, kind), self.worst_before(is_drills));
        new.0 > old.0 || new.1 > old.1 || new.2 && !old.2
    }

    /// Whether this touches more than what was told last.
    pub(super) fn is_wider_now(&self, culprit: &Culprit) -> bool {
        touches(culprit) > touches(&self.shown.culprit)
    }

    /// Whether this is as bad as it has been told, and only touches more.
    pub(super) fn is_only_outgrown(&self, severity: Severity, culprit: &Culprit, kind: Kind) -> bool {
        let (new, old) = (weight(severity, culprit, kind), self.worst);
        new.0 <= old.0 && new.1 > old.1 && (old.2 || !new.2)
    }

    /// When a notice of it was written last.
    pub(super) fn told_last_at(&self) -> At {
        self.moved_at.or(self.told_at).unwrap_or(self.shown.opened_at)
    }

    /// When it may be told, at the earliest, that it has moved to this, where nobody is to be called for that. What is known besides, as the
    /// provider's words, need not prove that it lasts.
    pub(super) fn moves_quietly_at(&self, culprit: &Culprit, kind: Kind) -> At {
        let is_same = self.shown.kind == kind && self.shown.culprit == *culprit;
        let first = if is_same { MORE_KNOWN } else { CORRECTED };
        let longer = first.scaled(QUIET_LONGER.pow(self.quiet_moves.min(8)), 1).min(QUIET_AT_MOST);
        self.told_last_at().plus(longer)
    }

    /// Since when it is told of whom it is of.
    pub(super) fn blamed_at(&self) -> At {
        self.blamed_at.unwrap_or(self.shown.opened_at)
    }

    /// Nobody sees to it any more.
    pub(super) fn call_again(&mut self, at: At) {
        self.former = self.shown.acknowledged.take();
        self.reminders = 0;
        // Whoever waits for others to acknowledge it waits from now on.
        self.told_at = self.told_at.map(|_| at);
        self.paged_at = self.paged_at().map(|_| at);
    }

    /// Whether it is about a seed that a provider does not write to, and not about mail.
    pub(super) fn is_of_seed(&self) -> bool {
        self.shown.kind == Kind::Refused && matches!(self.class, Some(Class::Suppressed | Class::Recipient))
    }

    /// Whether it is about what every provider refuses alike, which is found without an alarm.
    pub(super) fn is_common(&self) -> bool {
        self.shown.culprit == Culprit::Watcher {} && self.class.is_some()
    }
}

/// What reminders add to the summary.
pub(super) const OPEN_FOR: &str = "; it has been open for ";

/// A summary without what a reminder added to it.
pub(super) fn without_age(summary: &str) -> &str {
    summary.split(OPEN_FOR).next().unwrap_or_default()
}

/// Whether a notice is a drill's.
pub(super) fn is_drill(notice: &Notice) -> bool {
    notice.evidence.get(DRILL).is_some()
}

/// A notice on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) at: At,
    pub(super) opened_at: At,
    /// Shared with all that wait to tell it.
    #[serde(with = "shared")]
    pub(super) notice: Arc<Notice>,
    /// Sinks that have not answered for good.
    pub(super) sinks: BTreeSet<Name>,
}

impl Pending {
    pub(super) fn shown(&self) -> PendingNotice {
        PendingNotice { notice: Arc::clone(&self.notice), at: self.at, opened_at: self.opened_at, sinks: self.sinks.clone() }
    }
}

impl State {
    /// A notice is written: its incident is what it says, and it waits for its sinks.
    pub(super) fn tell(&mut self, at: At, notice: &Notice, sinks: &[Name], silenced: bool) {
        self.next_notice = self.next_notice.max(notice.notice.0);
        self.next_incident = self.next_incident.max(notice.incident.0);
        let incident = self.incidents.entry(notice.incident).or_insert_with(|| Incident::new(at, notice));
        let is_drills = is_drill(notice);
        let calls = notice.evidence.get(CALLS).and_then(serde_json::Value::as_u64).is_some_and(|calls| calls > u64::from(incident.calls));
        let grows = calls || incident.grows(notice.severity, &notice.culprit, notice.kind, is_drills);
        if notice.change != Change::Resolved && grows {
            let is_real = is_drill(&incident.shown.last) && !is_drills;
            let seen = incident.shown.acknowledged.is_some();
            incident.calls += u32::from(seen || is_real);
            if seen {
                incident.call_again(at);
            }
            let (new, old) = (weight(notice.severity, &notice.culprit, notice.kind), incident.worst_before(is_drills));
            incident.worst = (new.0.max(old.0), new.1.max(old.1), new.2 || old.2);
        }
        let quiet = notice.evidence.get(QUIET).is_some();
        incident.quiet_moves = match notice.change {
            Change::Updated if quiet => incident.quiet_moves.saturating_add(1),
            Change::Opened | Change::Updated => 0,
            Change::Reminder | Change::Acknowledged | Change::Resolved => incident.quiet_moves,
        };
        incident.moved_at = Some(at);
        let rises = notice.severity > incident.shown.severity;
        incident.reminders = if rises { 0 } else { incident.reminders + u32::from(notice.change == Change::Reminder) };
        incident.quiet = silenced;
        if !silenced {
            // What calls nobody puts no reminder off.
            incident.told_at = incident.told_at.filter(|_| quiet).or(Some(at));
            incident.paged_at = incident.paged_at.or(Some(at).filter(|_| notice.severity == Severity::Page));
        }
        incident.shown.kind = notice.kind;
        incident.shown.severity = notice.severity;
        if incident.shown.culprit != notice.culprit {
            incident.blamed_at = Some(at);
        }
        incident.shown.culprit.clone_from(&notice.culprit);
        // What goes on is said of what was told before; that nobody had acknowledged it then is not, nor that nothing could be known.
        let is_old = notice.evidence.get(AS_OF).is_some() && notice.change != Change::Resolved;
        let summary = if is_old { incident.shown.last.summary.clone() } else { without_age(&notice.summary).to_owned() };
        incident.shown.last = Notice { summary, ..notice.clone() };
        incident.classify();
        let delivery = notice.kind.is_delivery();
        for alarm in self.alarms.iter_mut().filter(|a| delivery && a.culprit == notice.culprit) {
            alarm.told = true;
        }
        if notice.change == Change::Resolved {
            incident.shown.resolved_at = Some(at);
            self.deaf.retain(|sink, _| notice.sink() != Some(sink.as_str()));
            for route in self.routes.iter_mut().filter(|r| delivery && notice.culprit.covers(&r.route)) {
                route.judged_before = Some(at);
            }
        }
        self.hand_out(at, notice, sinks);
        let ended: VecDeque<IncidentId> = self.incidents.iter().filter(|(_, i)| i.shown.resolved_at.is_some()).map(|(id, _)| *id).collect();
        for id in ended.iter().take(ended.len().saturating_sub(REMEMBER_ENDED)) {
            self.incidents.remove(id);
        }
    }

    /// A notice waits for its sinks, which have heard of its incident from now on.
    pub(super) fn hand_out(&mut self, at: At, notice: &Notice, sinks: &[Name]) {
        self.next_notice = self.next_notice.max(notice.notice.0);
        let Some(incident) = self.incidents.get_mut(&notice.incident).filter(|_| !sinks.is_empty()) else { return };
        if notice.change != Change::Reminder && notice.asks_for_somebody() {
            incident.called.extend(sinks.iter().map(|sink| (sink.clone(), at)));
        }
        incident.told.extend(sinks.iter().cloned());
        for sink in sinks {
            self.owed_since.entry(sink.clone()).or_insert(at);
            if let Some(missed) = incident.missed.get_mut(sink) {
                *missed = Missed::Again;
            }
        }
        let opened_at = incident.shown.opened_at;
        self.note_drill(at, notice, sinks);
        let sinks = sinks.iter().cloned().collect();
        self.outbox.insert(notice.notice, Pending { at, opened_at, notice: notice.clone().into(), sinks });
    }

    /// A notice's way to one sink is over.
    pub(super) fn close(&mut self, plan: &Plan, at: At, notice: NoticeId, sink: &Name, outcome: Delivery) {
        let Some(pending) = self.outbox.get(&notice).filter(|pending| pending.sinks.contains(sink)) else { return };
        let told = pending.notice.clone();
        self.leave(notice, sink, outcome);
        self.note_answer(plan, at, &told, sink, outcome);
        self.end_trial(notice, sink, outcome);
    }

    /// A notice leaves the outbox, as far as one sink goes.
    pub(super) fn leave(&mut self, notice: NoticeId, sink: &Name, outcome: Delivery) {
        let Some(pending) = self.outbox.get_mut(&notice) else { return };
        if !pending.sinks.remove(sink) {
            return;
        }
        if pending.sinks.is_empty() {
            self.outbox.remove(&notice);
        }
        if self.owed(sink).next().is_none() {
            self.owed_since.remove(sink);
        }
        match self.delivered.iter_mut().find(|(name, end, _)| name == sink && *end == outcome) {
            Some((_, _, count)) => *count += 1,
            None => self.delivered.push((sink.clone(), outcome, 1)),
        }
    }

    /// What waits for a sink, but for test notices.
    pub(super) fn owed(&self, sink: &Name) -> impl Iterator<Item = &Pending> {
        self.outbox.values().filter(move |pending| pending.sinks.contains(sink) && !pending.notice.is_trial())
    }

    /// Open incidents of this culprit.
    pub(super) fn open(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().filter(|i| i.shown.resolved_at.is_none())
    }

    /// The open incident of `culprit` that is, or is not, about delivery.
    pub(super) fn open_delivery(&self, culprit: &Culprit) -> Option<&Incident> {
        self.open().find(|i| i.shown.kind.is_delivery() && i.shown.culprit == *culprit)
    }

    /// All of these, by culprit.
    pub(super) fn open_deliveries(&self) -> Lookup<&Culprit, &Incident> {
        let mut found = Lookup::with_room(self.incidents.len());
        for open in self.open().filter(|i| i.shown.kind.is_delivery()) {
            found.or_insert_with(&open.shown.culprit, || open);
        }
        found
    }
}
