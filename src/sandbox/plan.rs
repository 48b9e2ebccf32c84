//! What a world is to consist of.

use std::collections::BTreeMap;
use std::fmt;

use super::chance::Chance;
use crate::model::{Name, Now, Span};

/// A world to be: who is in it, and how it behaves while nothing is broken.
#[derive(Clone)]
pub struct Plan {
    /// Where the world takes the time from, for `Received`, `Date` and `INTERNALDATE`.
    pub now: Now,
    /// Everything that looks like chance follows from it.
    pub seed: u64,
    /// The providers.
    pub providers: BTreeMap<Name, ProviderPlan>,
    /// The inboxes.
    pub inboxes: BTreeMap<Name, InboxPlan>,
    /// The streams that the configuration of this world names.
    pub streams: BTreeMap<Name, StreamPlan>,
    /// One canary a route in this time, in the configuration of this world.
    pub every: Span,
    /// Mail that an inbox put off (it is full) is tried again after this time.
    pub retry: Span,
    /// A client that says nothing for this long is hung up on (SMTP, HTTP, and IMAP before the login).
    pub patience: Span,
}

impl Plan {
    /// An empty world: a canary a minute, deferred mail tried again after 2 s, silent clients hung up on after a minute.
    #[must_use]
    pub const fn new(now: Now, seed: u64) -> Self {
        Self {
            now,
            seed,
            providers: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            streams: BTreeMap::new(),
            every: Span::from_secs(60),
            retry: Span::from_secs(2),
            patience: Span::from_secs(60),
        }
    }

    /// With this provider.
    #[must_use]
    pub fn provider(mut self, name: Name, plan: ProviderPlan) -> Self {
        self.providers.insert(name, plan);
        self
    }

    /// With this inbox.
    #[must_use]
    pub fn inbox(mut self, name: Name, plan: InboxPlan) -> Self {
        self.inboxes.insert(name, plan);
        self
    }

    /// With this stream.
    #[must_use]
    pub fn stream(mut self, name: Name, subject: &str, deadline: Span) -> Self {
        self.streams.insert(name, StreamPlan { subject: subject.to_owned(), deadline });
        self
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("seed", &self.seed)
            .field("providers", &self.providers)
            .field("inboxes", &self.inboxes)
            .finish_non_exhaustive()
    }
}

/// A stream in the configuration of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPlan {
    /// The subject of its mails.
    pub subject: String,
    /// What comes later is as good as lost.
    pub deadline: Span,
}

/// How a provider takes mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// SMTP submission with AUTH, without TLS.
    Smtp,
    /// The HTTP API of Mailchimp Transactional (Mandrill).
    Mandrill,
}

/// A provider to be.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderPlan {
    /// How it takes mail.
    pub transport: Transport,
    /// The port on 127.0.0.1; 0: any free one.
    pub port: u16,
    /// Who its mail is from, in the configuration of this world; absent: `Example <no-reply@NAME.test>`.
    pub from: Option<String>,
    /// How long its mail takes.
    pub latency: Latency,
    /// The share of its mail that the receiver greylists.
    pub greylisted: f64,
    /// How much longer greylisted mail takes.
    pub greylist: Span,
}

impl ProviderPlan {
    /// A provider whose mail takes around 300 ms, and is never greylisted.
    #[must_use]
    pub const fn new(transport: Transport) -> Self {
        let latency = Latency::LogNormal { median: Span::from_ms(300), sigma: 0.4 };
        Self { transport, port: 0, from: None, latency, greylisted: 0.0, greylist: Span::from_secs(60) }
    }
}

/// How long mail takes from the acceptance to the mailbox.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always this long.
    Fixed(Span),
    /// Lognormal: half of the mail takes longer than `median`. At most an hour.
    LogNormal {
        /// The middle.
        median: Span,
        /// The standard deviation of the logarithm: 0.4 is calm, 1.0 is wild.
        sigma: f64,
    },
}

impl Latency {
    /// One draw.
    pub(super) fn draw(self, chance: &mut Chance) -> Span {
        match self {
            Self::Fixed(span) => span,
            Self::LogNormal { median, sigma } => chance.lognormal(median, sigma),
        }
    }
}

/// An inbox to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxPlan {
    /// The port on 127.0.0.1; 0: any free one.
    pub port: u16,
    /// Its address, which is also its user name; absent: `canary@NAME.test`. `local+anything@domain` arrives there too.
    pub address: Option<String>,
    /// Its junk folders; mail that is junked lands in the first.
    pub junk: Vec<JunkFolder>,
    /// Messages that a folder keeps; beyond, the oldest go.
    pub capacity: usize,
}

impl Default for InboxPlan {
    /// One folder `Junk` with its attribute, 5,000 messages.
    fn default() -> Self {
        Self { port: 0, address: None, junk: vec![JunkFolder { name: "Junk".to_owned(), attribute: true }], capacity: 5_000 }
    }
}

/// A junk folder to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunkFolder {
    /// Its name, in Unicode; on the wire it is modified UTF-7.
    pub name: String,
    /// Whether `LIST` says `\Junk` of it.
    pub attribute: bool,
}

/// What everybody in a world has in common.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) now: Now,
    pub(super) seed: u64,
    pub(super) retry: Span,
    pub(super) patience: Span,
}

impl Setting {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { now: plan.now.clone(), seed: plan.seed, retry: plan.retry, patience: plan.patience }
    }

    /// A password or key that belongs to `name`.
    pub(super) fn secret(&self, name: &Name) -> String {
        let mut chance = Chance::of(self.seed, name.as_str(), 0, "secret");
        format!("{:016x}{:016x}", chance.bits(), chance.bits())
    }

    /// The host name of `name`: under `.test`, which RFC 6761 keeps for such things.
    pub(super) fn host(role: &str, name: &Name) -> String {
        let label: String = name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let label = label.trim_end_matches('-').chars().take(63).collect::<String>();
        if role.is_empty() { format!("{label}.test") } else { format!("{role}.{label}.test") }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("seed", &self.seed).finish_non_exhaustive()
    }
}
