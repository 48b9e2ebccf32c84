//! A JMAP server with a few mails in it, which behaves as its documents say, or as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// The account that everything is in.
pub const ACCOUNT: &str = "u1";

/// An answer out of the ordinary.
pub enum Odd {
    Usual,
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// So much of it, again and again, without an end.
    Endless(&'static str),
    Silence,
}

/// A mail in the mailbox.
#[derive(Clone, Debug)]
pub struct Kept {
    pub mailbox: &'static str,
    pub received_at: String,
    pub raw: String,
    /// The state in which it was put there, and that in which it was last changed.
    created: usize,
    changed: usize,
}

/// What the server has.
#[derive(Default)]
pub struct Store {
    pub mails: BTreeMap<String, Kept>,
    pub state: usize,
    /// Changes since earlier states are not known.
    pub forgetful_before: usize,
    /// What was asked: `GET /path`, or the method's name.
    pub asked: Vec<String>,
    /// What was shown to prove who asks.
    pub shown: Vec<String>,
    pub get_most: usize,
    pub calls_most: usize,
    /// How many mails are destroyed by us.
    pub destroyed: Vec<String>,
}

type Manner = Box<dyn Fn(&str) -> Odd + Send + Sync>;

struct Inner {
    store: Mutex<Store>,
    manner: Manner,
    news: watch::Sender<usize>,
    pings: bool,
}

/// The server.
pub struct FakeJmap {
    pub base: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl FakeJmap {
    /// Starts one; `manner` is asked first what to do about `GET /path`, or a method's name.
    pub async fn run(manner: impl Fn(&str) -> Odd + Send + Sync + 'static) -> Self {
        Self::with(manner, true).await
    }

    /// The same; whether there are signs of life on the event source.
    pub async fn with(manner: impl Fn(&str) -> Odd + Send + Sync + 'static, pings: bool) -> Self {
        let store = Mutex::new(Store { get_most: 500, calls_most: 16, ..Store::default() });
        let inner = Arc::new(Inner { store, manner: Box::new(manner), news: watch::Sender::new(0), pings });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&inner);
        let router = Router::new().fallback(move |request: Request| answer(Arc::clone(&shared), request));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, inner, task }
    }

    /// Looks at, or changes, what it has.
    pub fn store<T>(&self, f: impl FnOnce(&mut Store) -> T) -> T {
        f(&mut self.inner.store.lock().unwrap())
    }

    /// Puts a mail into a mailbox (`in` or `junk`), and says so to whoever listens.
    pub fn put(&self, id: &str, mailbox: &'static str, raw: &str) {
        self.put_at(id, mailbox, raw, i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap());
    }

    /// The same, with the second at which it came.
    pub fn put_at(&self, id: &str, mailbox: &'static str, raw: &str, at: i64) {
        let received_at = chrono::DateTime::from_timestamp(at, 0).unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        self.store(|store| {
            store.state += 1;
            let (created, changed) = (store.state, store.state);
            store.mails.insert(id.to_owned(), Kept { mailbox, received_at, raw: raw.to_owned(), created, changed });
        });
        self.say();
    }

    /// Moves a mail, or only marks it if it stays where it is.
    pub fn change(&self, id: &str, mailbox: &'static str) {
        self.store(|store| {
            store.state += 1;
            let state = store.state;
            let mail = store.mails.get_mut(id).unwrap();
            (mail.mailbox, mail.changed) = (mailbox, state);
        });
        self.say();
    }

    fn say(&self) {
        self.inner.news.send_modify(|news| *news += 1);
    }

    /// How often this was asked.
    pub fn count(&self, what: &str) -> usize {
        self.store(|store| store.asked.iter().filter(|asked| asked.starts_with(what)).count())
    }

    /// Waits until this was asked so often.
    pub async fn wait_for(&self, what: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.count(what) < times {
            assert!(Instant::now() < deadline, "{what} was asked {} times", self.count(what));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for FakeJmap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(inner: Arc<Inner>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let shown = parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let bytes = timeout(Duration::from_secs(5), to_bytes(body, 1 << 20)).await.unwrap().unwrap();
    let calls: Option<Value> = serde_json::from_slice(&bytes).ok();
    let calls = calls.and_then(|calls| calls["methodCalls"].as_array().cloned()).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let asked: Vec<String> =
        if calls.is_empty() { vec![format!("GET {path}")] } else { calls.iter().map(|c| c[0].as_str().unwrap().to_owned()).collect() };
    {
        let mut store = inner.store.lock().unwrap();
        store.asked.extend(asked.clone());
        store.shown.push(shown);
    }
    for asked in &asked {
        match (inner.manner)(asked) {
            Odd::Usual => {}
            Odd::Answer(status, headers, body) => return response(status, headers, body),
            Odd::Endless(text) => {
                let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(text.repeat(1000)));
                return Response::new(Body::from_stream(endless));
            }
            Odd::Silence => std::future::pending().await,
        }
    }
    if !calls.is_empty() {
        let mut store = inner.store.lock().unwrap();
        assert!(calls.len() <= store.calls_most, "{} calls", calls.len());
        let answers: Vec<Value> = calls.iter().map(|call| method(&mut store, call)).collect();
        return as_json(&json!({ "methodResponses": answers, "sessionState": "s" }));
    }
    match path.as_str() {
        "/.well-known/jmap" => response(307, vec![("location", "/session".to_owned())], Vec::new()),
        "/session" => as_json(&session(&inner.store.lock().unwrap())),
        "/events/" => events(&inner),
        _ => {
            let store = inner.store.lock().unwrap();
            let mail = path.strip_prefix("/blob/u1/B").and_then(|id| store.mails.get(id.split('/').next().unwrap()));
            mail.map_or_else(|| response(404, Vec::new(), Vec::new()), |mail| response(200, Vec::new(), mail.raw.clone().into_bytes()))
        }
    }
}

fn session(store: &Store) -> Value {
    json!({
        "capabilities": { "urn:ietf:params:jmap:core": { "maxObjectsInGet": store.get_most, "maxCallsInRequest": store.calls_most },
                          "urn:ietf:params:jmap:mail": {} },
        "accounts": { ACCOUNT: { "name": "seed@example.test", "accountCapabilities": { "urn:ietf:params:jmap:mail": {} } } },
        "primaryAccounts": { "urn:ietf:params:jmap:mail": ACCOUNT },
        "username": "seed@example.test", "apiUrl": "/api", "uploadUrl": "/up/{accountId}", "state": "s",
        "downloadUrl": "/blob/{accountId}/{blobId}/{name}?type={type}",
        "eventSourceUrl": "/events/?types={types}&closeafter={closeafter}&ping={ping}",
    })
}

/// One call, answered.
fn method(store: &mut Store, call: &Value) -> Value {
    let (name, arguments, id) = (call[0].as_str().unwrap(), &call[1], &call[2]);
    assert_eq!(arguments["accountId"], ACCOUNT);
    let failed = |kind: &str| json!(["error", { "type": kind }, id]);
    let answer = match name {
        "Mailbox/get" => json!({ "list": [ { "id": "in", "name": "Inbox", "role": "inbox", "parentId": null },
            { "id": "junk", "name": "Müll", "role": "junk", "parentId": null }, { "id": "old", "name": "Archive", "role": null, "parentId": null } ] }),
        "Email/changes" => {
            let since: usize = arguments["sinceState"].as_str().unwrap().parse().unwrap();
            if since < store.forgetful_before {
                return failed("cannotCalculateChanges");
            }
            let of = |f: &dyn Fn(&Kept) -> bool| store.mails.iter().filter(|(_, m)| f(m)).map(|(id, _)| id.clone()).collect::<Vec<_>>();
            let created = of(&|mail| mail.created > since);
            let updated = of(&|mail| mail.created <= since && mail.changed > since);
            json!({ "oldState": since.to_string(), "newState": store.state.to_string(), "hasMoreChanges": false,
                    "created": created, "updated": updated, "destroyed": [] })
        }
        "Email/get" => {
            let ids: Vec<String> = serde_json::from_value(arguments["ids"].clone()).unwrap();
            assert!(ids.len() <= store.get_most, "{} ids", ids.len());
            let headers = arguments["properties"] == json!(["headers"]);
            let list: Vec<Value> = ids.iter().filter_map(|id| Some(email(id, store.mails.get(id)?, headers))).collect();
            json!({ "state": store.state.to_string(), "list": list, "notFound": [] })
        }
        "Email/query" => {
            let mut found: Vec<_> = store.mails.iter().filter(|(_, mail)| arguments["filter"]["inMailbox"] == mail.mailbox).collect();
            found.sort_by(|(_, a), (_, b)| b.received_at.cmp(&a.received_at));
            let (skip, take) = (arguments["position"].as_u64().unwrap(), arguments["limit"].as_u64().unwrap());
            let page = found.into_iter().skip(usize::try_from(skip).unwrap()).take(usize::try_from(take).unwrap());
            json!({ "ids": page.map(|(id, _)| id).collect::<Vec<_>>() })
        }
        "Email/set" => {
            let ids: Vec<String> = serde_json::from_value(arguments["destroy"].clone()).unwrap();
            for id in &ids {
                store.mails.remove(id);
            }
            store.destroyed.extend(ids.clone());
            json!({ "destroyed": ids, "notDestroyed": null })
        }
        _ => return failed("unknownMethod"),
    };
    json!([name, answer, id])
}

fn email(id: &str, mail: &Kept, headers: bool) -> Value {
    if headers {
        let header = mail.raw.split("\n\n").next().unwrap();
        let fields: Vec<Value> =
            header.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| json!({ "name": name, "value": value })).collect();
        return json!({ "id": id, "headers": fields });
    }
    json!({ "id": id, "blobId": format!("B{id}"), "mailboxIds": { mail.mailbox: true }, "receivedAt": mail.received_at, "size": mail.raw.len() })
}

/// The event source: what it says comes as it happens.
fn events(inner: &Arc<Inner>) -> Response {
    let (sender, receiver) = mpsc::channel::<String>(16);
    let (mut news, pings) = (inner.news.subscribe(), inner.pings);
    news.mark_unchanged();
    tokio::spawn(async move {
        loop {
            let said = match timeout(Duration::from_millis(100), news.changed()).await {
                Ok(Ok(())) => {
                    format!("event: state\ndata: {}\n\n", json!({ "@type": "StateChange", "changed": { ACCOUNT: { "Email": "x" } } }))
                }
                Ok(Err(_)) => return,
                Err(_) if pings => "event: ping\ndata: {\"interval\":1}\n\n".to_owned(),
                Err(_) => continue,
            };
            if sender.send(said).await.is_err() {
                return;
            }
        }
    });
    let stream = stream::unfold(receiver, |mut receiver| async { Some((Ok::<_, std::io::Error>(receiver.recv().await?), receiver)) });
    let mut response = Response::new(Body::from_stream(stream));
    response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
    response
}

fn as_json(value: &Value) -> Response {
    response(200, vec![("content-type", "application/json".to_owned())], value.to_string().into_bytes())
}

fn response(status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
