//! What other rules make of the canaries of a study: how soon each cries, and how often it cried in quiet time.

use std::collections::BTreeSet;

use crate::model::{At, Reason, Span};
use crate::sandbox::simulate::rival::{Alternative, Fixed, Intervals, Oracle, Phi, Rates, Rivals};
use crate::sandbox::simulate::{Flight, Scenario, Story, Study};

/// A year, in seconds.
const YEAR_SECS: f64 = 365.25 * 86_400.0;

/// The rules, beside one study. They watch the routes that break.
#[derive(Debug)]
pub struct Rules<'s> {
    scenario: &'s Scenario,
    study: &'s Study<Rivals>,
    touched: BTreeSet<usize>,
    oracle: Option<(Oracle, Alternative)>,
}

impl<'s> Rules<'s> {
    /// Of this study.
    #[must_use]
    pub fn new(scenario: &'s Scenario, study: &'s Study<Rivals>) -> Self {
        let touched = scenario.touched();
        let mut rules = Self { scenario, study, touched, oracle: None };
        let first = rules.touched.first().and_then(|place| scenario.routes.get(*place));
        let weather = first.and_then(|route| scenario.weather(route));
        let alternative = scenario.first_of_mail().and_then(Alternative::of);
        rules.oracle = weather.zip(alternative).map(|(w, a)| (Oracle::new(w, rules.canaries(scenario.false_pages)), a));
        rules
    }

    /// False pages a year that were promised.
    pub(super) const fn promise(&self) -> f64 {
        self.scenario.false_pages
    }

    /// Quiet years that were played.
    pub(super) const fn years(&self) -> f64 {
        self.study.healthy.years
    }

    /// When a fixed rule cried in each run, from the first failure.
    pub(super) fn fixed(&self, rule: Fixed) -> Option<Vec<Option<Span>>> {
        self.told(&|flights, story| rule.cries(flights.iter(), story.onset).filter(|at| *at <= story.end))
    }

    /// How often a year a fixed rule cried in quiet time.
    pub(super) fn fixed_cries(&self, rule: Fixed) -> Option<f64> {
        Rates::of(rule, &self.rates()).and_then(|cried| self.a_year(cried))
    }

    /// Every fixed rule, and how often a year it cried in quiet time.
    pub(super) fn all_fixed(&self) -> Vec<(Fixed, f64)> {
        Rates::all(&self.rates()).filter_map(|(rule, cried)| Some((rule, self.a_year(cried)?))).collect()
    }

    /// The fixed rule that keeps the promise, tuned with hindsight.
    pub(super) fn best(&self) -> Option<Fixed> {
        Rates::best(&self.rates(), self.allowed(), self.scenario.every).filter(|_| self.years() > 0.0)
    }

    /// When phi accrual cried in each run.
    pub(super) fn phi(&self, phi: Phi) -> Option<Vec<Option<Span>>> {
        self.told(&|flights, story| phi.cries(flights.iter(), story.onset, story.end))
    }

    /// Phi accrual that keeps the promise, tuned with hindsight.
    pub(super) fn tuned(&self) -> Option<Phi> {
        (self.years() > 0.0).then(|| Phi::tuned(&self.silences(), self.allowed()))
    }

    /// Phi accrual tuned to cry so often in all the quiet time.
    pub(super) fn phi_of(&self, cries: u64) -> Phi {
        Phi::tuned(&self.silences(), cries as f64)
    }

    /// How often a year phi accrual cried in quiet time.
    pub(super) fn phi_cries(&self, phi: Phi) -> Option<f64> {
        phi.cried(&self.silences()).and_then(|cried| self.a_year(cried))
    }

    /// Whether a bound is known for what breaks.
    pub(super) const fn has_bound(&self) -> bool {
        self.oracle.is_some()
    }

    /// When a rule that knows the world and the failure, and sends nothing extra, cries in each run: at so many false pages a year.
    pub(super) fn bound(&self, false_pages: f64) -> Option<Vec<Option<Span>>> {
        let (oracle, alternative) = self.oracle.as_ref().filter(|_| !self.study.runs.is_empty())?;
        let oracle = oracle.promising(self.canaries(false_pages));
        let takes = |story: &Story| {
            let watched = |f: &&Flight| self.touched.contains(&f.route) && f.reason == Reason::Routine;
            let mine: Vec<Flight> = story.flights.iter().filter(watched).copied().collect();
            oracle.cries(&mine, *alternative, story.onset, story.end).map(|at| at.since(story.onset))
        };
        Some(self.study.runs.iter().map(|(_, story)| takes(story)).collect())
    }

    /// What the bound should be on average for a stop, in seconds, by the closed form.
    pub(super) fn closed_form(&self) -> Option<f64> {
        let (oracle, _) = self.oracle.as_ref().filter(|(_, a)| *a == Alternative::Stop)?;
        let spacing = self.scenario.every.as_ms() / self.touched.len().max(1) as u64;
        Some(oracle.stop_takes(Span::from_ms(spacing)))
    }

    /// Routine canaries over what breaks, for each false page.
    fn canaries(&self, false_pages: f64) -> f64 {
        YEAR_SECS / self.scenario.every.as_secs_f64() * self.touched.len() as f64 / false_pages
    }

    fn allowed(&self) -> f64 {
        self.scenario.false_pages * self.years()
    }

    fn a_year(&self, cried: u64) -> Option<f64> {
        (self.years() > 0.0).then(|| cried as f64 / self.years())
    }

    fn rates(&self) -> Vec<&Rates> {
        self.study.observers.iter().map(|o| &o.fixed).collect()
    }

    fn silences(&self) -> Vec<&Intervals> {
        self.study.observers.iter().map(|o| &o.phi).collect()
    }

    /// When a rule first cries over any of the routes that break, in each run.
    fn told(&self, cries: &dyn Fn(&[Flight], &Story) -> Option<At>) -> Option<Vec<Option<Span>>> {
        let scored = |story: &Story| {
            let of = |place: &usize| -> Vec<Flight> {
                story.flights.iter().filter(|f| f.route == *place && f.reason == Reason::Routine).copied().collect()
            };
            self.touched.iter().filter_map(|place| cries(&of(place), story)).min().map(|at| at.since(story.onset))
        };
        let known = !self.touched.is_empty() && !self.study.runs.is_empty();
        known.then(|| self.study.runs.iter().map(|(_, story)| scored(story)).collect())
    }
}
