//! Slack, by a bot: one message an incident, kept up to date; reminders in its thread.
//!
//! A change of a message makes no sound. So a rise of severity is a new message, and a reminder is written below the old one and shown in
//! the channel too. Which message it is, is remembered over restarts.

use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::memory::Memory;
use super::page::{Page, Pages};
use super::slack::{RATE, message};
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools, fit};
use crate::config::{Secret, SlackBotSettings};
use crate::model::{At, Change, Severity};

/// One channel.
#[derive(Debug)]
pub(super) struct SlackBot {
    caller: Caller,
    base: String,
    token: Secret,
    channel: String,
    /// Its messages have a button.
    answers: bool,
    memory: Memory,
    pages: Pages,
}

/// A message of ours.
struct Known {
    ts: String,
    severity: String,
    /// How often the incident had called again.
    calls: u64,
}

impl SlackBot {
    pub(super) fn new(settings: &SlackBotSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let token = tools.secret(&settings.token)?;
        let caller = Caller::new(tools.http()?, &[token.expose()]).patient();
        tools.url(&settings.base_url)?;
        let (base, channel, answers) = (settings.base_url.clone(), settings.channel.clone(), settings.acknowledgements.is_some());
        Ok(Self { caller, base, token, channel, answers, memory: tools.memory(), pages: tools.pages.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let page = self.pages.page(out);
        let known = self.known(&page);
        let rises = known.as_ref().is_some_and(|known| rank(&known.severity) < rank(page.severity.as_str()) || known.calls < out.calls());
        let attempt = match &known {
            Some(known) if page.change == Change::Reminder => self.remind(&page, known, now).await,
            // Of what there is no message nobody needs to know who has seen it.
            None if page.change == Change::Acknowledged => Ok(Attempt::Delivered),
            Some(known) if !rises || page.is_over() => self.change(&page, known, now).await,
            Some(_) | None => Err(None),
        };
        match attempt {
            Ok(attempt) | Err(Some(attempt)) => attempt,
            // There is no message, or not any more.
            Err(None) => self.post(&page, out.calls(), now).await,
        }
    }

    async fn post(&self, page: &Page, calls: u64, now: At) -> Attempt {
        let answer = match self.call("chat.postMessage", message(page, self.answers), &[]).await {
            Ok(answer) => answer,
            Err(attempt) => return attempt,
        };
        let attempt = self.read(&answer, now);
        let json = answer.json();
        if let (Attempt::Delivered, Some(ts)) = (&attempt, json.get("ts").and_then(Value::as_str)) {
            self.memory.set(&page.key, &json!({ "ts": ts, "severity": page.severity.as_str(), "calls": calls }).to_string());
        }
        attempt
    }

    /// Changes the message; an error of `None` is that there is none.
    async fn change(&self, page: &Page, known: &Known, now: At) -> Result<Attempt, Option<Attempt>> {
        let answer = self.call("chat.update", message(page, self.answers), &[("ts", json!(known.ts))]).await.map_err(Some)?;
        let gone = ["message_not_found", "cant_update_message", "edit_window_closed"];
        if answer.json().get("error").and_then(Value::as_str).is_some_and(|error| gone.contains(&error)) {
            return Err(None);
        }
        Ok(self.read(&answer, now))
    }

    async fn remind(&self, page: &Page, known: &Known, now: At) -> Result<Attempt, Option<Attempt>> {
        let below = [("thread_ts", json!(known.ts)), ("reply_broadcast", json!(true))];
        let answer = self.call("chat.postMessage", message(page, self.answers), &below).await.map_err(Some)?;
        if answer.json().get("error").and_then(Value::as_str).is_some_and(|error| error == "thread_not_found") {
            return Err(None);
        }
        Ok(self.read(&answer, now))
    }

    async fn call(&self, method: &str, mut body: Value, more: &[(&str, Value)]) -> Result<Answer, Attempt> {
        let url = Url::parse(&format!("{}/{method}", self.base)).map_err(|error| Attempt::Refused { why: error.to_string() })?;
        if let Some(object) = body.as_object_mut() {
            object.insert("channel".to_owned(), json!(self.channel));
            object.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        let request = self.caller.post(url, &body).header(AUTHORIZATION, format!("Bearer {}", self.token.expose()));
        self.caller.send(request).await
    }

    /// Always 200, and in the body whether it worked.
    fn read(&self, answer: &Answer, now: At) -> Attempt {
        let attempt = self.caller.judge(answer, "", now);
        if attempt != Attempt::Delivered {
            return attempt;
        }
        let json = answer.json();
        if json.get("ok").and_then(Value::as_bool) == Some(true) {
            return Attempt::Delivered;
        }
        let Some(error) = json.get("error").and_then(Value::as_str) else {
            return Attempt::Retry { after: None, why: "answered 200, and not whether it worked".to_owned(), unclear: true };
        };
        let why = format!("answered `{}`", fit::line(&self.caller.scrubbed(error), 100));
        match error {
            "ratelimited"
            | "rate_limited"
            | "message_limit_exceeded"
            | "service_unavailable"
            | "fatal_error"
            | "internal_error"
            | "request_timeout"
            | "team_added_to_org" => Attempt::Retry { after: None, why, unclear: error != "ratelimited" },
            "invalid_blocks" | "invalid_blocks_format" | "msg_too_long" | "no_text" | "too_many_attachments" | "invalid_arguments" => {
                Attempt::Refused { why }
            }
            // The token, the channel, the scopes: somebody has to see to it, and perhaps does at this moment.
            _ => Attempt::Doubtful { why },
        }
    }

    fn known(&self, page: &Page) -> Option<Known> {
        let kept: Value = serde_json::from_str(&self.memory.get(&page.key)?).ok()?;
        let text = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
        let calls = kept.get("calls").and_then(Value::as_u64).unwrap_or(0);
        Some(Known { ts: text("ts")?, severity: text("severity")?, calls })
    }
}

fn rank(severity: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|known| known.as_str() == severity)
}

impl Channel for SlackBot {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    fn rate(&self) -> Rate {
        RATE
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}
