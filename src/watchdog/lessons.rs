//! What was learnt of how long mail takes: counts by latency, in which what is old weighs less.

use serde::{Deserialize, Serialize};

use crate::model::{At, Span};

/// Buckets: eight an octave from a quarter of a second to 4096 s, and one for what takes longer.
pub(super) const BUCKETS: usize = 113;
/// What is learnt weighs half as much after a week: mail has habits of the day and of the week.
const HALF_LIFE_MS: f64 = 7.0 * 86_400_000.0;
/// Weights are brought down again when the newest weighs this much.
const RESCALE_AT: f64 = 1024.0;

/// What arrived in which bucket, and what was lost. Newer counts weigh more, so that nothing need be decayed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// When a canary weighed one.
    epoch: At,
    /// What the newest one weighed.
    pub(super) unit: f32,
    /// As far as anything has arrived.
    pub(super) arrived: Vec<f32>,
    pub(super) lost: f32,
}

impl Counts {
    /// Counts one canary that arrived in this bucket, or was lost.
    pub(super) fn add(&mut self, at: At, bucket: Option<usize>) {
        if self.is_empty() {
            self.epoch = at;
        }
        let mut weight = (ms(at.since(self.epoch)) / HALF_LIFE_MS).exp2();
        if weight > RESCALE_AT {
            let by = narrow(1.0 / weight);
            self.arrived.iter_mut().for_each(|d| *d *= by);
            self.lost *= by;
            self.epoch = at;
            weight = 1.0;
        }
        self.unit = narrow(weight);
        match bucket {
            Some(bucket) => {
                self.reach(bucket.min(BUCKETS - 1));
                if let Some(d) = self.arrived.get_mut(bucket) {
                    *d += self.unit;
                }
            }
            None => self.lost += self.unit,
        }
    }

    /// Whether nothing was counted yet.
    pub(super) fn is_empty(&self) -> bool {
        self.unit == 0.0
    }

    /// Makes room up to this bucket and hardly further: there are many routes, and most mail is quick.
    fn reach(&mut self, bucket: usize) {
        if bucket >= self.arrived.len() {
            self.arrived.reserve_exact(bucket + 1 - self.arrived.len());
            self.arrived.resize(bucket + 1, 0.0);
        }
    }

    /// One that was counted as lost has arrived after all.
    pub(super) fn find_again(&mut self, at: At, bucket: usize) {
        self.add(at, Some(bucket));
        self.lost = (self.lost - self.unit).max(0.0);
    }
}

pub(super) fn ms(span: Span) -> f64 {
    span.as_ms() as f64
}

/// Kept in half the room: weights and shares need no more than seven digits.
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}
