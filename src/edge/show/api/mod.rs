//! `/api/v1`: everything that the status page shows, and what people want, for programs.
//!
//! One table of operations ([`operations`]) is what is answered and what the document says. What is read is drawn from the state as the
//! loop has it; what is wanted goes to the loop as an event. Errors are one shape ([`super::problem`]), for unknown paths too.

mod asked;
mod events;
mod form;
mod openapi;
mod operation;
mod operations;
pub(super) mod shape;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use self::asked::{Asked, accepts, is_json, segments};
use self::operation::{Operation, Run, Verb, Want};
use super::gate::{Gate, user};
use super::problem::Problem;
use super::router::{ANSWER, Silent, view};
use super::{Archive, Ask};
use crate::edge::post::{Order, receive};
use crate::model::Now;
use crate::watchdog::{Event, Unfit, View};

pub use events::Hub;
pub use openapi::document;

/// Where the API begins.
const ROOT: &str = "/api/v1/";
/// Bytes of a body.
const BODY: usize = 64 * 1024;
/// Bodies that are read together.
const AT_ONCE: usize = 16;

/// What the API needs.
#[derive(Clone)]
pub struct Counter {
    /// The way to the loop's state.
    pub ask: Ask,
    /// The way for what people want.
    pub orders: mpsc::Sender<Order>,
    /// The way to what the loop does not hold any more.
    pub archive: Archive,
    /// Who may want something.
    pub gate: Gate,
    /// Where changes are told.
    pub hub: Hub,
    /// The present.
    pub now: Now,
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counter").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// A counter, and how many it serves at once.
#[derive(Clone)]
struct Served {
    counter: Counter,
    places: Arc<Semaphore>,
}

/// Every path of the API, and what is answered where there is none.
pub fn api(counter: Counter) -> Router {
    let served = Served { counter, places: Arc::new(Semaphore::new(AT_ONCE)) };
    Router::new().route("/api", any(answer)).route("/api/", any(answer)).route("/api/{*path}", any(answer)).with_state(served)
}

async fn answer(State(served): State<Served>, request: Request) -> Response {
    let mut response = served.answer(request).await.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Served {
    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let (operation, mut asked) = found(&parts)?;
        asked.check_path()?;
        match operation.run {
            Run::Read(read) => {
                accepts(&parts.headers, "application/json")?;
                asked.take_query(parts.uri.query(), operation.query)?;
                Ok(read(&asked, &self.view().await?)?.into_response())
            }
            Run::Recall(recall) => {
                accepts(&parts.headers, "application/json")?;
                asked.take_query(parts.uri.query(), operation.query)?;
                let view = self.view().await?;
                Ok(recall(&asked, &view, &self.counter.archive).await?.into_response())
            }
            Run::Document => {
                accepts(&parts.headers, "application/json")?;
                asked.take_query(parts.uri.query(), operation.query)?;
                Ok(([(CONTENT_TYPE, "application/json")], document()).into_response())
            }
            Run::Listen => {
                asked.take_query(parts.uri.query(), operation.query)?;
                events::answer(&self.counter.hub, &parts, &asked, &self.view().await?)
            }
            Run::Want(want) => {
                self.counter.gate.may_change(&parts)?;
                accepts(&parts.headers, "application/json")?;
                asked.take_query(parts.uri.query(), operation.query)?;
                is_json(&parts.headers)?;
                asked.user = user(&parts).map(str::to_owned);
                asked.body = self.read(Request::from_parts(parts, body)).await?;
                self.want(want, &asked).await
            }
        }
    }

    async fn read(&self, request: Request) -> Result<Bytes, Problem> {
        let received = receive(request, BODY, &self.places).await;
        received.map(|received| received.into_body().into()).map_err(|(_, status)| {
            let detail = match status {
                StatusCode::PAYLOAD_TOO_LARGE => format!("a body has {BODY} bytes at most"),
                StatusCode::REQUEST_TIMEOUT => "the body did not come in time".to_owned(),
                StatusCode::SERVICE_UNAVAILABLE => return Problem::busy("too many at once: try again in a second"),
                _ => "the body cannot be read".to_owned(),
            };
            Problem::new(status, detail).unread()
        })
    }

    async fn view(&self) -> Result<View, Problem> {
        view(&self.counter.ask)
            .await
            .map_err(|Silent| Problem::silent(format!("the watchdog did not answer within {} s", ANSWER.as_secs())))
    }

    async fn want(&self, want: Want, asked: &Asked) -> Result<Response, Problem> {
        let event = (want.event)(asked, (self.counter.now)())?;
        let view = order(&self.counter.orders, event).await?;
        Ok((want.told)(asked, &view)?.into_response())
    }
}

/// Lets something that a person wants happen: the state then.
pub(super) async fn order(orders: &mpsc::Sender<Order>, event: Event) -> Result<View, Problem> {
    let (done, answer) = oneshot::channel();
    let asked = async {
        orders.send(Order { event, done }).await.ok()?;
        answer.await.ok()
    };
    let late = || Problem::silent("it was not written down in time: see whether it is there before you try again");
    let said = timeout(ANSWER, asked).await.ok().flatten().ok_or_else(late)?;
    said.map_err(|unfit| match unfit {
        Unfit::UnknownCanary(_)
        | Unfit::UnknownInbox(_)
        | Unfit::UnknownIncident(_)
        | Unfit::UnknownSilence(_)
        | Unfit::UnknownProvider(_)
        | Unfit::UnknownStream(..)
        | Unfit::UnknownSubject(_)
        | Unfit::UnknownRoute(_)
        | Unfit::UnknownName { .. } => Problem::nothing(unfit.to_string()),
        Unfit::TimeGoesBack { .. } | Unfit::StartedTwice | Unfit::NotStarted | Unfit::NoDrill(_) | Unfit::NotAsked(_) => {
            Problem::conflict(unfit.to_string())
        }
    })
}

/// The operation that a request is about, and what stands in its path.
fn found(parts: &Parts) -> Result<(&'static Operation, Asked), Problem> {
    let nowhere = || Problem::nothing(format!("there is no such path: {ROOT} lists those that there are"));
    // The index stands at the root, with or without its slash.
    let path = parts.uri.path();
    let below = if path == ROOT.trim_end_matches('/') { Some("") } else { path.strip_prefix(ROOT) };
    let path = below.and_then(segments).ok_or_else(nowhere)?;
    let there: Vec<(&Operation, Asked)> = operations::all().filter_map(|one| Some((one, Asked::at(one, &path)?))).collect();
    if there.is_empty() {
        return Err(nowhere());
    }
    // An answer to HEAD is that to GET without its body, which the server leaves out.
    let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
    let allowed = || {
        let verbs = there.iter().map(|(one, _)| if one.verb == Verb::Get { "GET, HEAD" } else { one.verb.as_str() });
        verbs.collect::<Vec<_>>().join(", ")
    };
    let allowed = allowed();
    there.into_iter().find(|(one, _)| one.verb.as_str() == method.as_str()).ok_or_else(|| Problem::method(&allowed))
}
