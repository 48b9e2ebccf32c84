//! What came of many runs, as figures.

use serde::Serialize;

use crate::model::{Culprit, Kind, Span};

/// What came of one run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// From the first failure to the first notice about it.
    pub told_after: Option<Span>,
    /// From the first failure to the first page about it.
    pub paged_after: Option<Span>,
    /// Whether the right culprits, and nobody else, were blamed in the first notice; and half a minute later.
    pub right_at_once: bool,
    /// The same half a minute later.
    pub right_soon: bool,
    /// Who was blamed then.
    pub blamed: Vec<(Culprit, Kind)>,
    /// How many times somebody was paged.
    pub pages: u64,
    /// From the end of the last failure until everything was resolved.
    pub resolved_after: Option<Span>,
    /// Everything was resolved while a failure went on.
    pub resolved_early: bool,
    /// Something was open before it began: the run says nothing.
    pub spoilt: bool,
    /// Canaries sent while it failed: extra ones, and all.
    pub extra: (u64, u64),
}

/// What a watcher had learnt of one route's healthy mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    /// The place of the route among the scenario's.
    pub route: usize,
    /// The share of mail that is older than each age.
    pub out: Vec<(Span, f64)>,
}

impl Learnt {
    /// The ages: eight an octave, from an eighth of a second to nearly five hours.
    pub fn ages() -> impl Iterator<Item = Span> {
        (0..=136).map(|place| Span::from_ms((125.0 * (f64::from(place) / 8.0).exp2()) as u64))
    }
}

/// Quantiles of durations, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half are shorter.
    pub median: Option<f64>,
    /// Nine in ten are shorter.
    pub p90: Option<f64>,
    /// 99 in 100 are shorter.
    pub p99: Option<f64>,
    /// How many never came.
    pub missed: usize,
}

impl Quantiles {
    /// Of these; `None` counts as longer than all others.
    pub fn of(spans: impl Iterator<Item = Option<Span>>) -> Self {
        let all: Vec<Option<Span>> = spans.collect();
        let mut known: Vec<Span> = all.iter().copied().flatten().collect();
        known.sort_unstable();
        let at = |share: f64| {
            let place = ((all.len() as f64 * share).ceil() as usize).saturating_sub(1);
            known.get(place).map(|s| s.as_secs_f64())
        };
        Self { median: at(0.5), p90: at(0.9), p99: at(0.99), missed: all.len() - known.len() }
    }
}

/// What came of the runs with failures.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// Runs that say something.
    pub runs: usize,
    /// Runs that do not: something false was open when the failure began.
    pub spoilt: usize,
    /// From the first failure to the first notice.
    pub told_after_secs: Quantiles,
    /// From the first failure to the first page.
    pub paged_after_secs: Quantiles,
    /// The share of told runs in which the right culprits were blamed in the first notice.
    pub right_at_once: f64,
    /// The same 30 s later.
    pub right_after_30s: f64,
    /// Who was blamed 30 s after the first notice, and how often.
    pub blamed: Vec<(String, usize)>,
    /// Pages for a run: the mean.
    pub pages: f64,
    /// Pages for a run: the most.
    pub pages_at_most: u64,
    /// From the end of the last failure until all was resolved.
    pub resolved_after_secs: Quantiles,
    /// The share in which all was resolved while a failure went on.
    pub resolved_early: f64,
    /// Confirmations while it failed, as a share of the routine canaries.
    pub extra: f64,
}

impl Figures {
    /// Adds the runs up.
    #[must_use]
    pub fn of(runs: &[Run]) -> Self {
        let valid: Vec<&Run> = runs.iter().filter(|r| !r.spoilt).collect();
        let told = valid.iter().filter(|r| r.told_after.is_some()).count();
        let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        let mut blamed: Vec<(String, usize)> = Vec::new();
        for run in &valid {
            let words: Vec<String> = run.blamed.iter().map(|(culprit, kind)| format!("{culprit} {}", kind.as_str())).collect();
            let words = words.join(" + ");
            match blamed.iter_mut().find(|(known, _)| *known == words) {
                Some((_, count)) => *count += 1,
                None => blamed.push((words, 1)),
            }
        }
        blamed.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let extra = valid.iter().fold((0, 0), |sum, r| (sum.0 + r.extra.0, sum.1 + r.extra.1));
        Self {
            runs: valid.len(),
            spoilt: runs.len() - valid.len(),
            told_after_secs: Quantiles::of(valid.iter().map(|r| r.told_after)),
            paged_after_secs: Quantiles::of(valid.iter().map(|r| r.paged_after)),
            right_at_once: share(valid.iter().filter(|r| r.told_after.is_some() && r.right_at_once).count(), told),
            right_after_30s: share(valid.iter().filter(|r| r.told_after.is_some() && r.right_soon).count(), told),
            blamed,
            pages: valid.iter().map(|r| r.pages).sum::<u64>() as f64 / valid.len().max(1) as f64,
            pages_at_most: valid.iter().map(|r| r.pages).max().unwrap_or(0),
            resolved_after_secs: Quantiles::of(valid.iter().filter(|r| r.told_after.is_some()).map(|r| r.resolved_after)),
            resolved_early: share(valid.iter().filter(|r| r.resolved_early).count(), told),
            extra: extra.0 as f64 / (extra.1 - extra.0).max(1) as f64,
        }
    }
}

/// What came of quiet time: everything told was false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Healthy {
    /// How long, in years.
    pub years: f64,
    /// Pages.
    pub pages: u64,
    /// Of these, in the first quarter of each piece.
    pub pages_in_first_quarter: u64,
    /// Incidents of any severity.
    pub incidents: u64,
    /// Routine canaries.
    pub routine: u64,
    /// Confirmations.
    pub confirmations: u64,
    /// Events taken in.
    pub events: u64,
}

impl Healthy {
    /// Adds another piece.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            years: self.years + other.years,
            pages: self.pages + other.pages,
            pages_in_first_quarter: self.pages_in_first_quarter + other.pages_in_first_quarter,
            incidents: self.incidents + other.incidents,
            routine: self.routine + other.routine,
            confirmations: self.confirmations + other.confirmations,
            events: self.events + other.events,
        }
    }

    /// Pages a year.
    #[must_use]
    pub fn pages_a_year(&self) -> f64 {
        self.pages as f64 / self.years.max(1e-9)
    }

    /// Pages a year after the first quarter of each piece, in which habits are learnt.
    #[must_use]
    pub fn pages_a_year_once_settled(&self, pieces: u64) -> f64 {
        let settled = self.years - 0.25 * pieces as f64;
        (self.pages - self.pages_in_first_quarter) as f64 / settled.max(1e-9)
    }

    /// Confirmations as a share of the routine canaries.
    #[must_use]
    pub fn extra(&self) -> f64 {
        self.confirmations as f64 / self.routine.max(1) as f64
    }
}
