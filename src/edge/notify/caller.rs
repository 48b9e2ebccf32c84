//! One HTTP request to a sink or a heartbeat, with everything that holds for all of them: its deadline, the bounded answer, and secrets that stay out of
//! whatever is said of it.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use super::{Attempt, answer, fit};
use crate::model::At;

/// Bytes of an answer that are read: what matters in it is a few fields.
const ANSWER_LIMIT: usize = 16 * 1024;

/// Who calls one sink or heartbeat.
pub(crate) struct Caller {
    http: Client,
    secrets: Vec<String>,
    /// From the first byte of the connection to the end of the answer.
    deadline: Duration,
}

/// Says nothing of secrets.
impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// At most [`ANSWER_LIMIT`] bytes of it.
    pub(crate) body: Vec<u8>,
}

impl Caller {
    /// `secrets` are never repeated.
    pub(crate) fn new(http: Client, secrets: &[&str]) -> Self {
        let secrets = secrets.iter().filter(|secret| !secret.is_empty()).map(|secret| (*secret).to_owned()).collect();
        Self { http, secrets, deadline: answer::DEADLINE }
    }

    /// The same for a receiver that would take a second attempt for a second message: if it is slow it is waited for.
    pub(crate) fn patient(mut self) -> Self {
        self.deadline = answer::PATIENT;
        self
    }

    /// The same for an address that is a secret itself, in whole and in part.
    pub(crate) fn of_url(http: Client, url: &Url) -> Self {
        let parts = url.path().split('/').chain(url.query()).filter(|part| part.len() > 3);
        let values: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() > 3).collect();
        let secrets: Vec<&str> = std::iter::once(url.as_str()).chain(parts).chain(values.iter().map(String::as_str)).collect();
        Self::new(http, &secrets)
    }

    /// A POST of JSON.
    pub(crate) fn post(&self, url: Url, body: &Value) -> RequestBuilder {
        self.post_bytes(url, body.to_string().into_bytes())
    }

    /// The same, of JSON that is to go out as it is.
    pub(crate) fn post_bytes(&self, url: Url, body: Vec<u8>) -> RequestBuilder {
        self.http.post(url).timeout(self.deadline).header(CONTENT_TYPE, "application/json").body(body)
    }

    /// A POST of a plain text.
    pub(crate) fn post_text(&self, url: Url, body: String) -> RequestBuilder {
        self.http.post(url).timeout(self.deadline).header(CONTENT_TYPE, "text/plain; charset=utf-8").body(body)
    }

    /// A GET.
    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(url).timeout(self.deadline)
    }

    /// Sends it once, and reads the answer.
    ///
    /// # Errors
    /// The attempt, if there was no answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Attempt> {
        let response = request.send().await.map_err(|error| answer::failed(error, self.deadline))?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: read(response).await })
    }

    /// The same where nothing follows from what is said: the status is enough, and nobody waits for the rest.
    pub(crate) async fn send_only(&self, request: RequestBuilder) -> Result<Answer, Attempt> {
        let response = request.send().await.map_err(|error| answer::failed(error, self.deadline))?;
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body: Vec::new() })
    }

    /// What the answer means by its status; `said` is the sink's own reason, if one was found in the answer.
    pub(crate) fn judge(&self, answer: &Answer, said: &str, now: At) -> Attempt {
        let said = if answer.status.is_success() { String::new() } else { self.scrubbed(said) };
        answer::answered(answer.status, &answer.headers, &said, now)
    }

    /// The beginning of `said` on one line, without any secret.
    pub(crate) fn line(&self, said: &str) -> String {
        fit::line(&self.scrubbed(said), 200)
    }

    /// `said` without any secret.
    pub(crate) fn scrubbed(&self, said: &str) -> String {
        self.secrets.iter().fold(said.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl Answer {
    /// Its body as JSON; `null` if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Its body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The beginning of the body; what is lost of it is lost, for the status has come.
async fn read(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend(chunk.iter().take(ANSWER_LIMIT.saturating_sub(bytes.len())));
        if bytes.len() >= ANSWER_LIMIT {
            break;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_holds_no_part_of_the_address() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = Url::parse("https://hooks.example/services/T0/B1234/hunter2?sig=secret%2Fsig&v=1").unwrap();
        let caller = Caller::of_url(Client::new(), &url);
        let said = caller.scrubbed("no https://hooks.example/services/T0/B1234/hunter2?sig=secret%2Fsig&v=1, hunter2, B1234, secret/sig");
        assert!(!said.contains("hunter2") && !said.contains("1234") && !said.contains("sig"), "{said}");
        assert!(!format!("{caller:?}").contains("hunter2"));
    }
}
