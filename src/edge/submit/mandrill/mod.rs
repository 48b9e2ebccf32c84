//! Mailchimp Transactional (Mandrill), by its HTTP API.
//!
//! The key goes into the body of each request and nowhere else: not into an address, an error, a log or what is kept of an answer.

mod answer;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use self::answer::{Body, judge, judge_ping};
use super::evidence::evidence;
use super::{Answer, Secrets, SetUpError, secret};
use crate::canary::Composed;
use crate::config::{Mailbox, MandrillSettings, Secret};
use crate::edge::dial::{DialError, Dialer};
use crate::model::{At, CanaryId, Leg, Outcome, Span};

/// A whole request with its answer. To one recipient the API answers within a second or two, and under load not at all.
const DEADLINE: Duration = Duration::from_secs(30);
/// What is read of an answer: those to one recipient have a few hundred bytes.
const MAX_BODY: usize = 64 * 1024;

/// A Mandrill account.
#[derive(Debug)]
pub struct Mandrill {
    http: reqwest::Client,
    /// The server, for errors.
    host: String,
    base_url: String,
    key: Secret,
    from: Mailbox,
    subaccount: Option<String>,
    deadline: Duration,
}

impl Mandrill {
    #[expect(clippy::needless_pass_by_value, reason = "all transports are made alike")]
    pub(super) fn new(from: &Mailbox, settings: &MandrillSettings, dialer: Dialer, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let bare = settings.base_url.split_once("://").map_or(settings.base_url.as_str(), |(_, rest)| rest);
        Ok(Self {
            http: dialer.http()?,
            host: bare.split('/').next().unwrap_or_default().to_owned(),
            base_url: settings.base_url.clone(),
            key: secret(secrets, &settings.api_key)?,
            from: from.clone(),
            subaccount: settings.subaccount.clone(),
            deadline: DEADLINE,
        })
    }

    pub(super) const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) async fn submit(&self, mail: &Composed, canary: CanaryId, _at: At) -> Answer {
        let headers: serde_json::Map<_, _> = mail.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let mut message = json!({
            "from_email": self.from.address,
            "to": [{ "email": mail.to, "type": "to" }],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "headers": headers,
            "tags": ["mailcanary"],
            "metadata": { "canary": canary },
            "track_opens": false,
            "track_clicks": false,
        });
        if let Some(message) = message.as_object_mut() {
            let optional = [("from_name", &self.from.name), ("subaccount", &self.subaccount)];
            message.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
        }
        self.call("/messages/send", json!({ "key": self.key.expose(), "message": message, "async": false }), judge).await
    }

    pub(super) async fn log_in(&self) -> Answer {
        let mut answer = self.call("/users/ping2", json!({ "key": self.key.expose() }), judge_ping).await;
        if answer.outcome == Outcome::Accepted {
            // The reputation and what is held back are worth a look; that they cannot be had is no failure.
            let info = self.call("/users/info", json!({ "key": self.key.expose() }), answer::judge_info).await;
            answer.reply = info.reply.filter(|_| info.outcome == Outcome::Accepted).or(answer.reply);
        }
        answer
    }

    /// Sends one request and has its answer judged.
    async fn call(&self, path: &str, request: Value, judge: fn(&Body) -> (Outcome, Option<String>)) -> Answer {
        let begun = Instant::now();
        let sent = self.http.post(format!("{}{path}", self.base_url)).json(&request).timeout(self.deadline).send().await;
        let (outcome, words, message_id) = match sent {
            Ok(response) => {
                let body = read(response).await;
                let (outcome, message_id) = judge(&body);
                (outcome, body.words(), message_id)
            }
            Err(e) => {
                let why = DialError::of_http(&self.host, &e);
                // Once connected, the request may have gone out whole.
                if e.is_connect() || e.is_builder() {
                    (Outcome::Refused(why.class), why.to_string(), None)
                } else {
                    (Outcome::Unknown, format!("after the request: {why}"), None)
                }
            }
        };
        let reply = Some(evidence(&words, &[self.key.expose()]));
        Answer { outcome, reply, message_id, legs: vec![(Leg::Data, Span::from(begun.elapsed()))] }
    }
}

/// The status and what of the body came, up to [`MAX_BODY`].
async fn read(mut response: reqwest::Response) -> Body {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    let mut whole = true;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len().saturating_add(chunk.len()) <= MAX_BODY => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Ok(Some(chunk)) => {
                bytes.extend(chunk.iter().take(MAX_BODY.saturating_sub(bytes.len())));
                whole = false;
                break;
            }
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    Body { status, text: String::from_utf8_lossy(&bytes).into_owned(), whole }
}
