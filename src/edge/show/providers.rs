//! `GET /api/v1/providers`: which provider is healthy, for an application's own failover.

use serde::Serialize;

use crate::model::{At, Culprit, IncidentId, Kind, Name, Severity, Span, Verdict};
use crate::watchdog::{IncidentView, PartyView, View};

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
}

/// How a provider or one of its streams is, and how much that is worth.
#[derive(Serialize)]
struct Health<'a> {
    name: &'a Name,
    /// False while mail through it is known to be lost, late or in the wrong place. What we cannot see is no reason to leave a provider.
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
        let mut health = Health::new(party, view.at);
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
            streams: streams.map(|(_, stream)| Health::new(stream, view.at)).collect(),
            budget: traffic.budget.map(|(canaries_per_day, spent)| Budget { canaries_per_day, spent }),
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
