//! Prometheus Alertmanager, API v2: the state of all incidents, sent to every instance again and again while they last.
//!
//! Alertmanager identifies an alert by its labels, so these hold only what is stable ([`Alert::new`]), and routes by them, so severity and
//! culprit are among them: when one of the two moves within an incident, the old alert is resolved and a new one fires, in one request.

mod alert;
mod board;

pub use alert::Alert;
pub use board::{Board, Instance};

use std::fmt;

use futures::future::join_all;
use reqwest::Url;

use super::caller::Caller;
use super::queue::Pace;
use super::{Attempt, Origin, SinkError};
use crate::model::{At, Change, Name, Notice, Severity};

/// All instances of one Alertmanager.
pub struct Alertmanager {
    instances: Vec<(Url, Caller)>,
    origin: Origin,
    severities: Vec<Severity>,
}

impl fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.instances.iter().map(|(url, _)| url.host_str()).collect();
        f.debug_struct("Alertmanager").field("hosts", &hosts).finish_non_exhaustive()
    }
}

impl Alertmanager {
    /// The instances at these base URLs.
    ///
    /// # Errors
    /// [`SinkError::Url`].
    pub fn new(name: &Name, urls: &[String], http: reqwest::Client, origin: &Origin, severities: &[Severity]) -> Result<Self, SinkError> {
        if urls.is_empty() {
            return Err(SinkError::Url(name.clone(), "there is none".to_owned()));
        }
        let full = |base: &String| super::parse(name, &format!("{}/api/v2/alerts", base.trim_end_matches('/')));
        let with_caller = |url: Url| {
            let caller = Caller::new(http.clone(), &private(&url));
            (url, caller)
        };
        let instances = urls.iter().map(|base| full(base).map(with_caller)).collect::<Result<_, _>>()?;
        Ok(Self { instances, origin: origin.clone(), severities: severities.to_vec() })
    }

    /// How many instances there are.
    #[must_use]
    pub const fn instances(&self) -> usize {
        self.instances.len()
    }

    /// An empty board for this Alertmanager.
    #[must_use]
    pub fn board(&self, pace: Pace) -> Board {
        Board::new(self.origin.clone(), self.severities.clone(), pace)
    }

    /// Tries once to hand over one alert to every instance: delivered if one has it.
    pub(super) async fn deliver(&self, notice: &Notice, opened_at: At, at: At, now: At) -> Attempt {
        let ended = (notice.change == Change::Resolved).then_some(at);
        let alert = Alert::new(&self.origin, notice, opened_at, ended);
        let body = Alert::post(&[alert], now.plus(Pace::default().resend.scaled(4, 1)));
        let attempts = join_all((0..self.instances()).map(|instance| self.push(instance, body.clone(), now))).await;
        best(attempts)
    }

    /// Posts `body`, an array of alerts, to one instance.
    pub async fn push(&self, instance: usize, body: Vec<u8>, now: At) -> Attempt {
        let Some((url, caller)) = self.instances.get(instance) else { return Attempt::Refused { why: "no such instance".to_owned() } };
        match caller.send(caller.post_bytes(url.clone(), body)).await {
            Ok(answer) => caller.judge(&answer, &answer.text(), now),
            Err(attempt) => attempt,
        }
    }
}

/// Delivered if anybody took it; otherwise whatever leaves the most hope.
fn best(attempts: Vec<Attempt>) -> Attempt {
    let rank = |attempt: &Attempt| match attempt {
        Attempt::Delivered => 0,
        Attempt::Retry { .. } => 1,
        Attempt::Doubtful { .. } => 2,
        Attempt::Refused { .. } => 3,
        Attempt::Gone { .. } => 4,
    };
    attempts.into_iter().min_by_key(rank).unwrap_or_else(|| Attempt::Refused { why: "no instance".to_owned() })
}

/// The parts of an instance's URL that may be secret: a proxy may repeat them.
fn private(url: &Url) -> Vec<&str> {
    let parts = [url.username(), url.password().unwrap_or_default(), url.query().unwrap_or_default()].into_iter();
    let path = url.path().split('/').filter(|part| !["api", "v2", "alerts"].contains(part));
    parts.chain(path).filter(|part| part.len() > 3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_lose_what_may_be_secret() {
        let url = Url::parse("https://user:hunter2@am.example/tenant-7f3/api/v2/alerts").unwrap();
        assert_eq!(private(&url), ["user", "hunter2", "tenant-7f3"]);
    }

    #[test]
    fn one_instance_that_has_it_is_enough() {
        let retry = Attempt::Retry { after: None, why: "down".to_owned(), unclear: false };
        let refused = Attempt::Refused { why: "no".to_owned() };
        assert_eq!(best(vec![refused.clone(), Attempt::Delivered, retry.clone()]), Attempt::Delivered);
        assert_eq!(best(vec![refused, retry.clone()]), retry);
    }
}
