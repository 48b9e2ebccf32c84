//! Who answers which path.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Ask, health, metrics, page, runbooks, top};
use crate::model::{CanaryId, IncidentId};
use crate::watchdog::View;

/// The loop answers within this, or counts as stuck.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// What is shown to people and to Prometheus, under `/`. Paths of others can be merged in; they get no headers from here.
pub fn router(ask: Ask) -> Router {
    Router::new()
        .route("/", get(status))
        .route("/incidents/{id}", get(incident))
        .route("/canaries/{id}", get(canary))
        .route("/metrics", get(scrape))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .with_state(ask.clone())
        .merge(top::paths(ask))
        .merge(runbooks::paths())
        .fallback(nowhere)
        .layer(from_fn_with_state(policy("'none'"), headers))
}

/// Why a canary has no page. The ledger's own name for what it keeps longer is told, for the id may come from an old page.
const NOT_LISTED: &str = "It never was, or its route has sent too many since and no listed incident names it. The ledger keeps it for \
    longer: in its folder, sqlite3 -readonly ledger.sqlite \"SELECT * FROM canaries_readable\" with its id.";

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

async fn status(State(ask): State<Ask>) -> Result<Response, Silent> {
    Ok(html(StatusCode::OK, page::status(&view(&ask).await?)))
}

async fn incident(State(ask): State<Ask>, Path(id): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let found = id.parse().ok().map(IncidentId).and_then(|id| view.incidents.iter().find(|i| i.incident == id));
    Ok(match found {
        Some(incident) => html(StatusCode::OK, page::incident(&view, incident)),
        None => html(StatusCode::NOT_FOUND, page::missing("No such incident", "It never was, or it ended too long ago to be listed here.")),
    })
}

async fn canary(State(ask): State<Ask>, Path(id): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let found = id.parse::<CanaryId>().ok().and_then(|id| {
        view.routes.iter().find_map(|route| route.recent.iter().find(|canary| canary.canary == id).map(|canary| (route, canary)))
    });
    Ok(match found {
        Some((route, canary)) => html(StatusCode::OK, page::canary(&view, route, canary)),
        None => html(StatusCode::NOT_FOUND, page::missing("No such canary", NOT_LISTED)),
    })
}

async fn scrape(State(ask): State<Ask>) -> Result<Response, Silent> {
    let text = metrics::render(&view(&ask).await?);
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
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
    html(StatusCode::NOT_FOUND, page::missing("No such page", "There is nothing at this address."))
}

pub(super) fn html(status: StatusCode, page: Markup) -> Response {
    (status, Html(page.into_string())).into_response()
}

/// Nothing may be loaded or framed, and nothing sent but to `forms`; the one style sheet is known by its hash.
pub(super) fn policy(forms: &str) -> HeaderValue {
    let style = page::style_hash();
    let text = format!("default-src 'none'; style-src '{style}'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

pub(super) async fn headers(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
