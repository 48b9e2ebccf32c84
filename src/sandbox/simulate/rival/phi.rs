//! Phi accrual (Hayashibara et al. 2004) as Akka has it: the silence since the last arrival against a normal distribution of the
//! intervals between arrivals.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{At, Span};
use crate::sandbox::simulate::world::Flight;

/// Intervals that are remembered; Akka's `max-sample-size`.
const WINDOW: usize = 1000;
/// The least standard deviation; Akka's `min-std-deviation`.
const LEAST_MS: f64 = 100.0;
/// Silences that are kept of quiet years.
const KEPT: usize = 4096;

/// One route's arrivals.
#[derive(Clone, Debug, Default)]
struct Arrivals {
    /// Sent, and not yet in the order of arrival.
    pending: BTreeMap<At, u32>,
    last: Option<At>,
    intervals: VecDeque<f64>,
    sum: f64,
    squares: f64,
}

impl Arrivals {
    /// Takes a canary in; gives the silences that ended before it was sent, in standard deviations above the mean.
    fn saw(&mut self, flight: &Flight, mut silence: impl FnMut(At, f64)) {
        while let Some(at) = self.pending.first_key_value().map(|(at, _)| *at).filter(|at| *at <= flight.sent) {
            let Some((_, count)) = self.pending.pop_first() else { break };
            for _ in 0..count {
                if let Some(z) = self.arrive(at) {
                    silence(at, z);
                }
            }
        }
        if let Some(at) = flight.arrives {
            *self.pending.entry(at).or_default() += 1;
        }
    }

    fn arrive(&mut self, at: At) -> Option<f64> {
        let last = self.last.replace(at)?;
        let interval = at.since(last).as_ms() as f64;
        let z = self.spread().map(|(mean, deviation)| (interval - mean) / deviation);
        self.intervals.push_back(interval);
        self.sum += interval;
        self.squares += interval * interval;
        if self.intervals.len() > WINDOW
            && let Some(old) = self.intervals.pop_front()
        {
            self.sum -= old;
            self.squares -= old * old;
        }
        z
    }

    /// Mean and standard deviation, once there is something to go by.
    fn spread(&self) -> Option<(f64, f64)> {
        let count = self.intervals.len() as f64;
        let mean = self.sum / count;
        (count >= 30.0).then(|| (mean, (self.squares / count - mean * mean).max(0.0).sqrt().max(LEAST_MS)))
    }

    /// When the silence since the last arrival is so many standard deviations above the mean.
    fn cries_at(&self, z: f64) -> Option<At> {
        let (mean, deviation) = self.spread()?;
        Some(self.last?.plus(Span::from_ms((mean + z * deviation).max(0.0) as u64)))
    }
}

/// The longest silences of quiet years.
#[derive(Clone, Debug)]
pub struct Intervals {
    routes: Vec<Arrivals>,
    /// Sorted, the longest first, once there are too many.
    longest: Vec<f64>,
}

impl Intervals {
    pub(super) fn new(routes: usize) -> Self {
        Self { routes: vec![Arrivals::default(); routes], longest: Vec::new() }
    }

    /// What a route's silence from here to its next arrival says is not to be counted.
    pub fn interrupt(&mut self, route: usize) {
        if let Some(route) = self.routes.get_mut(route) {
            route.pending.clear();
            route.last = None;
        }
    }

    pub(super) fn saw(&mut self, flight: Flight) {
        let Some(route) = self.routes.get_mut(flight.route) else { return };
        let longest = &mut self.longest;
        route.saw(&flight, |_, z| {
            if z > 1.0 {
                longest.push(z);
            }
        });
        if longest.len() > 2 * KEPT {
            longest.sort_by(|a, b| b.total_cmp(a));
            longest.truncate(KEPT);
        }
    }
}

/// The rule: cries at a silence of so many standard deviations above the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phi {
    /// Standard deviations.
    pub z: f64,
}

impl Phi {
    /// Akka's default, a phi of 8: one false alarm in 10⁸ intervals, if intervals were normal.
    pub const USUAL: Self = Self { z: 5.612 };

    /// How often it cried; `None` if more often than is known.
    #[must_use]
    pub fn cried(self, intervals: &[&Intervals]) -> Option<u64> {
        let of = |i: &&Intervals| {
            let longer = i.longest.iter().filter(|z| **z > self.z).count();
            (longer < KEPT).then_some(longer as u64)
        };
        intervals.iter().map(of).sum()
    }

    /// Its phi: minus the decimal logarithm of the share of a normal distribution that is further out (Abramowitz and Stegun 26.2.12).
    #[must_use]
    pub fn phi(self) -> f64 {
        let z = self.z.max(1.0);
        let tail = 1.0 - 1.0 / (z * z) + 3.0 / z.powi(4);
        (z * z / 2.0) * std::f64::consts::LOG10_E + (z * std::f64::consts::TAU.sqrt()).log10() - tail.max(0.1).log10()
    }

    /// Every time that it cries over the canaries of one route until `end`: when the silence began, and when it was too long.
    #[must_use]
    pub fn every_cry(self, flights: &[Flight], end: At) -> Vec<(At, At)> {
        let mut arrived: Vec<At> = flights.iter().filter_map(|f| f.arrives).filter(|at| *at <= end).collect();
        arrived.sort_unstable();
        let mut arrivals = Arrivals::default();
        let mut cries = Vec::new();
        for at in arrived {
            cries.extend(arrivals.last.zip(arrivals.cries_at(self.z)).filter(|(_, due)| *due < at));
            arrivals.arrive(at);
        }
        cries.extend(arrivals.last.zip(arrivals.cries_at(self.z)).filter(|(_, due)| *due <= end));
        cries
    }

    /// The most sensitive one that cried at most so often.
    #[must_use]
    pub fn tuned(intervals: &[&Intervals], at_most: f64) -> Self {
        let mut all: Vec<f64> = intervals.iter().flat_map(|i| i.longest.iter().copied()).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        let allowed = at_most.max(0.0) as usize;
        Self { z: all.get(allowed).copied().unwrap_or(1.0) * 1.0001 }
    }

    /// When it first cries at or after `from` over the canaries of one route, in the order of sending, until `end`.
    pub fn cries<'f>(self, flights: impl Iterator<Item = &'f Flight>, from: At, end: At) -> Option<At> {
        let mut arrivals = Arrivals::default();
        for flight in flights {
            let silent = arrivals.cries_at(self.z).filter(|at| *at >= from && *at <= flight.sent);
            let next = arrivals.pending.first_key_value().map(|(at, _)| *at);
            if let Some(at) = silent.filter(|at| next.is_none_or(|n| n > *at)) {
                return Some(at);
            }
            let (mut cried, z) = (None, self.z);
            arrivals.saw(flight, |at, reached| {
                if reached > z && at >= from && cried.is_none() {
                    cried = Some(at);
                }
            });
            if cried.is_some() {
                return cried;
            }
        }
        arrivals.cries_at(self.z).filter(|at| *at >= from && *at <= end)
    }
}
