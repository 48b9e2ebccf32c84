//! The incident that stands in no ledger: about the ledger itself, which cannot take it.
//!
//! It is told to the sinks directly. What was told and is not over is kept on a slate beside the ledger, so that a later life ends it.

use std::collections::BTreeMap;

use super::book::chain;
use crate::edge::notify::Outgoing;
use crate::ledger::Slate;
use crate::model::{At, Change, Culprit, IncidentId, Kind, Notice, NoticeId, Severity};
use crate::watchdog::IncidentView;

/// The number of the incident that stands for the ledger itself.
pub(super) const LEDGER: IncidentId = IncidentId(0);
/// From here on notices have numbers that no ledger counts up to, and that every JSON parser still keeps exact.
const UNRECORDED: u64 = 1 << 40;

/// Whether a notice stands in no ledger. They are numbered by the milliseconds of their time; those in the ledger count from 1.
pub(super) const fn is_unrecorded(notice: NoticeId) -> bool {
    notice.0 > UNRECORDED
}

/// What went wrong.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) incident: IncidentId,
    pub(super) severity: Severity,
    pub(super) summary: String,
    pub(super) evidence: serde_json::Value,
}

/// What was told and is not over.
#[derive(Debug)]
pub(super) struct Standing {
    slate: Slate,
    open: BTreeMap<IncidentId, IncidentView>,
    last_notice: u64,
}

impl Standing {
    /// As the last life left it. `slate` and `text` are what [`Slate::open`] gave.
    pub(super) fn new(slate: Slate, text: &str) -> Self {
        let views: Vec<IncidentView> = match text.trim() {
            "" => Vec::new(),
            text => serde_json::from_str(text).unwrap_or_else(|error| {
                tracing::warn!(%error, "what was told of the ledger cannot be read; it may stay open where it was told");
                Vec::new()
            }),
        };
        Self { slate, open: views.into_iter().map(|view| (view.incident, view)).collect(), last_notice: 0 }
    }

    /// All that is open.
    pub(super) fn views(&self) -> impl Iterator<Item = &IncidentView> {
        self.open.values()
    }

    /// Takes in that there is trouble; what to tell of it, unless that was told already.
    pub(super) fn opened(&mut self, trouble: Trouble, now: At) -> Option<Outgoing> {
        if self.open.contains_key(&trouble.incident) {
            return None;
        }
        let Trouble { incident, severity, summary, evidence } = trouble;
        let (kind, culprit) = (Kind::Blind, Culprit::Watcher {});
        let last = Notice {
            notice: self.number(now),
            incident,
            change: Change::Opened,
            kind,
            severity,
            culprit: culprit.clone(),
            summary,
            evidence,
        };
        let view = IncidentView {
            incident,
            kind,
            severity,
            culprit,
            opened_at: now,
            resolved_at: None,
            last: last.clone(),
            present: None,
            acknowledged: None,
            also: Vec::new(),
            closed: None,
            delivers: false,
            silenced_until: None,
        };
        self.open.insert(incident, view);
        self.keep();
        Some(Outgoing { notice: last.into(), opened_at: now, at: now, perhaps_told: false })
    }

    /// Takes in that it is over; what to tell of that, if it was told that it began.
    pub(super) fn over(&mut self, incident: IncidentId, summary: &str, now: At) -> Option<Outgoing> {
        let view = self.open.remove(&incident)?;
        self.keep();
        let notice = Notice { notice: self.number(now), change: Change::Resolved, summary: summary.to_owned(), ..view.last };
        Some(Outgoing { notice: notice.into(), opened_at: view.opened_at, at: now, perhaps_told: false })
    }

    fn number(&mut self, now: At) -> NoticeId {
        let by_time = u64::try_from(now.as_ms()).unwrap_or(0);
        self.last_notice = by_time.max(self.last_notice.saturating_add(1));
        NoticeId(self.last_notice)
    }

    /// A failure means only that the next life may not know of it.
    fn keep(&self) {
        let views: Vec<&IncidentView> = self.open.values().collect();
        // Plain data with string keys: it has a text.
        let text = serde_json::to_string(&views).unwrap_or_default();
        if let Err(error) = self.slate.write(&text) {
            tracing::warn!(error = %chain(&error), "what was told of the ledger could not be kept");
        }
    }
}
