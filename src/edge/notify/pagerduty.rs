//! PagerDuty, Events API v2: one alert an incident, by its `dedup_key`.
//!
//! Answered with 202 it is taken and not yet a page: what PagerDuty makes of it is not told. An alert that is open already is not opened
//! again, and while it is acknowledged nobody is called.

use futures::future::BoxFuture;
use reqwest::Url;
use serde_json::{Map, Value, json};

use super::caller::{Answer, Caller};
use super::fit::{self, Unit};
use super::page::{Page, Pages};
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::{PagerDutySettings, Secret};
use crate::model::{At, Change, Severity, Span};

/// One service.
#[derive(Debug)]
pub(super) struct PagerDuty {
    caller: Caller,
    url: Url,
    key: Secret,
    pages: Pages,
}

impl PagerDuty {
    pub(super) fn new(settings: &PagerDutySettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let key = tools.secret(&settings.routing_key)?;
        let caller = Caller::new(tools.http()?, &[key.expose()]);
        let url = tools.url(&format!("{}/v2/enqueue", settings.base_url))?;
        Ok(Self { caller, url, key, pages: tools.pages.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let body = event(&self.pages.page(out), self.key.expose());
        match self.caller.send(self.caller.post(self.url.clone(), &body)).await {
            Ok(answer) => self.read(&answer, now),
            Err(attempt) => attempt,
        }
    }

    fn read(&self, answer: &Answer, now: At) -> Attempt {
        let json = answer.json();
        let status = json.get("status").and_then(Value::as_str).unwrap_or_default();
        if answer.status.is_success() && status != "success" {
            let why = format!("answered {}, and not that it was taken", answer.status.as_u16());
            return Attempt::Retry { after: None, why, unclear: true };
        }
        let errors = json.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let said: Vec<&str> = json.get("message").and_then(Value::as_str).into_iter().chain(errors).take(5).collect();
        let attempt = self.caller.judge(answer, &said.join("; "), now);
        // Its advice: 30 s apart.
        let advice = (answer.status.as_u16() == 429).then_some(Span::from_secs(30));
        let wait = attempt.wait().or(advice);
        attempt.after(wait)
    }
}

impl Channel for PagerDuty {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// 120 a minute for each key.
    fn rate(&self) -> Rate {
        Rate { burst: 30, every: Span::from_ms(600) }
    }

    fn mutes(&self) -> bool {
        true
    }
}

/// The event for `page`. Plain text throughout; what looks like a link is none.
fn event(page: &Page, key: &str) -> Value {
    let dedup = fit::key(&page.alert, 255);
    if page.is_over() {
        return json!({ "routing_key": key, "event_action": "resolve", "dedup_key": dedup });
    }
    if page.change == Change::Acknowledged {
        return json!({ "routing_key": key, "event_action": "acknowledge", "dedup_key": dedup });
    }
    let severity = match page.severity {
        Severity::Page => "critical",
        Severity::Warn => "warning",
        Severity::Info => "info",
    };
    let mut details = Map::new();
    details.insert("Text".to_owned(), json!(fit::inert(&page.text)));
    details.extend(page.facts.iter().map(|fact| (fact.name.to_owned(), json!(fit::inert(&fact.value)))));
    let mut event = json!({
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": dedup,
        "client": "mailcanary",
        "payload": {
            "summary": fit::within(&fit::inert(&page.line()), 1024, Unit::Char),
            "source": page.instance,
            "severity": severity,
            "timestamp": page.at.rfc3339(),
            "component": page.culprit,
            "class": page.kind.as_str(),
            "custom_details": details,
        },
    });
    if let (Some(link), Some(object)) = (&page.link, event.as_object_mut()) {
        object.insert("client_url".to_owned(), json!(link));
        let incident = json!({ "href": link, "text": "The incident, with all its evidence" });
        let runbook = page.runbook.iter().map(|runbook| json!({ "href": runbook, "text": "Runbook: what to do first" }));
        object.insert("links".to_owned(), std::iter::once(incident).chain(runbook).collect());
    }
    event
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn one_incident_is_one_alert() {
        let pages = nasty::pages();
        let opened = event(&pages.page(&nasty::opened()), "key");
        assert_eq!(opened["dedup_key"], "mailcanary/test.example/3");
        assert_eq!((&opened["event_action"], &opened["payload"]["severity"]), (&json!("trigger"), &json!("critical")));
        assert_eq!(opened["links"][0]["href"], "https://canary.example/incidents/3");
        let seen = event(&pages.page(&nasty::out(Change::Acknowledged, "acknowledged by ann")), "key");
        assert_eq!(seen, json!({ "routing_key": "key", "event_action": "acknowledge", "dedup_key": "mailcanary/test.example/3" }));
        let over = event(&pages.page(&nasty::out(Change::Resolved, "over")), "key");
        assert_eq!(over, json!({ "routing_key": "key", "event_action": "resolve", "dedup_key": "mailcanary/test.example/3" }));
    }

    #[test]
    fn nasty_texts_stay_texts_and_within_the_limits() {
        for out in nasty::all() {
            let event = event(&nasty::pages().page(&out), "key");
            nasty::texts(&event).into_iter().for_each(nasty::assert_plain);
            assert!(event.to_string().len() < 512 * 1024);
            let summary = event["payload"]["summary"].as_str().unwrap_or_default();
            assert!(summary.chars().count() <= 1024 && !summary.contains("https://"), "{summary}");
        }
    }
}
