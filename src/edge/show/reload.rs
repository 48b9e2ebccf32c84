//! `POST /-/reload`: the configuration is read again, and the answer says how that ended.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tower_service::Service;

use super::people::{Guard, Refused};

/// A reload is over within this: secrets are read, and sinks end what they are just telling.
const ANSWER: Duration = Duration::from_secs(30);

/// Somebody wants the configuration read again.
#[derive(Debug)]
pub struct Wish {
    /// Who or what, for the log.
    pub by: &'static str,
    /// How it ended: what is likely not meant in what was taken over, or every complaint about what was not.
    pub done: Option<oneshot::Sender<Result<Vec<String>, Vec<String>>>>,
}

impl Wish {
    /// One whose end nobody waits for.
    #[must_use]
    pub const fn of(by: &'static str) -> Self {
        Self { by, done: None }
    }
}

/// The path, for whom `guard` lets in.
pub fn reload(wishes: mpsc::Sender<Wish>, guard: Guard) -> Router {
    Router::new().route("/-/reload", post(wish)).with_state((wishes, guard))
}

/// Whatever router is the newest, at each request.
pub fn current(routers: watch::Receiver<Router>) -> Router {
    Router::new().fallback(move |request: Request| {
        let mut router = routers.borrow().clone();
        async move { router.call(request).await }
    })
}

async fn wish(State((wishes, guard)): State<(mpsc::Sender<Wish>, Guard)>, headers: HeaderMap) -> Result<Response, Refused> {
    guard.let_in(&headers)?;
    let (done, ended) = oneshot::channel();
    let asked = async {
        wishes.send(Wish { by: "a request", done: Some(done) }).await.ok()?;
        ended.await.ok()
    };
    let late = || Refused(StatusCode::SERVICE_UNAVAILABLE, "it did not end in time: the log has how it ended".to_owned());
    Ok(match timeout(ANSWER, asked).await.ok().flatten().ok_or_else(late)? {
        Ok(warnings) => answer(StatusCode::OK, &json!({ "reloaded": true, "warnings": warnings })),
        Err(complaints) => {
            let error = format!("the configuration was not reloaded; the old one goes on:\n{}", complaints.join("\n"));
            answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "reloaded": false, "error": error, "complaints": complaints }))
        }
    })
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
