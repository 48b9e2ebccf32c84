//! An account at SendGrid, as its documents describe it: mail that is handed in goes out over a real server, or is dropped behind the 202; and a
//! signed event webhook that tells of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use data_encoding::BASE64;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The key of the API.
pub const KEY: &str = "SG.sendgrid-key";

#[derive(Debug, Default)]
struct Account {
    dropping: bool,
    /// What the webhook is to tell, with the custom arguments and the id of each mail.
    untold: Vec<Value>,
    taken: usize,
}

#[derive(Debug)]
struct Server {
    account: Mutex<Account>,
    smtp: u16,
}

/// A running account.
#[derive(Debug)]
pub struct SendGrid {
    pub address: SocketAddr,
    server: Arc<Server>,
    pair: KeyPair,
    task: JoinHandle<()>,
}

impl SendGrid {
    /// One whose mail goes out by SMTP to a port on loopback.
    pub async fn start(smtp: u16) -> Self {
        let server = Arc::new(Server { account: Mutex::default(), smtp });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v3/mail/send", post(send)).with_state(Arc::clone(&server));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, server, pair: KeyPair::generate().unwrap(), task }
    }

    /// The verification key, as the console shows it.
    pub fn public_key(&self) -> String {
        BASE64.encode(&self.pair.subject_public_key_info())
    }

    /// From now on mail bounces, and only the webhook says so.
    pub fn drop_mail(&self) {
        self.server.account.lock().unwrap().dropping = true;
    }

    /// The id of the oldest mail of which nothing was told yet.
    pub fn oldest(&self) -> Option<String> {
        let account = self.server.account.lock().unwrap();
        let id = account.untold.first()?["sg_message_id"].as_str()?.split_once(".recvd")?.0.to_owned();
        Some(id)
    }

    /// What happened to mail since the last time: of each dropped one a bounce, with this reason.
    pub fn untold(&self, reason: &str) -> Vec<Value> {
        let mut events = std::mem::take(&mut self.server.account.lock().unwrap().untold);
        for event in &mut events {
            event["reason"] = json!(reason);
        }
        events
    }

    /// Posts events to a webhook, signed; the status.
    pub async fn tell(&self, url: &str, events: &[Value]) -> u16 {
        let (stamp, body) = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string(), json!(events).to_string());
        let signature = BASE64.encode(&self.pair.sign(format!("{stamp}{body}").as_bytes()).unwrap());
        let request = super::alertmanager::http().post(url).header("content-type", "application/json");
        let request =
            request.header("x-twilio-email-event-webhook-timestamp", stamp).header("x-twilio-email-event-webhook-signature", signature);
        request.body(body).send().await.unwrap().status().as_u16()
    }
}

impl Drop for SendGrid {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn send(State(server): State<Arc<Server>>, headers: HeaderMap, body: String) -> (StatusCode, HeaderMap, String) {
    let known = headers.get("authorization").is_some_and(|given| given == format!("Bearer {KEY}").as_str());
    if !known {
        let errors = json!({ "errors": [{ "message": "The provided authorization grant is invalid, expired, or revoked" }] });
        return (StatusCode::UNAUTHORIZED, HeaderMap::new(), errors.to_string());
    }
    let mail: Value = serde_json::from_str(&body).unwrap();
    let (id, dropped) = {
        let mut account = server.account.lock().unwrap();
        account.taken += 1;
        let id = format!("14c5d75ce93.dfd.{:06x}", account.taken);
        if account.dropping {
            let to = &mail["personalizations"][0]["to"][0]["email"];
            let mut event = json!({ "email": to, "event": "bounce", "type": "bounce", "sg_message_id": format!("{id}.recvd-5d8-1-0") });
            for (name, value) in mail["custom_args"].as_object().unwrap() {
                event[name] = value.clone();
            }
            account.untold.push(event);
        }
        (id, account.dropping)
    };
    if !dropped {
        let text = |at: &str| mail.pointer(at).unwrap().as_str().unwrap().to_owned();
        let message =
            Message::builder().from(text("/from/email").parse().unwrap()).to(text("/personalizations/0/to/0/email").parse().unwrap());
        let message = message.subject(text("/subject")).header(ContentType::TEXT_PLAIN).body(text("/content/0/value")).unwrap();
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(server.smtp).build().send(message).await.unwrap();
    }
    (StatusCode::ACCEPTED, HeaderMap::from_iter([("x-message-id".parse().unwrap(), id.parse().unwrap())]), String::new())
}
