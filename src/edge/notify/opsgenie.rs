//! Opsgenie, and Jira Service Management by the same API: one alert an incident, by its `alias`.
//!
//! Answered with 202 a request is queued and nothing more, so it is asked what became of it.

use futures::future::BoxFuture;
use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Url};
use serde_json::{Map, Value, json};
use tokio::time::{Duration, Instant, sleep_until};

use super::caller::{Answer, Caller};
use super::fit::{self, Unit};
use super::page::{Page, Pages};
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::{Secret, SecretRef};
use crate::model::{At, Change, Severity, Span};

/// A request is usually done within a second; who still does not know after these waits is not asked again.
const WAITS: [Duration; 4] = [Duration::from_millis(200), Duration::from_millis(800), Duration::from_secs(2), Duration::from_secs(4)];

/// One integration.
#[derive(Debug)]
pub(super) struct Opsgenie {
    caller: Caller,
    base: Url,
    key: Secret,
    pages: Pages,
}

impl Opsgenie {
    pub(super) fn new(key: &SecretRef, base_url: &str, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let key = tools.secret(key)?;
        let caller = Caller::new(tools.http()?, &[key.expose()]);
        Ok(Self { caller, base: tools.url(&format!("{base_url}/v2/alerts"))?, key, pages: tools.pages.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let page = self.pages.page(out);
        // What there is nothing open of need not be closed, nor be acknowledged.
        let changes = page.is_over() || page.change == Change::Acknowledged;
        let request = if changes {
            let mut url = self.below(&[&alias(&page), if page.is_over() { "close" } else { "acknowledge" }]);
            url.set_query(Some("identifierType=alias"));
            self.caller.post(url, &json!({ "source": page.instance, "note": note(&page) }))
        } else {
            self.caller.post(self.base.clone(), &alert(&page))
        };
        let answer = match self.authorised(request).await {
            Ok(answer) => answer,
            Err(attempt) => return attempt,
        };
        let json = answer.json();
        // Nothing is open under this alias: it is as closed as it can be.
        if changes && answer.status.as_u16() == 404 && json.get("requestId").is_some() {
            return Attempt::Delivered;
        }
        let said = json.get("message").and_then(Value::as_str).unwrap_or_default();
        let attempt = self.caller.judge(&answer, said, now);
        match json.get("requestId").and_then(Value::as_str) {
            Some(request) if attempt == Attempt::Delivered => self.ask(request, changes).await,
            _ => attempt,
        }
    }

    /// What became of a request that was queued.
    async fn ask(&self, request: &str, over: bool) -> Attempt {
        let url = self.below(&["requests", request]);
        for wait in WAITS {
            sleep_until(Instant::now() + wait).await;
            let Ok(answer) = self.authorised(self.caller.get(url.clone())).await else { continue };
            let json = answer.json();
            let data = json.get("data").unwrap_or(&Value::Null);
            match data.get("success").and_then(Value::as_bool).filter(|_| answer.status.is_success()) {
                Some(true) => return Attempt::Delivered,
                // Nothing was open.
                Some(false) if over => return Attempt::Delivered,
                Some(false) => {
                    let status = data.get("status").and_then(Value::as_str).unwrap_or("it does not say why");
                    let why = format!("taken, and then not done: {}", fit::line(&self.caller.scrubbed(status), 200));
                    return Attempt::Doubtful { why };
                }
                None => {}
            }
        }
        // It was taken, and who knows the alias will not page twice: more cannot be known.
        Attempt::Delivered
    }

    async fn authorised(&self, request: RequestBuilder) -> Result<Answer, Attempt> {
        self.caller.send(request.header(AUTHORIZATION, format!("GenieKey {}", self.key.expose()))).await
    }

    fn below(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        url
    }
}

impl Channel for Opsgenie {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// Limits follow the plan; the smallest is some dozens a minute.
    fn rate(&self) -> Rate {
        Rate { burst: 10, every: Span::from_secs(1) }
    }

    fn mutes(&self) -> bool {
        true
    }
}

/// A path's segment too, so without slashes.
fn alias(page: &Page) -> String {
    fit::key(&page.alert.replace('/', ":"), 512)
}

fn note(page: &Page) -> String {
    fit::within(&tame(&page.body()), 10_000, Unit::Char)
}

/// Descriptions may hold a little HTML, and links come alive.
fn tame(text: &str) -> String {
    let plain = fit::escaped(text, usize::MAX, Unit::Char, |c| match c {
        '<' => Some("‹"),
        '>' => Some("›"),
        _ => None,
    });
    fit::inert(&plain)
}

fn alert(page: &Page) -> Value {
    let priority = match page.severity {
        Severity::Page => "P1",
        Severity::Warn => "P3",
        Severity::Info => "P5",
    };
    let link = page.links();
    let room = 15_000_usize.saturating_sub(link.chars().count());
    let mut details = Map::new();
    details.extend(page.facts.iter().map(|fact| (fact.name.to_owned(), json!(tame(&fact.value)))));
    details.extend(page.link.iter().map(|link| ("Incident".to_owned(), json!(link))));
    json!({
        "message": fit::within(&tame(&page.title), 130, Unit::Char),
        "alias": alias(page),
        "description": fit::within(&tame(&page.body()), room, Unit::Char) + &link,
        "priority": priority,
        "tags": ["mailcanary", page.kind.as_str()],
        "details": details,
        "entity": page.culprit,
        "source": page.instance,
    })
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn nasty_texts_stay_texts_and_within_the_limits() {
        for out in nasty::all() {
            let page = nasty::pages().page(&out);
            let alert = alert(&page);
            let long = |name: &str| alert[name].as_str().unwrap().chars().count();
            assert!(long("message") <= 130 && long("description") <= 15_000 && long("alias") <= 512);
            assert!(!long("alias").to_string().contains('/'));
            for text in nasty::texts(&alert).into_iter().chain([note(&page).as_str()]) {
                nasty::assert_plain(text);
                assert!(!text.contains('<') && !text.contains("https://evil"), "{text}");
            }
        }
    }
}
