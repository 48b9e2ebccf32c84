//! The loop that joins the parts; the only reader of the clock, the only spawner of tasks.

mod book;
mod clock;
mod hands;
mod start;
mod turn;

pub use start::{Daemon, StartError};
