//! What others post to us, and what people order: the one way in. Reading is bounded in size, time and number; who is not let in learns
//! nothing but that.

pub(crate) mod proof;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::timeout;

use crate::model::{At, HookCounts, Knock, Tiding};
use crate::watchdog::{Event, Unfit, View};

/// Bytes that are read beyond what is kept, so that who sends them hears why they were not taken.
const BEYOND: usize = 16 << 20;
/// For a whole body to come.
const DEADLINE: Duration = Duration::from_secs(10);

/// Something that a person wants. The answer comes when it is written down.
#[derive(Debug)]
pub struct Order {
    /// What.
    pub event: Event,
    /// The state then, or why it cannot be.
    pub done: oneshot::Sender<Result<View, Unfit>>,
}

/// A post, at an instant.
#[derive(Debug)]
pub(crate) struct Post<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) at: At,
}

impl<'a> Post<'a> {
    /// The header's text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &'a str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A post that was read to its end. Its place is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Received<'s> {
    headers: HeaderMap,
    body: Vec<u8>,
    _place: SemaphorePermit<'s>,
}

impl Received<'_> {
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    pub(crate) fn post(&self, at: At) -> Post<'_> {
        Post { headers: &self.headers, body: &self.body, at }
    }
}

/// Reads a post of at most `most` bytes, if there is a place for it.
pub(crate) async fn receive(request: Request, most: usize, places: &Semaphore) -> Result<Received<'_>, (Knock, StatusCode)> {
    let Ok(place) = places.try_acquire() else { return Err(ended(Knock::Busy)) };
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    match timeout(DEADLINE, read(body, announced.unwrap_or(0), most)).await {
        Ok(Ok(body)) => Ok(Received { headers: parts.headers, body, _place: place }),
        Ok(Err(knock)) => Err(ended(knock)),
        Err(_) => Err((Knock::Unreadable, StatusCode::REQUEST_TIMEOUT)),
    }
}

/// How a post ended, and the status that says so.
pub(crate) const fn ended(knock: Knock) -> (Knock, StatusCode) {
    let status = match knock {
        Knock::Taken => StatusCode::OK,
        Knock::Refused => StatusCode::UNAUTHORIZED,
        Knock::Unreadable => StatusCode::BAD_REQUEST,
        Knock::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Knock::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (knock, status)
}

/// The answer to a post that ended like this.
pub(crate) fn answer((knock, status): (Knock, StatusCode)) -> Response {
    if matches!(knock, Knock::Taken | Knock::Refused) { status.into_response() } else { unread(status) }
}

/// The answer to a post that may not have been read to its end: nothing more is taken over its connection.
pub(crate) fn unread(status: StatusCode) -> Response {
    (status, [(CONNECTION, "close")]).into_response()
}

/// A whole body. What is beyond the bound is not kept.
async fn read(body: Body, announced: usize, most: usize) -> Result<Vec<u8>, Knock> {
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
        if length.max(announced) <= most {
            whole.extend_from_slice(&part);
        } else {
            whole = Vec::new();
        }
    }
    if length <= most { Ok(whole) } else { Err(Knock::TooLarge) }
}

/// What came in at one door: how the posts ended, and what they told.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    ended: [AtomicU64; Knock::ALL.len()],
    told: [AtomicU64; Tiding::ALL.len()],
    /// The last one who knocked was not let in.
    shut: AtomicBool,
}

impl Tally {
    /// Counts how a post ended; whether that is worth a line in the log: it was not taken in, and the one before was.
    pub(crate) fn end(&self, knock: Knock) -> bool {
        for (kind, count) in Knock::ALL.iter().zip(&self.ended) {
            count.fetch_add(u64::from(*kind == knock), Ordering::Relaxed);
        }
        let was_shut = self.shut.swap(knock != Knock::Taken, Ordering::Relaxed);
        !was_shut && knock != Knock::Taken
    }

    /// Counts so many events that told something like this.
    pub(crate) fn tell(&self, tiding: Tiding, events: u64) {
        for (kind, count) in Tiding::ALL.iter().zip(&self.told) {
            count.fetch_add(if *kind == tiding { events } else { 0 }, Ordering::Relaxed);
        }
    }

    pub(crate) fn counts(&self) -> HookCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        HookCounts {
            requests: Knock::ALL.into_iter().zip(self.ended.iter().map(read)).collect(),
            events: Tiding::ALL.into_iter().zip(self.told.iter().map(read)).collect(),
        }
    }
}
