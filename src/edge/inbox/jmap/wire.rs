//! One HTTP request with a proof of who we are, its bounded answer, and what an answer that is none means.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::super::credentials::{Credentials, Shown};
use super::super::gist::{Gist, Seen};
use super::super::pace::Pace;
use super::super::trouble::{Trouble, plain};
use crate::edge::dial::{DialError, Dialer};
use crate::model::{Class, Now};

/// What is read of an answer that says why there is none.
const REASON_MAX: usize = 16 * 1024;
/// What is read of any answer of the API: one of ours asks for fifty messages, at most.
pub(super) const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// So much of a header is waited for: the server can say what stands in it.
const HEADER_MAX: usize = 2 * 1024 * 1024;

/// Whoever sends requests for one inbox.
pub(super) struct Wire {
    http: Client,
    credentials: Credentials,
    username: String,
    now: Now,
    login: Duration,
    /// Until an answer must be there whole.
    patience: Duration,
}

/// What a problem document says (RFC 7807; RFC 8620, 3.6.1).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    r#type: String,
    title: String,
    detail: String,
}

impl Wire {
    pub(super) fn new(dialer: &Dialer, credentials: Credentials, username: &str, now: Now, pace: &Pace) -> Result<Self, Trouble> {
        let http = dialer.lasting_http()?;
        Ok(Self { http, credentials, username: username.to_owned(), now, login: pace.login, patience: pace.command })
    }

    /// `GET`, whatever the answer's status.
    pub(super) async fn fetch(&self, what: &'static str, url: &Url, accept: &'static str) -> Result<Response, Trouble> {
        self.send(what, self.patience, || self.http.get(url.clone()).header(ACCEPT, accept).timeout(self.patience)).await
    }

    /// `GET` of what does not end by itself.
    pub(super) async fn listen(&self, what: &'static str, url: &Url, longest: Duration) -> Result<Response, Trouble> {
        let request = || self.http.get(url.clone()).header(ACCEPT, "text/event-stream").timeout(longest);
        self.send(what, self.patience, request).await
    }

    /// `POST` of JSON, and the JSON that comes back.
    pub(super) async fn post(&self, what: &'static str, url: &Url, body: &[u8]) -> Result<Vec<u8>, Trouble> {
        let request = || {
            let request = self.http.post(url.clone()).header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json");
            request.body(body.to_vec()).timeout(self.patience)
        };
        let response = self.send(what, self.patience, request).await?;
        if !response.status().is_success() {
            return Err(refusal(what, response).await);
        }
        whole(what, response, ANSWER_MAX).await
    }

    /// Sends what `request` makes. Where a token that was kept is not taken any more, once again with a new one.
    async fn send(&self, what: &'static str, within: Duration, request: impl Fn() -> RequestBuilder) -> Result<Response, Trouble> {
        let (proof, kept) = self.credentials.proof(&self.now, self.login).await?;
        let response = self.shown(what, within, request(), &proof).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.credentials.reject(&proof).await;
        if !kept {
            return Ok(response);
        }
        let (proof, _) = self.credentials.proof(&self.now, self.login).await?;
        self.shown(what, within, request(), &proof).await
    }

    async fn shown(&self, what: &'static str, within: Duration, request: RequestBuilder, proof: &Shown) -> Result<Response, Trouble> {
        let request = match proof {
            Shown::Password(password) => request.basic_auth(&self.username, Some(password.expose())),
            Shown::Bearer(token) => request.bearer_auth(token.expose()),
        };
        let sent = timeout_at(Instant::now() + within, request.send()).await.or(Err(Trouble::Deadline { what, after: within }))?;
        sent.map_err(|error| broken(what, within, &error))
    }
}

/// What a request that failed says.
fn broken(what: &'static str, within: Duration, error: &reqwest::Error) -> Trouble {
    if error.is_builder() {
        return Trouble::Here { class: Class::Auth, why: format!("{what}: the secret or the address cannot be said in HTTP") };
    }
    let host = error.url().and_then(Url::host_str).unwrap_or_default().to_owned();
    if error.is_connect() {
        return DialError::of_http(&host, error).into();
    }
    if error.is_timeout() {
        return Trouble::Deadline { what, after: within };
    }
    Trouble::Lost { what, why: DialError::of_http(&host, error).to_string() }
}

/// The whole of an answer, which may have `most` bytes.
pub(super) async fn whole(what: &'static str, response: Response, most: usize) -> Result<Vec<u8>, Trouble> {
    match beginning(what, response, most).await? {
        (bytes, true) => Ok(bytes),
        (_, false) => Err(Trouble::Flood { what }),
    }
}

/// The first `most` bytes of an answer, and whether that is all of it.
pub(super) async fn beginning(what: &'static str, mut response: Response, most: usize) -> Result<(Vec<u8>, bool), Trouble> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len().saturating_add(chunk.len()) <= most => bytes.extend_from_slice(&chunk),
            Ok(Some(chunk)) => {
                bytes.extend(chunk.iter().take(most.saturating_sub(bytes.len())));
                return Ok((bytes, false));
            }
            Ok(None) => return Ok((bytes, true)),
            Err(error) => return Err(broken(what, Duration::ZERO, &error).of_body(what)),
        }
    }
}

/// A message that an answer is, as much as is looked at, and whether that has any of its text.
pub(super) async fn gist(what: &'static str, mut response: Response) -> Result<(Seen, bool), Trouble> {
    let mut gist = Gist::up_to(HEADER_MAX);
    while !gist.is_full() {
        match response.chunk().await {
            Ok(Some(chunk)) => gist.push(&chunk),
            Ok(None) => break,
            Err(error) => return Err(broken(what, Duration::ZERO, &error).of_body(what)),
        }
    }
    let has_text = gist.has_text();
    Ok((gist.end(), has_text))
}

impl Trouble {
    /// The same of an answer that had begun: there was a connection.
    fn of_body(self, what: &'static str) -> Self {
        if let Self::Dial(error) = &self {
            return Self::Lost { what, why: error.to_string() };
        }
        if let Self::Deadline { .. } = &self {
            return Self::Lost { what, why: "the answer did not end in time".to_owned() };
        }
        self
    }
}

/// What an answer other than a 2xx means.
pub(super) async fn refusal(what: &'static str, response: Response) -> Trouble {
    let (status, headers) = (response.status(), response.headers().clone());
    let said = beginning(what, response, REASON_MAX).await.map(|(bytes, _)| bytes).unwrap_or_default();
    let problem: Problem = serde_json::from_slice(&said).unwrap_or_default();
    let limit = problem.r#type.ends_with(":limit");
    let after = retry_after(&headers);
    let class = match status.as_u16() {
        401 | 403 => Class::Auth,
        429 => Class::Rate,
        503 if after.is_some() => Class::Rate,
        400 if limit => Class::Rate,
        408 | 500..=599 => Class::Transient,
        _ => Class::Permanent,
    };
    let kind = problem.r#type.rsplit(':').next().unwrap_or_default().to_owned();
    let words = [kind, problem.title, problem.detail].into_iter().filter(|part| !part.is_empty() && part != "about");
    let words = words.collect::<Vec<_>>().join(": ");
    let reason = status.canonical_reason().unwrap_or_default();
    let text = if words.is_empty() { format!("HTTP {} {reason}", status.as_u16()) } else { format!("HTTP {}: {words}", status.as_u16()) };
    Trouble::Answered { what, class, text: plain(&text), after }
}

/// `Retry-After` in seconds; as a date it is rare, and our own measure does.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
