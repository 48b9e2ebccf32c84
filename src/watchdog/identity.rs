//! Who the mail of each provider and stream is: learnt from its first canaries, and held against every later one.
//!
//! What stands in a canary's mail and has not stood there before is foreign, until it has been gone for a while, is approved by a person, or
//! turns out to be rotation: another selector of a known domain, another address of a known pool. What differs from mail to mail says nothing.

mod earlier;
mod kinds;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub(super) use kinds::varies;
use kinds::{Values, has_room, kind, varies_like};

use super::Watchdog;
use super::event::Event;
use super::explain::shorten;
use super::index::Index;
use super::plan::Plan;
use super::signature::Held;
use super::state::State;
use super::subjects::is_public;
use crate::model::way::Trail;
use crate::model::{At, CanaryId, Examination, Mark, Name, Part, Placement};

/// So many canaries of a provider and stream teach what its mail looks like; and so many over a route what its receiver makes of it.
const LEARNT: u32 = 10;
/// Values that are kept of one part.
const VALUES: usize = 64;
/// Foreign values that are kept: beyond, each is as bad as the next.
const FOREIGN: usize = 32;
/// Addresses that are kept of one provider and stream: what is asked about them is asked of others.
const HOSTS: usize = 32;
/// Ways to a relay of our own that are kept.
const WAYS: usize = 8;
/// Networks of one part from which on they are a pool, of which one more is no news.
const POOL: usize = 3;
/// A foreign value is gone when so many canaries in a row did not have it.
const GONE: u32 = 10;
/// Fields of a receiver's filter that are kept, and characters of each.
const FILTER: usize = 8;
const FILTER_WORDS: usize = 200;
/// What is known is written down again this often at most, for the page.
const FRESH_MS: u64 = 3_600_000;

/// What the mail of one provider and stream looks like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Canaries that were looked at, up to what it takes to know it.
    pub(super) seen: u32,
    /// Those that were written down: the first, then one an hour at least, and each that says anything new.
    #[serde(default)]
    pub(super) written: u32,
    /// When one was looked at last, as far as it was written down.
    pub(super) at: At,
    /// The same over each of its inboxes.
    inboxes: BTreeMap<Name, u32>,
    /// The same since values have the form that they have now: what an earlier version knew is learnt again in that form.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    taught: BTreeMap<Name, u32>,
    /// What is known.
    pub(super) parts: BTreeMap<Part, BTreeMap<String, Seen>>,
    /// What is not.
    pub(super) foreign: Vec<Foreign>,
    /// How its checks stand at each inbox.
    pub(super) checks: BTreeMap<Name, Vec<Held>>,
    /// What the filter of each inbox wrote down of it.
    #[serde(default)]
    pub(super) filters: BTreeMap<Name, Filtered>,
    /// The public addresses that it came from, and when each was seen last.
    #[serde(default)]
    pub(super) hosts: BTreeMap<IpAddr, At>,
    /// By whose hosts it came, where the relay is our own, and when each way was seen last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ways: BTreeMap<String, At>,
}

/// Since when a value is known, and when it was seen last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) first: At,
    pub(super) last: At,
    /// A person said that it is right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) approved: bool,
    /// How many of the mails that were written down had it.
    #[serde(default)]
    pub(super) mails: u32,
}

/// A value that has not stood there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Foreign {
    pub(super) mark: Mark,
    pub(super) since: At,
    pub(super) last: At,
    /// The first canary that had it, and where that lay.
    pub(super) canary: CanaryId,
    pub(super) inbox: Name,
    /// Canaries that had it, and those in a row since that did not.
    pub(super) count: u32,
    without: u32,
    /// It was new where mail was still learnt anew, as after an update.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    anew: bool,
}

/// When a filter wrote down what.
pub(super) type Said = (At, Vec<String>);

/// What the filter of one inbox wrote down of the newest mail: of what it put into Junk, and of what it did not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Filtered {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) junk: Option<Said>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) other: Option<Said>,
}

impl Filtered {
    /// Of what lies in Junk every new word is worth writing down; of the rest the first ones are, to be held against it.
    fn is_news(known: Option<&Self>, words: &[String], in_junk: bool) -> bool {
        let known = known.and_then(|known| if in_junk { known.junk.as_ref() } else { known.other.as_ref() });
        !words.is_empty() && known.is_none_or(|(_, before)| in_junk && before != words)
    }

    fn take_in(&mut self, words: &[String], in_junk: bool, at: At) {
        let words = words.iter().take(FILTER).map(|words| shorten(words, FILTER_WORDS)).collect();
        *(if in_junk { &mut self.junk } else { &mut self.other }) = Some((at, words));
    }
}

impl Foreign {
    /// Whether it is worth telling: what a receiver makes of a mail once may be chance, and so may be the one host that made its id, and the one
    /// address that an earlier version did not see.
    pub(super) fn is_sure(&self) -> bool {
        let may_be_chance =
            is_of_receiver(self.mark.part) || self.mark.part == Part::MessageId || self.anew && self.mark.part == Part::Address;
        self.count >= if may_be_chance { 2 } else { 1 }
    }
}

/// Whether a part depends on who receives the mail, too.
const fn is_of_receiver(part: Part) -> bool {
    match part {
        Part::Network | Part::Content | Part::Link | Part::List | Part::Header | Part::ReturnPath => true,
        Part::From | Part::Sender | Part::ReplyTo | Part::DkimDomain | Part::DkimSelector | Part::MessageId | Part::Address => false,
    }
}

impl Identity {
    /// Whether enough of its canaries were looked at.
    pub(super) const fn is_known(&self) -> bool {
        self.seen >= LEARNT
    }

    fn knows(&self, mark: &Mark) -> bool {
        let approved = |values: &Values| kind(mark).and_then(|kind| values.get(kind)).is_some_and(|seen| seen.approved);
        let is_one = |values: &Values| values.contains_key(&mark.value) || approved(values) || self.is_known() && varies_like(mark, values);
        self.parts.get(&mark.part).is_some_and(is_one)
    }

    fn is_new_at(&self, inbox: &Name) -> bool {
        self.inboxes.get(inbox).is_none_or(|seen| *seen < LEARNT)
    }

    /// Whether a mark is known, or may be learnt now. `from`: the sender's address as it is configured.
    fn is_own(&self, mark: &Mark, inbox: &Name, from: Option<&str>) -> bool {
        if self.knows(mark) {
            return true;
        }
        if mark.part == Part::From
            && let Some(from) = from
        {
            return mark.value == from;
        }
        // What is foreign elsewhere is no more usual where nothing is usual yet.
        let is_usual_here = || is_of_receiver(mark.part) && self.is_new_at(inbox) && self.foreign.iter().all(|f| f.mark != *mark);
        !self.is_known() || is_usual_here() || self.rotates(mark) || self.is_old(mark, inbox)
    }

    /// Whether a mark is another of a kind that changes by itself.
    fn rotates(&self, mark: &Mark) -> bool {
        match mark.part {
            Part::DkimSelector => {
                let domain = mark.value.split_once("._domainkey.").map(|(_, domain)| domain);
                let known = self.parts.get(&Part::DkimDomain);
                domain.is_some_and(|domain| known.is_some_and(|known| known.contains_key(domain)))
            }
            Part::Network if mark.value.contains('/') => {
                let pool = |values: &BTreeMap<String, Seen>| values.keys().filter(|value| value.contains('/')).count() >= POOL;
                self.parts.get(&Part::Network).is_some_and(pool)
            }
            Part::From
            | Part::Sender
            | Part::ReplyTo
            | Part::ReturnPath
            | Part::DkimDomain
            | Part::MessageId
            | Part::List
            | Part::Header
            | Part::Network
            | Part::Address
            | Part::Link
            | Part::Content => false,
        }
    }

    fn learn(&mut self, mark: &Mark, at: At) {
        let values = self.parts.entry(mark.part).or_default();
        if let Some(seen) = values.get_mut(&mark.value) {
            (seen.last, seen.mails) = (at, seen.mails.saturating_add(1));
        } else if has_room(mark, values) {
            values.insert(mark.value.clone(), Seen { first: at, last: at, approved: false, mails: 1 });
        }
    }

    /// Whether there is anything in this mail that was not known, or that is waited for.
    fn is_news(&self, mail: &Examination, inbox: &Name, in_junk: bool, at: At) -> bool {
        !self.is_known()
            || Filtered::is_news(self.filters.get(inbox), &mail.filter, in_junk)
            || self.is_new_at(inbox)
            || self.is_taught_anew_at(inbox)
            || !self.foreign.is_empty()
            || at.since(self.at).as_ms() >= FRESH_MS
            || mail.marks.iter().any(|mark| !self.knows(mark))
            || mail.way.as_ref().is_some_and(|way| !self.ways.contains_key(way))
            || mail.sender.is_some_and(|host| is_public(host) && !self.hosts.contains_key(&host))
            || Held::is_news(self.checks.get(inbox).map_or(&[], Vec::as_slice), &mail.checks)
    }

    fn take_in(&mut self, mail: &Examination, at: At, (canary, in_junk): (CanaryId, bool), inbox: &Name, from: Option<&str>) {
        if !mail.filter.is_empty() {
            self.filters.entry(inbox.clone()).or_default().take_in(&mail.filter, in_junk, at);
        }
        for mark in &mail.marks {
            if self.is_own(mark, inbox, from) {
                self.learn(mark, at);
                self.foreign.retain(|f| f.mark != *mark);
            } else if let Some(known) = self.foreign.iter_mut().find(|f| f.mark == *mark) {
                (known.last, known.count, known.without) = (at, known.count.saturating_add(1), 0);
            } else if self.foreign.len() < FOREIGN {
                let anew = self.is_taught_anew_at(inbox);
                let (mark, inbox) = (mark.clone(), inbox.clone());
                self.foreign.push(Foreign { mark, since: at, last: at, canary, inbox, count: 1, without: 0, anew });
            }
        }
        for foreign in self.foreign.iter_mut().filter(|f| !mail.marks.contains(&f.mark)) {
            foreign.without += 1;
        }
        self.foreign.retain(|f| f.without < GONE);
        Held::take_in(self.checks.entry(inbox.clone()).or_default(), &mail.checks, at);
        self.come_from(mail.sender, at);
        self.come_by(mail.way.as_ref(), at);
        self.seen = (self.seen + 1).min(LEARNT);
        self.written = self.written.saturating_add(1);
        let of_inbox = self.inboxes.entry(inbox.clone()).or_default();
        *of_inbox = (*of_inbox + 1).min(LEARNT);
        let taught = self.taught.entry(inbox.clone()).or_default();
        *taught = (*taught + 1).min(LEARNT);
        self.at = at;
    }

    /// All that was seen in it, foreign or not.
    fn marks(&self) -> impl Iterator<Item = Mark> {
        let known = self.parts.iter().flat_map(|(part, values)| values.keys().map(|value| Mark { part: *part, value: value.clone() }));
        known.chain(self.foreign.iter().map(|f| f.mark.clone()))
    }

    /// Notes where a mail came from; of more than are kept the one goes that was seen longest ago.
    fn come_from(&mut self, sender: Option<IpAddr>, at: At) {
        let Some(host) = sender.filter(|host| is_public(*host)) else { return };
        self.hosts.insert(host, at);
        if self.hosts.len() > HOSTS
            && let Some(oldest) = self.hosts.iter().min_by_key(|(_, last)| **last).map(|(host, _)| *host)
        {
            self.hosts.remove(&oldest);
        }
    }

    /// The same of the way by which it came.
    fn come_by(&mut self, way: Option<&String>, at: At) {
        let Some(way) = way else { return };
        self.ways.insert(way.clone(), at);
        if self.ways.len() > WAYS
            && let Some(oldest) = self.ways.iter().min_by_key(|(_, last)| **last).map(|(way, _)| way.clone())
        {
            self.ways.remove(&oldest);
        }
    }

    /// What is known to stand in a part, in order; none of what differs from mail to mail.
    pub(super) fn known(&self, part: Part) -> Vec<&str> {
        let steady = |values: &Values, value: &str| !varies_like(&Mark { part, value: value.to_owned() }, values);
        self.parts
            .get(&part)
            .map_or_else(Vec::new, |values| values.keys().map(String::as_str).filter(|value| steady(values, value)).collect())
    }
}

impl Watchdog {
    /// What the mail of each provider has: by that other mail is known to be its, after a restart too.
    pub fn marks(&self) -> impl Iterator<Item = (&Name, Mark)> {
        let of = |streams: &BTreeMap<Name, Identity>| streams.values().flat_map(Identity::marks).collect::<Vec<_>>();
        self.state.identities.iter().flat_map(move |(provider, streams)| of(streams).into_iter().map(move |mark| (provider, mark)))
    }
}

impl Watchdog {
    /// The inboxes whose receiver wrote down what it found of a canary.
    pub fn receivers(&self) -> impl Iterator<Item = &Name> {
        let writes = |(inbox, checks): (_, &Vec<Held>)| checks.iter().any(|check| check.by_receiver).then_some(inbox);
        self.state.identities.values().flat_map(BTreeMap::values).flat_map(move |identity| identity.checks.iter().filter_map(writes))
    }

    /// By which ways the mail of each relay of our own came.
    pub fn ways(&self) -> impl Iterator<Item = (&Name, &str)> {
        let of = |(provider, streams)| streams_ways(streams).map(move |way| (provider, way));
        self.state.identities.iter().flat_map(of)
    }
}

fn streams_ways(streams: &BTreeMap<Name, Identity>) -> impl Iterator<Item = &str> {
    streams.values().flat_map(|identity| identity.ways.keys().map(String::as_str))
}

impl State {
    /// Whether the mail of a canary says anything that is worth writing down.
    pub(super) fn is_news_of_mail(&self, ix: &Index, at: At, canary: CanaryId, mail: &Examination) -> bool {
        let Some((route, canary)) = self.canary(ix, canary) else { return true };
        let (route, in_junk) = (&route.route, canary.placement() == Some(Placement::Junk));
        if self.strangers.is_news_of_account(&route.provider, &route.stream, &mail.account) {
            return true;
        }
        self.identity(&route.provider, &route.stream).is_none_or(|identity| identity.is_news(mail, &route.inbox, in_junk, at))
    }

    /// Takes in what a mail says, or what a person says of it.
    pub(super) fn take_in_mail(&mut self, plan: &Plan, ix: &Index, at: At, event: &Event) {
        if let Event::Examined { canary, mail, inbox } = event {
            self.travel(plan, ix, inbox, *canary, &Trail::of(&mail.hops));
            self.examine(plan, ix, at, *canary, mail);
        }
        if let Event::Strange { inbox, mail } = event {
            self.meet(at, inbox, mail);
        }
        if let Event::Approved { provider, stream, mark, .. } = event {
            self.approve(at, provider, stream, mark);
        }
        if let Event::LookedUp { answers } = event {
            self.look_up(plan, at, answers);
        }
        if let Event::Accepted { subject, .. } = event {
            self.accept(subject);
        }
    }

    /// The mail of a canary was looked at.
    fn examine(&mut self, plan: &Plan, ix: &Index, at: At, canary: CanaryId, mail: &Examination) {
        let Some((route, known)) = self.canary(ix, canary) else { return };
        let (route, in_junk) = (route.route.clone(), known.placement() == Some(Placement::Junk));
        let from = plan.senders.get(&route.provider).map(String::as_str);
        self.strangers.learn_account(at, &route.provider, &route.stream, &mail.account);
        let identity = self.identities.entry(route.provider).or_default().entry(route.stream).or_default();
        identity.take_in(mail, at, (canary, in_junk), &route.inbox, from);
    }

    /// A person says that a value is right, whether it was seen or is to come.
    fn approve(&mut self, at: At, provider: &Name, stream: &Name, mark: &Mark) {
        let identity = self.identities.entry(provider.clone()).or_default().entry(stream.clone()).or_default();
        let values = identity.parts.entry(mark.part).or_default();
        values.entry(mark.value.clone()).and_modify(|seen| seen.approved = true).or_insert(Seen {
            first: at,
            last: at,
            approved: true,
            mails: 0,
        });
        // One value may stand for many: a domain for its addresses and its selectors.
        let foreign = std::mem::take(&mut identity.foreign);
        identity.foreign = foreign.into_iter().filter(|f| !identity.knows(&f.mark) && !identity.rotates(&f.mark)).collect();
    }

    pub(super) fn identity(&self, provider: &Name, stream: &Name) -> Option<&Identity> {
        self.identities.get(provider)?.get(stream)
    }
}
