//! Which page stands at which path.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::super::router::{Silent, html, view};
use super::super::{Archive, Ask};
use super::{canary, incident, missing, status};
use crate::model::{CanaryId, IncidentId};

/// Why a canary has no page. The ledger's own name for what it keeps longer is told, for the id may come from an old page.
const NOT_LISTED: &str = "It never was, or its route has sent too many since and no listed incident names it. The ledger keeps it for \
    longer: in its folder, sqlite3 -readonly ledger.sqlite \"SELECT * FROM canaries_readable\" with its id.";

/// The paths of pages, which are asked of `archive` besides the loop.
pub(in crate::edge::show) fn paths(archive: Archive) -> Router<Ask> {
    Router::new()
        .route("/", get(status_page))
        .route("/incidents/{id}", get(incident_page))
        .route("/canaries/{id}", get(canary_page))
        .layer(Extension(archive))
}

async fn status_page(State(ask): State<Ask>) -> Result<Response, Silent> {
    Ok(html(StatusCode::OK, status(&view(&ask).await?)))
}

async fn incident_page(State(ask): State<Ask>, Path(id): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let found = id.parse().ok().map(IncidentId).and_then(|id| view.incidents.iter().find(|i| i.incident == id));
    Ok(match found {
        Some(one) => html(StatusCode::OK, incident(&view, one)),
        None => html(StatusCode::NOT_FOUND, missing("No such incident", "It never was, or it ended too long ago to be listed here.")),
    })
}

async fn canary_page(State(ask): State<Ask>, Path(id): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let found = id.parse::<CanaryId>().ok().and_then(|id| {
        view.routes.iter().find_map(|route| route.recent.iter().find(|canary| canary.canary == id).map(|canary| (route, canary)))
    });
    Ok(match found {
        Some((route, one)) => html(StatusCode::OK, canary(&view, route, one)),
        None => html(StatusCode::NOT_FOUND, missing("No such canary", NOT_LISTED)),
    })
}
