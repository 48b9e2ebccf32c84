//! ntfy: push messages to phones. As JSON to the server's root, so that no header needs an encoding and the topic is in no log of URLs.

use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::fit::{self, Unit};
use super::page::{Page, Pages};
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::{NtfySettings, Secret};
use crate::model::{At, Severity, Span};

/// A longer message becomes an attachment.
const MESSAGE: usize = 4000;

/// One topic.
#[derive(Debug)]
pub(super) struct Ntfy {
    caller: Caller,
    url: Url,
    topic: Secret,
    token: Option<Secret>,
    pages: Pages,
}

impl Ntfy {
    pub(super) fn new(settings: &NtfySettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let topic = tools.secret(&settings.topic)?;
        let token = settings.token.as_ref().map(|at| tools.secret(at)).transpose()?;
        let caller = Caller::new(tools.http()?, &[topic.expose(), token.as_ref().map_or("", Secret::expose)]).patient();
        Ok(Self { caller, url: tools.url(&settings.base_url)?, topic, token, pages: tools.pages.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let mut request = self.caller.post(self.url.clone(), &message(&self.pages.page(out), self.topic.expose()));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        match self.caller.send(request).await {
            Ok(answer) => self.read(&answer, now),
            Err(attempt) => attempt,
        }
    }

    fn read(&self, answer: &Answer, now: At) -> Attempt {
        let json = answer.json();
        let said = json.get("error").and_then(Value::as_str).unwrap_or_default();
        let attempt = self.caller.judge(answer, said, now);
        let code = json.get("code").and_then(Value::as_u64).unwrap_or_default();
        if attempt == Attempt::Delivered && json.get("id").is_none() {
            let why = "answered 200, and not as an ntfy server does".to_owned();
            return Attempt::Retry { after: None, why, unclear: true };
        }
        match (answer.status.as_u16(), attempt) {
            // A UnifiedPush topic without a subscriber, and no full disk.
            (507, attempt) => Attempt::Doubtful { why: attempt.why().unwrap_or_default().to_owned() },
            // 42901 is the bucket, of which one comes back every 5 s; the others are of the day.
            (429, attempt) => {
                let wait = attempt.wait().unwrap_or(if code == 42_901 { Span::from_secs(5) } else { Span::from_secs(600) });
                attempt.after(Some(wait))
            }
            (_, attempt) => attempt,
        }
    }
}

impl Channel for Ntfy {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// A bucket of 60, of which one comes back every 5 s; others use it too.
    fn rate(&self) -> Rate {
        Rate { burst: 20, every: Span::from_secs(5) }
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}

/// Without `markdown` all is plain text; apps make links of what looks like one.
fn message(page: &Page, topic: &str) -> Value {
    let (priority, tag) = match page.severity {
        // A phone stays silent below 3.
        Severity::Info if page.is_over() => (2, "white_check_mark"),
        _ if page.is_over() => (3, "white_check_mark"),
        _ if page.quiet => (2, "arrows_counterclockwise"),
        Severity::Page => (5, "rotating_light"),
        Severity::Warn => (4, "warning"),
        Severity::Info => (2, "information_source"),
    };
    let mut message = json!({
        "topic": topic,
        "title": fit::within(&fit::inert(&page.title), 250, Unit::Byte),
        "message": fit::within(&fit::inert(&page.body()), MESSAGE, Unit::Byte),
        "priority": priority,
        "tags": [tag],
    });
    if let (Some(link), Some(object)) = (&page.link, message.as_object_mut()) {
        object.insert("click".to_owned(), json!(link));
    }
    if let (Some(runbook), Some(object)) = (&page.runbook, message.as_object_mut()) {
        object.insert("actions".to_owned(), json!([{ "action": "view", "label": "Runbook", "url": runbook }]));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn nothing_from_outside_links_and_all_fits() {
        for out in nasty::all() {
            let message = message(&nasty::pages().page(&out), "topic");
            assert!(message.get("markdown").is_none() && message.get("attach").is_none());
            let actions = json!([{ "action": "view", "label": "Runbook", "url": "https://canary.example/runbooks/stopped" }]);
            assert!(message.get("actions").is_none_or(|own| *own == actions), "{message}");
            let text = message["message"].as_str().unwrap();
            assert!(text.len() <= 4096);
            for text in [text, message["title"].as_str().unwrap()] {
                nasty::assert_plain(text);
                assert!(!text.contains("https://") && !text.contains("evil.example"), "{text}");
            }
        }
    }
}
