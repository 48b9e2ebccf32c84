//! One HTTP request and its answer: written once for every provider.
//!
//! No secret leaves a [`Call`] but to the wire; of an answer no more than [`MAX_BODY`] is read, whatever its length says.

use std::time::Duration;

use data_encoding::BASE64;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tokio::time::Instant;

use crate::edge::dial::DialError;
use crate::model::{At, Class, Outcome, Span};

/// What is read of an answer: those to one recipient have a few hundred bytes.
const MAX_BODY: usize = 64 * 1024;
/// The header that proves who we are.
const AUTHORIZATION: &str = "authorization";
/// Headers that are worth keeping as evidence, besides those that a provider names.
const TELLING: [&str; 6] = ["retry-after", "x-amzn-errortype", "x-amzn-requestid", "x-request-id", "x-ms-request-id", "x-message-id"];

/// A request that is being made. Has no `Debug`: secrets are in it.
#[derive(Clone, PartialEq)]
pub(in crate::edge::submit) struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Something in it cannot be said in HTTP.
    unspeakable: Option<HeaderName>,
}

impl Call {
    /// One with this body.
    pub(in crate::edge::submit) fn new(method: Method, path: impl Into<String>, body: Vec<u8>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body, unspeakable: None }
    }

    /// `GET`.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Vec::new()).header("accept", "application/json")
    }

    /// `POST` of a JSON text; keys whose value is `null` are left out.
    pub(super) fn json(path: impl Into<String>, body: Value) -> Self {
        let call = Self::new(Method::POST, path, without_nulls(body).to_string().into_bytes());
        call.header("content-type", "application/json").header("accept", "application/json")
    }

    /// `POST` of a form.
    pub(in crate::edge::submit) fn form(path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let call = Self::new(Method::POST, path, body.into_bytes());
        call.header("content-type", "application/x-www-form-urlencoded").header("accept", "application/json")
    }

    /// With a header, or with another value of it.
    pub(in crate::edge::submit) fn header(self, name: &'static str, value: &str) -> Self {
        self.with(HeaderName::from_static(name), value)
    }

    /// The same, with any header.
    pub(in crate::edge::submit) fn with(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_bytes(value.as_bytes()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(_) => self.unspeakable = Some(name),
        }
        self
    }

    /// By another method.
    pub(in crate::edge::submit) fn by(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// With a bearer token.
    pub(super) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// With a user name and a password.
    pub(super) fn basic(self, user: &str, password: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Basic {}", basic(user, password)))
    }

    pub(super) const fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its content type, which signatures cover.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
    }

    /// Where it goes. What `base` ends with is not said again: a base with the API's version in it is as good as one without.
    pub(super) fn url(&self, base: &str) -> String {
        let starts = self.path.match_indices('/').map(|(at, _)| at).skip(1);
        let said = starts.filter_map(|at| self.path.get(..at)).filter(|part| base.ends_with(part)).max_by_key(|part| part.len());
        format!("{base}{}", said.and_then(|part| self.path.strip_prefix(part)).unwrap_or(&self.path))
    }
}

/// User name and password as they go over the wire (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> String {
    BASE64.encode(format!("{user}:{password}").as_bytes())
}

/// No answer: how the submission ended, and why.
#[derive(Clone, Debug)]
pub(in crate::edge::submit) struct Cut {
    pub(in crate::edge::submit) outcome: Outcome,
    pub(in crate::edge::submit) words: String,
    /// What to mend first, where that is plain.
    pub(in crate::edge::submit) hint: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(in crate::edge::submit) struct Reply {
    pub(in crate::edge::submit) status: u16,
    pub(super) headers: HeaderMap,
    pub(in crate::edge::submit) text: String,
    /// Nothing is missing at the end.
    pub(super) whole: bool,
    /// The text, if it is JSON.
    pub(in crate::edge::submit) json: Option<Value>,
    /// When it came, by our clock.
    pub(super) at: At,
}

impl Reply {
    pub(super) fn new(status: u16, headers: HeaderMap, text: String, whole: bool, at: At) -> Self {
        // Some put a byte order mark before what they write.
        let json = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok().filter(|_| whole);
        Self { status, headers, text, whole, json, at }
    }

    /// It says that the request was taken.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, if it is text.
    pub(in crate::edge::submit) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A text or number in its JSON, by pointer.
    pub(super) fn text_at(&self, pointer: &str) -> Option<String> {
        self.json.as_ref().and_then(|json| json.pointer(pointer)).and_then(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
    }

    /// The provider's id of the message at `pointer`, if it is one.
    pub(super) fn id_at(&self, pointer: &str) -> Option<String> {
        self.text_at(pointer).and_then(|id| plausible_id(&id))
    }

    /// By how many seconds our clock is ahead of the server's, as far as its `Date` tells.
    pub(in crate::edge::submit) fn ahead_secs(&self) -> Option<i64> {
        let theirs = chrono::DateTime::parse_from_rfc2822(self.headers.get(DATE)?.to_str().ok()?).ok()?;
        Some((self.at.as_ms() / 1000).saturating_sub(theirs.timestamp()))
    }

    /// How long we are asked to wait: seconds, or a date by the server's clock (RFC 9110, 10.2.3).
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(secs) = text.parse() {
            return Some(Duration::from_secs(secs));
        }
        let until = chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp();
        let now = (self.at.as_ms() / 1000).saturating_sub(self.ahead_secs().unwrap_or_default());
        u64::try_from(until.saturating_sub(now)).ok().map(Duration::from_secs)
    }

    /// How long a provider wants no more of us, if it says so behind a 429 or a 503.
    pub(in crate::edge::submit) fn wants_peace(&self) -> Option<Span> {
        matches!(self.status, 429 | 503).then(|| self.retry_after().map(Span::from)).flatten()
    }

    /// A page for people instead of an answer of the API.
    pub(super) fn is_page(&self) -> bool {
        let said = self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        self.json.is_none() && (said || self.text.trim_start().starts_with('<'))
    }

    /// For the person who reads the evidence: the status, `lead`, and the answer as it came. What matters comes first: summaries are short.
    pub(in crate::edge::submit) fn words(&self, lead: &[String]) -> String {
        let headers = TELLING.into_iter().filter_map(|name| Some(format!("{name}: {}", self.header(name)?)));
        let cut = (!self.whole).then(|| "(the answer was cut off)".to_owned());
        let lines = lead.iter().cloned().chain(headers).chain(cut);
        std::iter::once(format!("HTTP {}", self.status)).chain(lines).chain([self.text.clone()]).collect::<Vec<_>>().join("\n")
    }
}

/// `id`, if it can be one: short, and without anything that could be taken for something else.
pub(super) fn plausible_id(id: &str) -> Option<String> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    (!id.is_empty() && id.len() <= 200 && id.bytes().all(|byte| byte.is_ascii_graphic())).then(|| id.to_owned())
}

/// Sends `call` to `base` at `at`, and reads its answer until `deadline`.
pub(in crate::edge::submit) async fn exchange(
    http: &reqwest::Client,
    base: &str,
    call: Call,
    at: At,
    deadline: Instant,
) -> Result<Reply, Cut> {
    if let Some(name) = call.unspeakable {
        let words = format!("the header `{name}` cannot hold what is configured for it: see that the secret has no control characters");
        return Err(Cut { outcome: Outcome::Refused(Class::Auth), hint: Some(words.clone()), words });
    }
    let begun = Instant::now();
    let url = call.url(base);
    let request = http.request(call.method, url).headers(call.headers).body(call.body);
    let sent = request.timeout(deadline.saturating_duration_since(begun)).send().await;
    match sent {
        Ok(response) => Ok(read(response, at, begun).await),
        Err(e) => {
            let bare = base.split_once("://").map_or(base, |(_, rest)| rest);
            let why = DialError::of_http(bare.split('/').next().unwrap_or_default(), &e);
            // Once connected, the request may have gone out whole.
            Err(if e.is_connect() || e.is_builder() {
                Cut { outcome: Outcome::Refused(why.class), words: why.to_string(), hint: None }
            } else {
                Cut { outcome: Outcome::Unknown, words: format!("after the request: {why}"), hint: None }
            })
        }
    }
}

/// What of the answer came, up to [`MAX_BODY`].
async fn read(mut response: reqwest::Response, at: At, begun: Instant) -> Reply {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let came = at.plus(Span::from(begun.elapsed()));
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
    Reply::new(status, headers, String::from_utf8_lossy(&bytes).into_owned(), whole, came)
}

/// `value` without keys that have no value.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k, without_nulls(v))).collect())
        }
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_may_have_the_version_in_it() {
        let url = |base: &str, path: &str| Call::get(path).url(base);
        assert_eq!(url("https://h", "/v3/mail/send"), "https://h/v3/mail/send");
        assert_eq!(url("https://h/v3", "/v3/mail/send"), "https://h/v3/mail/send");
        assert_eq!(url("https://h/proxy", "/v3/mail/send"), "https://h/proxy/v3/mail/send");
        assert_eq!(url("https://h/api/v1", "/api/v1/transmissions"), "https://h/api/v1/transmissions");
        assert_eq!(url("https://hv3", "/v3/x"), "https://hv3/v3/x");
    }

    #[test]
    fn the_clocks_are_compared() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Mon, 08 Aug 2022 19:30:00 GMT"));
        let reply = Reply::new(403, headers, String::new(), true, At::from_ms(1_659_987_000_000 + 600_000));
        assert_eq!(reply.ahead_secs(), Some(600));
    }
}
