//! Evidence over time: recursions over canaries in the order of sending, so that a late arrival of an old canary does not wipe out what
//! newer silent ones say, and an arrival of a newer one does.
//!
//! What has settled is folded away, or is one step with its settled neighbours while something older is in flight; what is in flight is
//! weighed anew when asked, by its age.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::hypothesis::{BELIEFS, Factors, Nats, WAYS, ln_sum};
use crate::model::{At, Span};

/// Recursions are not followed beyond this.
const MOST: f64 = 1e250;
/// Nor below.
const LEAST: f64 = 1e-300;
/// Nor what is kept of settled steps, in half the room.
const MOST_KEPT: f64 = 1e37;
/// And the least.
const LEAST_KEPT: f64 = 1e-37;

/// How a recursion takes the next canaries in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    /// Shiryaev–Roberts, in logarithms: R ← (n + R) e^z. The sum over every instant at which the failure may have begun; for any mixture
    /// of ways its mean run to a threshold A under health is at least A canaries.
    #[default]
    Failure,
    /// Page's sum of health against failure: V ← max(0, V − z).
    Recovery,
}

impl Rule {
    const fn start(self) -> f64 {
        match self {
            Self::Failure => -1e30,
            Self::Recovery => 0.0,
        }
    }
}

/// Canaries that were sent at nearly the same time; or, of a failure's recursion, in a row of which all have settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Slot {
    at: At,
    /// How many were sent.
    canaries: u32,
    /// How many of them have not settled.
    open: u32,
    /// What the settled ones say.
    said: [f32; WAYS],
    /// The same, not as logarithms.
    factor: [f32; WAYS],
    /// Once all have settled: what the recursion gains besides, R ← factor × R + gain.
    gain: [f32; WAYS],
}

impl Slot {
    /// All of it has settled: from here on it is one step.
    fn settle(&mut self) {
        self.factor = self.said.map(|s| s.clamp(-80.0, 80.0).exp());
        let canaries = f64::from(self.canaries);
        self.gain = self.factor.map(|f| (f64::from(f) * canaries).min(MOST_KEPT) as f32);
    }

    /// Takes in the step after it.
    fn join(&mut self, next: &Self) {
        for ((factor, gain), (f, g)) in self.factor.iter_mut().zip(&mut self.gain).zip(next.factor.iter().zip(next.gain)) {
            *gain = (f64::from(*gain) * f64::from(*f) + f64::from(g)).min(MOST_KEPT) as f32;
            *factor = (f64::from(*factor) * f64::from(*f)).clamp(LEAST_KEPT, MOST_KEPT) as f32;
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
        Self { rule, slots: VecDeque::new(), folded: narrow([rule.start(); WAYS]) }
    }

    /// Takes in a canary that was just sent; those within `grain` of each other are one step.
    pub(super) fn open(&mut self, at: At, grain: Span) {
        match self.slots.back_mut() {
            Some(slot) if slot.open > 0 && (at.since(slot.at) < grain || slot.at == at) => {
                slot.canaries += 1;
                slot.open += 1;
            }
            _ => self.slots.push_back(Slot { at, canaries: 1, open: 1, said: [0.0; WAYS], factor: [1.0; WAYS], gain: [0.0; WAYS] }),
        }
    }

    /// A canary that was sent at `at` has settled. `None`: it says nothing, as if it had never been sent.
    pub(super) fn close(&mut self, at: At, said: Option<&Nats>) {
        let after = self.slots.partition_point(|s| s.at <= at);
        let Some(place) = after.checked_sub(1) else { return };
        let Some(slot) = self.slots.get_mut(place) else { return };
        slot.open = slot.open.saturating_sub(1);
        match said {
            Some(nats) => slot.said.iter_mut().zip(nats).for_each(|(sum, z)| *sum = (f64::from(*sum) + z) as f32),
            None => slot.canaries = slot.canaries.saturating_sub(1),
        }
        let settled = slot.open == 0;
        slot.settle();
        self.fold();
        if settled && self.rule == Rule::Failure {
            self.join(at);
        }
    }

    fn fold(&mut self) {
        while let Some(slot) = self.slots.pop_front_if(|s| s.open == 0) {
            match self.rule {
                // A row of settled steps is one already.
                Rule::Failure => {
                    for ((sum, factor), gain) in self.folded.iter_mut().zip(slot.factor).zip(slot.gain) {
                        let before = f64::from(*sum).min(MOST.ln()).exp();
                        *sum = (before * f64::from(factor) + f64::from(gain)).clamp(LEAST, MOST).ln() as f32;
                    }
                }
                Rule::Recovery => {
                    for (sum, said) in self.folded.iter_mut().zip(slot.said) {
                        *sum = (f64::from(*sum) - f64::from(said)).max(0.0) as f32;
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

    /// Where the recursions stand, with what the canaries in flight say by now; `open` in the order of sending.
    pub(super) fn weigh(&self, open: &[(At, Factors)]) -> Nats {
        match self.rule {
            Rule::Failure => self.weigh_failure(open),
            Rule::Recovery => self.weigh_recovery(open),
        }
    }

    fn weigh_failure(&self, open: &[(At, Factors)]) -> Nats {
        let mut sums = self.folded.map(|s| f64::from(s).min(MOST.ln()).exp());
        let mut rest = open.iter().peekable();
        for (index, slot) in self.slots.iter().enumerate() {
            if slot.open == 0 {
                for ((sum, factor), gain) in sums.iter_mut().zip(slot.factor).zip(slot.gain) {
                    *sum = (*sum * f64::from(factor) + f64::from(gain)).min(MOST);
                }
                continue;
            }
            let canaries = f64::from(slot.canaries);
            sums.iter_mut().zip(slot.factor).for_each(|(sum, factor)| *sum = (canaries + *sum) * f64::from(factor));
            let until = self.slots.get(index + 1).map(|next| next.at);
            while let Some((_, factors)) = rest.next_if(|(at, _)| until.is_none_or(|u| *at < u)) {
                sums.iter_mut().zip(factors).for_each(|(sum, factor)| *sum = (*sum * factor).min(MOST));
            }
            sums.iter_mut().for_each(|sum| *sum = sum.min(MOST));
        }
        // Nothing sent: no evidence. The text of a checkpoint has no infinities.
        sums.map(|sum| sum.max(LEAST).ln())
    }

    fn weigh_recovery(&self, open: &[(At, Factors)]) -> Nats {
        let mut sums = widen(self.folded);
        let mut rest = open.iter().peekable();
        for (index, slot) in self.slots.iter().enumerate() {
            let mut said = widen(slot.said);
            let until = self.slots.get(index + 1).map(|next| next.at);
            while let Some((_, factors)) = rest.next_if(|(at, _)| until.is_none_or(|u| *at < u)) {
                said.iter_mut().zip(factors).for_each(|(sum, factor)| *sum += factor.ln());
            }
            for (sum, z) in sums.iter_mut().zip(said) {
                *sum = (*sum - z).max(0.0);
            }
        }
        sums
    }
}

/// What a sequence of failures adds up to: the mixture over the ways.
pub(super) fn mixture(sums: &Nats) -> f64 {
    ln_sum(believed(sums).into_iter())
}

/// Each way's part in the mixture.
pub(super) fn believed(sums: &Nats) -> Nats {
    let mut parts = *sums;
    parts.iter_mut().zip(BELIEFS).for_each(|(part, belief)| *part += belief.ln());
    parts
}

fn widen(of: [f32; WAYS]) -> Nats {
    of.map(f64::from)
}

pub(super) fn narrow(of: Nats) -> [f32; WAYS] {
    of.map(|v| v as f32)
}
