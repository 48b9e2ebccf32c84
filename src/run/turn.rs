//! The loop.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::book::Book;
use super::clock::Clock;
use super::hands::Hands;
use super::headers::Headers;
use super::manager::Manager;
use super::pulse::Pulse;
use super::reload::{Reloading, Source};
use super::standing::is_unrecorded;
use crate::canary::is_probe;
use crate::edge::notify::{Ended, Handed};
use crate::edge::post::Order;
use crate::edge::show::{Wish, sentence};
use crate::edge::submit::Told;
use crate::ledger::Hops;
use crate::model::{At, Name, NoticeId, Span};
use crate::watchdog::{Event, IncidentView, Step, Unfit, View, Watchdog};

/// Events, and ends of notices, taken in one turn, so that one write to the disk serves many.
const BATCH: usize = 256;
/// The clock is looked at least this often: a jump of the wall clock or a sleep of the machine wakes nobody.
const LONGEST_NAP: Span = Span::from_secs(10);
/// A stop waits this long for canaries that are being handed over: what is not answered by then is orphaned by the next start.
const DRAIN: Span = Span::from_secs(15);
/// What is open is told this often to sinks that take the state again and again.
const STANDS: Span = Span::from_secs(30);

/// All that the loop holds.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) dog: Watchdog,
    pub(super) book: Book,
    pub(super) clock: Clock,
    /// Of the newest mails.
    pub(super) headers: Headers,
    pub(super) hands: Hands,
    /// The heartbeats out.
    pub(super) pulse: Pulse,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) moments: Moments,
    /// What providers told by themselves.
    pub(super) told: mpsc::Receiver<Told>,
    /// Who waits for what was told to be written down.
    pub(super) written: Vec<oneshot::Sender<()>>,
    /// What people want.
    pub(super) orders: mpsc::Receiver<Order>,
    /// Who waits for theirs to be written down.
    pub(super) ordered: Vec<oneshot::Sender<Result<View, Unfit>>>,
    /// How notices ended at their sinks.
    pub(super) ended: mpsc::Receiver<Ended>,
    /// The ends that are to be written down, by sink.
    pub(super) ends: Vec<(Name, NoticeId)>,
    pub(super) asks: mpsc::Receiver<oneshot::Sender<View>>,
    /// Who wants the configuration read again.
    pub(super) wishes: mpsc::Receiver<Wish>,
    pub(super) reloading: Reloading,
    /// The service manager.
    pub(super) manager: Manager,
}

/// Instants that one turn leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// When the last of what was taken in was, while nothing is concluded from it yet.
    taken_at: Option<At>,
    /// When it was told last how what is open stands.
    stood_at: Option<At>,
}

/// What a turn began with.
enum Woken {
    By(Event),
    Told(Told),
    Ordered(Order),
    Ended(Ended),
    Asked(oneshot::Sender<View>),
    Wished(Wish),
    Time,
    Stop,
}

impl Loop {
    /// Turns until `stop` is ready, then lets what is being handed over finish.
    pub(super) async fn turn_until(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        self.manager.ready();
        loop {
            // Wait for whatever comes first. While the ledger cannot be written, nothing new is taken in: it would have to be forgotten.
            let stuck = self.book.trouble.is_some();
            let nap = self.nap(stuck);
            let woken = tokio::select! {
                biased;
                () = &mut stop => Woken::Stop,
                Some(ask) = self.asks.recv() => Woken::Asked(ask),
                Some(wish) = self.wishes.recv() => Woken::Wished(wish),
                Some(ended) = self.ended.recv(), if !stuck => Woken::Ended(ended),
                Some(event) = self.events.recv(), if !stuck => Woken::By(event),
                Some(told) = self.told.recv(), if !stuck => Woken::Told(told),
                Some(order) = self.orders.recv(), if !stuck => Woken::Ordered(order),
                () = sleep_until(nap) => Woken::Time,
            };
            match woken {
                Woken::Stop => break,
                Woken::Asked(ask) => self.show(ask),
                Woken::Wished(wish) => self.reload(wish).await,
                Woken::By(event) => {
                    self.take(event);
                    self.take_what_came();
                }
                Woken::Told(told) => self.hear(told),
                Woken::Ordered(order) => self.obey(order),
                Woken::Ended(ended) => {
                    self.end_notice(ended);
                    self.take_what_came();
                }
                Woken::Time if stuck => {}
                Woken::Time => self.decide(Event::Woke {}),
            }
            let wants = self.pulse.wants(self.clock.now());
            if wants.write {
                self.book.want_proof();
            }
            // Everything in the records is durable before anything in the effects begins.
            let effects = self.book.write(self.clock.now());
            self.confirm();
            let now = self.clock.now();
            self.hands.cry(self.book.worth_a_page(now), self.book.trouble.is_none(), now);
            self.hands.begin(&self.dog, effects, now);
            self.stand(now);
            if wants.read {
                self.hands.look_everywhere();
            }
            self.beat();
            self.tidy();
            self.report();
        }
        self.drain().await;
    }

    fn nap(&self, stuck: bool) -> Instant {
        let now = self.clock.now();
        let at = if stuck {
            now.plus(self.book.retry_after())
        } else {
            self.dog
                .wake_at()
                .into_iter()
                .chain(self.pulse.wake_at(now))
                .min()
                .map_or(now.plus(LONGEST_NAP), |at| at.min(now.plus(LONGEST_NAP)))
        };
        let at = self.manager.longest_nap().map_or(at, |nap| at.min(now.plus(nap)));
        self.clock.instant_of(at)
    }

    /// Hands on what is open as it is now, where it can be shown without calling anybody. Who has no room for it has it the next time.
    fn stand(&mut self, now: At) {
        if self.moments.stood_at.is_some_and(|at| now >= at && now.since(at) < STANDS) {
            return;
        }
        self.moments.stood_at = Some(now);
        let takes = |name: &Name| self.hands.settings.sinks.get(name).is_some_and(|sink| sink.kind.takes_state());
        let mut workers = self.hands.sinks.iter().filter(|(name, _)| takes(name)).map(|(_, hand)| &hand.worker).peekable();
        if workers.peek().is_none() {
            return;
        }
        let open: Arc<[IncidentView]> = self.dog.view(now).incidents.into_iter().filter(|i| i.present.is_some()).collect();
        if !open.is_empty() {
            workers.for_each(|worker| drop(worker.try_send(Handed::Stands(Arc::clone(&open)))));
        }
    }

    /// Sends the heartbeats that are due and stand for a full cycle.
    fn beat(&mut self) {
        self.pulse.cycle.written = self.book.written_at.filter(|_| self.book.trouble.is_none());
        self.pulse.cycle.wake = self.dog.wake_at();
        self.pulse.beat(self.clock.now());
    }

    /// Lets the service manager know that a turn is over, and how it stands.
    fn report(&mut self) {
        let (now, stuck) = (self.clock.now(), self.book.trouble.is_some());
        self.manager.turned(now, self.dog.wake_at(), stuck);
        if self.manager.listens(now) {
            let sentence = sentence(&self.view());
            self.manager.state(&sentence);
        }
    }

    /// Whatever else has come meanwhile. What follows is concluded once, and written once, so that a rush delays nothing: neither mail the pages, nor pages the mail.
    fn take_what_came(&mut self) {
        for _ in 1..BATCH {
            let Ok(event) = self.events.try_recv() else { break };
            self.take(event);
        }
        for _ in 1..BATCH {
            let Ok(ended) = self.ended.try_recv() else { break };
            self.end_notice(ended);
        }
        self.conclude();
        // Who waits for an answer gets it in a flood, too.
        self.told.try_recv().into_iter().for_each(|told| self.hear(told));
        self.orders.try_recv().into_iter().for_each(|order| self.obey(order));
    }

    /// What a provider told by itself.
    fn hear(&mut self, told: Told) {
        told.events.into_iter().for_each(|event| self.take(event));
        self.conclude();
        self.written.push(told.done);
    }

    /// What a person wants.
    fn obey(&mut self, Order { event, done }: Order) {
        let now = self.read_clock();
        let seen = if let Event::Acknowledged { incident, .. } = &event { Some(*incident) } else { None };
        match self.dog.step(now, event) {
            Ok(Step { records, effects, .. }) => {
                self.book.add(records, effects);
                seen.into_iter().for_each(|incident| self.hands.seen(incident));
                self.ordered.push(done);
            }
            // Nobody waits any more: nothing to do.
            Err(unfit) => drop(done.send(Err(unfit))),
        }
    }

    /// Lets those know whose word was written down. Who does not wait any more tells it again.
    pub(super) fn confirm(&mut self) {
        if self.book.trouble.is_none() {
            for done in self.written.drain(..) {
                let _ = done.send(());
            }
            for done in std::mem::take(&mut self.ordered) {
                let _ = done.send(Ok(self.view()));
            }
            for (sink, notice) in self.ends.drain(..) {
                self.hands.written(&sink, notice);
            }
        }
    }

    pub(super) fn end_notice(&mut self, ended: Ended) {
        self.hands.heard(&ended);
        self.ends.push((ended.sink.clone(), ended.notice));
        self.record_end(ended);
    }

    /// What was told without a record leaves none.
    fn record_end(&mut self, ended: Ended) {
        if !is_unrecorded(ended.notice) {
            self.take(Event::Noticed { notice: ended.notice, sink: ended.sink, outcome: ended.outcome, why: ended.why });
        }
    }

    pub(super) fn decide(&mut self, event: Event) {
        self.take(event);
        self.conclude();
    }

    /// Takes one event in, and leaves what follows to [`Loop::conclude`].
    fn take(&mut self, event: Event) {
        let now = self.read_clock();
        self.take_at(now, event);
    }

    /// All that follows from what was taken in.
    fn conclude(&mut self) {
        if let Some(at) = self.moments.taken_at.take() {
            let Step { records, effects, .. } = self.dog.conclude(at);
            self.book.add_headers(self.headers.wanted(&self.dog, &records, false, at));
            self.book.add(records, effects);
        }
    }

    /// The time; if the clock was set, that comes first.
    fn read_clock(&mut self) -> At {
        let (now, jump) = self.clock.read();
        if let Some(by_ms) = jump {
            tracing::warn!(by_ms, "the wall clock was set; what is in flight is no evidence");
            self.book.distrust(now);
            self.take_at(now, Event::ClockJumped { by_ms });
            self.conclude();
        }
        now
    }

    fn take_at(&mut self, now: At, event: Event) {
        // That the mail of one that is forgotten was looked at says no more than that it was seen.
        let inbox = event.inbox().filter(|_| !matches!(event, Event::Examined { .. } | Event::Travelled { .. })).cloned();
        let read = if let Event::Read { up_to, .. } = &event { Some(up_to.unwrap_or(now)) } else { None };
        let missed = event.canary().is_some_and(|canary| self.dog.has_missed(canary));
        let hops = Hops::of(&event);
        match self.dog.take(now, event) {
            Ok(Step { records, effects, .. }) => {
                self.moments.taken_at = Some(now);
                hops.into_iter().for_each(|hops| self.book.add_hops(hops));
                self.book.add_headers(self.headers.wanted(&self.dog, &records, missed, now));
                self.book.add(records, effects);
                read.into_iter().for_each(|up_to| self.pulse.read(up_to));
            }
            Err(Unfit::UnknownCanary(canary)) if is_probe(canary) => {}
            // Authentic, but forgotten, or of another life of this ledger.
            Err(Unfit::UnknownCanary(canary)) => {
                tracing::info!(%canary, "a canary that is not remembered");
                if let Some(inbox) = inbox {
                    self.take_at(now, Event::Stale { inbox });
                }
            }
            Err(unfit) => tracing::warn!(%unfit, "an event was not taken in"),
        }
    }

    pub(super) fn show(&self, ask: oneshot::Sender<View>) {
        // Nobody waits any more: nothing to do.
        drop(ask.send(self.view()));
    }

    fn view(&self) -> View {
        let mut view = self.dog.view(self.clock.now());
        view.trouble.clone_from(&self.book.trouble);
        self.hands.lookups.count(&mut view.dns);
        view.submissions = self.hands.submissions.len() as u64;
        view.unexamined = self.headers.unexamined.count();
        view.hooks = self.hands.hooks.counts();
        view.replies = self.hands.replies.counts();
        view.heartbeats = self.pulse.shown();
        view.configuration.clone_from(&self.reloading.loaded);
        view.configuration.file = self.reloading.source.as_ref().map(Source::path);
        view.incidents.splice(0..0, self.hands.standing.views().cloned());
        view
    }

    fn tidy(&mut self) {
        if self.book.wants_checkpoint() {
            self.checkpoint();
        }
        self.book.prune(self.clock.now());
    }

    pub(super) fn checkpoint(&mut self) {
        match self.dog.checkpoint() {
            Ok(state) => self.book.checkpoint(&state),
            Err(error) => tracing::warn!(%error, "the state could not be written as text"),
        }
    }

    /// Nothing new begins; answers that are on their way are written down.
    async fn drain(mut self) {
        self.manager.stopping();
        let end = self.clock.instant_of(self.clock.now().plus(DRAIN));
        self.dog.stop_sending();
        while !self.hands.idle() && self.book.trouble.is_none() {
            let event = tokio::select! {
                biased;
                Some(event) = self.events.recv() => event,
                // Who refuses is not told any more: it could not be handed over.
                Some(ended) = self.ended.recv() => {
                    self.record_end(ended);
                    self.conclude();
                    drop(self.book.write(self.clock.now()));
                    continue;
                }
                () = self.hands.finish_one() => continue,
                () = sleep_until(end) => break,
            };
            if matches!(event, Event::Answered { .. }) {
                self.take_at(self.clock.now(), event);
                self.conclude();
                // Notices that are born now wait in the ledger's outbox for the next start.
                drop(self.book.write(self.clock.now()));
            }
        }
        // What a sink is just being told need not be told again by the next start.
        for ended in self.retire().await {
            self.record_end(ended);
        }
        while let Ok(event) = self.events.try_recv() {
            if matches!(event, Event::Answered { .. }) {
                self.take_at(self.clock.now(), event);
            }
        }
        self.conclude();
        drop(self.book.write(self.clock.now()));
        if self.book.trouble.is_none() {
            self.checkpoint();
        }
    }
}
