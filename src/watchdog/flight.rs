//! A route in memory: what it has in flight, and what it remembers of canaries that landed.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::canary::{Canary, lower};
use super::count::Histogram;
use super::remembered::Remembered;
use super::survival::Survival;
use super::trace::Suppressed;
use super::view::RouteCounts;
use crate::model::{At, CanaryId, Class, Outcome, Reason, Route, Span};

/// Canaries that arrived are remembered at least this long, so that a second copy is a duplicate and no stranger.
const REMEMBER_ARRIVED: Span = Span::from_secs(3600);
/// Canaries that did not are listened for this long: SendGrid holds a suspended account's mail for 72 h (its account-under-review page).
const REMEMBER_MISSING: Span = Span::from_secs(72 * 3600);
/// More than this many are never kept for one route, whatever their age.
const REMEMBER_AT_MOST: usize = 8192;
/// The newest are always kept: the page lists them.
const REMEMBER_AT_LEAST: usize = 50;

/// Arrivals after one in Junk for which a look at the newest ones is worth it.
const JUNK_REMEMBERED: u8 = 10;
/// What is not there by then is lost as far as evidence goes; it is still listened for.
pub(super) const SETTLES_AFTER: Span = Span::from_secs(1200);

/// A canary that has not settled as evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Flying {
    pub(super) serial: u32,
    pub(super) sent_at: At,
    pub(super) reason: Reason,
    /// Whether its silence says anything.
    pub(super) counted: bool,
    /// Whether its fate may be learnt from.
    pub(super) teaches: bool,
    /// When its silence is looked at next.
    pub(super) look_at: Option<At>,
}

/// One route's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RouteState {
    pub(super) route: Route,
    /// The upper half of its canaries' ids.
    pub(super) key: u32,
    /// When it joined an installation that had begun.
    #[serde(default)]
    pub(super) joined: Option<At>,
    /// The lower half of the newest canary's id.
    pub(super) serial: u32,
    pub(super) canaries: Remembered,
    /// When its newest routine canary was sent.
    pub(super) last_routine: Option<At>,
    pub(super) last_arrival: Option<At>,
    /// Canaries sent before this were judged by an incident that is over.
    pub(super) judged_before: Option<At>,
    /// What is healthy.
    pub(super) survival: Survival,
    /// Canaries of this time are of a confirmed failure, and teach nothing.
    pub(super) untaught: Option<(At, At)>,
    /// Canaries that have not settled as evidence, in the order of sending.
    pub(super) flying: VecDeque<Flying>,
    /// The newest routine canary that was answered or arrived, by the lower half of its id.
    pub(super) answered: u32,
    /// The class of that answer, if it was a refusal.
    pub(super) refusal: Option<Class>,
    /// Its provider said that it does not write to this seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) suppressed: Option<Suppressed>,
    /// When the newest canary that arrived was sent.
    pub(super) good_sent_at: Option<At>,
    /// Arrivals for which a mail in Junk is remembered.
    pub(super) junky: u8,
    pub(super) counts: RouteCounts,
    pub(super) latency: Histogram,
}

impl RouteState {
    pub(super) fn new(route: Route) -> Self {
        Self {
            route,
            key: 0,
            joined: None,
            serial: 0,
            canaries: Remembered::default(),
            last_routine: None,
            last_arrival: None,
            judged_before: None,
            survival: Survival::default(),
            untaught: None,
            flying: VecDeque::new(),
            answered: 0,
            refusal: None,
            suppressed: None,
            good_sent_at: None,
            junky: 0,
            counts: RouteCounts::default(),
            latency: Histogram::default(),
        }
    }

    /// Its provider does not write to this seed, as it said in refusals or when it was asked: what does not come says nothing.
    pub(super) fn is_suppressed(&self) -> bool {
        self.suppressed.is_some() || matches!(self.refusal, Some(Class::Suppressed | Class::Recipient))
    }

    pub(super) fn find(&self, id: CanaryId) -> Option<&Canary> {
        self.canaries.find(id)
    }

    pub(super) fn find_mut(&mut self, id: CanaryId) -> Option<&mut Canary> {
        self.canaries.find_mut(id)
    }

    /// Takes a new canary in, and lets go of what need not be remembered any longer.
    pub(super) fn send(&mut self, id: CanaryId, at: At, reason: Reason) {
        self.serial = lower(id);
        if reason == Reason::Routine {
            self.last_routine = Some(at);
        }
        let counted = self.suppressed.is_none();
        self.canaries.send(id, at, reason).into_iter().for_each(|canary| canary.set_aside(!counted));
        let teaches = counted && reason == Reason::Routine;
        let look_at = self.survival.next_look(Span::ZERO).map(|age| at.plus(age));
        self.flying.push_back(Flying { serial: self.serial, sent_at: at, reason, counted, teaches, look_at });
        self.let_go(at);
    }

    /// An arrival clears an older refusal, and is remembered if it lay in Junk. Says whether anything of this has changed.
    pub(super) fn note_arrival(&mut self, serial: u32, junk: bool) -> bool {
        let before = (self.refusal, self.junky > 0);
        if serial >= self.answered {
            self.answered = serial;
            self.refusal = None;
        }
        self.junky = if junk { JUNK_REMEMBERED } else { self.junky.saturating_sub(1) };
        before != (self.refusal, self.junky > 0)
    }

    /// Takes a canary out of those that have not settled.
    pub(super) fn land(&mut self, id: CanaryId) -> Option<Flying> {
        let at = self.flying.iter().position(|f| f.serial == lower(id))?;
        self.flying.remove(at)
    }

    /// When the oldest canary that has not settled is as good as lost, as evidence.
    pub(super) fn settles_at(&self) -> Option<At> {
        self.flying.front().map(|f| f.sent_at.plus(SETTLES_AFTER))
    }

    /// The id of the canary with this lower half.
    pub(super) fn id(&self, serial: u32) -> CanaryId {
        CanaryId::from_bits((u64::from(self.key) << 32) | u64::from(serial))
    }

    fn let_go(&mut self, now: At) {
        // Every eighth time is often enough, and keeps the cost of a long memory small.
        if self.canaries.len() <= REMEMBER_AT_LEAST || !self.serial.is_multiple_of(8) {
            return;
        }
        let mut spare = self.canaries.len() - REMEMBER_AT_LEAST;
        let mut surplus = self.canaries.len().saturating_sub(REMEMBER_AT_MOST);
        self.canaries.let_go(|c| {
            if spare == 0 {
                return true;
            }
            spare -= 1;
            let age = now.since(c.sent_at());
            let keep = if c.has_arrived() || c.refused() { age < REMEMBER_ARRIVED } else { age < REMEMBER_MISSING };
            let over = surplus > 0 && !c.in_flight();
            surplus = surplus.saturating_sub(1);
            keep && !over
        });
    }

    /// How its newest canary that was answered was answered, and when.
    pub(super) fn newest_answer(&self) -> Option<(Outcome, At)> {
        self.canaries.iter().rev().find_map(|c| c.outcome().zip(c.answered_at()))
    }

    /// Canaries that may still come.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Canary> {
        self.canaries.iter().filter(|c| c.in_flight())
    }
}
