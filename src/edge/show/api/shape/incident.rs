//! Incidents.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::word::time;
use super::words::Change;
use super::{Kind, Name, Severity, Time};
use crate::model;
use crate::watchdog::{IncidentView, View};

/// One page of incidents.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Incidents {
    pub(in crate::edge::show) as_of: Time,
    /// The newest first: those that are open, and those that ended lately.
    pub(in crate::edge::show) incidents: Vec<Incident>,
    /// The `cursor` of the next page; null: this is the last.
    pub(in crate::edge::show) next: Option<String>,
}

/// One failure of one culprit, from the first bad canary to recovery.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Incident {
    /// Its number; 0 stands for the ledger itself.
    pub(in crate::edge::show) incident: u64,
    kind: Kind,
    severity: Severity,
    culprit: Culprit,
    /// When what it is about began, as far as is known: with the first bad canary, before it was opened.
    since: Time,
    opened_at: Time,
    /// When it ended; null: it is open.
    pub(in crate::edge::show) resolved_at: Option<Time>,
    /// How long it lasted, or has lasted until now, since it began.
    age_seconds: f64,
    /// What is known of it now, in one sentence; of one that is over, as it was told last.
    summary: String,
    /// The proof as it is now: since when, how many of how many, the provider's own words. Its fields depend on the kind.
    #[schemars(with = "serde_json::Map<String, Value>")]
    evidence: Value,
    /// What was told of it last, as it was then.
    last: Notice,
    /// Who has seen it.
    pub(in crate::edge::show) acknowledged: Option<Word>,
    /// Who has seen it, too, since then: the last few.
    also: Vec<Word>,
    /// Who said that it is over.
    closed: Option<Word>,
    /// It is open, and mail arrives again: it is kept open because it came and went before.
    delivers: bool,
    /// Until when nobody is told of it; null: it is not silenced.
    silenced_until: Option<Time>,
}

/// One message about an incident.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Notice {
    notice: u64,
    incident: u64,
    change: Change,
    kind: Kind,
    severity: Severity,
    culprit: Culprit,
    /// One sentence.
    summary: String,
    /// The proof: since when, how many of how many, the provider's own words. Its fields depend on the kind.
    #[schemars(with = "serde_json::Map<String, Value>")]
    evidence: Value,
}

/// Whose failure it is: an object with exactly one key.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::edge::show) enum Culprit {
    /// A provider, everywhere.
    Provider(Name),
    /// One stream of a provider.
    Stream(Name, Name),
    /// An inbox, for everyone.
    Inbox(Name),
    /// What one provider sends to one inbox, whatever the stream: provider, inbox.
    Path(Name, Name),
    /// One route: provider, stream, inbox.
    Route(Name, Name, Name),
    /// The watcher itself, or a cause common to everything.
    Watcher {},
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Word {
    at: Time,
    by: String,
    note: Option<String>,
}

impl Incident {
    pub(in crate::edge::show) fn new(incident: &IncidentView, view: &View) -> Self {
        let word = |word: &crate::watchdog::Word| Word { at: word.at.into(), by: word.by.clone(), note: word.note.clone() };
        Self {
            incident: incident.incident.0,
            kind: incident.kind.into(),
            severity: incident.severity.into(),
            culprit: (&incident.culprit).into(),
            since: incident.since().into(),
            opened_at: incident.opened_at.into(),
            resolved_at: time(incident.resolved_at),
            age_seconds: incident.age(view.at).as_secs_f64(),
            summary: incident.summary().to_owned(),
            evidence: incident.evidence().clone(),
            last: Notice::new(&incident.last),
            acknowledged: incident.acknowledged.as_ref().map(word),
            also: incident.also.iter().map(word).collect(),
            closed: incident.closed.as_ref().map(word),
            delivers: incident.delivers,
            silenced_until: time(incident.silenced_until),
        }
    }
}

impl Notice {
    pub(super) fn new(notice: &model::Notice) -> Self {
        Self {
            notice: notice.notice.0,
            incident: notice.incident.0,
            change: notice.change.into(),
            kind: notice.kind.into(),
            severity: notice.severity.into(),
            culprit: (&notice.culprit).into(),
            summary: notice.summary.clone(),
            evidence: notice.evidence.clone(),
        }
    }
}

impl From<&model::Culprit> for Culprit {
    fn from(culprit: &model::Culprit) -> Self {
        match culprit {
            model::Culprit::Provider(p) => Self::Provider(p.into()),
            model::Culprit::Stream(p, s) => Self::Stream(p.into(), s.into()),
            model::Culprit::Inbox(i) => Self::Inbox(i.into()),
            model::Culprit::Path(p, i) => Self::Path(p.into(), i.into()),
            model::Culprit::Route(p, s, i) => Self::Route(p.into(), s.into(), i.into()),
            model::Culprit::Watcher {} => Self::Watcher {},
        }
    }
}
