//! A thousand incidents that open within a second, at sinks that are up beside some that are not: when the pages arrive, what memory they
//! take, and whether they delay the judge. Prints figures; asserts nothing.
//!
//! A thousand providers refuse each canary. The daemon is the real one; it is run twice, and the first time its sinks are not to hear of it.
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

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use mailcanary::edge::notify::Rate;
use mailcanary::model::{At, Span};
use mailcanary::run;
use tokio::time::{Instant, sleep_until};

use support::daemon::Daemon;
use support::free_port::free_port;
use support::refuser::Refuser;

const INCIDENTS: usize = 1000;
/// What has arrived by then counts.
const WATCHED: Duration = Duration::from_secs(60);
/// The rush is over by then: what comes after is the steady state.
const RUSH: Duration = Duration::from_secs(10);
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A sink that is up: what its table has besides its address, and what it bears, as its file in `edge/notify` says.
struct Kind {
    word: &'static str,
    table: fn(SocketAddr, &str) -> String,
    rate: Rate,
}

const KINDS: [Kind; 4] = [
    Kind { word: "webhook", table: |to, _| format!("url = \"http://{to}/\"\n"), rate: Rate::NONE },
    Kind {
        word: "pagerduty",
        table: |to, key| format!("base_url = \"http://{to}\"\nrouting_key = {{ file = \"{key}\" }}\n"),
        rate: Rate { burst: 30, every: Span::from_ms(600) },
    },
    Kind { word: "teams", table: at_secret_url, rate: Rate { burst: 4, every: Span::from_secs(1) } },
    Kind { word: "slack", table: at_secret_url, rate: Rate { burst: 3, every: Span::from_ms(1100) } },
];

/// The table of a sink whose address is its secret, in a file beside the key.
fn at_secret_url(to: SocketAddr, key: &str) -> String {
    format!("url = {{ file = \"{key}-{}\" }}\n", to.port())
}

/// When each call came.
type Calls = Arc<Mutex<Vec<At>>>;

/// What one run showed.
struct Figures {
    /// When notices were made, and when each sink that is up was called; in milliseconds since 1970, in order.
    made: Vec<i64>,
    calls: Vec<Vec<i64>>,
    /// From the first incident to the last.
    opening: Span,
    /// From each provider's first refusal to the page of it; in milliseconds, in order.
    judged: Vec<i64>,
    /// In the rush, and after it.
    canaries_a_second: [f64; 2],
    /// In KiB: ready, after the rush, at the end.
    resident: [u64; 3],
}

#[tokio::main]
async fn main() {
    let untold = measure(true).await;
    let told = measure(false).await;
    println!("{INCIDENTS} incidents; after the page was made and the sink's rate allowed it, within {} s:", WATCHED.as_secs());
    for (kind, calls) in KINDS.iter().zip(&told.calls) {
        let mut lags: Vec<i64> = allowed(&told.made, kind.rate).iter().zip(calls).map(|(at, came)| came - at).collect();
        lags.sort_unstable();
        let (word, count) = (kind.word, lags.len());
        println!("  {word:<10} {count:>5} pages: median {} ms, 99th {} ms, worst {} ms", at(&lags, 50), at(&lags, 99), at(&lags, 100));
    }
    println!("                                              told   untold");
    println!("  all incidents opened within, ms         {:>8} {:>8}", told.opening.as_ms(), untold.opening.as_ms());
    for (share, word) in [(50, "median"), (99, "99th"), (100, "worst")] {
        println!("  from a refusal to its page, {word:<6}, ms      {:>8} {:>8}", at(&told.judged, share), at(&untold.judged, share));
    }
    for (index, when) in ["in the rush", "after it"].into_iter().enumerate() {
        let [told, untold] = [&told, &untold].map(|figures| figures.canaries_a_second[index]);
        println!("  canaries refused a second, {when:<12}   {told:>8.0} {untold:>8.0}");
    }
    for (index, when) in ["when ready", "after the rush", "at the end"].into_iter().enumerate() {
        println!("  resident {when:<14}, KiB            {:>8} {:>8}", told.resident[index], untold.resident[index]);
    }
}

/// Of figures in order, the one that this share of them does not exceed.
fn at(figures: &[i64], share: usize) -> i64 {
    figures.get((figures.len() * share / 100).min(figures.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// When the sink's rate allows each of the notices, at best (the generic cell rate algorithm).
fn allowed(made: &[i64], rate: Rate) -> Vec<i64> {
    let every = i64::try_from(rate.every.as_ms()).unwrap();
    let slack = every * i64::from(rate.burst - 1);
    let mut paid = i64::MIN / 2;
    let next = |made: &i64| {
        let at = (*made).max(paid - slack);
        paid = paid.max(at) + every;
        at
    };
    made.iter().map(next).collect()
}

async fn measure(untold: bool) -> Figures {
    let refuser = Refuser::start().await;
    let mut sinks: Vec<(SocketAddr, Calls)> = Vec::new();
    for _ in KINDS {
        sinks.push(taking().await);
    }
    let (busy, slow) = (busy().await, slow().await);
    let mut daemon = Daemon::new(|folder| {
        let key = folder.write("key", KEY).display().to_string();
        let mut text = "[watch]\nevery = \"1s\"\n\n[stream.reset]\nsubject = \"Reset your password\"\n".to_owned();
        (0..INCIDENTS).for_each(|n| text.push_str(&refuser.provider(&format!("p{n}"))));
        write!(
            text,
            "\n[inbox.seed.imap]\naddress = \"seed@example.org\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
            username = \"seed\"\npassword = {{ file = \"{key}\" }}\n",
            free_port()
        )
        .unwrap();
        let takes = if untold { "severities = [\"info\"]\n" } else { "" };
        for (kind, (to, _)) in KINDS.iter().zip(&sinks) {
            folder.write(&format!("key-{}", to.port()), &format!("http://{to}/services/T0/B0/secret"));
            write!(text, "\n[sink.up-{0}.{0}]\n{takes}{1}", kind.word, (kind.table)(*to, &key)).unwrap();
        }
        let dead = SocketAddr::from(([127, 0, 0, 1], free_port()));
        for (name, to) in [("dead", dead), ("busy", busy), ("slow", slow)] {
            write!(text, "\n[sink.{name}.webhook]\n{takes}url = \"http://{to}/\"\n").unwrap();
        }
        text
    });
    // Nothing here is encrypted: a thousand copies of the system's authorities would be all there is to see.
    let authorities = daemon.folder.write("authorities", "").display().to_string();
    daemon = daemon.with("SSL_CERT_FILE", &authorities).with("SSL_CERT_DIR", "");
    daemon.start().await;
    watch(daemon, &refuser, &sinks).await
}

async fn watch(daemon: Daemon, refuser: &Refuser, sinks: &[(SocketAddr, Calls)]) -> Figures {
    let begun = Instant::now();
    let ready = daemon.resident();
    sleep_until(begun + RUSH).await;
    let (rushed, before) = (daemon.resident(), refuser.refused());
    sleep_until(begun + WATCHED).await;
    let after = refuser.refused() - before;
    let canaries_a_second = [before as f64 / RUSH.as_secs_f64(), after as f64 / (WATCHED - RUSH).as_secs_f64()];
    let resident = [ready, rushed, daemon.resident()];
    let times = |query: &str| -> Vec<i64> {
        let all: String = daemon.ledger(&format!("SELECT json_group_array(at) FROM (SELECT {query} ORDER BY at)"));
        serde_json::from_str(&all).unwrap()
    };
    let opened = times("opened_at AS at FROM incidents");
    println!("  ({} incidents)", opened.len());
    let opening = At::from_ms(*opened.last().unwrap()).since(At::from_ms(opened[0]));
    let paged: Vec<(String, i64)> = serde_json::from_str(&daemon.ledger::<String>(
        "SELECT json_group_array(json_array(substr(culprit, 10), opened_at)) FROM incidents WHERE culprit LIKE 'provider:%'",
    ))
    .unwrap();
    let refused = refuser.first();
    let delay = |(provider, at): (String, i64)| {
        let first = refused.get(&provider)?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(at - i64::try_from(first.as_millis()).ok()?)
    };
    let mut judged: Vec<i64> = paged.into_iter().filter_map(delay).collect();
    judged.sort_unstable();
    let calls = sinks.iter().map(|(_, calls)| calls.lock().unwrap().iter().map(|at| at.as_ms()).collect()).collect();
    Figures { made: times("at FROM notices"), calls, opening, judged, canaries_a_second, resident }
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A sink that takes everything.
async fn taking() -> (SocketAddr, Calls) {
    let (calls, now) = (Calls::default(), run::clock());
    let kept = Arc::clone(&calls);
    let take = move || {
        kept.lock().unwrap().push(now());
        std::future::ready((StatusCode::ACCEPTED, "{\"status\":\"success\"}"))
    };
    (serve(Router::new().fallback(take)).await, calls)
}

/// A sink that has too much to do.
async fn busy() -> SocketAddr {
    serve(Router::new().fallback(|| std::future::ready((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "5")])))).await
}

/// A sink that never answers.
async fn slow() -> SocketAddr {
    serve(Router::new().fallback(std::future::pending::<StatusCode>)).await
}
