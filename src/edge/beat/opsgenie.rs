//! Opsgenie: a ping of a heartbeat by its name.

use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use super::{BeatError, Proof, Service, Tools};
use crate::config::{OpsgenieBeat, Secret};
use crate::edge::notify::{Attempt, Caller};
use crate::model::At;

/// One heartbeat.
#[derive(Debug)]
pub(super) struct Opsgenie {
    caller: Caller,
    url: Url,
    key: Secret,
}

impl Opsgenie {
    pub(super) fn new(settings: &OpsgenieBeat, tools: &Tools<'_>) -> Result<Self, BeatError> {
        let key = tools.secret(&settings.api_key)?;
        let caller = Caller::new(tools.http()?, &[key.expose()]);
        let none = |why: String| BeatError::Url(tools.name.clone(), why);
        let mut url = Url::parse(&settings.base_url).map_err(|error| none(error.to_string()))?;
        match url.path_segments_mut() {
            Ok(mut path) => _ = path.pop_if_empty().extend(["v2", "heartbeats", &settings.heartbeat, "ping"]),
            Err(()) => return Err(none("nothing can be below it".to_owned())),
        }
        Ok(Self { caller, url, key })
    }

    async fn ping(&self, now: At) -> Attempt {
        let request = self.caller.get(self.url.clone()).header(AUTHORIZATION, format!("GenieKey {}", self.key.expose()));
        match self.caller.send(request).await {
            Ok(answer) => self.caller.judge(&answer, answer.json().get("message").and_then(Value::as_str).unwrap_or_default(), now),
            Err(attempt) => attempt,
        }
    }
}

impl Service for Opsgenie {
    fn beat<'a>(&'a self, _proof: &'a Proof, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.ping(now))
    }
}
