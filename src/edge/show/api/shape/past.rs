//! What the ledger keeps, and the watchdog does not hold any more: canaries with their whole way, incidents with all that happened.

use schemars::JsonSchema;
use serde::Serialize;

use super::canary::Id;
use super::incident::Culprit;
use super::word::time;
use super::words::{Became, Class, Placement, Reason};
use super::{Kind, Name, Severity, Time};
use crate::model::dossier::Trace;
use crate::model::past::{Failure, Point, Sighting, Way};
use crate::model::{self, Outcome, Side, Span};

/// One canary, with its whole way.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct WholeCanary {
    canary: Id,
    provider: Name,
    stream: Name,
    inbox: Name,
    sent_at: Time,
    reason: Reason,
    became: Became,
    /// From sending to the receiver's time of arrival.
    latency_seconds: Option<f64>,
    /// When the provider answered.
    answered_at: Option<Time>,
    answer: Option<Answer>,
    /// The provider's own words.
    reply: Option<String>,
    /// The provider's own id.
    message_id: Option<String>,
    legs: Legs,
    /// The whole way in five legs, from what hosts wrote down; a clock that differs makes one negative.
    way: Stretches,
    /// By which hosts its mail came, the first first.
    hops: Vec<Hop>,
    /// What the receiver's filter wrote of its mail, a field each.
    filter: Vec<String>,
    /// Its mail was not read to its end: what stands further behind was not looked at.
    cut: bool,
    /// The receiver's time of arrival.
    arrived_at: Option<Time>,
    /// When it was seen.
    seen_at: Option<Time>,
    placement: Option<Placement>,
    /// When its deadline passed.
    lost_at: Option<Time>,
    /// When it was looked for no more.
    forgotten_at: Option<Time>,
    /// Seen again, elsewhere, or in another form.
    sightings: Vec<Seen>,
    /// What the provider said became of it.
    traces: Vec<Traced>,
}

/// What the provider made of it: `refused` has a class.
#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    #[schemars(extend("enum" = ["accepted", "refused", "unknown"]))]
    outcome: &'static str,
    class: Option<Class>,
}

/// How long the parts of handing it over took.
#[derive(Debug, Serialize, JsonSchema)]
struct Legs {
    connect_seconds: Option<f64>,
    tls_seconds: Option<f64>,
    auth_seconds: Option<f64>,
    data_seconds: Option<f64>,
}

/// How long the legs of the whole way took; null: not known.
#[derive(Debug, Serialize, JsonSchema)]
struct Stretches {
    /// From sending until the provider accepted it.
    submission_seconds: Option<f64>,
    /// Until the provider's last host wrote it down; where it wrote nothing, until the receiver's first did.
    provider_seconds: Option<f64>,
    /// Until the receiver's first host wrote it down.
    transit_seconds: Option<f64>,
    /// Until the receiver's own time of arrival.
    receiver_seconds: Option<f64>,
    /// Until it was seen.
    observation_seconds: Option<f64>,
}

/// One host of a mail's way.
#[derive(Debug, Serialize, JsonSchema)]
struct Hop {
    /// Who wrote it down; empty where it has no name.
    by: String,
    /// Whom it had it from; empty where it does not say.
    from: String,
    /// The address that it had it from.
    address: Option<String>,
    /// When, by its own clock.
    at: Option<Time>,
    /// Since the hop before, or since sending; never negative.
    took_seconds: Option<f64>,
    /// By so much its clock stands behind that of the hop before.
    behind_seconds: Option<f64>,
    /// `provider`, `between` or `receiver`.
    side: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Seen {
    /// A second copy, one in another inbox or much later, or a mail with its token that is not as it should be.
    #[schemars(extend("enum" = ["duplicate", "replayed", "mismatched"]))]
    what: String,
    inbox: String,
    #[schemars(with = "Option<Placement>")]
    placement: Option<String>,
    arrived_at: Option<Time>,
    seen_at: Time,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Traced {
    at: Time,
    canary: String,
    /// Our word for it.
    #[schemars(extend("enum" = model::Fate::ALL.map(model::Fate::as_str)))]
    fate: String,
    /// The provider's own.
    words: Option<String>,
}

/// How long a route's canaries took.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Points {
    pub(in crate::edge::show) as_of: Time,
    /// The newest first.
    pub(in crate::edge::show) points: Vec<Plotted>,
    /// Whether there are more than fit in one answer: then the oldest are left out.
    pub(in crate::edge::show) cut: bool,
}

/// One canary in a series.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Plotted {
    canary: Id,
    sent_at: Time,
    became: Became,
    latency_seconds: Option<f64>,
    placement: Option<Placement>,
}

/// One page of the incidents that the ledger keeps.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct History {
    pub(in crate::edge::show) as_of: Time,
    /// The newest first.
    pub(in crate::edge::show) incidents: Vec<Past>,
    /// The `cursor` of the next page; null: this is the last.
    pub(in crate::edge::show) next: Option<String>,
}

/// An incident, as it was told of last.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Past {
    incident: u64,
    kind: Kind,
    severity: Severity,
    culprit: Culprit,
    /// When what it is about began, as far as is known.
    since: Time,
    opened_at: Time,
    updated_at: Time,
    resolved_at: Option<Time>,
    summary: String,
}

fn seconds(span: Option<Span>) -> Option<f64> {
    span.map(Span::as_secs_f64)
}

impl From<&Way> for WholeCanary {
    fn from(way: &Way) -> Self {
        let [connect, tls, auth, data] = way.legs.map(seconds);
        let answer = |outcome: Outcome| Answer {
            outcome: outcome.as_str(),
            class: if let Outcome::Refused(class) = outcome { Some(class.into()) } else { None },
        };
        Self {
            canary: Id(way.canary),
            provider: (&way.route.provider).into(),
            stream: (&way.route.stream).into(),
            inbox: (&way.route.inbox).into(),
            sent_at: way.sent_at.into(),
            reason: way.reason.into(),
            became: way.became.into(),
            latency_seconds: seconds(way.latency()),
            answered_at: time(way.answered_at),
            answer: way.outcome.map(answer),
            reply: way.reply.clone(),
            message_id: way.message_id.clone(),
            legs: Legs { connect_seconds: connect, tls_seconds: tls, auth_seconds: auth, data_seconds: data },
            way: Stretches::from(way),
            hops: way.hops.iter().map(Hop::from).collect(),
            filter: way.filter.clone(),
            cut: way.cut,
            arrived_at: time(way.arrived_at),
            seen_at: time(way.seen_at),
            placement: way.placement.map(Placement::from),
            lost_at: time(way.lost_at),
            forgotten_at: time(way.forgotten_at),
            sightings: way.sightings.iter().map(Seen::from).collect(),
            traces: way.traces.iter().map(Traced::from).collect(),
        }
    }
}

impl From<&Way> for Stretches {
    fn from(way: &Way) -> Self {
        // Clocks differ, and hosts write whole seconds: nothing takes less than nothing.
        let seconds = |ms: Option<i64>| ms.map(|ms| Span::from_ms(u64::try_from(ms).unwrap_or(0)).as_secs_f64());
        let [submission, provider, transit, receiver, observation] = way.stretches().map(seconds);
        Self {
            submission_seconds: submission,
            provider_seconds: provider,
            transit_seconds: transit,
            receiver_seconds: receiver,
            observation_seconds: observation,
        }
    }
}

impl From<&model::Hop> for Hop {
    fn from(hop: &model::Hop) -> Self {
        Self {
            by: hop.by.clone(),
            from: hop.from.clone(),
            address: hop.address.map(|address| address.to_string()),
            at: time(hop.at),
            took_seconds: seconds(hop.took),
            behind_seconds: seconds(hop.behind),
            side: hop.side.map(Side::as_str),
        }
    }
}

impl From<&Sighting> for Seen {
    fn from(seen: &Sighting) -> Self {
        Self {
            what: seen.what.clone(),
            inbox: seen.inbox.clone(),
            placement: seen.placement.clone(),
            arrived_at: time(seen.arrived_at),
            seen_at: seen.seen_at.into(),
        }
    }
}

impl From<&Trace> for Traced {
    fn from(trace: &Trace) -> Self {
        Self { at: trace.at.into(), canary: trace.canary.clone(), fate: trace.fate.clone(), words: trace.words.clone() }
    }
}

impl From<&Point> for Plotted {
    fn from(point: &Point) -> Self {
        Self {
            canary: Id(point.canary),
            sent_at: point.sent_at.into(),
            became: point.became.into(),
            latency_seconds: seconds(point.latency),
            placement: point.placement.map(Placement::from),
        }
    }
}

impl From<&Failure> for Past {
    fn from(failure: &Failure) -> Self {
        Self {
            incident: failure.incident.0,
            kind: failure.kind.into(),
            severity: failure.severity.into(),
            culprit: (&failure.culprit).into(),
            since: failure.since.into(),
            opened_at: failure.opened_at.into(),
            updated_at: failure.updated_at.into(),
            resolved_at: time(failure.resolved_at),
            summary: failure.summary.clone(),
        }
    }
}
