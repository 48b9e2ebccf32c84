//! What every shape is made of: names and instants.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::{self, At};

/// What a [`Name`] looks like, for the document.
pub(in crate::edge::show::api) const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";

/// A name of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::edge::show) struct Name(model::Name);

impl Name {
    pub(in crate::edge::show) fn into_inner(self) -> model::Name {
        self.0
    }
}

impl From<&model::Name> for Name {
    fn from(name: &model::Name) -> Self {
        Self(name.clone())
    }
}

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": NAME, "description": "A name of the configuration.", "examples": ["mailchimp"] })
    }
}

/// An instant, in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::edge::show) struct Time(At);

impl From<At> for Time {
    fn from(at: At) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "date-time", "description": "An instant, in UTC, to the millisecond (RFC 3339).",
            "examples": ["2022-08-08T19:30:00.000Z"],
        })
    }
}

/// An instant, if there is one.
pub(super) fn time(at: Option<At>) -> Option<Time> {
    at.map(Time)
}
