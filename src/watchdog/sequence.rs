//! Evidence over time: recursions over canaries in the order of sending, so that a late arrival of an old canary does not wipe out what
//! newer silent ones say, and an arrival of a newer one does.
//!
//! What has settled is folded away; what is in flight is weighed anew when asked, by its age.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::hypothesis::{BELIEFS, Nats, WAYS, ln_sum};
use crate::model::{At, Span};

/// Recursions are not followed beyond this.
const MOST: f64 = 1e250;
/// Nor below.
const LEAST: f64 = 1e-300;

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

    fn step(self, before: f64, canaries: u32, said: f64) -> f64 {
        match self {
            Self::Failure if before > 60.0 => before + said,
            Self::Failure => (f64::from(canaries) + before.exp()).ln() + said,
            Self::Recovery => (before - said).max(0.0),
        }
    }
}

/// Canaries that were sent at nearly the same time.
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
            Some(slot) if at.since(slot.at) < grain || slot.at == at => {
                slot.canaries += 1;
                slot.open += 1;
            }
            _ => self.slots.push_back(Slot { at, canaries: 1, open: 1, said: [0.0; WAYS], factor: [1.0; WAYS] }),
        }
    }

    /// A canary that was sent at `at` has settled. `None`: it says nothing, as if it had never been sent.
    pub(super) fn close(&mut self, at: At, said: Option<&Nats>) {
        let after = self.slots.partition_point(|s| s.at <= at);
        let Some(slot) = after.checked_sub(1).and_then(|i| self.slots.get_mut(i)) else { return };
        slot.open = slot.open.saturating_sub(1);
        match said {
            Some(nats) => {
                slot.said.iter_mut().zip(nats).for_each(|(sum, z)| *sum = (f64::from(*sum) + z) as f32);
                if slot.open > 0 || after > 1 {
                    slot.factor = slot.said.map(|s| s.clamp(-80.0, 80.0).exp());
                }
            }
            None => slot.canaries = slot.canaries.saturating_sub(1),
        }
        self.fold();
    }

    fn fold(&mut self) {
        while let Some(slot) = self.slots.pop_front_if(|s| s.open == 0) {
            for (sum, said) in self.folded.iter_mut().zip(slot.said) {
                *sum = self.rule.step(f64::from(*sum), slot.canaries, f64::from(said)) as f32;
            }
        }
    }

    /// Where the recursions stand, with what the canaries in flight say by now; `open` in the order of sending.
    pub(super) fn weigh(&self, open: &[(At, Nats)]) -> Nats {
        match self.rule {
            Rule::Failure => self.weigh_failure(open),
            Rule::Recovery => self.weigh_recovery(open),
        }
    }

    /// Not in logarithms: a slot in which all has settled costs a multiplication.
    fn weigh_failure(&self, open: &[(At, Nats)]) -> Nats {
        let mut sums = self.folded.map(|s| f64::from(s).min(MOST.ln()).exp());
        let mut rest = open.iter().peekable();
        for (index, slot) in self.slots.iter().enumerate() {
            let canaries = f64::from(slot.canaries);
            sums.iter_mut().zip(slot.factor).for_each(|(sum, factor)| *sum = (canaries + *sum) * f64::from(factor));
            if slot.open > 0 {
                let mut said = [0.0; WAYS];
                let until = self.slots.get(index + 1).map(|next| next.at);
                while let Some((_, nats)) = rest.next_if(|(at, _)| until.is_none_or(|u| *at < u)) {
                    said.iter_mut().zip(nats).for_each(|(sum, z)| *sum += z);
                }
                if said != [0.0; WAYS] {
                    sums.iter_mut().zip(said).for_each(|(sum, z)| *sum *= z.exp());
                }
            }
            sums.iter_mut().for_each(|sum| *sum = sum.min(MOST));
        }
        // Nothing sent: no evidence. The text of a checkpoint has no infinities.
        sums.map(|sum| sum.max(LEAST).ln())
    }

    fn weigh_recovery(&self, open: &[(At, Nats)]) -> Nats {
        let mut sums = widen(self.folded);
        let mut rest = open.iter().peekable();
        for (index, slot) in self.slots.iter().enumerate() {
            let mut said = widen(slot.said);
            let until = self.slots.get(index + 1).map(|next| next.at);
            while let Some((_, nats)) = rest.next_if(|(at, _)| until.is_none_or(|u| *at < u)) {
                said.iter_mut().zip(nats).for_each(|(sum, z)| *sum += z);
            }
            for (sum, z) in sums.iter_mut().zip(said) {
                *sum = self.rule.step(*sum, slot.canaries, z);
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
