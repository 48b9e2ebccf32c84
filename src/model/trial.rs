//! Trials: notices that say that they are one, to find out whether a sink would take a page.

use super::{Change, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Severity};

/// From here on incidents are trials. No ledger counts up to it, and every JSON parser still keeps it exact.
const TRIALS: u64 = 1 << 42;

impl Notice {
    /// What a sink is told to try it: that a trial began, or that it is over, so that no pager stays open. `number` tells trials apart.
    #[must_use]
    pub fn of_trial(sink: &Name, severity: Severity, notice: NoticeId, number: u64, change: Change) -> Self {
        let summary = match change {
            Change::Resolved => format!("TEST, over: sink `{sink}` was tried"),
            Change::Opened | Change::Updated | Change::Reminder | Change::Acknowledged => {
                format!("TEST, nothing is wrong: sink `{sink}` is tried, and a page would arrive here; nothing needs to be done")
            }
        };
        Self {
            notice,
            incident: IncidentId(TRIALS.saturating_add(number)),
            change,
            kind: Kind::Blind,
            severity,
            culprit: Culprit::Watcher {},
            summary,
            evidence: serde_json::json!({ "test": sink.as_str() }),
        }
    }

    /// Whether it is one of a trial.
    #[must_use]
    pub const fn is_trial(&self) -> bool {
        self.incident.0 >= TRIALS
    }
}
