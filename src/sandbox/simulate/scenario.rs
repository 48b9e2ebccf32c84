//! A scenario: who sends to whom, what healthy mail does, what breaks, and how often it is played.

use std::collections::BTreeSet;
use std::fmt;

use super::trouble::Harm;
use super::weather::Weather;
use super::world::Climate;
use crate::model::{Name, Route, Span};

/// A scenario. [`Scenario::parse`] reads one.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Who sends to whom.
    pub routes: Vec<Route>,
    /// What the watcher is set up with, as the configuration of the daemon.
    pub configuration: String,
    /// One routine canary a route in this time.
    pub every: Span,
    /// What comes later than this is as good as lost.
    pub deadline: Span,
    /// The promise: false pages a year, for the whole matrix.
    pub false_pages: f64,
    /// What healthy mail does.
    pub climate: Climate,
    /// What breaks in each run.
    pub failures: Vec<Failure>,
    /// How often it is played.
    pub runs: Runs,
}

/// One thing that breaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What.
    pub harm: Harm,
    /// How long after the learning.
    pub after: Span,
    /// For how long.
    pub lasts: Span,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.harm, self.lasts)?;
        if self.after > Span::ZERO { write!(f, ", {} later", self.after) } else { Ok(()) }
    }
}

/// How often, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Runs with the failures.
    pub count: u64,
    /// Health before each of them; the failures begin at a random instant of the round that follows.
    pub learn: Span,
    /// How long each is watched after the last failure is over.
    pub watch: Span,
    /// Quiet years, each from a cold start.
    pub quiet: u64,
    /// How long each of these "years" lasts.
    pub quiet_lasts: Span,
    /// Every choice of chance follows from it.
    pub seed: u64,
}

impl Scenario {
    /// The first failure of mail.
    #[must_use]
    pub fn first_of_mail(&self) -> Option<&Harm> {
        self.failures.iter().map(|f| &f.harm).find(|h| h.is_of_mail())
    }

    /// The places of the routes that the first failure of mail touches.
    #[must_use]
    pub fn touched(&self) -> BTreeSet<usize> {
        let Some(harm) = self.first_of_mail() else { return BTreeSet::new() };
        let culprit = harm.culprit();
        self.routes.iter().enumerate().filter(|(_, route)| culprit.covers(route)).map(|(place, _)| place).collect()
    }

    /// What healthy mail of this route does.
    #[must_use]
    pub fn weather(&self, route: &Route) -> Option<&Weather> {
        self.climate.iter().rev().find(|(of, _)| of.covers(route)).map(|(_, weather)| weather)
    }
}

/// The routes of a full matrix: providers `p0`…, streams `s0`…, inboxes `i0`….
#[must_use]
pub fn matrix(providers: usize, streams: usize, inboxes: usize) -> Vec<Route> {
    let names = |letter: char, count: usize| -> Vec<Name> { (0..count).filter_map(|n| Name::new(&format!("{letter}{n}")).ok()).collect() };
    let (ps, ss, is) = (names('p', providers), names('s', streams), names('i', inboxes));
    let mut routes = Vec::new();
    for provider in &ps {
        for stream in &ss {
            routes.extend(is.iter().map(|i| Route { provider: provider.clone(), stream: stream.clone(), inbox: i.clone() }));
        }
    }
    routes
}
