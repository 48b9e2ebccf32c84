//! How bad a change is.

use std::net::IpAddr;

use crate::model::{Answer, Grade, Severity, Topic};
use crate::watchdog::subjects::Stake;

/// How bad it is that `before` became `after`. `None`: it is no reason to tell anybody.
pub(in crate::watchdog) fn weigh(topic: Topic, stake: &Stake, before: &Answer, after: &Answer) -> Option<Severity> {
    let worse = after.grade < before.grade;
    let lost = before.grade.works() && !after.grade.works();
    let told = |severity: Severity| if stake.fading_key(topic) { Some(severity.min(Severity::Warn)) } else { Some(severity) };
    if topic == Topic::Listed {
        return (!after.grade.works()).then(|| stake.severity.unwrap_or(Severity::Warn));
    }
    // What did not work before and does not work now, or works at last, calls nobody.
    if !before.grade.works() {
        return None;
    }
    let weaker = match topic {
        // What was known of it before its policy was asked for, too.
        Topic::MtaSts if lost_nothing(before, after) => None,
        // What is signed by the provider's own domain besides ours does not decide what receivers do.
        Topic::Dkim if lost => told(if stake.ours { Severity::Page } else { Severity::Warn }),
        Topic::Mx if lost => Some(Severity::Page),
        Topic::Spf if lost && stake.ours => Some(Severity::Page),
        Topic::Dnssec if after.grade == Grade::Broken => Some(Severity::Page),
        Topic::TlsRpt if worse => Some(Severity::Info),
        _ if worse => Some(Severity::Warn),
        // The same name with another key: what is signed with the old one fails from now on.
        Topic::Dkim => stake.ours.then_some(Severity::Warn),
        Topic::Mx if !hosts(before).any(|host| hosts(after).any(|other| other == host)) => Some(Severity::Warn),
        Topic::Spf if stake.ours && lets_pass(before).any(|term| lets_pass(after).all(|other| other != term)) => Some(Severity::Warn),
        // A number that says that the policy itself has changed.
        Topic::MtaSts => stake.ours.then_some(Severity::Warn),
        // What others do in their zones is theirs, as long as it works.
        Topic::Spf | Topic::Dmarc | Topic::Mx | Topic::TlsRpt | Topic::Dnssec => stake.ours.then_some(Severity::Info),
        Topic::Reverse | Topic::Listed => None,
    };
    weaker.max(shut_out(stake, before, after))
}

/// How bad it is that hosts which send our mail may not any more. From none that was seen mail passes: it is as if the record were broken.
fn shut_out(stake: &Stake, before: &Answer, after: &Answer) -> Option<Severity> {
    before.lost(after).next()?;
    let passes = |(host, passed): (&IpAddr, &bool)| *passed && after.hosts.get(host) == Some(&true);
    let none = !before.hosts.iter().any(passes);
    Some(if stake.ours && none { Severity::Page } else { Severity::Warn })
}

/// What stood there and what stands there instead: the record's own text, or where that is the same, that of one which it includes.
pub(in crate::watchdog) fn became(before: &Answer, after: &Answer) -> (String, String) {
    let said = |domain: &str, text: &str| format!("{domain}: {text}");
    match before.changed_inside(after).first() {
        Some((domain, old, new)) if before.text == after.text => (said(domain, old), said(domain, new)),
        _ => (before.text.clone(), after.text.clone()),
    }
}

impl Stake {
    fn fading_key(&self, topic: Topic) -> bool {
        topic == Topic::Dkim && self.fading
    }
}

/// Whether an answer is the former one with more to say.
fn lost_nothing(before: &Answer, after: &Answer) -> bool {
    after.grade.works() && after.text.strip_prefix(before.text.as_str()).is_some_and(|more| more.starts_with("; max_age="))
}

fn hosts(answer: &Answer) -> impl Iterator<Item = &str> {
    answer.text.split(", ").filter_map(|host| host.split_once(' ')).map(|(_, name)| name)
}

/// What an SPF record lets pass.
fn lets_pass(answer: &Answer) -> impl Iterator<Item = &str> {
    answer.text.split(' ').skip(1).filter(|term| !term.starts_with(['-', '~', '?']) && !term.contains('='))
}
