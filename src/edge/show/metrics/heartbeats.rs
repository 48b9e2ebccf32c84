//! The metrics of heartbeats out.

use super::catalogue::{Family, family};
use super::samples::{Samples, Shape};
use super::{Source, names};
use crate::model::Pulse;

const HEARTBEAT: &[&str] = &["heartbeat"];

/// All of them, in the order of the page.
pub(super) static HEARTBEATS: [Family; 3] = [
    family(
        names::HEARTBEAT_LAST_SUCCESS_TIMESTAMP_SECONDS,
        Shape::Gauge,
        HEARTBEAT,
        "seconds since 1970",
        "When the other side took the last beat; 0 before the first of this process. Only where heartbeats are configured.",
        |from, to| each(from, to, |labels, pulse, to| to.instant(labels, pulse.last)),
    ),
    family(
        names::HEARTBEAT_FAILURES_TOTAL,
        Shape::Counter,
        HEARTBEAT,
        "beats",
        "Beats that the other side did not take, since the process started. Only where heartbeats are configured.",
        |from, to| each(from, to, |labels, pulse, to| to.count(labels, pulse.failures)),
    ),
    family(
        names::HEARTBEAT_HELD,
        Shape::Gauge,
        HEARTBEAT,
        "0 or 1",
        "1 while a beat is overdue because there was no full cycle: the schedule, the ledger or all inboxes stand still. Only where heartbeats are configured.",
        |from, to| each(from, to, |labels, pulse, to| to.flag(labels, pulse.held.is_some())),
    ),
];

fn each(from: &Source<'_>, to: &mut Samples, add: fn(&[&str], &Pulse, &mut Samples)) {
    from.view.heartbeats.iter().for_each(|(name, pulse)| add(&[name.as_str()], pulse, to));
}
