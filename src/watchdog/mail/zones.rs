//! What changed in the DNS, with before and after; and who stands on a blocklist.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Trouble, row};
use crate::model::{self, Answer, At, Culprit, Grade, Kind, Method, Name, Severity, Subject, Topic};
use crate::watchdog::explain::shorten;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;
use crate::watchdog::subjects::{Stake, subjects};
use crate::watchdog::zone::{MUTE_FOR, became, rests_on, weigh};

/// Changes told in the summary.
const SAID: usize = 2;
/// Changes listed in the evidence.
const LISTED: usize = 32;
/// Characters of a record in the summary, and by which a change is known again.
const SHOWN: usize = 90;
/// Addresses told in the summary.
const HOSTS: usize = 3;
const NAMED: usize = 120;

/// One change.
struct Change<'s> {
    subject: Subject,
    stake: Stake,
    severity: Severity,
    since: At,
    before: &'s Answer,
    after: &'s Answer,
}

/// All that has changed for the worse, and every listing.
fn changes<'s>(plan: &Plan, state: &'s State) -> Vec<Change<'s>> {
    if state.dns.subjects.values().all(|known| known.now.is_none()) {
        return Vec::new();
    }
    let change = |(subject, stake): (Subject, Stake)| {
        let known = state.dns.subjects.get(&subject)?;
        let ((since, after), before) = known.now.as_ref().zip(known.usual.as_ref())?;
        let severity = weigh(subject.topic, &stake, before, after)?;
        Some(Change { stake: stake.of_change(before, after), subject, severity, since: *since, before, after })
    };
    subjects(plan, state).into_iter().filter_map(change).collect()
}

/// What has changed in the DNS by which the mail of these providers may fail these checks: the subject, and what became of it in words.
pub(super) fn causes(plan: &Plan, state: &State, failing: &BTreeSet<(&Name, Method)>) -> Vec<(String, String)> {
    let is_one = |change: &Change<'_>| {
        failing.iter().any(|(provider, method)| change.stake.providers.contains(*provider) && rests_on(*method, change.subject.topic))
    };
    let told = |change: Change<'_>| (change.subject.to_string(), format!("{}, since {}", said(&change), change.since.minute()));
    changes(plan, state).into_iter().filter(is_one).map(told).collect()
}

/// Everybody whose records have changed for the worse, or who is listed.
pub(super) fn troubles(plan: &Plan, state: &State, now: At) -> Vec<Trouble> {
    let mut found: BTreeMap<(Kind, Culprit), Vec<Change<'_>>> = BTreeMap::new();
    for change in changes(plan, state) {
        let kind = if change.subject.topic == Topic::Listed { Kind::Listed } else { Kind::Dns };
        found.entry((kind, change.stake.culprit(plan))).or_default().push(change);
    }
    let mut troubles: Vec<Trouble> = found.into_iter().map(|((kind, culprit), changes)| trouble(kind, culprit, changes)).collect();
    if let Some(silent) = mute(state, now).filter(|_| troubles.iter().all(|t| t.kind != Kind::Dns || t.culprit != Culprit::Watcher {})) {
        troubles.push(silent);
    }
    troubles
}

/// Nobody answers: that is ours.
fn mute(state: &State, now: At) -> Option<Trouble> {
    let mute = state.dns.mute.as_ref().filter(|mute| now.since(mute.since) >= MUTE_FOR && state.cut_off_since.is_none())?;
    let next = "see that the name servers of `[dns]` can be reached from here: `mailcanary check --live` asks them";
    Some(Trouble {
        kind: Kind::Dns,
        culprit: Culprit::Watcher {},
        severity: Severity::Warn,
        named: vec!["no answer".to_owned()],
        summary: format!(
            "no name server has answered the watcher for {}: {}; nothing is known of records and blocklists since then",
            now.since(mute.since),
            mute.why
        ),
        evidence: json!({ "since": mute.since.rfc3339(), "why": mute.why, "next_step": next }),
    })
}

fn trouble(kind: Kind, culprit: Culprit, mut changes: Vec<Change<'_>>) -> Trouble {
    changes.sort_by_key(|change| (std::cmp::Reverse(change.severity), change.since));
    let severity = changes.iter().map(|change| change.severity).max().unwrap_or(Severity::Warn);
    let since = changes.iter().map(|change| change.since).min().unwrap_or_default();
    let said: Vec<String> = changes.iter().take(SAID).map(said).collect();
    let more = changes.len().saturating_sub(SAID);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let next = changes.first().map(next).unwrap_or_default();
    let named: BTreeSet<String> = changes.iter().flat_map(named).collect();
    Trouble {
        kind,
        severity,
        named: named.into_iter().collect(),
        summary: format!("{}{more}; since {}{}", said.join("; "), since.minute(), whose(&culprit, &changes)),
        evidence: json!({
            "since": since.rfc3339(),
            "changes": changes.iter().take(LISTED).map(shown).collect::<Vec<_>>(),
            "next_step": next,
        }),
        culprit,
    }
}

/// By what a change is known again. Of a list it is enough that it lists.
fn named(change: &Change<'_>) -> Vec<String> {
    if change.subject.topic == Topic::Listed {
        return vec![change.subject.to_string()];
    }
    let now = if change.after.text.is_empty() { "gone".to_owned() } else { shorten(&became(change.before, change.after).1, NAMED) };
    let lost = change.before.lost(change.after).map(|host| format!("without {host}"));
    std::iter::once(now).chain(lost).map(|what| format!("{}: {what}", change.subject)).collect()
}

/// Whose mail depends on it, where the culprit does not say it.
fn whose(culprit: &Culprit, changes: &[Change<'_>]) -> String {
    let providers: BTreeSet<&str> = changes.iter().flat_map(|c| c.stake.providers.iter()).map(Name::as_str).collect();
    let inboxes: BTreeSet<&str> = changes.iter().flat_map(|c| c.stake.inboxes.iter()).map(Name::as_str).collect();
    match culprit {
        Culprit::Inbox(_) if inboxes.len() > 1 => format!("; it concerns inboxes {}", row(inboxes.into_iter(), 3)),
        Culprit::Inbox(inbox) => format!("; it concerns inbox `{inbox}`"),
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {}
            if !providers.is_empty() =>
        {
            format!("; it concerns mail of {}", row(providers.into_iter(), 3))
        }
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => String::new(),
    }
}

fn said(change: &Change<'_>) -> String {
    let (of, name) = (change.subject.topic.title(), &change.subject.name);
    let (before, after) = (quoted(&change.before.text), quoted(&change.after.text));
    let stands = stands(change);
    let note = change.after.notes.first().map_or_else(String::new, |note| format!(" ({})", note.replace('`', "'")));
    if let Some(list) = &change.subject.list {
        let reason = change.after.notes.first().map_or_else(String::new, |note| format!(": {}", model::quoted(note)));
        return format!("`{name}` stands on blocklist `{list}` as {after}{reason}");
    }
    if is_silent(change) {
        return format!(
            "{of} `{name}` has another policy with the same `id`, so that senders go on with the one they have kept: now {after}, before {before}"
        );
    }
    let lost: Vec<String> = change.before.lost(change.after).map(|host| host.to_string()).collect();
    if !lost.is_empty() && change.after.grade >= change.before.grade {
        return format!(
            "{of} `{name}` does not let {} send any more, from where mail comes: {stands}",
            row(lost.iter().map(String::as_str), HOSTS)
        );
    }
    match change.after.grade {
        Grade::Absent => format!("{of} `{name}` is gone: {before} stood there"),
        Grade::Broken if change.before.grade > Grade::Broken => {
            format!("{of} `{name}` does not work any more{note}: {stands}")
        }
        grade if grade < change.before.grade => format!("{of} `{name}` is weaker{note}: {stands}"),
        Grade::Broken | Grade::Weak | Grade::Fair | Grade::Sound => format!("{of} `{name}` has changed: {stands}"),
    }
}

/// What stands there now, and what did before: in the record itself, or in one that it includes.
fn stands(change: &Change<'_>) -> String {
    let (before, after) = (change.before, change.after);
    if before.text != after.text {
        return format!("now {}, before {}", quoted(&after.text), quoted(&before.text));
    }
    match before.changed_inside(after).first() {
        Some((domain, old, new)) => {
            format!("{}, on which it rests, says {} now, and said {} before", model::quoted(domain), quoted(new), quoted(old))
        }
        None => format!("its text is {} as before; what its names lead to is not", quoted(&after.text)),
    }
}

/// Whether a policy of MTA-STS has changed and its `id` has not: whoever has kept one asks for another only when the `id` is new (RFC 8461 3.1).
fn is_silent(change: &Change<'_>) -> bool {
    let id = |answer: &Answer| answer.text.split("; ").find(|tag| tag.starts_with("id=")).map(str::to_owned);
    let policies = [change.before, change.after].iter().all(|answer| answer.text.contains("; mode="));
    change.subject.topic == Topic::MtaSts && policies && id(change.before).is_some() && id(change.before) == id(change.after)
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "nothing".to_owned() } else { model::quoted(&shorten(text, SHOWN)) }
}

fn next(change: &Change<'_>) -> String {
    let approve = format!("if it is meant: `mailcanary dns approve {} -c FILE`", change.subject);
    match change.subject.topic {
        Topic::Listed => {
            "find out what was sent that earned it, ask the list's page how it is removed, and move mail to another provider meanwhile"
                .to_owned()
        }
        Topic::Dkim => format!("publish the key again, as the provider shows it, before signatures fail with receivers; {approve}"),
        Topic::MtaSts => {
            format!("see who changed the record, or the policy that `mta-sts.{}` gives, and restore it; {approve}", change.subject.name)
        }
        Topic::Spf if change.before.text == change.after.text => match change.before.changed_inside(change.after).first() {
            Some((domain, ..)) => {
                format!("see who changed the record of {}: if it is not yours, ask whose it is; {approve}", model::quoted(domain))
            }
            None => format!("see where the names in the record lead, and restore that; {approve}"),
        },
        Topic::Spf | Topic::Dmarc | Topic::TlsRpt => format!("see who changed the zone, and restore the record; {approve}"),
        Topic::Mx => format!("mail to it is refused or goes elsewhere: see who changed the zone of the inbox; {approve}"),
        Topic::Reverse => format!("have whoever runs the address restore its name and the name's address; {approve}"),
        Topic::Dnssec => format!("see the registrar's DS records and the zone's keys; {approve}"),
    }
}

fn shown(change: &Change<'_>) -> Value {
    let inside = change.before.changed_inside(change.after);
    let inside = inside.iter().map(|(domain, before, after)| json!({ "domain": domain, "before": before, "after": after }));
    json!({
        "topic": change.subject.topic.as_str(),
        "name": change.subject.name,
        "list": change.subject.list.as_ref().map(Name::as_str),
        "before": change.before.text,
        "after": change.after.text,
        "before_grade": change.before.grade.as_str(),
        "after_grade": change.after.grade.as_str(),
        "notes": change.after.notes,
        "included": inside.collect::<Vec<_>>(),
        "shut_out": change.before.lost(change.after).map(|host| host.to_string()).collect::<Vec<_>>(),
        "since": change.since.rfc3339(),
        "severity": change.severity.as_str(),
        "providers": change.stake.providers.iter().map(Name::as_str).collect::<Vec<_>>(),
        "inboxes": change.stake.inboxes.iter().map(Name::as_str).collect::<Vec<_>>(),
    })
}
