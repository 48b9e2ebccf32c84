//! healthchecks.io, and whoever takes the same pings: a POST to the check's URL, with a line that it shows.

use std::fmt;

use futures::future::BoxFuture;
use reqwest::Url;

use super::{BeatError, Proof, Service, Tools};
use crate::config::HealthchecksBeat;
use crate::edge::notify::{Attempt, Caller};
use crate::model::At;

/// One check.
pub(super) struct Healthchecks {
    caller: Caller,
    url: Url,
    words: String,
}

/// Says nothing of the address.
impl fmt::Debug for Healthchecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Healthchecks").finish_non_exhaustive()
    }
}

impl Healthchecks {
    pub(super) fn new(settings: &HealthchecksBeat, tools: &Tools<'_>) -> Result<Self, BeatError> {
        let (url, caller) = tools.secret_url(&settings.url)?;
        Ok(Self { caller, url: url.expose().clone(), words: tools.words() })
    }

    async fn ping(&self, proof: &Proof, now: At) -> Attempt {
        let body = format!("{}: ledger written {}, inbox read {}\n", self.words, proof.written, proof.read);
        match self.caller.send(self.caller.post_text(self.url.clone(), body)).await {
            Ok(answer) => match (self.caller.judge(&answer, &answer.text(), now), answer.text().trim()) {
                // Some servers say 200 to everything, and then what became of it.
                (Attempt::Delivered, said) if said.starts_with("OK (") => {
                    Attempt::Doubtful { why: format!("answered {}: {}", answer.status.as_u16(), self.caller.line(said)) }
                }
                (attempt, _) => attempt,
            },
            Err(attempt) => attempt,
        }
    }
}

impl Service for Healthchecks {
    fn beat<'a>(&'a self, proof: &'a Proof, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.ping(proof, now))
    }
}
