//! Worlds in virtual time: no sockets and no waiting, so that a year of mail passes in seconds, and the same for the same seed.
//!
//! A [`Scenario`] says what mail does in health (the [`Weather`]), and what breaks (the [`Failure`]s). A [`World`] plays it to whatever
//! watches; [`study`] plays it many times and counts: how soon it was told, whom it blamed, and how often it was wrong in a quiet year.
//!
//! ```text
//! submit → weather → trouble → sighting
//! ```

mod figures;
mod mail;
pub mod rival;
mod scenario;
mod study;
mod text;
mod trouble;
mod weather;
mod world;

pub use figures::{Figures, Healthy, Learnt, Quantiles, Run};
pub use mail::Recurring;
pub use scenario::{Failure, Runs, Scenario, matrix};
pub use study::{Progress, Story, Study, quiet, run, study};
pub use text::ScenarioError;
pub(super) use text::{Broken, Duration, sense};
pub use trouble::{Harm, Trouble};
pub use weather::{Extent, Sort, Spell, Weather};
pub use world::{Climate, Flight, Observing, START, Seen, Watching, World};
