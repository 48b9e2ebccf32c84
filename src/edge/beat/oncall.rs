//! Grafana OnCall and IRM: a POST to `heartbeat/` below an integration's URL. To the URL itself it would be an alert.

use std::fmt;

use futures::future::BoxFuture;
use reqwest::Url;
use serde_json::json;

use super::{BeatError, Proof, Service, Tools};
use crate::config::OnCallBeat;
use crate::edge::notify::{Attempt, Caller};
use crate::model::At;

/// One integration.
pub(super) struct OnCall {
    caller: Caller,
    url: Url,
}

/// Says nothing of the address.
impl fmt::Debug for OnCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCall").finish_non_exhaustive()
    }
}

impl OnCall {
    pub(super) fn new(settings: &OnCallBeat, tools: &Tools<'_>) -> Result<Self, BeatError> {
        let (url, caller) = tools.secret_url(&settings.url)?;
        Ok(Self { caller, url: heartbeat_of(url.expose()) })
    }

    async fn post(&self, now: At) -> Attempt {
        match self.caller.send(self.caller.post(self.url.clone(), &json!({}))).await {
            Ok(answer) => self.caller.judge(&answer, &answer.text(), now),
            Err(attempt) => attempt,
        }
    }
}

/// The heartbeat's address, of which the integration's is the beginning. It ends in a slash: without one it is answered with a redirect.
fn heartbeat_of(integration: &Url) -> Url {
    let mut url = integration.clone();
    let whole = url.path().trim_end_matches('/').trim_end_matches("/heartbeat").trim_end_matches('/').to_owned();
    url.set_path(&format!("{whole}/heartbeat/"));
    url
}

impl Service for OnCall {
    fn beat<'a>(&'a self, _proof: &'a Proof, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.post(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integration_is_not_sent_an_alert() {
        let base = "https://oncall.example/integrations/v1/formatted_webhook/T0ken";
        for end in ["", "/", "/heartbeat", "/heartbeat/", "//heartbeat//"] {
            let url = heartbeat_of(&Url::parse(&format!("{base}{end}")).unwrap());
            assert_eq!(url.as_str(), format!("{base}/heartbeat/"), "{end}");
        }
    }
}
