//! What has been told of incidents, and which notices still wait for their sinks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::event::Delivery;
use super::state::State;
use super::step::PendingNotice;
use super::view::{IncidentView, Word};
use crate::model::{At, Change, Class, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Severity};

/// Incidents that ended are remembered for the page; the ledger has them all.
const REMEMBER_ENDED: usize = 50;

/// Marks the evidence of a drill.
pub(super) const DRILL: &str = "drill";
/// How often an incident has called again, in the evidence.
pub(super) const CALLS: &str = "calls";

/// An incident, and which sinks have heard of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Incident {
    pub(super) shown: IncidentView,
    pub(super) told: BTreeSet<Name>,
    /// When anybody was told last.
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
}

/// How bad an incident is: its severity, how much it touches, and whether nothing at all comes through.
type Weight = (Option<Severity>, u8, bool);

/// The weight of a notice.
fn weight(severity: Severity, culprit: &Culprit, kind: Kind) -> Weight {
    let touches = match culprit {
        Culprit::Route(..) => 1,
        Culprit::Stream(..) => 2,
        Culprit::Provider(_) | Culprit::Inbox(_) => 3,
        Culprit::Watcher {} => 4,
    };
    (Some(severity), touches, matches!(kind, Kind::Stopped | Kind::Refused))
}

impl Incident {
    /// When it was told of as a page first, if it was.
    pub(super) fn paged_at(&self) -> Option<At> {
        // An earlier version did not write it down.
        let before = || self.told_at.filter(|_| self.shown.severity == Severity::Page).map(|_| self.shown.opened_at);
        self.paged_at.or_else(before)
    }

    /// Whether with this it becomes worse than it has ever been: who has acknowledged it did not know of that.
    pub(super) fn grows(&self, severity: Severity, culprit: &Culprit, kind: Kind) -> bool {
        let (new, old) = (weight(severity, culprit, kind), self.worst);
        new.0 > old.0 || new.1 > old.1 || new.2 && !old.2
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
        self.shown.kind == Kind::Refused && self.class().is_some_and(|c| c == Class::Suppressed.as_str() || c == Class::Recipient.as_str())
    }

    /// Whether it is about what every provider refuses alike, which is found without an alarm.
    pub(super) fn is_common(&self) -> bool {
        self.shown.culprit == Culprit::Watcher {} && self.class().is_some()
    }

    pub(super) fn class(&self) -> Option<&str> {
        self.shown.last.evidence.get("class").and_then(serde_json::Value::as_str)
    }
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
    pub(super) notice: Notice,
    /// Sinks that have not answered for good.
    pub(super) sinks: BTreeSet<Name>,
}

impl Pending {
    pub(super) fn shown(&self) -> PendingNotice {
        PendingNotice { notice: self.notice.clone(), at: self.at, opened_at: self.opened_at, sinks: self.sinks.clone() }
    }
}

impl State {
    /// A notice is written: its incident is what it says, and it waits for its sinks.
    pub(super) fn tell(&mut self, at: At, notice: &Notice, sinks: &[Name], silenced: bool) {
        self.next_notice = self.next_notice.max(notice.notice.0);
        self.next_incident = self.next_incident.max(notice.incident.0);
        let incident = self.incidents.entry(notice.incident).or_insert_with(|| Incident {
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
        });
        if notice.change != Change::Resolved && incident.grows(notice.severity, &notice.culprit, notice.kind) {
            if incident.shown.acknowledged.is_some() {
                incident.call_again(at);
                incident.calls += 1;
            }
            let (new, old) = (weight(notice.severity, &notice.culprit, notice.kind), incident.worst);
            incident.worst = (new.0.max(old.0), new.1.max(old.1), new.2 || old.2);
        }
        let rises = notice.severity > incident.shown.severity;
        incident.reminders = if rises { 0 } else { incident.reminders + u32::from(notice.change == Change::Reminder) };
        incident.quiet = silenced;
        if !silenced {
            incident.told_at = Some(at);
            incident.paged_at = incident.paged_at.or(Some(at).filter(|_| notice.severity == Severity::Page));
        }
        incident.shown.kind = notice.kind;
        incident.shown.severity = notice.severity;
        incident.shown.culprit.clone_from(&notice.culprit);
        incident.shown.last = notice.clone();
        let delivery = notice.kind.is_delivery();
        for alarm in self.alarms.iter_mut().filter(|a| delivery && a.culprit == notice.culprit) {
            alarm.told = true;
        }
        if notice.change == Change::Resolved {
            incident.shown.resolved_at = Some(at);
            for route in self.routes.iter_mut().filter(|r| delivery && notice.culprit.covers(&r.route)) {
                route.judged_before = Some(at);
            }
        }
        // A drill that nobody is told of has paged nobody.
        if is_drill(notice) && !silenced && !sinks.is_empty() {
            self.note_drill(at, notice.incident, notice.severity);
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
        incident.told.extend(sinks.iter().cloned());
        let opened_at = incident.shown.opened_at;
        let sinks = sinks.iter().cloned().collect();
        self.outbox.insert(notice.notice, Pending { at, opened_at, notice: notice.clone(), sinks });
    }

    /// A notice's way to one sink is over.
    pub(super) fn close(&mut self, notice: NoticeId, sink: &Name, outcome: Delivery) {
        let Some(pending) = self.outbox.get_mut(&notice) else { return };
        if !pending.sinks.remove(sink) {
            return;
        }
        if pending.sinks.is_empty() {
            self.outbox.remove(&notice);
        }
        self.end_trial(notice, sink, outcome);
        match self.delivered.iter_mut().find(|(name, end, _)| name == sink && *end == outcome) {
            Some((_, _, count)) => *count += 1,
            None => self.delivered.push((sink.clone(), outcome, 1)),
        }
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
    pub(super) fn open_deliveries(&self) -> BTreeMap<&Culprit, &Incident> {
        let mut found = BTreeMap::new();
        for open in self.open().filter(|i| i.shown.kind.is_delivery()) {
            found.entry(&open.shown.culprit).or_insert(open);
        }
        found
    }
}
