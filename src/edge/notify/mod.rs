//! Sinks: where notices go.
//!
//! One kind a file, and one line of `channel`. What a page says is made once, in `page`; each file turns it into what its receiver takes
//! and reads the answer. What decides when to try and what to drop is pure: [`Queue`] for sinks that take one message a notice, [`Board`]
//! for Alertmanager, which takes the state again and again. [`work`] joins a sink with its decider.

mod alertmanager;
mod answer;
mod caller;
mod command;
mod desktop;
mod discord;
mod email;
mod facts;
mod fit;
mod grafana;
mod hook;
mod memory;
#[cfg(test)]
mod nasty;
mod ntfy;
mod opsgenie;
mod pace;
mod page;
mod pagerduty;
mod queue;
mod rate;
mod replies;
mod rest;
mod slack;
mod slack_bot;
mod teams;
mod telegram;
mod trial;
mod webhook;
mod work;

pub(crate) use alertmanager::Instances;
pub use alertmanager::{Alert, Alertmanager, Board, Instance};
pub use answer::Attempt;
pub(crate) use caller::Caller;
pub use pace::Pace;
pub use queue::Queue;
pub use rate::Rate;
pub use replies::Replies;
pub use trial::trial;
pub use webhook::Webhook;
pub use work::{Ended, Handed, work};

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, pending, ready};
use serde_json::{Value, json};

use self::memory::Memory;
use self::page::Pages;
use crate::config::{self, Secret, SecretRef, SecretUrl, SecretUrlError, SigningKeyError, SinkKind};
use crate::edge::dial::{DialError, Dialer};
use crate::edge::submit::SetUpError;
use crate::model::proof::renew_ages;
use crate::model::{At, Change, IncidentId, Name, Notice, Span};

/// One notice on its way to one sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The message.
    pub notice: Arc<Notice>,
    /// When its incident was opened.
    pub opened_at: At,
    /// When the notice was made.
    pub at: At,
    /// The sink may have taken it already: that it did is not known.
    pub perhaps_told: bool,
}

/// Former keys of an incident that are looked at.
const FORMER: u64 = 3;

impl Outgoing {
    /// How often its incident has called again.
    fn calls(&self) -> u64 {
        self.notice.evidence.get(CALLS).and_then(Value::as_u64).unwrap_or(0)
    }

    /// The same incident under the keys that it had before it called again, where it is over.
    fn former(&self) -> Vec<Self> {
        let calls = self.calls();
        let under = |calls: u64| {
            let notice = Notice { change: Change::Resolved, evidence: json!({ CALLS: calls }), ..(*self.notice).clone() };
            Self { notice: notice.into(), ..self.clone() }
        };
        (calls.saturating_sub(FORMER)..calls).rev().map(under).collect()
    }
}

/// How often an incident has called again, in the evidence.
const CALLS: &str = "calls";

/// Who speaks: what makes keys and ids ours, and where links lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `[watch] instance`.
    pub instance: String,
    /// Tells this ledger from any other that ever had the same name, so that notice 1 of a new ledger is not taken for a repeat. Any text.
    pub installation: String,
    /// `[http] public_url`, without a slash at its end.
    pub public_url: Option<String>,
    /// Where this machine reaches the daemon's own pages, if it does.
    pub own_url: Option<String>,
    /// Where runbooks stand, with `{kind}` to be filled in.
    pub runbooks: Option<String>,
}

impl Origin {
    /// The key of an incident for sinks.
    #[must_use]
    pub fn key(&self, notice: &Notice) -> String {
        format!("mailcanary/{}/{}", self.instance, notice.incident)
    }

    /// The key of an incident where what is acknowledged stays silent: another each time that it calls again.
    fn alert_key(&self, notice: &Notice) -> String {
        match notice.evidence.get(CALLS).and_then(Value::as_u64) {
            Some(calls) if calls > 0 => format!("{}/{calls}", self.key(notice)),
            _ => self.key(notice),
        }
    }

    /// The incident of a key.
    fn incident(&self, key: &str) -> Option<IncidentId> {
        let ours = key.strip_prefix("mailcanary/")?.strip_prefix(&self.instance)?.strip_prefix('/')?;
        ours.split('/').next()?.parse().ok().map(IncidentId)
    }

    /// The page of an incident, if people can reach it.
    #[must_use]
    pub fn link(&self, notice: &Notice) -> Option<String> {
        let base = self.public_url.as_ref().filter(|_| !notice.is_trial())?;
        Some(format!("{base}/incidents/{}", notice.incident))
    }

    /// What to do about an incident of this kind, if people can reach it. What is over needs nothing done.
    #[must_use]
    pub fn runbook(&self, notice: &Notice) -> Option<String> {
        let all = self.runbooks.as_ref().filter(|_| !notice.is_trial() && notice.change != Change::Resolved)?;
        Some(all.replace("{kind}", notice.runbook()))
    }
}

/// Why a sink cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A URL that is none. The URL itself is not repeated: it may hold a token.
    #[error("sink `{0}`: the url cannot be read: {1}")]
    Url(Name, String),
    /// The settings name a secret, and none was handed in.
    #[error("sink `{0}`: its secret is missing")]
    Missing(Name),
    /// The secret has the wrong shape.
    #[error("sink `{0}`: {1}")]
    Secret(Name, SigningKeyError),
    /// The secret is no address.
    #[error("sink `{0}`: its secret is no address to write to: {1}")]
    SecretUrl(Name, SecretUrlError),
    /// The way out cannot be prepared.
    #[error("sink `{0}`")]
    Wire(Name, #[source] DialError),
    /// The mail server of the sink cannot be set up.
    #[error("sink `{0}`")]
    Post(Name, #[source] SetUpError),
}

/// A sink that takes one message a notice. What is not said has its default.
trait Channel: fmt::Debug + Send + Sync {
    /// Tries once, at `now`. The same notice is the same message at each attempt.
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt>;

    /// How much it bears.
    fn rate(&self) -> Rate {
        Rate::NONE
    }

    /// With how many notices, each of another incident, it is tried at the same time.
    fn lanes(&self) -> usize {
        if self.rate() == Rate::NONE { work::FREE_LANES } else { work::LANES }
    }

    /// Whether what it needs on this machine is there; nothing is told. In words, if not.
    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(ready(Ok(())))
    }

    /// Whether what somebody has acknowledged there stays silent, whatever it is told of the same alert.
    fn mutes(&self) -> bool {
        false
    }

    /// Whether it takes a notice as data, the same bytes each time, and not as a text to be read.
    fn is_exact(&self) -> bool {
        false
    }

    /// Whether a second copy of the same notice is a second message to its people.
    fn repeats(&self) -> bool {
        false
    }

    /// What it does besides, for as long as it works. Never ends by itself.
    fn tend(&self) -> BoxFuture<'_, ()> {
        Box::pin(pending())
    }
}

/// Before what a sink may have taken already, and makes a second message of.
const AGAIN: &str = "perhaps told already, for there was no answer: ";

/// What is told later than this after it was written says when that was.
const LATE: Span = Span::from_secs(60);

impl Outgoing {
    /// The same as it is told at `now`: what was written some time ago says of when it is, and ages are those of now.
    fn told_at(&self, now: At) -> Self {
        let mut out = self.clone();
        if self.perhaps_told && !self.notice.is_trial() {
            Arc::make_mut(&mut out.notice).summary = format!("{AGAIN}{}", self.notice.summary);
        }
        if now.since(self.at) < LATE || self.notice.is_trial() {
            return out;
        }
        let over = if self.notice.change == Change::Resolved { "over since" } else { "as of" };
        Arc::make_mut(&mut out.notice).summary =
            format!("{over} {} ({} ago): {}", self.at.second(), now.since(self.at), out.notice.summary);
        renew_ages(&mut Arc::make_mut(&mut out.notice).evidence, now);
        out
    }
}

/// Tries once, at `now`. An incident that calls again under another key is no alert under its former ones any more.
async fn tell(channel: &dyn Channel, out: &Outgoing, now: At) -> Attempt {
    let out = &Outgoing { perhaps_told: out.perhaps_told && channel.repeats(), ..out.clone() };
    let late = out.told_at(now);
    let attempt = channel.tell(if channel.is_exact() { out } else { &late }, now).await;
    if channel.mutes() && attempt == Attempt::Delivered && matches!(out.notice.change, Change::Updated | Change::Resolved) {
        for former in out.former() {
            // What is left of it is an alert that somebody has acknowledged.
            let _ = channel.tell(&former, now).await;
        }
    }
    attempt
}

/// The kinds of sink that take one message a notice: a line each.
fn channel(settings: &config::Sink, tools: &Tools<'_>) -> Result<Option<Box<dyn Channel>>, SinkError> {
    Ok(Some(match &settings.kind {
        SinkKind::Alertmanager(_) => return Ok(None),
        SinkKind::Webhook(settings) => Box::new(Webhook::new(settings, tools)?),
        SinkKind::PagerDuty(settings) => Box::new(pagerduty::PagerDuty::new(settings, tools)?),
        SinkKind::Opsgenie(settings) => Box::new(opsgenie::Opsgenie::new(&settings.api_key, &settings.base_url, tools)?),
        SinkKind::Jira(settings) => Box::new(opsgenie::Opsgenie::new(&settings.api_key, &settings.base_url, tools)?),
        SinkKind::Grafana(settings) => Box::new(grafana::Grafana::new(settings, tools)?),
        SinkKind::Slack(settings) => Box::new(slack::Slack::new(settings, tools)?),
        SinkKind::SlackBot(settings) => Box::new(slack_bot::SlackBot::new(settings, tools)?),
        SinkKind::Discord(settings) => Box::new(discord::Discord::new(settings, tools)?),
        SinkKind::Teams(settings) => Box::new(teams::Teams::new(settings, tools)?),
        SinkKind::Telegram(settings) => Box::new(telegram::Telegram::new(settings, tools)?),
        SinkKind::Ntfy(settings) => Box::new(ntfy::Ntfy::new(settings, tools)?),
        SinkKind::Command(settings) => Box::new(command::Command::new(settings, tools)),
        SinkKind::Email(settings) => Box::new(email::Email::new(settings, tools)?),
        SinkKind::Desktop(_) => Box::new(desktop::Desktop::new(tools)),
    }))
}

/// What sinks are made with.
struct Tools<'a> {
    name: &'a Name,
    dialer: Dialer,
    secrets: &'a dyn Fn(&SecretRef) -> Option<Secret>,
    origin: &'a Origin,
    pages: Pages,
    folder: Option<&'a Path>,
}

impl Tools<'_> {
    fn http(&self) -> Result<reqwest::Client, SinkError> {
        self.dialer.http().map_err(|error| SinkError::Wire(self.name.clone(), error))
    }

    fn secret(&self, at: &SecretRef) -> Result<Secret, SinkError> {
        (self.secrets)(at).ok_or_else(|| SinkError::Missing(self.name.clone()))
    }

    /// The address at `at`, and who calls it.
    fn secret_url(&self, at: &SecretRef) -> Result<(SecretUrl, Caller), SinkError> {
        let url = SecretUrl::new(&self.secret(at)?).map_err(|error| SinkError::SecretUrl(self.name.clone(), error))?;
        let caller = Caller::of_url(self.http()?, url.expose());
        Ok((url, caller))
    }

    fn url(&self, text: &str) -> Result<reqwest::Url, SinkError> {
        parse(self.name, text)
    }

    /// What the sink remembers over restarts.
    fn memory(&self) -> Memory {
        Memory::open(self.folder, &format!("sink-{}.json", self.name))
    }
}

/// A sink.
#[derive(Debug)]
pub struct Sink {
    name: Name,
    way: Way,
    /// Where its queue may keep a small file.
    folder: Option<PathBuf>,
}

/// How a sink takes what it is told.
#[derive(Debug)]
enum Way {
    /// One message a notice.
    Notices(Box<dyn Channel>),
    /// The state of all incidents, sent again while they last.
    State(Alertmanager),
}

impl Sink {
    /// Builds the sink `name`. `secrets` has what the settings name; `folder` is where it may keep a small file, which need not be.
    ///
    /// # Errors
    /// [`SinkError`] if a URL, a secret or the way out cannot be used.
    pub fn new(
        name: &Name,
        settings: &config::Sink,
        secrets: &dyn Fn(&SecretRef) -> Option<Secret>,
        origin: &Origin,
        folder: Option<&Path>,
    ) -> Result<Self, SinkError> {
        let dialer = Dialer::new(&settings.wire).map_err(|error| SinkError::Wire(name.clone(), error))?;
        let pages = Pages::new(origin.clone(), settings.wording.clone());
        let tools = Tools { name, dialer, secrets, origin, pages, folder };
        let way = match (channel(settings, &tools)?, &settings.kind) {
            (None, SinkKind::Alertmanager(own)) => {
                Way::State(Alertmanager::new(name, &own.urls, &tools.http()?, origin, &settings.takes.severities)?)
            }
            (Some(channel), _) => Way::Notices(channel),
            (None, _) => return Err(SinkError::Missing(name.clone())),
        };
        Ok(Self { name: name.clone(), way, folder: folder.map(Path::to_path_buf) })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// Whether what it needs on this machine is there. Tells nobody anything.
    ///
    /// # Errors
    /// What is missing, and what to do, in words.
    pub async fn ready(&self) -> Result<(), String> {
        match &self.way {
            Way::Notices(channel) => channel.ready().await,
            Way::State(_) => Ok(()),
        }
    }

    /// Tries once to hand over one notice. For Alertmanager that is this one alert, once, to every instance: [`work`] keeps it alive.
    pub async fn deliver(&self, out: &Outgoing, now: At) -> Attempt {
        match &self.way {
            Way::Notices(channel) => tell(&**channel, out, now).await,
            Way::State(alertmanager) => alertmanager.deliver(&out.notice, out.opened_at, out.at, now).await,
        }
    }
}

fn parse(name: &Name, url: &str) -> Result<reqwest::Url, SinkError> {
    let parsed = reqwest::Url::parse(url).map_err(|error| SinkError::Url(name.clone(), error.to_string()))?;
    if parsed.has_host() { Ok(parsed) } else { Err(SinkError::Url(name.clone(), "no host".to_owned())) }
}
