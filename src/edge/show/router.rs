//! Who answers which path.

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::Markup;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Archive, Ask, health, icon, metrics, page, runbooks, top};
use crate::watchdog::View;

/// The loop answers within this, or counts as stuck.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// What is shown to people and to Prometheus, under `/`. Paths of others can be merged in; they get no headers from here.
pub fn router(ask: Ask, archive: Archive) -> Router {
    Router::new()
        .merge(page::paths(archive))
        .route("/metrics", get(scrape))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .with_state(ask.clone())
        .merge(top::paths(ask))
        .merge(runbooks::paths())
        .fallback(nowhere)
        .layer(from_fn_with_state(policy("'none'"), headers))
        .merge(icon::paths())
}

/// The loop is stuck or gone.
#[derive(Debug)]
pub(super) struct Silent;

impl IntoResponse for Silent {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, format!("the watchdog did not answer within {} s\n", ANSWER.as_secs())).into_response()
    }
}

pub(super) async fn view(ask: &Ask) -> Result<View, Silent> {
    let asked = async {
        let (answer, view) = oneshot::channel();
        ask.send(answer).await.ok()?;
        view.await.ok()
    };
    timeout(ANSWER, asked).await.ok().flatten().ok_or(Silent)
}

async fn scrape(State(ask): State<Ask>, asked: HeaderMap) -> Result<Response, Silent> {
    let text = metrics::render(&view(&ask).await?);
    let head = [(CONTENT_TYPE, metrics::CONTENT_TYPE), (VARY, "accept-encoding")];
    // A matrix of a hundred routes is half a megabyte, and a tenth of that packed.
    match packed(&asked, &text) {
        Some(packed) => Ok((head, [(CONTENT_ENCODING, "gzip")], packed).into_response()),
        None => Ok((head, text).into_response()),
    }
}

/// The same packed, for who takes that.
fn packed(asked: &HeaderMap, text: &str) -> Option<Vec<u8>> {
    let takes = |coding: &str| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0))
    };
    let codings = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).find(|coding| takes(coding))?;
    let mut gzip = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
    gzip.write_all(text.as_bytes()).ok()?;
    gzip.finish().ok()
}

async fn healthy(State(ask): State<Ask>) -> Result<&'static str, Silent> {
    view(&ask).await.map(|_| "healthy\n")
}

async fn ready(State(ask): State<Ask>) -> Result<Response, Silent> {
    Ok(match health::ready(&view(&ask).await?) {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    })
}

async fn nowhere() -> Response {
    html(StatusCode::NOT_FOUND, page::missing(None, "No such page", "There is nothing at this address."))
}

pub(super) fn html(status: StatusCode, page: Markup) -> Response {
    (status, Html(page.into_string())).into_response()
}

/// Nothing may be loaded or framed, and nothing sent but to `forms`; the one style sheet and the one script are known by their hashes.
pub(super) fn policy(forms: &str) -> HeaderValue {
    let text = format!("default-src 'none'; {}; base-uri 'none'; form-action {forms}; frame-ancestors 'none'", page::sources());
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

pub(super) async fn headers(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Elsewhere nothing is told of our addresses. `no-referrer` would have forms say that they come from nowhere.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn metrics_are_packed_for_who_takes_that() {
        let text = "mailcanary_suspicion 1\n".repeat(1000);
        let asks = |coding: &'static str| packed(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(coding))]), &text);
        for taken in ["gzip", "deflate, GZIP;q=0.5", "br;q=1.0, gzip"] {
            let packed = asks(taken).unwrap_or_default();
            let mut back = String::new();
            assert!(flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut back).is_ok(), "{taken}");
            assert!(back == text && packed.len() < text.len() / 10, "{taken}");
        }
        for other in ["identity", "gzip;q=0", "*", ""] {
            assert_eq!(asks(other), None, "{other}");
        }
        assert_eq!(packed(&HeaderMap::new(), &text), None);
    }
}
