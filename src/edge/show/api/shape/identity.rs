//! What the mail of a provider and stream looks like, and what a person says of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canary::Id;
use super::people::{BY, SEEN};
use super::words::{Method, Part};
use super::{Name, Time};
use crate::watchdog::{CheckView, IdentityView, MarkView, View};

/// Characters of a value.
pub(in crate::edge::show::api) const VALUE: usize = 253;

/// Of every provider and stream whose mail was looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Identities {
    as_of: Time,
    identities: Vec<Identity>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Identity {
    provider: Name,
    stream: Name,
    /// Enough of its canaries were looked at: what is new now is foreign.
    known: bool,
    /// When one was looked at last, as far as that said anything new.
    looked_at: Time,
    /// Mails that were written down: the first, then one an hour at least, and each that says anything new.
    written: u32,
    values: Vec<Value>,
    /// Parts in which whose hosts and addresses stand differs from mail to mail: another's is not foreign there.
    varying: Vec<Part>,
    /// Public ones alone.
    addresses: Vec<Host>,
    checks: Vec<Check>,
}

/// One value that stands in its mail.
#[derive(Debug, Serialize, JsonSchema)]
struct Value {
    part: Part,
    value: String,
    since: Time,
    last: Time,
    /// It has not stood there before.
    foreign: bool,
    /// A person said that it is right.
    approved: bool,
    /// The configuration says so.
    configured: bool,
    /// How many of the mails that were written down had it.
    mails: u32,
    /// Of what is foreign: how many canaries had it, and the first of them.
    canaries: Option<u32>,
    first_canary: Option<Id>,
    /// Of what is foreign: the inboxes where it stands, and those where mail came since and it does not. The first 64.
    inboxes: Vec<Name>,
    not_in: Vec<Name>,
    /// Of what was added to a mail: how it begins, in its own words.
    words: Option<String>,
}

/// An address that its mail came from, by the receiver's own word.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SendingAddress")]
struct Host {
    address: String,
    last: Time,
}

/// One check of its mail.
#[derive(Debug, Serialize, JsonSchema)]
struct Check {
    inbox: Name,
    method: Method,
    /// It is the receiver's word, and not ours.
    by_receiver: bool,
    /// It is known to hold, and does.
    sound: bool,
    /// How often it has held, up to ten.
    passed: u32,
    /// Since when it fails, though once may be chance.
    failing_since: Option<Time>,
    /// It has held, and does not any more since then.
    broken_since: Option<Time>,
    /// Why it does not hold.
    why: String,
}

/// A value that is right.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Right {
    /// In whose mail.
    pub(in crate::edge::show) provider: Name,
    /// Of which stream.
    pub(in crate::edge::show) stream: Name,
    /// Where.
    pub(in crate::edge::show) part: Part,
    /// What.
    #[schemars(length(min = 1, max = VALUE), regex(pattern = SEEN), example = &"help@example.com")]
    pub(in crate::edge::show) value: String,
    /// Who says so.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
}

/// Mail that is to be learnt anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Anew {
    /// Whose.
    pub(in crate::edge::show) provider: Name,
    /// Of which stream.
    pub(in crate::edge::show) stream: Name,
    /// Who says so.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
}

impl Identities {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self { as_of: view.at.into(), identities: view.identities.iter().map(Identity::from).collect() }
    }
}

impl From<&IdentityView> for Identity {
    fn from(view: &IdentityView) -> Self {
        Self {
            provider: Name::from(&view.provider),
            stream: Name::from(&view.stream),
            known: view.known,
            looked_at: view.at.into(),
            written: view.written,
            values: view.marks.iter().map(Value::from).collect(),
            varying: view.varying.iter().map(|part| (*part).into()).collect(),
            addresses: view.hosts.iter().map(|(host, last)| Host { address: host.to_string(), last: (*last).into() }).collect(),
            checks: view.checks.iter().map(Check::from).collect(),
        }
    }
}

impl From<&MarkView> for Value {
    fn from(view: &MarkView) -> Self {
        let MarkView { mark, since, last, foreign, approved, told, mails, canaries, inboxes, not_in, words } = view;
        Self {
            part: mark.part.into(),
            value: mark.value.clone(),
            since: (*since).into(),
            last: (*last).into(),
            foreign: *foreign,
            approved: *approved,
            configured: *told,
            mails: *mails,
            canaries: canaries.as_ref().map(|(canaries, ..)| *canaries),
            first_canary: canaries.as_ref().map(|(_, first, _)| Id(*first)),
            inboxes: inboxes.iter().map(Name::from).collect(),
            not_in: not_in.iter().map(Name::from).collect(),
            words: words.clone(),
        }
    }
}

impl From<&CheckView> for Check {
    fn from(view: &CheckView) -> Self {
        Self {
            inbox: Name::from(&view.inbox),
            method: view.method.into(),
            by_receiver: view.by_receiver,
            sound: view.sound,
            passed: view.passed,
            failing_since: view.failing_since.map(Time::from),
            broken_since: view.broken_since.map(Time::from),
            why: view.why.clone(),
        }
    }
}
