//! What the DNS says, and what a person says of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::people::{BY, SEEN};
use super::words::{Grade, Severity, Topic};
use super::{Name, Time};
use crate::model;
use crate::watchdog::{SubjectView, View};

/// Characters of a subject.
const SUBJECT: usize = 330;
/// And how it is written: `Subject` knows its topics.
const SUBJECT_IS: &str = "^(?:(?:spf|dkim|dmarc|mx|reverse|mta_sts|tls_rpt|dnssec) [!-~]{0,252}[!-\\-/-~]|listed [!-~]{0,252}[!-\\-/-~] [a-z0-9][a-z0-9._-]{0,63})$";

/// Everything that is asked of the DNS.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Dns {
    as_of: Time,
    /// Since when no name server has answered at all, and why. That is the watcher's.
    unanswered: Option<Silence>,
    records: Vec<Record>,
}

/// Why there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Unanswered")]
struct Silence {
    since: Time,
    why: String,
}

/// One thing that is asked about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DnsRecord")]
struct Record {
    /// What it is and of what, as `mailcanary dns approve` takes it: `spf example.com`.
    subject: String,
    topic: Topic,
    /// A domain, the name of a key, or an address.
    name: String,
    /// The blocklist that is asked.
    list: Option<Name>,
    /// How good it is; none before the first answer. Of a listing `broken` is listed.
    grade: Option<Grade>,
    /// What stands there, in one way of writing it; empty where nothing does.
    value: Option<String>,
    notes: Vec<String>,
    /// Look-ups that an SPF record costs a receiver at most; more than 10 are an error.
    lookups: Option<u32>,
    /// The records that an SPF record includes or redirects to, the first 16.
    includes: Vec<Include>,
    /// Addresses that mail with this domain in its Return-Path was seen to come from, and whether the SPF record lets each pass.
    addresses: Vec<Address>,
    /// What stood there before, if it has changed and nobody has approved that.
    before: Option<String>,
    before_grade: Option<Grade>,
    changed_at: Option<Time>,
    /// How loud the change is.
    severity: Option<Severity>,
    /// When it was answered last, as far as that was written down.
    answered_at: Option<Time>,
    unanswered: Option<Silence>,
    /// The blocklist does not answer this resolver.
    refused: bool,
    /// It is of a domain of yours.
    ours: bool,
    providers: Vec<Name>,
    inboxes: Vec<Name>,
    /// The newest changes, oldest first.
    changes: Vec<Changed>,
}

/// A record that another includes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IncludedRecord")]
struct Include {
    domain: String,
    /// Empty where there is none.
    value: String,
    /// What stood there before, if the record that includes it has changed by it.
    before: Option<String>,
}

/// An address that sends.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CoveredAddress")]
struct Address {
    address: String,
    passes: bool,
    /// It did before.
    passed: Option<bool>,
}

/// One change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DnsChange")]
struct Changed {
    at: Time,
    before: String,
    after: String,
}

/// What stands in the DNS is right.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Accepted {
    /// Of which subject.
    #[schemars(length(min = 1, max = SUBJECT), regex(pattern = SUBJECT_IS), example = &"dkim s1._domainkey.example.com")]
    pub(in crate::edge::show) subject: String,
    /// Who says so.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
}

impl Dns {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self {
            as_of: view.at.into(),
            unanswered: view.dns.mute.as_ref().map(silence),
            records: view.dns.subjects.iter().map(Record::from).collect(),
        }
    }
}

fn silence((since, why): &(model::At, String)) -> Silence {
    Silence { since: (*since).into(), why: why.clone() }
}

/// What a record includes, with what it was before.
fn includes(answer: &model::Answer, before: Option<&model::Answer>) -> Vec<Include> {
    let changed = before.map_or_else(Vec::new, |before| before.changed_inside(answer));
    let was = |of: &str| changed.iter().find(|(domain, ..)| *domain == of).map(|(_, before, _)| (*before).to_owned());
    let gone = changed.iter().filter(|(domain, ..)| !answer.includes.contains_key(*domain));
    let gone =
        gone.map(|(domain, before, _)| Include { domain: (*domain).to_owned(), value: String::new(), before: Some((*before).to_owned()) });
    let there = answer.includes.iter().map(|(domain, text)| Include { domain: domain.clone(), value: text.clone(), before: was(domain) });
    there.chain(gone).collect()
}

fn addresses(answer: &model::Answer, before: Option<&model::Answer>) -> Vec<Address> {
    let one = |(host, passes): (&std::net::IpAddr, &bool)| Address {
        address: host.to_string(),
        passes: *passes,
        passed: before.and_then(|before| before.hosts.get(host).copied()),
    };
    answer.hosts.iter().map(one).collect()
}

impl From<&SubjectView> for Record {
    fn from(view: &SubjectView) -> Self {
        let answer = view.answer.as_ref();
        Self {
            subject: view.subject.to_string(),
            topic: view.subject.topic.into(),
            name: view.subject.name.clone(),
            list: view.subject.list.as_ref().map(Name::from),
            grade: answer.map(|a| a.grade.into()),
            value: answer.map(|a| a.text.clone()),
            notes: answer.map_or_else(Vec::new, |a| a.notes.clone()),
            lookups: answer.and_then(|a| a.lookups),
            includes: answer.map_or_else(Vec::new, |a| includes(a, view.before.as_ref())),
            addresses: answer.map_or_else(Vec::new, |a| addresses(a, view.before.as_ref())),
            before: view.before.as_ref().map(|a| a.text.clone()),
            before_grade: view.before.as_ref().map(|a| a.grade.into()),
            changed_at: view.since.map(Time::from),
            severity: view.severity.map(Severity::from),
            answered_at: view.at.map(Time::from),
            unanswered: view.unanswered.as_ref().map(silence),
            refused: view.refused,
            ours: view.ours,
            providers: view.providers.iter().map(Name::from).collect(),
            inboxes: view.inboxes.iter().map(Name::from).collect(),
            changes: view.changes.iter().map(|(at, before, after)| changed(*at, before, after)).collect(),
        }
    }
}

fn changed(at: model::At, before: &str, after: &str) -> Changed {
    Changed { at: at.into(), before: before.to_owned(), after: after.to_owned() }
}
