//! Prometheus Alertmanager, API v2: the state of all incidents, sent to every instance again and again while they last.
//!
//! Alertmanager identifies an alert by its labels, so these hold only what is stable ([`Alert::new`]), and routes by them, so severity and
//! culprit are among them: when one of the two moves within an incident, the old alert is resolved and a new one fires, in one request.

mod alert;
mod board;
mod instances;

pub use alert::Alert;
pub use board::{Board, Instance};
pub(crate) use instances::Instances;

use super::pace::Pace;
use super::{Attempt, Origin, SinkError};
use crate::model::{At, Change, Name, Notice, Severity};

/// All instances of one Alertmanager.
#[derive(Debug)]
pub struct Alertmanager {
    instances: Instances,
    origin: Origin,
    severities: Vec<Severity>,
}

impl Alertmanager {
    /// The instances at these base URLs.
    ///
    /// # Errors
    /// [`SinkError::Url`].
    pub fn new(name: &Name, urls: &[String], http: &reqwest::Client, origin: &Origin, severities: &[Severity]) -> Result<Self, SinkError> {
        let instances = Instances::new(urls, http).map_err(|why| SinkError::Url(name.clone(), why))?;
        Ok(Self { instances, origin: origin.clone(), severities: severities.to_vec() })
    }

    /// How many instances there are.
    #[must_use]
    pub const fn instances(&self) -> usize {
        self.instances.len()
    }

    /// An empty board for this Alertmanager.
    #[must_use]
    pub fn board(&self, pace: Pace) -> Board {
        Board::new(self.origin.clone(), self.severities.clone(), pace)
    }

    /// Tries once to hand over one alert to every instance: delivered if one has it.
    pub(super) async fn deliver(&self, notice: &Notice, opened_at: At, at: At, now: At) -> Attempt {
        let ended = (notice.change == Change::Resolved).then_some(at);
        let alert = Alert::new(&self.origin, notice, opened_at, ended);
        let body = Alert::post(&[alert], now.plus(Pace::default().resend.scaled(4, 1)));
        self.instances.push_all(body, now).await
    }

    /// Posts `body`, an array of alerts, to one instance.
    pub async fn push(&self, instance: usize, body: Vec<u8>, now: At) -> Attempt {
        self.instances.push(instance, body, now).await
    }
}
