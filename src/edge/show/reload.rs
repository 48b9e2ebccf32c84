//! `POST /-/reload`: the configuration is read again, and the answer says how that ended.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tower_service::Service;

use super::gate::Gate;
use super::problem::Problem;

/// A reload is over within this: secrets are read, and sinks end what they are just telling.
const ANSWER: Duration = Duration::from_secs(30);

/// How it begins that a configuration was refused.
pub const REFUSED: &str = "the configuration was not reloaded; the old one goes on";

/// Somebody wants the configuration read again.
#[derive(Debug)]
pub struct Wish {
    /// Who or what, for the log.
    pub by: &'static str,
    /// How it ended: what was taken over, or every complaint about what was not.
    pub done: Option<oneshot::Sender<Result<Taken, Vec<String>>>>,
}

/// A configuration that was taken over.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The file that it was read from, with its whole path.
    pub file: String,
    /// How many routes it has.
    pub routes: usize,
    /// What is likely not meant in it.
    pub warnings: Vec<String>,
}

impl Wish {
    /// One whose end nobody waits for.
    #[must_use]
    pub const fn of(by: &'static str) -> Self {
        Self { by, done: None }
    }
}

/// The path, for whom `gate` lets change something.
pub fn reload(wishes: mpsc::Sender<Wish>, gate: Gate) -> Router {
    Router::new().route("/-/reload", post(wish)).with_state((wishes, gate))
}

/// Whatever router is the newest, at each request.
pub fn current(routers: watch::Receiver<Router>) -> Router {
    Router::new().fallback(move |request: Request| {
        let mut router = routers.borrow().clone();
        async move { router.call(request).await }
    })
}

async fn wish(State((wishes, gate)): State<(mpsc::Sender<Wish>, Gate)>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    gate.may_change(&parts)?;
    let (done, ended) = oneshot::channel();
    let asked = async {
        wishes.send(Wish { by: "a request", done: Some(done) }).await.ok()?;
        ended.await.ok()
    };
    let late = || Problem::silent("it did not end in time: the log has how it ended");
    match timeout(ANSWER, asked).await.ok().flatten().ok_or_else(late)? {
        Ok(Taken { file, routes, warnings }) => {
            Ok(answer(&json!({ "reloaded": true, "file": file, "routes": routes, "warnings": warnings })))
        }
        Err(complaints) => {
            let why = format!("{REFUSED}:\n{}", complaints.join("\n"));
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).complaining(complaints))
        }
    }
}

fn answer(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
