//! `GET /api/v1/providers`: which provider is healthy, for an application's own failover.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{At, Class, Culprit, IncidentId, Kind, Name, Severity, Sign, Span, Standing, Verdict};
use crate::watchdog::{AccountView, IncidentView, PartyView, View};

/// So many rounds without an arrival, and what mail may take besides, and what is known is not fresh any more.
const ROUNDS: u64 = 3;
/// What mail may take.
const UNDERWAY: Span = Span::from_secs(120);
/// What is known is fresh for at least this long, however short the rounds.
const FRESH_AT_LEAST: Span = Span::from_secs(300);

/// The answer.
#[derive(Serialize)]
pub(super) struct Providers<'a> {
    as_of: String,
    providers: Vec<Provider<'a>>,
}

#[derive(Serialize)]
struct Provider<'a> {
    #[serde(flatten)]
    health: Health<'a>,
    /// Kept warm for a failover.
    standby: bool,
    every_seconds: f64,
    last_sent: Option<String>,
    /// It has asked to be sent nothing before then.
    held_until: Option<String>,
    /// What is open against it, or against everything.
    incidents: Vec<Open<'a>>,
    streams: Vec<Health<'a>>,
    budget: Option<Budget>,
    /// What it says of the account, where it is asked.
    account: Option<Account<'a>>,
}

/// How a provider or one of its streams is, and how much that is worth.
#[derive(Serialize)]
struct Health<'a> {
    name: &'a Name,
    /// False while mail through it is known to be lost, late or in the wrong place, and while the provider holds something against the account.
    /// What we cannot see is no reason to leave a provider.
    healthy: bool,
    verdict: Verdict,
    reason: String,
    /// Nothing has arrived for so long that the verdict is of the past: see `reason`.
    stale: bool,
    last_arrival: Option<String>,
    age_seconds: Option<f64>,
    fresh_for_seconds: f64,
}

#[derive(Serialize)]
struct Open<'a> {
    incident: IncidentId,
    kind: Kind,
    severity: Severity,
    culprit: &'a Culprit,
    opened_at: String,
    summary: &'a str,
}

/// How the account was said to stand.
#[derive(Serialize)]
struct Account<'a> {
    read_at: Option<String>,
    age_seconds: Option<f64>,
    every_seconds: f64,
    signs: Vec<Value>,
    /// Of these the ones that an incident of the kind `early_sign` is about.
    warns: Vec<Value>,
    unread: Option<Unread<'a>>,
}

/// Why it cannot be read now.
#[derive(Serialize)]
struct Unread<'a> {
    since: String,
    class: Class,
    why: &'a str,
}

/// Canaries in 24 hours: how many may be, and how many were.
#[derive(Serialize)]
struct Budget {
    canaries_per_day: u32,
    spent: u32,
}

impl<'a> Providers<'a> {
    pub(super) fn new(view: &'a View) -> Self {
        Self { as_of: view.at.rfc3339(), providers: view.providers.iter().map(|party| Provider::new(view, party)).collect() }
    }
}

impl<'a> Provider<'a> {
    fn new(view: &'a View, party: &'a PartyView) -> Self {
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
            last_sent: traffic.last_sent.map(At::rfc3339),
            held_until: traffic.held_until.map(At::rfc3339),
            incidents: open.map(Open::new).collect(),
            streams: streams.map(|(_, stream)| Health::new(stream, view.at).burdened(held_against.as_deref())).collect(),
            budget: traffic.budget.map(|(canaries_per_day, spent)| Budget { canaries_per_day, spent }),
            account: account.map(|account| Account::new(account, view.at)),
        }
    }
}

impl<'a> Health<'a> {
    fn new(party: &'a PartyView, now: At) -> Self {
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
            name: &party.name,
            healthy: matches!(party.verdict, Verdict::Delivering | Verdict::Unknown),
            verdict: party.verdict,
            reason,
            stale,
            last_arrival: last.map(At::rfc3339),
            age_seconds: age.map(Span::as_secs_f64),
            fresh_for_seconds: fresh_for.as_secs_f64(),
        }
    }
}

impl Health<'_> {
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
    let is_bad = |sign: &&Sign| matches!(sign, Sign::Standing { state: Standing::Warned | Standing::Stopped, .. });
    let sign = account.signs.iter().find(is_bad)?;
    let read = account.read_at.map_or_else(String::new, |at| format!(", read {} ago", now.since(at)));
    Some(format!("the provider says of the account: {sign}{read}"))
}

impl<'a> Account<'a> {
    fn new(account: &'a AccountView, now: At) -> Self {
        let unread = account.unread.as_ref();
        Self {
            read_at: account.read_at.map(At::rfc3339),
            age_seconds: account.read_at.map(|at| now.since(at).as_secs_f64()),
            every_seconds: account.every.as_secs_f64(),
            signs: account.signs.iter().map(shown).collect(),
            warns: account.worries.iter().map(shown).collect(),
            unread: unread.map(|u| Unread { since: u.since.rfc3339(), class: u.class, why: &u.why }),
        }
    }
}

/// A sign as in `step`, but with its instant as everywhere here.
fn shown(sign: &Sign) -> Value {
    if let Sign::Quota { remaining, limit, renews_at } = sign {
        return json!({ "quota": { "remaining": remaining, "limit": limit, "renews_at": renews_at.map(At::rfc3339) } });
    }
    serde_json::to_value(sign).unwrap_or_default()
}

impl<'a> Open<'a> {
    fn new(incident: &'a IncidentView) -> Self {
        Self {
            incident: incident.incident,
            kind: incident.kind,
            severity: incident.severity,
            culprit: &incident.culprit,
            opened_at: incident.opened_at.rfc3339(),
            summary: &incident.last.summary,
        }
    }
}

/// Whether an incident of this culprit says something of a provider; an inbox's does not.
fn concerns(culprit: &Culprit, provider: &Name) -> bool {
    match culprit {
        Culprit::Provider(name) | Culprit::Stream(name, _) | Culprit::Route(name, ..) => name == provider,
        Culprit::Watcher {} => true,
        Culprit::Inbox(_) => false,
    }
}
