//! The icon that browsers show beside a page's title. Kept by them for a day: it tells nothing.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

/// What it is called, beside the status page.
pub(super) const NAME: &str = "favicon.svg";

const ICON: &str = include_str!("icon.svg");

/// Its paths: its own, and the one that browsers ask for by themselves.
pub(super) fn paths() -> Router {
    Router::new().route("/favicon.svg", get(icon)).route("/favicon.ico", get(icon))
}

async fn icon() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "public, max-age=86400"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, ICON)
}
