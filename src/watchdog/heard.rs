//! What sinks have heard of an incident: a sink hears of its end only if it took something of it before, and what it refused it hears once
//! more when it takes notices again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Watchdog;
use super::event::{Delivery, Event};
use super::flaps::is_calm;
use super::outbox::Incident;
use super::plan::Plan;
use super::state::State;
use super::step::Unfit;
use crate::model::{At, Change, IncidentId, Name, Notice, NoticeId};

/// Sinks that are named to who asked for one that there is not.
const NAMED: usize = 50;

/// A sink that has refused what it was told of an open incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Missed {
    /// It is told again once it takes anything.
    Waits,
    /// It is told again now.
    Due,
    /// It was told again, and not by a sink that is known to be another.
    Again,
}

impl Incident {
    /// Whether a sink has taken anything of it.
    pub(super) fn has_heard(&self, sink: &Name) -> bool {
        // An earlier version did not write it down.
        self.took.as_ref().unwrap_or(&self.told).contains(sink)
    }
}

impl State {
    /// A sink has answered a notice, or will not be asked any more.
    pub(super) fn note_answer(&mut self, plan: &Plan, at: At, notice: &Notice, sink: &Name, outcome: Delivery) {
        self.hear_drill(at, notice, sink, outcome);
        match outcome {
            Delivery::Delivered => {
                for (id, open) in self.incidents.iter_mut().filter(|(_, i)| i.shown.resolved_at.is_none()) {
                    if *id == notice.incident {
                        open.missed.remove(sink);
                    } else if let Some(missed) = open.missed.get_mut(sink).filter(|missed| **missed == Missed::Waits) {
                        *missed = Missed::Due;
                    }
                }
                if let Some(took) = self.incidents.get_mut(&notice.incident).and_then(|i| i.took.as_mut()) {
                    took.insert(sink.clone());
                }
            }
            Delivery::Refused if calls(notice) && plan.sinks.get(sink).is_none_or(|l| !l.has_state) => self.note_refusal(notice, sink),
            Delivery::Refused | Delivery::Dropped => {}
        }
    }

    fn note_refusal(&mut self, notice: &Notice, sink: &Name) {
        let Some(incident) = self.incidents.get_mut(&notice.incident) else { return };
        let heard = incident.has_heard(sink);
        if !heard {
            incident.told.remove(sink);
        }
        if incident.shown.resolved_at.is_none() {
            incident.missed.entry(sink.clone()).or_insert(Missed::Waits);
        } else if !heard {
            self.withdraw(sink, |other| other.incident == notice.incident);
        }
    }

    /// Sinks were set up anew, or one of them: what they refused they may take now.
    pub(super) fn renew_sinks(&mut self, only: Option<&Name>) {
        let open = self.incidents.values_mut().filter(|i| i.shown.resolved_at.is_none());
        let meant = open.flat_map(|i| i.missed.iter_mut()).filter(|(sink, _)| only.is_none_or(|only| only == *sink));
        meant.for_each(|(_, missed)| *missed = Missed::Due);
        self.want_trials(only.map(Name::as_str));
    }

    /// What a sink was to be told is not told any more.
    fn withdraw(&mut self, sink: &Name, which: impl Fn(&Notice) -> bool) {
        let theirs = self.outbox.iter().filter(|(_, p)| p.sinks.contains(sink) && which(&p.notice));
        let gone: Vec<NoticeId> = theirs.map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|id| self.leave(id, sink, Delivery::Dropped));
    }

    /// Nobody is reminded any more of what somebody has seen, and nobody else is called.
    pub(super) fn withdraw_calls(&mut self, incident: IncidentId) {
        let asks = |notice: &Notice| notice.incident == incident && notice.asks_for_somebody();
        let sinks: BTreeSet<Name> = self.outbox.values().filter(|p| asks(&p.notice)).flat_map(|p| p.sinks.iter().cloned()).collect();
        sinks.iter().for_each(|sink| self.withdraw(sink, asks));
    }

    /// Whether a notice of this incident waits for a sink.
    pub(super) fn awaits(&self, incident: IncidentId, sink: &Name) -> bool {
        self.outbox.values().any(|p| p.notice.incident == incident && p.sinks.contains(sink))
    }
}

impl Watchdog {
    /// Whether an event that is about one sink names one that there is.
    pub(super) fn check_sink(&self, event: &Event) -> Result<(), Unfit> {
        let Event::SinksRenewed { only: Some(sink) } = event else { return Ok(()) };
        if self.plan.sinks.contains_key(sink) {
            return Ok(());
        }
        let known = self.plan.sinks.keys().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(Unfit::UnknownName { what: "sink", name: sink.clone(), known })
    }

    /// What is to be taken in where sinks were set up anew, by a start or another configuration: nothing, if none of them refuses anything.
    #[must_use]
    pub fn fresh_start(&self) -> Option<Event> {
        let refuses = || self.state.deaf.keys().any(|sink| self.plan.sinks.contains_key(sink));
        (self.state.open().any(|i| !i.missed.is_empty()) || refuses()).then_some(Event::SinksRenewed { only: None })
    }
}

/// Whether a notice says that something is wrong.
fn calls(notice: &Notice) -> bool {
    matches!(notice.change, Change::Opened | Change::Updated | Change::Reminder) && !notice.is_trial()
}

/// The sinks that are to hear of an open incident once more, because they refused it and take notices again.
pub(super) fn again(plan: &Plan, state: &State, open: &Incident, now: At) -> Vec<Name> {
    let due = |(_, missed): &(&Name, &Missed)| **missed == Missed::Due;
    let mut names = open.missed.iter().filter(due).map(|(name, _)| name).filter(|name| plan.sinks.contains_key(*name)).peekable();
    let shown = &open.shown;
    if names.peek().is_none() || is_calm(plan, state, open) || state.silenced_until(plan, shown.kind, &shown.culprit, now).is_some() {
        return Vec::new();
    }
    let in_time = |name: &&Name| {
        let takes = plan.sinks.get(*name).map(|listener| &listener.takes);
        takes.is_some_and(|t| t.listens(now) && (t.after.is_none() || shown.acknowledged.is_none()))
    };
    names.filter(in_time).cloned().collect()
}
