//! How fast canaries are handed over by SMTP, beside Postfix's own `smtp-source` against the same `smtp-sink`; and what memory many
//! submissions over HTTP take. Prints figures; asserts nothing.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, and stops at what it did not foresee"
)]

#[path = "../tests/suite/support/mod.rs"]
mod support;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use mailcanary::canary::{Key, compose};
use mailcanary::config::{
    Budget, Duty, Family, Mailbox, MandrillSettings, Provider, ProviderKind, Secret, SecretRef, SmtpSettings, Stream, Templates, Tls, Wire,
};
use mailcanary::edge::submit::Submitter;
use mailcanary::model::{At, CanaryId, Name, Outcome, Severity, Span};
use tokio::task::JoinSet;

use support::free_port::free_port;
use support::inbox;

/// Sessions at once, on either side.
const SESSIONS: u64 = 4;
/// Messages of one round.
const MESSAGES: u64 = 5000;
/// Rounds, in turns; the median counts.
const ROUNDS: usize = 5;
/// About what a canary has, in bytes.
const LENGTH: usize = 2500;

#[tokio::main]
async fn main() {
    smtp().await;
    http().await;
}

/// A `smtp-sink` on loopback. Ends with its value.
struct Sink {
    child: Child,
    port: u16,
}

impl Sink {
    fn start() -> Self {
        let port = free_port();
        let at = format!("127.0.0.1:{port}");
        let mut command = Command::new("smtp-sink");
        command.args(["-u", "nobody", &at, "1000"]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("Postfix is installed");
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(&at).is_err() {
            assert!(Instant::now() < deadline, "smtp-sink does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }

    /// Messages a second by `smtp-source`.
    fn source(&self, options: &[&str]) -> f64 {
        let begun = Instant::now();
        let (sessions, messages) = (SESSIONS.to_string(), MESSAGES.to_string());
        let mut command = Command::new("smtp-source");
        command.args(options).args(["-s", &sessions, "-m", &messages, "-l", &LENGTH.to_string()]);
        let status =
            command.args(["-f", "no-reply@example.com", "-t", "seed@inbox.example"]).arg(format!("127.0.0.1:{}", self.port)).status();
        assert!(status.expect("Postfix is installed").success());
        a_second(MESSAGES, begun)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn smtp() {
    let sink = Sink::start();
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: sink.port,
        tls: Tls::None,
        login: None,
        hello: Some("watcher.example".to_owned()),
    };
    let pooled = Arc::new(submitter(ProviderKind::Smtp(settings.clone())).pooled());
    let alone = Arc::new(submitter(ProviderKind::Smtp(settings)));
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        figures[0].push(tokio::task::block_in_place(|| sink.source(&["-d"])));
        figures[1].push(timed(&pooled).await);
        figures[2].push(tokio::task::block_in_place(|| sink.source(&[])));
        figures[3].push(timed(&alone).await);
    }
    let [source, pooled, source_alone, alone] = figures.map(median);
    println!("SMTP to one smtp-sink, {SESSIONS} sessions, {MESSAGES} messages of {LENGTH} bytes or so, median of {ROUNDS} rounds");
    println!("  sessions kept:          mailcanary {pooled:.0}/s, smtp-source -d {source:.0}/s, ratio {:.2}", pooled / source);
    println!("  a connection for each:  mailcanary {alone:.0}/s, smtp-source {source_alone:.0}/s, ratio {:.2}", alone / source_alone);
}

/// Submissions over HTTP to a local server, and this process's memory meanwhile.
async fn http() {
    let answer = || async { r#"[{"email":"seed@inbox.example","status":"sent","_id":"0123456789abcdef","reject_reason":null}]"# };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base_url = format!("http://{}/api/1.0", listener.local_addr().unwrap());
    let app = Router::new().route("/api/1.0/messages/send", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let settings =
        MandrillSettings { api_key: secret(), base_url, subaccount: None, webhook_secret: None, templates: Templates::default() };
    let submitter = Arc::new(submitter(ProviderKind::Mandrill(settings)));
    let begun = Instant::now();
    hand_over(&submitter, 1000).await;
    let (early, rate) = (resident_kib(), a_second(1000, begun));
    hand_over(&submitter, 9000).await;
    println!(
        "HTTP to a local server: {rate:.0}/s; resident memory {early} KiB after 1,000 submissions, {} KiB after 10,000",
        resident_kib()
    );
}

/// Canaries a second.
async fn timed(submitter: &Arc<Submitter>) -> f64 {
    let begun = Instant::now();
    hand_over(submitter, MESSAGES).await;
    a_second(MESSAGES, begun)
}

/// Hands `count` canaries over, [`SESSIONS`] at a time.
async fn hand_over(submitter: &Arc<Submitter>, count: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let mut hands = JoinSet::new();
    for _ in 0..SESSIONS {
        let (submitter, next) = (Arc::clone(submitter), Arc::clone(&next));
        hands.spawn(async move {
            let (key, at) = (Key::new([7; 32]), At::from_ms(1_659_987_000_000));
            let stream = Stream { subject: "Reset your password".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page };
            let (name, to) = (Name::new("password-reset").unwrap(), inbox("seed@inbox.example", false));
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                let canary = CanaryId::from_bits(number);
                let mail = compose(&key, canary, at, &name, &stream, &from(), &to);
                let answer = submitter.submit(&mail, canary, at).await;
                assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
            }
        });
    }
    while let Some(done) = hands.join_next().await {
        done.unwrap();
    }
}

fn submitter(kind: ProviderKind) -> Submitter {
    let wire = Wire { family: Family::V4, ..Wire::default() };
    let provider = Provider { from: from(), dkim_selectors: Vec::new(), budget: Budget::default(), duty: Duty::default(), kind, wire };
    Submitter::new(&provider, &|_| Some(Secret::new("key".to_owned()))).unwrap()
}

fn from() -> Mailbox {
    Mailbox { name: Some("Example".to_owned()), address: "no-reply@example.com".to_owned() }
}

fn secret() -> SecretRef {
    SecretRef::Env("UNUSED".to_owned())
}

fn a_second(count: u64, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The memory of this process, as Linux tells it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
