//! A web service that keeps what it is told, for sinks: it behaves as its documents say, or as it is told to for once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::alertmanager::PATIENCE;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Asked {
    /// Its body, which must say that it is JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header that must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no `{name}`")).to_str().unwrap()
    }
}

/// An answer, or none for a long time.
#[derive(Clone, Debug)]
pub enum Told {
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    Silence,
}

impl Told {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self::Answer(status, vec![("content-type", "text/plain".to_owned())], body.as_bytes().to_vec())
    }

    pub fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            Self::Silence => self,
        }
    }
}

/// How the service answers when nothing else is said.
pub type Manner<T> = fn(&mut T, &Asked) -> Told;

struct Inner<T> {
    state: T,
    manner: Manner<T>,
    instead: VecDeque<Told>,
    /// What is wrong with requests that the documents do not allow.
    complaints: Vec<String>,
}

/// The server.
pub struct Service<T> {
    pub base: String,
    inner: Arc<Mutex<Inner<T>>>,
    asked: mpsc::UnboundedReceiver<Asked>,
    task: JoinHandle<()>,
}

impl<T: Default + Send + 'static> Service<T> {
    pub async fn start(manner: Manner<T>) -> Self {
        let inner = Arc::new(Mutex::new(Inner { state: T::default(), manner, instead: VecDeque::new(), complaints: Vec::new() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = mpsc::unbounded_channel();
        let shared = Arc::clone(&inner);
        let router = Router::new().fallback(move |request: Request| answer(Arc::clone(&shared), sender.clone(), request));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, inner, asked, task }
    }

    /// These answers come first, whatever is asked.
    pub fn instead(&self, answers: impl IntoIterator<Item = Told>) {
        self.inner.lock().unwrap().instead.extend(answers);
    }

    /// The next request.
    pub async fn next(&mut self) -> Asked {
        timeout(PATIENCE, self.asked.recv()).await.expect("nothing was asked").unwrap()
    }

    /// How many requests came in that nobody took.
    pub fn rest(&mut self) -> usize {
        std::iter::from_fn(|| self.asked.try_recv().ok()).count()
    }

    /// What it keeps.
    pub fn look<R>(&self, at: impl FnOnce(&mut T) -> R) -> R {
        let mut inner = self.inner.lock().unwrap();
        assert!(inner.complaints.is_empty(), "{:?}", inner.complaints);
        at(&mut inner.state)
    }
}

impl<T> Drop for Service<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer<T: Send + 'static>(inner: Arc<Mutex<Inner<T>>>, sender: mpsc::UnboundedSender<Asked>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let asked = Asked { method: parts.method.to_string(), path, query, headers: parts.headers, body };
    let told = {
        let mut inner = inner.lock().unwrap();
        let manner = inner.manner;
        inner.instead.pop_front().unwrap_or_else(|| {
            let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| manner(&mut inner.state, &asked)));
            told.unwrap_or_else(|why| {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_else(|| "a request that is not allowed".to_owned());
                inner.complaints.push(format!("{why}: {asked:?}"));
                Told::text(400, "not as documented")
            })
        })
    };
    drop(sender.send(asked));
    let Told::Answer(status, headers, body) = told else { return std::future::pending().await };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
