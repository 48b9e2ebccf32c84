//! Expressions: what is asked of Prometheus, with the labels that each metric has.

use super::super::metrics::{labels, names};
use super::rules::{DECIDED, TOOK};

/// What a dashboard looks at: labels, and how they are matched. A metric is narrowed by those that it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope(&'static [(&'static str, &'static str)]);

/// As far as the variables at the head allow.
pub(super) const CHOSEN: Scope = Scope(&[("provider", "=~\"$provider\""), ("stream", "=~\"$stream\""), ("inbox", "=~\"$inbox\"")]);
/// Every route; of the installations that were chosen.
pub(super) const ALL: Scope = Scope(&[]);

impl Scope {
    /// The series of `metric` that are meant; `more` are further matchers, as `outcome="missed"`.
    pub(super) fn of(self, metric: &str, more: &str) -> String {
        self.suffixed(metric, "", more)
    }

    /// The buckets of a histogram.
    pub(super) fn buckets(self, metric: &str) -> String {
        self.suffixed(metric, "_bucket", "")
    }

    /// Those of them with this matcher.
    pub(super) fn buckets_like(self, metric: &str, more: &str) -> String {
        self.suffixed(metric, "_bucket", more)
    }

    /// The series of this name that are recorded of `metric`, by route.
    fn recorded(self, series: &str, metric: &str, more: &str) -> String {
        self.narrowed(series, metric, more)
    }

    fn suffixed(self, metric: &str, suffix: &str, more: &str) -> String {
        self.narrowed(&format!("{metric}{suffix}"), metric, more)
    }

    fn narrowed(self, series: &str, metric: &str, more: &str) -> String {
        let has = labels(metric);
        let mine = self.0.iter().filter(|(label, _)| has.contains(label)).map(|(label, matcher)| format!("{label}{matcher}"));
        let further = (!more.is_empty()).then(|| more.to_owned());
        let all: Vec<String> = std::iter::once("instance=~\"$instance\"".to_owned()).chain(mine).chain(further).collect();
        format!("{series}{{{}}}", all.join(","))
    }
}

/// The verdict as a figure: 0 delivering, 1 unknown, 2 degraded, 3 stopped; of several the worst.
pub(super) fn verdict(scope: Scope, metric: &str, by: &str) -> String {
    let one = |verdict: &str| scope.of(metric, &format!("verdict=\"{verdict}\""));
    format!("max by ({by}) (3 * {} or 2 * {} or {} or 0 * {})", one("stopped"), one("degraded"), one("unknown"), one("delivering"))
}

/// The standing of accounts as a figure: 0 good, 1 not said, 2 warned, 3 stopped.
pub(super) fn standing(scope: Scope) -> String {
    let one = |standing: &str| scope.of(names::ACCOUNT_STANDING, &format!("standing=\"{standing}\""));
    format!("max by (provider) (3 * {} or 2 * {} or {} or 0 * {})", one("stopped"), one("warned"), one("unknown"), one("good"))
}

/// How long so large a share of mail took at most, in seconds.
pub(super) fn quantile(scope: Scope, share: &str, by: &str, window: &str) -> String {
    quantile_of(scope, names::DELIVERY_LATENCY_SECONDS, share, by, window)
}

/// The same of any histogram.
pub(super) fn quantile_of(scope: Scope, metric: &str, share: &str, by: &str, window: &str) -> String {
    let by = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
    format!("histogram_quantile({share}, sum by ({by}) (increase({}[{window}])))", scope.buckets(metric))
}

/// `sum by (by)` of how much a counter grew.
pub(super) fn grown(scope: Scope, metric: &str, more: &str, by: &str, window: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
    format!("sum{by} (increase({}[{window}]))", scope.of(metric, more))
}

/// The share of canaries with this outcome among those whose fate is known.
pub(super) fn decided(scope: Scope, outcome: &str, by: &str, window: &str) -> String {
    let part = grown(scope, names::CANARIES_DECIDED_TOTAL, &format!("outcome=\"{outcome}\""), by, window);
    format!("{part} / ({} > 0)", grown(scope, names::CANARIES_DECIDED_TOTAL, "", by, window))
}

/// How many canaries of 28 days became this, by a recording.
pub(super) fn month(scope: Scope, more: &str, by: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
    format!("sum{by} ({})", scope.recorded(DECIDED, names::CANARIES_DECIDED_TOTAL, more))
}

/// The share of them that became this.
pub(super) fn share_of_month(scope: Scope, outcome: &str, by: &str) -> String {
    format!("{} / ({} > 0)", month(scope, &format!("outcome=\"{outcome}\""), by), month(scope, "", by))
}

/// How long so large a share of the mail of 28 days took at most, by what is recorded every hour.
pub(super) fn quantile_of_month(scope: Scope, share: &str) -> String {
    let hours = scope.recorded(TOOK, names::DELIVERY_LATENCY_SECONDS, "");
    format!("histogram_quantile({share}, sum by (le) (sum_over_time({hours}[28d])))")
}

/// The share of canaries whose deadline passed.
pub(super) fn loss(scope: Scope, by: &str, window: &str) -> String {
    let count = |metric| grown(scope, metric, "", by, window);
    let lost = count(names::CANARIES_LOST_TOTAL);
    format!("{lost} / ({lost} + {} - {} > 0)", count(names::CANARIES_ARRIVED_TOTAL), count(names::CANARIES_LATE_TOTAL))
}

/// The share of arrivals that lie in Junk.
pub(super) fn junk(scope: Scope, by: &str, window: &str) -> String {
    let arrived = |more| grown(scope, names::CANARIES_ARRIVED_TOTAL, more, by, window);
    format!("{} / ({} > 0)", arrived("placement=\"junk\""), arrived(""))
}

/// The evidence against routes as a share of what changes a verdict; of several the worst.
pub(super) fn suspicion(scope: Scope, by: &str) -> String {
    format!(
        "max by ({by}) ({} / on (instance, job) group_left () ({} > 0))",
        scope.of(names::SUSPICION, ""),
        ALL.of(names::SUSPICION_THRESHOLD, "")
    )
}

/// The largest of these, as many as a plot can tell apart.
pub(super) fn most(expr: &str) -> String {
    format!("topk(15, {expr})")
}

/// How long ago a moment is that a metric tells in seconds since 1970; without those that have not been yet. Of several the newest.
pub(super) fn age(scope: Scope, metric: &str, by: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
    format!("time() - max{by} ({} > 0)", scope.of(metric, ""))
}
