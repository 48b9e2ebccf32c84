//! Somebody has seen an incident: nobody else is called, and who was called at that moment hears who has it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Queue, Waiting};
use crate::edge::notify::Outgoing;
use crate::model::{Change, IncidentId, NoticeId};
use crate::watchdog::Delivery;

/// The calls that may have been under way when somebody came, in the evidence of who did: told to those alone who may have been called.
const CALLED_LATE: &str = "called_late";

/// The calls for the sake of which a notice says who has an incident.
fn calls(out: &Outgoing) -> Option<BTreeSet<NoticeId>> {
    let said = out.notice.evidence.get(CALLED_LATE)?.as_array().filter(|_| out.notice.change == Change::Acknowledged)?;
    Some(said.iter().filter_map(Value::as_u64).map(NoticeId).collect())
}

impl Queue {
    /// Somebody has seen an incident: nobody is reminded of it, and nobody else is called.
    pub fn seen(&mut self, incident: IncidentId) {
        self.waiting.iter_mut().filter(|w| w.out.notice.incident == incident && w.asked).for_each(|w| w.seen = true);
        self.drop_where(|w| w.out.notice.incident == incident && w.asked);
    }

    /// Whether this one asked for somebody, who has come meanwhile.
    pub(super) fn is_seen(&self, index: usize) -> bool {
        self.waiting.get(index).is_some_and(|w| w.seen)
    }

    /// This one was being tried when somebody came, and was not taken, as far as is known: it is not tried again.
    pub(super) fn call_off(&mut self, index: usize, unclear: bool) {
        if let Some(waiting) = self.waiting.get_mut(index) {
            waiting.unclear |= unclear;
        }
        self.end(index, Delivery::Dropped);
    }

    /// Whether this says who has an incident for the sake of calls that reached nobody: then it is no news.
    pub(super) fn was_called_in_vain(&self, out: &Outgoing, is_old: bool) -> bool {
        let Some(calls) = calls(out) else { return false };
        let waits = self.waiting.iter().any(|w| calls.contains(&w.out.notice.notice));
        let reached = || self.unwritten.iter().any(|(id, (_, heard))| *heard && calls.contains(id));
        // What an earlier process was trying may have reached somebody.
        let perhaps = || is_old && calls.iter().any(|id| !self.untaken.contains(id));
        !waits && !reached() && !perhaps()
    }

    /// A call has ended: who has its incident is not told for its sake if it has reached nobody.
    pub(super) fn forget_call(&mut self, call: NoticeId, incident: IncidentId) {
        let told = |w: &Waiting| w.out.notice.incident == incident && !w.flying && calls(&w.out).is_some_and(|calls| calls.contains(&call));
        let Some(index) = self.waiting.iter().position(told) else { return };
        let in_vain = self.waiting.get(index).is_some_and(|w| !w.stands && self.was_called_in_vain(&w.out, w.out.at < self.born));
        if in_vain {
            self.end(index, Delivery::Dropped);
        }
    }

    /// What a chat has not taken yet when somebody has come calls nobody any more: who has it is told instead, with how it stands.
    pub(super) fn tell_instead(&mut self, incident: IncidentId) {
        let mine = |w: &&Waiting| w.out.notice.incident == incident;
        let Some(newest) = self.waiting.iter().rfind(mine).filter(|w| self.repeats && !w.flying) else { return };
        let Some(calls) = calls(&newest.out) else { return };
        let id = newest.out.notice.notice;
        let joins = |w: &&Waiting| !w.flying && !w.unclear && calls.contains(&w.out.notice.notice);
        let before: Vec<&Waiting> = self.waiting.iter().rev().filter(mine).skip(1).take_while(joins).collect();
        let Some(oldest) = before.last() else { return };
        let (tries, doubts, doubted, due) = (oldest.tries, oldest.doubts, oldest.doubted, oldest.due);
        let (opens, stands) = (before.iter().any(|w| w.opens), before.iter().any(|w| !w.asked));
        let gone: BTreeSet<NoticeId> = before.iter().map(|w| w.out.notice.notice).collect();
        if let Some(newest) = self.waiting.iter_mut().find(|w| w.out.notice.notice == id) {
            (newest.tries, newest.doubts, newest.doubted, newest.due) = (tries, doubts, doubted, due);
            (newest.opens, newest.stands) = (newest.opens | opens, newest.stands | stands);
        }
        self.drop_where(|w| gone.contains(&w.out.notice.notice));
    }
}
