//! Somebody has seen an incident: sinks that keep that themselves are told, so that they call nobody else either; and so is whoever is just
//! being called at the others.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Watchdog;
use super::effect::Effect;
use super::event::{Event, Reads};
use super::outbox::{CALLS, QUIET};
use super::record::Fact;
use super::step::Step;
use super::view::Word;
use crate::model::proof::renew_ages;
use crate::model::{At, Change, IncidentId, Name, Notice, NoticeId};

/// Who has seen it, in the evidence.
pub(super) const ACKNOWLEDGED: &str = "acknowledged";

/// The calls that may be under way, in the evidence: for the sake of these alone it is told who has seen it. A sink's queue drops it if none
/// of them has reached anybody.
const CALLED_LATE: &str = "called_late";

/// That an incident is seen for the first time.
#[derive(Debug)]
pub(super) struct FirstSeen {
    incident: IncidentId,
    /// The sink where that was said.
    via: Option<Name>,
    /// Who is called at this moment, perhaps, and by what.
    called: BTreeSet<Name>,
    calls: BTreeSet<NoticeId>,
}

/// What a person said, in the evidence.
pub(super) fn in_evidence(word: &Word) -> Value {
    json!({ "by": word.by, "at": word.at.rfc3339(), "note": word.note })
}

impl Watchdog {
    /// What an event says, if it says first that somebody has seen an incident.
    pub(super) fn first_seen(&self, event: &Event) -> Option<FirstSeen> {
        let Event::Acknowledged { incident, via, .. } = event else { return None };
        let known = self.state.incidents.get(incident).filter(|known| known.shown.acknowledged.is_none())?;
        let (mut called, mut calls) = (BTreeSet::new(), BTreeSet::new());
        // Who uses the core as a filter has no queue that drops what reached nobody.
        if self.state.reads() == Reads::Explicit {
            let is_told = |name: &&Name| self.plan.sinks.get(*name).is_some_and(|l| l.hears_who) && via.as_ref() != Some(*name);
            for pending in self.state.outbox.values().filter(|p| p.notice.incident == known.shown.incident && is_call(&p.notice)) {
                let mut sinks = pending.sinks.iter().filter(is_told).peekable();
                calls.extend(sinks.peek().map(|_| pending.notice.notice));
                called.extend(sinks.cloned());
            }
        }
        Some(FirstSeen { incident: *incident, via: via.clone(), called, calls })
    }

    /// Tells the sinks that have heard of the incident and keep who has seen it, but for the one where it was said: that one knows. And those
    /// where somebody may be called at this moment.
    pub(super) fn pass_on(&mut self, step: &mut Step, at: At, seen: Option<FirstSeen>) {
        let Some(FirstSeen { incident, via, called, calls }) = seen else { return };
        let Some(known) = self.state.incidents.get(&incident) else { return };
        let Some(word) = known.shown.acknowledged.as_ref().filter(|_| known.shown.resolved_at.is_none()) else { return };
        let keeps = |name: &&Name| {
            let listener = self.plan.sinks.get(*name);
            listener.is_some_and(|l| l.keeps && (l.shows || via.as_ref() != Some(*name)))
        };
        let keepers: Vec<Name> = known.told.iter().filter(keeps).cloned().collect();
        let called: Vec<Name> = called.into_iter().filter(|name| known.told.contains(name) && !keepers.contains(name)).collect();
        if keepers.is_empty() && called.is_empty() {
            return;
        }
        // What is changed in place there says how it is now.
        let now_so = self.present_of(known, at);
        let mut last = known.shown.last.clone();
        match now_so {
            Some(now) => (last.summary, last.evidence) = (now.summary, now.evidence),
            None => renew_ages(&mut last.evidence, at),
        }
        let note = word.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        let summary = format!("acknowledged by {} at {}{note}; {}", word.by, word.at.second(), last.summary);
        let mut notice = Notice { change: Change::Acknowledged, summary, ..last };
        if let Some(evidence) = notice.evidence.as_object_mut() {
            evidence.insert(ACKNOWLEDGED.to_owned(), in_evidence(word));
            if known.calls > 0 {
                evidence.insert(CALLS.to_owned(), known.calls.into());
            }
        }
        for (sinks, late) in [(keepers, None), (called, Some(calls))] {
            if sinks.is_empty() {
                continue;
            }
            let mut notice = Notice { notice: NoticeId(self.state.next_notice + 1), ..notice.clone() };
            if let (Some(evidence), Some(calls)) = (notice.evidence.as_object_mut(), late) {
                evidence.insert(CALLED_LATE.to_owned(), json!(calls));
            }
            self.record(step, at, Fact::Told { notice: notice.clone(), sinks, silenced: false, late: true });
            step.effects.push(Effect::Notify(notice));
        }
    }
}

/// Whether a notice calls somebody.
fn is_call(notice: &Notice) -> bool {
    let is_loud = || matches!(notice.change, Change::Opened | Change::Updated) && notice.evidence.get(QUIET).is_none();
    !notice.is_trial() && (notice.asks_for_somebody() || is_loud())
}
