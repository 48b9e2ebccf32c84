//! Relays that are ours alone: what comes through one is ours to account for, in whose name ever it is.
//!
//! That a mail came through it is told by its way, which is learnt from canaries: the same hosts, from the receiver back to the relay. What a
//! receiver wrote down nobody can forge, and what stands below it only whoever came by the same hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::head::Head;
use super::names::{is_public, organisation};
use super::strangers::sends_for_many;
use crate::config::{ProviderKind, Settings};
use crate::model::Name;

/// Ways to one relay that are remembered.
const WAYS: usize = 32;

/// Our own relays, and by which ways their mail comes.
#[derive(Debug, Default)]
pub(super) struct Relays(BTreeMap<Name, BTreeSet<String>>);

impl Relays {
    /// Those of the settings: a server that stands in a private network, or under the name of one of `domains`. A service for many has a name of
    /// its own.
    pub(super) fn of(settings: &Settings, domains: &BTreeSet<String>) -> Self {
        let houses: BTreeSet<&str> = domains.iter().map(|domain| organisation(domain)).collect();
        let is_own = |host: &str| match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => !is_public(address),
            Err(_a_name) => !host.contains('.') || houses.contains(organisation(&host.to_ascii_lowercase())),
        };
        let own = settings.providers.iter().filter(|(_, p)| matches!(&p.kind, ProviderKind::Smtp(smtp) if is_own(&smtp.host)));
        Self(own.map(|(name, _)| (name.clone(), BTreeSet::new())).collect())
    }

    /// Whether a provider is one.
    pub(super) fn has(&self, provider: &Name) -> bool {
        self.0.contains_key(provider)
    }

    /// Learns by which way a canary came. Where the relay hands mail on to a service for many, it is theirs, too.
    pub(super) fn learn(&mut self, provider: &Name, way: &str) {
        if way.split(' ').any(sends_for_many) {
            return;
        }
        if let Some(ways) = self.0.get_mut(provider).filter(|ways| ways.len() < WAYS) {
            ways.insert(way.to_owned());
        }
    }

    /// The relay that a mail came through, if it is only one.
    pub(super) fn through(&self, head: &Head) -> Option<Name> {
        let ways = head.way.ways();
        let mut who = self.0.iter().filter(|(_, known)| ways.iter().any(|way| known.contains(way)));
        who.next().filter(|_| who.next().is_none()).map(|(name, _)| name.clone())
    }
}
