//! Who watches watchdogs: healthchecks.io, Uptime Kuma, Opsgenie heartbeats and Grafana OnCall, as their documents describe them.

use std::collections::BTreeMap;

use serde_json::json;

use super::service::{Asked, Told};

pub const CHECK: &str = "/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";
pub const PUSH: &str = "/api/push/T0P-S3CRET";
pub const GENIE_KEY: &str = "eb243592-faa2-4ba2-a551q-1afdf565c889";
pub const INTEGRATION: &str = "/integrations/v1/formatted_webhook/T0P-S3CRET";

/// What each kind of watcher was told last, and how often.
#[derive(Debug, Default)]
pub struct Watchers {
    pub beats: usize,
    pub last: BTreeMap<&'static str, String>,
}

/// All four on one port: their paths do not meet.
pub fn watchers(state: &mut Watchers, asked: &Asked) -> Told {
    let (kind, said, told) = match (asked.method.as_str(), asked.path.as_str()) {
        ("GET" | "HEAD" | "POST", CHECK) => {
            assert!(asked.body.len() <= 100_000 && asked.query.is_empty());
            ("healthchecks", String::from_utf8(asked.body.clone()).unwrap(), Told::text(200, "OK").with("ping-body-limit", "100000"))
        }
        ("GET", PUSH) => {
            let pairs: BTreeMap<_, _> = url::form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
            assert_eq!(pairs["status"], "up");
            assert!(pairs["ping"].parse::<f64>().is_ok() && !pairs["msg"].is_empty(), "{pairs:?}");
            ("kuma", asked.query.clone(), Told::json(200, &json!({ "ok": true })))
        }
        ("GET", path) if path.starts_with("/api/push/") => {
            return Told::json(404, &json!({ "ok": false, "msg": "Monitor not found or not active." }));
        }
        ("GET", "/v2/heartbeats/mail%2Fcanary/ping") => {
            if asked.header("authorization") != format!("GenieKey {GENIE_KEY}") {
                return Told::json(401, &json!({ "message": "Could not authenticate", "took": 0.0, "requestId": "r0" }));
            }
            let pong = json!({ "result": "PONG - Heartbeat received", "took": 0.028, "requestId": "r1" });
            ("opsgenie", String::new(), Told::json(202, &pong))
        }
        ("GET" | "POST", path) if path.strip_prefix(INTEGRATION) == Some("/heartbeat/") => ("oncall", String::new(), Told::text(200, "")),
        // To the integration itself it would be an alert.
        (method, path) => panic!("{method} {path}"),
    };
    state.beats += 1;
    state.last.insert(kind, said);
    told
}
