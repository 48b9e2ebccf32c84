//! What other rules would have made of the same canaries: the common static rule, phi accrual, both tuned with hindsight, and a bound.
//!
//! They see the routine canaries of one route each, and are given more than they would have: when mail arrived, whether or not its inbox
//! could be read, and that a silence in which the watcher slept is none.

use serde::Serialize;

use super::canaries::Canaries;
use super::findings::Rate;
use super::outage::{Mark, Outage, When};
use crate::config::Settings;
use crate::model::{At, Kind, Reason, Span};
use crate::sandbox::simulate::rival::{Alternative, Fixed, Oracle, Phi, Rates, Rivals};
use crate::sandbox::simulate::{Flight, Observing as _};

/// A year, in seconds.
const YEAR_SECS: f64 = 365.25 * 86_400.0;
/// With fewer healthy canaries than this, what is usual is too little known for a rule to be tuned, or a bound to be drawn.
const ENOUGH: usize = 1000;
/// Cries that are named.
const NAMED: usize = 5;

/// Another rule.
#[derive(Clone, Debug, Serialize)]
pub struct Other {
    /// What it is.
    pub rule: String,
    /// How often it would have cried within the span, each route by itself.
    pub pages: u64,
    /// The same a year.
    #[serde(flatten)]
    pub rate: Rate,
    /// The first of these times.
    pub first: Vec<When>,
}

/// A rule, and every time and route that it cried at.
struct Cries {
    rule: String,
    all: Vec<(At, usize)>,
}

/// The past, without confirmations, and what of it was healthy.
pub(super) struct Stage<'c> {
    settings: &'c Settings,
    canaries: &'c Canaries,
    routine: Vec<Vec<Flight>>,
    /// For each route, when it was part of an incident.
    ill: Vec<Vec<(At, At)>>,
    end: At,
}

impl<'c> Stage<'c> {
    /// `incidents` are all that are taken for real failures.
    pub(super) fn new<'i>(
        settings: &'c Settings,
        canaries: &'c Canaries,
        incidents: impl Iterator<Item = &'i Outage> + Clone,
        end: At,
    ) -> Self {
        let is_routine = |f: &&Flight| f.reason == Reason::Routine;
        let routine = canaries.flights.iter().map(|flights| flights.iter().filter(is_routine).copied().collect()).collect();
        let ill = |route| incidents.clone().filter(|o| o.culprit.covers(route)).map(|o| (o.began(), o.ended(end))).collect();
        let ill = canaries.routes.iter().map(ill).collect();
        Self { settings, canaries, routine, ill, end }
    }

    /// Judges the span by every rule, and marks in `outages` when each cried.
    pub(super) fn judge(&self, outages: &mut [Outage], from: At) -> Vec<Other> {
        let cries = self.cries();
        let bound = self.bound();
        for outage in outages.iter_mut().filter(|o| o.kind.is_delivery()) {
            let (began, ended) = (outage.began(), outage.ended(self.end));
            let covered = |route: &usize| self.canaries.routes.get(*route).is_some_and(|r| outage.culprit.covers(r));
            let mut marks: Vec<(String, Option<At>)> = Vec::new();
            for cry in &cries {
                let mine = cry.all.iter().filter(|(at, route)| *at >= began && *at <= ended && covered(route));
                marks.push((cry.rule.clone(), mine.map(|(at, _)| *at).min()));
            }
            if let Some(bound) = bound.as_ref().filter(|_| outage.kind == Kind::Stopped) {
                let mut flights: Vec<Flight> = (0..self.routine.len()).filter(covered).flat_map(|r| self.near(r, began, ended)).collect();
                flights.sort_by_key(|f| f.sent);
                let rule = "the bound for passive rules".to_owned();
                marks.push((rule, bound.cries(&flights, Alternative::Stop, began, ended)));
            }
            let mark =
                |(rule, at): (String, Option<At>)| Mark { rule, at: at.map(When), after_secs: at.map(|at| at.since(began).as_secs_f64()) };
            outage.others = marks.into_iter().map(mark).collect();
        }
        let years = self.end.since(from).as_secs_f64() / YEAR_SECS;
        let within = |cry: &Cries| {
            let mut times: Vec<At> = cry.all.iter().map(|(at, _)| *at).filter(|at| *at >= from).collect();
            times.sort_unstable();
            let pages = times.len() as u64;
            let first = times.into_iter().take(NAMED).map(When).collect();
            Other { rule: cry.rule.clone(), pages, rate: Rate::of(pages, years), first }
        };
        cries.iter().map(within).collect()
    }

    fn cries(&self) -> Vec<Cries> {
        let usual = Fixed::USUAL;
        let mut cries = vec![
            Cries { rule: format!("{} missing after {}", usual.count, usual.wait), all: self.of_fixed(usual) },
            Cries { rule: "phi accrual at phi 8 (Akka's default)".to_owned(), all: self.of_phi(Phi::USUAL) },
        ];
        let (rivals, healthy) = self.healthy();
        if healthy < ENOUGH {
            return cries;
        }
        let years = self.end.since(self.canaries.first.unwrap_or(self.end)).as_secs_f64() / YEAR_SECS;
        let allowed = self.settings.watch.false_pages_per_year * years;
        if let Some(best) = Rates::best(&[&rivals.fixed], allowed, self.usual_cadence()) {
            let rule = format!("{} in a row missing after {} (the best with hindsight)", best.count, best.wait);
            cries.push(Cries { rule, all: self.of_fixed(best) });
        }
        let phi = Phi::tuned(&[&rivals.phi], allowed);
        cries.push(Cries { rule: format!("phi accrual, normal, at {:.1} deviations (with hindsight)", phi.z), all: self.of_phi(phi) });
        cries
    }

    /// How often a canary goes down a route: of the one in the middle.
    fn usual_cadence(&self) -> Span {
        let mut all: Vec<Span> = self.canaries.routes.iter().map(|route| self.settings.every(route)).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(self.settings.watch.every)
    }

    fn of_fixed(&self, rule: Fixed) -> Vec<(At, usize)> {
        self.routine
            .iter()
            .enumerate()
            .flat_map(|(r, flights)| rule.every_cry(flights, self.end).into_iter().map(move |at| (at, r)))
            .collect()
    }

    fn of_phi(&self, rule: Phi) -> Vec<(At, usize)> {
        let awake = |(since, due): &(At, At)| !self.canaries.gaps.iter().any(|(from, to)| from < due && to > since);
        let of = |(r, flights): (usize, &Vec<Flight>)| -> Vec<(At, usize)> {
            rule.every_cry(flights, self.end).into_iter().filter(awake).map(|(_, due)| (due, r)).collect()
        };
        self.routine.iter().enumerate().flat_map(of).collect()
    }

    /// What the rules need of health, and of how many canaries it is.
    fn healthy(&self) -> (Rivals, usize) {
        let mut rivals = Rivals::new(self.routine.len());
        let mut count = 0;
        for (route, flights) in self.routine.iter().enumerate() {
            let mut gaps = self.canaries.gaps.iter().peekable();
            for flight in flights {
                let slept = gaps.next_if(|(_, woke)| *woke <= flight.sent).is_some();
                let well = self.is_well(route, flight);
                if slept || !well {
                    rivals.phi.interrupt(route);
                }
                if well {
                    rivals.saw(*flight);
                    count += 1;
                }
            }
        }
        (rivals, count)
    }

    /// Sent in health, and long enough ago for its fate to be known.
    fn is_well(&self, route: usize, flight: &Flight) -> bool {
        let ill = self.ill.get(route).is_some_and(|ill| ill.iter().any(|(from, to)| flight.sent >= *from && flight.sent <= *to));
        !ill && self.end.since(flight.sent) > Rates::LONGEST_WAIT
    }

    /// Page's test matched to the latencies of this very past: nobody could have known them.
    fn bound(&self) -> Option<Oracle> {
        let well = self.routine.iter().enumerate().flat_map(|(r, flights)| flights.iter().filter(move |f| self.is_well(r, f)));
        let latencies: Vec<Option<Span>> = well.map(|f| f.arrives.map(|at| at.since(f.sent))).collect();
        let a_year: f64 = self.canaries.routes.iter().map(|route| YEAR_SECS / self.settings.every(route).as_secs_f64()).sum();
        (latencies.len() >= ENOUGH).then(|| Oracle::of(latencies.into_iter(), a_year / self.settings.watch.false_pages_per_year))
    }

    /// A route's canaries around an outage.
    fn near(&self, route: usize, from: At, to: At) -> impl Iterator<Item = Flight> + '_ {
        let from = from.minus(Rates::LONGEST_WAIT);
        self.routine.get(route).into_iter().flatten().filter(move |f| f.sent >= from && f.sent <= to).copied()
    }
}
