//! Canaries in memory: what each route has in flight, and what it remembers of those that landed.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::count::Histogram;
use super::view::RouteCounts;
use crate::model::{At, CanaryId, Outcome, Placement, Reason, Route, Span};

/// Canaries that arrived are remembered at least this long, so that a second copy is a duplicate and no stranger.
const REMEMBER_ARRIVED: Span = Span::from_secs(3600);
/// Canaries that did not are listened for this long: SendGrid holds a suspended account's mail for 72 h (its account-under-review page).
const REMEMBER_MISSING: Span = Span::from_secs(72 * 3600);
/// More than this many are never kept for one route, whatever their age.
const REMEMBER_AT_MOST: usize = 8192;
/// The newest are always kept: the page lists them.
const REMEMBER_AT_LEAST: usize = 64;
/// Latencies kept to know what is usual.
const USUAL_OF: usize = 64;

/// One canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Canary {
    pub(super) id: CanaryId,
    pub(super) sent_at: At,
    pub(super) reason: Reason,
    pub(super) answer: Option<Answer>,
    pub(super) arrival: Option<Arrival>,
    /// Its deadline passed while its inbox could be read.
    pub(super) lost: bool,
    /// No evidence: the watcher slept, or died before it learnt the fate.
    pub(super) set_aside: bool,
    /// Not looked for any more, or never known to have left: it is not in flight.
    pub(super) forgotten: bool,
}

/// How the submission ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) at: At,
    pub(super) outcome: Outcome,
    pub(super) reply: Option<String>,
}

/// Where and when it was first seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Arrival {
    /// By the receiver's clock, clamped to what ours allows.
    pub(super) at: At,
    pub(super) placement: Placement,
    pub(super) copy: Option<String>,
    /// The receiver's clock as it stood.
    pub(super) reported: At,
}

impl Canary {
    /// From sending to arrival. Sending and not acceptance: a provider that takes a minute to answer has delayed the mail.
    pub(super) fn latency(&self) -> Option<Span> {
        self.arrival.as_ref().map(|a| a.at.since(self.sent_at))
    }

    pub(super) fn refused(&self) -> bool {
        matches!(self.answer, Some(Answer { outcome: Outcome::Refused(_), .. }))
    }

    /// Whether it may still come.
    pub(super) fn in_flight(&self) -> bool {
        self.arrival.is_none() && !self.lost && !self.forgotten && !self.refused()
    }
}

/// One route's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RouteState {
    pub(super) route: Route,
    /// The upper half of its canaries' ids.
    pub(super) key: u32,
    /// The lower half of the newest canary's id.
    pub(super) serial: u32,
    /// In the order of sending, which is the order of their ids.
    pub(super) canaries: VecDeque<Canary>,
    /// When its newest routine canary was sent.
    pub(super) last_routine: Option<At>,
    pub(super) last_arrival: Option<At>,
    /// Canaries sent before this were judged by an incident that is over.
    pub(super) judged_before: Option<At>,
    /// Latencies of the newest arrivals, in milliseconds, oldest first.
    pub(super) usual: VecDeque<u32>,
    pub(super) counts: RouteCounts,
    pub(super) latency: Histogram,
}

impl RouteState {
    pub(super) fn new(route: Route, key: u32) -> Self {
        Self {
            route,
            key,
            serial: 0,
            canaries: VecDeque::new(),
            last_routine: None,
            last_arrival: None,
            judged_before: None,
            usual: VecDeque::new(),
            counts: RouteCounts::default(),
            latency: Histogram::default(),
        }
    }

    pub(super) fn find(&self, id: CanaryId) -> Option<&Canary> {
        self.position(id).and_then(|at| self.canaries.get(at))
    }

    pub(super) fn find_mut(&mut self, id: CanaryId) -> Option<&mut Canary> {
        let at = self.position(id)?;
        self.canaries.get_mut(at)
    }

    fn position(&self, id: CanaryId) -> Option<usize> {
        self.canaries.binary_search_by(|c| c.id.cmp(&id)).ok()
    }

    /// Takes a new canary in, and lets go of what need not be remembered any longer.
    pub(super) fn send(&mut self, id: CanaryId, at: At, reason: Reason) {
        self.serial = u32::try_from(id.bits() & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        if reason == Reason::Routine {
            self.last_routine = Some(at);
        }
        let canary = Canary { id, sent_at: at, reason, answer: None, arrival: None, lost: false, set_aside: false, forgotten: false };
        self.canaries.push_back(canary);
        self.let_go(at);
    }

    fn let_go(&mut self, now: At) {
        // Every sixteenth time is often enough, and keeps the cost of a long memory small.
        if self.canaries.len() <= REMEMBER_AT_LEAST || !self.serial.is_multiple_of(16) {
            return;
        }
        let mut spare = self.canaries.len() - REMEMBER_AT_LEAST;
        let mut surplus = self.canaries.len().saturating_sub(REMEMBER_AT_MOST);
        self.canaries.retain(|c| {
            if spare == 0 {
                return true;
            }
            spare -= 1;
            let age = now.since(c.sent_at);
            let keep = if c.arrival.is_some() || c.refused() { age < REMEMBER_ARRIVED } else { age < REMEMBER_MISSING };
            let over = surplus > 0 && !c.in_flight();
            surplus = surplus.saturating_sub(1);
            keep && !over
        });
    }

    /// Learns one latency as usual.
    pub(super) fn learn(&mut self, latency: Span) {
        self.usual.push_back(u32::try_from(latency.as_ms()).unwrap_or(u32::MAX));
        if self.usual.len() > USUAL_OF {
            self.usual.pop_front();
        }
    }

    /// Canaries that may still come.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Canary> {
        self.canaries.iter().filter(|c| c.in_flight())
    }
}
