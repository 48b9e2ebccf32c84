//! Heartbeats: who watches the watchdog is told again and again that all is well, and calls somebody when that ends.
//!
//! One kind a file, and one line of `service`. When a beat may be sent is not decided here ([`Proof`] is what it says has happened); [`work`]
//! sends one after the other. They are called as sinks are.

mod alertmanager;
mod healthchecks;
mod kuma;
mod oncall;
mod opsgenie;
mod work;

pub use work::work;

use std::fmt;

use futures::future::BoxFuture;

use crate::config::{self, HeartbeatKind, Secret, SecretRef, SecretUrl, SecretUrlError};
use crate::edge::dial::{DialError, Dialer};
use crate::edge::notify::{Attempt, Caller};
use crate::model::{At, Name, Span};

/// What a beat says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// When the cycle was found to be full.
    pub at: At,
    /// When the ledger was last written.
    pub written: At,
    /// When the newest complete read of an inbox began.
    pub read: At,
}

impl Proof {
    /// How old its oldest part is.
    fn age(&self) -> Span {
        self.at.since(self.written.min(self.read))
    }
}

/// Why a heartbeat cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BeatError {
    /// A URL that is none. The URL itself is not repeated: it may hold a token.
    #[error("heartbeat `{0}`: the url cannot be read: {1}")]
    Url(Name, String),
    /// The settings name a secret, and none was handed in.
    #[error("heartbeat `{0}`: its secret is missing")]
    Missing(Name),
    /// The secret is no address.
    #[error("heartbeat `{0}`: its secret is no address to write to: {1}")]
    SecretUrl(Name, SecretUrlError),
    /// The way out cannot be prepared.
    #[error("heartbeat `{0}`")]
    Wire(Name, #[source] DialError),
}

/// Who takes beats.
trait Service: fmt::Debug + Send + Sync {
    /// Tries once, at `now`.
    fn beat<'a>(&'a self, proof: &'a Proof, now: At) -> BoxFuture<'a, Attempt>;
}

/// The kinds of heartbeat: a line each.
fn service(settings: &config::Heartbeat, tools: &Tools<'_>) -> Result<Box<dyn Service>, BeatError> {
    Ok(match &settings.kind {
        HeartbeatKind::Healthchecks(own) => Box::new(healthchecks::Healthchecks::new(own, tools)?),
        HeartbeatKind::Kuma(own) => Box::new(kuma::Kuma::new(own, tools)?),
        HeartbeatKind::Opsgenie(own) => Box::new(opsgenie::Opsgenie::new(own, tools)?),
        HeartbeatKind::OnCall(own) => Box::new(oncall::OnCall::new(own, tools)?),
        HeartbeatKind::Alertmanager(own) => Box::new(alertmanager::Watchdog::new(own, settings.every, tools)?),
    })
}

/// What heartbeats are made with.
struct Tools<'a> {
    name: &'a Name,
    /// `[watch] instance`.
    instance: &'a str,
    dialer: Dialer,
    secrets: &'a dyn Fn(&SecretRef) -> Option<Secret>,
}

impl Tools<'_> {
    fn http(&self) -> Result<reqwest::Client, BeatError> {
        self.dialer.http().map_err(|error| BeatError::Wire(self.name.clone(), error))
    }

    fn secret(&self, at: &SecretRef) -> Result<Secret, BeatError> {
        (self.secrets)(at).ok_or_else(|| BeatError::Missing(self.name.clone()))
    }

    /// The address at `at`, and who calls it.
    fn secret_url(&self, at: &SecretRef) -> Result<(SecretUrl, Caller), BeatError> {
        let url = SecretUrl::new(&self.secret(at)?).map_err(|error| BeatError::SecretUrl(self.name.clone(), error))?;
        let caller = Caller::of_url(self.http()?, url.expose());
        Ok((url, caller))
    }

    /// The sentence that goes with a beat, where the other side keeps one.
    fn words(&self) -> String {
        format!("mailcanary {} on {}", env!("CARGO_PKG_VERSION"), self.instance)
    }
}

/// A heartbeat.
#[derive(Debug)]
pub struct Heartbeat {
    name: Name,
    every: Span,
    service: Box<dyn Service>,
}

impl Heartbeat {
    /// Builds the heartbeat `name` of the installation `instance`. `secrets` has what the settings name.
    ///
    /// # Errors
    /// [`BeatError`] if a URL, a secret or the way out cannot be used.
    pub fn new(
        name: &Name,
        settings: &config::Heartbeat,
        instance: &str,
        secrets: &dyn Fn(&SecretRef) -> Option<Secret>,
    ) -> Result<Self, BeatError> {
        let dialer = Dialer::new(&settings.wire).map_err(|error| BeatError::Wire(name.clone(), error))?;
        let tools = Tools { name, instance, dialer, secrets };
        Ok(Self { name: name.clone(), every: settings.every, service: service(settings, &tools)? })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The time between two beats.
    #[must_use]
    pub const fn every(&self) -> Span {
        self.every
    }

    /// Tries once to hand over one beat.
    pub async fn beat(&self, proof: &Proof, now: At) -> Attempt {
        self.service.beat(proof, now).await
    }
}
