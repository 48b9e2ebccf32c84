//! Clients of a sandbox, as its users write them.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_imap::{Client, Session};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use mailcanary::model::{At, Name, Now, Span};
use mailcanary::sandbox::{Inbox, InboxPlan, Latency, Plan, Provider, ProviderPlan, Transport, World};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that anything may take here.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub fn now() -> Now {
    Arc::new(|| At::from_ms(std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64))
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn fast(transport: Transport) -> ProviderPlan {
    ProviderPlan { latency: Latency::Fixed(Span::from_ms(1)), ..ProviderPlan::new(transport) }
}

/// An API, a relay and an inbox; mail takes a millisecond, and silence is borne for two seconds.
pub fn plan() -> Plan {
    let plan = Plan { retry: Span::from_ms(50), patience: Span::from_secs(2), ..Plan::new(now(), 7) };
    plan.provider(name("mailchimp"), fast(Transport::Mandrill))
        .provider(name("relay"), fast(Transport::Smtp))
        .inbox(name("box"), InboxPlan::default())
        .stream(name("password-reset"), "Reset your password", Span::from_secs(900))
}

pub fn world() -> World {
    World::start(plan()).unwrap()
}

pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    timeout(DEADLINE, work).await.expect("in time")
}

/// Waits for a count.
pub async fn soon<T: std::fmt::Debug + Copy>(mut counts: watch::Receiver<T>, right: impl FnMut(&T) -> bool) -> T {
    let last = counts.clone();
    let seen = timeout(DEADLINE, counts.wait_for(right)).await;
    *seen.unwrap_or_else(|_| panic!("never came: {:?}", *last.borrow())).unwrap()
}

/// Waits for something that sends no signal.
pub async fn until(right: impl Fn() -> bool) {
    in_time(async {
        while !right() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A TLS library for reqwest, which wants one even for plain HTTP.
pub fn http() -> reqwest::Client {
    // The first to come wins; they are all the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().timeout(DEADLINE).build().unwrap()
}

/// Calls Mandrill's API; status and body.
pub async fn call(provider: &Provider, what: &str, body: &serde_json::Value) -> Result<(u16, String), reqwest::Error> {
    let response = http().post(format!("{}{what}", provider.base_url())).json(body).send().await?;
    let status = response.status().as_u16();
    Ok((status, response.text().await?))
}

pub fn letter(provider: &Provider, to: &str, subject: &str) -> serde_json::Value {
    serde_json::json!({ "key": provider.secret(), "message": {
        "from_email": "no-reply@example.com", "from_name": "Example", "subject": subject, "text": "text", "html": "<p>html</p>",
        "to": [{ "email": to, "type": "to" }], "headers": { "X-Canary": "7" },
    }})
}

/// Sends one mail as the provider wants it; what it said.
pub async fn submit(provider: &Provider, to: &str, subject: &str) -> Result<String, String> {
    match provider.transport() {
        Transport::Mandrill => {
            let answer = in_time(call(provider, "/messages/send.json", &letter(provider, to, subject))).await;
            let (status, body) = answer.map_err(|e| format!("{e:?}"))?;
            if status == 200 { Ok(body) } else { Err(body) }
        }
        Transport::Smtp => {
            let mail = Message::builder()
                .from("no-reply@example.com".parse().unwrap())
                .to(to.parse().unwrap())
                .subject(subject)
                .body("text".to_owned())
                .unwrap();
            let sent = in_time(transport(provider).send(mail)).await;
            sent.map(|r| r.message().collect::<String>())
                .map_err(|e| std::error::Error::source(&e).map_or(e.to_string(), |s| format!("{e}: {s}")))
        }
    }
}

pub fn transport(provider: &Provider) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(provider.socket().port())
        .credentials(Credentials::new(provider.username().to_owned(), provider.secret().to_owned()))
        .timeout(Some(DEADLINE))
        .build()
}

/// A session of its owner.
pub async fn read(inbox: &Inbox) -> Session<TcpStream> {
    try_read(inbox, inbox.password()).await.unwrap()
}

pub async fn try_read(inbox: &Inbox, password: &str) -> Result<Session<TcpStream>, async_imap::error::Error> {
    let stream = in_time(TcpStream::connect(inbox.socket())).await?;
    // async-imap writes a command in pieces, which Nagle's algorithm would hold back for 40 ms each.
    stream.set_nodelay(true)?;
    let mut client = Client::new(stream);
    in_time(client.read_response()).await?.expect("a greeting");
    in_time(client.login(inbox.address(), password)).await.map_err(|(error, _)| error)
}

/// A folder that is gone when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(what: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mailcanary-{what}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
