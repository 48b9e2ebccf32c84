//! Sinks: where notices go.
//!
//! One protocol a file ([`Webhook`], [`Alertmanager`]); what decides when to try and what to drop is pure: [`Queue`] for sinks that take
//! one message a notice, [`Board`] for Alertmanager, which takes the state again and again. [`work`] joins a sink with its decider.

mod alertmanager;
mod answer;
mod fit;
mod queue;
mod webhook;
mod work;

pub use alertmanager::{Alert, Alertmanager, Board, Instance};
pub use answer::Attempt;
pub use queue::{Pace, Queue};
pub use webhook::Webhook;
pub use work::{Ended, work};

use crate::config::{self, Secret, SecretRef, SigningKeyError, SinkKind};
use crate::model::{At, Name, Notice};

/// One notice on its way to one sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The message.
    pub notice: Notice,
    /// When its incident was opened.
    pub opened_at: At,
    /// When the notice was made.
    pub at: At,
}

/// Who speaks: what makes keys and ids ours, and where links lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `[watch] instance`.
    pub instance: String,
    /// Tells this ledger from any other that ever had the same name, so that notice 1 of a new ledger is not taken for a repeat. Any text.
    pub installation: String,
    /// `[http] public_url`, without a slash at its end.
    pub public_url: Option<String>,
}

impl Origin {
    /// The key of an incident for sinks.
    #[must_use]
    pub fn key(&self, notice: &Notice) -> String {
        format!("mailcanary/{}/{}", self.instance, notice.incident)
    }

    /// The page of an incident, if people can reach it.
    #[must_use]
    pub fn link(&self, notice: &Notice) -> Option<String> {
        self.public_url.as_ref().map(|base| format!("{base}/incidents/{}", notice.incident))
    }
}

/// Why a sink cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
}

/// A sink: one variant a kind.
#[derive(Debug)]
pub enum Sink {
    /// One signed POST a notice.
    Webhook(Webhook),
    /// The state of all incidents, sent again while they last.
    Alertmanager(Alertmanager),
}

impl Sink {
    /// Where the secret of a sink with these settings is to be read from.
    #[must_use]
    pub const fn secret(settings: &config::Sink) -> Option<&SecretRef> {
        match &settings.kind {
            SinkKind::Webhook { secret, .. } => secret.as_ref(),
            SinkKind::Alertmanager { .. } => None,
        }
    }

    /// Builds the sink `name`. `http` follows no redirects; `secret` is what [`Sink::secret`] leads to.
    ///
    /// # Errors
    /// [`SinkError`] if a URL or the secret cannot be used.
    pub fn new(
        name: &Name,
        settings: &config::Sink,
        http: reqwest::Client,
        secret: Option<&Secret>,
        origin: &Origin,
    ) -> Result<Self, SinkError> {
        match &settings.kind {
            SinkKind::Webhook { url, secret: wanted } => {
                if wanted.is_some() && secret.is_none() {
                    return Err(SinkError::Missing(name.clone()));
                }
                Webhook::new(name, url, http, secret, origin).map(Self::Webhook)
            }
            SinkKind::Alertmanager { urls } => Alertmanager::new(name, urls, http, origin, &settings.severities).map(Self::Alertmanager),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        match self {
            Self::Webhook(webhook) => webhook.name(),
            Self::Alertmanager(alertmanager) => alertmanager.name(),
        }
    }

    /// Tries once to hand over one notice. For Alertmanager that is this one alert, once, to every instance: [`work`] keeps it alive.
    pub async fn deliver(&self, notice: &Notice, opened_at: At, at: At, now: At) -> Attempt {
        match self {
            Self::Webhook(webhook) => webhook.deliver(notice, at, now).await,
            Self::Alertmanager(alertmanager) => alertmanager.deliver(notice, opened_at, at, now).await,
        }
    }
}

fn parse(name: &Name, url: &str) -> Result<reqwest::Url, SinkError> {
    let parsed = reqwest::Url::parse(url).map_err(|error| SinkError::Url(name.clone(), error.to_string()))?;
    if parsed.has_host() { Ok(parsed) } else { Err(SinkError::Url(name.clone(), "no host".to_owned())) }
}
