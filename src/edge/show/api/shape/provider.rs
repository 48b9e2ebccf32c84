//! Which provider is healthy, for an application's own failover.

use schemars::JsonSchema;
use serde::Serialize;

use super::incident::Culprit;
use super::word::time;
use super::words::{Class, Standing};
use super::{Kind, Name, Severity, Time, Verdict};
use crate::model::{self, At, Span};
use crate::watchdog::{AccountView, IncidentView, PartyView, View};

/// So many rounds without an arrival, and what mail may take besides, and what is known is not fresh any more.
const ROUNDS: u64 = 3;
/// What mail may take.
const UNDERWAY: Span = Span::from_secs(120);
/// What is known is fresh for at least this long, however short the rounds.
const FRESH_AT_LEAST: Span = Span::from_secs(300);

/// Every provider, and how it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Providers {
    as_of: Time,
    providers: Vec<Provider>,
}

/// An account at an e-mail service provider, or a relay.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Provider {
    #[serde(flatten)]
    health: Health,
    /// Kept warm for a failover.
    standby: bool,
    every_seconds: f64,
    last_sent: Option<Time>,
    /// It has asked to be sent nothing before then.
    held_until: Option<Time>,
    /// What is open against it, or against everything.
    incidents: Vec<Open>,
    streams: Vec<Health>,
    budget: Option<Budget>,
    /// What it says of the account, where it is asked.
    account: Option<AccountState>,
}

/// How a provider or one of its streams is, and how much that is worth.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    name: Name,
    /// False while mail through it is known to be lost, late or in the wrong place, and while the provider holds something against the account.
    /// What we cannot see is no reason to leave a provider.
    healthy: bool,
    verdict: Verdict,
    reason: String,
    /// Nothing has arrived for so long that the verdict is of the past: see `reason`.
    stale: bool,
    last_arrival: Option<Time>,
    age_seconds: Option<f64>,
    fresh_for_seconds: f64,
}

/// An incident that is open, in short.
#[derive(Debug, Serialize, JsonSchema)]
struct Open {
    incident: u64,
    kind: Kind,
    severity: Severity,
    culprit: Culprit,
    opened_at: Time,
    summary: String,
}

/// How the account was said to stand.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AccountState {
    read_at: Option<Time>,
    age_seconds: Option<f64>,
    every_seconds: f64,
    signs: Vec<Sign>,
    /// Of these the ones that an incident of the kind `early_sign` is about.
    warns: Vec<Sign>,
    unread: Option<Unread>,
}

/// Why it cannot be read now.
#[derive(Debug, Serialize, JsonSchema)]
struct Unread {
    since: Time,
    class: Class,
    why: String,
}

/// Canaries in 24 hours: how many may be, and how many were.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Budget {
    canaries_per_day: u32,
    spent: u32,
}

/// One thing that a provider says of the account: an object with exactly one key.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sign {
    /// Whether the account may send, and the provider's own word for that.
    Standing { state: Standing, word: String },
    /// What of an allowance is left.
    Quota { remaining: u64, limit: Option<u64>, renews_at: Option<Time> },
    /// Mails that the provider has taken and holds back.
    Backlog { waiting: u64 },
    /// The account's reputation, of a hundred.
    Reputation { percent: u64 },
}

impl Providers {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self { as_of: view.at.into(), providers: view.providers.iter().map(|party| Provider::new(view, party)).collect() }
    }
}

impl Provider {
    pub(in crate::edge::show) fn new(view: &View, party: &PartyView) -> Self {
        let open = view.incidents.iter().filter(|i| i.resolved_at.is_none() && concerns(&i.culprit, &party.name));
        let streams = view.streams.iter().filter(|(provider, _)| *provider == party.name);
        let traffic = &party.traffic;
        let account = view.accounts.get(&party.name);
        let held_against = account.and_then(|account| held_against(account, view.at));
        let mut health = Health::new(party, view.at).burdened(held_against.as_deref());
        if let Some((cap, _)) = traffic.budget.filter(|(cap, spent)| spent >= cap) {
            health.reason.push_str(&format!("; its {cap} canaries of 24 hours are used up"));
        }
        Self {
            health,
            standby: traffic.standby,
            every_seconds: traffic.every.as_secs_f64(),
            last_sent: time(traffic.last_sent),
            held_until: time(traffic.held_until),
            incidents: open.map(Open::new).collect(),
            streams: streams.map(|(_, stream)| Health::of_stream(view, &party.name, stream)).collect(),
            budget: traffic.budget.map(Budget::from),
            account: account.map(|account| AccountState::new(account, view.at)),
        }
    }
}

impl Health {
    fn new(party: &PartyView, now: At) -> Self {
        let fresh_for = (party.traffic.every.scaled(ROUNDS, 1) + UNDERWAY).max(FRESH_AT_LEAST);
        let last = party.traffic.last_arrival;
        let age = last.map(|at| now.since(at));
        let stale = age.is_none_or(|age| age > fresh_for);
        let reason = match age {
            _ if !stale => party.reason.clone(),
            Some(age) => format!("not known to be so now: the newest canary arrived {age} ago; {}", party.reason),
            None => format!("not known: no canary has arrived yet; {}", party.reason),
        };
        Self {
            name: (&party.name).into(),
            healthy: matches!(party.verdict, model::Verdict::Delivering | model::Verdict::Unknown),
            verdict: party.verdict.into(),
            reason,
            stale,
            last_arrival: time(last),
            age_seconds: age.map(Span::as_secs_f64),
            fresh_for_seconds: fresh_for.as_secs_f64(),
        }
    }
}

impl Health {
    /// That of one of a provider's streams.
    pub(super) fn of_stream(view: &View, provider: &model::Name, stream: &PartyView) -> Self {
        let held_against = view.accounts.get(provider).and_then(|account| held_against(account, view.at));
        Self::new(stream, view.at).burdened(held_against.as_deref())
    }

    /// Not healthy, if something is held against the account.
    fn burdened(mut self, held_against: Option<&str>) -> Self {
        if let Some(why) = held_against {
            self.healthy = false;
            self.reason = format!("{why}; {}", self.reason);
        }
        self
    }
}

/// What a provider holds against the account, in words.
fn held_against(account: &AccountView, now: At) -> Option<String> {
    let is_bad =
        |sign: &&model::Sign| matches!(sign, model::Sign::Standing { state: model::Standing::Warned | model::Standing::Stopped, .. });
    let sign = account.signs.iter().find(is_bad)?;
    let read = account.read_at.map_or_else(String::new, |at| format!(", read {} ago", now.since(at)));
    Some(format!("the provider says of the account: {sign}{read}"))
}

impl AccountState {
    pub(super) fn new(account: &AccountView, now: At) -> Self {
        let unread = account.unread.as_ref();
        Self {
            read_at: time(account.read_at),
            age_seconds: account.read_at.map(|at| now.since(at).as_secs_f64()),
            every_seconds: account.every.as_secs_f64(),
            signs: account.signs.iter().map(Sign::from).collect(),
            warns: account.worries.iter().map(Sign::from).collect(),
            unread: unread.map(|u| Unread { since: u.since.into(), class: u.class.into(), why: u.why.clone() }),
        }
    }
}

impl From<&model::Sign> for Sign {
    fn from(sign: &model::Sign) -> Self {
        match sign {
            model::Sign::Standing { state, word } => Self::Standing { state: (*state).into(), word: word.clone() },
            model::Sign::Quota { remaining, limit, renews_at } => {
                Self::Quota { remaining: *remaining, limit: *limit, renews_at: time(*renews_at) }
            }
            model::Sign::Backlog { waiting } => Self::Backlog { waiting: *waiting },
            model::Sign::Reputation { percent } => Self::Reputation { percent: *percent },
        }
    }
}

impl From<(u32, u32)> for Budget {
    fn from((canaries_per_day, spent): (u32, u32)) -> Self {
        Self { canaries_per_day, spent }
    }
}

impl Open {
    fn new(incident: &IncidentView) -> Self {
        Self {
            incident: incident.incident.0,
            kind: incident.kind.into(),
            severity: incident.severity.into(),
            culprit: (&incident.culprit).into(),
            opened_at: incident.opened_at.into(),
            summary: incident.summary().to_owned(),
        }
    }
}

/// Whether an incident of this culprit says something of a provider; an inbox's does not.
fn concerns(culprit: &model::Culprit, provider: &model::Name) -> bool {
    match culprit {
        model::Culprit::Provider(name)
        | model::Culprit::Stream(name, _)
        | model::Culprit::Path(name, _)
        | model::Culprit::Route(name, ..) => name == provider,
        model::Culprit::Watcher {} => true,
        model::Culprit::Inbox(_) => false,
    }
}
