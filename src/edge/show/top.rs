//! `/-/top`: what `mailcanary top` shows, in one answer. Its shape is that program's alone, and moves with it; others read `/api/v1`.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::router::{Silent, view};
use super::{Ask, page, quiet};
use crate::model::{At, Name, Own, Severity, Span, Verdict};
use crate::watchdog::View;
use crate::watchdog::count::{BUCKETS_MS, Histogram};

/// The path.
pub const PATH: &str = "/-/top";

/// Everything, at one instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Top {
    /// When it was taken.
    pub at: At,
    /// The installation's name.
    pub instance: String,
    /// The daemon's version.
    pub version: String,
    /// How it is going, as a verdict…
    pub tone: Verdict,
    /// …and in one sentence.
    pub sentence: String,
    /// The evidence, in nats, at which a verdict changes.
    pub threshold: f64,
    /// What is waited for next, and until when.
    pub next: Option<(At, String)>,
    /// Every provider, sorted.
    pub providers: Vec<Party>,
    /// Every inbox, sorted.
    pub inboxes: Vec<Party>,
    /// Every route, sorted.
    pub routes: Vec<Line>,
    /// Every open incident, newest first.
    pub incidents: Vec<Open>,
}

/// A provider or an inbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Party {
    /// Which.
    pub name: Name,
    /// How it is doing.
    pub verdict: Verdict,
    /// Of a provider: it is kept warm for a failover. Of an inbox: it cannot be read.
    pub marked: bool,
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Through whom.
    pub provider: Name,
    /// What.
    pub stream: Name,
    /// To whom.
    pub inbox: Name,
    /// How it is doing: the worst of what covers it.
    pub verdict: Verdict,
    /// What its own canaries show; nothing from a daemon of before.
    #[serde(default)]
    pub own: Option<Own>,
    /// Why we think so.
    pub reason: String,
    /// The evidence against it, in nats.
    pub suspicion: f64,
    /// Canaries on their way.
    pub in_flight: u64,
    /// The newest arrival.
    pub last_arrival: Option<At>,
    /// Half of all mail since the beginning took no longer.
    pub median: Option<Span>,
    /// The newest canary in a few words.
    pub newest: Option<String>,
}

/// An open incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open {
    /// Its number.
    pub incident: u64,
    /// How loud.
    pub severity: Severity,
    /// What kind of failure.
    pub kind: String,
    /// Whose.
    pub culprit: String,
    /// Since when it goes on, as far as is known.
    pub since: At,
    /// Who has seen it.
    pub acknowledged_by: Option<String>,
    /// Until when nobody is told of it, and the word for that: `silenced` or `maintenance`.
    pub quiet: Option<(At, String)>,
    /// What was told of it last.
    pub summary: String,
}

impl Line {
    /// What it itself does.
    #[must_use]
    pub fn itself(&self) -> Verdict {
        self.own.map_or(self.verdict, Own::verdict)
    }
}

impl Top {
    /// What is seen in `view`.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let (tone, sentence) = page::sentence(view);
        let party = |name: &Name, verdict, marked| Party { name: name.clone(), verdict, marked };
        let route = |r: &crate::watchdog::RouteView| Line {
            provider: r.route.provider.clone(),
            stream: r.route.stream.clone(),
            inbox: r.route.inbox.clone(),
            verdict: r.verdict,
            own: Some(r.own),
            reason: r.reason.clone(),
            suspicion: finite(r.suspicion),
            in_flight: r.in_flight,
            last_arrival: r.last_arrival,
            median: median(&r.latency),
            newest: r.recent.first().map(|canary| canary.state.clone()),
        };
        let open = |i: &crate::watchdog::IncidentView| Open {
            incident: i.incident.0,
            severity: i.severity,
            kind: i.kind.as_str().to_owned(),
            culprit: i.culprit.to_string().replacen(':', " ", 1),
            since: i.since(),
            quiet: quiet::of(view, i).map(|quiet| (quiet.until, quiet.word.to_owned())),
            acknowledged_by: i.acknowledged.as_ref().map(|word| word.by.clone()),
            summary: i.summary().to_owned(),
        };
        Self {
            at: view.at,
            instance: view.instance.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tone,
            sentence,
            threshold: finite(view.suspicion_threshold),
            next: view.next.clone(),
            providers: view.providers.iter().map(|p| party(&p.name, p.verdict, p.traffic.standby)).collect(),
            inboxes: view.inboxes.iter().map(|i| party(&i.name, i.verdict, i.sight == Some(false))).collect(),
            routes: view.routes.iter().map(route).collect(),
            incidents: view.incidents.iter().filter(|i| i.resolved_at.is_none()).map(open).collect(),
        }
    }
}

/// JSON has no infinity.
const fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
}

/// The bound of the bucket in which the middle lies.
fn median(latency: &Histogram) -> Option<Span> {
    let count = latency.count();
    let mut within = 0_u64;
    let bound = latency.buckets.iter().zip(BUCKETS_MS).find(|(bucket, _)| {
        within = within.saturating_add(**bucket);
        within.saturating_mul(2) >= count
    });
    bound.filter(|_| count > 0).map(|(_, ms)| Span::from_ms(ms))
}

/// Its one path.
pub(super) fn paths(ask: Ask) -> Router {
    Router::new().route(PATH, get(top)).with_state(ask)
}

async fn top(State(ask): State<Ask>) -> Result<Response, Silent> {
    let text = serde_json::to_string(&Top::of(&view(&ask).await?)).unwrap_or_default();
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}
