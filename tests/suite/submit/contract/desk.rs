//! A provider's API as its documents describe it: a server that holds every request against a strict list, and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use data_encoding::BASE64;
use serde_json::Value;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Asked {
    /// A header that must be there once.
    pub fn header(&self, name: &str) -> String {
        let all: Vec<_> = self.headers.get_all(name).iter().collect();
        assert_eq!(all.len(), 1, "`{name}` stands {} times", all.len());
        all[0].to_str().unwrap().to_owned()
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Its body, which must say that it is JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Its body, which must say that it is a form and have each field once.
    pub fn form(&self) -> BTreeMap<String, String> {
        assert_eq!(self.header("content-type"), "application/x-www-form-urlencoded");
        let mut fields = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(&self.body) {
            assert_eq!(fields.insert(name.clone().into_owned(), value.into_owned()), None, "{name} twice");
        }
        fields
    }

    /// It is a `POST` to `path`, without a query, and says who asks.
    pub fn is_post(&self, path: &str) {
        assert_eq!((self.method.as_str(), self.path.as_str(), self.query.as_str()), ("POST", path, ""));
        assert!(self.header("user-agent").starts_with("mailcanary/"));
    }

    pub fn is_bearer(&self, token: &str) {
        assert_eq!(self.header("authorization"), format!("Bearer {token}"));
    }

    pub fn is_basic(&self, user: &str, password: &str) {
        assert_eq!(self.header("authorization"), format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes())));
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Told {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }
}

/// What holds a request against the documents: panics where it does not fit.
pub type Strict = fn(&Asked);

#[derive(Default)]
struct Inner {
    answers: VecDeque<Told>,
    asked: Vec<Asked>,
    complaints: Vec<String>,
}

/// The server.
pub struct Desk {
    pub port: u16,
    inner: Arc<Mutex<Inner>>,
    task: tokio::task::JoinHandle<()>,
}

impl Desk {
    /// One that gives these answers in turn, whatever it is asked.
    pub async fn new(answers: impl IntoIterator<Item = Told>) -> Self {
        let inner = Arc::new(Mutex::new(Inner { answers: answers.into_iter().collect(), ..Inner::default() }));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::clone(&inner);
        let router = Router::new().fallback(move |request: Request| answer(Arc::clone(&state), request));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, inner, task }
    }

    /// What was asked, each held against `strict`.
    pub fn asked(&self, strict: Strict) -> Vec<Asked> {
        let inner = self.inner.lock().unwrap();
        assert!(inner.complaints.is_empty(), "{:?}", inner.complaints);
        inner.asked.iter().for_each(strict);
        inner.asked.clone()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(inner: Arc<Mutex<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    let mut inner = inner.lock().unwrap();
    let told = inner.answers.pop_front();
    if told.is_none() {
        inner.complaints.push(format!("asked once more: {asked:?}"));
    }
    inner.asked.push(asked);
    let told = told.unwrap_or_else(|| Told::new(500, ""));
    let mut response = Response::new(Body::from(told.body));
    *response.status_mut() = told.status.try_into().unwrap();
    for (name, value) in told.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
