//! An incident over its whole life, gathered from its notices: those of hindsight, and those that were really told.

use serde::{Serialize, Serializer};

use crate::model::{At, Change, Culprit, IncidentId, Kind, Notice, Route, Severity};

/// An instant that is printed as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub At);

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An incident.
#[derive(Clone, Debug, Serialize)]
pub struct Outage {
    /// Its number: of the ledger if it was told then, from 1 otherwise.
    pub incident: IncidentId,
    /// When it was opened.
    pub since: When,
    /// When it was resolved; `None`: it was open at the end.
    pub until: Option<When>,
    /// What it was called last.
    pub kind: Kind,
    /// How loud it became.
    pub severity: Severity,
    /// Who was blamed last.
    pub culprit: Culprit,
    /// How certain that was.
    pub certainty: Option<f64>,
    /// When the first canary was sent that had not arrived.
    pub first_bad: Option<When>,
    /// When somebody was paged, or would have been.
    pub paged_at: Option<When>,
    /// From the first bad canary until it was opened.
    pub opened_after_secs: Option<f64>,
    /// The last sentence before it was over.
    pub summary: String,
    /// What was really told of the same failure.
    pub told_then: Option<Then>,
    /// When other rules cried over the same routes.
    pub others: Vec<Mark>,
}

/// What was really told of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Then {
    /// Its number in the ledger.
    pub incident: IncidentId,
    /// When it was opened then.
    pub since: When,
    /// How much later than in hindsight that was; negative: sooner.
    pub later_by_secs: f64,
}

/// When another rule cried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Which.
    pub rule: String,
    /// When; `None`: not while it lasted.
    pub at: Option<When>,
    /// From the first bad canary.
    pub after_secs: Option<f64>,
}

impl Outage {
    /// When the failure can have begun.
    pub(super) fn began(&self) -> At {
        self.first_bad.map_or(self.since.0, |at| at.0.min(self.since.0))
    }

    /// When it was over, `end` at the latest.
    pub(super) fn ended(&self, end: At) -> At {
        self.until.map_or(end, |at| at.0)
    }

    /// Whether both were open at one time, and about a route in common.
    pub(super) fn meets(&self, other: &Self, routes: &[Route], end: At) -> bool {
        let together = self.began() <= other.ended(end) && other.began() <= self.ended(end);
        let both = |r: &Route| self.culprit.covers(r) && other.culprit.covers(r);
        together && self.kind.is_delivery() == other.kind.is_delivery() && routes.iter().any(both)
    }
}

/// All incidents, in the order of opening.
#[derive(Debug, Default)]
pub(super) struct Outages(pub(super) Vec<Outage>);

impl Outages {
    /// Takes one notice in. An incident that was opened before the first record begins with what is heard of it first.
    pub(super) fn take(&mut self, at: At, notice: &Notice) {
        let known = self.0.iter_mut().rev().find(|o| o.incident == notice.incident);
        let first_bad = notice.evidence.get("since").and_then(|since| At::from_rfc3339(since.as_str()?)).map(When);
        let certainty = notice.evidence.get("certainty").and_then(serde_json::Value::as_f64);
        let paged_at = (notice.severity == Severity::Page && notice.change != Change::Resolved).then_some(When(at));
        let until = (notice.change == Change::Resolved).then_some(When(at));
        let Some(known) = known else {
            self.0.push(Outage {
                incident: notice.incident,
                since: When(at),
                until,
                kind: notice.kind,
                severity: notice.severity,
                culprit: notice.culprit.clone(),
                certainty,
                first_bad,
                paged_at,
                opened_after_secs: first_bad.map(|bad| at.since(bad.0).as_secs_f64()),
                summary: notice.summary.clone(),
                told_then: None,
                others: Vec::new(),
            });
            return;
        };
        known.paged_at = known.paged_at.or(paged_at);
        known.until = until;
        if until.is_none() {
            (known.kind, known.severity, known.certainty) = (notice.kind, notice.severity, certainty);
            known.culprit.clone_from(&notice.culprit);
            known.summary.clone_from(&notice.summary);
        }
    }
}
