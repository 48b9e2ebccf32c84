//! How it was day by day.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Name, Time, Verdict};
use crate::edge::show::days::{Day, Days};
use crate::model;
use crate::watchdog::View;

/// The last ninety days of a provider or an inbox.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct LastDays {
    as_of: Time,
    name: Name,
    /// How much of them was watched: mailcanary ran, had a network, and could read.
    watched_seconds: f64,
    /// How much of that was not well.
    trouble_seconds: f64,
    /// The share of what was watched that was well; null: nothing was watched.
    well_ratio: Option<f64>,
    /// By UTC, the oldest first.
    days: Vec<OneDay>,
}

/// One day.
#[derive(Debug, Serialize, JsonSchema)]
struct OneDay {
    /// When it began.
    from: Time,
    /// The worst of it: stopped as a whole, degraded if anything was not well, unknown if nobody saw any of it.
    verdict: Verdict,
    trouble_seconds: f64,
    unwatched_seconds: f64,
}

impl LastDays {
    pub(in crate::edge::show) fn new(view: &View, name: &model::Name, days: &Days) -> Self {
        Self {
            as_of: view.at.into(),
            name: name.into(),
            watched_seconds: days.watched.as_secs_f64(),
            trouble_seconds: days.ill.as_secs_f64(),
            well_ratio: days.share(),
            days: days.days.iter().map(OneDay::from).collect(),
        }
    }
}

impl From<&Day> for OneDay {
    fn from(day: &Day) -> Self {
        Self {
            from: day.from.into(),
            verdict: day.tone.into(),
            trouble_seconds: day.ill.as_secs_f64(),
            unwatched_seconds: day.dark.as_secs_f64(),
        }
    }
}
