//! Sinks are tried in hours that the configuration names, each time once, so that one that was revoked is found before the outage.

use serde::{Deserialize, Serialize};

use super::Watchdog;
use super::effect::Effect;
use super::event::Delivery;
use super::outbox::Pending;
use super::plan::Plan;
use super::record::Fact;
use super::state::State;
use super::step::Step;
use super::view::TrialView;
use crate::model::{At, Change, Name, Notice, NoticeId, Span, Week};

/// A test notice that was not taken for so long has not arrived.
pub(super) const UNTAKEN: Span = Span::from_secs(15 * 60);

/// When a sink is tried.
#[derive(Clone, Debug)]
pub(super) struct Trying {
    hours: Week,
}

impl Trying {
    pub(super) const fn new(hours: Week) -> Self {
        Self { hours }
    }
}

/// The last trial of a sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trial {
    pub(super) at: At,
    /// The notice that began it.
    notice: NoticeId,
    /// How that ended.
    pub(super) outcome: Option<Delivery>,
    /// The sink was told that it is over.
    over: bool,
}

/// Whether something that is done once in these hours, and was done last at `last`, is to be done now.
pub(super) fn is_due(hours: &Week, last: Option<At>, now: At) -> bool {
    let done = |last: At| hours.contains(last) && hours.changes_at(last).is_none_or(|end| end > now);
    hours.contains(now) && !last.is_some_and(done)
}

/// When such a thing is to be done next, if it is not to be done now.
pub(super) fn due_at(hours: &Week, now: At) -> Option<At> {
    let next = hours.changes_at(now)?;
    if hours.contains(now) { hours.changes_at(next) } else { Some(next) }
}

/// When the next sink is tried.
pub(super) fn next(plan: &Plan, now: At) -> Option<At> {
    plan.tries.values().filter_map(|trying| due_at(&trying.hours, now)).min()
}

impl Watchdog {
    /// Tries the sinks whose hour has come, and those that refuse and may have been mended; ends the trials that were taken.
    pub(super) fn try_sinks(&mut self, step: &mut Step, at: At) {
        if self.stopping {
            return;
        }
        let mut facts = Vec::new();
        for (sink, listener) in &self.plan.sinks {
            let last = self.state.trials.get(sink);
            let taken = last.filter(|trial| trial.outcome == Some(Delivery::Delivered) && !trial.over);
            let hour =
                |trying: &Trying| is_due(&trying.hours, last.map(|trial| trial.at), at) && last.is_none_or(|trial| trial.outcome.is_some());
            // As quietly as it takes notices.
            let severity = listener.takes.quietest();
            if let Some(trial) = taken {
                facts.push((sink.clone(), severity, Some(trial.notice)));
            } else if self.plan.tries.get(sink).is_some_and(hour)
                || self.state.tries_again_at(&self.plan, sink, at).is_some_and(|due| due <= at)
            {
                facts.push((sink.clone(), severity, None));
            }
        }
        for (sink, severity, began) in facts {
            let notice = NoticeId(self.state.next_notice + 1);
            let change = if began.is_some() { Change::Resolved } else { Change::Opened };
            let notice = Notice::of_trial(&sink, severity, notice, began.unwrap_or(notice).0, change);
            self.record(step, at, Fact::Tried { sink, notice: notice.clone() });
            step.effects.push(Effect::Notify(notice));
        }
    }
}

impl State {
    /// A sink is tried, or its trial is over.
    pub(super) fn try_sink(&mut self, at: At, sink: &Name, notice: &Notice) {
        self.next_notice = self.next_notice.max(notice.notice.0);
        let mut opened_at = at;
        if notice.change == Change::Resolved {
            if let Some(trial) = self.trials.get_mut(sink) {
                trial.over = true;
                opened_at = trial.at;
            }
        } else {
            self.trials.insert(sink.clone(), Trial { at, notice: notice.notice, outcome: None, over: false });
            self.has_trial(sink);
        }
        self.outbox.insert(notice.notice, Pending { at, opened_at, notice: notice.clone().into(), sinks: [sink.clone()].into() });
    }

    /// A notice's way to a sink is over, which may have been that of a trial.
    pub(super) fn end_trial(&mut self, notice: NoticeId, sink: &Name, outcome: Delivery) {
        if let Some(trial) = self.trials.get_mut(sink).filter(|trial| trial.notice == notice) {
            trial.outcome = Some(outcome);
        }
    }

    /// The last trial of each sink that is tried.
    pub(super) fn tried_sinks(&self, plan: &Plan) -> Vec<TrialView> {
        let of = |sink: &Name| {
            let last = self.trials.get(sink);
            let taken = last.and_then(|trial| trial.outcome).map(|outcome| outcome == Delivery::Delivered);
            TrialView { sink: sink.clone(), at: last.map(|trial| trial.at), taken }
        };
        plan.tries.keys().map(of).collect()
    }
}
