//! Submission by a provider's own HTTP API: what all of them share.
//!
//! A provider is one file that says how a request is written and what an answer means ([`Service`]). Connecting, deadlines, bounded
//! reading, tokens, questions asked later, and what is kept of an answer are here. Redirects are not followed, no mail is sent twice.

mod account;
pub(super) mod azure;
pub(super) mod brevo;
mod call;
pub(super) mod gmail;
mod hints;
mod letter;
pub(super) mod mailersend;
pub(super) mod mailgun;
pub(super) mod mailjet;
pub(super) mod mandrill;
pub(super) mod postmark;
pub(super) mod resend;
mod said;
pub(super) mod sendgrid;
pub(super) mod ses;
mod signs;
pub(super) mod sparkpost;
pub(super) mod trace;
mod visit;
mod words;

use std::fmt::Debug;
use std::time::Duration;

use self::account::Account;
pub(super) use self::call::{Call, Cut, Reply, exchange};
pub(super) use self::hints::hint;
use self::letter::Letter;
pub(super) use self::said::headline;
use self::said::said;
use self::visit::Visit;
pub(super) use self::words::{class, general, is_used_up};
use super::{Answer, Secrets, SetUpError};
use crate::canary::Composed;
use crate::config::Mailbox;
use crate::edge::dial::Dialer;
use crate::model::{At, CanaryId, Class, Outcome, Sign, Span};

/// A whole submission. To one recipient an API answers within a second or two, and under load not at all.
const DEADLINE: Duration = Duration::from_secs(30);
/// Signatures live for five minutes or longer: by less than this, a clock that is wrong is not what they fail by.
const SKEWED_SECS: i64 = 240;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    outcome: Outcome,
    message_id: Option<String>,
}

impl Verdict {
    fn accepted(message_id: Option<String>) -> Self {
        Self { outcome: Outcome::Accepted, message_id }
    }

    fn refused(class: Class) -> Self {
        Self { outcome: Outcome::Refused(class), message_id: None }
    }
}

/// One provider's API: how requests are written, and what answers mean. Opens no connection, and reads no clock.
pub(super) trait Service: Debug + Sized {
    /// Its settings.
    type Settings;
    /// Its proof of who we are is good for some minutes only: a clock that is wrong looks like a wrong key.
    const TIMED: bool = false;

    /// Ready to write requests.
    fn new(from: &Mailbox, settings: &Self::Settings, secrets: Secrets<'_>) -> Result<Self, SetUpError>;

    /// Where it is, and what we prove ourselves by.
    fn account(&self) -> &Account;

    /// What must not be kept of an answer, in every form that goes over the wire.
    fn secrets(&self) -> Vec<String> {
        self.account().secrets()
    }

    /// `call` with the proof of who we are, made at `at`.
    fn authorised(&self, call: Call, at: At) -> Call;

    /// The request that hands a canary over.
    fn send(&self, letter: &Letter<'_>) -> Call;

    /// What a 2xx says of the one mail; nothing if it is not what the API answers.
    fn taken(&self, reply: &Reply) -> Option<Verdict>;

    /// The class of a refusal that only this provider words so, whatever its status; the general rules know the rest.
    fn refused(&self, reply: &Reply) -> Option<Class>;

    /// Whether a 2xx says that the mail is only looked at, and not really sent.
    fn pretends(&self, _reply: &Reply) -> bool {
        false
    }

    /// What the person who reads a refusal of this class should look at first, where this provider's ways make that plain.
    fn hint(&self, _reply: &Reply, _class: Class) -> Option<&'static str> {
        None
    }

    /// The question what became of a mail that was taken and is still being worked on.
    fn unfinished(&self, _taken: &Reply) -> Option<Call> {
        None
    }

    /// A request that shows whether we would be let in, and sends nothing.
    fn ping(&self) -> Call;

    /// Whether its answer shows that we are let in, where that is not plain from its status.
    fn let_in(&self, _reply: &Reply) -> bool {
        false
    }

    /// The question how the account stands, where the provider has one.
    fn standing(&self) -> Option<Call> {
        None
    }

    /// What a 2xx to it says; nothing if it is not what the API answers.
    fn signs(&self, _reply: &Reply) -> Vec<Sign> {
        Vec::new()
    }
}

/// An account at a provider that has an HTTP API.
#[derive(Debug)]
pub(super) struct Api<S> {
    service: S,
    http: reqwest::Client,
    from: Mailbox,
    deadline: Duration,
}

impl<S: Service> Api<S> {
    #[expect(clippy::needless_pass_by_value, reason = "all transports are made alike")]
    pub(super) fn new(from: &Mailbox, settings: &S::Settings, dialer: Dialer, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Ok(Self { service: S::new(from, settings, secrets)?, http: dialer.http()?, from: from.clone(), deadline: DEADLINE })
    }

    pub(super) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) async fn submit(&self, mail: &Composed, canary: CanaryId, at: At) -> Answer {
        let letter = Letter { mail, canary, from: &self.from, at };
        let mut visit = Visit::new(self, at);
        let Err(cut) = visit.authenticate().await else {
            let sent = visit.ask(self.service.send(&letter)).await;
            let mut judged = self.judged(&sent, |reply| judge(&self.service, reply));
            if let (Outcome::Accepted, Ok(reply)) = (judged.verdict.outcome, sent)
                && let Some(later) = visit.wait_for(reply).await
            {
                let message_id = later.verdict.message_id.clone().or(judged.verdict.message_id);
                let words = format!("{}\nat first: {}", later.words, judged.words);
                judged = Judged { verdict: Verdict { message_id, ..later.verdict }, words, hint: later.hint };
            }
            return visit.answer(judged);
        };
        visit.answer(cut.into())
    }

    pub(super) async fn log_in(&self, at: At) -> Answer {
        let mut visit = Visit::new(self, at);
        let Err(cut) = visit.authenticate().await else {
            let sent = visit.ask(self.service.ping()).await;
            let judged = self.judged(&sent, |reply| judge_ping(&self.service, reply));
            return visit.answer(judged);
        };
        visit.answer(cut.into())
    }

    /// What an answer, or its absence, means, and the words for it.
    fn judged(&self, sent: &Result<Reply, Cut>, judge: impl Fn(&Reply) -> Verdict) -> Judged {
        match sent {
            Ok(reply) => self.explained(reply, judge(reply)),
            Err(cut) => cut.clone().into(),
        }
    }

    /// `verdict` with the words of the answer; what the person who reads them may not see at once comes first.
    fn explained(&self, reply: &Reply, verdict: Verdict) -> Judged {
        let hint = self.hint(reply, verdict.outcome);
        let said = if verdict.outcome == Outcome::Accepted { None } else { headline(reply) };
        let lead: Vec<String> = hint.iter().map(|line| format!("({line})")).chain(said).collect();
        Judged { verdict, words: reply.words(&lead), hint }
    }

    /// What to look at first: what is sure comes before what the words say, and that before what this provider's ways make likely.
    fn hint(&self, reply: &Reply, outcome: Outcome) -> Option<String> {
        let class = match outcome {
            Outcome::Refused(class) => class,
            Outcome::Unknown if reply.is_success() => {
                return Some("this is not what the API answers: nobody knows whether it has the mail".to_owned());
            }
            Outcome::Accepted | Outcome::Unknown => return None,
        };
        if let Some(wrong) = wrong_clock(reply).filter(|_| S::TIMED && class == Class::Auth) {
            return Some(wrong);
        }
        let known = if pretends(&self.service, reply) {
            Some("this is a key for tests, or a sandbox: nothing is really sent; configure the key of a live account")
        } else if (300..400).contains(&reply.status) {
            Some("the answer points elsewhere, and redirects are not followed: see to `base_url`")
        } else if reply.status == 407 {
            Some("a proxy on the way wants a log-in: see to `proxy`")
        } else if reply.is_page() && class == Class::Policy {
            Some("a page instead of an answer: something in front of the API refuses this host's address")
        } else if matches!(reply.status, 404 | 405) && reply.json.is_none() {
            Some("nothing of the API is at this address: see to `base_url`")
        } else {
            None
        };
        // The name of an error may tell more than its words.
        let name = reply.header("x-amzn-errortype").unwrap_or_default();
        let by_words = || if reply.is_page() { None } else { hint(class, &format!("{name} {}", said(reply))) };
        let likely = || self.service.hint(reply, class);
        let right = || right_clock(reply).filter(|_| S::TIMED && class == Class::Auth);
        known.or_else(by_words).or_else(likely).or_else(right).map(str::to_owned)
    }
}

/// Whether an answer says that mail is taken and not really sent.
fn pretends<S: Service>(service: &S, reply: &Reply) -> bool {
    reply.is_success() && (service.pretends(reply) || said::pretends(reply))
}

/// What an answer to a submission says of the mail.
fn judge<S: Service>(service: &S, reply: &Reply) -> Verdict {
    if let Some(class) = service.refused(reply) {
        return Verdict::refused(class);
    }
    if pretends(service, reply) {
        return Verdict::refused(Class::Auth);
    }
    let unknown = Verdict { outcome: Outcome::Unknown, message_id: None };
    if reply.is_success() {
        let taken = service.taken(reply);
        // What is wrong with a mail that was taken, or with an answer that is no acceptance, in a form that nobody documented.
        let remarked = said::remarked(reply, taken.is_none());
        return match (taken, remarked) {
            (None | Some(Verdict { outcome: Outcome::Accepted, .. }), Some(class)) => Verdict::refused(class),
            (taken, _) => taken.unwrap_or(unknown),
        };
    }
    general(reply).map_or(unknown, Verdict::refused)
}

/// What an answer to a ping says of us.
fn judge_ping<S: Service>(service: &S, reply: &Reply) -> Verdict {
    if pretends(service, reply) {
        return Verdict::refused(Class::Auth);
    }
    if service.let_in(reply) {
        return Verdict::accepted(None);
    }
    let class = service.refused(reply).or_else(|| general(reply));
    match class {
        None if reply.is_success() && reply.json.is_some() => Verdict::accepted(None),
        None => Verdict::refused(Class::Unknown),
        Some(class) => Verdict::refused(class),
    }
}

/// That our clock is what a refused proof is wrong by, as far as the answer tells.
pub(super) fn wrong_clock(reply: &Reply) -> Option<String> {
    let ahead = reply.ahead_secs().filter(|ahead| ahead.abs() >= SKEWED_SECS)?;
    let (off, side) = (Span::from_secs(ahead.unsigned_abs()), if ahead > 0 { "ahead of" } else { "behind" });
    Some(format!("this host's clock is {off} {side} the provider's, and its proof is good for minutes only: mend the clock, not the key"))
}

/// That it is not.
pub(super) fn right_clock(reply: &Reply) -> Option<&'static str> {
    let agrees = "this host's clock agrees with the provider's, it is the key: see whether that was changed, revoked or has expired";
    reply.ahead_secs().map(|_| agrees)
}

/// What an answer, or its absence, means; the words for it, and what to mend first.
#[derive(Debug)]
struct Judged {
    verdict: Verdict,
    words: String,
    hint: Option<String>,
}

impl From<Cut> for Judged {
    fn from(Cut { outcome, words, hint }: Cut) -> Self {
        Self { verdict: Verdict { outcome, message_id: None }, words, hint }
    }
}
