//! The metrics of what the DNS says.

use super::catalogue::{Family, family};
use super::samples::{Samples, Shape};
use super::{Source, names};
use crate::model::{Grade, Severity, Topic};

/// All of them, in the order of the page.
pub(super) static DNS: [Family; 5] = [
    family(
        names::DNS_RECORDS,
        Shape::Gauge,
        &["topic", "grade"],
        "records",
        "Records and states that are watched in the DNS, by what they are about (spf, dkim, dmarc, mx, reverse, mta_sts, tls_rpt, dnssec, listed) and how good they are: absent, broken, weak, fair, sound; of listings broken is listed.",
        records,
    ),
    family(
        names::DNS_CHANGES,
        Shape::Gauge,
        &["topic", "severity"],
        "records",
        "Of these the ones that have changed for the worse, or changed at all where they are yours, and that nobody has approved.",
        changes,
    ),
    family(
        names::DNS_SPF_LOOKUPS,
        Shape::Gauge,
        &["provider"],
        "look-ups",
        "Look-ups that the SPF records of this provider's mail cost a receiver at most; more than 10 are a permanent error.",
        |from, to| {
            for provider in &from.view.providers {
                let mine = from.view.dns.subjects.iter().filter(|s| s.subject.topic == Topic::Spf && s.providers.contains(&provider.name));
                let most = mine.filter_map(|s| s.answer.as_ref()?.lookups).max();
                to.count(&[provider.name.as_str()], u64::from(most.unwrap_or(0)));
            }
        },
    ),
    family(
        names::DNS_QUESTIONS_TOTAL,
        Shape::Counter,
        &["outcome"],
        "questions",
        "Questions of the watch since the process started: answered, failed (no name server answered: ours), refused (a blocklist does not answer this resolver).",
        |from, to| {
            let dns = &from.view.dns;
            for (outcome, count) in [("answered", dns.answered), ("failed", dns.failed), ("refused", dns.refused)] {
                to.count(&[outcome], count);
            }
        },
    ),
    family(
        names::LISTED,
        Shape::Gauge,
        &["provider"],
        "listings",
        "Addresses that this provider's canaries came from, and domains that they are sent in the name of, that stand on a blocklist.",
        |from, to| {
            for provider in &from.view.providers {
                let is_listed = |s: &&crate::watchdog::SubjectView| {
                    let works = s.answer.as_ref().is_none_or(|answer| answer.grade.works());
                    s.subject.topic == Topic::Listed && !works && s.providers.contains(&provider.name)
                };
                to.count(&[provider.name.as_str()], from.view.dns.subjects.iter().filter(is_listed).count() as u64);
            }
        },
    ),
];

fn records(from: &Source<'_>, to: &mut Samples) {
    for topic in Topic::ALL {
        for grade in Grade::ALL {
            let is = |s: &&crate::watchdog::SubjectView| s.subject.topic == topic && s.answer.as_ref().is_some_and(|a| a.grade == grade);
            to.count(&[topic.as_str(), grade.as_str()], from.view.dns.subjects.iter().filter(is).count() as u64);
        }
    }
}

fn changes(from: &Source<'_>, to: &mut Samples) {
    for topic in Topic::ALL {
        for severity in Severity::ALL {
            let is = |s: &&crate::watchdog::SubjectView| s.subject.topic == topic && s.severity == Some(severity);
            to.count(&[topic.as_str(), severity.as_str()], from.view.dns.subjects.iter().filter(is).count() as u64);
        }
    }
}
