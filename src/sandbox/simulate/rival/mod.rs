//! How others decide, on the same canaries: a fixed rule, phi accrual, and the bound that no passive rule can beat.
//!
//! They see the routine canaries only, in the order of sending. Both rules are tuned with hindsight on the same quiet years, to the same
//! promise, which no operator could do.

mod fixed;
mod oracle;
mod phi;

pub use fixed::{Fixed, Rates};
pub use oracle::{Alternative, Oracle};
pub use phi::{Intervals, Phi};

use super::world::{Flight, Observing};
use crate::model::Reason;

/// What the rules need of quiet years, gathered while they pass.
#[derive(Clone, Debug)]
pub struct Rivals {
    /// How often each fixed rule would have cried.
    pub fixed: Rates,
    /// The longest silences, by the measure of phi.
    pub phi: Intervals,
}

impl Rivals {
    /// For so many routes.
    #[must_use]
    pub fn new(routes: usize) -> Self {
        Self { fixed: Rates::new(routes), phi: Intervals::new(routes) }
    }
}

impl Observing for Rivals {
    fn saw(&mut self, flight: Flight) {
        if flight.reason == Reason::Routine {
            self.fixed.saw(flight);
            self.phi.saw(flight);
        }
    }
}
