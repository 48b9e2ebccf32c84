//! Who the mail of each provider and stream is: learnt from its first canaries, and held against every later one.
//!
//! What stands in a canary's mail and has not stood there before is foreign, until it has been gone for a while, is approved by a person, or
//! turns out to be rotation: another host of a known organisation, another selector of a known domain, another address of a known pool. What
//! differs from mail to mail within one organisation says nothing, and hides no other.

mod earlier;
mod foreign;
mod kinds;
mod person;
mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use foreign::{All, Look, akin_before};
pub(super) use foreign::{Foreign, is_of_receiver};
use kinds::{Values, has_room, is_same, is_sibling, sender, varies_like};
pub(super) use kinds::{group, sender_in, varies};
use person::stands_for;
pub(super) use receiver::{Filtered, Said};

use super::event::Event;
use super::index::Index;
use super::plan::Plan;
use super::signature::Held;
use super::state::State;
use super::subjects::is_public;
use crate::model::way::Trail;
use crate::model::{Added, At, CanaryId, Examination, Finding, Mark, Method, Name, Part, Placement};

/// So many canaries of a provider and stream teach what its mail looks like; and so many over a route what its receiver makes of it.
const LEARNT: u32 = 10;
/// Values that are kept of one part.
const VALUES: usize = 64;
/// Networks of one part from which on they are a pool, of which one more is no news.
const POOL: usize = 3;
/// So many values of one kind of content came and went: the next one will, too.
const PASSED: usize = 3;
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
    /// What was not, and is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gone: Vec<Foreign>,
    /// When mail at each inbox was looked at last, as far as it was written down.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    looked: BTreeMap<Name, At>,
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
    /// Of what was added to a mail: how it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) words: Option<Added>,
}

/// What the configuration says of a provider's mail.
#[derive(Clone, Copy, Debug)]
struct Told<'t> {
    /// The sender's address.
    from: Option<&'t str>,
    /// The provider's kind, which may be known by its hosts.
    kind: Option<&'static str>,
}

impl Identity {
    /// Whether enough of its canaries were looked at.
    pub(super) const fn is_known(&self) -> bool {
        self.seen >= LEARNT
    }

    fn knows(&self, mark: &Mark) -> bool {
        let varies = |values: &Values| self.is_known() && (is_sibling(mark, values) || varies_like(mark, values));
        let is_one = |values: &Values| values.contains_key(&mark.value) || stands_for(values, mark) || varies(values);
        self.parts.get(&mark.part).is_some_and(is_one)
    }

    /// Names in what was added to a mail that nothing added before had, as far as it is known which those had. Words may rotate, names may not.
    fn strange_names(&self, mark: &Mark, words: Option<&Added>) -> BTreeSet<String> {
        let Some(added) = words.filter(|added| mark.part == Part::Content && !added.names.is_empty()) else { return BTreeSet::new() };
        let of = group(mark.part, &mark.value);
        let values = self.parts.get(&mark.part).into_iter().flatten();
        let before: Vec<Option<&Added>> =
            values.filter(|(value, _)| group(mark.part, value) == of).map(|(_, seen)| seen.words.as_ref()).collect();
        let stood = |name: &String| before.iter().any(|added| added.is_none_or(|added| added.names.contains(name)));
        added.names.iter().filter(|name| !before.is_empty() && !stood(name)).cloned().collect()
    }

    fn is_new_at(&self, inbox: &Name) -> bool {
        self.inboxes.get(inbox).is_none_or(|seen| *seen < LEARNT)
    }

    /// Whether a mark is known, or may be learnt now.
    fn is_own(&self, mark: &Mark, inbox: &Name, told: Told<'_>) -> bool {
        if self.knows(mark) {
            return true;
        }
        if mark.part == Part::From
            && let Some(from) = told.from
        {
            return mark.value == from;
        }
        // What is foreign elsewhere is no more usual where nothing is usual yet.
        let is_usual_here = || is_of_receiver(mark.part) && self.is_new_at(inbox) && self.foreign.iter().all(|f| !is_same(&f.mark, mark));
        let is_of_kind = || told.kind.is_some() && sender(mark) == told.kind;
        !self.is_known() || is_usual_here() || self.rotates(mark) || is_of_kind() || self.is_old(mark, inbox)
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
            Part::Content => {
                let before = self
                    .parts
                    .get(&mark.part)
                    .is_some_and(|values| values.keys().any(|known| group(mark.part, known) == group(mark.part, &mark.value)));
                before && akin_before(&self.gone, mark) >= PASSED
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
            | Part::Link => false,
        }
    }

    fn learn(&mut self, mark: &Mark, words: Option<&Added>, at: At) {
        let values = self.parts.entry(mark.part).or_default();
        if let Some(seen) = values.get_mut(&mark.value) {
            (seen.last, seen.mails) = (at, seen.mails.saturating_add(1));
            seen.words = words.cloned().or_else(|| seen.words.take());
        } else if has_room(mark, values) {
            values.insert(mark.value.clone(), Seen { first: at, last: at, approved: false, mails: 1, words: words.cloned() });
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
            || mail.marks.iter().any(|mark| !self.knows(mark) || !self.strange_names(mark, mail.added.get(&mark.value)).is_empty())
            || mail.way.as_ref().is_some_and(|way| !self.ways.contains_key(way))
            || mail.sender.is_some_and(|host| is_public(host) && !self.hosts.contains_key(&host))
            || Held::is_news(self.checks.get(inbox).map_or(&[], Vec::as_slice), &mail.checks)
    }

    fn take_in(&mut self, mail: &Examination, at: At, (canary, in_junk): (CanaryId, bool), inbox: &Name, told: Told<'_>) {
        if !mail.filter.is_empty() {
            self.filters.entry(inbox.clone()).or_default().take_in(&mail.filter, in_junk, at);
        }
        let forbidden = mail.checks.iter().any(|check| check.method == Method::Spf && check.finding == Finding::Fail);
        let look = Look { at, canary, inbox, anew: self.is_taught_anew_at(inbox), forbidden };
        for mark in &mail.marks {
            let words = mail.added.get(&mark.value).filter(|_| mark.part == Part::Content);
            let is_learning = !self.is_known() || self.is_new_at(inbox);
            let strange = if is_learning { BTreeSet::new() } else { self.strange_names(mark, words) };
            let is_own = strange.is_empty() && self.is_own(mark, inbox, told);
            if is_own || (All { now: &mut self.foreign, gone: &mut self.gone }).meet(mark, words, &strange, &look) {
                self.learn(mark, words, at);
                self.foreign.retain(|f| f.mark != *mark);
            }
        }
        All { now: &mut self.foreign, gone: &mut self.gone }.miss(&look);
        Held::take_in(self.checks.entry(inbox.clone()).or_default(), &mail.checks, at);
        self.come_from(mail.sender, at);
        self.come_by(mail.way.as_ref(), at);
        self.seen = (self.seen + 1).min(LEARNT);
        self.written = self.written.saturating_add(1);
        let of_inbox = self.inboxes.entry(inbox.clone()).or_default();
        *of_inbox = (*of_inbox + 1).min(LEARNT);
        let taught = self.taught.entry(inbox.clone()).or_default();
        *taught = (*taught + 1).min(LEARNT);
        self.looked.insert(inbox.clone(), at);
        self.at = at;
    }

    /// Whether it has to be known of other mail at an inbox whether something stands there that is foreign in this.
    fn asks(&self, other: &Self, inbox: &Name) -> bool {
        self.foreign.iter().any(|f| !other.was_looked_at(inbox, f.since) && f.inboxes().any(|at| at == inbox))
    }

    /// All that was seen in it, foreign or not.
    fn marks(&self) -> impl Iterator<Item = Mark> {
        let known = self.parts.iter().flat_map(|(part, values)| values.keys().map(|value| Mark { part: *part, value: value.clone() }));
        known.chain(self.foreign.iter().map(|f| f.mark.clone()))
    }

    /// What is known to stand in a part, in order; none of what differs from mail to mail.
    pub(super) fn known(&self, part: Part) -> Vec<&str> {
        let steady = |values: &Values, value: &str| !varies_like(&Mark { part, value: value.to_owned() }, values);
        self.parts
            .get(&part)
            .map_or_else(Vec::new, |values| values.keys().map(String::as_str).filter(|value| steady(values, value)).collect())
    }

    /// The same in words: of what differs from mail to mail whose it is, and of what was added how it begins.
    pub(super) fn known_words(&self, part: Part) -> Vec<String> {
        let Some(values) = self.parts.get(&part) else { return Vec::new() };
        let mut said: Vec<String> = Vec::new();
        for (value, seen) in values {
            let whose = || value.rsplit_once('@').map_or_else(|| format!("*.{}", group(part, value)), |(_, domain)| format!("*@{domain}"));
            let is_steady = !varies_like(&Mark { part, value: value.clone() }, values);
            let word = match (&seen.words, is_steady) {
                (Some(added), _) => worded(value, &added.words),
                (None, true) => value.clone(),
                (None, false) if part == Part::Content || !group(part, value).contains('.') => group(part, value).to_owned(),
                (None, false) => whose(),
            };
            if !said.contains(&word) {
                said.push(word);
            }
        }
        said
    }

    /// Whether mail at an inbox was looked at since then.
    pub(super) fn was_looked_at(&self, inbox: &Name, since: At) -> bool {
        self.looked.get(inbox).is_some_and(|at| *at >= since)
    }

    /// Whether values of this part and group are known that were added to mail, and together have all these names.
    pub(super) fn has_named(&self, part: Part, of: &str, names: &BTreeSet<String>) -> bool {
        let alike = |value: &str| group(part, value) == of;
        let known = || self.parts.get(&part).into_iter().flatten().filter(|(value, _)| alike(value)).map(|(_, seen)| seen);
        let stood = |name: &String| known().any(|seen| seen.words.as_ref().is_some_and(|added| added.names.contains(name)));
        known().next().is_some() && names.iter().all(stood)
    }

    /// Whether a mark of this part and group is known.
    pub(super) fn knows_group(&self, part: Part, of: &str) -> bool {
        self.parts.get(&part).is_some_and(|values| values.keys().any(|value| group(part, value) == of))
    }
}

/// A value, and how that begins which it stands for.
pub(super) fn worded(value: &str, words: &str) -> String {
    format!("{value}: {words}")
}

impl super::Watchdog {
    /// What the mail of each provider has: by that other mail is known to be its, after a restart too.
    pub fn marks(&self) -> impl Iterator<Item = (&Name, Mark)> {
        let of = |streams: &BTreeMap<Name, Identity>| streams.values().flat_map(Identity::marks).collect::<Vec<_>>();
        self.state.identities.iter().flat_map(move |(provider, streams)| of(streams).into_iter().map(move |mark| (provider, mark)))
    }
}

impl State {
    /// Whether the mail of a canary says anything that is worth writing down.
    pub(super) fn is_news_of_mail(&self, ix: &Index, at: At, canary: CanaryId, mail: &Examination) -> bool {
        let Some((route, canary)) = self.canary(ix, canary) else { return true };
        let (route, in_junk) = (&route.route, canary.placement() == Some(Placement::Junk));
        if self.strangers.is_news_of_account(&route.provider, &route.stream, &mail.account) {
            return true;
        }
        let is_asked =
            |identity: &Identity| self.identities.values().flat_map(BTreeMap::values).any(|other| other.asks(identity, &route.inbox));
        let is_news = |identity: &Identity| identity.is_news(mail, &route.inbox, in_junk, at) || is_asked(identity);
        self.identity(&route.provider, &route.stream).is_none_or(is_news)
    }

    /// Takes in what a mail says, or what a person says of it.
    pub(super) fn take_in_mail(&mut self, plan: &Plan, ix: &mut Index, at: At, event: &Event) {
        ix.mail = true;
        if let Event::Examined { canary, mail, inbox } = event {
            self.travel(plan, ix, inbox, *canary, &Trail::of(&mail.hops));
            self.examine(plan, ix, at, *canary, mail);
        }
        if let Event::Strange { inbox, mail } = event {
            self.meet(plan, at, inbox, mail);
        }
        if let Event::Approved { provider, stream, mark, .. } = event {
            self.approve(at, provider, stream, mark);
        }
        if let Event::Unlearnt { provider, stream, mark, .. } = event {
            self.unlearn(provider, stream, mark.as_ref());
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
        let told = Told { from, kind: plan.kinds.get(&route.provider).copied() };
        let identity = self.identities.entry(route.provider).or_default().entry(route.stream).or_default();
        identity.take_in(mail, at, (canary, in_junk), &route.inbox, told);
    }

    pub(super) fn identity(&self, provider: &Name, stream: &Name) -> Option<&Identity> {
        self.identities.get(provider)?.get(stream)
    }
}
