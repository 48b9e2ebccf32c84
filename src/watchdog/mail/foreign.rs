//! A foreign identity: old and new, where it stands, since when.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Trouble, row};
use crate::model::{Culprit, Kind, Name, Part, Severity, quoted, typed};
use crate::watchdog::identity::{Foreign, Identity};
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// Values named in the summary, and of what stood there before.
const SAID: usize = 3;
/// Values listed in the evidence.
const LISTED: usize = 32;

/// Every provider whose mail carries something foreign.
pub(super) fn troubles(plan: &Plan, state: &State) -> Vec<Trouble> {
    let mine = state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider));
    mine.filter_map(|(provider, streams)| {
        let found: Vec<(&Name, &Identity, &Foreign)> = streams
            .iter()
            .flat_map(|(stream, identity)| identity.foreign.iter().filter(|f| f.is_sure()).map(move |f| (stream, identity, f)))
            .collect();
        (!found.is_empty()).then(|| trouble(provider, &found))
    })
    .collect()
}

fn trouble(provider: &Name, found: &[(&Name, &Identity, &Foreign)]) -> Trouble {
    let word = |f: &Foreign| format!("{}: {}", f.mark.part.as_str(), f.mark.value);
    let mut said: Vec<String> = Vec::new();
    for (_, identity, foreign) in found {
        let text = format!("{} {} {}", foreign.mark.part.title(), quoted(&foreign.mark.value), before(identity, foreign.mark.part));
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let more = if said.len() > SAID { format!(" and {} more", said.len() - SAID) } else { String::new() };
    let since = found.iter().map(|(.., f)| f.since).min().unwrap_or_default();
    let streams = row(dedup(found.iter().map(|(stream, ..)| stream.as_str())).into_iter(), SAID);
    let inboxes = row(dedup(found.iter().map(|(.., f)| f.inbox.as_str())).into_iter(), SAID);
    let next = found.first().map_or_else(String::new, |(stream, _, f)| {
        format!(
            "ask who changed it; if nobody of yours did, somebody else is in the account at `{provider}`: revoke its keys and look for resets that \
             nobody asked for. If it is right: `mailcanary identity approve -c FILE {provider} {stream} {} -- {}`",
            f.mark.part.as_str(),
            typed(&f.mark.value)
        )
    });
    Trouble {
        kind: Kind::Identity,
        severity: Severity::Warn,
        culprit: Culprit::Provider(provider.clone()),
        named: found.iter().map(|(.., f)| word(f)).collect::<BTreeSet<String>>().into_iter().collect(),
        summary: format!(
            "mail of provider `{provider}` carries something foreign: {}{more}; in stream {streams}, seen in {inboxes} since {}",
            said.iter().take(SAID).cloned().collect::<Vec<_>>().join("; "),
            since.minute()
        ),
        evidence: json!({
            "since": since.rfc3339(),
            "values": found.iter().take(LISTED).map(|(stream, identity, f)| shown(stream, identity, f)).collect::<Vec<_>>(),
            "next_step": next,
        }),
    }
}

/// What stood there before, in words.
fn before(identity: &Identity, part: Part) -> String {
    let known = identity.known(part);
    if known.is_empty() { "where none stood before".to_owned() } else { format!("where {} stood", row(known.into_iter(), SAID)) }
}

fn shown(stream: &Name, identity: &Identity, foreign: &Foreign) -> Value {
    json!({
        "stream": stream.as_str(),
        "part": foreign.mark.part.as_str(),
        "new": foreign.mark.value,
        "old": identity.known(foreign.mark.part),
        "since": foreign.since.rfc3339(),
        "last": foreign.last.rfc3339(),
        "canaries": foreign.count,
        "first_canary": foreign.canary.to_string(),
        "inbox": foreign.inbox.as_str(),
    })
}

fn dedup<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut all: Vec<&str> = names.collect();
    all.sort_unstable();
    all.dedup();
    all
}
