//! The keys of heartbeats.

use super::general::{DAY, SECOND};
use super::senders::{base_url, secret};
use super::{Key, Kind, Need};

/// What all kinds have.
pub(super) static BEAT: &[Key] = &[Key {
    name: "every",
    // healthchecks.io takes five pings a minute.
    kind: Kind::Duration(15 * SECOND, DAY),
    need: Need::Default("\"1m\""),
    example: "\"1m\"",
    doc: "The time between two beats, from 15s to 1d. Let the other side wait for twice as long and some minutes before it calls somebody, so that an upgrade does not.",
}];

pub(super) static HEALTHCHECKS: &[Key] = &[secret(
    "url",
    "{ credential = \"ping-url\" }",
    "Where the check's ping URL is, as https://hc-ping.com/UUID. Whoever knows it may say that all is well.",
)];

pub(super) static KUMA: &[Key] = &[secret(
    "url",
    "{ credential = \"kuma-url\" }",
    "Where the monitor's push URL is. What stands in it as `status`, `msg` and `ping` is replaced.",
)];

pub(super) static OPSGENIE_BEAT: &[Key] = &[
    Key { name: "heartbeat", kind: Kind::Label, need: Need::Required, example: "\"mailcanary\"", doc: "The heartbeat's name there." },
    secret("api_key", "{ credential = \"opsgenie\" }", "The key of an integration of the kind API."),
    base_url("\"https://api.opsgenie.com\""),
];

pub(super) static ONCALL: &[Key] = &[secret(
    "url",
    "{ credential = \"oncall-url\" }",
    "Where the integration's URL is. `heartbeat/` is put at its end, unless it stands there.",
)];

pub(super) static ALERTMANAGER_BEAT: &[Key] = &[Key {
    name: "urls",
    kind: Kind::Urls,
    need: Need::Required,
    example: "[\"http://127.0.0.1:9093\"]",
    doc: "Every instance of the cluster. `http://` only on loopback.",
}];
