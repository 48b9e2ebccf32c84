//! What the server says by itself: an event source (RFC 8620, 7.3). It only makes the reader faster.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::super::pace::Pace;
use super::super::trouble::Trouble;
use super::session::Session;
use super::wire::{self, Wire};

const WHAT: &str = "the event source";
/// Longest line or event: one has some hundred bytes.
const EVENT_MAX: usize = 64 * 1024;
/// A stream is opened anew after so long, whatever comes: a server may have forgotten us behind a proxy that has not.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// Longest wait before the next try to open one.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What is known of what the server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signal {
    /// The server would say if something changed.
    pub(super) live: bool,
    /// Counts what it said, and what it may have said unheard.
    pub(super) news: u64,
}

/// Listens as long as the session lasts. A server that has nothing to say is left alone.
pub(super) async fn listen(wire: &Wire, session: &Session, pace: &Pace, told: &watch::Sender<Signal>) -> Infallible {
    let ping = pace.slice / 4;
    let mut wait = pace.retry;
    loop {
        let begun = Instant::now();
        match open(wire, session, ping).await {
            Ok(Some(response)) => {
                // What changed before it was open is not said.
                told.send_modify(|signal| *signal = Signal { live: true, news: signal.news.wrapping_add(1) });
                let ended = follow(response, &session.account, ping, told).await;
                told.send_modify(|signal| signal.live = false);
                tracing::debug!(why = ended.why(), "the event source ended");
            }
            Ok(None) => std::future::pending().await,
            Err(trouble) => tracing::debug!(why = trouble.why(), "the event source cannot be opened"),
        }
        wait = if begun.elapsed() >= pace.proven { pace.retry } else { wait.saturating_mul(2).min(WAIT_MAX) };
        sleep_until(Instant::now() + wait).await;
    }
}

/// Opens an event source. `None`: the server has none.
pub(super) async fn open(wire: &Wire, session: &Session, ping: Duration) -> Result<Option<Response>, Trouble> {
    let Some(url) = session.events(ping.as_secs().max(1)) else { return Ok(None) };
    let response = wire.listen(WHAT, &url?, LONGEST).await?;
    match response.status().as_u16() {
        200 => {
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let is_stream = kind.to_ascii_lowercase().starts_with("text/event-stream");
            if is_stream { Ok(Some(response)) } else { Ok(None) }
        }
        // The specification of event sources: who gets a 204 shall not come back.
        204 | 404 | 405 | 406 | 410 | 501 => Ok(None),
        _ => Err(wire::refusal(WHAT, response).await),
    }
}

/// Passes on what a stream says, until it ends.
async fn follow(mut response: Response, account: &str, ping: Duration, told: &watch::Sender<Signal>) -> Trouble {
    let mut events = Events::default();
    let mut silence = patience(ping);
    loop {
        let chunk = match timeout_at(Instant::now() + silence, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Trouble::Lost { what: WHAT, why: String::new() },
            Ok(Err(_)) => return Trouble::Lost { what: WHAT, why: "the connection broke".to_owned() },
            Err(_) => return Trouble::Deadline { what: WHAT, after: silence },
        };
        let Some(found) = events.take(&chunk) else { return Trouble::Flood { what: WHAT } };
        for event in found {
            if let Some(own) = event.interval() {
                silence = patience(ping.max(own));
            } else if event.concerns(account) {
                told.send_modify(|signal| signal.news = signal.news.wrapping_add(1));
            }
        }
    }
}

/// How long a stream may be silent on which there is to be a sign of life every `ping`.
fn patience(ping: Duration) -> Duration {
    ping.saturating_mul(5) / 2
}

/// What a stream of events has brought so far.
#[derive(Debug, Default)]
struct Events {
    line: Vec<u8>,
    after_return: bool,
    event: Event,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Event {
    kind: String,
    data: String,
}

#[derive(Deserialize)]
struct StateChange {
    changed: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct Ping {
    interval: u64,
}

impl Event {
    /// A sign of life, and how often one is to be expected.
    fn interval(&self) -> Option<Duration> {
        /// More than an hour is no interval between signs of life.
        const LONGEST: u64 = 3600;
        let ping = (self.kind == "ping").then(|| serde_json::from_str::<Ping>(&self.data));
        ping.map(|ping| Duration::from_secs(ping.map_or(0, |ping| ping.interval).min(LONGEST)))
    }

    /// Whether mail in the account may have changed. What cannot be understood may say so.
    fn concerns(&self, account: &str) -> bool {
        if self.data.is_empty() {
            return false;
        }
        let change: Result<StateChange, _> = serde_json::from_str(&self.data);
        change.map_or(true, |change| change.changed.contains_key(account))
    }
}

impl Events {
    /// The events that end in `chunk`. `None`: one of them is too large.
    fn take(&mut self, chunk: &[u8]) -> Option<Vec<Event>> {
        let mut found = Vec::new();
        for byte in chunk {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => found.extend(self.end_line()),
                _ if self.line.len() >= EVENT_MAX => return None,
                _ => self.line.push(*byte),
            }
            if self.event.data.len() > EVENT_MAX {
                return None;
            }
        }
        Some(found)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (event != Event::default()).then_some(event);
        }
        let line = String::from_utf8_lossy(&line);
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Events::default();
        let found = chunks.iter().flat_map(|chunk| events.take(chunk).unwrap());
        found.map(|event| (event.kind, event.data)).collect()
    }

    #[test]
    fn events_are_read_however_they_come() {
        let text =
            b": hello\r\n\r\nevent: state\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: 7\nevent:ping\ndata:{}\n\ndata: x\r\rdata: cut off";
        let expected = [("state", "{\"a\":\n1}"), ("ping", "{}"), ("", "x")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(events(&[text]), expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(events(&bytes), expected);
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut long = Events::default();
        assert!(long.take(&vec![b'x'; EVENT_MAX + 1]).is_none());
        let mut many = Events::default();
        assert!(many.take(&b"data: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n".repeat(2000)).is_none());
    }

    #[test]
    fn only_what_concerns_the_account_is_news() {
        let event = |data: &str| Event { kind: "state".to_owned(), data: data.to_owned() };
        assert!(event(r#"{"@type":"StateChange","changed":{"u1":{"Email":"s"}}}"#).concerns("u1"));
        assert!(!event(r#"{"@type":"StateChange","changed":{"u2":{"Email":"s"}}}"#).concerns("u1"));
        assert!(event("gibberish").concerns("u1"));
        let ping = |data: &str| Event { kind: "ping".to_owned(), data: data.to_owned() }.interval();
        assert_eq!(ping(r#"{"interval":300}"#), Some(Duration::from_secs(300)));
        assert_eq!(ping(r#"{"interval":99999999}"#), Some(Duration::from_secs(3600)));
        assert_eq!(ping(""), Some(Duration::ZERO));
        assert_eq!(event("{}").interval(), None);
    }
}
