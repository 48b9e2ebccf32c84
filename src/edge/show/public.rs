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

use super::months::Months;
use super::router::{Silent, view};
use super::{Archive, Ask, icon, page};
use crate::config::Public;

/// One page serves everybody for so long: however many ask, the loop is asked once.
const FRESH: Duration = Duration::from_secs(5);
/// For what the ledger knows of the last months.
const PATIENCE: Duration = Duration::from_secs(8);

/// The newest page, and when it was made.
struct Front {
    ask: Ask,
    months: Months,
    public: Public,
    made: Mutex<Option<(Instant, String)>>,
}

/// The page at `/`, and its icon. Everything else is not there.
pub fn public(ask: Ask, archive: Archive, public: Public) -> Router {
    let front = Front { ask, months: Months::new(archive), public, made: Mutex::new(None) };
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
                let known = front.months.within(PATIENCE).await;
                let page = page::public(&view, &front.public, known.as_deref().ok()).into_string();
                *made = Some((Instant::now(), page.clone()));
                page
            }
            Err(Silent) => return (StatusCode::SERVICE_UNAVAILABLE, headers(), "not known at the moment\n").into_response(),
        },
    };
    (headers(), Html(page)).into_response()
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
