//! What providers tell by themselves: their webhooks taken in.
//!
//! A provider is one file that says how a post proves who it is from and what its events mean ([`Webhook`]), and one line of [`webhook`].
//! Reading, bounds, whose mail an event is about, and what is counted are here. These webhooks carry every event of the account's real mail:
//! what is not about a canary is counted, and neither kept nor logged.

mod door;
mod known;
mod mailersend;
mod mailgun;
mod mandrill;
mod postmark;
mod resend;
mod sendgrid;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use self::door::Door;
use self::mailersend::MailerSend;
use self::mailgun::Mailgun;
use self::mandrill::Mandrill;
use self::postmark::Postmark;
use self::resend::Resend;
use self::sendgrid::SendGrid;
use super::api::trace::kept;
use super::{Secrets, SetUpError, secret};
use crate::canary::{Found, Key, find};
use crate::config::{ProviderKind, SecretRef, Settings, SigningKey};
use crate::edge::post::Post;
use crate::model::{CanaryId, Fate, HookCounts, Knock, Name, Now, Tiding};
use crate::watchdog::Event;

/// Posts that are worked at together; a further one is told to come again.
const AT_ONCE: usize = 8;
/// Events in one post: providers send a thousand at most.
const EVENTS: usize = 4096;
/// To be written down. Who waits longer is told to come again.
const WRITTEN: Duration = Duration::from_secs(5);
/// A token is shorter, whatever was done to it.
const TOKEN: usize = 256;

/// What one event says of a mail, whosever it is.
#[derive(Debug)]
pub(super) struct Report<'e> {
    fate: Fate,
    /// The provider's own words, or the receiver's.
    words: String,
    /// The provider's id of the mail; empty if it does not come with the event.
    message_id: &'e str,
    /// What went along with the mail and comes back with the event; empty where nothing does.
    token: &'e str,
}

/// One provider's webhook. Opens no connection, and reads no clock.
pub(super) trait Webhook: fmt::Debug + Send + Sync {
    /// Whether the provider made this post, and not too long ago.
    fn is_genuine(&self, post: &Post<'_>) -> bool;

    /// Its events; nothing if it is not what the provider sends.
    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>>;

    /// What an event says of a mail; nothing if it says nothing of what became of it.
    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>>;
}

/// Whose canary this is.
pub type Owner = Arc<dyn Fn(CanaryId) -> Option<Name> + Send + Sync>;

/// The webhooks of all providers that have one.
pub struct Hooks {
    doors: BTreeMap<Name, Door>,
    places: Semaphore,
    key: Key,
    owner: Owner,
    told: mpsc::Sender<Told>,
    now: Now,
}

/// What one post told of canaries.
#[derive(Debug)]
pub struct Told {
    /// A finding for each of them.
    pub events: Vec<Event>,
    /// Told as soon as all of it is written down.
    pub done: oneshot::Sender<()>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("doors", &self.doors).finish_non_exhaustive()
    }
}

impl Hooks {
    /// Prepares the webhooks that the settings name. What they tell of canaries, whose tokens `key` makes and whose providers `owner` knows, goes
    /// into `told`; what does not fit there is refused, so that the provider tells it again.
    ///
    /// # Errors
    /// The provider, and what is wrong with its secret.
    pub fn new(
        settings: &Settings,
        secrets: Secrets<'_>,
        key: Key,
        owner: Owner,
        told: mpsc::Sender<Told>,
        now: Now,
    ) -> Result<Self, (Name, SetUpError)> {
        let base = settings.http.as_ref().and_then(|http| http.public_url.as_deref()).unwrap_or_default();
        let mut doors = BTreeMap::new();
        for (name, provider) in &settings.providers {
            let built = webhook(&provider.kind, secrets, format!("{base}/hooks/{name}")).map_err(|error| (name.clone(), error))?;
            doors.extend(built.map(|webhook| (name.clone(), Door::new(webhook))));
        }
        Ok(Self { doors, places: Semaphore::new(AT_ONCE), key, owner, told, now })
    }

    /// The same, with what the doors of a `former` configuration have learnt and counted.
    #[must_use]
    pub fn after(mut self, former: &Self) -> Self {
        let after = |(name, door): (Name, Door)| match former.doors.get(&name) {
            Some(former) => (name, door.after(former)),
            None => (name, door),
        };
        self.doors = self.doors.into_iter().map(after).collect();
        self
    }

    /// A provider has taken a canary under this id.
    pub fn learn(&self, provider: &Name, message_id: &str, canary: CanaryId) {
        if let Some(door) = self.doors.get(provider) {
            door.known().learn(message_id, canary);
        }
    }

    /// What was counted so far, for each provider that has a webhook.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Name, HookCounts> {
        self.doors.iter().map(|(name, door)| (name.clone(), door.counts())).collect()
    }

    /// Takes a post in that was read whole, and says how that ended.
    async fn take_in(&self, name: &Name, door: &Door, post: &Post<'_>) -> Knock {
        if !door.webhook.is_genuine(post) {
            return Knock::Refused;
        }
        let Some(events) = door.webhook.events(post) else { return Knock::Unreadable };
        if events.len() > EVENTS {
            return Knock::TooLarge;
        }
        let mut tidings: BTreeMap<Tiding, u64> = BTreeMap::new();
        let mut findings: BTreeMap<CanaryId, (Fate, String)> = BTreeMap::new();
        for event in &events {
            let report = door.webhook.report(event);
            let mine = report.as_ref().and_then(|report| self.canary(name, door, report));
            let tiding = match (&report, mine) {
                (None, _) => Tiding::Mute,
                (Some(_), None) => Tiding::Foreign,
                (Some(_), Some(_)) => Tiding::Finding,
            };
            *tidings.entry(tiding).or_default() += 1;
            if let (Some(report), Some(canary)) = (report, mine)
                && findings.get(&canary).is_none_or(|(fate, _)| report.fate >= *fate)
            {
                findings.insert(canary, (report.fate, kept(&report.words, &[])));
            }
        }
        if self.hand_on(name, findings).await.is_none() {
            return Knock::Busy;
        }
        door.count_events(&tidings);
        Knock::Taken
    }

    /// The canary that a report is about, if it is one of this provider's.
    fn canary(&self, name: &Name, door: &Door, report: &Report<'_>) -> Option<CanaryId> {
        let token = report.token.as_bytes().get(..report.token.len().min(TOKEN)).unwrap_or_default();
        let by_token = match find(&self.key, token) {
            Found::Ours { canary, .. } => Some(canary),
            Found::Forged | Found::Nothing => None,
        };
        let id = report.message_id.trim_start_matches('<').trim_end_matches('>');
        by_token.or_else(|| door.known().find(id)).filter(|canary| (self.owner)(*canary).as_ref() == Some(name))
    }

    /// Hands findings on and waits until they are written down; nothing if that could not be: they are to be told again, which changes nothing.
    async fn hand_on(&self, provider: &Name, findings: BTreeMap<CanaryId, (Fate, String)>) -> Option<()> {
        if findings.is_empty() {
            return Some(());
        }
        for (canary, (fate, _)) in &findings {
            tracing::debug!(%canary, %provider, fate = fate.as_str(), "a provider told what became of a canary");
        }
        let event = |(canary, (fate, words))| Event::Traced { canary, fate, words: Some(words) };
        let (done, written) = oneshot::channel();
        self.told.try_send(Told { events: findings.into_iter().map(event).collect(), done }).ok()?;
        timeout(WRITTEN, written).await.ok()?.ok()
    }
}

/// The webhook of a provider that posts to `url`, if it has one.
fn webhook(kind: &ProviderKind, secrets: Secrets<'_>, url: String) -> Result<Option<Box<dyn Webhook>>, SetUpError> {
    let had = |at: &Option<SecretRef>| at.as_ref().map(|at| secret(secrets, at)).transpose();
    Ok(match kind {
        ProviderKind::Mandrill(settings) => had(&settings.webhook_secret)?.map(|key| boxed(Mandrill::new(key.expose().as_bytes(), url))),
        ProviderKind::SendGrid(settings) => settings.webhook_public_key.as_ref().map(|key| boxed(SendGrid::new(key))),
        ProviderKind::Postmark(settings) => had(&settings.webhook_secret)?.map(|login| boxed(Postmark::new(login.expose().as_bytes()))),
        ProviderKind::Mailgun(settings) => had(&settings.webhook_secret)?.map(|key| boxed(Mailgun::new(key.expose().as_bytes()))),
        ProviderKind::Resend(settings) => match had(&settings.webhook_secret)? {
            Some(key) => Some(boxed(Resend::new(&SigningKey::new(&key)?))),
            None => None,
        },
        ProviderKind::MailerSend(settings) => had(&settings.webhook_secret)?.map(|key| boxed(MailerSend::new(key.expose().as_bytes()))),
        ProviderKind::Smtp(_)
        | ProviderKind::HttpTrigger(_)
        | ProviderKind::Ses(_)
        | ProviderKind::SparkPost(_)
        | ProviderKind::Brevo(_)
        | ProviderKind::Mailjet(_)
        | ProviderKind::Azure(_)
        | ProviderKind::Gmail(_) => None,
    })
}

fn boxed(webhook: impl Webhook + 'static) -> Box<dyn Webhook> {
    Box::new(webhook)
}

/// The objects of a list in JSON, or the one object.
fn list(body: &[u8]) -> Option<Vec<Value>> {
    let events = match serde_json::from_slice(body).ok()? {
        Value::Array(events) => events,
        one @ Value::Object(_) => vec![one],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    events.iter().all(Value::is_object).then_some(events)
}
