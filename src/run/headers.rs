//! The headers of the newest mails of each route, held until it turns out whether somebody will want to see them.
//!
//! Nearly all never matter: they are held in memory, few and bounded, and written down only of a canary that came late or into Junk, and,
//! for comparison, of the last that arrived before an incident was opened or ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::examine::Unexamined;
use crate::model::{At, CanaryId, Change, Culprit, Examination, Placement, Route, Span};
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

/// Findings in mails that are held; one has about 2 KiB.
const MAILS: usize = 1000;
/// Headers that were just written down and whose mail may still be looked at.
const WRITTEN: usize = 64;

/// What is to be written down.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Headers.
    pub(super) headers: Vec<(CanaryId, String)>,
    /// What was found in mails whose headers are written down, as JSON.
    pub(super) mails: Vec<(CanaryId, String)>,
}

/// What is held. Cloned, it is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    held: Arc<Mutex<Held>>,
    /// Canaries' mails that were not looked at.
    pub(super) unexamined: Unexamined,
}

#[derive(Debug, Default)]
struct Held {
    /// In the order in which they came.
    headers: VecDeque<(CanaryId, String)>,
    bytes: usize,
    /// What was found in the mails of the newest, as JSON, in the order in which it was.
    mails: VecDeque<(CanaryId, String)>,
    /// Whose headers were written down lately: what is found in their mails belongs there too.
    written: VecDeque<CanaryId>,
    /// What was found in their mails since.
    late: Vec<(CanaryId, String)>,
    /// When the last of a route was written down for its own sake.
    kept_at: BTreeMap<u32, At>,
}

impl Headers {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The mail of a canary was looked at.
    pub(super) fn hold_mail(&self, canary: CanaryId, mail: &Examination) {
        let Ok(mail) = serde_json::to_string(mail) else { return };
        let mut held = self.held();
        if held.written.contains(&canary) {
            held.late.push((canary, mail));
            return;
        }
        if held.mails.len() >= MAILS {
            held.mails.pop_front();
        }
        held.mails.push_back((canary, mail));
    }

    /// What is to be written down because of an event that was just taken in, and of the `records` that followed; `missed` is whether its
    /// canary was lost before.
    pub(super) fn wanted(&self, dog: &Watchdog, records: &[Record], missed: bool, now: At) -> Wanted {
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
        self.held().with_mails(wanted)
    }
}

impl Held {
    /// Puts what was found in their mails beside headers that are about to be written down.
    fn with_mails(&mut self, headers: Vec<(CanaryId, String)>) -> Wanted {
        let mut mails = std::mem::take(&mut self.late);
        for (canary, _) in &headers {
            mails.extend(self.mails.iter().rev().find(|(id, _)| id == canary).cloned());
            if self.written.len() >= WRITTEN {
                self.written.pop_front();
            }
            self.written.push_back(*canary);
        }
        Wanted { headers, mails }
    }

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
