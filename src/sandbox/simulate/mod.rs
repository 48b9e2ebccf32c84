//! Worlds in virtual time: no sockets and no waiting, so that a year of mail passes in seconds, and the same for the same seed.
//!
//! A [`Scenario`] says what mail does in health (the [`Weather`]), and what breaks when ([`Trouble`]). [`play`] hands the events of that
//! world to whatever watches it, and gives back what was told.
//!
//! ```text
//! submit → weather → trouble → sighting
//! ```

mod play;
mod trouble;
mod weather;

use crate::model::{Name, Route, Span};

pub use play::{Played, START, Watching, play};
pub use trouble::{Harm, Trouble};
pub use weather::{Body, Spells, Weather};

/// One world and its story.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What mail does in health.
    pub weather: Weather,
    /// What goes wrong, and when.
    pub troubles: Vec<Trouble>,
    /// How long it is watched.
    pub lasts: Span,
    /// Every choice of chance follows from it.
    pub seed: u64,
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
