//! Listening: server-sent events over one long answer, or JSON at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderName;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::super::super::problem::Problem;
use super::super::super::serve::Lease;
use super::super::asked::{Asked, accepts};
use super::super::operation::Reply;
use super::{Hub, Joined};
use crate::watchdog::View;

/// The type of server-sent events.
const STREAM: &str = "text/event-stream";
/// Between two comments that keep the way open: proxies close what is silent for a minute.
const BEAT: Duration = Duration::from_secs(15);

/// Answers who listens. A stream is only for who says that they take one: everybody else would wait for its end.
pub(in crate::edge::show::api) fn answer(hub: &Hub, parts: &Parts, asked: &Asked, view: &View) -> Result<Response, Problem> {
    let resumed = parts.headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let after = resumed.or(asked.query("after"));
    let streams = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains(STREAM));
    if !streams {
        accepts(&parts.headers, "application/json")?;
        return Ok(Reply::of(&hub.changes(view, after))?.into_response());
    }
    let lease = parts.extensions.get::<Arc<Lease>>().cloned();
    let end = Instant::now() + Lease::LONGEST;
    if let Some(lease) = &lease {
        lease.stream();
    }
    let Joined { first, then } = hub.join(view, after, lease)?;
    let mut beats = interval_at(Instant::now() + BEAT, BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let then = stream::unfold((then, beats), move |(mut then, mut beats)| async move {
        let bytes = tokio::select! {
            event = then.recv() => event?,
            _ = beats.tick() => Bytes::from_static(b": nothing new\n\n"),
            () = sleep_until(end) => return None,
        };
        Some((bytes, (then, beats)))
    });
    let whole = stream::iter(first).chain(then).map(Ok::<_, Infallible>);
    Ok(([(CONTENT_TYPE, STREAM), (HeaderName::from_static("x-accel-buffering"), "no")], Body::from_stream(whole)).into_response())
}
