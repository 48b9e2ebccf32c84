//! What the mail of each provider and stream looks like, as it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::identity::{Identity, varies};
use super::plan::Plan;
use super::state::State;
use crate::model::{At, CanaryId, Mark, Method, Name, Part};

/// What the mail of one provider and stream looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityView {
    /// Whose.
    pub provider: Name,
    /// Of which stream.
    pub stream: Name,
    /// Enough of its canaries were looked at: what is new now is foreign.
    pub known: bool,
    /// Canaries that were looked at, up to what it takes to know it.
    pub seen: u32,
    /// Mails that were written down: the first, then one an hour at least, and each that says anything new.
    pub written: u32,
    /// When one was looked at last, as far as that said anything new.
    pub at: At,
    /// What stands in it, by part; then what is foreign.
    pub marks: Vec<MarkView>,
    /// Parts in which whose hosts and addresses stand differs from mail to mail: another's is not foreign there.
    pub varying: BTreeSet<Part>,
    /// The public addresses that it came from, and when each was seen last.
    pub hosts: Vec<(IpAddr, At)>,
    /// How its checks stand, by inbox.
    pub checks: Vec<CheckView>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkView {
    /// Where, and what.
    pub mark: Mark,
    /// Since when.
    pub since: At,
    /// When it was seen last, as far as that was written down.
    pub last: At,
    /// It has not stood there before.
    pub foreign: bool,
    /// A person said that it is right.
    pub approved: bool,
    /// The configuration says so.
    pub told: bool,
    /// How many of the mails that were written down had it.
    pub mails: u32,
    /// Of what is foreign: how many canaries had it, the first of them, and where that lay.
    pub canaries: Option<(u32, CanaryId, Name)>,
    /// Of what is foreign: the inboxes where it stands.
    pub inboxes: Vec<Name>,
    /// The inboxes where mail came since, and it does not stand.
    pub not_in: Vec<Name>,
    /// Of what was added to a mail: how it begins.
    pub words: Option<String>,
}

/// One check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckView {
    /// In the mail of which inbox.
    pub inbox: Name,
    /// What is checked.
    pub method: Method,
    /// It is the receiver's word.
    pub by_receiver: bool,
    /// It is known to hold, and does.
    pub sound: bool,
    /// How often it has held, up to ten.
    pub passed: u32,
    /// Since when it fails, though once may be chance.
    pub failing_since: Option<At>,
    /// It has held, and does not any more since then.
    pub broken_since: Option<At>,
    /// Why, where it does not hold.
    pub why: String,
}

/// Every provider and stream of the plan whose mail was looked at.
pub(super) fn identities(plan: &Plan, state: &State) -> Vec<IdentityView> {
    let watched = |provider: &Name, stream: &Name| plan.routes.iter().any(|r| r.route.provider == *provider && r.route.stream == *stream);
    let all =
        state.identities.iter().flat_map(|(provider, streams)| streams.iter().map(move |(stream, identity)| (provider, stream, identity)));
    all.filter(|(provider, stream, _)| watched(provider, stream))
        .map(|(provider, stream, identity)| shown(plan, provider, stream, identity))
        .collect()
}

fn shown(plan: &Plan, provider: &Name, stream: &Name, identity: &Identity) -> IdentityView {
    let from = plan.senders.get(provider);
    let known = identity.parts.iter().flat_map(|(part, values)| {
        values.iter().map(|(value, seen)| MarkView {
            mark: Mark { part: *part, value: value.clone() },
            since: seen.first,
            last: seen.last,
            foreign: false,
            approved: seen.approved,
            told: *part == Part::From && from == Some(value),
            mails: seen.mails,
            canaries: None,
            inboxes: Vec::new(),
            not_in: Vec::new(),
            words: seen.words.as_ref().map(|added| added.words.clone()),
        })
    });
    let foreign = identity.foreign.iter().map(|f| MarkView {
        mark: f.mark.clone(),
        since: f.since,
        last: f.last,
        foreign: true,
        approved: false,
        told: false,
        mails: f.count,
        canaries: Some((f.count, f.canary, f.inbox.clone())),
        inboxes: f.inboxes().cloned().collect(),
        not_in: f.elsewhere().cloned().collect(),
        words: f.words.as_ref().map(|added| added.words.clone()),
    });
    let checks = identity.checks.iter().flat_map(|(inbox, held)| {
        held.iter().map(|h| CheckView {
            inbox: inbox.clone(),
            method: h.method,
            by_receiver: h.by_receiver,
            sound: h.is_sound(),
            passed: h.passes,
            failing_since: h.since,
            broken_since: h.since.filter(|_| h.is_broken()),
            why: if h.is_sound() { String::new() } else { h.why.clone() },
        })
    });
    IdentityView {
        provider: provider.clone(),
        stream: stream.clone(),
        known: identity.is_known(),
        seen: identity.seen,
        written: identity.written,
        at: identity.at,
        marks: known.chain(foreign).collect(),
        varying: identity
            .parts
            .iter()
            .filter(|(part, values)| identity.is_known() && varies(**part, values))
            .map(|(part, _)| *part)
            .collect(),
        hosts: identity.hosts.iter().map(|(host, last)| (*host, *last)).collect(),
        checks: checks.collect(),
    }
}

/// Mail that is no canary, by inbox and by what it has to do with us. Every inbox of the plan is there, with every word.
pub(super) fn strangers(plan: &Plan, state: &State) -> BTreeMap<(Name, &'static str), u64> {
    let count = |inbox: &Name, word: &'static str| state.strangers.counts.get(inbox).and_then(|c| c.get(word)).copied().unwrap_or_default();
    let words = |inbox: &Name| super::stranger::WORDS.map(|word| ((inbox.clone(), word), count(inbox, word)));
    plan.inboxes.iter().flat_map(words).collect()
}
