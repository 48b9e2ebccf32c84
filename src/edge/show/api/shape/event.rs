//! What changes.

use schemars::JsonSchema;
use serde::Serialize;

use super::incident::Culprit;
use super::{Incident, Time, Verdict};

/// What has changed behind an event, for who asks again and again instead of listening.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Events {
    pub(in crate::edge::show) as_of: Time,
    /// Give it as `after` the next time.
    pub(in crate::edge::show) last: String,
    /// What `after` names is not remembered any more: read everything anew, and go on from here.
    pub(in crate::edge::show) gone: bool,
    pub(in crate::edge::show) events: Vec<Numbered>,
}

/// An event with its id.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Numbered {
    pub(in crate::edge::show) id: String,
    #[serde(flatten)]
    pub(in crate::edge::show) event: Event,
}

/// One change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub(in crate::edge::show) enum Event {
    /// Something is doing otherwise.
    Verdict(Judged),
    /// Something has happened to an incident.
    Incident(Box<Happened>),
}

/// A verdict that has changed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Judged {
    pub(in crate::edge::show) as_of: Time,
    /// Whose.
    pub(in crate::edge::show) of: Culprit,
    pub(in crate::edge::show) was: Verdict,
    pub(in crate::edge::show) is: Verdict,
    /// Why we think so: one sentence.
    pub(in crate::edge::show) reason: String,
}

/// An incident that has changed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Happened {
    pub(in crate::edge::show) as_of: Time,
    pub(in crate::edge::show) change: What,
    /// As it is now.
    pub(in crate::edge::show) incident: Incident,
}

/// What has happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::edge::show) enum What {
    Opened,
    Updated,
    Acknowledged,
    Resolved,
}

impl Event {
    /// Its name, and its data as JSON.
    pub(in crate::edge::show) fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Verdict(judged) => ("verdict", serde_json::to_string(judged).unwrap_or_default()),
            Self::Incident(happened) => ("incident", serde_json::to_string(happened).unwrap_or_default()),
        }
    }
}
