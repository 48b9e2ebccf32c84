//! Every metric: its name, its type, its labels, what it means and how it is filled.
//!
//! Label sets are closed: every value comes from the configuration or from a list in the code, and every series is there from the first
//! scrape. Classes of refusal are counted for providers, not for routes, whose number they would multiply by thirteen.

use super::hooks::{events, requests};
use super::samples::{Samples, Shape};
use super::{Source, names};
use crate::model::{Class, Placement, Span, Verdict};
use crate::watchdog::{Delivery, RouteView};

/// One metric.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Shape,
    pub(super) labels: &'static [&'static str],
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
    pub(super) fill: fn(&Source<'_>, &mut Samples),
}

const ROUTE: &[&str] = &["provider", "stream", "inbox"];
const NONE: &[&str] = &[];

pub(super) const fn family(
    name: &'static str,
    kind: Shape,
    labels: &'static [&'static str],
    unit: &'static str,
    help: &'static str,
    fill: fn(&Source<'_>, &mut Samples),
) -> Family {
    Family { name, kind, labels, unit, help, fill }
}

/// All of them, in the order of the page.
pub(super) static CATALOGUE: [Family; 45] = [
    family(
        names::CANARIES_SUBMITTED_TOTAL,
        Shape::Counter,
        &["provider", "stream", "inbox", "outcome"],
        "canaries",
        "Submissions that ended, by outcome: accepted, refused, or unknown (cut off after the data went out).",
        |from, to| {
            for (r, labels) in routes(from) {
                let [p, s, i] = labels;
                to.count(&[p, s, i, "accepted"], r.counts.accepted);
                to.count(&[p, s, i, "refused"], r.counts.refused.values().sum());
                to.count(&[p, s, i, "unknown"], r.counts.unknown);
            }
        },
    ),
    family(
        names::CANARIES_REFUSED_TOTAL,
        Shape::Counter,
        &["provider", "class"],
        "canaries",
        "Submissions that the provider, or the way to it, refused, by class.",
        |from, to| {
            for provider in &from.view.providers {
                let mine = || from.view.routes.iter().filter(|r| r.route.provider == provider.name);
                for class in Class::ALL {
                    to.count(&[provider.name.as_str(), class.as_str()], mine().filter_map(|r| r.counts.refused.get(&class)).sum());
                }
            }
        },
    ),
    family(
        names::CANARIES_ARRIVED_TOTAL,
        Shape::Counter,
        &["provider", "stream", "inbox", "placement"],
        "canaries",
        "First arrivals, by placement, late ones too.",
        |from, to| {
            for (r, [p, s, i]) in routes(from) {
                for placement in Placement::ALL {
                    to.count(&[p, s, i, placement.as_str()], r.counts.arrived.get(&placement).copied().unwrap_or_default());
                }
            }
        },
    ),
    family(
        names::CANARIES_LOST_TOTAL,
        Shape::Counter,
        ROUTE,
        "canaries",
        "Canaries whose deadline passed while their inbox could be read. A later arrival adds to late and does not subtract here.",
        |from, to| routes(from).for_each(|(r, labels)| to.count(&labels, r.counts.lost)),
    ),
    family(names::CANARIES_LATE_TOTAL, Shape::Counter, ROUTE, "canaries", "Arrivals after the deadline.", |from, to| {
        routes(from).for_each(|(r, labels)| to.count(&labels, r.counts.late))
    }),
    family(
        names::CANARIES_DUPLICATE_TOTAL,
        Shape::Counter,
        ROUTE,
        "canaries",
        "Second and further copies of a canary in its own inbox.",
        |from, to| routes(from).for_each(|(r, labels)| to.count(&labels, r.counts.duplicate)),
    ),
    family(
        names::CANARIES_MISMATCHED_TOTAL,
        Shape::Counter,
        ROUTE,
        "canaries",
        "Canaries in whose stead a mail came that is not as expected: another sender, subject, text or link host.",
        |from, to| routes(from).for_each(|(r, labels)| to.count(&labels, r.counts.mismatched)),
    ),
    family(
        names::CANARIES_REPLAYED_TOTAL,
        Shape::Counter,
        &["inbox"],
        "canaries",
        "Canaries of ours seen in an inbox that is not theirs, or after they were forgotten.",
        |from, to| from.view.inboxes.iter().for_each(|i| to.count(&[i.name.as_str()], i.replayed)),
    ),
    family(
        names::CANARIES_FORGED_TOTAL,
        Shape::Counter,
        &["inbox"],
        "canaries",
        "Tokens that this installation did not make.",
        |from, to| from.view.inboxes.iter().for_each(|i| to.count(&[i.name.as_str()], i.forged)),
    ),
    family(names::CANARIES_IN_FLIGHT, Shape::Gauge, ROUTE, "canaries", "Canaries on their way.", |from, to| {
        routes(from).for_each(|(r, labels)| to.count(&labels, r.in_flight))
    }),
    family(
        names::DELIVERY_LATENCY_SECONDS,
        Shape::Histogram,
        ROUTE,
        "seconds",
        "Time from acceptance by the provider to arrival, by the receiver's clock.",
        |from, to| routes(from).for_each(|(r, labels)| to.histogram(&labels, &r.latency)),
    ),
    family(
        names::LEG_DURATION_SECONDS,
        Shape::Histogram,
        &["leg"],
        "seconds",
        "Duration of each leg of the way: connect, tls, auth, data, delivery, observation.",
        |from, to| from.view.legs.iter().for_each(|(leg, histogram)| to.histogram(&[leg.as_str()], histogram)),
    ),
    family(
        names::LAST_ARRIVAL_TIMESTAMP_SECONDS,
        Shape::Gauge,
        ROUTE,
        "seconds since 1970",
        "The newest arrival, by the receiver's clock; 0 before the first.",
        |from, to| routes(from).for_each(|(r, labels)| to.instant(&labels, r.last_arrival)),
    ),
    family(
        names::ROUTE_VERDICT,
        Shape::Gauge,
        &["provider", "stream", "inbox", "verdict"],
        "0 or 1",
        "1 for the verdict of the route, 0 for the others.",
        |from, to| {
            for (r, [p, s, i]) in routes(from) {
                Verdict::ALL.iter().for_each(|v| to.flag(&[p, s, i, v.as_str()], r.verdict == *v));
            }
        },
    ),
    family(
        names::STREAM_VERDICT,
        Shape::Gauge,
        &["provider", "stream", "verdict"],
        "0 or 1",
        "1 for the verdict of the provider's stream, 0 for the others.",
        |from, to| {
            for (provider, s) in &from.view.streams {
                Verdict::ALL.iter().for_each(|v| to.flag(&[provider.as_str(), s.name.as_str(), v.as_str()], s.verdict == *v));
            }
        },
    ),
    family(
        names::PROVIDER_VERDICT,
        Shape::Gauge,
        &["provider", "verdict"],
        "0 or 1",
        "1 for the verdict of the provider, 0 for the others.",
        |from, to| {
            for p in &from.view.providers {
                Verdict::ALL.iter().for_each(|v| to.flag(&[p.name.as_str(), v.as_str()], p.verdict == *v));
            }
        },
    ),
    family(
        names::INBOX_VERDICT,
        Shape::Gauge,
        &["inbox", "verdict"],
        "0 or 1",
        "1 for the verdict of the inbox, 0 for the others.",
        |from, to| {
            for i in &from.view.inboxes {
                Verdict::ALL.iter().for_each(|v| to.flag(&[i.name.as_str(), v.as_str()], i.verdict == *v));
            }
        },
    ),
    family(
        names::PROVIDER_BUDGET_LIMIT,
        Shape::Gauge,
        &["provider"],
        "canaries",
        "The provider's `canaries_per_day`: the most canaries in any 24 hours. Only where it is set.",
        |from, to| provider_budgets(from).for_each(|(name, (cap, _))| to.count(&[name], u64::from(cap))),
    ),
    family(
        names::PROVIDER_BUDGET_SPENT,
        Shape::Gauge,
        &["provider"],
        "canaries",
        "Canaries in the last 24 hours, of the provider's `canaries_per_day`. Only where it is set.",
        |from, to| provider_budgets(from).for_each(|(name, (_, spent))| to.count(&[name], u64::from(spent))),
    ),
    family(
        names::INBOX_BUDGET_LIMIT,
        Shape::Gauge,
        &["inbox"],
        "canaries",
        "The inbox's `canaries_per_day`: the most canaries in any 24 hours. Only where it is set.",
        |from, to| inbox_budgets(from).for_each(|(name, (cap, _))| to.count(&[name], u64::from(cap))),
    ),
    family(
        names::INBOX_BUDGET_SPENT,
        Shape::Gauge,
        &["inbox"],
        "canaries",
        "Canaries in the last 24 hours, of the inbox's `canaries_per_day`. Only where it is set.",
        |from, to| inbox_budgets(from).for_each(|(name, (_, spent))| to.count(&[name], u64::from(spent))),
    ),
    family(names::SUSPICION, Shape::Gauge, ROUTE, "nats", "The judge's evidence against the route.", |from, to| {
        routes(from).for_each(|(r, labels)| to.add(&labels, r.suspicion))
    }),
    family(names::SUSPICION_THRESHOLD, Shape::Gauge, NONE, "nats", "The evidence at which the verdict changes.", |from, to| {
        to.add(&[], from.view.suspicion_threshold)
    }),
    family(
        names::NOTICES_TOTAL,
        Shape::Counter,
        &["sink", "outcome"],
        "notices",
        "Notices that ended, by outcome: delivered, refused by the sink, or dropped (too old, or overtaken).",
        |from, to| from.view.notices.iter().for_each(|((sink, outcome), n)| to.count(&[sink.as_str(), Delivery::as_str(*outcome)], *n)),
    ),
    family(names::NOTICES_PENDING, Shape::Gauge, &["sink"], "notices", "Notices on their way.", |from, to| {
        from.view.notices_pending.iter().for_each(|(sink, n)| to.count(&[sink.as_str()], *n))
    }),
    family(
        names::SUBMISSIONS_IN_PROGRESS,
        Shape::Gauge,
        NONE,
        "canaries",
        "Canaries that are being handed over. From 1024 on, a route whose newest is among them waits for its next round.",
        |from, to| to.count(&[], from.view.submissions),
    ),
    family(
        names::HOOK_REQUESTS_TOTAL,
        Shape::Counter,
        &["provider", "outcome"],
        "requests",
        "Posts to the provider's webhook since the process started, by outcome: taken, refused (not signed by it), unreadable, too_large, or busy. Only where it has one.",
        |from, to| requests(&from.view.hooks, to),
    ),
    family(
        names::HOOK_EVENTS_TOTAL,
        Shape::Counter,
        &["provider", "outcome"],
        "events",
        "Events in the posts that were taken, by outcome: finding (what became of a canary), mute (an open, a click), or foreign (about another mail). Only where it has one.",
        |from, to| events(&from.view.hooks, to),
    ),
    family(
        names::SINK_REPLY_REQUESTS_TOTAL,
        Shape::Counter,
        &["sink", "outcome"],
        "requests",
        "Posts that came back from the sink since the process started, by outcome: taken, refused (not signed by it), unreadable, too_large, or busy. Sinks with `acknowledgements`.",
        |from, to| requests(&from.view.replies, to),
    ),
    family(
        names::SINK_REPLIES_TOTAL,
        Shape::Counter,
        &["sink", "outcome"],
        "events",
        "What those that were taken said, by outcome: finding (of an open incident), mute (nothing of an acknowledgement), or foreign (of an incident that is over, or not ours). Sinks with `acknowledgements`.",
        |from, to| events(&from.view.replies, to),
    ),
    family(
        names::SINK_TRIAL_TIMESTAMP_SECONDS,
        Shape::Gauge,
        &["sink"],
        "seconds since 1970",
        "When the sink was tried last; 0 before the first time. Sinks with `try_at`.",
        |from, to| from.view.trials.iter().for_each(|trial| to.instant(&[trial.sink.as_str()], trial.at)),
    ),
    family(
        names::SINK_TRIAL_SUCCESS,
        Shape::Gauge,
        &["sink"],
        "0 or 1",
        "1 if the sink took its last test notice, 0 while it has not. Sinks with `try_at`.",
        |from, to| from.view.trials.iter().for_each(|trial| to.flag(&[trial.sink.as_str()], trial.taken == Some(true))),
    ),
    family(
        names::DRILL_LAST_TIMESTAMP_SECONDS,
        Shape::Gauge,
        NONE,
        "seconds since 1970",
        "When the last drill ended; 0 before the first.",
        |from, to| to.instant(&[], from.view.drilled.as_ref().map(|d| d.at)),
    ),
    family(
        names::DRILL_LAST_PAGE_SECONDS,
        Shape::Gauge,
        NONE,
        "seconds",
        "From the beginning of the last drill until the first sink took its page; -1 if none did, or before the first drill.",
        |from, to| to.add(&[], from.view.drilled.as_ref().and_then(|d| d.paged_after).map_or(-1.0, Span::as_secs_f64)),
    ),
    family(
        names::DRILL_LAST_SINK_SECONDS,
        Shape::Gauge,
        &["sink"],
        "seconds",
        "From the beginning of the last drill until this sink took its page; -1 if it did not, was not told, or before the first drill.",
        |from, to| {
            let after = |sink| from.view.drilled.as_ref().and_then(|d| d.taken_after(sink)).map_or(-1.0, Span::as_secs_f64);
            from.view.notices_pending.keys().for_each(|sink| to.add(&[sink.as_str()], after(sink)));
        },
    ),
    family(names::WATCHER_CUT_OFF, Shape::Gauge, NONE, "0 or 1", "1 while the watcher itself has no network.", |from, to| {
        to.flag(&[], from.view.cut_off_since.is_some())
    }),
    family(
        names::LEDGER_WRITABLE,
        Shape::Gauge,
        NONE,
        "0 or 1",
        "0 while the ledger cannot be written: nothing is sent or judged until it can.",
        |from, to| to.flag(&[], from.view.trouble.is_none()),
    ),
    family(
        names::NEXT_WAKE_TIMESTAMP_SECONDS,
        Shape::Gauge,
        NONE,
        "seconds since 1970",
        "When the schedule acts next; 0 if it waits for nothing.",
        |from, to| to.instant(&[], from.view.next.as_ref().map(|(at, _)| *at)),
    ),
    family(
        names::BEGAN_TIMESTAMP_SECONDS,
        Shape::Gauge,
        NONE,
        "seconds since 1970",
        "When the installation began; its counters count from then, through restarts.",
        |from, to| to.instant(&[], Some(from.view.began)),
    ),
    family(names::BUILD_INFO, Shape::Gauge, &["version"], "1", "The version that runs.", |_, to| {
        to.flag(&[env!("CARGO_PKG_VERSION")], true)
    }),
    family(names::PROCESS_CPU_SECONDS_TOTAL, Shape::Counter, NONE, "seconds", "User and system CPU time of the process.", |from, to| {
        from.process.cpu_secs.into_iter().for_each(|n| to.add(&[], n))
    }),
    family(names::PROCESS_RESIDENT_MEMORY_BYTES, Shape::Gauge, NONE, "bytes", "Resident memory of the process.", |from, to| {
        from.process.resident_bytes.into_iter().for_each(|n| to.add(&[], n))
    }),
    family(names::PROCESS_START_TIME_SECONDS, Shape::Gauge, NONE, "seconds since 1970", "When the process started.", |from, to| {
        from.process.start_secs.into_iter().for_each(|n| to.add(&[], n))
    }),
    family(names::PROCESS_OPEN_FDS, Shape::Gauge, NONE, "file descriptors", "Open file descriptors of the process.", |from, to| {
        from.process.open_fds.into_iter().for_each(|n| to.count(&[], n))
    }),
    family(
        names::PROCESS_MAX_FDS,
        Shape::Gauge,
        NONE,
        "file descriptors",
        "How many file descriptors the process may have.",
        |from, to| from.process.max_fds.into_iter().for_each(|n| to.add(&[], n)),
    ),
];

fn provider_budgets<'a>(from: &Source<'a>) -> impl Iterator<Item = (&'a str, (u32, u32))> {
    from.view.providers.iter().filter_map(|p| Some((p.name.as_str(), p.traffic.budget?)))
}

fn inbox_budgets<'a>(from: &Source<'a>) -> impl Iterator<Item = (&'a str, (u32, u32))> {
    from.view.inboxes.iter().filter_map(|i| Some((i.name.as_str(), i.budget?)))
}

pub(super) fn routes<'a>(from: &Source<'a>) -> impl Iterator<Item = (&'a RouteView, [&'a str; 3])> {
    from.view.routes.iter().map(|r| (r, [r.route.provider.as_str(), r.route.stream.as_str(), r.route.inbox.as_str()]))
}
