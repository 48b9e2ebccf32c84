//! Foreign values in mail that may come again and again: which mail, what it names now, and what stood there before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::both::OF_RECURRING;
use super::{NEXT, Trouble, row};
use crate::model::{Culprit, Kind, Name, Part, Severity, quoted, typed};
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;
use crate::watchdog::stranger::{Odd, Routine};

/// Values named in the summary, and of what stood there before.
const SAID: usize = 3;
/// Values listed in the evidence.
const LISTED: usize = 32;

type Found<'s> = Vec<(&'s Routine, &'s Odd)>;

/// Adds what recurring mail shows to what the canaries of the same provider do: it is one trouble.
pub(super) fn join(plan: &Plan, state: &State, troubles: &mut Vec<Trouble>) {
    let mut all: BTreeMap<Culprit, Found<'_>> = BTreeMap::new();
    for routine in state.strangers.routines.iter().filter(|routine| plan.rules.contains(&routine.rule)) {
        for odd in routine.foreign.iter().filter(|odd| !state.is_of(&odd.via, &odd.mark)) {
            let culprit = match &odd.via[..] {
                [provider] if plan.providers.contains(provider) => Culprit::Provider(provider.clone()),
                _ => Culprit::Inbox(routine.inbox.clone()),
            };
            if plan.knows(&culprit) {
                all.entry(culprit).or_default().push((routine, odd));
            }
        }
    }
    for (culprit, found) in all {
        let (summary, next) = (words(&culprit, &found), next(state, &culprit, &found));
        let severity = if found.iter().all(|(_, odd)| is_slight(odd)) { Severity::Info } else { Severity::Warn };
        let named = found.iter().map(|(_, odd)| format!("{OF_RECURRING}{}: {}", odd.mark.part.as_str(), odd.mark.value));
        let rows: Vec<Value> = found.iter().take(LISTED).map(|(routine, odd)| shown(state, routine, odd)).collect();
        match troubles.iter_mut().find(|t| t.kind == Kind::Identity && t.culprit == culprit) {
            Some(trouble) => {
                // What changes by itself in canaries' mail does not make less of this.
                trouble.severity = trouble.severity.max(severity);
                trouble.named.splice(0..0, named);
                trouble.summary = format!("{}; and {summary}", trouble.summary);
                let before = trouble.evidence.get(NEXT).and_then(Value::as_str).unwrap_or_default();
                trouble.add(NEXT, format!("{next}. Of its canaries: {before}"));
                trouble.add("recurring", rows);
            }
            None => troubles.push(Trouble {
                kind: Kind::Identity,
                severity,
                culprit,
                named: named.collect(),
                summary,
                evidence: json!({
                    "since": found.iter().map(|(_, odd)| odd.since).min().unwrap_or_default().rfc3339(),
                    "recurring": rows,
                    NEXT: next,
                }),
            }),
        }
    }
}

/// Whether somebody who stands in the first mail of a kind is worth no more than a word: he is not its author, or the mail came through nobody's
/// account of ours.
fn is_slight(odd: &Odd) -> bool {
    odd.first && !(matches!(odd.mark.part, Part::Sender | Part::ReplyTo) && odd.via.len() == 1)
}

fn words(culprit: &Culprit, found: &Found<'_>) -> String {
    let mut said: Vec<String> = Vec::new();
    for (_, odd) in found {
        let before = match odd.before.is_empty() {
            _ if odd.first => {
                "in the first mail of its kind that was seen, who is neither you nor the provider nor the receiver".to_owned()
            }
            true => "where nobody else's stood before".to_owned(),
            false => format!("where {} stood", row(odd.before.iter().map(String::as_str), SAID)),
        };
        let text = format!("{} {} {before}", odd.mark.part.title(), quoted(&odd.mark.value));
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let more = if said.len() > SAID { format!(" and {} more", said.len() - SAID) } else { String::new() };
    let through = match culprit {
        Culprit::Provider(provider) => format!(" through provider {}", quoted(provider.as_str())),
        Culprit::Inbox(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => String::new(),
    };
    let first = found.iter().min_by_key(|(_, odd)| odd.since).map_or_else(String::new, |(routine, odd)| {
        format!(
            "; the first from {}, subject {}, in {}; since {}",
            quoted(&odd.from),
            quoted(&odd.subject),
            quoted(routine.inbox.as_str()),
            odd.since.minute()
        )
    });
    let what = if found.iter().all(|(_, odd)| odd.first) { "names somebody who is not known" } else { "carries something foreign" };
    format!(
        "recurring mail{through} that is expected {what}: {}{more}{first}",
        said.iter().take(SAID).cloned().collect::<Vec<_>>().join("; ")
    )
}

fn next(state: &State, culprit: &Culprit, found: &Found<'_>) -> String {
    let usual = if found.iter().all(|(_, odd)| odd.first) { ". What three such mails have had counts as usual" } else { "" };
    format!("{}{usual}", whom_to_ask(state, culprit, found))
}

fn whom_to_ask(state: &State, culprit: &Culprit, found: &Found<'_>) -> String {
    let Culprit::Provider(provider) = culprit else {
        return "ask who changed it; if nobody of yours did, see who sent it, and whether somebody else is in the account that sends it. If it is \
                right, close the incident"
            .to_owned();
    };
    let approve = found.first().and_then(|(_, odd)| Some((approved_at(state, odd)?.1, odd))).map_or_else(String::new, |(stream, odd)| {
        let (part, value) = (odd.mark.part.as_str(), typed(&odd.mark.value));
        format!(", or `mailcanary identity approve -c FILE {provider} {stream} {part} -- {value}`")
    });
    format!(
        "ask who changed it; if nobody of yours did, somebody else is in the account at `{provider}`: revoke its keys and look for resets that \
         nobody asked for. If it is right, close the incident{approve}"
    )
}

/// Whose mail a person can say it is right in: that of a provider which it came through, where its canaries were looked at.
fn approved_at<'s>(state: &'s State, odd: &'s Odd) -> Option<(&'s Name, &'s Name)> {
    odd.via.iter().find_map(|provider| Some((provider, state.identities.get(provider)?.keys().next()?)))
}

fn shown(state: &State, routine: &Routine, odd: &Odd) -> Value {
    let at = approved_at(state, odd);
    json!({
        "provider": at.map(|(provider, _)| provider.as_str()),
        "stream": at.map(|(_, stream)| stream.as_str()),
        "rule": routine.rule,
        "part": odd.mark.part.as_str(),
        "new": odd.mark.value,
        "old": odd.before,
        "since": odd.since.rfc3339(),
        "last": odd.last.rfc3339(),
        "mails": odd.count,
        "from": odd.from,
        "subject": odd.subject,
        "inbox": routine.inbox.as_str(),
        "first_of_its_kind": odd.first,
    })
}
