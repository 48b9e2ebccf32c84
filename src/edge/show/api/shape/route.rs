//! Routes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::word::time;
use super::words::{Class, Own};
use super::{Name, Time, Verdict};
use crate::model::{Placement, Span};
use crate::watchdog::RouteView;
use crate::watchdog::count::{BUCKETS_MS, Histogram};

/// One page of routes.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Routes {
    pub(in crate::edge::show) as_of: Time,
    /// Sorted by provider, stream, inbox.
    pub(in crate::edge::show) routes: Vec<Route>,
    /// The `cursor` of the next page; null: this is the last.
    pub(in crate::edge::show) next: Option<String>,
}

/// What is scheduled, measured and judged: provider × stream × inbox.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Route {
    provider: Name,
    stream: Name,
    inbox: Name,
    /// The worst of what covers it: while its provider or its inbox fails, it has that verdict too.
    verdict: Verdict,
    /// Why we think so: one sentence.
    reason: String,
    /// What its own canaries show, whoever is to blame.
    own: Own,
    /// Why that is said: one sentence.
    own_reason: String,
    /// The incident by which the verdict is as it is.
    incident: Option<u64>,
    /// The evidence against it; `/status` has the threshold.
    suspicion_nats: f64,
    /// What comes later is as good as lost.
    deadline_seconds: f64,
    /// Canaries on their way.
    in_flight: u64,
    /// The receiver's time of the newest arrival.
    last_arrival: Option<Time>,
    /// Counted since the installation began.
    counts: Counts,
    /// From sending to the receiver's time of arrival, since the installation began.
    latency: Latency,
}

/// What is counted of a route.
#[derive(Debug, Serialize, JsonSchema)]
struct Counts {
    /// Submissions that the provider took.
    accepted: u64,
    /// Submissions that were refused, by class. A class without any is not there.
    refused: BTreeMap<Class, u64>,
    /// Submissions whose fate is unknown.
    unknown: u64,
    arrived: Arrived,
    /// Deadlines that passed.
    lost: u64,
    /// Arrivals after the deadline.
    late: u64,
    /// Second and further copies in the same inbox.
    duplicate: u64,
    /// Canaries in whose stead a mail came that does not look as it should.
    mismatched: u64,
    /// Arrivals within the deadline, outside Junk.
    in_time: u64,
    /// Canaries that did not do so.
    missed: u64,
}

/// First arrivals, by where they were seen.
#[derive(Debug, Serialize, JsonSchema)]
struct Arrived {
    inbox: u64,
    junk: u64,
    other: u64,
    /// Gmail's tabs, which are parts of the inbox.
    promotions: u64,
    social: u64,
    updates: u64,
    forums: u64,
}

/// How long canaries took.
#[derive(Debug, Serialize, JsonSchema)]
struct Latency {
    count: u64,
    sum_seconds: f64,
    /// From short to long; not cumulative.
    buckets: Vec<Bucket>,
}

/// Canaries that took longer than the bucket before, and no longer than this.
#[derive(Debug, Serialize, JsonSchema)]
struct Bucket {
    /// Null: without a bound.
    at_most_seconds: Option<f64>,
    count: u64,
}

impl Route {
    pub(in crate::edge::show) fn new(view: &RouteView) -> Self {
        let counts = &view.counts;
        let arrived = |placement| counts.arrived.get(&placement).copied().unwrap_or_default();
        Self {
            provider: (&view.route.provider).into(),
            stream: (&view.route.stream).into(),
            inbox: (&view.route.inbox).into(),
            verdict: view.verdict.into(),
            reason: view.reason.clone(),
            own: view.own.into(),
            own_reason: view.own_reason.clone(),
            incident: view.incident.map(|incident| incident.0),
            suspicion_nats: view.suspicion,
            deadline_seconds: view.deadline.as_secs_f64(),
            in_flight: view.in_flight,
            last_arrival: time(view.last_arrival),
            counts: Counts {
                accepted: counts.accepted,
                refused: counts.refused.iter().map(|(class, count)| ((*class).into(), *count)).collect(),
                unknown: counts.unknown,
                arrived: Arrived {
                    inbox: arrived(Placement::Inbox),
                    junk: arrived(Placement::Junk),
                    other: arrived(Placement::Other),
                    promotions: arrived(Placement::Promotions),
                    social: arrived(Placement::Social),
                    updates: arrived(Placement::Updates),
                    forums: arrived(Placement::Forums),
                },
                lost: counts.lost,
                late: counts.late,
                duplicate: counts.duplicate,
                mismatched: counts.mismatched,
                in_time: counts.in_time,
                missed: counts.missed,
            },
            latency: Latency::new(&view.latency),
        }
    }
}

impl Latency {
    fn new(histogram: &Histogram) -> Self {
        let seconds = |ms: u64| Span::from_ms(ms).as_secs_f64();
        let bounds = BUCKETS_MS.iter().map(|bound| Some(seconds(*bound))).chain([None]);
        let buckets = bounds.zip(histogram.buckets).map(|(at_most_seconds, count)| Bucket { at_most_seconds, count });
        Self { count: histogram.count(), sum_seconds: seconds(histogram.sum_ms), buckets: buckets.collect() }
    }
}
