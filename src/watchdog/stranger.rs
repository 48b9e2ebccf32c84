//! Mail in a seeded inbox that is no canary: spam is counted and quiet; what comes in our name, or to an address that one provider alone
//! knows, is kept to be told; and what may come is held against what came before.

mod account;
mod routine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::state::State;
use crate::model::{At, Claim, Culprit, Mark, Name, Part, Span, Stranger, party, registrable};
use account::Accounts;
pub(super) use routine::{Odd, Routine};

/// Mails that are kept of one culprit, the newest.
const KEPT: usize = 10;
/// Culprits with such mail; there are providers and inboxes for each, and no more of them.
const CULPRITS: usize = 256;
/// Rules, each at each inbox, whose mail is remembered: as many as there are, and no more than these.
const ROUTINES: usize = 4096;
/// It is over when there was none for so long.
const QUIET: Span = Span::from_secs(24 * 3600);

/// What came, by inbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Strangers {
    /// How many, by inbox and by what they have to do with us.
    pub(super) counts: BTreeMap<Name, BTreeMap<String, u64>>,
    /// What is to be told.
    pub(super) unexpected: Vec<Unexpected>,
    /// What the mail that may come carries.
    #[serde(default)]
    pub(super) routines: Vec<Routine>,
    /// By what our accounts at providers are known.
    #[serde(default)]
    accounts: Accounts,
}

/// Mail that nobody sent, of one culprit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Unexpected {
    /// Who it came through, whose list the address was on, or where it lay.
    pub(super) culprit: Culprit,
    pub(super) since: At,
    pub(super) last: At,
    pub(super) count: u64,
    /// One of them came to an address that this provider alone knows.
    pub(super) leak: bool,
    /// So many of them did.
    #[serde(default)]
    pub(super) leaks: u64,
    /// The newest, oldest first, each with its inbox.
    pub(super) mails: Vec<(Name, Stranger)>,
}

/// Whether a mark says that somebody is written to, or wrote: an address of an author, in Cc and the like, or in the text. Links, lists and hosts are
/// many people's in mail that is as it should be.
fn is_somebody(mark: &Mark) -> bool {
    matches!(mark.part, Part::Sender | Part::ReplyTo | Part::Header | Part::Address) && mark.value.contains('@')
}

impl Unexpected {
    /// How many came in our name, and how many from somebody else to an address that this provider alone knows.
    pub(super) fn kinds(&self) -> (u64, u64) {
        // What was written down by an earlier version has no count of its own.
        let leaks = self.leaks.max(u64::from(self.leak)).min(self.count);
        (self.count - leaks, leaks)
    }

    /// Whether there has been none for long.
    pub(super) fn is_over(&self, now: At) -> bool {
        now.since(self.last) >= QUIET
    }
}

/// Every word for a claim.
pub(super) const WORDS: [&str; 5] = ["nothing", "allowed", "our_domain", "provider", "honeytoken"];

/// The word for a claim in counts and labels.
pub(super) const fn word(claim: &Claim) -> &'static str {
    match claim {
        Claim::Nothing => "nothing",
        Claim::Allowed => "allowed",
        Claim::OurDomain => "our_domain",
        Claim::Provider(_) => "provider",
        Claim::Honeytoken(_) => "honeytoken",
    }
}

impl State {
    /// A mail that is no canary was seen.
    pub(super) fn meet(&mut self, plan: &Plan, at: At, inbox: &Name, mail: &Stranger) {
        let again = |u: &Unexpected| mail.copy.is_some() && u.mails.iter().any(|(i, m)| i == inbox && m.copy == mail.copy);
        if self.strangers.unexpected.iter().any(again) {
            return;
        }
        let mail = &self.strangers.with_account(at, mail);
        *self.strangers.counts.entry(inbox.clone()).or_default().entry(word(&mail.claim).to_owned()).or_default() += 1;
        self.hold_against(plan, at, inbox, mail);
        let (culprit, leak) = match &mail.claim {
            Claim::Nothing | Claim::Allowed => return,
            Claim::OurDomain => (Culprit::Inbox(inbox.clone()), false),
            Claim::Provider(provider) => (Culprit::Provider(provider.clone()), false),
            Claim::Honeytoken(provider) => (Culprit::Provider(provider.clone()), true),
        };
        self.strangers.unexpected.retain(|u| !u.is_over(at));
        let unexpected = &mut self.strangers.unexpected;
        let place = unexpected.iter().position(|u| u.culprit == culprit).unwrap_or_else(|| {
            if unexpected.len() < CULPRITS {
                unexpected.push(Unexpected { culprit, since: at, last: at, count: 0, leak: false, leaks: 0, mails: Vec::new() });
            }
            unexpected.len() - 1
        });
        if let Some(known) = unexpected.get_mut(place) {
            (known.last, known.count, known.leak) = (at, known.count + 1, known.leak || leak);
            known.leaks += u64::from(leak);
            known.mails.push((inbox.clone(), mail.clone()));
            if known.mails.len() > KEPT {
                known.mails.remove(0);
            }
        }
    }

    /// Holds a mail that may come against those of its rule that came before.
    fn hold_against(&mut self, plan: &Plan, at: At, inbox: &Name, mail: &Stranger) {
        let Some(rule) = mail.rule.as_ref().filter(|_| mail.claim == Claim::Allowed) else { return };
        let routines = &mut self.strangers.routines;
        let place = routines.iter().position(|r| r.rule == *rule && r.inbox == *inbox);
        let mut routine = place.map_or_else(|| Routine::new(rule.clone(), inbox.clone()), |place| routines.swap_remove(place));
        let is_told = |mark: &Mark| is_somebody(mark) && !self.is_heard_of(plan, inbox, rule, mark);
        routine.take_in(at, mail, |mark| self.is_of(&mail.via, mark), is_told);
        let routines = &mut self.strangers.routines;
        routines.push(routine);
        // What is configured no more goes first, then what was seen longest ago.
        let most = plan.rules.len().saturating_mul(plan.inboxes.len()).clamp(1, ROUTINES);
        let is_left = |r: &Routine| plan.rules.contains(&r.rule) && plan.inboxes.contains(&r.inbox);
        if routines.len() > most
            && let Some(oldest) = (0..routines.len()).min_by_key(|place| routines.get(*place).map(|r| (is_left(r), r.at)))
        {
            routines.swap_remove(oldest);
        }
    }

    /// Whether it is known of somebody who he is, though no mail of this kind was seen yet: the receiver, whom canaries of any provider name, and who
    /// stands in such mail at another inbox.
    fn is_heard_of(&self, plan: &Plan, inbox: &Name, rule: &str, mark: &Mark) -> bool {
        let who = party(&mark.value);
        let of_receiver = plan.receivers.get(inbox).is_some_and(|house| house == registrable(who));
        let of_any = || plan.providers.iter().any(|provider| self.is_of(std::slice::from_ref(provider), mark));
        let elsewhere = || self.strangers.routines.iter().any(|other| other.rule == rule && other.names(mark));
        of_receiver || of_any() || elsewhere()
    }

    /// Whether canaries of one of these providers name whom a mark names, or a person has said that it is right there.
    pub(super) fn is_of(&self, providers: &[Name], mark: &Mark) -> bool {
        let who = party(&mark.value);
        let is_one = |value: &String| value.ends_with(who) && party(value) == who;
        let streams = providers.iter().filter_map(|provider| self.identities.get(provider)).flat_map(BTreeMap::values);
        let parts = streams.flat_map(|identity| &identity.parts);
        // Of a network only whose hosts they are is known, and not whose they are let to.
        let mut parts = parts.filter(|(part, _)| !matches!(part, Part::Content | Part::Network));
        parts.any(|(_, values)| values.keys().any(is_one))
    }
}
