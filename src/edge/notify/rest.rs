//! What one sink's queue remembers over a restart, however that came: how long the sink wants to be left alone, and which notices it has
//! clearly not taken.
//!
//! A small file beside the ledger. Without it a sink is called again at once, and what may have been taken counts as taken perhaps.

use std::collections::BTreeSet;
use std::path::Path;

use super::memory::Memory;
use super::{Attempt, Queue};
use crate::model::{At, Name, NoticeId, Span};

/// A wait that is shorter is not worth a write.
const WORTH: Span = Span::from_secs(5);
/// Nobody wants to be left alone for longer: what says so was written by another clock.
const LONGEST: Span = Span::from_secs(3600);
/// Notices that are remembered; of more it is not known whether they were taken.
const MOST: usize = 64;

/// What is remembered under which name.
const NOT_BEFORE: &str = "not_before";
const UNTAKEN: &str = "untaken";

/// The memory of one queue.
#[derive(Debug)]
pub(super) struct Rest {
    memory: Memory,
    untaken: BTreeSet<NoticeId>,
}

impl Rest {
    /// As an earlier process left it in `folder`; without one nothing outlives the process.
    pub(super) fn open(folder: Option<&Path>, sink: &Name) -> Self {
        let memory = Memory::open(folder, &format!("sink-{sink}.queue.json"));
        let untaken = memory.get(UNTAKEN).and_then(|text| serde_json::from_str::<BTreeSet<u64>>(&text).ok()).unwrap_or_default();
        Self { memory, untaken: untaken.into_iter().take(MOST).map(NoticeId).collect() }
    }

    /// Until when the sink wants to be left alone, if that is not over.
    pub(super) fn not_before(&self, now: At) -> Option<At> {
        let at = At::from_ms(self.memory.get(NOT_BEFORE)?.parse().ok()?);
        Some(at).filter(|at| *at > now && at.since(now) <= LONGEST)
    }

    /// Notices of which it is known that the sink has not taken them.
    pub(super) fn untaken(&self) -> &BTreeSet<NoticeId> {
        &self.untaken
    }

    /// A notice is about to be tried: from now on it may have been taken.
    pub(super) fn begins(&mut self, notice: NoticeId) {
        if self.untaken.remove(&notice) {
            self.keep();
        }
    }

    /// An attempt has ended, and this is what the queue makes of it.
    pub(super) fn landed(&mut self, attempt: &Attempt, queue: &Queue, now: At) {
        if let Some(wait) = attempt.wait().filter(|wait| *wait >= WORTH) {
            self.memory.set(NOT_BEFORE, &now.plus(wait).as_ms().to_string());
        }
        self.note(queue, now);
    }

    /// What waits in the queue for a while: whether it was tried before or not, it has not been taken.
    pub(super) fn note(&mut self, queue: &Queue, now: At) {
        let waits = |(_, at): &(NoticeId, At)| at.since(now) >= WORTH;
        if !queue.untaken().filter(waits).any(|(notice, _)| !self.untaken.contains(&notice)) {
            return;
        }
        let all: BTreeSet<NoticeId> = queue.untaken().map(|(notice, _)| notice).collect();
        self.untaken.retain(|known| all.contains(known));
        let room = MOST.saturating_sub(self.untaken.len());
        let new: Vec<NoticeId> = queue.untaken().filter(waits).map(|(n, _)| n).filter(|n| !self.untaken.contains(n)).take(room).collect();
        if !new.is_empty() {
            self.untaken.extend(new);
            self.keep();
        }
    }

    fn keep(&self) {
        let numbers: Vec<u64> = self.untaken.iter().map(|notice| notice.0).collect();
        self.memory.set(UNTAKEN, &serde_json::to_string(&numbers).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Outgoing, Pace, nasty};
    use super::*;
    use crate::model::{Change, Notice};
    use crate::watchdog::Delivery;

    fn at(secs: i64) -> At {
        At::from_ms(1_659_987_060_000 + secs * 1000)
    }

    fn out(id: u64, change: Change) -> Outgoing {
        let out = nasty::out(change, "x");
        Outgoing { notice: Notice { notice: NoticeId(id), ..out.notice }, ..out }
    }

    /// A queue of the process that began at `now`, with what an earlier one left.
    fn queue(folder: &Path, now: At) -> (Queue, Rest) {
        let rest = Rest::open(Some(folder), &Name::new("sink").unwrap());
        (Queue::new(Pace::default(), 42, now).after(rest.untaken(), rest.not_before(now)), rest)
    }

    fn fails(queue: &mut Queue, rest: &mut Rest, attempt: &Attempt, now: At) {
        let started = queue.start(now).unwrap().notice.notice;
        rest.begins(started);
        queue.finished(started, attempt, now);
        rest.landed(attempt, queue, now);
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
        let (mut second, mut rest) = queue(&folder, at(10));
        second.push(out(1, Change::Opened), at(10));
        assert_eq!((second.start(at(89)), second.wake_at()), (None, Some(at(90))));
        // …and knows that the page was not taken: when it is over, nothing of it is told.
        let mut over = second;
        over.push(out(10, Change::Resolved), at(20));
        let dropped = [1, 10].map(|id| (NoticeId(id), Delivery::Dropped));
        assert_eq!(over.take_ended(), dropped);
        // A third, killed while it tried: it may have been taken.
        let (mut third, _) = queue(&folder, at(30));
        third.push(out(1, Change::Opened), at(30));
        rest.begins(third.start(at(90)).unwrap().notice.notice);
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
        rest.note(&queued, at(113));
        let (mut later, _) = queue(&folder, at(114));
        later.push(new(2, Change::Opened, 113), at(114));
        later.push(new(20, Change::Resolved, 120), at(120));
        assert_eq!(later.take_ended(), [2, 20].map(|id| (NoticeId(id), Delivery::Dropped)));
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
            ("[[\"not_before\",\"soon\"],[\"untaken\",\"{\"]]".to_owned(), None),
        ] {
            std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), text.as_bytes()).unwrap();
            let rest = Rest::open(Some(&folder), &Name::new("sink").unwrap());
            assert_eq!((rest.not_before(at(0)), rest.untaken().len()), (expected, 0), "{text}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
