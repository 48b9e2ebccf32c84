//! What is computed beforehand: the service level over several windows.

use super::super::super::metrics::names;

/// A series that Prometheus computes.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its name.
    pub name: String,
    /// How.
    pub expr: String,
    /// With which others.
    pub group: Group,
}

/// Recordings that are computed together, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// As often as rules are.
    Short,
    /// Those over days: seldom, for each look at 28 days reads all of them, but within the five minutes for which Prometheus takes a series for
    /// present.
    Long,
    /// One look at each hour, which months are summed from: a histogram has too many series to be looked at over days.
    Hourly,
}

impl Group {
    /// In the order of the file.
    pub(super) const ALL: [Self; 3] = [Self::Short, Self::Long, Self::Hourly];

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Short => "mailcanary-service-level",
            Self::Long => "mailcanary-service-level-days",
            Self::Hourly => "mailcanary-service-level-hours",
        }
    }

    /// How often it is computed, where that is not what Prometheus does anyway.
    pub(super) const fn interval(self) -> Option<&'static str> {
        match self {
            Self::Short => None,
            Self::Long => Some("4m"),
            Self::Hourly => Some("1h"),
        }
    }
}

/// The promise, as a series: who promises something else changes this rule.
pub(super) const OBJECTIVE: &str = "mailcanary:objective:ratio";
/// How many canaries of 28 days became what, by route.
pub(in crate::edge::show::grafana) const DECIDED: &str = "mailcanary:canaries_decided:increase28d";
/// How many canaries of an hour took no longer than so long, by route.
pub(in crate::edge::show::grafana) const TOOK: &str = "mailcanary:delivery_latency_seconds_bucket:increase1h";
/// Of whom the share is recorded.
pub(super) const BY: &str = "instance, job, provider, stream";
/// Two windows for each of three burn rates (Google's SRE workbook, chapter 5).
const WINDOWS: [(&str, Group); 5] =
    [("5m", Group::Short), ("30m", Group::Short), ("1h", Group::Short), ("6h", Group::Short), ("3d", Group::Long)];

/// The share of canaries that were missed over a window.
pub(super) fn missed(window: &str) -> String {
    format!("mailcanary:canaries_missed:ratio_rate{window}")
}

/// Every recording rule, group by group.
#[must_use]
pub fn recordings() -> Vec<Recording> {
    let decided = names::CANARIES_DECIDED_TOTAL;
    let one = |group, name: &str, expr: String| Recording { name: name.to_owned(), expr, group };
    let share = |of: &dyn Fn(&str) -> String| format!("sum by ({BY}) ({})\n/ (sum by ({BY}) ({}) > 0)", of("{outcome=\"missed\"}"), of(""));
    let mut all = vec![one(Group::Short, OBJECTIVE, "vector(0.99)".to_owned())];
    for (window, group) in WINDOWS {
        all.push(one(group, &missed(window), share(&|of| format!("rate({decided}{of}[{window}])"))));
    }
    for (name, share) in [("p50", "0.5"), ("p95", "0.95")] {
        let buckets = format!("rate({}_bucket[1h])", names::DELIVERY_LATENCY_SECONDS);
        let expr = format!("histogram_quantile({share}, sum by (le, instance, job, provider) ({buckets}))");
        all.push(one(Group::Short, &format!("mailcanary:delivery_latency_seconds:{name}_1h"), expr));
    }
    all.push(one(Group::Long, DECIDED, format!("sum by ({BY}, inbox, outcome) (increase({decided}[28d]))")));
    // From the series before it: the groups' rules are computed in their order.
    all.push(one(Group::Long, &missed("28d"), share(&|of| format!("{DECIDED}{of}"))));
    let buckets = format!("increase({}_bucket[1h])", names::DELIVERY_LATENCY_SECONDS);
    all.push(one(Group::Hourly, TOOK, format!("sum by ({BY}, inbox, le) ({buckets})")));
    all.sort_by_key(|recording| Group::ALL.iter().position(|group| *group == recording.group));
    all
}
