//! PagerDuty, Opsgenie and Grafana OnCall, as their documents describe them: what is not documented is complained of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::service::{Asked, Told};

/// A routing key has 32 characters.
pub const ROUTING_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub const GENIE_KEY: &str = "eb243592-faa2-4ba2-a551q-1afdf565c889";
pub const GRAFANA_PATH: &str = "/integrations/v1/formatted_webhook/T0P-S3CRET-oncall/";

/// The incidents of a PagerDuty service, by `dedup_key`.
#[derive(Debug, Default)]
pub struct PagerDuty {
    pub open: BTreeMap<String, Value>,
    /// How many times somebody was called.
    pub pages: usize,
    pub log: usize,
}

pub fn pagerduty(service: &mut PagerDuty, asked: &Asked) -> Told {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v2/enqueue"));
    assert!(!asked.headers.contains_key("authorization"), "there is no such header");
    assert!(asked.body.len() <= 512 * 1024);
    let event = asked.json();
    let invalid = |why: &str| Told::json(400, &json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [why] }));
    if event["routing_key"].as_str().is_none_or(|key| key.len() != 32) {
        return invalid("'routing_key' is missing or wrong");
    }
    let key = event["dedup_key"].as_str().unwrap().to_owned();
    assert!(key.len() <= 255);
    match event["event_action"].as_str().unwrap() {
        "trigger" => {
            let payload = &event["payload"];
            let (Some(summary), Some(_)) = (payload["summary"].as_str(), payload["source"].as_str()) else { return invalid("summary") };
            if summary.is_empty() || summary.chars().count() > 1024 {
                return invalid("'payload.summary' is too long");
            }
            if !["critical", "error", "warning", "info"].contains(&payload["severity"].as_str().unwrap_or_default()) {
                return invalid("'payload.severity' is invalid");
            }
            assert!(payload["custom_details"].is_object());
            service.log += 1;
            if service.open.insert(key.clone(), event).is_none() {
                service.pages += 1;
            }
        }
        "resolve" => {
            assert!(event.get("payload").is_none());
            service.open.remove(&key);
        }
        other => return invalid(other),
    }
    Told::json(202, &json!({ "status": "success", "message": "Event processed", "dedup_key": key }))
}

/// The alerts of an Opsgenie account, by alias.
#[derive(Debug, Default)]
pub struct Opsgenie {
    pub open: BTreeMap<String, Value>,
    pub created: usize,
    requests: BTreeMap<String, (bool, String)>,
    looked: BTreeSet<String>,
    /// Whether requests are taken and then come to nothing.
    pub broken: bool,
}

pub fn opsgenie(service: &mut Opsgenie, asked: &Asked) -> Told {
    if asked.header("authorization") != format!("GenieKey {GENIE_KEY}") {
        return Told::json(403, &json!({ "message": "You are not authorized", "took": 0.0, "requestId": "r0" }));
    }
    let path = asked.path.strip_prefix("/jsm/ops/integration").unwrap_or(&asked.path);
    let request = format!("req-{}", service.requests.len());
    let (done, status) = match (asked.method.as_str(), path) {
        ("GET", path) => {
            let request = path.strip_prefix("/v2/alerts/requests/").unwrap();
            // Not known yet, when it is first asked for.
            if service.looked.insert(request.to_owned()) {
                return Told::json(
                    404,
                    &json!({ "message": "Request not found. It might not be processed, yet.", "took": 0.1, "requestId": "r" }),
                );
            }
            let (success, status) = &service.requests[request];
            let data = json!({ "success": success, "isSuccess": success, "status": status, "alertId": "a" });
            return Told::json(200, &json!({ "data": data, "took": 0.1, "requestId": "r" }));
        }
        ("POST", "/v2/alerts") => {
            let alert = asked.json();
            let long = |name: &str| alert[name].as_str().unwrap_or_default().chars().count();
            assert!(long("message") > 0 && long("message") <= 130 && long("alias") <= 512 && long("description") <= 15_000);
            assert!(["P1", "P2", "P3", "P4", "P5"].contains(&alert["priority"].as_str().unwrap()));
            assert!(alert["details"].as_object().unwrap().values().all(Value::is_string));
            if !service.broken && service.open.insert(alert["alias"].as_str().unwrap().to_owned(), alert).is_none() {
                service.created += 1;
            }
            if service.broken { (false, "Alert creation failed: team not found") } else { (true, "Created alert") }
        }
        ("POST", path) => {
            let alias = path.strip_prefix("/v2/alerts/").unwrap().strip_suffix("/close").unwrap();
            assert_eq!(asked.query, "identifierType=alias");
            let alias = alias.replace("%3A", ":");
            if service.open.remove(&alias).is_some() { (true, "Closed alert") } else { (false, "Alert does not exist") }
        }
        other => panic!("{other:?}"),
    };
    service.requests.insert(request.clone(), (done, status.to_owned()));
    Told::json(202, &json!({ "result": "Request will be processed", "took": 0.302, "requestId": request }))
}

/// Alert groups of an integration, by `alert_uid`.
#[derive(Debug, Default)]
pub struct Grafana {
    pub groups: BTreeMap<String, Value>,
}

pub fn grafana(service: &mut Grafana, asked: &Asked) -> Told {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", GRAFANA_PATH));
    let alert = asked.json();
    assert!(["alerting", "ok"].contains(&alert["state"].as_str().unwrap()));
    assert!(alert["title"].is_string() && alert["message"].is_string());
    service.groups.insert(alert["alert_uid"].as_str().unwrap().to_owned(), alert);
    Told::text(200, "Ok.")
}
