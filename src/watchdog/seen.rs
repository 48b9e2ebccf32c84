//! Somebody has seen an incident: sinks that keep that themselves are told, so that they call nobody else either.

use serde_json::{Value, json};

use super::Watchdog;
use super::effect::Effect;
use super::event::Event;
use super::outbox::CALLS;
use super::record::Fact;
use super::step::Step;
use super::view::Word;
use crate::model::proof::renew_ages;
use crate::model::{At, Change, IncidentId, Name, Notice, NoticeId};

/// Who has seen it, in the evidence.
pub(super) const ACKNOWLEDGED: &str = "acknowledged";

/// What a person said, in the evidence.
pub(super) fn in_evidence(word: &Word) -> Value {
    json!({ "by": word.by, "at": word.at.rfc3339(), "note": word.note })
}

impl Watchdog {
    /// The incident of which an event says first that somebody has seen it, and the sink where that was said.
    pub(super) fn first_seen(&self, event: &Event) -> Option<(IncidentId, Option<Name>)> {
        let Event::Acknowledged { incident, via, .. } = event else { return None };
        let known = self.state.incidents.get(incident)?;
        known.shown.acknowledged.is_none().then(|| (*incident, via.clone()))
    }

    /// Tells the sinks that have heard of the incident, but for the one where it was said: that one knows.
    pub(super) fn pass_on(&mut self, step: &mut Step, at: At, seen: Option<(IncidentId, Option<Name>)>) {
        let Some((incident, via)) = seen else { return };
        let Some(known) = self.state.incidents.get(&incident) else { return };
        let Some(word) = known.shown.acknowledged.as_ref().filter(|_| known.shown.resolved_at.is_none()) else { return };
        let keeps = |name: &&Name| {
            let listener = self.plan.sinks.get(*name);
            listener.is_some_and(|l| l.keeps && (l.shows || via.as_ref() != Some(*name)))
        };
        let sinks: Vec<Name> = known.told.iter().filter(keeps).cloned().collect();
        if sinks.is_empty() {
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
        let mut notice = Notice { notice: NoticeId(self.state.next_notice + 1), change: Change::Acknowledged, summary, ..last };
        if let Some(evidence) = notice.evidence.as_object_mut() {
            evidence.insert(ACKNOWLEDGED.to_owned(), in_evidence(word));
            if known.calls > 0 {
                evidence.insert(CALLS.to_owned(), known.calls.into());
            }
        }
        self.record(step, at, Fact::Told { notice: notice.clone(), sinks, silenced: false, late: true });
        step.effects.push(Effect::Notify(notice));
    }
}
