//! What is computed beforehand: the service level over several windows.

use super::super::super::metrics::names;

/// A series that Prometheus computes.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its name.
    pub name: String,
    /// How.
    pub expr: String,
}

/// The promise, as a series: who promises something else changes this rule.
pub(super) const OBJECTIVE: &str = "mailcanary:objective:ratio";
/// Of whom the share is recorded.
pub(super) const BY: &str = "instance, job, provider, stream";
/// Two windows for each of three burn rates (Google's SRE workbook, chapter 5), and the 28 days of the promise.
const WINDOWS: [&str; 6] = ["5m", "30m", "1h", "6h", "3d", "28d"];

/// The share of canaries that were missed over a window.
pub(super) fn missed(window: &str) -> String {
    format!("mailcanary:canaries_missed:ratio_rate{window}")
}

/// Every recording rule.
#[must_use]
pub fn recordings() -> Vec<Recording> {
    let decided = names::CANARIES_DECIDED_TOTAL;
    let ratio = |window: &&str| Recording {
        name: missed(window),
        expr: format!("sum by ({BY}) (rate({decided}{{outcome=\"missed\"}}[{window}]))\n/ (sum by ({BY}) (rate({decided}[{window}])) > 0)"),
    };
    let mut all = vec![Recording { name: OBJECTIVE.to_owned(), expr: "vector(0.99)".to_owned() }];
    all.extend(WINDOWS.iter().map(ratio));
    for (name, share) in [("p50", "0.5"), ("p95", "0.95")] {
        all.push(Recording {
            name: format!("mailcanary:delivery_latency_seconds:{name}_1h"),
            expr: format!(
                "histogram_quantile({share}, sum by (le, instance, job, provider) (rate({}_bucket[1h])))",
                names::DELIVERY_LATENCY_SECONDS
            ),
        });
    }
    all
}
