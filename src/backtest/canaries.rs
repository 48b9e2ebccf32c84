//! The canaries of a past, as other rules would have seen them.

use std::collections::BTreeMap;

use crate::model::{At, CanaryId, Reason, Route};
use crate::sandbox::simulate::Flight;
use crate::watchdog::{Event, Fact, Record};

/// All of them, by route in the order of sending.
#[derive(Debug)]
pub(super) struct Canaries {
    pub(super) routes: Vec<Route>,
    pub(super) flights: Vec<Vec<Flight>>,
    /// Canaries over routes that are not watched any more.
    pub(super) left_out: BTreeMap<Route, u64>,
    /// When the watcher slept, or was not running.
    pub(super) gaps: Vec<(At, At)>,
    pub(super) first: Option<At>,
    /// Those that have not been seen: the places of their route and flight, and whether it is known that they left.
    missing: BTreeMap<CanaryId, (usize, usize, bool)>,
    last: At,
}

impl Canaries {
    pub(super) fn new(routes: &[Route]) -> Self {
        Self {
            routes: routes.to_vec(),
            flights: vec![Vec::new(); routes.len()],
            left_out: BTreeMap::new(),
            gaps: Vec::new(),
            first: None,
            missing: BTreeMap::new(),
            last: At::default(),
        }
    }

    /// Takes one record in.
    pub(super) fn note(&mut self, record: &Record) {
        let at = record.at;
        match &record.fact {
            Fact::Sent { canary, provider, stream, inbox, reason } => {
                let route = Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() };
                self.sent(*canary, route, at, *reason);
            }
            Fact::Happened(Event::Sighted { inbox, canary, arrived_at, seen_at, .. }) => {
                let own = |(route, ..): &&(usize, usize, bool)| self.routes.get(*route).is_some_and(|r| r.inbox == *inbox);
                if let Some((route, flight, _)) = self.missing.get(canary).filter(own).copied() {
                    self.missing.remove(canary);
                    if let Some(flight) = self.flights.get_mut(route).and_then(|flights| flights.get_mut(flight)) {
                        // By the receiver's clock, within what ours allows.
                        flight.arrives = Some((*arrived_at).min(seen_at.unwrap_or(at)).max(flight.sent));
                    }
                }
            }
            Fact::Happened(Event::Orphaned { canary }) => {
                if let Some((.., left)) = self.missing.get_mut(canary) {
                    *left = false;
                }
            }
            Fact::Slept {} => self.gaps.push((self.last, at)),
            Fact::Began { .. }
            | Fact::Asked { .. }
            | Fact::Polled { .. }
            | Fact::Passed {}
            | Fact::Happened(_)
            | Fact::Lost { .. }
            | Fact::Forgotten { .. }
            | Fact::Alarmed { .. }
            | Fact::Sorted { .. }
            | Fact::Calmed { .. }
            | Fact::DrillOver {}
            | Fact::Tried { .. }
            | Fact::Told { .. } => {}
        }
        self.first = self.first.or(Some(at));
        self.last = at;
    }

    /// All whose fate says something: what may never have left is no canary.
    pub(super) fn settled(mut self) -> Self {
        let mut gone: Vec<(usize, usize)> = self.missing.values().filter(|(.., left)| !left).map(|(r, f, _)| (*r, *f)).collect();
        gone.sort_unstable();
        for (route, flight) in gone.into_iter().rev() {
            if let Some(flights) = self.flights.get_mut(route).filter(|flights| flight < flights.len()) {
                flights.remove(flight);
            }
        }
        self.missing.clear();
        self
    }

    /// How many of this kind were sent within these bounds.
    pub(super) fn count(&self, reason: Reason, from: At, to: At) -> u64 {
        self.flights.iter().flatten().filter(|f| f.reason == reason && f.sent >= from && f.sent <= to).count() as u64
    }

    /// Watched routes over which nothing was sent.
    pub(super) fn silent(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().zip(&self.flights).filter(|(_, flights)| flights.is_empty()).map(|(route, _)| route)
    }

    fn sent(&mut self, canary: CanaryId, route: Route, at: At, reason: Reason) {
        let Some(place) = self.routes.iter().position(|r| *r == route) else {
            *self.left_out.entry(route).or_default() += 1;
            return;
        };
        if let Some(flights) = self.flights.get_mut(place) {
            self.missing.insert(canary, (place, flights.len(), true));
            flights.push(Flight { route: place, sent: at, arrives: None, reason });
        }
    }
}
