//! All that the ledger keeps of one incident: what was told and proved, what people said, and what became of the canaries.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Time;
use super::incident::Notice;
use super::past::Traced;
use super::word::time;
use super::words::{Class, Placement};
use crate::model::dossier::{self, Dossier, Sight, Tally, Told};
use crate::model::{self, At};

/// All that happened about one incident.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Timeline {
    incident: u64,
    opened_at: Time,
    resolved_at: Option<Time>,
    /// What was told, the oldest first.
    notices: Vec<Notified>,
    /// What people said.
    words: Vec<Uttered>,
    /// What changed of the sight of inboxes and of the watcher meanwhile.
    sight: Vec<Sighted>,
    /// When mailcanary was started meanwhile.
    starts: Vec<Started>,
    traces: Vec<Traced>,
    /// What became of all that was sent since it began, over every route: a few are no part of it, to compare.
    routes: Vec<Tallied>,
    /// What did not simply arrive of that.
    canaries: Vec<Failed>,
    /// Whether there is more of anything than is listed.
    cut: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Notified {
    at: Time,
    #[serde(flatten)]
    notice: Notice,
    sinks: Vec<Reached>,
}

/// What became of the canaries of one route.
#[derive(Debug, Serialize, JsonSchema)]
struct Tallied {
    provider: String,
    stream: String,
    inbox: String,
    sent: u64,
    /// By what became of them: arrived, in junk, late, lost, refused, in flight, forgotten.
    became: BTreeMap<String, u64>,
    /// When the newest was sent that arrived before the first that failed.
    last_good: Option<Time>,
    /// When the first was sent that failed.
    first_bad: Option<Time>,
}

/// A canary that did not simply arrive; `/canaries/ID` has its way.
#[derive(Debug, Serialize, JsonSchema)]
struct Failed {
    canary: String,
    provider: String,
    stream: String,
    inbox: String,
    sent_at: Time,
    /// In flight, late, lost, refused, forgotten; or arrived, but in junk.
    became: String,
    #[schemars(with = "Option<Class>")]
    class: Option<String>,
    /// The provider's own words.
    reply: Option<String>,
    arrived_at: Option<Time>,
    #[schemars(with = "Option<Placement>")]
    placement: Option<String>,
}

/// How a notice ended at a sink.
#[derive(Debug, Serialize, JsonSchema)]
struct Reached {
    sink: String,
    /// `pending`: the sink has not answered for good. `dropped`: it was given up.
    #[schemars(extend("enum" = ["pending", "delivered", "refused", "dropped"]))]
    outcome: String,
    at: Time,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Uttered {
    at: Time,
    by: String,
    /// The word for it.
    #[schemars(extend("enum" = ["acknowledged", "unacknowledged", "closed", "silenced", "unsilenced", "approved", "forgotten", "drill began", "drill stopped", "drill over"]))]
    what: String,
    note: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Sighted {
    at: Time,
    /// Whose; null: the watcher's.
    inbox: Option<String>,
    #[schemars(extend("enum" = ["blind", "sight", "cut off", "connected", "slept", "clock jumped"]))]
    what: String,
    why: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Started {
    at: Time,
    version: String,
}

impl Timeline {
    pub(in crate::edge::show) fn new(incident: model::IncidentId, dossier: &Dossier) -> Self {
        let started = |(at, version): &(At, String)| Started { at: (*at).into(), version: version.clone() };
        let uttered =
            |said: &dossier::Said| Uttered { at: said.at.into(), by: said.who.clone(), what: said.said.clone(), note: said.note.clone() };
        Self {
            incident: incident.0,
            opened_at: dossier.opened_at.into(),
            resolved_at: time(dossier.resolved_at),
            notices: dossier.notices.iter().map(Notified::from).collect(),
            words: dossier.words.iter().map(uttered).collect(),
            sight: dossier.sight.iter().map(Sighted::from).collect(),
            starts: dossier.starts.iter().map(started).collect(),
            traces: dossier.traces.iter().map(Traced::from).collect(),
            routes: dossier.routes.iter().map(Tallied::from).collect(),
            canaries: dossier.canaries.iter().map(Failed::from).collect(),
            cut: dossier.cut,
        }
    }
}

impl From<&Told> for Notified {
    fn from(told: &Told) -> Self {
        let reached =
            |(sink, outcome, at): &(String, String, At)| Reached { sink: sink.clone(), outcome: outcome.clone(), at: (*at).into() };
        Self { at: told.at.into(), notice: Notice::new(&told.notice), sinks: told.sinks.iter().map(reached).collect() }
    }
}

impl From<&Sight> for Sighted {
    fn from(sight: &Sight) -> Self {
        Self { at: sight.at.into(), inbox: sight.inbox.clone(), what: sight.what.clone(), why: sight.why.clone() }
    }
}

impl From<(&[String; 3], &Tally)> for Tallied {
    fn from((route, tally): (&[String; 3], &Tally)) -> Self {
        let [provider, stream, inbox] = route.clone();
        let (last_good, first_bad) = (time(tally.last_good), time(tally.first_bad));
        Self { provider, stream, inbox, sent: tally.sent, became: tally.states.clone(), last_good, first_bad }
    }
}

impl From<&dossier::Failed> for Failed {
    fn from(failed: &dossier::Failed) -> Self {
        let [provider, stream, inbox] = failed.route.clone();
        Self {
            canary: failed.canary.clone(),
            provider,
            stream,
            inbox,
            sent_at: failed.sent_at.into(),
            became: failed.state.clone(),
            class: failed.class.clone(),
            reply: failed.reply.clone(),
            arrived_at: time(failed.arrived_at),
            placement: failed.placement.clone(),
        }
    }
}
