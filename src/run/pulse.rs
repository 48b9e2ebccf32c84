//! The heartbeats out: when each is due, what must be done for it first, and what is shown of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::cycle::{Cycle, Lack};
use super::start::StartError;
use crate::config::{SecretRef, Secrets, Settings};
use crate::edge::beat::{self, Heartbeat, Proof};
use crate::model::{self, At, Name, Now, Span};

/// A beat that is kept back for longer is told of. A read that is asked for takes a moment.
const HELD: Span = Span::from_secs(30);
/// Between two requests to read the inboxes.
const ASK_AGAIN: Span = Span::from_secs(30);

/// Every heartbeat, none of which beats yet.
pub(super) fn heartbeats(settings: &Settings, secrets: &Secrets) -> Result<Vec<Heartbeat>, StartError> {
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    let build = |(name, own)| Heartbeat::new(name, own, &settings.watch.instance, &lookup);
    Ok(settings.heartbeats.iter().map(build).collect::<Result<_, _>>()?)
}

/// All heartbeats.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) cycle: Cycle,
    beats: Vec<Beat>,
    /// When the inboxes were last asked to be read for the sake of a beat.
    asked: Option<At>,
    /// What keeps a beat back for too long already.
    held: Option<Lack>,
}

/// One heartbeat.
#[derive(Debug)]
struct Beat {
    name: Name,
    every: Span,
    /// When the last one went to its worker; at first, when the process started.
    last: At,
    due: At,
    held: Option<Lack>,
    worker: mpsc::Sender<Proof>,
    shown: watch::Receiver<model::Pulse>,
}

/// What is to be done before a beat that is due may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    /// Write something to the ledger.
    pub(super) write: bool,
    /// Read the inboxes.
    pub(super) read: bool,
}

impl Pulse {
    /// Lets a worker for each heartbeat begin. The first beat is due as soon as there was a full cycle. What is shown goes on from what
    /// `former` ones of the same name have shown.
    pub(super) fn begin(heartbeats: Vec<Heartbeat>, former: &BTreeMap<Name, model::Pulse>, now: &Now, workers: &mut JoinSet<()>) -> Self {
        let mut beats = Vec::new();
        for heartbeat in heartbeats {
            let (name, every) = (heartbeat.name().clone(), heartbeat.every());
            let (worker, proofs) = mpsc::channel(1);
            let (state, shown) = watch::channel(model::Pulse { every, held: None, ..former.get(&name).cloned().unwrap_or_default() });
            workers.spawn(beat::work(heartbeat, proofs, state, Arc::clone(now)));
            beats.push(Beat { name, every, last: now(), due: now(), held: None, worker, shown });
        }
        Self::of(beats)
    }

    fn of(beats: Vec<Beat>) -> Self {
        Self { cycle: Cycle::default(), beats, asked: None, held: None }
    }

    /// When the loop is to turn for the next beat; what is overdue waits for something else to happen.
    pub(super) fn wake_at(&self, now: At) -> Option<At> {
        self.beats.iter().map(|beat| beat.due).filter(|due| *due > now).min()
    }

    /// Takes in that an inbox was read whole, beginning at `up_to`.
    pub(super) fn read(&mut self, up_to: At) {
        self.cycle.read = self.cycle.read.max(Some(up_to));
    }

    /// What beats that are due lack, and can be had for the asking: where few canaries fly, little is written and read by itself.
    pub(super) fn wants(&mut self, now: At) -> Wants {
        let lacks: Vec<Lack> =
            self.beats.iter().filter(|beat| beat.due <= now).flat_map(|beat| self.cycle.lacks(beat.last, beat.every, now)).collect();
        let may_ask = self.asked.is_none_or(|at| now.since(at) >= ASK_AGAIN);
        let read = lacks.contains(&Lack::Inbox) && may_ask;
        if read {
            self.asked = Some(now);
        }
        Wants { write: lacks.contains(&Lack::Ledger), read }
    }

    /// Sends the beats that are due and lack nothing.
    pub(super) fn beat(&mut self, now: At) {
        let Self { cycle, beats, .. } = self;
        for beat in beats.iter_mut().filter(|beat| beat.due <= now) {
            let lack = cycle.lacks(beat.last, beat.every, now).first().copied();
            beat.held = lack.filter(|_| now.since(beat.due) >= HELD);
            let (None, Some(written), Some(read)) = (lack, cycle.written, cycle.read) else { continue };
            // A worker that still tries to hand over the last one needs no second.
            let _ = beat.worker.try_send(Proof { at: now, written, read });
            (beat.last, beat.due) = (now, now.plus(beat.every));
        }
        let held = self.beats.iter().find_map(|beat| beat.held);
        match (self.held, held) {
            (before, Some(lack)) if before != held => tracing::warn!(why = lack.as_str(), "heartbeats are kept back: {}", lack.as_str()),
            (Some(_), None) => tracing::info!("heartbeats go on"),
            (_, _) => {}
        }
        self.held = held;
    }

    /// How each is doing.
    pub(super) fn shown(&self) -> BTreeMap<Name, model::Pulse> {
        let one = |beat: &Beat| {
            let held = beat.held.map(Lack::as_str);
            (beat.name.clone(), model::Pulse { held, ..beat.shown.borrow().clone() })
        };
        self.beats.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> At {
        At::from_ms(1_659_987_000_000 + secs * 1000)
    }

    #[test]
    fn a_beat_waits_for_what_it_stands_for_and_asks_for_it() {
        let (worker, mut beats) = mpsc::channel(4);
        let (_state, shown) = watch::channel(model::Pulse::default());
        let name = Name::new("w").unwrap();
        let mut pulse = Pulse::of(vec![Beat { name, every: Span::from_secs(60), last: at(0), due: at(0), held: None, worker, shown }]);
        let mut turn = |secs: i64, change: &dyn Fn(&mut Cycle)| {
            pulse.cycle.wake = Some(at(secs + 1));
            change(&mut pulse.cycle);
            let wants = pulse.wants(at(secs));
            pulse.beat(at(secs));
            let held = pulse.shown().into_values().find_map(|shown| shown.held);
            (wants.write, wants.read, beats.try_recv().is_ok(), held)
        };
        assert_eq!(turn(1, &|_| {}), (true, true, false, None));
        assert_eq!(turn(2, &|cycle| cycle.written = Some(at(2))), (false, false, false, None), "it was asked for");
        assert_eq!(turn(3, &|cycle| cycle.read = Some(at(2))), (false, false, true, None), "the first");
        assert_eq!(turn(62, &|_| {}), (false, false, false, None), "not due");
        assert_eq!(turn(63, &|cycle| cycle.written = Some(at(40))), (false, true, false, None));
        assert_eq!(turn(93, &|cycle| cycle.written = Some(at(93))), (false, true, false, Some("no inbox is read")), "asked again");
        assert_eq!(turn(100, &|cycle| cycle.read = Some(at(99))), (false, false, true, None));
        assert_eq!(turn(159, &|_| {}), (false, false, false, None));
    }
}
