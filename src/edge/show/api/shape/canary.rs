//! Canaries.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::words::{Became, Placement};
use super::{Name, Time};
use crate::model::{CanaryId, Route, Span};
use crate::watchdog::CanaryView;

/// What a canary's id looks like, for the document.
pub(in crate::edge::show::api) const ID: &str = "^[0-9a-f]{16}$";

/// One page of a route's canaries.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Canaries {
    pub(in crate::edge::show) as_of: Time,
    /// The newest first.
    pub(in crate::edge::show) canaries: Vec<Canary>,
    /// The `cursor` of the next page; null: this is the last.
    pub(in crate::edge::show) next: Option<String>,
}

/// One test message.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Canary {
    canary: Id,
    provider: Name,
    stream: Name,
    inbox: Name,
    sent_at: Time,
    became: Became,
    /// From sending to the receiver's time of arrival, if it came.
    latency_seconds: Option<f64>,
    placement: Option<Placement>,
    /// Where it is, in a few words for people; `became` says it for programs.
    state: String,
}

/// Names a canary for ever.
#[derive(Debug)]
pub(super) struct Id(pub(super) CanaryId);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "CanaryId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": ID, "description": "Names a canary for ever.", "examples": ["00000007000001b2"] })
    }
}

impl Canary {
    pub(in crate::edge::show) fn new(route: &Route, canary: &CanaryView) -> Self {
        Self {
            canary: Id(canary.canary),
            provider: (&route.provider).into(),
            stream: (&route.stream).into(),
            inbox: (&route.inbox).into(),
            sent_at: canary.sent_at.into(),
            became: canary.became.into(),
            latency_seconds: canary.latency.map(Span::as_secs_f64),
            placement: canary.placement.map(Into::into),
            state: canary.state.clone(),
        }
    }
}
