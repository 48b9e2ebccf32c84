//! One submission, log-in or question: what is asked in it, by when, and what is kept of the answers.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Api, Call, Cut, Judged, Reply, Service, Verdict, exchange};
use crate::edge::submit::Answer;
use crate::edge::submit::evidence::evidence;
use crate::edge::submit::oauth::Access;
use crate::model::{At, Leg, Span};

/// How often a provider that works on a mail behind its answer is asked what became of it.
const QUESTIONS: usize = 3;
/// The longest wait before such a question: what is not known by then shows in the inbox.
const PATIENCE: Duration = Duration::from_secs(3);

/// One submission or log-in: its deadline, its token, and how long its legs took.
pub(super) struct Visit<'a, S> {
    pub(super) api: &'a Api<S>,
    at: At,
    begun: Instant,
    /// The access token that is shown, if one is needed.
    pub(super) token: Option<Access>,
    legs: Vec<(Leg, Span)>,
    /// The provider wants nothing for so long.
    pub(super) retry_after: Option<Span>,
}

impl<'a, S: Service> Visit<'a, S> {
    pub(super) fn new(api: &'a Api<S>, at: At) -> Self {
        Self { api, at, begun: Instant::now(), token: None, legs: Vec::new(), retry_after: None }
    }

    fn deadline(&self) -> Instant {
        self.begun + self.api.deadline
    }

    /// The present, by the clock that `at` is from.
    fn now(&self) -> At {
        self.at.plus(Span::from(self.begun.elapsed()))
    }

    /// Gets an access token, if one is needed.
    pub(super) async fn authenticate(&mut self) -> Result<(), Cut> {
        let Some(tokens) = self.api.service.account().tokens() else { return Ok(()) };
        let since = Instant::now();
        let got = tokens.get(&self.api.http, self.now(), self.deadline()).await;
        self.took(Leg::Auth, since);
        self.token = Some(got?);
        Ok(())
    }

    /// Sends one request. Where a kept access token is not taken any more, once again with a new one: a 401 takes no mail.
    pub(super) async fn ask(&mut self, call: Call) -> Result<Reply, Cut> {
        let again = self.token.as_ref().is_some_and(|token| token.kept).then(|| call.clone());
        match (self.ask_once(call).await, again) {
            (Ok(Reply { status: 401, .. }), Some(call)) => {
                self.authenticate().await?;
                self.ask_once(call).await
            }
            (sent, _) => sent,
        }
    }

    async fn ask_once(&mut self, call: Call) -> Result<Reply, Cut> {
        let (api, since) = (self.api, Instant::now());
        let mut call = api.service.authorised(call, self.now());
        if let Some(access) = &self.token {
            call = call.bearer(access.token.expose());
        }
        let sent = exchange(&api.http, &api.service.account().base_url, call, self.now(), self.deadline()).await;
        self.retry_after = sent.as_ref().ok().and_then(Reply::wants_peace);
        self.took(Leg::Data, since);
        let account = api.service.account();
        if let (Some(tokens), Some(shown), Ok(Reply { status: 401, .. })) = (account.tokens(), &self.token, &sent) {
            tokens.reject(&shown.token).await;
        }
        sent
    }

    /// Counts what began at `since` as a part of `leg`.
    fn took(&mut self, leg: Leg, since: Instant) {
        let took = Span::from(since.elapsed());
        match self.legs.iter_mut().find(|(known, _)| *known == leg) {
            Some((_, sum)) => *sum = *sum + took,
            None => self.legs.push((leg, took)),
        }
    }

    /// Asks what became of a mail that is still being worked on. Nothing if the provider says no more of it: it was taken, and whatever
    /// becomes of it shows in the inbox.
    pub(super) async fn wait_for(&mut self, mut taken: Reply) -> Option<Judged> {
        let mut last = None;
        for _ in 0..QUESTIONS {
            let Some(question) = self.api.service.unfinished(&taken) else { break };
            let wake = Instant::now() + taken.retry_after().unwrap_or(Duration::from_secs(1)).min(PATIENCE);
            if wake + PATIENCE > self.deadline() {
                break;
            }
            sleep_until(wake).await;
            let Ok(reply) = self.ask(question).await else { break };
            if !reply.is_success() {
                break;
            }
            let Some(verdict) = self.api.service.taken(&reply) else { break };
            last = Some(self.api.explained(&reply, verdict));
            taken = reply;
        }
        last
    }

    /// `words`, fit to be kept: without secrets, short, on few lines.
    pub(super) fn clean(&self, words: &str) -> String {
        let mut secrets = self.api.service.secrets();
        secrets.extend(self.token.as_ref().map(|access| access.token.expose().to_owned()));
        let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
        evidence(words, &secrets)
    }

    pub(super) fn answer(self, Judged { verdict, words, hint }: Judged) -> Answer {
        let reply = Some(self.clean(&words));
        let Verdict { outcome, message_id } = verdict;
        Answer { outcome, reply, hint, message_id, legs: self.legs, retry_after: self.retry_after }
    }
}
