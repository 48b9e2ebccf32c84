//! The headers of the newest mails of each route, held until it turns out whether somebody will want to see them.
//!
//! Nearly all never matter: they are held in memory, few and bounded, and written down only of a canary that came late or into Junk, and,
//! for comparison, of the last that arrived before an incident was opened or ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{At, CanaryId, Change, Culprit, Placement, Route, Span};
use crate::watchdog::{Event, Fact, Record, Watchdog};

/// Of each route.
const EACH: usize = 2;
/// Bytes of all together; the oldest go first.
const ALL: usize = 4 << 20;
/// Routes of an incident whose newest is written down; and others, for comparison.
const ROUTES: usize = 20;
const OTHERS: usize = 10;
/// Of one route no more than one in this time, besides the beginnings and ends of incidents: where all lands in Junk, one is like the other.
const APART: Span = Span::from_secs(600);

/// What is held. Cloned, it is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    /// In the order in which they came.
    headers: VecDeque<(CanaryId, String)>,
    bytes: usize,
    /// When the last of a route was written down for its own sake.
    kept_at: BTreeMap<u32, At>,
}

impl Headers {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A canary was seen with this header.
    pub(super) fn hold(&self, canary: CanaryId, header: String) {
        let mut held = self.held();
        held.bytes += header.len();
        held.headers.push_back((canary, header));
        while held.bytes > ALL {
            let Some((_, gone)) = held.headers.pop_front() else { return };
            held.bytes -= gone.len();
        }
    }

    /// What is to be written down because of an event that was just taken in, and of the `records` that followed; `missed` is whether its
    /// canary was lost before.
    pub(super) fn wanted(&self, dog: &Watchdog, records: &[Record], missed: bool, now: At) -> Vec<(CanaryId, String)> {
        let mut wanted = Vec::new();
        for record in records {
            if let Fact::Happened(Event::Sighted { canary, placement, .. }) = &record.fact
                && (missed || *placement == Placement::Junk)
            {
                wanted.extend(self.held().of(*canary, now));
            }
            if let Fact::Told { notice, late: false, .. } = &record.fact
                && notice.kind.is_delivery()
                && matches!(notice.change, Change::Opened | Change::Resolved)
            {
                wanted.extend(self.held().around(dog, &notice.culprit));
            }
        }
        wanted
    }
}

impl Held {
    /// The header of a canary, unless one of its route was written down lately.
    fn of(&mut self, canary: CanaryId, now: At) -> Option<(CanaryId, String)> {
        let (_, header) = self.headers.iter().rev().find(|(id, _)| *id == canary)?;
        let route = route(canary);
        if self.kept_at.get(&route).is_some_and(|at| now.since(*at) < APART) {
            return None;
        }
        self.kept_at.insert(route, now);
        Some((canary, header.clone()))
    }

    /// The newest of each route that a culprit covers, and of some that it does not.
    fn around(&self, dog: &Watchdog, culprit: &Culprit) -> Vec<(CanaryId, String)> {
        let routes: BTreeMap<u32, &Route> = dog.routes().collect();
        let (mut covered_left, mut others_left) = (ROUTES * EACH, OTHERS);
        let mut taken: BTreeMap<u32, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (canary, header) in self.headers.iter().rev() {
            let Some(covered) = routes.get(&route(*canary)).map(|route| culprit.covers(route)) else { continue };
            let (left, each) = if covered { (&mut covered_left, EACH) } else { (&mut others_left, 1) };
            let of_route = taken.entry(route(*canary)).or_default();
            if *of_route < each && *left > 0 {
                *of_route += 1;
                *left -= 1;
                found.push((*canary, header.clone()));
            }
        }
        found
    }
}

/// The route that a canary's id names.
fn route(canary: CanaryId) -> u32 {
    u32::try_from(canary.bits() >> 32).unwrap_or_default()
}
