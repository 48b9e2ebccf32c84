//! Evidence over time: recursions over canaries in the order of sending, so that a late arrival of an old canary does not wipe out what
//! newer silent ones say, and an arrival of a newer one does.
//!
//! What has settled is folded away, or is one step with its settled neighbours while something older is in flight; what is in flight is
//! weighed anew when asked, by its age.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::hypothesis::{Factors, Nats, WAYS};
use crate::model::{At, Span};

/// Recursions are not followed beyond this.
const MOST: f64 = 1e250;
/// Nor what is kept of them, in half the room.
const MOST_KEPT: f64 = 1e37;
/// What many canaries say together goes no lower than this.
const LEAST: f64 = 1e-300;
/// Nor what is kept of it.
const LEAST_KEPT: f64 = 1e-37;

/// How a recursion takes the next canaries in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    /// Shiryaev–Roberts: R ← (n + R) e^z. The sum over every instant at which the failure may have begun; for any mixture of ways its mean
    /// run to a threshold A under health is at least A canaries.
    #[default]
    Failure,
    /// Page's sum of health against failure, in nats: V ← max(0, V − z).
    Recovery,
}

/// Canaries that were sent at nearly the same time; or, of a failure's recursion, in a row of which all have settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Slot {
    at: At,
    /// How many were sent.
    canaries: u32,
    /// How many of them have not settled.
    open: u32,
    /// What the settled ones say together.
    factor: [f32; WAYS],
    /// Once all have settled: what the recursion gains besides, R ← factor × R + gain.
    gain: [f32; WAYS],
}

impl Slot {
    const fn new(at: At) -> Self {
        Self { at, canaries: 1, open: 1, factor: [1.0; WAYS], gain: [0.0; WAYS] }
    }

    /// All of it has settled: from here on it is one step.
    fn settle(&mut self) {
        let canaries = f64::from(self.canaries);
        self.gain = self.factor.map(|f| kept(f64::from(f) * canaries));
    }

    /// Takes in the step after it.
    fn join(&mut self, next: &Self) {
        for ((factor, gain), (f, g)) in self.factor.iter_mut().zip(&mut self.gain).zip(next.factor.iter().zip(next.gain)) {
            *gain = kept(f64::from(*gain) * f64::from(*f) + f64::from(g));
            *factor = kept_factor(f64::from(*factor) * f64::from(*f));
        }
    }
}

/// One recursion for each way of failing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sequence {
    rule: Rule,
    /// From the oldest that has not settled.
    slots: VecDeque<Slot>,
    /// The recursions up to there.
    folded: [f32; WAYS],
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new(Rule::Failure)
    }
}

impl Sequence {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule, slots: VecDeque::new(), folded: [0.0; WAYS] }
    }

    /// Takes in a canary that was just sent; those within `grain` of each other are one step.
    pub(super) fn open(&mut self, at: At, grain: Span) {
        match self.slots.back_mut() {
            Some(slot) if slot.open > 0 && (at.since(slot.at) < grain || slot.at == at) => {
                slot.canaries += 1;
                slot.open += 1;
            }
            _ => self.slots.push_back(Slot::new(at)),
        }
    }

    /// A canary that was sent at `at` has settled. `None`: it says nothing, as if it had never been sent.
    pub(super) fn close(&mut self, at: At, said: Option<&Factors>) {
        let after = self.slots.partition_point(|s| s.at <= at);
        let Some(place) = after.checked_sub(1) else { return };
        let Some(slot) = self.slots.get_mut(place) else { return };
        slot.open = slot.open.saturating_sub(1);
        match said {
            Some(said) => slot.factor.iter_mut().zip(said).for_each(|(all, f)| *all = kept_factor(f64::from(*all) * f)),
            None => slot.canaries = slot.canaries.saturating_sub(1),
        }
        if slot.open > 0 {
            return;
        }
        slot.settle();
        self.fold();
        if self.rule == Rule::Failure {
            self.join(at);
        }
    }

    fn fold(&mut self) {
        while let Some(slot) = self.slots.pop_front_if(|s| s.open == 0) {
            match self.rule {
                // A row of settled steps is one already.
                Rule::Failure => {
                    for ((sum, factor), gain) in self.folded.iter_mut().zip(slot.factor).zip(slot.gain) {
                        *sum = kept(f64::from(*sum) * f64::from(factor) + f64::from(gain));
                    }
                }
                Rule::Recovery => {
                    for (sum, factor) in self.folded.iter_mut().zip(slot.factor) {
                        *sum = (f64::from(*sum) - f64::from(factor).ln()).max(0.0) as f32;
                    }
                }
            }
        }
    }

    /// The settled step at `at` and its settled neighbours become one.
    fn join(&mut self, at: At) {
        let Some(mut place) = self.slots.partition_point(|s| s.at <= at).checked_sub(1) else { return };
        let settled = |slots: &VecDeque<Slot>, place: usize| slots.get(place).is_some_and(|s| s.open == 0);
        if !settled(&self.slots, place) {
            return;
        }
        // The newest step may still take canaries in.
        if let Some(before) = place.checked_sub(1).filter(|before| settled(&self.slots, *before)) {
            self.join_next(before);
            place = before;
        }
        if settled(&self.slots, place + 1) {
            self.join_next(place);
        }
    }

    fn join_next(&mut self, place: usize) {
        let Some(next) = self.slots.remove(place + 1) else { return };
        if let Some(slot) = self.slots.get_mut(place) {
            slot.join(&next);
        }
    }

    /// Where the recursions of a failure stand, with what the canaries in flight say by now; `open` in the order of sending.
    pub(super) fn failure(&self, open: &[(At, Factors)]) -> Factors {
        let mut sums = self.folded.map(f64::from);
        let mut rest = open.iter().peekable();
        for (index, slot) in self.slots.iter().enumerate() {
            if slot.open == 0 {
                for ((sum, factor), gain) in sums.iter_mut().zip(slot.factor).zip(slot.gain) {
                    *sum = (*sum * f64::from(factor) + f64::from(gain)).min(MOST);
                }
                continue;
            }
            let canaries = f64::from(slot.canaries);
            sums.iter_mut().zip(slot.factor).for_each(|(sum, factor)| *sum = ((canaries + *sum) * f64::from(factor)).min(MOST));
            let until = self.slots.get(index + 1).map(|next| next.at);
            while let Some((_, factors)) = rest.next_if(|(at, _)| until.is_none_or(|u| *at < u)) {
                sums.iter_mut().zip(factors).for_each(|(sum, factor)| *sum = (*sum * factor).min(MOST));
            }
        }
        sums
    }

    /// Where the sums of a recovery stand, likewise.
    pub(super) fn recovery(&self, open: &[(At, Factors)]) -> Nats {
        let mut sums = self.folded.map(f64::from);
        let mut rest = open.iter().peekable();
        for (index, slot) in self.slots.iter().enumerate() {
            let mut said = slot.factor.map(f64::from);
            let until = self.slots.get(index + 1).map(|next| next.at);
            while let Some((_, factors)) = rest.next_if(|(at, _)| until.is_none_or(|u| *at < u)) {
                said.iter_mut().zip(factors).for_each(|(all, factor)| *all = (*all * factor).clamp(LEAST, MOST));
            }
            sums.iter_mut().zip(said).for_each(|(sum, factor)| *sum = (*sum - factor.ln()).max(0.0));
        }
        sums
    }
}

fn kept(value: f64) -> f32 {
    value.clamp(0.0, MOST_KEPT) as f32
}

fn kept_factor(value: f64) -> f32 {
    value.clamp(LEAST_KEPT, MOST_KEPT) as f32
}
