//! A foreign identity: old and new, where it stands and where it does not, since when. What every provider's mail has at one inbox alone is that
//! inbox's; where others words were added to a mail and nothing else, nobody need be in an account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::places::{Kind, of_inboxes};
use super::{Trouble, row};
use crate::model::{self, Culprit, Mark, Name, Part, Severity, quoted, spoken, typed};
use crate::watchdog::identity::{Foreign, Identity, group};
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// Values named in the summary, and of what stood there before; inboxes that are named.
const SAID: usize = 3;
/// Values listed in the evidence, and inboxes of each.
const LISTED: usize = 32;
const PLACES: usize = 12;

/// One foreign value, and whose mail it stands in.
#[derive(Clone, Copy)]
pub(super) struct Found<'s> {
    pub(super) provider: &'s Name,
    pub(super) stream: &'s Name,
    pub(super) identity: &'s Identity,
    pub(super) foreign: &'s Foreign,
}

impl Found<'_> {
    pub(super) fn kind(&self) -> Kind<'_> {
        (self.foreign.mark.part, group(self.foreign.mark.part, &self.foreign.mark.value))
    }

    /// Whether other words are added to the mail than before, which name nobody else, and that is all.
    fn is_of_words(&self) -> bool {
        let (part, of) = self.kind();
        let added = self.foreign.words.as_ref().filter(|_| part == Part::Content && of.ends_with("-added"));
        added.is_some_and(|added| self.identity.has_named(part, of, &added.names))
    }

    /// The value in words.
    fn said(&self) -> String {
        let Foreign { mark, words, .. } = self.foreign;
        let words = words.as_ref().map_or_else(String::new, |added| format!(" ({})", spoken(&added.words)));
        format!("{}{words}", quoted(&mark.value))
    }

    /// What stood there before.
    fn old(&self) -> String {
        let known = self.identity.known_words(self.foreign.mark.part);
        // Of what was done to a mail the same kind says more than the others.
        let (part, of) = self.kind();
        let same: Vec<&str> = known.iter().map(String::as_str).filter(|word| part != Part::Content || word.starts_with(of)).collect();
        let before: Vec<&str> = if same.is_empty() { known.iter().map(String::as_str).collect() } else { same };
        if before.is_empty() { "where none stood before".to_owned() } else { format!("where {} stood", row(before.into_iter(), SAID)) }
    }
}

/// Every provider whose mail carries something foreign, and every inbox at which all mail does.
pub(super) fn troubles(plan: &Plan, state: &State) -> Vec<Trouble> {
    let mine = state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider));
    let all: Vec<Found<'_>> = mine
        .flat_map(|(provider, streams)| streams.iter().map(move |(stream, identity)| (provider, stream, identity)))
        .flat_map(|(provider, stream, identity)| identity.foreign.iter().map(move |foreign| Found { provider, stream, identity, foreign }))
        .collect();
    let inboxes = of_inboxes(plan, state, &all);
    let mut by_culprit: BTreeMap<Culprit, Vec<Found<'_>>> = BTreeMap::new();
    // Of what an inbox does to all mail one that is sure vouches for the others.
    let sure: BTreeSet<Kind<'_>> = all.iter().filter(|found| found.foreign.is_sure()).map(Found::kind).collect();
    let is_told = |found: &&Found<'_>| found.foreign.is_sure() || inboxes.contains_key(&found.kind()) && sure.contains(&found.kind());
    for found in all.iter().filter(is_told) {
        let of_inbox = inboxes.get(&found.kind()).map(|(inbox, _)| Culprit::Inbox((*inbox).clone()));
        let culprit = of_inbox.unwrap_or_else(|| Culprit::Provider(found.provider.clone()));
        by_culprit.entry(culprit).or_default().push(*found);
    }
    let every = |found: &[Found<'_>]| found.iter().all(|one| inboxes.get(&one.kind()).is_some_and(|(_, every)| *every));
    by_culprit.into_iter().map(|(culprit, found)| trouble(plan, culprit, &found, every(&found))).collect()
}

fn trouble(plan: &Plan, culprit: Culprit, found: &[Found<'_>], every: bool) -> Trouble {
    let mut said: Vec<String> = Vec::new();
    for one in found {
        let text = format!("{} {} {}", one.foreign.mark.part.title(), one.said(), one.old());
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let more = if said.len() > SAID { format!(" and {} more", said.len() - SAID) } else { String::new() };
    let said = said.iter().take(SAID).cloned().collect::<Vec<_>>().join("; ");
    let since = found.iter().map(|one| one.foreign.since).min().unwrap_or_default();
    let streams = row(dedup(found.iter().map(|one| one.stream.as_str())).into_iter(), SAID);
    let of_words = found.iter().all(Found::is_of_words);
    let of_inbox = if let Culprit::Inbox(inbox) = &culprit { Some(inbox) } else { None };
    let what = match (&culprit, of_words) {
        (Culprit::Inbox(inbox), _) if every => format!("mail of every provider at inbox `{inbox}` carries something foreign"),
        (Culprit::Inbox(inbox), _) => format!("{} at inbox `{inbox}` carries something foreign", whose(found)),
        (_, true) => format!("{} has other words added to it", whose(found)),
        (_, false) => format!("{} carries something foreign", whose(found)),
    };
    // Words alone, where words were added before, are a slogan's more often than a stranger's.
    let severity = if of_inbox.is_none() && of_words { Severity::Info } else { Severity::Warn };
    let places = if of_inbox.is_some() { elsewhere(plan, found) } else { format!(", seen in {}", places(plan, found)) };
    Trouble {
        kind: model::Kind::Identity,
        severity,
        named: found.iter().map(word).collect::<BTreeSet<String>>().into_iter().collect(),
        summary: format!("{what}: {said}{more}; in stream {streams}{places} since {}", since.minute()),
        evidence: json!({
            "since": since.rfc3339(),
            "values": found.iter().take(LISTED).map(shown).collect::<Vec<_>>(),
            "next_step": next(found, of_inbox, of_words),
        }),
        culprit,
    }
}

fn whose(found: &[Found<'_>]) -> String {
    let providers = dedup(found.iter().map(|one| one.provider.as_str()));
    format!("mail of provider{} {}", if providers.len() > 1 { "s" } else { "" }, row(providers.into_iter(), SAID))
}

/// By what it is known whether there is more: of hosts and of what is done to a mail whose they are, and which kind.
fn word(found: &Found<'_>) -> String {
    let Mark { part, value } = &found.foreign.mark;
    let (_, of) = found.kind();
    let of_group = match part {
        Part::Content | Part::Link | Part::ReturnPath | Part::MessageId | Part::Network => true,
        Part::List | Part::Header => !value.contains('@'),
        Part::From | Part::Sender | Part::ReplyTo | Part::DkimDomain | Part::DkimSelector | Part::Address => false,
    };
    // Words that name somebody are not only other words.
    let names = found
        .foreign
        .words
        .as_ref()
        .filter(|_| !found.is_of_words())
        .map(|added| added.names.iter().map(String::as_str).collect::<Vec<_>>());
    let names = names.filter(|names| !names.is_empty()).map_or_else(String::new, |names| format!(" {}", names.join(" ")));
    format!("{}: {}{names}", part.as_str(), if of_group { of } else { value })
}

/// Where it stands; and where mail came since and it does not.
fn places(plan: &Plan, found: &[Found<'_>]) -> String {
    let stands: Vec<&str> = dedup(found.iter().flat_map(|one| one.foreign.inboxes()).map(Name::as_str));
    format!("{}{}", row(stands.into_iter(), SAID), elsewhere(plan, found))
}

fn elsewhere(plan: &Plan, found: &[Found<'_>]) -> String {
    let stands: BTreeSet<&Name> = found.iter().flat_map(|one| one.foreign.inboxes()).collect();
    let not = found.iter().flat_map(|one| one.foreign.elsewhere()).filter(|inbox| !stands.contains(inbox) && plan.inboxes.contains(*inbox));
    let not = dedup(not.map(Name::as_str));
    if not.is_empty() { String::new() } else { format!(", not in {}", row(not.into_iter(), SAID)) }
}

/// What to do about it, and how a person says that it is right.
fn next(found: &[Found<'_>], of_inbox: Option<&Name>, of_words: bool) -> String {
    let Some(Found { provider, stream, foreign, .. }) = found.first() else { return String::new() };
    let (part, value) = (foreign.mark.part.as_str(), typed(&foreign.mark.value));
    let one = format!("`mailcanary identity approve -c FILE {provider} {stream} {part} -- {value}`");
    let right = if found.len() > 1 {
        format!("If all of it is right: `mailcanary identity approve -c FILE --incident ID`; the first alone: {one}")
    } else {
        format!("If it is right: {one}")
    };
    let first = match (of_inbox, of_words) {
        (Some(inbox), _) => format!(
            "the receiver changes mail: ask who runs `{inbox}` for a new rule, gateway or filter (a banner, rewritten links); if nobody does, \
             somebody else may be in that mailbox"
        ),
        (None, true) => {
            let of = found.first().map_or("", |one| one.kind().1);
            format!(
                "read the words: a slogan or a footer of the provider's, which changed it by itself, or what nobody of yours knows; no link, \
                 address or sender came with them. `{part} {of}` stands for whatever is added"
            )
        }
        (None, false) => format!(
            "ask who changed it; if nobody of yours did, somebody else is in the account at `{provider}`: revoke its keys and look for resets that \
             nobody asked for"
        ),
    };
    format!("{first}. {right}")
}

fn shown(found: &Found<'_>) -> Value {
    let Found { provider, stream, identity, foreign } = found;
    let names = |names: &mut dyn Iterator<Item = &Name>| names.take(PLACES).map(Name::as_str).map(Value::from).collect::<Vec<_>>();
    let mut shown = json!({
        "provider": provider.as_str(),
        "stream": stream.as_str(),
        "part": foreign.mark.part.as_str(),
        "new": foreign.mark.value,
        "old": identity.known_words(foreign.mark.part),
        "since": foreign.since.rfc3339(),
        "last": foreign.last.rfc3339(),
        "canaries": foreign.count,
        "first_canary": foreign.canary.to_string(),
        "inbox": foreign.inbox.as_str(),
        "inboxes": names(&mut foreign.inboxes()),
        "not_in": names(&mut foreign.elsewhere()),
    });
    if let (Some(added), Some(fields)) = (&foreign.words, shown.as_object_mut()) {
        fields.insert("words".to_owned(), Value::from(added.words.as_str()));
    }
    shown
}

fn dedup<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut all: Vec<&str> = names.collect();
    all.sort_unstable();
    all.dedup();
    all
}
