//! Submission over HTTP, after the API of Mailchimp Transactional (Mandrill) 1.4.1.

mod mime;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::door::dawdle;
use super::message::MAX_MESSAGE;
use super::refusal::{self, ApiRefusal, error};
use super::{Fault, Provider};
use crate::model::Class;
use mime::Submission;

/// Recipients of one call.
const RECIPIENTS: usize = 100;

/// Marks a response that is not to be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("cut off on purpose")]
struct CutOff;

/// Serves one connection until it is closed, or silent for the world's patience.
pub(super) async fn serve(stream: TcpStream, provider: Arc<Provider>) {
    provider.count(|c| {
        c.connections += 1;
        c.open += 1;
    });
    let _leaving = Leaving(Arc::clone(&provider));
    let patience = Duration::from(provider.setting.patience);
    let router = TowerToHyperService::new(router(provider));
    let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<CutOff>().is_some() { Err(CutOff) } else { Ok(response) }
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(64 << 10);
    // How a connection ended is no news: the client broke it off, or we did on purpose.
    drop(builder.serve_connection(TokioIo::new(stream), answer).await);
}

fn router(provider: Arc<Provider>) -> Router {
    let calls = Router::new()
        .route("/messages/send", post(send))
        .route("/messages/send.json", post(send))
        .route("/messages/info", post(became))
        .route("/messages/info.json", post(became))
        .route("/rejects/list", post(rejects))
        .route("/rejects/list.json", post(rejects))
        .route("/users/ping2", post(ping))
        .route("/users/ping2.json", post(ping))
        .route("/users/info", post(info))
        .route("/users/info.json", post(info));
    Router::new().nest("/api/1.0", calls.clone()).nest("/api/1.3", calls).with_state(provider)
}

async fn ping(State(provider): State<Arc<Provider>>, request: Request) -> Response {
    match authorised(&provider, request).await {
        Ok(_) => reply(200, &json!({ "PING": "PONG!" })),
        Err(refusal) => refuse(&refusal),
    }
}

async fn info(State(provider): State<Arc<Provider>>, request: Request) -> Response {
    // An account that is suspended in silence shows nothing of it here either.
    let silent = matches!(provider.fault(), Some(Fault::SuspendSilently));
    let backlog = if silent { 0 } else { provider.counts().held };
    match authorised(&provider, request).await {
        Ok(_) => reply(
            200,
            &json!({
                "username": provider.name().as_str(),
                "public_id": "sandbox",
                "reputation": 100,
                "hourly_quota": 25_000,
                "backlog": backlog,
                "stats": {},
            }),
        ),
        Err(refusal) => refuse(&refusal),
    }
}

/// What became of a message, of an account that holds its mail back: nothing yet. Another account is not asked here.
async fn became(State(provider): State<Arc<Provider>>, request: Request) -> Response {
    match authorised(&provider, request).await {
        Ok(body) if holds_back(&provider) => reply(200, &json!({ "_id": body.get("id"), "state": "queued", "smtp_events": [] })),
        Ok(_) => plain(404, "text/html", String::new()),
        Err(refusal) => refuse(&refusal),
    }
}

/// Which recipients are not written to any more: nobody.
async fn rejects(State(provider): State<Arc<Provider>>, request: Request) -> Response {
    match authorised(&provider, request).await {
        Ok(_) if holds_back(&provider) => reply(200, &json!([])),
        Ok(_) => plain(404, "text/html", String::new()),
        Err(refusal) => refuse(&refusal),
    }
}

fn holds_back(provider: &Provider) -> bool {
    matches!(provider.fault(), Some(Fault::Suspend | Fault::SuspendSilently))
}

async fn send(State(provider): State<Arc<Provider>>, request: Request) -> Response {
    let body = match authorised(&provider, request).await {
        Ok(body) => body,
        Err(refusal) => return refuse(&refusal),
    };
    let submission = match Submission::read(body, RECIPIENTS) {
        Ok(submission) => submission,
        Err(why) => {
            provider.count(|c| c.refused += 1);
            return refuse(&error(400, -2, "ValidationError", &why));
        }
    };
    let fault = provider.fault();
    if let Some(Fault::Refuse(class)) = fault {
        provider.count(|c| c.refused += 1);
        return match refusal::mandrill(class) {
            ApiRefusal::EachRecipient(fields) => reply(200, &each(&provider, &submission, &fields)),
            whole @ (ApiRefusal::Error(..) | ApiRefusal::Bare(..)) => refuse(&whole),
        };
    }
    let answers = match queue(&provider, &submission, fault.as_ref()) {
        Ok(answers) => answers,
        Err(refusal) => {
            provider.count(|c| c.refused += 1);
            return refuse(&refusal);
        }
    };
    match fault {
        Some(Fault::NoAnswer) => std::future::pending().await,
        Some(Fault::CutOff) => {
            let mut response = reply(200, &answers);
            response.extensions_mut().insert(CutOff);
            response
        }
        Some(_) | None => reply(200, &answers),
    }
}

/// Takes the message for each recipient; the answer's array.
fn queue(provider: &Provider, submission: &Submission, fault: Option<&Fault>) -> Result<Value, ApiRefusal> {
    let at = (provider.setting.now)();
    let (status, reason) = match fault {
        Some(Fault::Suspend) => ("queued", Some("account-suspended")),
        Some(Fault::SuspendSilently) => ("queued", None),
        Some(_) | None if submission.asynchronous => ("queued", None),
        Some(_) | None => ("sent", None),
    };
    let mut answers = Vec::new();
    for recipient in &submission.recipients {
        let ticket = provider.ticket();
        let message = submission.message(&ticket.id, recipient, at).map_err(|why| error(400, -2, "ValidationError", &why))?;
        if message.len() > MAX_MESSAGE {
            return Err(error(400, -2, "ValidationError", "Message is too large"));
        }
        let sender = format!("bounce-md_1.{}@mandrillapp.test", ticket.id);
        provider.take(&ticket, &sender, &recipient.email, &message, "HTTP").map_err(|_full| refusal::mandrill(Class::Transient))?;
        let mut answer = json!({ "email": recipient.email, "_id": ticket.id, "status": status, "reject_reason": null });
        if let (Some(reason), Some(fields)) = (reason, answer.as_object_mut()) {
            fields.insert("queued_reason".to_owned(), reason.into());
        }
        answers.push(answer);
    }
    Ok(answers.into())
}

/// The same refusal for each recipient.
fn each(provider: &Provider, submission: &Submission, fields: &Value) -> Value {
    let one = |email: &str| {
        let mut answer = fields.clone();
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("email".to_owned(), email.into());
            answer.insert("_id".to_owned(), provider.ticket().id.into());
        }
        answer
    };
    submission.recipients.iter().map(|recipient| one(&recipient.email)).collect()
}

/// Reads the body and holds the key in it, or in the header `X-MC-ApiKey`, against ours.
async fn authorised(provider: &Provider, request: Request) -> Result<Value, ApiRefusal> {
    let header = request.headers().get("x-mc-apikey").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let reading = timeout(provider.setting.patience.into(), to_bytes(request.into_body(), 2 * MAX_MESSAGE));
    let invalid = |message: &str| error(400, -2, "ValidationError", message);
    let Ok(Ok(bytes)) = reading.await else { return Err(invalid("The request could not be read")) };
    dawdle(&provider.switch()).await;
    let body: Value = serde_json::from_slice(&bytes).map_err(|_syntax| invalid("You must specify a key value"))?;
    let given = body.get("key").and_then(Value::as_str).or(header.as_deref());
    if given != Some(provider.secret()) {
        provider.count(|c| c.refused += 1);
        return Err(error(401, -1, "Invalid_Key", "Invalid API key"));
    }
    if let Some(Fault::Refuse(Class::Auth)) = provider.fault() {
        provider.count(|c| c.refused += 1);
        return Err(refusal::mandrill(Class::Auth));
    }
    Ok(body)
}

fn refuse(refusal: &ApiRefusal) -> Response {
    match refusal {
        ApiRefusal::Error(status, body) => reply(*status, body),
        ApiRefusal::EachRecipient(body) => reply(200, body),
        ApiRefusal::Bare(status, body) => plain(*status, "text/html", (*body).to_owned()),
    }
}

fn reply(status: u16, body: &Value) -> Response {
    plain(status, "application/json; charset=utf-8", body.to_string())
}

fn plain(status: u16, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Counts a connection out, however it ends.
struct Leaving(Arc<Provider>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.count(|c| c.open = c.open.saturating_sub(1));
    }
}
