//! Streams, inboxes, accounts, sinks, heartbeats.

use schemars::JsonSchema;
use serde::Serialize;

use super::provider::{AccountState, Budget, Health};
use super::word::time;
use super::{Name, Time, Verdict};
use crate::model;
use crate::watchdog::{Delivery, InboxView, View};

/// Every stream of every provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Streams {
    as_of: Time,
    /// Sorted by provider, then stream.
    streams: Vec<Stream>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Stream {
    provider: Name,
    #[serde(flatten)]
    health: Health,
}

/// Every inbox.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Inboxes {
    as_of: Time,
    inboxes: Vec<Inbox>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Inbox {
    name: Name,
    verdict: Verdict,
    /// Why we think so: one sentence.
    reason: String,
    /// Whether we can see into it; null before the first try.
    readable: Option<bool>,
    /// Up to when everything that lay in it is known.
    known_up_to: Option<Time>,
    /// When what it is logged in to with ends, where that is known.
    login_ends_at: Option<Time>,
    /// Tokens that were not ours.
    forged: u64,
    /// Canaries of ours in the wrong inbox, or after they were forgotten.
    replayed: u64,
    budget: Option<Budget>,
}

/// Every account that is asked about.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Accounts {
    as_of: Time,
    accounts: Vec<Account>,
}

/// How the account at one provider stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Account {
    provider: Name,
    #[serde(flatten)]
    state: AccountState,
    /// Questions that were answered, since the installation began.
    answered: u64,
    /// Questions that the provider had no time for.
    throttled: u64,
    /// Questions that were not answered otherwise.
    failed: u64,
}

/// Every sink.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Sinks {
    as_of: Time,
    sinks: Vec<Sink>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Sink {
    name: Name,
    /// Notices on their way.
    pending: u64,
    /// How notices ended, since the installation began.
    notices: Ends,
    /// The last test notice, where such are sent.
    trial: Option<Trial>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Ends {
    delivered: u64,
    refused: u64,
    /// Given up.
    dropped: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Trial {
    at: Option<Time>,
    /// Whether it took it; null: not known yet.
    taken: Option<bool>,
}

/// Every heartbeat out.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Heartbeats {
    as_of: Time,
    heartbeats: Vec<Heartbeat>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Heartbeat {
    name: Name,
    every_seconds: f64,
    /// When the other side took the last one.
    last: Option<Time>,
    /// Beats that the other side did not take, since the process started.
    failures: u64,
    /// Why it did not take the last one.
    failing: Option<String>,
    /// What keeps the next one back.
    held: Option<&'static str>,
}

impl Streams {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let of = |(provider, stream): &(model::Name, crate::watchdog::PartyView)| Stream {
            provider: provider.into(),
            health: Health::of_stream(view, provider, stream),
        };
        Self { as_of: view.at.into(), streams: view.streams.iter().map(of).collect() }
    }
}

impl Inboxes {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let of = |inbox: &InboxView| Inbox {
            name: (&inbox.name).into(),
            verdict: inbox.verdict.into(),
            reason: inbox.reason.clone(),
            readable: inbox.sight,
            known_up_to: time(inbox.horizon),
            login_ends_at: time(inbox.expires),
            forged: inbox.forged,
            replayed: inbox.replayed,
            budget: inbox.budget.map(Budget::from),
        };
        Self { as_of: view.at.into(), inboxes: view.inboxes.iter().map(of).collect() }
    }
}

impl Accounts {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let of = |(provider, account): (&model::Name, &crate::watchdog::AccountView)| Account {
            provider: provider.into(),
            state: AccountState::new(account, view.at),
            answered: account.read,
            throttled: account.throttled,
            failed: account.not_read,
        };
        Self { as_of: view.at.into(), accounts: view.accounts.iter().map(of).collect() }
    }
}

impl Sinks {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let of = |(sink, pending): (&model::Name, &u64)| {
            let count = |end| view.notices.get(&(sink.clone(), end)).copied().unwrap_or_default();
            let trial = view.trials.iter().find(|trial| trial.sink == *sink);
            Sink {
                name: sink.into(),
                pending: *pending,
                notices: Ends {
                    delivered: count(Delivery::Delivered),
                    refused: count(Delivery::Refused),
                    dropped: count(Delivery::Dropped),
                },
                trial: trial.map(|trial| Trial { at: time(trial.at), taken: trial.taken }),
            }
        };
        Self { as_of: view.at.into(), sinks: view.notices_pending.iter().map(of).collect() }
    }
}

impl Heartbeats {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let of = |(name, pulse): (&model::Name, &model::Pulse)| Heartbeat {
            name: name.into(),
            every_seconds: pulse.every.as_secs_f64(),
            last: time(pulse.last),
            failures: pulse.failures,
            failing: pulse.failing.clone(),
            held: pulse.held,
        };
        Self { as_of: view.at.into(), heartbeats: view.heartbeats.iter().map(of).collect() }
    }
}
