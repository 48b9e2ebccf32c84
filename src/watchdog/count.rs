//! Counting: histograms that continue after a restart.

use serde::{Deserialize, Serialize};

use crate::model::Span;

/// Upper bounds of the buckets, in milliseconds; above the last there is one more, unbounded.
/// From a local relay's tens of milliseconds to the longest that queues hold mail (RFC 5321 4.5.4.1: days).
pub const BUCKETS_MS: [u64; 20] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000, 300_000, 900_000, 1_800_000, 3_600_000,
    14_400_000, 86_400_000,
];

/// How often durations fell into which bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Not cumulative; one more than there are bounds.
    pub buckets: [u64; BUCKETS_MS.len() + 1],
    /// Sum of all durations.
    pub sum_ms: u64,
}

impl Histogram {
    /// Counts one duration.
    pub fn observe(&mut self, span: Span) {
        let ms = span.as_ms();
        let index = BUCKETS_MS.partition_point(|bound| *bound < ms);
        if let Some(bucket) = self.buckets.get_mut(index) {
            *bucket += 1;
        }
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}
