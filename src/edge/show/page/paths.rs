//! Which page stands at which path, and what has to be asked for it.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use maud::Markup;
use url::form_urlencoded;

use super::super::gate::Pen;
use super::super::months::Months;
use super::super::router::{Silent, html, view};
use super::super::{Archive, Ask};
use super::incident::{incident, remembered};
use super::route::{Told, Window, route};
use super::{canary, dns, incidents, mail, missing, party, status};
use crate::model::past::Sought;
use crate::model::{CanaryId, IncidentId, Name, Route};
use crate::watchdog::View;

/// Characters of a value that is not understood.
const SHOWN: usize = 60;
/// Incidents that are looked through for those of one route.
const FAILURES: u32 = 500;
/// The status page does not wait longer for what the ledger knows of the last months: how it is now matters more.
const GLANCE: Duration = Duration::from_secs(1);
/// And the page of one party, which is about them.
const LOOK: Duration = Duration::from_secs(8);

/// The paths of pages, which are asked of `archive` besides the loop.
pub(in crate::edge::show) fn paths(archive: Archive) -> Router<Ask> {
    Router::new()
        .route("/", get(status_page))
        .route("/routes/{provider}/{stream}/{inbox}", get(route_page))
        .route("/providers/{name}", get(provider_page))
        .route("/providers/{name}/mail", get(mail_page))
        .route("/inboxes/{name}", get(inbox_page))
        .route("/dns", get(dns_page))
        .route("/incidents", get(incidents_page))
        .route("/incidents/{id}", get(incident_page))
        .route("/canaries/{id}", get(canary_page))
        .layer(Extension(Months::new(archive.clone())))
        .layer(Extension(archive))
}

/// The first value of a key in what stands behind a `?`.
pub(super) fn asked(query: Option<&str>, key: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes()).find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
}

/// A query that is not understood: what of it, and what would be. To be answered with 400, as the API does.
#[derive(Debug)]
pub(super) struct Misasked(String);

impl Misasked {
    fn answer(&self, root: &str) -> Response {
        html(StatusCode::BAD_REQUEST, missing(Some(root), "That cannot be asked", &self.0))
    }
}

/// The value of a key in what stands behind a `?`, if it is there. `wanted` says what is understood.
///
/// # Errors
/// It is there and is not understood.
pub(super) fn understood<T>(
    query: Option<&str>,
    key: &str,
    read: impl FnOnce(&str) -> Option<T>,
    wanted: impl std::fmt::Display,
) -> Result<Option<T>, Misasked> {
    let Some(value) = asked(query, key) else { return Ok(None) };
    let shown: String = value.chars().filter(|c| *c != '`').take(SHOWN).collect();
    read(&value).map(Some).ok_or_else(|| Misasked(format!("`{key}` is `{shown}`, and can be: {wanted}.")))
}

fn there(page: Option<Markup>, root: &str, what: &str) -> Response {
    match page {
        Some(page) => html(StatusCode::OK, page),
        None => {
            html(StatusCode::NOT_FOUND, missing(Some(root), &format!("No such {what}"), "The configuration that runs does not have it."))
        }
    }
}

async fn status_page(State(ask): State<Ask>, Extension(months): Extension<Months>, RawQuery(query): RawQuery) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let streams: BTreeSet<&Name> = view.streams.iter().map(|(_, stream)| &stream.name).collect();
    let names = streams.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let stream = understood(query.as_deref(), "stream", |wanted| streams.into_iter().find(|name| name.as_str() == wanted), names);
    Ok(match stream {
        Ok(stream) => html(StatusCode::OK, status::status(&view, stream, &months.within(GLANCE).await)),
        Err(misasked) => misasked.answer("./"),
    })
}

async fn dns_page(State(ask): State<Ask>) -> Result<Response, Silent> {
    Ok(html(StatusCode::OK, dns::whole(&view(&ask).await?)))
}

async fn provider_page(State(ask): State<Ask>, Extension(months): Extension<Months>, Path(name): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    Ok(there(party::provider(&view, &name, &months.within(LOOK).await), "../", "provider"))
}

async fn mail_page(State(ask): State<Ask>, Path(name): Path<String>) -> Result<Response, Silent> {
    Ok(there(mail::mail(&view(&ask).await?, &name), "../../", "provider"))
}

async fn inbox_page(State(ask): State<Ask>, Extension(months): Extension<Months>, Path(name): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    Ok(there(party::inbox(&view, &name, &months.within(LOOK).await), "../", "inbox"))
}

async fn route_page(
    State(ask): State<Ask>,
    Extension(archive): Extension<Archive>,
    Path(names): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let is = |route: &Route| (route.provider.as_str(), route.stream.as_str(), route.inbox.as_str()) == (&*names.0, &*names.1, &*names.2);
    let Some(found) = view.routes.iter().find(|one| is(&one.route)) else { return Ok(there(None, "../../../", "route")) };
    let span = understood(query.as_deref(), "span", Window::named, Window::names());
    let window = match span {
        Ok(window) => window.unwrap_or_else(|| Window::usual(&view)),
        Err(misasked) => return Ok(misasked.answer("../../../")),
    };
    let told = past(&archive, &view, &found.route, window).await;
    Ok(html(StatusCode::OK, route(&view, found, window, told)))
}

async fn past(archive: &Archive, view: &View, route: &Route, window: Window) -> Told {
    let points = archive.points(route.clone(), window.ends(view)).await?;
    Ok((points, archive.incidents(Sought::newest(FAILURES)).await?))
}

async fn incidents_page(
    State(ask): State<Ask>,
    Extension(archive): Extension<Archive>,
    RawQuery(query): RawQuery,
) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let sought = match incidents::sought(query.as_deref()) {
        Ok(sought) => sought,
        Err(misasked) => return Ok(misasked.answer("./")),
    };
    let found = archive.incidents(sought.clone()).await;
    Ok(html(StatusCode::OK, incidents::incidents(&view, &sought, found)))
}

async fn incident_page(
    State(ask): State<Ask>,
    Extension(archive): Extension<Archive>,
    pen: Option<Extension<Pen>>,
    Path(id): Path<String>,
) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let nowhere =
        || html(StatusCode::NOT_FOUND, missing(Some("../"), "No such incident", "It never was, or it ended longer ago than is kept."));
    let Ok(id) = id.parse().map(IncidentId) else { return Ok(nowhere()) };
    let story = archive.incident(id).await;
    let shown = view.incidents.iter().find(|i| i.incident == id).cloned();
    let shown = shown.or_else(|| remembered(id, story.as_ref().ok()?.as_ref()?));
    Ok(shown.map_or_else(nowhere, |one| html(StatusCode::OK, incident(&view, &one, &story, pen.is_none_or(|Extension(pen)| pen.0)))))
}

async fn canary_page(State(ask): State<Ask>, Extension(archive): Extension<Archive>, Path(id): Path<String>) -> Result<Response, Silent> {
    let view = view(&ask).await?;
    let nowhere = |why: &str| html(StatusCode::NOT_FOUND, missing(Some("../"), "No such canary", why));
    let Ok(id) = id.parse::<CanaryId>() else { return Ok(nowhere("A canary has 16 hexadecimal digits.")) };
    let way = archive.canary(id).await;
    let known = view.routes.iter().find_map(|route| Some((route, route.recent.iter().find(|canary| canary.canary == id)?)));
    Ok(match (way, known) {
        (Ok(Some(way)), known) => html(StatusCode::OK, canary::canary(&view, &way, known.map(|(_, canary)| canary))),
        (Ok(None), Some((route, one))) => html(StatusCode::OK, canary::brief(&view, route, one, "the ledger does not have it")),
        (Err(why), Some((route, one))) => html(StatusCode::OK, canary::brief(&view, route, one, &why)),
        (Ok(None), None) => nowhere("It never was, or it was sent longer ago than is kept (`[ledger] keep`, `keep_failures`)."),
        (Err(why), None) => nowhere(&format!("The watchdog does not remember it, and the ledger could not be asked: {why}.")),
    })
}
