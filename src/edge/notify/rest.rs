//! What one sink's queue remembers over a restart, however that came: how long the sink wants to be left alone, which notices it has
//! clearly not taken, and since when it refuses some of them as if its receiver were being replaced.
//!
//! A small file beside the ledger. Without it a sink is called again at once, what may have been taken counts as taken perhaps, and who
//! refuses is given its ten minutes again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::memory::Memory;
use super::queue::ToldAs;
use super::{Attempt, Queue};
use crate::model::{At, Change, Name, NoticeId, Span};

/// A wait that is shorter is not worth a write.
const WORTH: Span = Span::from_secs(5);
/// Nobody wants to be left alone for longer: what says so was written by another clock.
const LONGEST: Span = Span::from_secs(3600);
/// Notices of which it is remembered since when they are refused.
const MOST: usize = 64;
/// Notices that are remembered not to have been taken: as many as a queue keeps.
const MOST_UNTAKEN: usize = 1000;

/// What is remembered under which name.
const NOT_BEFORE: &str = "not_before";
const UNTAKEN: &str = "untaken";
const TOLD_AS: &str = "told_as";
/// The marks of those that call somebody because nobody else has come.
const ESCALATIONS: &str = "escalations";
const DOUBTED: &str = "doubted";

/// The memory of one queue.
#[derive(Debug)]
pub(super) struct Rest {
    memory: Memory,
    untaken: BTreeSet<NoticeId>,
    /// What is told as something else, until its end is written down.
    told_as: BTreeMap<NoticeId, ToldAs>,
    doubted: BTreeMap<NoticeId, At>,
    /// What is known is not written down yet.
    changed: bool,
}

impl Rest {
    /// As an earlier process left it in `folder` before `now`; without one nothing outlives the process.
    pub(super) fn open(folder: Option<&Path>, sink: &Name, now: At) -> Self {
        let memory = Memory::open(folder, &format!("sink-{sink}.queue.json"));
        let untaken: Vec<NoticeId> = kept(&memory, UNTAKEN);
        let told_as: Vec<(NoticeId, Change)> = kept(&memory, TOLD_AS);
        let escalations: Vec<(NoticeId, Value)> = kept(&memory, ESCALATIONS);
        let mut escalations: BTreeMap<NoticeId, Value> = escalations.into_iter().collect();
        let told_as =
            told_as.into_iter().take(MOST_UNTAKEN).map(|(notice, change)| (notice, (change, escalations.remove(&notice)))).collect();
        let untaken = untaken.into_iter().take(MOST_UNTAKEN).collect();
        let doubted: Vec<(NoticeId, At)> = kept(&memory, DOUBTED);
        let doubted = doubted.into_iter().filter(|(_, since)| *since <= now).take(MOST).collect();
        Self { memory, untaken, told_as, doubted, changed: false }
    }

    /// Until when the sink wants to be left alone, if that is not over.
    pub(super) fn not_before(&self, now: At) -> Option<At> {
        let at = At::from_ms(self.memory.get(NOT_BEFORE)?.parse().ok()?);
        Some(at).filter(|at| *at > now && at.since(now) <= LONGEST)
    }

    /// Notices of which it is known that the sink has not taken them.
    pub(super) const fn untaken(&self) -> &BTreeSet<NoticeId> {
        &self.untaken
    }

    /// What is told as something else, whether the sink may know of it or not.
    pub(super) const fn told_as(&self) -> &BTreeMap<NoticeId, ToldAs> {
        &self.told_as
    }

    /// Since when which notices have been refused as by a receiver that is being replaced.
    pub(super) const fn doubted(&self) -> &BTreeMap<NoticeId, At> {
        &self.doubted
    }

    /// An attempt with `notice` has ended, and this is what the queue makes of it.
    pub(super) fn landed(&mut self, attempt: &Attempt, queue: &Queue, now: At) {
        if let Some(wait) = attempt.wait().filter(|wait| *wait >= WORTH) {
            self.memory.set(NOT_BEFORE, &now.plus(wait).as_ms().to_string());
        }
        self.doubts(queue);
    }

    /// A notice's way is over, and the next process knows that.
    pub(super) fn written(&mut self, notice: NoticeId) {
        self.changed |= self.untaken.remove(&notice);
        self.changed |= self.told_as.remove(&notice).is_some();
    }

    /// Writes down which notices have certainly not been taken, before anything that has been begun goes on: what is tried from now on may be
    /// taken. What only waits for its turn is not worth a write, unless the worker `ends`.
    pub(super) fn settle(&mut self, queue: &Queue, now: At, ends: bool) {
        let untaken: BTreeMap<NoticeId, bool> = queue.untaken(now).into_iter().map(|one| (one.notice, one.waits || ends)).collect();
        let told_as = queue.told_as();
        if !self.untaken.is_empty() {
            let (all, before, full) = (queue.all(), self.untaken.len(), self.untaken.len() >= MOST_UNTAKEN);
            // Those that were not handed over again yet stay as they are, and those whose end is not written down, while there is room.
            self.untaken.retain(|notice| untaken.contains_key(notice) || !full && !all.contains(notice));
            self.changed |= self.untaken.len() != before;
        }
        for (notice, _) in untaken.into_iter().filter(|(_, waits)| *waits) {
            self.changed |= self.untaken.len() < MOST_UNTAKEN && self.untaken.insert(notice);
        }
        for (notice, more) in told_as {
            if self.told_as.get(&notice) != Some(&more) {
                self.told_as.insert(notice, more);
                self.changed = true;
            }
        }
        if self.told_as.len() > MOST_UNTAKEN {
            let all = queue.all();
            self.told_as.retain(|notice, _| all.contains(notice));
        }
        if std::mem::take(&mut self.changed) {
            self.keep();
        }
        self.doubts(queue);
    }

    /// What is told instead of what was refused takes over since when that is: so it is taken from the queue, and not from the attempts.
    fn doubts(&mut self, queue: &Queue) {
        let mut doubted = queue.doubted();
        while doubted.len() > MOST {
            doubted.pop_first();
        }
        if doubted != self.doubted {
            let all: Vec<(NoticeId, At)> = doubted.iter().map(|(notice, at)| (*notice, *at)).collect();
            self.memory.set(DOUBTED, &serde_json::to_string(&all).unwrap_or_default());
            self.doubted = doubted;
        }
    }

    /// Since when one of several receivers of the same refuses as if it were being replaced.
    pub(super) fn doubted_instance(&self, index: usize) -> Option<At> {
        self.memory.get(&format!("{DOUBTED}/{index}"))?.parse().ok().map(At::from_ms)
    }

    /// Remembers that; `None`: it does not any more.
    pub(super) fn doubts_instance(&self, index: usize, since: Option<At>) {
        self.memory.set(&format!("{DOUBTED}/{index}"), &since.map_or_else(String::new, |at| at.as_ms().to_string()));
    }

    fn keep(&self) {
        let untaken: Vec<NoticeId> = self.untaken.iter().copied().collect();
        let told_as: Vec<(NoticeId, Change)> = self.told_as.iter().map(|(notice, (change, _))| (*notice, *change)).collect();
        let escalations: Vec<(NoticeId, &Value)> =
            self.told_as.iter().filter_map(|(notice, (_, mark))| Some((*notice, mark.as_ref()?))).collect();
        let text = |what: Result<String, serde_json::Error>| what.unwrap_or_default();
        self.memory.set_all(&[
            (UNTAKEN, text(serde_json::to_string(&untaken))),
            (TOLD_AS, text(serde_json::to_string(&told_as))),
            (ESCALATIONS, text(serde_json::to_string(&escalations))),
        ]);
    }
}

/// What is remembered under a name; nothing, if it cannot be read.
fn kept<T: serde::de::DeserializeOwned>(memory: &Memory, name: &str) -> Vec<T> {
    memory.get(name).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Outgoing, Pace, nasty};
    use super::*;
    use crate::model::Notice;
    use crate::watchdog::Delivery;

    fn at(secs: i64) -> At {
        At::from_ms(1_659_987_060_000 + secs * 1000)
    }

    fn out(id: u64, change: Change) -> Outgoing {
        let out = nasty::out(change, "x");
        Outgoing { notice: Notice { notice: NoticeId(id), ..(*out.notice).clone() }.into(), ..out }
    }

    /// A queue of the process that began at `now`, with what an earlier one left.
    fn queue(folder: &Path, now: At) -> (Queue, Rest) {
        let rest = Rest::open(Some(folder), &Name::new("sink").unwrap(), now);
        let queue = Queue::new(Pace::default(), 42, now).telling(rest.told_as());
        (queue.after(rest.untaken(), rest.doubted(), rest.not_before(now)), rest)
    }

    fn fails(queue: &mut Queue, rest: &mut Rest, attempt: &Attempt, now: At) {
        let started = queue.start(now).unwrap().notice.notice;
        rest.settle(queue, now, false);
        queue.finished(started, attempt, now);
        rest.landed(attempt, queue, now);
        rest.settle(queue, now, false);
    }

    #[test]
    fn a_restart_waits_as_long_as_the_sink_wants_and_tells_nothing_that_is_over() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let busy = Attempt::Retry { after: Some(Span::from_secs(90)), why: String::new(), unclear: false };
        let (mut first, mut rest) = queue(&folder, at(-60));
        first.push(out(1, Change::Opened), at(0));
        fails(&mut first, &mut rest, &busy, at(0));
        // A second process: it calls nobody before the time has come…
        let (mut second, _) = queue(&folder, at(10));
        second.push(out(1, Change::Opened), at(10));
        assert_eq!((second.start(at(89)), second.wake_at()), (None, Some(at(90))));
        // …and knows that the page was not taken: when it is over, nothing of it is told.
        let mut over = second;
        over.push(out(10, Change::Resolved), at(20));
        let dropped = [1, 10].map(|id| (NoticeId(id), Delivery::Dropped));
        assert_eq!(over.take_ended(), dropped);
        // A third, killed while it tried: it may have been taken.
        let (mut third, mut rest) = queue(&folder, at(30));
        third.push(out(1, Change::Opened), at(30));
        assert_eq!(third.start(at(90)).unwrap().notice.notice, NoticeId(1));
        rest.settle(&third, at(90), false);
        let (mut fourth, _) = queue(&folder, at(100));
        fourth.push(out(1, Change::Opened), at(100));
        fourth.push(out(10, Change::Resolved), at(100));
        assert_eq!(fourth.start(at(100)).unwrap().notice.notice, NoticeId(1), "once more, under its id");
        fourth.finished(NoticeId(1), &Attempt::Delivered, at(100));
        fourth.written(NoticeId(1));
        assert_eq!(fourth.start(at(100)).unwrap().notice.notice, NoticeId(10), "who may have heard of it hears of its end");
        // What it could not even try was not taken, either.
        let new = |id, change, secs| Outgoing { at: at(secs), ..out(id, change) };
        let (mut queued, mut rest) = queue(&folder, at(110));
        queued.push(new(3, Change::Opened, 111), at(111));
        fails(&mut queued, &mut rest, &busy, at(112));
        queued.push(new(2, Change::Opened, 113), at(113));
        rest.settle(&queued, at(113), false);
        let (mut later, _) = queue(&folder, at(114));
        later.push(new(2, Change::Opened, 113), at(114));
        later.push(new(20, Change::Resolved, 120), at(120));
        assert_eq!(later.take_ended(), [2, 20].map(|id| (NoticeId(id), Delivery::Dropped)));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn whoever_is_killed_between_two_tries_knows_what_was_not_taken() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-killed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let down = Attempt::Retry { after: None, why: "answered 503".to_owned(), unclear: false };
        let new = |id, change, secs| Outgoing { at: at(secs), ..out(id, change) };
        let (mut first, mut rest) = queue(&folder, at(0));
        first.push(new(1, Change::Opened, 1), at(1));
        fails(&mut first, &mut rest, &down, at(1));
        // A second process says nothing of having told it, and the reminder comes instead.
        let (mut second, mut rest) = queue(&folder, at(6));
        second.push(new(1, Change::Opened, 1), at(6));
        assert!(!second.start(at(6)).unwrap().perhaps_told);
        rest.settle(&second, at(6), false);
        second.finished(NoticeId(1), &down, at(6));
        second.push(new(2, Change::Reminder, 7), at(7));
        assert_eq!(second.take_ended(), [(NoticeId(1), Delivery::Dropped)]);
        rest.written(NoticeId(1));
        rest.settle(&second, at(7), false);
        // A third knows what that one stands for: it is told as what has begun…
        let (mut third, _) = queue(&folder, at(20));
        third.push(new(2, Change::Reminder, 7), at(20));
        let told = third.start(at(20)).unwrap();
        assert_eq!((told.notice.notice, told.notice.change, told.perhaps_told), (NoticeId(2), Change::Opened, false));
        // …and nothing is told of what is over.
        let (mut fourth, _) = queue(&folder, at(30));
        fourth.push(new(2, Change::Reminder, 7), at(30));
        fourth.push(new(3, Change::Resolved, 31), at(31));
        assert_eq!(fourth.take_ended(), [2, 3].map(|id| (NoticeId(id), Delivery::Dropped)));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_told_instead_of_a_page_calls_after_a_restart_though_it_may_have_been_taken() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-told-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let new = |id, change, mark: &str, secs| {
            let mut out = Outgoing { at: at(secs), ..out(id, change) };
            std::sync::Arc::make_mut(&mut out.notice).evidence.as_object_mut().unwrap().insert(mark.to_owned(), 1.into());
            out
        };
        let (mut first, mut rest) = queue(&folder, at(0));
        first.push(new(1, Change::Opened, "escalation", 1), at(1));
        fails(&mut first, &mut rest, &Attempt::Retry { after: None, why: String::new(), unclear: false }, at(1));
        first.push(new(2, Change::Reminder, "quiet", 2), at(2));
        assert_eq!(first.take_ended(), [(NoticeId(1), Delivery::Dropped)]);
        first.written(NoticeId(1));
        rest.written(NoticeId(1));
        // It is killed while it tells the one that is left, twice.
        assert_eq!(first.start(at(60)).unwrap().notice.notice, NoticeId(2));
        rest.settle(&first, at(60), false);
        for born in [70, 80] {
            let (mut next, mut rest) = queue(&folder, at(born));
            next.push(new(2, Change::Reminder, "quiet", 2), at(born));
            let told = next.start(at(born)).unwrap();
            let marks = ["escalation", "quiet"].map(|mark| told.notice.evidence.get(mark).is_some());
            assert_eq!((told.notice.change, told.perhaps_told, marks), (Change::Opened, true, [true, false]));
            rest.settle(&next, at(born), false);
            if born == 80 {
                next.finished(NoticeId(2), &Attempt::Delivered, at(born));
                rest.written(NoticeId(2));
                rest.settle(&next, at(born), false);
            }
        }
        assert!(queue(&folder, at(90)).1.told_as().is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_was_never_tried_is_known_after_a_reload() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-reload-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let new = |id, change, secs| Outgoing { at: at(secs), ..out(id, change) };
        let (mut first, mut rest) = queue(&folder, at(0));
        first.push(new(1, Change::Opened, 1), at(1));
        rest.settle(&first, at(1), false);
        assert!(rest.untaken().is_empty(), "it is about to be tried, and worth no write");
        rest.settle(&first, at(1), true);
        let (mut second, _) = queue(&folder, at(5));
        second.push(new(1, Change::Opened, 1), at(5));
        second.push(new(2, Change::Resolved, 6), at(6));
        assert_eq!(second.take_ended(), [1, 2].map(|id| (NoticeId(id), Delivery::Dropped)));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn who_refuses_as_if_it_were_replaced_has_ten_minutes_over_restarts() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-doubt-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let missing = Attempt::Doubtful { why: "answered 404".to_owned() };
        // A process that is started again every minute tries at once each time.
        for minute in 0..12 {
            let begun = at(60 * minute);
            let (mut next, mut rest) = queue(&folder, begun);
            next.push(out(1, Change::Opened), begun);
            fails(&mut next, &mut rest, &missing, begun);
            let expected = if minute < 11 { vec![] } else { vec![(NoticeId(1), Delivery::Refused)] };
            assert_eq!((next.take_ended(), next.len()), (expected, usize::from(minute < 11)), "after {minute} min");
        }
        let (later, mut rest) = queue(&folder, at(700));
        assert!(rest.doubted().is_empty(), "what ended is forgotten");
        // A notice of another ledger that has the same number is another one.
        let mut other = later.after(&BTreeSet::new(), &BTreeMap::from([(NoticeId(1), at(0))]), None);
        other.push(Outgoing { at: at(700), opened_at: at(700), ..out(1, Change::Opened) }, at(700));
        fails(&mut other, &mut rest, &missing, at(700));
        assert_eq!(other.len(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_told_instead_of_what_was_doubted_has_no_ten_minutes_of_its_own() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-joined-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let missing = Attempt::Doubtful { why: "answered 404".to_owned() };
        let new = |id, change, begun| Outgoing { at: begun, ..out(id, change) };
        // Every minute a process begins, and something more is to be told of the incident.
        let (mut last, mut refused) = (new(1, Change::Opened, at(0)), None);
        for minute in 0..15 {
            let begun = at(60 * minute);
            let (mut next, mut rest) = queue(&folder, begun);
            next.push(last, begun);
            fails(&mut next, &mut rest, &missing, begun);
            if next.take_ended().iter().any(|(_, how)| *how == Delivery::Refused) {
                refused = Some(minute);
                break;
            }
            let more = new(2 + u64::try_from(minute).unwrap(), Change::Updated, begun.plus(Span::from_secs(30)));
            next.push(more.clone(), begun.plus(Span::from_secs(30)));
            rest.settle(&next, begun.plus(Span::from_secs(30)), false);
            assert_eq!(next.len(), 1, "it is told instead");
            last = more;
        }
        assert_eq!(refused, Some(11));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_time_that_another_clock_wrote_holds_nobody_back() {
        let folder = std::env::temp_dir().join(format!("mailcanary-rest-clock-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("sink-sink.queue.json");
        for (text, expected) in [
            (format!("[[\"not_before\",\"{}\"]]", at(4000).as_ms()), None),
            (format!("[[\"not_before\",\"{}\"]]", at(-1).as_ms()), None),
            (format!("[[\"not_before\",\"{}\"]]", at(60).as_ms()), Some(at(60))),
            ("[[\"not_before\",\"soon\"],[\"untaken\",\"{\"],[\"doubted\",\"[[1]]\"]]".to_owned(), None),
        ] {
            std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), text.as_bytes()).unwrap();
            let rest = Rest::open(Some(&folder), &Name::new("sink").unwrap(), at(0));
            assert_eq!((rest.not_before(at(0)), rest.untaken().len()), (expected, 0), "{text}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
