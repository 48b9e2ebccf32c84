//! The user's own application: one request that makes it send its mail.
//!
//! What it answers is said of its own work, not of the mail: an acceptance here means that the flow did its part. The mail is not ours; it
//! is recognised by the token in its address, or in what the application echoes.

use std::future::{Ready, ready};
use std::time::Duration;

use http::{HeaderName, Method};
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::api::{Call, Reply, class, exchange, general, headline};
use super::evidence::evidence;
use super::{After, Answer, Finding, Secrets, SetUpError, Unread, secret};
use crate::canary::Composed;
use crate::config::{Header, Mailbox, Payload, Secret, TriggerSettings, fill};
use crate::edge::dial::{DialError, Dialer};
use crate::model::{At, CanaryId, Class, Leg, Outcome, Sign, Span};

/// A whole request. People wait no longer for a page, and a proxy not as long.
const DEADLINE: Duration = Duration::from_secs(30);
/// What to do about an application that says no.
const HINT: &str = "look into the log of your application for this request: it is the application that answers so, and no mail provider";

/// An application, ready to be asked.
#[derive(Debug)]
pub(super) struct Trigger {
    settings: TriggerSettings,
    secrets: Vec<(HeaderName, Secret)>,
    dialer: Dialer,
    http: reqwest::Client,
    deadline: Duration,
}

impl Trigger {
    pub(super) fn new(_from: &Mailbox, settings: &TriggerSettings, dialer: Dialer, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let mut found = Vec::new();
        for (name, header) in &settings.headers {
            if let (Ok(name), Header::Secret(at)) = (name.parse(), header) {
                found.push((name, secret(secrets, at)?));
            }
        }
        Ok(Self { settings: settings.clone(), secrets: found, http: dialer.http()?, dialer, deadline: DEADLINE })
    }

    pub(super) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) async fn submit(&self, mail: &Composed, canary: CanaryId, at: At) -> Answer {
        let begun = Instant::now();
        let (url, call) = self.request(mail, canary);
        let sent = exchange(&self.http, &url, call, at, begun + self.deadline).await;
        let legs = vec![(Leg::Data, Span::from(begun.elapsed()))];
        let retry_after = sent.as_ref().ok().and_then(Reply::wants_peace);
        let (outcome, words, hint) = match sent {
            Ok(reply) => {
                let (outcome, words) = judge(&self.settings, &reply);
                (outcome, words, Some(HINT.to_owned()))
            }
            Err(cut) => (cut.outcome, cut.words, cut.hint),
        };
        let hint = hint.filter(|_| matches!(outcome, Outcome::Refused(_)));
        Answer { outcome, reply: Some(self.clean(&words)), hint, message_id: None, legs, retry_after }
    }

    /// There is no such question.
    #[expect(clippy::unused_self, reason = "all transports are asked alike")]
    pub(super) fn trace(&self, _after: After<'_>, _at: At) -> Ready<Option<Finding>> {
        ready(None)
    }

    /// Connects, and asks for nothing: any request might make mail.
    pub(super) async fn log_in(&self, _at: At) -> Answer {
        let url = fill(&self.settings.url, |_| Some("x".to_owned()));
        let Some((host, port, tls)) =
            Url::parse(&url).ok().and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?, url.scheme() == "https")))
        else {
            return Answer {
                outcome: Outcome::Refused(Class::Unknown),
                reply: None,
                hint: None,
                message_id: None,
                legs: Vec::new(),
                retry_after: None,
            };
        };
        let mut legs = Vec::new();
        let (outcome, words) = match self.connect(&host, port, tls, &mut legs).await {
            Ok(()) => (Outcome::Accepted, "connected; no request was sent".to_owned()),
            Err(error) => (Outcome::Refused(error.class), error.to_string()),
        };
        Answer { outcome, reply: Some(self.clean(&words)), hint: None, message_id: None, legs, retry_after: None }
    }

    /// Nobody there knows of an account.
    pub(super) async fn look(&self, at: At) -> (Answer, Option<Result<Vec<Sign>, Unread>>) {
        (self.log_in(at).await, None)
    }

    /// Nobody there knows of an account.
    pub(super) fn signs(&self, _at: At) -> Ready<Option<Result<Vec<Sign>, Unread>>> {
        ready(None)
    }

    async fn connect(&self, host: &str, port: u16, tls: bool, legs: &mut Vec<(Leg, Span)>) -> Result<(), DialError> {
        let since = Instant::now();
        let stream = self.dialer.tcp(host, port).await?;
        legs.push((Leg::Connect, Span::from(since.elapsed())));
        if tls {
            let since = Instant::now();
            self.dialer.tls(stream, host).await?;
            legs.push((Leg::Tls, Span::from(since.elapsed())));
        }
        Ok(())
    }

    /// Where the request goes, and what is in it.
    fn request(&self, mail: &Composed, canary: CanaryId) -> (String, Call) {
        let plain = |name: &str| {
            Some(match name {
                "address" => mail.to.clone(),
                "token" => mail.token.clone(),
                "stream" => mail.stream.to_string(),
                "canary" => canary.to_string(),
                _ => return None,
            })
        };
        let encoded = |name: &str| plain(name).map(|value| byte_serialize(value.as_bytes()).collect::<String>());
        let method = self.settings.method.parse().unwrap_or(Method::POST);
        let kind = match self.settings.headers.get("content-type") {
            Some(Header::Text(kind)) => kind.as_str(),
            Some(Header::Secret(_)) | None => "application/json",
        };
        let call = match &self.settings.payload {
            Payload::Nothing => Call::new(method, "", Vec::new()),
            Payload::Form(fields) => {
                let fields: Vec<(&str, String)> = fields.iter().map(|(name, text)| (name.as_str(), fill(text, plain))).collect();
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Call::form("", &fields).by(method)
            }
            Payload::Text(text) => {
                let body = if kind.starts_with("application/x-www-form-urlencoded") { fill(text, encoded) } else { fill(text, plain) };
                Call::new(method, "", body.into_bytes()).header("content-type", kind)
            }
        };
        let call = call.header("accept", "*/*");
        let texts = self.settings.headers.iter().filter_map(|(name, header)| match header {
            Header::Text(text) => Some((name.parse().ok()?, fill(text, plain))),
            Header::Secret(_) => None,
        });
        let secrets = self.secrets.iter().map(|(name, secret)| (name.clone(), secret.expose().to_owned()));
        let call = texts.chain(secrets).fold(call, |call, (name, value): (HeaderName, String)| call.with(name, &value));
        (fill(&self.settings.url, encoded), call)
    }

    /// Words without the secrets, nor what stands behind the scheme of one (`Bearer …`).
    fn clean(&self, words: &str) -> String {
        let whole = self.secrets.iter().map(|(_, secret)| secret.expose());
        let parts = whole.clone().filter_map(|secret| secret.split_once(' ')).map(|(_, part)| part);
        evidence(words, &whole.chain(parts).collect::<Vec<_>>())
    }
}

/// What an answer means, and the words for it. The page of a success is not worth keeping.
fn judge(settings: &TriggerSettings, reply: &Reply) -> (Outcome, String) {
    let location = reply.header("location").map(|to| format!("\nlocation: {to}")).unwrap_or_default();
    let said = format!("{}{location}", reply.text).to_lowercase();
    let failure = settings.failure_texts.iter().find(|text| said.contains(&text.to_lowercase()));
    if failure.is_none() && settings.expect.iter().any(|(from, to)| (*from..=*to).contains(&reply.status)) {
        return (Outcome::Accepted, format!("HTTP {}{location}", reply.status));
    }
    let by_status = || general(reply);
    let (outcome, why) = match failure {
        Some(text) => (Outcome::Refused(class(text).or_else(by_status).unwrap_or(Class::Permanent)), format!("the answer says `{text}`")),
        None => by_status().map_or_else(
            || (Outcome::Unknown, "not an `expect`ed status: nobody knows whether the mail is on its way".to_owned()),
            |class| (Outcome::Refused(class), "not an `expect`ed status".to_owned()),
        ),
    };
    let lead: Vec<String> = std::iter::once(format!("({why})")).chain(headline(reply)).collect();
    (outcome, reply.words(&lead) + &location)
}
