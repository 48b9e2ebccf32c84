//! Mail that is no canary: what it has to do with us.

use std::collections::{BTreeMap, BTreeSet};

use super::body::Body;
use super::head::{Head, Receiver};
use super::names::{host, organisation, without_tag};
use super::relay::Relays;
use super::{account, marks, results};
use crate::canary::MAX_SCANNED;
use crate::config::{ExpectedMail, Honeytoken, Inbox, Settings, hosts_of, kind_of};
use crate::model::{At, Check, Claim, Finding, Mark, Method, Name, Part, Placement, Stranger, is_for_everybody, registrable};

/// Characters of a subject that are kept.
const SUBJECT: usize = 200;
/// Marks of one provider that are remembered.
const KNOWN: usize = 64;
/// Marks that are told of one mail that may come, and of one in our name: of that the header's come first.
const TOLD: usize = 48;
const NAMED: usize = 16;
/// The same of its author, as far as that is we.
const OURS: usize = 8;
/// Hosts to which mail for one domain goes.
const EXCHANGERS: usize = 8;
/// Providers that one mail may have come through.
const VIA: usize = 16;

/// What is known of us: our domains, our providers, and what may come.
#[derive(Debug)]
pub struct Ours {
    domains: BTreeSet<String>,
    /// Addresses of ours at domains that are everybody's.
    addresses: BTreeSet<String>,
    providers: BTreeMap<Name, Sender>,
    relays: Relays,
    /// Inboxes whose receiver wrote down what it found of a canary.
    checked: BTreeSet<Name>,
    /// To which hosts mail for the domains of inboxes goes.
    exchangers: BTreeMap<String, Vec<String>>,
    settings: std::sync::Arc<Settings>,
}

/// What is known of a provider's mail besides what the whole world can write in it.
#[derive(Debug, Default)]
struct Sender {
    /// Whose hosts and signatures its kind is known by.
    kind: &'static [&'static str],
    /// What its canaries had.
    seen: BTreeSet<Mark>,
}

/// What a mail has to do with us.
struct Weighed<'s> {
    claim: Claim,
    /// The honeytoken that it came to.
    to: Option<String>,
    /// It is in no name of ours although it came through our own relay.
    nameless: bool,
    /// What allows it, if it is to be held against others of the kind.
    rule: Option<&'s ExpectedMail>,
    /// Whom it may have come through.
    via: Vec<Name>,
}

impl Weighed<'_> {
    const fn of(claim: Claim, via: Vec<Name>) -> Self {
        Self { claim, to: None, nameless: false, rule: None, via }
    }
}

impl Ours {
    /// What the settings say.
    #[must_use]
    pub fn new(settings: std::sync::Arc<Settings>) -> Self {
        let of_from = settings.providers.values().map(|p| p.from.domain().to_ascii_lowercase());
        let all = of_from.chain(settings.watch.domains.iter().cloned());
        // A domain at which anybody may have a mailbox is nobody's: of that the address alone is ours.
        let domains: BTreeSet<String> = all.filter(|domain| !is_for_everybody(domain)).collect();
        let shared = settings.providers.values().filter(|p| is_for_everybody(p.from.domain()));
        let addresses = shared.map(|p| p.from.address.to_lowercase()).collect();
        let providers =
            settings.providers.iter().map(|(name, p)| (name.clone(), Sender { kind: hosts_of(p.kind.as_str()), seen: BTreeSet::new() }));
        Self {
            relays: Relays::of(&settings, &domains),
            checked: BTreeSet::new(),
            exchangers: BTreeMap::new(),
            domains,
            addresses,
            providers: providers.collect(),
            settings,
        }
    }

    /// Whether a provider is a relay of our own, whose ways are worth learning.
    #[must_use]
    pub fn is_own_relay(&self, provider: &Name) -> bool {
        self.relays.has(provider)
    }

    /// Learns by which way a canary came that went through a relay of ours.
    pub fn learn_way(&mut self, provider: &Name, way: &str) {
        self.relays.learn(provider, way);
    }

    /// Learns from the checks of a canary that came to `inbox`: whether its receiver writes down what it finds.
    pub fn learn_receiver(&mut self, inbox: &Name, checks: &[Check]) {
        if checks.iter().any(|check| check.by_receiver) {
            self.learn_writer(inbox);
        }
    }

    /// Learns that the receiver of an inbox writes down what it finds.
    pub fn learn_writer(&mut self, inbox: &Name) {
        self.checked.insert(inbox.clone());
    }

    /// Learns to which hosts mail for a domain goes, by its MX records as they are written down: `10 mx.example.net, …`.
    pub fn learn_exchangers(&mut self, domain: &str, written: &str) {
        if self.settings.inboxes.values().any(|inbox| inbox.domain().eq_ignore_ascii_case(domain)) {
            let hosts = written.split([' ', ',']).filter_map(host).take(EXCHANGERS).collect();
            self.exchangers.insert(domain.to_ascii_lowercase(), hosts);
        }
    }

    /// Whose hosts receive the mail of an inbox: where it is read, and where its domain's MX records lead.
    #[must_use]
    pub fn receiver(&self, inbox: &Inbox) -> Receiver {
        let exchangers = self.exchangers.get(&inbox.domain().to_ascii_lowercase()).into_iter().flatten().cloned();
        let hosts = [inbox.kind.server()].into_iter().chain(exchangers).collect();
        Receiver { hosts, ours: self.domains.iter().map(|domain| organisation(domain).to_owned()).collect() }
    }

    /// Learns from the marks of a canary that came through `provider`.
    pub fn learn(&mut self, provider: &Name, marks: &[Mark]) {
        let Some(sender) = self.providers.get_mut(provider) else { return };
        let tells = |mark: &&Mark| matches!(mark.part, Part::DkimSelector | Part::ReturnPath | Part::Network);
        for mark in marks.iter().filter(tells) {
            if sender.seen.len() < KNOWN {
                sender.seen.insert(mark.clone());
            }
        }
    }

    /// What a mail, or one with this header, has to do with us in this inbox.
    #[must_use]
    pub fn weigh(
        &self,
        inbox_name: &Name,
        inbox: &Inbox,
        message: &[u8],
        placement: Placement,
        arrived_at: At,
        copy: Option<String>,
    ) -> Stranger {
        let head = Head::read(message).at(&self.receiver(inbox));
        // Of several senders the one that is told of is the one in our name.
        let ours = head.from.iter().find(|from| self.is_our_address(from));
        let from = ours.or_else(|| head.from.first()).cloned().unwrap_or_default();
        let Weighed { claim, to, nameless, rule, via } = self.claim(inbox_name, inbox, &head, &from);
        let names = if ours.is_some() { None } else { self.named(&head) };
        let subject = head.subject.chars().map(|c| if is_shown(c) { c } else { '?' }).take(SUBJECT).collect();
        let own: Vec<&str> = inbox.addresses().collect();
        let account = if via.is_empty() { Vec::new() } else { account::values(&head, &own) };
        let is_told = match claim {
            Claim::OurDomain | Claim::Provider(_) | Claim::Honeytoken(_) => true,
            // It may turn out to have come through our own account.
            Claim::Nothing => !account.is_empty(),
            Claim::Allowed => rule.is_some(),
        };
        let (marks, ours) = if is_told { self.others(message, &head, inbox, rule) } else { (Vec::new(), Vec::new()) };
        let rule = rule.map(ExpectedMail::words);
        Stranger {
            from,
            names,
            nameless,
            cut: message.len() >= MAX_SCANNED,
            subject,
            placement,
            arrived_at,
            claim,
            to,
            copy,
            rule,
            via,
            marks,
            ours,
            account,
        }
    }

    /// Whom a mail names that is neither we nor the inbox: in its header, and in its text as far as that is there; and, of one that may come, who
    /// of ours its author is.
    fn others(&self, message: &[u8], head: &Head, inbox: &Inbox, rule: Option<&ExpectedMail>) -> (Vec<Mark>, Vec<Mark>) {
        let own: Vec<&str> = inbox.addresses().collect();
        let mut all = marks::of_head(head, &own);
        all.extend(marks::of_body(&Body::read(message, false), &own));
        let houses: BTreeSet<&str> = self.domains.iter().map(|domain| registrable(domain)).collect();
        let is_own = |value: &str| match value.rsplit_once('@') {
            Some((_, domain)) => {
                own.iter().any(|own| own.eq_ignore_ascii_case(value)) || self.is_our_address(value) || houses.contains(registrable(domain))
            }
            None => houses.contains(registrable(value)),
        };
        // What a mail came by, and by which key it was signed, changes by itself.
        let says = |mark: &Mark| !matches!(mark.part, Part::Network | Part::DkimSelector | Part::Content);
        let is_named = |mark: &Mark| rule.is_some_and(|rule| rule.names(&mark.value));
        let is_authors = |mark: &Mark| matches!(mark.part, Part::From | Part::Sender | Part::ReplyTo);
        let (ours, others): (Vec<Mark>, Vec<Mark>) = all.into_iter().filter(says).partition(|mark| is_own(&mark.value) || is_named(mark));
        let most = if rule.is_some() { TOLD } else { NAMED };
        let ours = ours.into_iter().filter(|mark| rule.is_some() && is_authors(mark)).take(OURS);
        (others.into_iter().take(most).collect(), ours.collect())
    }

    fn is_our_address(&self, address: &str) -> bool {
        let is_one = |address: &str| self.addresses.contains(address);
        is_one(address)
            || without_tag(address).is_some_and(|plain| is_one(&plain))
            || address.rsplit_once('@').is_some_and(|(_, domain)| self.is_ours(domain))
    }

    /// Where else than as its sender a mail names us: in Sender, in Reply-To, or in what stands in From besides.
    fn named(&self, head: &Head) -> Option<Mark> {
        let whole = |part, all: &[String]| {
            let mine = all.iter().find(|address| self.is_our_address(address));
            mine.map(|address| Mark { part, value: address.clone() })
        };
        let anywhere = || head.named.iter().find(|(_, domain)| self.is_ours(domain));
        whole(Part::Sender, &head.sender)
            .or_else(|| whole(Part::ReplyTo, &head.reply_to))
            .or_else(|| anywhere().map(|(part, domain)| Mark { part: *part, value: domain.clone() }))
    }

    fn claim(&self, inbox_name: &Name, inbox: &Inbox, head: &Head, from: &str) -> Weighed<'_> {
        // Who writes a second name beside an expected one is not expected.
        let all_from = || head.from.iter().map(String::as_str).chain(head.from.is_empty().then_some(from));
        let allows = |e: &&ExpectedMail| all_from().all(|from| e.allows(inbox_name.as_str(), from, &head.subject));
        let refused = results::is_refused(head, inbox.domain());
        let in_our_name = all_from().any(|from| self.is_our_address(from));
        // Of a name of ours it counts what the receiver says: who writes it in vain is not expected.
        let rule = self.settings.expected_mail.iter().find(allows).filter(|_| !(refused && in_our_name));
        let bait = self.bait(inbox_name, head);
        let only = bait.map(|bait| &bait.provider).or(inbox.honeytoken_of.as_ref());
        // Anybody can write an expected name: to an address that one list alone has it has to be proven.
        let signed = self.signers(head, inbox);
        if rule.is_some() && only.is_none_or(|only| self.is_proven(inbox_name, inbox, head, from, only)) {
            let via = self.through(head, &signed, None).map_or_else(|| self.via(inbox_name, inbox, head), |through| vec![through]);
            return Weighed { rule: rule.filter(|_| !refused), ..Weighed::of(Claim::Allowed, via) };
        }
        let written = head.from.iter().any(|from| self.is_our_address(from)) || self.named(head).is_some();
        let ours = written || head.return_domain().into_iter().chain(signed.iter().cloned()).any(|domain| self.is_ours(&domain));
        let through = if ours { self.through(head, &signed, head.return_domain()) } else { self.relayed(inbox, head) };
        let nameless = !ours && through.is_some();
        let claim = match (only, through) {
            // Only that provider knows the address: its own mail in our name is what its list is for, but nobody sent it.
            (Some(only), Some(through)) if *only == through => Claim::Provider(through),
            (Some(only), _) => Claim::Honeytoken(only.clone()),
            (None, Some(through)) => Claim::Provider(through),
            (None, None) if ours => Claim::OurDomain,
            (None, None) => Claim::Nothing,
        };
        let nameless = nameless && matches!(claim, Claim::Provider(_));
        let to = bait.map(|bait| bait.address.clone());
        Weighed { to, nameless, ..Weighed::of(claim, self.via(inbox_name, inbox, head)) }
    }

    /// The providers that a mail may have come through: by the host that handed it over, or by a signature that the receiver found to hold.
    fn via(&self, inbox_name: &Name, inbox: &Inbox, head: &Head) -> Vec<Name> {
        let network = head.network();
        let vouched = results::vouched(head, inbox.domain(), self.checked.contains(inbox_name));
        let hosts: Vec<&str> = vouched.signers.iter().chain(&network).map(|h| organisation(h)).collect();
        let mark = network.as_ref().map(|network| Mark { part: Part::Network, value: network.clone() });
        let may_be = |sender: &Sender| {
            sender.kind.iter().any(|host| hosts.contains(host)) || mark.as_ref().is_some_and(|mark| sender.seen.contains(mark))
        };
        self.providers.iter().filter(|(_, sender)| may_be(sender)).map(|(name, _)| name.clone()).take(VIA).collect()
    }

    /// Whether the receiver found that a mail is from whom it says: DMARC holds, or a signature of the sender's own organisation; or that it came
    /// through `only`, by its host or a signature that holds. What whoever sent it may have written proves nothing.
    fn is_proven(&self, inbox_name: &Name, inbox: &Inbox, head: &Head, from: &str, only: &Name) -> bool {
        let vouched = results::vouched(head, inbox.domain(), self.checked.contains(inbox_name));
        let domain = from.rsplit_once('@').map(|(_, domain)| domain).filter(|_| head.from.len() == 1);
        domain.is_some_and(|domain| vouched.is_for(domain)) || self.through(head, &vouched.signers, None).as_ref() == Some(only)
    }

    /// The relay of our own that a mail in another name came through. Mail to a domain of ours may have come in by it, as all mail does.
    fn relayed(&self, inbox: &Inbox, head: &Head) -> Option<Name> {
        let to_us = self.is_ours(inbox.domain()) || head.to.iter().any(|to| self.is_our_address(to));
        if to_us { None } else { self.relays.through(head) }
    }

    /// The honeytoken that a mail in this inbox was written to.
    fn bait(&self, inbox: &Name, head: &Head) -> Option<&Honeytoken> {
        let is_it = |bait: &&Honeytoken| head.to.iter().any(|to| *to == bait.address || without_tag(to) == Some(bait.address.clone()));
        self.settings.honeytokens.iter().filter(|bait| bait.inbox == *inbox).find(is_it)
    }

    /// Whether a domain is one of ours or stands under one.
    fn is_ours(&self, domain: &str) -> bool {
        let Some(domain) = host(domain) else { return self.domains.contains(domain) };
        self.domains.iter().any(|own| domain == *own || domain.strip_suffix(own.as_str()).is_some_and(|left| left.ends_with('.')))
    }

    /// The domains that signed; where the receiver says that no signature holds, none.
    fn signers(&self, head: &Head, inbox: &Inbox) -> Vec<String> {
        let checks = results::checks(head, inbox.domain());
        let mut by_receiver = checks.iter().filter(|c| c.method == Method::Dkim).peekable();
        let refused = by_receiver.peek().is_some() && by_receiver.all(|c| c.finding != Finding::Pass);
        if refused { Vec::new() } else { head.signatures.iter().map(|s| s.domain.clone()).collect() }
    }

    /// The provider that a mail came through, by who signed it, where it returns to and which host had it: the one whose own hosts or signatures it has, else the one whose canaries
    /// looked like it, if it is only one.
    fn through(&self, head: &Head, signed: &[String], returns: Option<String>) -> Option<Name> {
        let network = head.network();
        let seen_in = |mark: &Mark| {
            let mut who = self.providers.iter().filter(|(_, sender)| sender.seen.contains(mark));
            who.next().filter(|_| who.next().is_none()).map(|(name, _)| name.clone())
        };
        let hosts: Vec<&str> = signed.iter().chain(&returns).chain(&network).map(|h| organisation(h)).collect();
        let mut of_kind = self.providers.iter().filter(|(_, sender)| sender.kind.iter().any(|host| hosts.contains(host)));
        let only_of_kind = of_kind.next().filter(|_| of_kind.next().is_none()).map(|(name, _)| name.clone());
        let selectors = head.signatures.iter().filter(|s| signed.contains(&s.domain));
        let selectors = selectors.map(|s| (Part::DkimSelector, format!("{}._domainkey.{}", s.selector, s.domain)));
        let others = returns.map(|d| (Part::ReturnPath, d)).into_iter().chain(network.map(|n| (Part::Network, n)));
        let marks = selectors.chain(others).map(|(part, value)| Mark { part, value });
        only_of_kind.or_else(|| marks.into_iter().find_map(|mark| seen_in(&mark)))
    }
}

/// Whether a host's organisation sends for many.
pub(super) fn sends_for_many(whose: &str) -> bool {
    kind_of(whose).is_some()
}

fn is_shown(c: char) -> bool {
    c.is_alphanumeric() || c.is_ascii_graphic() || c == ' '
}
