//! The door that providers knock at: `POST /hooks/NAME`, bounded in size, time and number. Who is not let in learns nothing but that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::StreamExt;
use tokio::time::timeout;

use super::known::Known;
use super::{Hooks, Post, Webhook};
use crate::model::{HookCounts, Knock, Name, Tiding};

/// What stands before a provider's name in the path of its webhook.
const PATH: &str = "/hooks/";
/// Bytes of a body: Mandrill puts up to a thousand events into one.
const BODY: usize = 4 << 20;
/// Bytes that are read beyond, so that who sends them hears why they were not taken.
const BEYOND: usize = 16 << 20;
/// For a whole body to come.
const DEADLINE: Duration = Duration::from_secs(10);

/// One provider's webhook, what it may tell of, and what it has told.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) webhook: Box<dyn Webhook>,
    known: Mutex<Known>,
    requests: [AtomicU64; Knock::ALL.len()],
    events: [AtomicU64; Tiding::ALL.len()],
    /// The last one who knocked was not let in.
    shut: AtomicBool,
}

impl Door {
    pub(super) fn new(webhook: Box<dyn Webhook>) -> Self {
        let (requests, events) = (Default::default(), Default::default());
        Self { webhook, known: Mutex::default(), requests, events, shut: AtomicBool::new(false) }
    }

    /// Never held while anything is waited for.
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> HookCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        HookCounts {
            requests: Knock::ALL.into_iter().zip(self.requests.iter().map(read)).collect(),
            events: Tiding::ALL.into_iter().zip(self.events.iter().map(read)).collect(),
        }
    }

    pub(super) fn count_events(&self, tidings: &BTreeMap<Tiding, u64>) {
        for (tiding, count) in Tiding::ALL.iter().zip(&self.events) {
            count.fetch_add(tidings.get(tiding).copied().unwrap_or_default(), Ordering::Relaxed);
        }
    }

    /// Counts how a request ended, and says it once where that is new.
    fn count(&self, provider: &Name, knock: Knock) {
        for (kind, count) in Knock::ALL.iter().zip(&self.requests) {
            count.fetch_add(u64::from(*kind == knock), Ordering::Relaxed);
        }
        let was_shut = self.shut.swap(knock != Knock::Taken, Ordering::Relaxed);
        if !was_shut && knock != Knock::Taken {
            tracing::warn!(%provider, outcome = knock.as_str(), "what came in by a provider's webhook was not taken");
        }
    }
}

impl Hooks {
    /// The paths of the webhooks, to be merged into those of others.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().route(&format!("{PATH}{{name}}"), post(knock).head(probe)).with_state(self)
    }

    /// The door at a path. Names stand in paths as they are.
    fn door(&self, at: &Uri) -> Option<(&Name, &Door)> {
        self.doors.get_key_value(&Name::new(at.path().strip_prefix(PATH)?).ok()?)
    }
}

/// Mandrill looks whether the address is there before it is entered.
async fn probe(State(hooks): State<Arc<Hooks>>, at: Uri) -> StatusCode {
    if hooks.door(&at).is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

async fn knock(State(hooks): State<Arc<Hooks>>, request: Request) -> Response {
    let Some((name, door)) = hooks.door(request.uri()) else { return unread(StatusCode::NOT_FOUND) };
    let (knock, status) = answer(&hooks, name, door, request).await;
    door.count(name, knock);
    if matches!(knock, Knock::Taken | Knock::Refused) { status.into_response() } else { unread(status) }
}

/// The answer to a post that may not have been read to its end: nothing more is taken over its connection.
fn unread(status: StatusCode) -> Response {
    (status, [(CONNECTION, "close")]).into_response()
}

async fn answer(hooks: &Hooks, name: &Name, door: &Door, request: Request) -> (Knock, StatusCode) {
    let Ok(_place) = hooks.places.try_acquire() else { return (Knock::Busy, StatusCode::SERVICE_UNAVAILABLE) };
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let body = match timeout(DEADLINE, read(body, announced.unwrap_or(0))).await {
        Ok(Ok(body)) => body,
        Ok(Err(knock)) => return (knock, status(knock)),
        Err(_) => return (Knock::Unreadable, StatusCode::REQUEST_TIMEOUT),
    };
    let post = Post { headers: &parts.headers, body: &body, at: (hooks.now)() };
    let knock = hooks.take_in(name, door, &post).await;
    (knock, status(knock))
}

const fn status(knock: Knock) -> StatusCode {
    match knock {
        Knock::Taken => StatusCode::OK,
        Knock::Refused => StatusCode::UNAUTHORIZED,
        Knock::Unreadable => StatusCode::BAD_REQUEST,
        Knock::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Knock::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A whole body. What is beyond the bound is not kept.
async fn read(body: Body, announced: usize) -> Result<Vec<u8>, Knock> {
    if announced > BEYOND {
        return Err(Knock::TooLarge);
    }
    let (mut whole, mut length) = (Vec::new(), 0_usize);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.or(Err(Knock::Unreadable))?;
        length = length.saturating_add(part.len());
        if length > BEYOND {
            return Err(Knock::TooLarge);
        }
        if length.max(announced) <= BODY {
            whole.extend_from_slice(&part);
        } else {
            whole = Vec::new();
        }
    }
    if length <= BODY { Ok(whole) } else { Err(Knock::TooLarge) }
}
