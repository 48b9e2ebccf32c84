//! What came of a simulation, beside what others would have made of the same canaries.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{At, Reason, Route, Span};
use crate::sandbox::simulate::rival::{Alternative, Fixed, Oracle, Phi, Rates, Rivals};
use crate::sandbox::simulate::{Figures, Flight, Healthy, Quantiles, Scenario, Story, Study};

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
    pub fn of(file: String, scenario: &Scenario, study: &Study<Rivals>) -> Self {
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
            failures: scenario.failures.iter().map(|f| format!("{:?} after {} for {}", f.harm, f.after, f.lasts)).collect(),
            runs: (!runs.is_empty()).then(|| Figures::of(&runs)),
            quiet,
            others: others(scenario, study),
        }
    }
}

/// The routes that the first failure of mail touches.
fn touched(scenario: &Scenario) -> BTreeSet<usize> {
    let Some(harm) = scenario.first_of_mail() else { return BTreeSet::new() };
    let culprit = harm.culprit();
    let covered = |(_, route): &(usize, &Route)| culprit.covers(route);
    scenario.routes.iter().enumerate().filter(covered).map(|(place, _)| place).collect()
}

fn others(scenario: &Scenario, study: &Study<Rivals>) -> Vec<Other> {
    let rates: Vec<&Rates> = study.observers.iter().map(|o| &o.fixed).collect();
    let silences: Vec<_> = study.observers.iter().map(|o| &o.phi).collect();
    let years = study.healthy.years;
    let allowed = scenario.false_pages * years;
    let touched = touched(scenario);
    let told = |cries: &dyn Fn(&[Flight], &Story) -> Option<At>| {
        let scored = |story: &Story| {
            let of = |place: &usize| -> Vec<Flight> {
                story.flights.iter().filter(|f| f.route == *place && f.reason == Reason::Routine).copied().collect()
            };
            touched.iter().filter_map(|place| cries(&of(place), story)).min().map(|at| at.since(story.onset))
        };
        (!touched.is_empty() && !study.runs.is_empty()).then(|| Quantiles::of(study.runs.iter().map(|(_, story)| scored(story))))
    };
    let a_year = |cried: u64| (years > 0.0).then(|| cried as f64 / years);
    let fixed = |rule: Fixed| told(&|flights, story| rule.cries(flights.iter(), story.onset).filter(|at| *at <= story.end));
    let mut others = vec![Other {
        rule: format!("{} missing after {}", Fixed::USUAL.count, Fixed::USUAL.wait),
        told_after_secs: fixed(Fixed::USUAL),
        pages_a_year: Rates::of(Fixed::USUAL, &rates).and_then(a_year),
    }];
    if let Some(best) = Rates::best(&rates, allowed, scenario.every).filter(|_| years > 0.0) {
        others.push(Other {
            rule: format!("{} in a row missing after {} (the best with hindsight)", best.count, best.wait),
            told_after_secs: fixed(best),
            pages_a_year: Rates::of(best, &rates).and_then(a_year),
        });
        let phi = Phi::tuned(&silences, allowed);
        others.push(Other {
            rule: format!("phi accrual, normal, at {:.1} deviations (with hindsight)", phi.z),
            told_after_secs: told(&|flights, story| phi.cries(flights.iter(), story.onset, story.end)),
            pages_a_year: Some(scenario.false_pages),
        });
    }
    others.extend(oracle(scenario, study, &touched));
    others
}

/// The bound for rules that send nothing extra, which knows the world and the failure.
fn oracle(scenario: &Scenario, study: &Study<Rivals>, touched: &BTreeSet<usize>) -> Option<Other> {
    let alternative = scenario.first_of_mail().and_then(Alternative::of)?;
    let first = touched.iter().next().and_then(|place| scenario.routes.get(*place))?;
    let (_, weather) = scenario.climate.iter().rev().find(|(of, _)| of.covers(first))?;
    let count = touched.len() as u64;
    let canaries = 365.25 * 86_400.0 / scenario.every.as_secs_f64() * count as f64 / scenario.false_pages;
    let oracle = Oracle::new(weather, canaries);
    let takes = |story: &Story| {
        let mine: Vec<Flight> =
            story.flights.iter().filter(|f| touched.contains(&f.route) && f.reason == Reason::Routine).copied().collect();
        oracle.cries(&mine, alternative, story.onset, story.end).map(|at| at.since(story.onset))
    };
    let rule = if alternative == Alternative::Stop {
        let spacing = Span::from_ms(scenario.every.as_ms() / count.max(1));
        format!("the bound for passive rules (closed form: {:.1} s)", oracle.stop_takes(spacing))
    } else {
        "the bound for passive rules".to_owned()
    };
    let told_after_secs = (!study.runs.is_empty()).then(|| Quantiles::of(study.runs.iter().map(|(_, story)| takes(story))));
    Some(Other { rule, told_after_secs, pages_a_year: None })
}
