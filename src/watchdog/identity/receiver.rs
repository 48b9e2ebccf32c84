//! What the filters of receivers wrote down of mail, and from where and by which ways mail came.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Identity;
use crate::model::{At, Name};
use crate::watchdog::Watchdog;
use crate::watchdog::explain::shorten;
use crate::watchdog::signature::Held;
use crate::watchdog::subjects::is_public;

/// Addresses that are kept of one provider and stream: what is asked about them is asked of others.
const HOSTS: usize = 32;
/// Ways to a relay of our own that are kept.
const WAYS: usize = 8;
/// Fields of a receiver's filter that are kept, and characters of each.
const FILTER: usize = 8;
const FILTER_WORDS: usize = 200;

/// When a filter wrote down what.
pub(in crate::watchdog) type Said = (At, Vec<String>);

/// What the filter of one inbox wrote down of the newest mail: of what it put into Junk, and of what it did not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::watchdog) struct Filtered {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::watchdog) junk: Option<Said>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::watchdog) other: Option<Said>,
}

impl Filtered {
    /// Of what lies in Junk every new word is worth writing down; of the rest the first ones are, to be held against it.
    pub(super) fn is_news(known: Option<&Self>, words: &[String], in_junk: bool) -> bool {
        let known = known.and_then(|known| if in_junk { known.junk.as_ref() } else { known.other.as_ref() });
        !words.is_empty() && known.is_none_or(|(_, before)| in_junk && before != words)
    }

    pub(super) fn take_in(&mut self, words: &[String], in_junk: bool, at: At) {
        let words = words.iter().take(FILTER).map(|words| shorten(words, FILTER_WORDS)).collect();
        *(if in_junk { &mut self.junk } else { &mut self.other }) = Some((at, words));
    }
}

impl Identity {
    /// Notes where a mail came from; of more than are kept the one goes that was seen longest ago.
    pub(super) fn come_from(&mut self, sender: Option<IpAddr>, at: At) {
        let Some(host) = sender.filter(|host| is_public(*host)) else { return };
        self.hosts.insert(host, at);
        if self.hosts.len() > HOSTS
            && let Some(oldest) = self.hosts.iter().min_by_key(|(_, last)| **last).map(|(host, _)| *host)
        {
            self.hosts.remove(&oldest);
        }
    }

    /// The same of the way by which it came.
    pub(super) fn come_by(&mut self, way: Option<&String>, at: At) {
        let Some(way) = way else { return };
        self.ways.insert(way.clone(), at);
        if self.ways.len() > WAYS
            && let Some(oldest) = self.ways.iter().min_by_key(|(_, last)| **last).map(|(way, _)| way.clone())
        {
            self.ways.remove(&oldest);
        }
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
