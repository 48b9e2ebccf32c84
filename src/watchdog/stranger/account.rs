//! By what our very account at a provider is known: what all canaries of a stream have, there where a provider tells its customers apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Strangers;
use crate::model::{At, Claim, Name, Span, Stranger};

/// So many canaries must have had it.
const SURE: u32 = 3;
/// A piece of a field must have been the same for so long: else it may be the day's.
const LASTS: Span = Span::from_secs(24 * 3600);
/// Places that are remembered of one stream.
const PLACES: usize = 32;

/// What stands in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    value: String,
    first: At,
    mails: u32,
    /// Another value has stood there: it says nothing of the account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    varies: bool,
}

/// By provider, stream and place.
pub(super) type Accounts = BTreeMap<Name, BTreeMap<Name, BTreeMap<String, Held>>>;

impl Held {
    fn is_news(&self, value: &str) -> bool {
        !self.varies && (self.value != value || self.mails < SURE)
    }
}

/// Where it stands, and what.
fn split(word: &str) -> (&str, &str) {
    word.split_once(' ').unwrap_or((word, ""))
}

impl Strangers {
    /// Whether a canary's mail says anything of the account that is worth writing down.
    pub(in crate::watchdog) fn is_news_of_account(&self, provider: &Name, stream: &Name, words: &[String]) -> bool {
        let known = self.accounts.get(provider).and_then(|streams| streams.get(stream));
        let is_news = |word: &String| {
            let (place, value) = split(word);
            match known.and_then(|known| known.get(place)) {
                Some(held) => held.is_news(value),
                None => known.is_none_or(|known| known.len() < PLACES),
            }
        };
        words.iter().any(is_news)
    }

    /// Learns from the mail of a canary.
    pub(in crate::watchdog) fn learn_account(&mut self, at: At, provider: &Name, stream: &Name, words: &[String]) {
        if words.is_empty() {
            return;
        }
        let places = self.accounts.entry(provider.clone()).or_default().entry(stream.clone()).or_default();
        for (place, value) in words.iter().map(|word| split(word)) {
            if let Some(held) = places.get_mut(place) {
                (held.mails, held.varies) = (held.mails.saturating_add(1), held.varies || held.value != value);
            } else if places.len() < PLACES {
                places.insert(place.to_owned(), Held { value: value.to_owned(), first: at, mails: 1, varies: false });
            }
        }
    }

    /// The mail of somebody else that came through our own account at a provider, as what it is; and the mail as it is, otherwise.
    pub(super) fn with_account(&self, at: At, mail: &Stranger) -> Stranger {
        let mine = |word: &&String| mail.via.iter().find(|provider| self.is_ours(at, provider, word));
        let found = mail.account.iter().find_map(|word| Some((mine(&word)?, word))).filter(|_| mail.claim == Claim::Nothing);
        match found {
            Some((provider, word)) => {
                let claim = Claim::Provider(provider.clone());
                Stranger { claim, nameless: true, account: vec![word.clone()], ..mail.clone() }
            }
            None => Stranger { account: Vec::new(), ..mail.clone() },
        }
    }

    fn is_ours(&self, at: At, provider: &Name, word: &str) -> bool {
        let (place, value) = split(word);
        // A whole field is the customer's whenever it was first seen.
        let is_old = |held: &Held| !place.contains('/') || at.since(held.first) >= LASTS;
        let holds = |held: &Held| !held.varies && held.value == value && held.mails >= SURE && is_old(held);
        self.accounts.get(provider).is_some_and(|streams| streams.values().any(|places| places.get(place).is_some_and(holds)))
    }
}
