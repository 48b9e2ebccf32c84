//! How the past is asked for: what the loop does not hold any more, and the ledger still keeps.
//!
//! Whoever runs the daemon answers, one question at a time, each bounded in rows and time. Where nobody does, what is asked is not known.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::model::dossier::Dossier;
use crate::model::past::{Failure, Point, Sought, Wanted, Way};
use crate::model::{At, CanaryId, IncidentId, Route, Span};

/// Questions that wait; who comes then is told that there are too many.
const WAITING: usize = 16;
/// For an answer, questions before it included. Whoever reads gives up sooner.
const PATIENCE: Duration = Duration::from_secs(8);

/// Where an answer goes: what was found, or in words why it was not looked up.
pub type Answer<T> = oneshot::Sender<Result<T, String>>;

/// What is asked of the past.
#[derive(Debug)]
pub enum Question {
    /// The canaries of one route that were sent between two instants, newest first.
    Points(Route, [At; 2], Answer<Vec<Point>>),
    /// A page of canaries.
    Canaries(Wanted, Answer<Vec<Way>>),
    /// One canary; `None` if it is not kept.
    Canary(CanaryId, Answer<Option<Way>>),
    /// Incidents, the newest first.
    Incidents(Sought, Answer<Vec<Failure>>),
    /// When mailcanary did not run or slept for at least so long, the newest first.
    Pauses(Span, Answer<Vec<[At; 2]>>),
    /// All that is kept of one incident; `None` if that is nothing.
    Incident(IncidentId, Answer<Option<Dossier>>),
}

/// The way to ask.
#[derive(Clone, Debug, Default)]
pub struct Archive(Option<mpsc::Sender<Question>>);

impl Archive {
    /// One that is answered at the other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Question>) {
        let (asks, asked) = mpsc::channel(WAITING);
        (Self(Some(asks)), asked)
    }

    /// One that knows of nothing.
    #[must_use]
    pub const fn closed() -> Self {
        Self(None)
    }

    /// The canaries of one route that were sent from the first instant on and before the second, newest first.
    ///
    /// # Errors
    /// In words, why they were not looked up.
    pub async fn points(&self, route: Route, between: [At; 2]) -> Result<Vec<Point>, String> {
        self.ask(|answer| Question::Points(route, between, answer)).await
    }

    /// A page of canaries, newest first.
    ///
    /// # Errors
    /// In words, why they were not looked up.
    pub async fn canaries(&self, wanted: Wanted) -> Result<Vec<Way>, String> {
        self.ask(|answer| Question::Canaries(wanted, answer)).await
    }

    /// One canary; `None` if it is not kept.
    ///
    /// # Errors
    /// In words, why it was not looked up.
    pub async fn canary(&self, canary: CanaryId) -> Result<Option<Way>, String> {
        self.ask(|answer| Question::Canary(canary, answer)).await
    }

    /// The incidents that are sought, the newest first.
    ///
    /// # Errors
    /// In words, why they were not looked up.
    pub async fn incidents(&self, sought: Sought) -> Result<Vec<Failure>, String> {
        self.ask(|answer| Question::Incidents(sought, answer)).await
    }

    /// When mailcanary did not run or slept for at least `least`: from its last canary before until it was there again.
    ///
    /// # Errors
    /// In words, why it was not looked up.
    pub async fn pauses(&self, least: Span) -> Result<Vec<[At; 2]>, String> {
        self.ask(|answer| Question::Pauses(least, answer)).await
    }

    /// All that is kept of one incident; `None` if that is nothing.
    ///
    /// # Errors
    /// In words, why it was not looked up.
    pub async fn incident(&self, incident: IncidentId) -> Result<Option<Dossier>, String> {
        self.ask(|answer| Question::Incident(incident, answer)).await
    }

    async fn ask<T>(&self, question: impl FnOnce(Answer<T>) -> Question) -> Result<T, String> {
        let Some(asks) = &self.0 else { return Err("there is no ledger to look it up in".to_owned()) };
        let (answer, found) = oneshot::channel();
        asks.try_send(question(answer)).or(Err("too many look into the ledger now".to_owned()))?;
        let late = || "the ledger did not answer in time".to_owned();
        timeout(PATIENCE, found).await.ok().and_then(Result::ok).ok_or_else(late)?
    }
}
