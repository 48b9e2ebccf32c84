//! An account at SparkPost, as its documents describe it: mail that is handed in goes out over a real server, and the account has a status.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The key of the account.
pub const KEY: &str = "sparkpost-api-key";

/// What is said of the account.
#[derive(Clone, Debug)]
pub enum Says {
    /// This status, and why.
    Status(&'static str, Option<&'static str>),
    /// That there were too many questions, and for how long none is wanted.
    TooMany(&'static str),
    /// Nothing, for ever.
    Nothing,
}

#[derive(Debug)]
struct Server {
    says: Mutex<Says>,
    asked: AtomicUsize,
    smtp: u16,
}

/// A running account.
#[derive(Debug)]
pub struct SparkPost {
    pub address: SocketAddr,
    server: Arc<Server>,
    task: JoinHandle<()>,
}

impl SparkPost {
    /// One that is active, and whose mail goes out by SMTP to a port on loopback.
    pub async fn start(smtp: u16) -> Self {
        let server = Arc::new(Server { says: Mutex::new(Says::Status("active", None)), asked: AtomicUsize::new(0), smtp });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/api/v1/transmissions", post(transmissions))
            .route("/api/v1/account", get(account))
            .with_state(Arc::clone(&server));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, server, task }
    }

    pub fn set(&self, says: Says) {
        *self.server.says.lock().unwrap() = says;
    }

    /// How often somebody asked how the account stands.
    pub fn asked(&self) -> usize {
        self.server.asked.load(Ordering::SeqCst)
    }
}

impl Drop for SparkPost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The answer to a caller that is not the owner of the account.
fn stranger(headers: &HeaderMap) -> Option<Response> {
    let known = headers.get("authorization").is_some_and(|key| key == KEY);
    (!known).then(|| answer(StatusCode::UNAUTHORIZED, &json!({ "errors": [{ "message": "Unauthorized." }] })))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

async fn transmissions(State(server): State<Arc<Server>>, headers: HeaderMap, body: String) -> Response {
    if let Some(refused) = stranger(&headers) {
        return refused;
    }
    let mail: Value = serde_json::from_str(&body).unwrap();
    let address = &mail["recipients"][0]["address"];
    let to = address["email"].as_str().or(address.as_str()).unwrap();
    let from = &mail["content"]["from"];
    let from = from["email"].as_str().or(from.as_str()).unwrap();
    let text = mail["content"]["text"].as_str().unwrap().to_owned();
    let message = Message::builder().from(from.parse().unwrap()).to(to.parse().unwrap());
    let message = message.subject(mail["content"]["subject"].as_str().unwrap()).header(ContentType::TEXT_PLAIN).body(text).unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(server.smtp).build();
    transport.send(message).await.unwrap();
    let results = json!({ "total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": "66123596945797072" });
    answer(StatusCode::OK, &json!({ "results": results }))
}

async fn account(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(refused) = stranger(&headers) {
        return refused;
    }
    let says = server.says.lock().unwrap().clone();
    match says {
        Says::Status(status, why) => {
            let mut results = json!({ "company_name": "Example", "status": status });
            if let Some(why) = why {
                results["status_reason_category"] = json!(why);
            }
            answer(StatusCode::OK, &json!({ "results": results }))
        }
        Says::Nothing => std::future::pending().await,
        Says::TooMany(wait) => {
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, &json!({ "errors": [{ "message": "Too many requests" }] }));
            response.headers_mut().insert("retry-after", wait.parse().unwrap());
            response
        }
    }
}
