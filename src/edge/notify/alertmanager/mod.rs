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
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, Url};

use super::queue::Pace;
use super::{Attempt, Origin, SinkError, answer};
use crate::model::{At, Change, Name, Notice, Severity};

/// Bytes of an answer that are read: an error is one line.
const ANSWER_LIMIT: usize = 4096;

/// All instances of one Alertmanager.
pub struct Alertmanager {
    name: Name,
    http: reqwest::Client,
    urls: Vec<Url>,
    origin: Origin,
    severities: Vec<Severity>,
}

impl fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.urls.iter().map(Url::host_str).collect();
        f.debug_struct("Alertmanager").field("name", &self.name).field("hosts", &hosts).finish_non_exhaustive()
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
        let urls = urls.iter().map(full).collect::<Result<_, _>>()?;
        Ok(Self { name: name.clone(), http, urls, origin: origin.clone(), severities: severities.to_vec() })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How many instances there are.
    #[must_use]
    pub const fn instances(&self) -> usize {
        self.urls.len()
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
        let Some(url) = self.urls.get(instance) else { return Attempt::Refused { why: "no such instance".to_owned() } };
        let request = self.http.post(url.clone()).timeout(answer::DEADLINE).header(CONTENT_TYPE, "application/json").body(body);
        match request.send().await {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let said = if status.is_success() { String::new() } else { scrubbed(&read(response).await, url) };
                answer::answered(status, &headers, &said, now)
            }
            Err(error) => answer::failed(error),
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

async fn read(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend(chunk.iter().take(ANSWER_LIMIT.saturating_sub(bytes.len())));
        if bytes.len() >= ANSWER_LIMIT {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What an instance said, without the parts of its URL that may be secret: a proxy may repeat them.
fn scrubbed(said: &str, url: &Url) -> String {
    let parts = [url.username(), url.password().unwrap_or_default(), url.query().unwrap_or_default()].into_iter();
    let path = url.path().split('/').filter(|part| !["api", "v2", "alerts"].contains(part));
    parts.chain(path).filter(|part| part.len() > 3).fold(said.to_owned(), |text, secret| text.replace(secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_lose_what_may_be_secret() {
        let url = Url::parse("https://user:hunter2@am.example/tenant-7f3/api/v2/alerts").unwrap();
        let said = scrubbed("no /tenant-7f3/api/v2/alerts here, user:hunter2", &url);
        assert_eq!(said, "no /***/api/v2/alerts here, ***:***");
    }

    #[test]
    fn one_instance_that_has_it_is_enough() {
        let retry = Attempt::Retry { after: None, why: "down".to_owned(), unclear: false };
        let refused = Attempt::Refused { why: "no".to_owned() };
        assert_eq!(best(vec![refused.clone(), Attempt::Delivered, retry.clone()]), Attempt::Delivered);
        assert_eq!(best(vec![refused, retry.clone()]), retry);
    }
}
