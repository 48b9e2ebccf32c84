//! Mail in a seeded inbox that is no canary: spam is counted and quiet; what comes in our name, or to an address that one provider alone
//! knows, is kept to be told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::state::State;
use crate::model::{At, Claim, Culprit, Name, Span, Stranger};

/// Mails that are kept of one culprit, the newest.
const KEPT: usize = 10;
/// Culprits with such mail; there are providers and inboxes for each, and no more of them.
const CULPRITS: usize = 256;
/// It is over when there was none for so long.
const QUIET: Span = Span::from_secs(24 * 3600);

/// What came, by inbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Strangers {
    /// How many, by inbox and by what they have to do with us.
    pub(super) counts: BTreeMap<Name, BTreeMap<String, u64>>,
    /// What is to be told.
    pub(super) unexpected: Vec<Unexpected>,
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
    pub(super) fn meet(&mut self, at: At, inbox: &Name, mail: &Stranger) {
        let again = |u: &Unexpected| mail.copy.is_some() && u.mails.iter().any(|(i, m)| i == inbox && m.copy == mail.copy);
        if self.strangers.unexpected.iter().any(again) {
            return;
        }
        *self.strangers.counts.entry(inbox.clone()).or_default().entry(word(&mail.claim).to_owned()).or_default() += 1;
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
}
