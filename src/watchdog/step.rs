//! What a step gives back, and why an event is not taken in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Watchdog;
use super::effect::Effect;
use super::event::Event;
use super::record::Record;
use crate::model::{At, CanaryId, IncidentId, Name, Notice, Route, Subject};

/// What a step gives back.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Step {
    /// To be made durable first.
    pub records: Vec<Record>,
    /// To be begun then.
    pub effects: Vec<Effect>,
    /// When to wake the watchdog, if nothing happens before. Always later than the step.
    pub wake_at: Option<At>,
}

/// Why an event was not taken in. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Time goes back.
    #[error("time goes back: `{at}` is before `{last}` (milliseconds)")]
    TimeGoesBack {
        /// The event's.
        at: i64,
        /// The one before.
        last: i64,
    },
    /// A second start.
    #[error("started twice: `started` comes first, and once")]
    StartedTwice,
    /// Something before the start.
    #[error("not started: the first event is `started`, or a replay of records")]
    NotStarted,
    /// A canary that is not remembered.
    #[error("unknown canary `{0}`")]
    UnknownCanary(CanaryId),
    /// An inbox that is not watched.
    #[error("unknown inbox `{0}`")]
    UnknownInbox(Name),
    /// An incident that is not open.
    #[error("no open incident `{0}`")]
    UnknownIncident(IncidentId),
    /// A silence that there is not.
    #[error("no silence `{0}`")]
    UnknownSilence(u64),
    /// A provider that is not watched.
    #[error("unknown provider `{0}`")]
    UnknownProvider(Name),
    /// A stream of a provider that is not watched.
    #[error("provider `{0}` has no stream `{1}`")]
    UnknownStream(Name, Name),
    /// A drill that cannot begin, or end.
    #[error("{0}")]
    NoDrill(&'static str),
    /// An account that is not asked about.
    #[error("provider `{0}` is not asked how its account stands")]
    NotAsked(Name),
    /// A silence of something that is not watched: it would silence nothing, and nobody would notice.
    #[error("there is no {what} `{name}`: there are {known}")]
    UnknownName {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: Name,
        /// Those that there are.
        known: String,
    },
    /// A subject that is not asked about.
    #[error("`{0}` is not watched: `mailcanary dns` lists what is")]
    UnknownSubject(Subject),
    /// A canary over a route that is not watched.
    #[error("unknown route `{0}`")]
    UnknownRoute(Route),
}

/// A notice that some sinks have not taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingNotice {
    /// The message.
    pub notice: Arc<Notice>,
    /// When it was written.
    pub at: At,
    /// When its incident was opened.
    pub opened_at: At,
    /// Who still has to hear it.
    pub sinks: BTreeSet<Name>,
}

impl Watchdog {
    /// Whether an event fits what is known.
    pub(super) fn check(&self, at: At, event: &Event) -> Result<(), Unfit> {
        if let Some(last) = self.last_at.filter(|last| at < *last) {
            return Err(Unfit::TimeGoesBack { at: at.as_ms(), last: last.as_ms() });
        }
        match (event, self.has_begun()) {
            (Event::Started { .. }, true) => return Err(Unfit::StartedTwice),
            (Event::Started { .. }, false) => return Ok(()),
            (_, false) => return Err(Unfit::NotStarted),
            (_, true) => {}
        }
        if let Some(canary) = event.canary().filter(|id| self.state.canary(&self.ix, *id).is_none()) {
            return Err(Unfit::UnknownCanary(canary));
        }
        if let Some(incident) = event.incident().filter(|id| self.state.open().all(|i| i.shown.incident != *id)) {
            return Err(Unfit::UnknownIncident(incident));
        }
        self.check_drill(event)?;
        self.check_silence(event)?;
        self.check_sink(event)?;
        self.check_subject(event)?;
        if let Some(name) = event.account().filter(|name| !self.plan.polls(name)) {
            return Err(Unfit::NotAsked(name.clone()));
        }
        match event.inbox().filter(|name| !self.plan.inboxes.contains(*name)) {
            Some(name) => Err(Unfit::UnknownInbox(name.clone())),
            None => Ok(()),
        }
    }
}
