//! What is asked of the DNS: of our domains, of what the mail of each provider shows, and of the inboxes; and whose it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::identity::{Identity, Seen};
use super::plan::Plan;
use super::state::State;
use crate::config::{NameServer, Provider, Settings};
use crate::model::{Answer, At, Culprit, Name, Part, Severity, Span, Subject, Topic, is_for_everybody};

/// Questions at most, the most telling first: an installation has some dozens.
const MOST: usize = 512;
/// A selector or an address is in use for so long after it was last seen, by the mail that was looked at since.
const IN_USE: Span = Span::from_secs(24 * 3600);
/// A selector is being replaced when another of its domain was seen so much later.
const REPLACED: Span = Span::from_secs(6 * 3600);

/// What the settings say of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Zones {
    asks: bool,
    /// Domains that are ours, each with the providers that send in its name.
    own: BTreeMap<String, BTreeSet<Name>>,
    /// Keys that the configuration names, by provider.
    keys: BTreeMap<Name, BTreeSet<String>>,
    inboxes: BTreeMap<String, BTreeSet<Name>>,
    /// Blocklists: whether each lists domains, and how loud a listing is.
    lists: BTreeMap<Name, (bool, Severity)>,
}

/// Who has to do with a subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stake {
    /// Those whose mail depends on it.
    pub(super) providers: BTreeSet<Name>,
    pub(super) inboxes: BTreeSet<Name>,
    /// It is of a domain of ours: whatever changes there is our business.
    pub(super) ours: bool,
    /// Mail does not need it any more, or hardly.
    pub(super) fading: bool,
    /// How loud it is to be listed.
    pub(super) severity: Option<Severity>,
    /// The addresses that mail was seen to come from with this domain in its Return-Path, and whose mail that is.
    pub(super) hosts: BTreeMap<IpAddr, BTreeSet<Name>>,
}

impl Stake {
    /// Whose a failure is: of what everything depends on, or nothing yet, nobody's alone.
    pub(super) fn culprit(&self, plan: &Plan) -> Culprit {
        let all = self.providers.len() > 1 && plan.providers.iter().all(|p| self.providers.contains(p));
        match (self.providers.first(), self.inboxes.first()) {
            (Some(provider), _) if !all => Culprit::Provider(provider.clone()),
            (None, Some(inbox)) => Culprit::Inbox(inbox.clone()),
            (Some(_), _) | (None, None) => Culprit::Watcher {},
        }
    }

    /// Who has to do with a change. Where all that matters is that some hosts may not send any more, those whose mail comes from there.
    pub(super) fn of_change(mut self, before: &Answer, after: &Answer) -> Self {
        let lost: BTreeSet<Name> = before.lost(after).filter_map(|host| self.hosts.get(&host)).flatten().cloned().collect();
        if !lost.is_empty() && after.grade >= before.grade {
            self.providers = lost;
        }
        self
    }
}

impl Zones {
    pub(super) fn of(settings: &Settings) -> Self {
        let used = |name: &Name| settings.routes.iter().any(|route| route.provider == *name);
        // At a public mailbox's domain only the address is ours, and its records are somebody else's.
        let is_own = |provider: &Provider| !is_for_everybody(provider.from.domain());
        let senders = || settings.providers.iter().filter(|(name, provider)| used(name) && is_own(provider));
        let domain = |provider: &Provider| provider.from.domain().to_ascii_lowercase();
        let mut own: BTreeMap<String, BTreeSet<Name>> = settings.watch.domains.iter().map(|d| (d.clone(), BTreeSet::new())).collect();
        own.retain(|domain, _| !is_for_everybody(domain));
        let mut keys: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
        for (name, provider) in senders() {
            own.entry(domain(provider)).or_default().insert(name.clone());
            let named = provider.dkim_selectors.iter().map(|selector| format!("{selector}._domainkey.{}", domain(provider)));
            keys.entry(name.clone()).or_default().extend(named);
        }
        let mut inboxes: BTreeMap<String, BTreeSet<Name>> = BTreeMap::new();
        for route in &settings.routes {
            if let Some(inbox) = settings.inboxes.get(&route.inbox) {
                inboxes.entry(inbox.domain().to_ascii_lowercase()).or_default().insert(route.inbox.clone());
            }
        }
        let lists = settings.blocklists.iter().map(|(name, list)| (name.clone(), (list.domains, list.severity))).collect();
        Self { asks: settings.records.watched && settings.name_server != NameServer::Off, own, keys, inboxes, lists }
    }

    /// Whether a domain is one of ours, or of the same organisation.
    fn is_ours(&self, domain: &str) -> bool {
        let under = |own: &String| domain.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let organisation = psl::domain_str(domain);
        self.own.keys().any(|own| under(own) || (organisation.is_some() && organisation == psl::domain_str(own)))
    }
}

/// All that is asked, each with whose it is.
pub(super) fn subjects(plan: &Plan, state: &State) -> BTreeMap<Subject, Stake> {
    let mut all = Asked { zones: &plan.zones, all: BTreeMap::new() };
    if !plan.zones.asks {
        return all.all;
    }
    for (provider, names) in &plan.zones.keys {
        names.iter().for_each(|name| all.add(Topic::Dkim, name, |stake| stake.fading = !state.signs_with(provider, name), Some(provider)));
    }
    let mine = || state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider));
    for (provider, identity) in mine().flat_map(|(provider, streams)| streams.values().map(move |identity| (provider, identity))) {
        for (name, fading) in selectors(identity) {
            all.add(Topic::Dkim, name, |stake| stake.fading &= fading, Some(provider));
        }
    }
    for (domain, providers) in &plan.zones.own {
        for topic in [Topic::Spf, Topic::Dmarc, Topic::MtaSts, Topic::TlsRpt, Topic::Dnssec] {
            all.add(topic, domain, |stake| stake.providers.extend(providers.iter().cloned()), None);
        }
    }
    for (domain, inboxes) in &plan.zones.inboxes {
        for topic in [Topic::Mx, Topic::MtaSts] {
            all.add(topic, domain, |stake| stake.inboxes.extend(inboxes.iter().cloned()), None);
        }
    }
    for (provider, identity) in mine().flat_map(|(provider, streams)| streams.values().map(move |identity| (provider, identity))) {
        let sends = |stake: &mut Stake| hosts(identity).for_each(|host| _ = stake.hosts.entry(host).or_default().insert(provider.clone()));
        identity.known(Part::ReturnPath).into_iter().for_each(|domain| all.add(Topic::Spf, domain, sends, Some(provider)));
        for address in hosts(identity) {
            all.add(Topic::Reverse, &address.to_string(), |_| {}, Some(provider));
        }
    }
    listings(plan, state, &mut all);
    all.all
}

/// The questions to blocklists: each address that mail came from, and each domain of ours.
fn listings(plan: &Plan, state: &State, all: &mut Asked<'_>) {
    for (list, (domains, severity)) in &plan.zones.lists {
        if *domains {
            for (domain, providers) in &plan.zones.own {
                all.insert(Subject::listed(domain, list), |stake| {
                    stake.providers.extend(providers.iter().cloned());
                    stake.severity = Some(*severity);
                });
            }
            continue;
        }
        for (provider, streams) in state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider)) {
            for address in streams.values().flat_map(hosts) {
                all.insert(Subject::listed(&address.to_string(), list), |stake| {
                    stake.providers.insert(provider.clone());
                    stake.severity = Some(*severity);
                });
            }
        }
    }
}

struct Asked<'p> {
    zones: &'p Zones,
    all: BTreeMap<Subject, Stake>,
}

impl Asked<'_> {
    fn add(&mut self, topic: Topic, name: &str, more: impl FnOnce(&mut Stake), provider: Option<&Name>) {
        self.insert(Subject::new(topic, name), |stake| {
            more(stake);
            stake.providers.extend(provider.cloned());
        });
    }

    fn insert(&mut self, subject: Option<Subject>, more: impl FnOnce(&mut Stake)) {
        let Some(subject) = subject else { return };
        if self.all.len() >= MOST && !self.all.contains_key(&subject) {
            return;
        }
        let ours = self.zones.is_ours(subject.domain());
        let stake = self.all.entry(subject).or_insert_with(|| Stake { ours, fading: true, ..Stake::default() });
        more(stake);
    }
}

/// The keys that mail was signed with lately, and whether each is being replaced by another.
fn selectors(identity: &Identity) -> impl Iterator<Item = (&str, bool)> {
    let known = identity.known(Part::DkimSelector);
    let seen: Vec<(&str, &Seen)> = identity
        .parts
        .get(&Part::DkimSelector)
        .into_iter()
        .flatten()
        .map(|(name, seen)| (name.as_str(), seen))
        .filter(|(name, seen)| known.contains(name) && identity.at.since(seen.last) <= IN_USE)
        .collect();
    let domain = |name: &str| name.split_once("._domainkey.").map_or_else(String::new, |(_, domain)| domain.to_owned());
    let newest = |of: &str| seen.iter().filter(|(name, _)| domain(name) == domain(of)).map(|(_, seen)| seen.last).max().unwrap_or_default();
    let all: Vec<(&str, bool)> = seen.iter().map(|(name, seen)| (*name, newest(name).since(seen.last) >= REPLACED)).collect();
    all.into_iter()
}

/// The addresses that mail came from lately.
fn hosts(identity: &Identity) -> impl Iterator<Item = IpAddr> {
    let lately = |(address, last): (&IpAddr, &At)| (identity.at.since(*last) <= IN_USE).then_some(*address);
    identity.hosts.iter().filter_map(lately)
}

impl State {
    /// Whether a provider's mail is signed with this key, as far as its mail is known.
    fn signs_with(&self, provider: &Name, key: &str) -> bool {
        let mut of_domain = false;
        let domain = key.split_once("._domainkey.").map(|(_, domain)| domain);
        for identity in self.identities.get(provider).into_iter().flat_map(BTreeMap::values).filter(|identity| identity.is_known()) {
            for (name, fading) in selectors(identity) {
                if name == key && !fading {
                    return true;
                }
                of_domain |= name.split_once("._domainkey.").map(|(_, domain)| domain) == domain;
            }
        }
        !of_domain
    }
}

/// Whether an address is one that the world can see: of others there is nothing to ask.
pub(super) const fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && b & 0xc0 == 64;
            !(a == 0 || a >= 224 || shared || v4.is_private() || v4.is_loopback() || v4.is_link_local())
        }
        // 2000::/3 is what has been given out (RFC 4291).
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}
