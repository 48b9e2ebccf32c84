//! One sink at work: takes notices in, tries, tells how each ended. A future to be spawned, one a sink, so that a slow sink delays no other.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};

use super::alertmanager::{Alertmanager, Board, Instance};
use super::rest::Rest;
use super::{Attempt, Channel, Outgoing, Pace, Queue, Sink, Way, tell};
use crate::model::{At, IncidentId, Name, NoticeId, Now, on_a_line};
use crate::watchdog::{Delivery, IncidentView};

/// Notices of different incidents that one sink is tried with at the same time: one that hangs does not hold up the others.
pub(super) const LANES: usize = 4;
/// The same where the sink has no rate of its own: one that answers slowly is told of a thousand incidents in time.
pub(super) const FREE_LANES: usize = 64;

/// Notices that wait for any Alertmanager; beyond it the oldest is dropped, which the board still tells of.
const PENDING: usize = 1000;

/// Nothing waits longer than this without a look at the clock, which may have been set.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// How one notice ended at one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which notice.
    pub notice: NoticeId,
    /// At which sink.
    pub sink: Name,
    /// How.
    pub outcome: Delivery,
    /// What the sink said last, if it did not take it. Holds no secret.
    pub why: Option<String>,
}

/// What a sink's worker is handed.
#[derive(Clone, Debug, PartialEq)]
pub enum Handed {
    /// Something to tell.
    Notice(Box<Outgoing>),
    /// How this notice ended is durable. The next of its incident waits for that.
    Written(NoticeId),
    /// Somebody has seen this incident.
    Seen(IncidentId),
    /// What is open is like this now: for sinks that take the state again and again.
    Stands(Arc<[IncidentView]>),
}

/// Hands what comes out of `notices` to `sink` and tells `done` how each notice ended. Every notice is told of exactly once, unless the
/// future ends before, and each is answered by [`Handed::Written`]. It ends when `notices` is closed, after the attempts under way, or when nobody listens to `done`; what is not told
/// of by then is to be handed over again after a restart.
///
/// `seen` is what the watchdog knows of incidents at the start, for sinks that take the state again and again. A notice of before `born` is one
/// that an earlier worker may have sent.
pub fn work(
    sink: Sink,
    mut notices: mpsc::Receiver<Handed>,
    done: mpsc::Sender<Ended>,
    (born, now): (At, Now),
    seen: Vec<IncidentView>,
    pace: Pace,
) -> impl Future<Output = ()> + Send {
    let rest = Rest::open(sink.folder.as_deref(), &sink.name, born);
    let mut desk = Desk { name: sink.name().clone(), done, now, ended: VecDeque::new(), failing: None };
    async move {
        match &sink.way {
            Way::Notices(channel) => {
                tokio::select! {
                    () = one_by_one(channel.as_ref(), &mut notices, &mut desk, (born, rest), pace) => {}
                    () = channel.tend() => {}
                }
            }
            Way::State(alertmanager) => again_and_again(alertmanager, &mut notices, &mut desk, (&seen, rest), pace).await,
        }
    }
}

type Flight<'a, T> = Pin<Box<dyn Future<Output = (T, Attempt)> + Send + 'a>>;

/// What happened next.
enum Next<T> {
    Came(Handed),
    Landed(T, Attempt),
    Time,
    Over,
}

/// What both ways of working share: who is told, and what is still to be told.
struct Desk {
    name: Name,
    done: mpsc::Sender<Ended>,
    now: Now,
    ended: VecDeque<(NoticeId, Delivery)>,
    /// Why the last attempt failed, if it did.
    failing: Option<String>,
}

impl Desk {
    /// Waits for whatever comes first. Telling never keeps from listening, so the two channels cannot block each other.
    async fn next<T>(
        &mut self,
        notices: &mut mpsc::Receiver<Handed>,
        flights: &mut FuturesUnordered<Flight<'_, T>>,
        wake: Option<At>,
    ) -> Next<T> {
        loop {
            let Self { name, done, ended, failing, .. } = self;
            let next = tokio::select! {
                room = done.reserve(), if !ended.is_empty() => {
                    let Ok(room) = room else { return Next::Over };
                    if let Some((notice, outcome)) = ended.pop_front() {
                        let why = failing.clone().filter(|_| outcome != Delivery::Delivered);
                        room.send(Ended { notice, sink: name.clone(), outcome, why });
                    }
                    continue;
                }
                Some((what, attempt)) = flights.next(), if !flights.is_empty() => Next::Landed(what, attempt),
                came = notices.recv() => came.map_or(Next::Over, Next::Came),
                () = until(wake, (self.now)()) => Next::Time,
            };
            if let Next::Landed(_, attempt) = &next {
                self.log(attempt);
            }
            return next;
        }
    }

    /// After the last notice: the attempts under way may end, and what ended is told.
    async fn close<T>(
        &mut self,
        flights: &mut FuturesUnordered<Flight<'_, T>>,
        mut landed: impl FnMut(T, Attempt) -> Vec<(NoticeId, Delivery)>,
    ) {
        while let Some((what, attempt)) = flights.next().await {
            let ended = landed(what, attempt);
            self.ended.extend(ended);
        }
        while let Some((notice, outcome)) = self.ended.pop_front() {
            let why = self.failing.clone().filter(|_| outcome != Delivery::Delivered);
            if self.done.send(Ended { notice, sink: self.name.clone(), outcome, why }).await.is_err() {
                return;
            }
        }
    }

    /// One line when more wait than are kept, and one each time that twice as many were dropped.
    fn warn_of(&self, known: &mut u64, dropped: u64) {
        if dropped > *known && dropped.is_power_of_two() {
            tracing::warn!(sink = %self.name, dropped, "more notices wait for this sink than are kept, and the quietest were dropped");
        }
        *known = dropped;
    }

    /// One line when a sink begins to fail, and one when it works again.
    fn log(&mut self, attempt: &Attempt) {
        match (attempt.why(), self.failing.is_some()) {
            (Some(why), false) => tracing::warn!(sink = %self.name, why, "sink fails: {}: {}", self.name, on_a_line(why)),
            (None, true) => tracing::info!(sink = %self.name, "sink works again: {}", self.name),
            (Some(_), true) | (None, false) => {}
        }
        self.failing = attempt.why().map(str::to_owned);
    }
}

async fn one_by_one(
    channel: &dyn Channel,
    notices: &mut mpsc::Receiver<Handed>,
    desk: &mut Desk,
    (born, mut rest): (At, Rest),
    pace: Pace,
) {
    let now = desk.now.clone();
    let mut queue = Queue::new(pace, seed(&desk.name), born)
        .within(channel.rate())
        .repeating(channel.repeats())
        .telling(rest.told_as())
        .after(rest.untaken(), rest.doubted(), rest.not_before(born));
    let (lanes, mut dropped) = (channel.lanes(), 0);
    let mut flights: FuturesUnordered<Flight<'_, NoticeId>> = FuturesUnordered::new();
    loop {
        while flights.len() < lanes
            && let Some(out) = queue.start(now())
        {
            let at = now();
            flights.push(Box::pin(async move { (out.notice.notice, tell(channel, &out, at).await) }));
        }
        desk.ended.extend(queue.take_ended());
        rest.settle(&queue, now(), false);
        let wake = if flights.len() < lanes { queue.wake_at() } else { None };
        match desk.next(notices, &mut flights, wake).await {
            Next::Came(first) => {
                // What came with it is taken in first: one write of what waits serves all.
                let mut came = Some(first);
                while let Some(handed) = came {
                    match handed {
                        Handed::Notice(out) => queue.push(*out, now()),
                        Handed::Written(notice) => {
                            queue.written(notice);
                            rest.written(notice);
                        }
                        Handed::Seen(incident) => queue.seen(incident),
                        Handed::Stands(_) => {}
                    }
                    came = notices.try_recv().ok();
                }
                desk.warn_of(&mut dropped, queue.dropped());
            }
            Next::Landed(notice, attempt) => {
                let at = now();
                queue.finished(notice, &attempt, at);
                rest.landed(&attempt, &queue, at);
            }
            Next::Time => {}
            Next::Over => break,
        }
    }
    // Who comes after knows what was not taken, also if one that is under way never ends.
    rest.settle(&queue, now(), true);
    let landed = |notice, attempt: Attempt| {
        let at = now();
        queue.finished(notice, &attempt, at);
        rest.landed(&attempt, &queue, at);
        rest.settle(&queue, at, true);
        queue.take_ended()
    };
    desk.close(&mut flights, landed).await;
}

/// A notice that no Alertmanager has yet.
struct Pending {
    notice: NoticeId,
    incident: IncidentId,
    version: u64,
}

/// The board, the instances and what waits for them.
struct State {
    board: Board,
    instances: Vec<Instance>,
    pending: VecDeque<Pending>,
    pace: Pace,
    seed: u64,
    rest: Rest,
}

impl State {
    fn take(&mut self, out: &Outgoing, ended: &mut VecDeque<(NoticeId, Delivery)>) {
        let version = self.board.take(&out.notice, out.opened_at, out.at);
        self.pending.push_back(Pending { notice: out.notice.notice, incident: out.notice.incident, version });
        if self.pending.len() > PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            ended.push_back((oldest.notice, Delivery::Dropped));
        }
    }

    fn landed(&mut self, (index, version): (usize, u64), attempt: &Attempt, now: At) -> Vec<(NoticeId, Delivery)> {
        if let Some(instance) = self.instances.get_mut(index) {
            let before = instance.doubted();
            instance.finished(version, attempt, &self.pace, self.seed.wrapping_add(index as u64), now);
            if instance.doubted() != before {
                self.rest.doubts_instance(index, instance.doubted());
            }
        }
        if *attempt == Attempt::Delivered {
            self.board.known(version);
            return self.end(Delivery::Delivered, |pending| pending.version <= version);
        }
        let refused: Vec<u64> = self.pending.iter().map(|p| p.version).filter(|v| self.instances.iter().all(|i| i.refused(*v))).collect();
        self.end(Delivery::Refused, |pending| refused.contains(&pending.version))
    }

    fn prune(&mut self, now: At) -> Vec<(NoticeId, Delivery)> {
        let untold = self.board.prune(now);
        self.end(Delivery::Dropped, |pending| untold.contains(&pending.incident))
    }

    fn end(&mut self, how: Delivery, over: impl Fn(&Pending) -> bool) -> Vec<(NoticeId, Delivery)> {
        let ended = self.pending.iter().filter(|p| over(p)).map(|p| (p.notice, how)).collect();
        self.pending.retain(|p| !over(p));
        ended
    }
}

async fn again_and_again(
    sink: &Alertmanager,
    notices: &mut mpsc::Receiver<Handed>,
    desk: &mut Desk,
    (seen, rest): (&[IncidentView], Rest),
    pace: Pace,
) {
    let now = desk.now.clone();
    let mut board = sink.board(pace);
    board.restore(seen, now());
    let instances = (0..sink.instances()).map(|index| Instance::doubted_since(rest.doubted_instance(index))).collect();
    let mut state = State { board, instances, pending: VecDeque::new(), pace, seed: seed(&desk.name), rest };
    let mut flights: FuturesUnordered<Flight<'_, (usize, u64)>> = FuturesUnordered::new();
    loop {
        let at = now();
        desk.ended.extend(state.prune(at));
        for (index, instance) in state.instances.iter_mut().enumerate().filter(|(_, i)| i.is_due(&state.board, at)) {
            let version = instance.start(&state.board);
            let body = state.board.post(at);
            flights.push(Box::pin(async move { ((index, version), sink.push(index, body, at).await) }));
        }
        let wake = state.instances.iter().filter_map(|i| i.wake_at(&state.board, at)).min();
        match desk.next(notices, &mut flights, wake).await {
            Next::Came(Handed::Notice(out)) => state.take(&out, &mut desk.ended),
            // The state as it stands now is told: it has no order to keep.
            Next::Came(Handed::Written(_) | Handed::Seen(_)) => {}
            Next::Came(Handed::Stands(incidents)) => state.board.renew(&incidents),
            Next::Landed(which, attempt) => desk.ended.extend(state.landed(which, &attempt, now())),
            Next::Time => {}
            Next::Over => break,
        }
    }
    desk.close(&mut flights, |which, attempt| state.landed(which, &attempt, now())).await;
}

async fn until(wake: Option<At>, now: At) {
    match wake {
        None => std::future::pending().await,
        Some(at) => sleep_until(Instant::now() + Duration::from(at.since(now)).min(LONGEST_NAP)).await,
    }
}

/// FNV-1a of the name: sinks that fail together are not tried together.
fn seed(name: &Name) -> u64 {
    name.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
