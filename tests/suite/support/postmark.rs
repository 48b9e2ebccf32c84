//! An account at Postmark, as its documents describe it: mail that is handed in goes out over a real server, or is dropped behind the 200.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The token of the server's API.
pub const TOKEN: &str = "postmark-server-token";

/// What becomes of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It goes out.
    Well,
    /// It bounces, and the sender hears nothing of it.
    Bouncing,
    /// Its recipient is on the list of suppressions, and it is dropped.
    Suppressing,
}

#[derive(Debug)]
struct Server {
    mood: Mutex<Mood>,
    /// What became of each message, by its id.
    events: Mutex<BTreeMap<String, Value>>,
    smtp: u16,
}

/// A running account.
#[derive(Debug)]
pub struct Postmark {
    pub address: SocketAddr,
    server: Arc<Server>,
    task: JoinHandle<()>,
}

impl Postmark {
    /// One whose mail goes out by SMTP to a port on loopback.
    pub async fn start(smtp: u16) -> Self {
        let server = Arc::new(Server { mood: Mutex::new(Mood::Well), events: Mutex::default(), smtp });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/email", post(email))
            .route("/messages/outbound/{id}/details", get(details))
            .route("/message-streams/outbound/suppressions/dump", get(dump))
            .with_state(Arc::clone(&server));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, server, task }
    }

    pub fn set(&self, mood: Mood) {
        *self.server.mood.lock().unwrap() = mood;
    }
}

impl Drop for Postmark {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Answer = (StatusCode, String);

/// The error of a caller that is not the owner of the account.
fn stranger(headers: &HeaderMap) -> Option<Answer> {
    let known = headers.get("x-postmark-server-token").is_some_and(|token| token == TOKEN);
    (!known).then(|| (StatusCode::UNAUTHORIZED, json!({ "ErrorCode": 10, "Message": "Bad or missing API token." }).to_string()))
}

async fn email(State(server): State<Arc<Server>>, headers: HeaderMap, body: String) -> Answer {
    if let Some(refused) = stranger(&headers) {
        return refused;
    }
    let mail: Value = serde_json::from_str(&body).unwrap();
    let mood = *server.mood.lock().unwrap();
    let text = |name: &str| mail[name].as_str().unwrap().to_owned();
    if mood == Mood::Well {
        let message = Message::builder().from(text("From").parse().unwrap()).to(text("To").parse().unwrap()).subject(text("Subject"));
        let message = message.header(ContentType::TEXT_PLAIN).body(text("TextBody")).unwrap();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(server.smtp).build();
        transport.send(message).await.unwrap();
    }
    let events = match mood {
        Mood::Well => json!([{ "Type": "Delivered", "Details": { "DeliveryMessage": "smtp;250 2.0.0 OK" } }]),
        Mood::Bouncing => json!([{ "Type": "Bounced", "Details": { "Summary": "smtp;550 5.1.1 no such user" } }]),
        Mood::Suppressing => json!([]),
    };
    let mut known = server.events.lock().unwrap();
    let id = format!("00000000-0000-4000-8000-{:012x}", known.len());
    known.insert(id.clone(), events);
    (StatusCode::OK, json!({ "To": mail["To"], "MessageID": id, "ErrorCode": 0, "Message": "OK" }).to_string())
}

async fn details(State(server): State<Arc<Server>>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    if let Some(refused) = stranger(&headers) {
        return refused;
    }
    match server.events.lock().unwrap().get(&id) {
        Some(events) => (StatusCode::OK, json!({ "MessageID": id, "Status": "Queued", "MessageEvents": events }).to_string()),
        None => (StatusCode::UNPROCESSABLE_ENTITY, json!({ "ErrorCode": 701, "Message": "There is no such message." }).to_string()),
    }
}

async fn dump(State(server): State<Arc<Server>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    if let Some(refused) = stranger(&headers) {
        return refused;
    }
    let listed = *server.mood.lock().unwrap() == Mood::Suppressing;
    let query = query.unwrap();
    let (_, seed) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "EmailAddress").unwrap();
    let entry = json!({ "EmailAddress": seed, "SuppressionReason": "HardBounce", "Origin": "Recipient" });
    (StatusCode::OK, json!({ "Suppressions": if listed { vec![entry] } else { Vec::new() } }).to_string())
}
