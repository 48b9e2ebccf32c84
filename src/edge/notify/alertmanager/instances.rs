//! The instances of one Alertmanager: each is told everything, since they share what they have sent and not what they know.

use std::fmt;

use futures::future::join_all;
use reqwest::{Client, Url};

use super::super::Attempt;
use super::super::caller::Caller;
use crate::model::At;

/// All instances, at least one.
pub(crate) struct Instances(Vec<(Url, Caller)>);

impl fmt::Debug for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(url, _)| url.host_str())).finish()
    }
}

impl Instances {
    /// The instances at these base URLs.
    ///
    /// # Errors
    /// Why a URL is none, without the URL.
    pub(crate) fn new(urls: &[String], http: &Client) -> Result<Self, String> {
        if urls.is_empty() {
            return Err("there is none".to_owned());
        }
        let one = |base: &String| {
            let url = Url::parse(&format!("{}/api/v2/alerts", base.trim_end_matches('/'))).map_err(|error| error.to_string())?;
            if !url.has_host() {
                return Err("no host".to_owned());
            }
            let caller = Caller::new(http.clone(), &private(&url));
            Ok((url, caller))
        };
        urls.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Posts `body`, an array of alerts, to one of them.
    pub(super) async fn push(&self, instance: usize, body: Vec<u8>, now: At) -> Attempt {
        let Some((url, caller)) = self.0.get(instance) else { return Attempt::Refused { why: "no such instance".to_owned() } };
        match caller.send(caller.post_bytes(url.clone(), body)).await {
            Ok(answer) => caller.judge(&answer, &answer.text(), now),
            Err(attempt) => attempt,
        }
    }

    /// The same to every one: delivered if one has it.
    pub(crate) async fn push_all(&self, body: Vec<u8>, now: At) -> Attempt {
        best(join_all((0..self.len()).map(|instance| self.push(instance, body.clone(), now))).await)
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
