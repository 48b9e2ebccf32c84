//! What people say over HTTP: `POST /api/v1/incidents/ID/ack` and `/close`, and silences.
//!
//! Whoever may open the control socket may speak; over TCP only with the token of `[http] token`. A browser sends no token by itself, so
//! that no page elsewhere can speak in somebody's name.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::router::ANSWER;
use crate::config::{Secret, span};
use crate::edge::post::Order;
use crate::model::{At, IncidentId, Name, Now, Span, Which};
use crate::watchdog::{Event, View};

/// Bytes of a request's body.
const BODY: usize = 16 * 1024;
/// No silence lasts longer: what is silent for ever has been forgotten.
const LONGEST_SILENCE: Span = Span::from_secs(90 * 24 * 3600);

/// No drill lasts longer.
const LONGEST_DRILL: Span = Span::from_secs(30 * 60);

/// Who may speak.
#[derive(Clone, Debug)]
pub enum Guard {
    /// Whoever gets here.
    Everyone,
    /// Who has this token; without one nobody.
    Token(Option<Secret>),
}

/// What a speaker needs.
#[derive(Clone)]
struct Desk {
    orders: mpsc::Sender<Order>,
    guard: Arc<Guard>,
    now: Now,
}

/// The paths that change something.
pub fn words(orders: mpsc::Sender<Order>, guard: Guard, now: Now) -> Router {
    Router::new()
        .route("/api/v1/incidents/{id}/ack", post(acknowledge))
        .route("/api/v1/incidents/{id}/close", post(close))
        .route("/api/v1/silences", post(silence))
        .route("/api/v1/drill", post(begin_drill).delete(stop_drill))
        .route("/api/v1/silences/{number}", delete(unsilence))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(Desk { orders, guard: Arc::new(guard), now })
}

/// Why it cannot be.
pub(super) struct Refused(pub(super) StatusCode, pub(super) String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = answer(self.0, &json!({ "error": self.1 }));
        if self.0 == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    by: String,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wished {
    #[serde(default)]
    which: Which,
    /// RFC 3339; from now on if absent.
    from: Option<String>,
    /// A duration, as `2h`…
    lasts: Option<String>,
    /// …or an end, RFC 3339.
    until: Option<String>,
    by: String,
    reason: String,
}

async fn acknowledge(State(desk): State<Desk>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.guard.let_in(&headers)?;
    let (incident, Said { by, note }) = (incident(&id)?, read(&body)?);
    let view = desk.order(Event::Acknowledged { incident, by: named(by)?, note, said_at: None }).await?;
    Ok(told(&view, incident))
}

async fn close(State(desk): State<Desk>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.guard.let_in(&headers)?;
    let (incident, Said { by, note }) = (incident(&id)?, read(&body)?);
    let view = desk.order(Event::Closed { incident, by: named(by)?, note }).await?;
    Ok(told(&view, incident))
}

async fn silence(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.guard.let_in(&headers)?;
    let wished: Wished = read(&body)?;
    let (from, until) = wished.times((desk.now)())?;
    let (by, which, reason) = (named(wished.by)?, wished.which, wished.reason);
    if reason.trim().is_empty() {
        return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, "a silence needs a `reason`".to_owned()));
    }
    let view = desk.order(Event::Silenced { which, from, until, by, reason }).await?;
    let newest = view.silences.iter().max_by_key(|s| s.silence);
    Ok(answer(StatusCode::CREATED, &newest.map_or(Value::Null, |silence| json!(silence))))
}

async fn unsilence(State(desk): State<Desk>, Path(number): Path<String>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.guard.let_in(&headers)?;
    let number = number.parse().or(Err(Refused(StatusCode::NOT_FOUND, "a silence has a number".to_owned())))?;
    let Said { by, .. } = read(&body)?;
    desk.order(Event::Unsilenced { silence: number, by: named(by)? }).await?;
    Ok(answer(StatusCode::OK, &json!({ "ended": number })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drill {
    provider: Name,
    /// A duration, as `10m`.
    lasts: String,
    by: String,
}

async fn begin_drill(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.guard.let_in(&headers)?;
    let Drill { provider, lasts, by } = read(&body)?;
    let lasts = span(&lasts).filter(|lasts| (Span::from_secs(1)..=LONGEST_DRILL).contains(lasts));
    let lasts =
        lasts.ok_or_else(|| Refused(StatusCode::UNPROCESSABLE_ENTITY, "`lasts` is written as `10m`, and is 30m at most".to_owned()))?;
    let view = desk.order(Event::DrillBegan { provider, until: (desk.now)().plus(lasts), by: named(by)? }).await?;
    Ok(answer(StatusCode::CREATED, &json!({ "drill": view.drill })))
}

async fn stop_drill(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    desk.guard.let_in(&headers)?;
    let Said { by, .. } = read(&body)?;
    let view = desk.order(Event::DrillStopped { by: named(by)? }).await?;
    Ok(answer(StatusCode::OK, &json!({ "last": view.drilled })))
}

impl Guard {
    /// Whether who sends these headers may speak.
    pub(super) fn let_in(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Self::Token(token) = self else { return Ok(()) };
        let Some(token) = token else {
            let why = "nothing can be changed here: set `[http] token`, or use `mailcanary incident` and `mailcanary silence` on its host";
            return Err(Refused(StatusCode::FORBIDDEN, why.to_owned()));
        };
        let given = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        // Digests are compared, so that how long it takes tells nothing of the token.
        let digest = |text: &str| Sha256::digest(text.trim().as_bytes());
        let same = given.is_some_and(|given| digest(given) == digest(token.expose()));
        if same {
            Ok(())
        } else {
            Err(Refused(StatusCode::UNAUTHORIZED, "send the token of `[http] token` as `Authorization: Bearer`".to_owned()))
        }
    }
}

impl Desk {
    async fn order(&self, event: Event) -> Result<View, Refused> {
        let (done, answer) = oneshot::channel();
        let asked = async {
            self.orders.send(Order { event, done }).await.ok()?;
            answer.await.ok()
        };
        let late = || {
            Refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "it was not written down in time: see whether it is there before you try again".to_owned(),
            )
        };
        let said = timeout(ANSWER, asked).await.ok().flatten().ok_or_else(late)?;
        said.map_err(|why| Refused(StatusCode::NOT_FOUND, why))
    }
}

impl Wished {
    fn times(&self, now: At) -> Result<(Option<At>, At), Refused> {
        let wrong = |what: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, what.to_owned());
        let instant = |text: &String| At::from_rfc3339(text).ok_or_else(|| wrong("times are written as `2022-08-08T19:30:00Z`"));
        let from = self.from.as_ref().map(instant).transpose()?;
        let begins = from.unwrap_or(now);
        let until = match (&self.lasts, &self.until) {
            (Some(lasts), None) => begins.plus(span(lasts).ok_or_else(|| wrong("`lasts` is written as `90s`, `1h30m` or `2d`"))?),
            (None, Some(until)) => instant(until)?,
            _ => return Err(wrong("a silence has an end: give either `lasts` or `until`")),
        };
        if until <= now.max(begins) {
            return Err(wrong("a silence ends after it begins, and not in the past"));
        }
        if until.since(begins) > LONGEST_SILENCE {
            return Err(wrong("a silence lasts 90 days at most: what is not to be told of for longer belongs out of the configuration"));
        }
        Ok((from, until))
    }
}

fn incident(id: &str) -> Result<IncidentId, Refused> {
    id.parse().map(IncidentId).or(Err(Refused(StatusCode::NOT_FOUND, "an incident has a number".to_owned())))
}

fn named(by: String) -> Result<String, Refused> {
    if by.trim().is_empty() { Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, "say who you are: `by`".to_owned())) } else { Ok(by) }
}

fn read<'b, T: Deserialize<'b>>(body: &'b Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(StatusCode::BAD_REQUEST, format!("the body is not as it should be: {error}")))
}

fn told(view: &View, incident: IncidentId) -> Response {
    let found = view.incidents.iter().find(|i| i.incident == incident);
    answer(StatusCode::OK, &found.map_or(Value::Null, |incident| json!(incident)))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
