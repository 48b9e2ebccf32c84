//! What is answered when something cannot be: RFC 9457, the same for every path of the API.

use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// The type of its media.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Why it cannot be, and what to do. Holds nothing secret: who was not let in learns nothing but that.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: what kind of problem it is, the status says.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What is wrong in this case, and what to do.
    detail: String,
    /// Every complaint about a configuration that was not taken over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    complaints: Vec<String>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Unknown");
        Self { r#type: "about:blank", title, status: status.as_u16(), detail: detail.into(), complaints: Vec::new(), headers: Vec::new() }
    }

    /// There is nothing there.
    pub(super) fn nothing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request is not as the document of the API has it.
    pub(super) fn unfit(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// It is well written, and cannot be as things stand.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// The loop did not answer.
    pub(super) fn silent(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Too many at once.
    pub(super) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Another method is meant; one of `allowed`.
    pub(super) fn method(allowed: &str) -> Self {
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this path takes {allowed}"));
        match HeaderValue::from_str(allowed) {
            Ok(allowed) => problem.with(ALLOW, allowed),
            Err(_) => problem,
        }
    }

    /// Whoever asks is to say who they are, in one of these ways.
    pub(super) fn stranger(detail: impl Into<String>, ways: impl IntoIterator<Item = &'static str>) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, detail);
        ways.into_iter().fold(problem, |problem, way| problem.with(WWW_AUTHENTICATE, HeaderValue::from_static(way)))
    }

    /// The request was not read to its end: nothing more is taken over its connection.
    pub(super) fn unread(self) -> Self {
        self.with(CONNECTION, HeaderValue::from_static("close"))
    }

    pub(super) fn complaining(mut self, complaints: Vec<String>) -> Self {
        self.complaints = complaints;
        self
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same for people: one line of text.
    pub(super) fn into_text(self) -> Response {
        let (status, detail) = (self.status(), format!("{}\n", self.detail));
        self.onto((status, detail).into_response())
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    fn onto(self, mut response: Response) -> Response {
        self.headers.into_iter().for_each(|(name, value)| _ = response.headers_mut().append(name, value));
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let answer = (self.status(), [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        self.onto(answer)
    }
}
