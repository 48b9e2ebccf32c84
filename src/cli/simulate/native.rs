//! The watchdog itself as what watches a simulated world.

use crate::config::Settings;
use crate::model::{At, Route, Span};
use crate::sandbox::simulate::Watching;
use crate::watchdog::{Effect, Event, Watchdog};

/// A watchdog without a ledger: records are let go.
#[derive(Clone, Debug)]
pub struct Native(Watchdog);

impl Native {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self(Watchdog::new(settings))
    }
}

impl Watching for Native {
    fn step(&mut self, at: At, event: Event) -> (Vec<Effect>, Option<At>) {
        // Worlds report only what is: a step that does not fit would be a fault of the world, and changes nothing.
        self.0.step(at, event).map_or_else(|_| (Vec::new(), self.0.wake_at()), |step| (step.effects, step.wake_at))
    }

    fn still_out(&self, route: &Route, age: Span) -> Option<f64> {
        self.0.still_out(route, age)
    }
}
