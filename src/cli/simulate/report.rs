//! What came of a simulation, beside what others would have made of the same canaries.

use serde::Serialize;

use super::rules::Rules;
use crate::model::Span;
use crate::sandbox::simulate::rival::{Fixed, Rivals};
use crate::sandbox::simulate::{Figures, Healthy, Quantiles, Scenario, Study};

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The scenario's file.
    pub scenario: String,
    /// Routes in the matrix.
    pub routes: usize,
    /// The cadence, in seconds.
    pub every_secs: f64,
    /// The promise.
    pub false_pages_per_year: f64,
    /// What the failures are.
    pub failures: Vec<String>,
    /// The runs with the failures.
    pub runs: Option<Figures>,
    /// The quiet years.
    pub quiet: Option<Quiet>,
    /// What others would have done.
    pub others: Vec<Other>,
}

/// Quiet years.
#[derive(Debug, Serialize)]
pub struct Quiet {
    /// How much was watched.
    #[serde(flatten)]
    pub counted: Healthy,
    /// False pages a year.
    pub pages_a_year: f64,
    /// The same after the first quarter of each piece.
    pub pages_a_year_once_settled: f64,
    /// Confirmations as a share of the routine canaries.
    pub extra: f64,
}

/// Another way to decide.
#[derive(Debug, Serialize)]
pub struct Other {
    /// What it is.
    pub rule: String,
    /// From the first failure until it cries.
    pub told_after_secs: Option<Quantiles>,
    /// False pages a year in the same quiet time; `None`: by construction as promised, or not known.
    pub pages_a_year: Option<f64>,
}

impl Report {
    /// Of a study.
    #[must_use]
    pub fn of(file: String, scenario: &Scenario, study: &Study<Rivals>, rules: &Rules<'_>) -> Self {
        let runs: Vec<_> = study.runs.iter().map(|(run, _)| run.clone()).collect();
        let quiet = (scenario.runs.quiet > 0).then(|| Quiet {
            counted: study.healthy,
            pages_a_year: study.healthy.pages_a_year(),
            pages_a_year_once_settled: study.healthy.pages_a_year_once_settled(scenario.runs.quiet),
            extra: study.healthy.extra(),
        });
        Self {
            scenario: file,
            routes: scenario.routes.len(),
            every_secs: scenario.every.as_secs_f64(),
            false_pages_per_year: scenario.false_pages,
            failures: scenario.failures.iter().map(|f| f.to_string()).collect(),
            runs: (!runs.is_empty()).then(|| Figures::of(&runs)),
            quiet,
            others: others(rules),
        }
    }
}

fn others(rules: &Rules<'_>) -> Vec<Other> {
    let quantiles = |told: Option<Vec<Option<Span>>>| told.map(|t| Quantiles::of(t.into_iter()));
    let fixed =
        |rule: String, fixed: Fixed| Other { rule, told_after_secs: quantiles(rules.fixed(fixed)), pages_a_year: rules.fixed_cries(fixed) };
    let mut others = vec![fixed(format!("{} missing after {}", Fixed::USUAL.count, Fixed::USUAL.wait), Fixed::USUAL)];
    if let Some(best) = rules.best() {
        others.push(fixed(format!("{} in a row missing after {} (the best with hindsight)", best.count, best.wait), best));
    }
    if let Some(phi) = rules.tuned() {
        others.push(Other {
            rule: format!("phi accrual, normal, at {:.1} deviations (with hindsight)", phi.z),
            told_after_secs: quantiles(rules.phi(phi)),
            pages_a_year: Some(rules.promise()),
        });
    }
    let bound = |takes: Option<f64>| match takes {
        Some(takes) => format!("the bound for passive rules (closed form: {takes:.1} s)"),
        None => "the bound for passive rules".to_owned(),
    };
    let oracle = rules.has_bound().then(|| Other {
        rule: bound(rules.closed_form()),
        told_after_secs: quantiles(rules.bound(rules.promise())),
        pages_a_year: None,
    });
    others.extend(oracle);
    others
}
