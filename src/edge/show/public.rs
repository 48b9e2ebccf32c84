//! The page for everybody: one path, and nothing that tells of the installation.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::router::{Silent, view};
use super::{Archive, Ask, icon, page};
use crate::config::Public;
use crate::model::past::{Failure, Sought};
use crate::model::{At, Span};

/// One page serves everybody for so long: however many ask, the loop is asked once.
const FRESH: Duration = Duration::from_secs(5);

/// And the ledger is looked into once for so long.
const KEPT: Duration = Duration::from_secs(60);
/// Incidents of the past that are looked at, the newest.
const INCIDENTS: u32 = 1000;

/// A shorter time in which mailcanary did not run is a restart, or nothing was to be sent in it.
const PAUSE: Span = Span::from_secs(600);

/// The incidents of the last months, and when mailcanary did not run.
type Known = (Vec<Failure>, Vec<[At; 2]>);

/// The newest page, and when it was made.
struct Front {
    ask: Ask,
    archive: Archive,
    past: Mutex<Option<(Instant, Known)>>,
    public: Public,
    made: Mutex<Option<(Instant, String)>>,
}

/// The page at `/`, and its icon. Everything else is not there.
pub fn public(ask: Ask, archive: Archive, public: Public) -> Router {
    let front = Front { ask, archive, past: Mutex::new(None), public, made: Mutex::new(None) };
    Router::new().route("/", get(show)).fallback(nowhere).with_state(Arc::new(front)).merge(icon::paths())
}

async fn show(State(front): State<Arc<Front>>) -> Response {
    // Who comes while it is made waits for it, and makes none of their own.
    let mut made = front.made.lock().await;
    let fresh = made.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, page)| page.clone());
    let page = match fresh {
        Some(page) => page,
        None => match view(&front.ask).await {
            Ok(view) => {
                let known = past(&front).await;
                let past = known.as_ref().map(|(failures, pauses)| (failures.as_slice(), pauses.as_slice()));
                let page = page::public(&view, &front.public, past).into_string();
                *made = Some((Instant::now(), page.clone()));
                page
            }
            Err(Silent) => return (StatusCode::SERVICE_UNAVAILABLE, headers(), "not known at the moment\n").into_response(),
        },
    };
    (headers(), Html(page)).into_response()
}

/// The last months, as far as they are known. What cannot be looked up now is as it was before.
async fn past(front: &Front) -> Option<Known> {
    let mut past = front.past.lock().await;
    if past.as_ref().is_none_or(|(at, _)| at.elapsed() >= KEPT)
        && let Ok(found) = front.archive.incidents(Sought::newest(INCIDENTS)).await
        && let Ok(pauses) = front.archive.pauses(PAUSE).await
    {
        *past = Some((Instant::now(), (found, pauses)));
    }
    past.as_ref().map(|(_, found)| found.clone())
}

async fn nowhere() -> Response {
    (StatusCode::NOT_FOUND, headers(), "there is nothing here\n").into_response()
}

fn headers() -> impl axum::response::IntoResponseParts {
    let policy = format!("default-src 'none'; {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", page::sources());
    [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (X_FRAME_OPTIONS, "DENY".to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ]
}
