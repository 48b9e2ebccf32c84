//! The metrics of what the mail itself says.

use super::catalogue::{Family, family};
use super::samples::{Samples, Shape};
use super::{Source, names};
use crate::model::way::Stretch;
use crate::watchdog::IdentityView;

const STREAM: &[&str] = &["provider", "stream"];

/// All of them, in the order of the page.
pub(super) static MAIL: [Family; 5] = [
    family(
        names::LEG_SECONDS,
        Shape::Histogram,
        &["provider", "inbox", "leg"],
        "seconds",
        "How long the legs of the whole way took, without what clocks are always off by: submission (until accepted), provider (until its last host), transit (until the receiver's first host), receiver (until arrival), observation (until seen).",
        |from, to| {
            for ((provider, inbox), legs) in &from.view.travels {
                for (leg, histogram) in Stretch::ALL.iter().zip(legs) {
                    to.histogram(&[provider.as_str(), inbox.as_str(), leg.as_str()], histogram);
                }
            }
        },
    ),
    family(
        names::FOREIGN_VALUES,
        Shape::Gauge,
        STREAM,
        "values",
        "Values in the mail of this provider and stream that have not stood there before: addresses, domains, networks, links.",
        |from, to| each(from, to, |identity| identity.marks.iter().filter(|m| m.foreign).count()),
    ),
    family(
        names::CHECKS_BROKEN,
        Shape::Gauge,
        STREAM,
        "checks",
        "Checks of its mail (SPF, DKIM, DMARC, ARC; at each inbox, ours and the receiver's) that have held and do not any more.",
        |from, to| each(from, to, |identity| identity.checks.iter().filter(|c| c.broken_since.is_some()).count()),
    ),
    family(
        names::STRANGE_MAILS_TOTAL,
        Shape::Counter,
        &["inbox", "claim"],
        "mails",
        "Mails that are no canaries, by what they have to do with us: nothing, allowed, our_domain, provider (in our name through one of ours, or through a relay or an account that is ours alone), honeytoken.",
        |from, to| from.view.strangers.iter().for_each(|((inbox, claim), n)| to.count(&[inbox.as_str(), claim], *n)),
    ),
    family(
        names::MAILS_UNEXAMINED_TOTAL,
        Shape::Counter,
        &[],
        "mails",
        "Mails of canaries that were not looked at since the process started, for there being too many at once: that they came was told all the same.",
        |from, to| to.count(&[], from.view.unexamined),
    ),
];

/// One figure of every stream of every provider.
fn each(from: &Source<'_>, to: &mut Samples, figure: fn(&IdentityView) -> usize) {
    for (provider, party) in &from.view.streams {
        let known = from.view.identities.iter().find(|i| i.provider == *provider && i.stream == party.name);
        to.count(&[provider.as_str(), party.name.as_str()], known.map_or(0, figure) as u64);
    }
}
