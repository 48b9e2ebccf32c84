//! What waits long of one incident becomes one notice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Queue, Waiting};
use crate::edge::notify::Outgoing;
use crate::edge::notify::page::{QUIET, is_quiet};
use crate::model::{At, Change, IncidentId, NoticeId};

/// What a notice is told as that is told instead of more than it is, and the mark that somebody is called because nobody else has come.
pub(in crate::edge::notify) type ToldAs = (Change, Option<Value>);

/// Marks the evidence of what calls somebody because nobody else has come.
const ESCALATION: &str = "escalation";

/// Whether it says how an incident stands that goes on, and has certainly not been taken.
fn is_clear(waiting: &Waiting) -> bool {
    let goes_on = matches!(waiting.out.notice.change, Change::Opened | Change::Updated | Change::Reminder);
    goes_on && !waiting.flying && !waiting.unclear
}

/// From now on it is told as this, aloud.
pub(super) fn tell_as(out: &mut Outgoing, (change, escalation): ToldAs) {
    let notice = Arc::make_mut(&mut out.notice);
    notice.change = change;
    if let Some(evidence) = notice.evidence.as_object_mut() {
        evidence.remove(QUIET);
        evidence.extend(escalation.map(|mark| (ESCALATION.to_owned(), mark)));
    }
}

impl Queue {
    /// What waits and is told as something else.
    pub(in crate::edge::notify) fn told_as(&self) -> BTreeMap<NoticeId, ToldAs> {
        let of = |w: &Waiting| Some((w.out.notice.notice, (w.told_as?, w.out.notice.evidence.get(ESCALATION).cloned())));
        self.waiting.iter().filter_map(of).collect()
    }

    /// Of what has waited long of an incident that goes on only the newest is told: who comes back hears one message of it, as it stands. It is
    /// told as what is louder of what it stands for, and is tried when that would have been.
    pub(super) fn join(&mut self, incident: IncidentId, now: At) {
        let quiet = self.quiet.is_some_and(|quiet| !quiet.has_come(now));
        let waited = |w: &Waiting| w.tries > 0 || w.out.at < self.born || quiet;
        let mine = |w: &&Waiting| w.out.notice.incident == incident;
        let Some(newest) = self.waiting.iter().rfind(mine).filter(|w| is_clear(w) && w.out.notice.change != Change::Opened) else { return };
        let (id, asks) = (newest.out.notice.notice, newest.out.notice.asks_for_somebody());
        // Nobody who was to be called because nobody had come is told as if that were news.
        let joins = |w: &&Waiting| is_clear(w) && waited(w) && (asks || !w.out.notice.asks_for_somebody());
        let before: Vec<&Waiting> = self.waiting.iter().rev().filter(mine).skip(1).take_while(joins).collect();
        let Some(oldest) = before.last() else { return };
        let (tries, doubts, due) = (oldest.tries, oldest.doubts, oldest.due);
        let (doubted, opens) = (before.iter().filter_map(|w| w.doubted).min(), before.iter().any(|w| w.opens));
        let loud = |w: &&Waiting| w.out.notice.change == Change::Updated && !is_quiet(&w.out.notice);
        let told_as = if before.iter().any(|w| w.out.notice.change == Change::Opened) {
            Some(Change::Opened)
        } else {
            before.iter().copied().any(|w| loud(&w)).then_some(Change::Updated)
        };
        let escalation = before.iter().find_map(|w| w.out.notice.evidence.get(ESCALATION)).cloned();
        let gone: BTreeSet<NoticeId> = before.iter().map(|w| w.out.notice.notice).collect();
        if let Some(newest) = self.waiting.iter_mut().find(|w| w.out.notice.notice == id) {
            (newest.tries, newest.doubts, newest.due) = (tries.max(newest.tries), doubts.max(newest.doubts), due);
            newest.doubted = [doubted, newest.doubted].into_iter().flatten().min();
            newest.opens |= opens;
            if let Some(change) = told_as {
                newest.told_as = Some(change);
                tell_as(&mut newest.out, (change, escalation));
            }
        }
        self.drop_where(|w| gone.contains(&w.out.notice.notice));
    }
}
