//! What to try next, when to try it again and what to drop, for sinks that take one message a notice. Pure: time comes in, decisions go out.
//!
//! Notices of one incident keep their order, and the next goes only when the end of the one before is durable: a restart would tell that one
//! again, and nobody may be called after a recovery. Incidents do not wait for each other. What has been tried least goes first, so that a
//! new page is not held up by a hundred that fail.

mod doubt;
mod join;
mod seen;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) use self::doubt::DOUBTS;
pub(super) use self::join::ToldAs;
use self::join::tell_as;
use super::pace::{Due, Pace, mix};
use super::page::is_quiet;
use super::rate::Meter;
use super::{Attempt, Outgoing, Rate};
use crate::model::{At, Change, IncidentId, NoticeId};
use crate::watchdog::Delivery;

/// More than this many are never kept: the quietest goes first.
const LIMIT: usize = 1000;

#[derive(Debug)]
struct Waiting {
    out: Outgoing,
    tries: u32,
    /// Doubtful refusals so far, and since when.
    doubts: u32,
    doubted: Option<At>,
    due: Due,
    flying: bool,
    /// Whether the sink may know of it already.
    unclear: bool,
    /// How often it has been tried without it being known whether the sink took it.
    unanswered: u32,
    /// What it is told as, because it is told instead of one that is more than it is.
    told_as: Option<Change>,
    /// As it was handed over it asked for somebody.
    asked: bool,
    /// It asked for somebody while somebody came: it is not tried again.
    seen: bool,
    /// It is the first that the sink is told of its incident.
    opens: bool,
    /// It is told instead of something that is no mere call.
    stands: bool,
}

/// A notice that waits, and of which it is known that the sink has not taken it.
#[derive(Debug)]
pub(super) struct Untaken {
    pub(super) notice: NoticeId,
    /// It has failed, or waits for more than its turn.
    pub(super) waits: bool,
}

/// The notices that wait for one sink.
#[derive(Debug)]
pub struct Queue {
    pace: Pace,
    seed: u64,
    /// What is older was handed over by an earlier process, and may have reached the sink.
    born: At,
    waiting: VecDeque<Waiting>,
    quiet: Option<Due>,
    meter: Meter,
    gone: bool,
    ended: Vec<(NoticeId, Delivery)>,
    /// Notices that ended, where a restart would not know it yet; and whether the sink may know of them.
    unwritten: BTreeMap<NoticeId, (IncidentId, bool)>,
    /// Notices that an earlier process is known not to have got rid of.
    untaken: BTreeSet<NoticeId>,
    /// Notices that an earlier process told as something else, or was to.
    told_as: BTreeMap<NoticeId, ToldAs>,
    /// Since when notices have been refused as by a receiver that is being replaced, where that began before this process.
    doubted: BTreeMap<NoticeId, At>,
    /// The sink makes a second message of what it is told twice.
    repeats: bool,
    /// How many were dropped because there were too many.
    dropped: u64,
}

impl Queue {
    /// An empty queue. `seed` scatters its back-off; `born` is the present.
    #[must_use]
    pub const fn new(pace: Pace, seed: u64, born: At) -> Self {
        let meter = Meter::new(Rate::NONE, born);
        Self {
            pace,
            seed,
            born,
            waiting: VecDeque::new(),
            quiet: None,
            meter,
            gone: false,
            ended: Vec::new(),
            unwritten: BTreeMap::new(),
            untaken: BTreeSet::new(),
            told_as: BTreeMap::new(),
            doubted: BTreeMap::new(),
            repeats: false,
            dropped: 0,
        }
    }

    /// The same for a sink that bears no more than `rate`.
    #[must_use]
    pub const fn within(mut self, rate: Rate) -> Self {
        self.meter = Meter::new(rate, self.born);
        self
    }

    /// The same for a sink that makes a second message of what it is told twice, if it `repeats`.
    #[must_use]
    pub const fn repeating(mut self, repeats: bool) -> Self {
        self.repeats = repeats;
        self
    }

    /// The same after an earlier process, of whose notices `untaken` are known not to have been taken, some of them `doubted` since then, and
    /// which the sink wants to be left alone until `not_before`.
    #[must_use]
    pub fn after(mut self, untaken: &BTreeSet<NoticeId>, doubted: &BTreeMap<NoticeId, At>, not_before: Option<At>) -> Self {
        self.untaken.clone_from(untaken);
        self.doubted.clone_from(doubted);
        self.quiet = not_before.map(|at| Due { since: self.born, at });
        self
    }

    /// The same after an earlier process that told some notices as more than they are, for they are told instead of others.
    pub(super) fn telling(mut self, told_as: &BTreeMap<NoticeId, ToldAs>) -> Self {
        self.told_as.clone_from(told_as);
        self
    }

    /// The notices of which it is known that the sink has not taken them.
    pub(super) fn untaken(&self, now: At) -> Vec<Untaken> {
        let held = self.quiet.is_some_and(|quiet| !quiet.has_come(now)) || self.meter.next() > now;
        let mut seen = BTreeSet::new();
        let firsts = self.waiting.iter().map(|w| (w, seen.insert(w.out.notice.incident)));
        let clear = firsts.filter(|(w, _)| !w.flying && !w.unclear);
        let of = |(w, first): (&Waiting, bool)| Untaken {
            notice: w.out.notice.notice,
            waits: held || !first || w.tries > 0 || !w.due.has_come(now),
        };
        clear.map(of).collect()
    }

    /// All that wait or are being tried.
    pub(super) fn all(&self) -> BTreeSet<NoticeId> {
        self.waiting.iter().map(|w| w.out.notice.notice).collect()
    }

    /// How many wait or are being tried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes in one notice. The same one again changes nothing.
    pub fn push(&mut self, mut out: Outgoing, now: At) {
        let id = out.notice.notice;
        // That a sink is closed for good may be wrong, or mended: a trial shows it.
        if self.gone && !out.notice.is_trial() {
            return self.ended.push((id, Delivery::Refused));
        }
        if self.waiting.iter().any(|w| w.out.notice.notice == id) {
            return;
        }
        let incident = out.notice.incident;
        let (is_old, asked) = (out.at < self.born, out.notice.asks_for_somebody());
        let unclear = is_old && !self.untaken.contains(&id);
        if self.was_called_in_vain(&out, is_old) {
            return self.ended.push((id, Delivery::Dropped));
        }
        let told_as = self.told_as.get(&id).filter(|_| is_old).cloned();
        let doubted = self.doubted.remove(&id).filter(|since| *since >= out.opened_at);
        let opens = out.notice.change == Change::Opened || told_as.as_ref().is_some_and(|(change, _)| *change == Change::Opened);
        if let Some(more) = &told_as {
            tell_as(&mut out, more.clone());
        }
        self.waiting.push_back(Waiting {
            out,
            tries: 0,
            doubts: 0,
            doubted,
            due: Due { since: now, at: now },
            flying: false,
            unclear,
            unanswered: 0,
            told_as: told_as.map(|(change, _)| change),
            asked,
            seen: false,
            opens,
            stands: false,
        });
        self.overtake(incident, now);
        self.trim();
    }

    /// The next to try, if any is due; it is then being tried until [`Queue::finished`].
    pub fn start(&mut self, now: At) -> Option<Outgoing> {
        self.expire(now);
        if self.quiet.is_some_and(|quiet| !quiet.has_come(now)) {
            return None;
        }
        let index = self.heads().filter(|(_, w)| w.due.has_come(now)).min_by_key(|(index, w)| {
            let loudest_first = std::cmp::Reverse(w.out.notice.severity);
            (w.tries, loudest_first, *index)
        })?;
        let (index, _) = index;
        if !self.meter.spend(now) {
            return None;
        }
        let waiting = self.waiting.get_mut(index)?;
        waiting.flying = true;
        Some(Outgoing { perhaps_told: waiting.unclear, ..waiting.out.clone() })
    }

    /// When [`Queue::start`] has something again, if nothing comes in before. May be in the past.
    #[must_use]
    pub fn wake_at(&self) -> Option<At> {
        let first = self.heads().map(|(_, w)| w.due.at).min()?;
        Some(self.quiet.map_or(first, |quiet| first.max(quiet.at)).max(self.meter.next()))
    }

    /// Takes in how an attempt ended.
    pub fn finished(&mut self, id: NoticeId, attempt: &Attempt, now: At) {
        let Some(index) = self.waiting.iter().position(|w| w.out.notice.notice == id) else { return };
        match attempt {
            Attempt::Delivered => {
                self.gone = false;
                self.end(index, Delivery::Delivered);
            }
            Attempt::Refused { .. } => self.refused(index),
            Attempt::Retry { unclear, .. } if self.is_seen(index) => self.call_off(index, *unclear),
            Attempt::Doubtful { .. } if self.is_seen(index) => self.call_off(index, false),
            Attempt::Doubtful { .. } => self.doubt(index, now),
            Attempt::Gone { .. } => {
                self.gone = true;
                while !self.waiting.is_empty() {
                    self.end(0, Delivery::Refused);
                }
            }
            Attempt::Retry { after, unclear, .. } => {
                let salt = self.seed ^ mix(id.0);
                if let Some(waiting) = self.waiting.get_mut(index) {
                    waiting.tries = waiting.tries.saturating_add(1);
                    waiting.flying = false;
                    waiting.unclear |= unclear;
                    waiting.unanswered += u32::from(*unclear);
                    let wait = self.pace.back_off(waiting.tries, self.pace.cap, salt);
                    // A repeat may be a second message: one is soon told, further ones seldom.
                    let seldom = waiting.unanswered.checked_sub(2).filter(|_| *unclear && self.repeats);
                    let wait = seldom.map_or(wait, |n| wait.max(self.pace.seldom.scaled(1 << n.min(3), 1)));
                    waiting.due = Due { since: now, at: now.plus(wait) };
                    let incident = waiting.out.notice.incident;
                    if let Some(wait) = after {
                        self.quiet = Some(Due { since: now, at: now.plus(*wait) });
                    }
                    self.overtake(incident, now);
                }
            }
        }
    }

    /// The sink has refused a notice. If that was the first of its incident, it hears nothing of the end.
    fn refused(&mut self, index: usize) {
        let first = self.waiting.get(index).filter(|w| w.opens && !w.unclear);
        let incident = first.map(|w| w.out.notice.incident);
        self.end(index, Delivery::Refused);
        let Some(incident) = incident else { return };
        let mine = |w: &&Waiting| w.out.notice.incident == incident;
        if self.waiting.iter().rfind(mine).is_some_and(|last| last.out.notice.change == Change::Resolved) {
            self.drop_where(|w| w.out.notice.incident == incident);
        }
    }

    /// How this notice ended is durable: the next one of its incident may go.
    pub fn written(&mut self, id: NoticeId) {
        self.unwritten.remove(&id);
    }

    /// How many were dropped because more waited than are kept.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What ended since this was last asked. [`Queue::written`] answers each.
    pub fn take_ended(&mut self) -> Vec<(NoticeId, Delivery)> {
        std::mem::take(&mut self.ended)
    }

    /// The oldest notice of each incident of which none is being tried, or has just ended.
    fn heads(&self) -> impl Iterator<Item = (usize, &Waiting)> {
        let mut seen: BTreeSet<IncidentId> = self.unwritten.values().map(|(incident, _)| *incident).collect();
        self.waiting.iter().enumerate().filter(move |(_, w)| seen.insert(w.out.notice.incident)).filter(|(_, w)| !w.flying)
    }

    fn end(&mut self, index: usize, how: Delivery) {
        if let Some(waiting) = self.waiting.remove(index) {
            let (id, incident) = (waiting.out.notice.notice, waiting.out.notice.incident);
            self.ended.push((id, how));
            self.unwritten.insert(id, (incident, how == Delivery::Delivered || waiting.unclear));
            self.forget_call(id, incident);
        }
    }

    fn drop_where(&mut self, lost: impl Fn(&Waiting) -> bool) {
        while let Some(index) = self.waiting.iter().position(|w| !w.flying && lost(w)) {
            self.end(index, Delivery::Dropped);
        }
    }

    /// Drops what a later notice of the incident makes pointless: a reminder before any other notice, and all before a recovery, for nobody
    /// is called when it is over. Where the sink cannot know of the incident, because its `opened` was never taken, the recovery goes, too;
    /// where it may, the recovery alone is told. What an earlier process may have been telling when it died is told again once, under its id.
    fn overtake(&mut self, incident: IncidentId, now: At) {
        let mine = |w: &&Waiting| w.out.notice.incident == incident;
        let Some(last) = self.waiting.iter().rfind(mine).map(|w| (w.out.notice.notice, w.out.notice.change)) else { return };
        let born = self.born;
        let died_with = |w: &Waiting| w.unclear && w.tries == 0 && w.out.at < born;
        let earlier = |w: &Waiting| w.out.notice.incident == incident && w.out.notice.notice < last.0 && !died_with(w);
        if last.1 != Change::Resolved {
            self.drop_where(|w| earlier(w) && !w.unclear && w.out.notice.change == Change::Reminder);
            self.tell_instead(incident);
            return self.join(incident, now);
        }
        let first = self.waiting.iter().find(mine);
        let never_heard = first.is_some_and(|w| !w.flying && !w.unclear && w.opens);
        self.drop_where(earlier);
        let alone = self.waiting.iter().filter(|w| w.out.notice.incident == incident).count() == 1;
        if never_heard && alone {
            self.drop_where(|w| w.out.notice.notice == last.0);
        }
    }

    /// Gives up what nobody needs any more.
    fn expire(&mut self, now: At) {
        let give_up = self.pace.give_up;
        let over: BTreeMap<IncidentId, At> = self
            .waiting
            .iter()
            .filter(|w| w.out.notice.change == Change::Resolved && now.since(w.out.at) >= give_up)
            .map(|w| (w.out.notice.incident, w.out.at))
            .collect();
        self.drop_where(|w| over.get(&w.out.notice.incident).is_some_and(|at| w.out.at <= *at));
    }

    fn trim(&mut self) {
        while self.waiting.len() > LIMIT {
            let quietest = self.waiting.iter().enumerate().filter(|(_, w)| !w.flying).min_by_key(|(index, w)| {
                let (notice, change) = (&w.out.notice, w.out.notice.change);
                (change == Change::Resolved, change != Change::Reminder, !is_quiet(notice), notice.severity, *index)
            });
            let Some((index, _)) = quietest else { return };
            self.end(index, Delivery::Dropped);
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
