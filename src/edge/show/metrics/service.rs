//! The metrics that a promise is held against, and where the pages are.

use super::catalogue::{Family, family, routes};
use super::names;
use super::samples::Shape;

/// All of them, in the order of the page.
pub(super) static SERVICE: [Family; 2] = [
    family(
        names::CANARIES_DECIDED_TOTAL,
        Shape::Counter,
        &["provider", "stream", "inbox", "outcome"],
        "canaries",
        "Canaries whose fate is known, each once: in_time (arrived within the deadline, outside Junk), or missed (lost, late, in Junk, or refused for what is not the seed's or the watcher's own).",
        |from, to| {
            for (r, [p, s, i]) in routes(from) {
                to.count(&[p, s, i, "in_time"], r.counts.in_time);
                to.count(&[p, s, i, "missed"], r.counts.missed);
            }
        },
    ),
    family(
        names::STATUS_PAGE_INFO,
        Shape::Gauge,
        &["url"],
        "1",
        "Where people reach the status page: `[http] public_url`, or else the address that is listened on, of all of them by the host's name; absent if the system chooses the port.",
        |from, to| from.view.url.iter().for_each(|url| to.flag(&[url], true)),
    ),
];
