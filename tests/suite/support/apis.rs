//! Eleven providers that take mail and deliver none, each with its own API as their documents describe it: what one is asked of a mail, it
//! answers by the fate that all mail here has.
//!
//! One server for all: a provider's `base_url` is the server's with its kind behind it. Keys, signatures and what a mail looks like are looked
//! at elsewhere.

mod told;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use mailcanary::model::Fate;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A question, as it came.
struct Asked {
    kind: String,
    /// Its path behind the kind, with the query.
    path: String,
    body: Value,
    fate: Fate,
    /// The id that was given to a mail of this kind, if the question names it.
    id: Option<String>,
}

type Answer = (StatusCode, HeaderMap, String);

#[derive(Debug, Default)]
struct Inner {
    taken: BTreeMap<String, Vec<String>>,
    complaints: Vec<String>,
}

/// The running server.
#[derive(Debug)]
pub struct Apis {
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    task: JoinHandle<()>,
}

impl Apis {
    /// One in which all mail becomes this.
    pub async fn start(fate: Fate) -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&inner);
        let router = Router::new().fallback(move |request: Request| answer(Arc::clone(&shared), fate, request));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inner, task }
    }

    /// What was asked that no document knows.
    pub fn complaints(&self) -> Vec<String> {
        self.inner.lock().unwrap().complaints.clone()
    }
}

impl Drop for Apis {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(inner: Arc<Mutex<Inner>>, fate: Fate, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let path = parts.uri.path_and_query().unwrap().as_str().trim_start_matches('/').to_owned();
    let (kind, path) = path.split_once('/').unwrap();
    let is_send = parts.method == "POST" && !path.starts_with("api/1.0/messages/info") && !path.starts_with("api/1.0/rejects/");
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut inner = inner.lock().unwrap();
    if is_send {
        let given = inner.taken.entry(kind.to_owned()).or_default();
        // Mailjet's ids are numbers beyond what a float can hold, Azure's are the caller's own choice.
        let chosen = parts.headers.get("operation-id").map(|id| id.to_str().unwrap().to_owned());
        let id = chosen.unwrap_or_else(|| format!("{}", 1_152_921_504_606_846_976 + given.len()));
        given.push(id.clone());
        return taken(kind, &id);
    }
    let names = |id: &&String| path.contains(id.as_str()) || text.contains(id.as_str());
    let id = inner.taken.get(kind).and_then(|given| given.iter().find(names)).cloned();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let asked = Asked { kind: kind.to_owned(), path: path.to_owned(), body, fate, id };
    told::told(&asked).unwrap_or_else(|| {
        inner.complaints.push(format!("{} {kind}: {} {}", parts.method, asked.path, asked.body));
        (StatusCode::NOT_FOUND, HeaderMap::new(), String::new())
    })
}

fn says(status: u16, body: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    (StatusCode::from_u16(status).unwrap(), headers, body.to_string())
}

/// The acceptance, which means no more than that.
fn taken(kind: &str, id: &str) -> Answer {
    let with = |name: &'static str| {
        let (_, mut headers, _) = says(202, &Value::Null);
        headers.insert(name, id.parse().unwrap());
        (StatusCode::ACCEPTED, headers, String::new())
    };
    match kind {
        "mandrill" => says(200, &json!([{ "email": "x", "status": "sent", "_id": id, "reject_reason": null, "queued_reason": null }])),
        "sendgrid" | "mailersend" => with("x-message-id"),
        "postmark" => says(200, &json!({ "To": "x", "MessageID": id, "ErrorCode": 0, "Message": "OK" })),
        "mailgun" => says(200, &json!({ "id": format!("<{id}>"), "message": "Queued. Thank you." })),
        "ses" => says(200, &json!({ "MessageId": id })),
        "sparkpost" => says(200, &json!({ "results": { "total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": id } })),
        "resend" => says(200, &json!({ "id": id })),
        "brevo" => says(201, &json!({ "messageId": format!("<{id}>") })),
        "mailjet" => {
            let number: u64 = id.parse().unwrap();
            says(200, &json!({ "Messages": [{ "Status": "success", "To": [{ "Email": "x", "MessageID": number, "MessageUUID": "u" }] }] }))
        }
        _ => says(202, &json!({ "id": id, "status": "Running", "error": null })),
    }
}
