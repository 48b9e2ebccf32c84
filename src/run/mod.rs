//! The loop that joins the parts; the only reader of the clock, the only spawner of tasks.

mod adapters;
mod book;
mod clock;
pub(crate) mod control;
mod cycle;
mod desk;
mod examine;
mod front;
mod hands;
mod headers;
mod hooks;
mod lookups;
mod manager;
mod past;
mod probe;
mod pulse;
mod reload;
mod standing;
mod start;
mod told;
mod turn;
mod watch;

pub use probe::{ProbeEnd, ProbeNews, Probed, probe};
pub use reload::Source;
pub use start::{Daemon, StartError};

/// The present, for what runs beside the loop.
#[must_use]
pub fn clock() -> crate::model::Now {
    clock::Clock::new().hand_out()
}
