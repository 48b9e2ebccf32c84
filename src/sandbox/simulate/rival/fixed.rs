//! The fixed rule: so many canaries in a row have not come after so long. One after three minutes is a common default.

use crate::model::{At, Span};
use crate::sandbox::simulate::world::Flight;

/// In a row.
const COUNTS: [u32; 6] = [1, 2, 3, 4, 5, 6];
/// Seconds to wait for each.
const WAITS: [u64; 13] = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900];

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// So many in a row…
    pub count: u32,
    /// …have not come after this long.
    pub wait: Span,
}

impl Fixed {
    /// What a monitoring probe does unless it is told otherwise: one canary that is missing after three minutes.
    pub const USUAL: Self = Self { count: 1, wait: Span::from_secs(180) };

    /// When it first cries at or after `from` over the canaries of one route, in the order of sending.
    pub fn cries<'f>(self, flights: impl Iterator<Item = &'f Flight>, from: At) -> Option<At> {
        let mut row = 0;
        for flight in flights {
            let due = flight.sent.plus(self.wait);
            row = if flight.arrives.is_some_and(|at| at <= due) { 0 } else { row + 1 };
            if row >= self.count && due >= from {
                return Some(due);
            }
        }
        None
    }

    /// Every time that it cries over the canaries of one route, in the order of sending, until `end`: once for each row of missing ones.
    #[must_use]
    pub fn every_cry(self, flights: &[Flight], end: At) -> Vec<At> {
        let mut row = 0;
        let mut cries = Vec::new();
        for flight in flights {
            let due = flight.sent.plus(self.wait);
            row = if flight.arrives.is_some_and(|at| at <= due) { 0 } else { row + 1 };
            if row == self.count && due <= end {
                cries.push(due);
            }
        }
        cries
    }

    /// From the beginning of a stop until it cries, on average: the phase of the cadence included.
    #[must_use]
    pub fn takes(self, every: Span) -> f64 {
        self.wait.as_secs_f64() + every.as_secs_f64() * (f64::from(self.count) - 0.5)
    }
}

/// How often each rule would have cried, over all routes.
#[derive(Clone, Debug)]
pub struct Rates {
    /// For each route and each wait, how many are missing in a row.
    rows: Vec<[u32; WAITS.len()]>,
    cries: [[u64; COUNTS.len()]; WAITS.len()],
}

impl Rates {
    /// The longest that any of the rules waits.
    pub const LONGEST_WAIT: Span = Span::from_secs(900);

    pub(super) fn new(routes: usize) -> Self {
        Self { rows: vec![[0; WAITS.len()]; routes], cries: [[0; COUNTS.len()]; WAITS.len()] }
    }

    pub(super) fn saw(&mut self, flight: Flight) {
        let Some(rows) = self.rows.get_mut(flight.route) else { return };
        for ((row, wait), cries) in rows.iter_mut().zip(WAITS).zip(&mut self.cries) {
            let came = flight.arrives.is_some_and(|at| at.since(flight.sent) <= Span::from_secs(wait));
            *row = if came { 0 } else { *row + 1 };
            for (count, cried) in COUNTS.iter().zip(cries) {
                *cried += u64::from(*row == *count);
            }
        }
    }

    /// Every rule, and how often it cried.
    pub fn all<'r>(of: &'r [&'r Self]) -> impl Iterator<Item = (Fixed, u64)> + 'r {
        WAITS.iter().enumerate().flat_map(move |(w, wait)| {
            COUNTS.iter().enumerate().map(move |(c, count)| {
                let cried = of.iter().filter_map(|rates| rates.cries.get(w)?.get(c)).sum();
                (Fixed { count: *count, wait: Span::from_secs(*wait) }, cried)
            })
        })
    }

    /// How often one rule cried.
    #[must_use]
    pub fn of(rule: Fixed, rates: &[&Self]) -> Option<u64> {
        Self::all(rates).find(|(known, _)| *known == rule).map(|(_, cried)| cried)
    }

    /// The rule that sees a stop soonest, of those that cried at most so often.
    #[must_use]
    pub fn best(rates: &[&Self], at_most: f64, every: Span) -> Option<Fixed> {
        let kept = Self::all(rates).filter(|(_, cried)| *cried as f64 <= at_most).map(|(rule, _)| rule);
        kept.min_by(|a, b| a.takes(every).total_cmp(&b.takes(every)))
    }
}
