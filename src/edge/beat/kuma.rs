//! Uptime Kuma: a GET of the monitor's push URL. `ping`, which it draws, is how old the oldest part of the proof is, in milliseconds.

use std::fmt;

use futures::future::BoxFuture;
use reqwest::Url;
use serde_json::Value;

use super::{BeatError, Proof, Service, Tools};
use crate::config::KumaBeat;
use crate::edge::notify::{Attempt, Caller};
use crate::model::At;

/// What Kuma itself writes into the URL that it shows.
const OURS: [&str; 3] = ["status", "msg", "ping"];

/// One push monitor.
pub(super) struct Kuma {
    caller: Caller,
    /// Without [`OURS`].
    url: Url,
    words: String,
}

/// Says nothing of the address.
impl fmt::Debug for Kuma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kuma").finish_non_exhaustive()
    }
}

impl Kuma {
    pub(super) fn new(settings: &KumaBeat, tools: &Tools<'_>) -> Result<Self, BeatError> {
        let (url, caller) = tools.secret_url(&settings.url)?;
        let mut url = url.expose().clone();
        let others: Vec<(String, String)> =
            url.query_pairs().filter(|(key, _)| !OURS.contains(&key.as_ref())).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
        Ok(Self { caller, url, words: tools.words() })
    }

    async fn push(&self, proof: &Proof, now: At) -> Attempt {
        let mut url = self.url.clone();
        let age = proof.age().as_ms().to_string();
        url.query_pairs_mut().extend_pairs([("status", "up"), ("msg", &self.words), ("ping", &age)]);
        let answer = match self.caller.send(self.caller.get(url)).await {
            Ok(answer) => answer,
            Err(attempt) => return attempt,
        };
        let json = answer.json();
        let said = json.get("msg").and_then(Value::as_str).unwrap_or_default();
        let attempt = self.caller.judge(&answer, said, now);
        if attempt == Attempt::Delivered && json.get("ok").and_then(Value::as_bool) != Some(true) {
            let why = format!("answered {}, and not that it is ok: {}", answer.status.as_u16(), self.caller.line(said));
            return Attempt::Doubtful { why };
        }
        attempt
    }
}

impl Service for Kuma {
    fn beat<'a>(&'a self, proof: &'a Proof, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.push(proof, now))
    }
}
