//! The watchdog itself: deterministic, no clock, no I/O, no async, no randomness it was not handed. Events in; records and effects out.
//!
//! **Everything in `records` is durable before anything in `effects` begins**; after a restart, replaying them gives the same state.
//!
//! The stages, in the data's order; they do not call each other, [`Watchdog::step`] calls them:
//! `schedule` → (the adapters submit and read) → `fate`, `sight`, `reach` → `survival`, `hypothesis`, `sequence`, `weigh` → `blame` (who),
//! `judge` (what, and how loud), `explain` → `incident`, `unseen` (what hides deliveries), `early` (what comes before a stop), `remind` → `audience` (who
//! hears of it) → `state` (outbox) → `suspicion` (ask again) → `picture`.

mod account;
mod alarm;
mod audience;
mod barred;
mod beside;
mod blame;
mod budget;
mod canary;
mod closed;
mod common;
mod concern;
pub mod count;
mod deaf;
mod drift;
mod drill;
mod early;
mod effect;
mod event;
mod evidence;
mod explain;
mod fate;
mod flaps;
mod flight;
mod handing;
mod heard;
mod hindsight;
mod hold;
mod hypothesis;
mod identity;
mod incident;
mod index;
mod judge;
mod junk;
mod lessons;
mod lookup;
mod mail;
mod members;
mod moved;
mod narrowing;
mod outbox;
mod own;
mod people;
mod picture;
mod plan;
mod poll;
mod portrait;
mod present;
mod questions;
mod reach;
mod record;
mod recovery;
mod remembered;
mod remind;
mod schedule;
mod seen;
mod sequence;
mod sight;
mod signature;
mod sorting;
mod state;
mod step;
mod stranger;
mod subjects;
mod survival;
mod suspicion;
mod telling;
mod together;
mod trace;
mod travel;
mod trial;
mod unseen;
mod verdict;
mod view;
mod waiting;
mod wake;
mod weigh;
mod zone;

use std::collections::BTreeMap;

use crate::config::Settings;
use crate::model::{At, Name, NoticeId, Reason, Route, Span};

pub use concern::is_early;
pub use drill::{DrillView, DrilledView, Rang};
pub use effect::Effect;
pub use event::{Delivery, Event, Reads};
pub use portrait::{CheckView, IdentityView, MarkView};
pub use record::{Fact, Record};
pub use step::{PendingNotice, Step, Unfit};
pub use view::{
    AccountView, CanaryView, InboxView, IncidentView, MaintenanceView, PartyView, Present, RouteCounts, RouteView, Traffic, TrialView,
    Unread, View, Word,
};
pub use zone::{DnsQuestion, DnsView, SubjectView};

use index::Index;
use plan::Plan;
use state::State;
use verdict::Presents;

/// A wake-up that comes later than this was slept through; or than half a round, whichever is longer.
const SLEPT_AFTER: Span = Span::from_secs(30);

/// Changes of alarms taken in one step; the rest waits for the next.
const ALARMS_AT_ONCE: usize = 16;
/// Confirmations sent in one step.
const CONFIRMATIONS_AT_ONCE: usize = 16;

/// Open incidents of which each view says anew how they are, the newest: of a thousand that are open at once nobody reads the figures.
const SAID_ANEW: usize = 32;

/// The watchdog.
#[derive(Clone, Debug)]
pub struct Watchdog {
    plan: Plan,
    state: State,
    ix: Index,
    /// The time of the newest event, whether it left a record or not.
    last_at: Option<At>,
    wake_at: Option<At>,
    looked_at: BTreeMap<Name, At>,
    /// No more canaries: the process is about to end.
    stopping: bool,
}

impl Watchdog {
    /// A watchdog that knows nothing yet. Its first event is [`Event::Started`].
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self::resume(Plan::new(settings), State::default())
    }

    fn resume(plan: Plan, mut state: State) -> Self {
        state.align(&plan);
        let ix = Index::of(&plan, &state);
        Self { plan, state, ix, last_at: None, wake_at: None, looked_at: BTreeMap::new(), stopping: false }
    }

    /// The watchdog as it was when `records` had been put out, by the same settings, after `checkpoint` (what [`Watchdog::checkpoint`] gave).
    ///
    /// # Errors
    /// If the checkpoint cannot be read.
    pub fn replay<'r>(
        settings: &Settings,
        checkpoint: Option<&str>,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<Self, serde_json::Error> {
        let state = checkpoint.map(serde_json::from_str).transpose()?.unwrap_or_default();
        let mut this = Self::resume(Plan::new(settings), state);
        for record in records {
            this.state.apply(&this.plan, &mut this.ix, record);
        }
        if this.state.began.is_some() {
            this.last_at = Some(this.state.at);
            let at = this.state.at;
            this.wake_at =
                this.next_wake(at, None, this.asks_at(at).into_iter().chain(this.wants_to_know(at).again_at).chain(this.polls_at()).min());
        }
        Ok(this)
    }

    /// The whole state, for [`Watchdog::replay`].
    ///
    /// # Errors
    /// Never in practice: the state has string keys only.
    pub fn checkpoint(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.state)
    }

    /// Whether [`Event::Started`] has been.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.state.began.is_some()
    }

    /// When to wake the watchdog, if nothing happens before.
    #[must_use]
    pub const fn wake_at(&self) -> Option<At> {
        self.wake_at
    }

    /// Takes one event in, and concludes what follows.
    ///
    /// # Errors
    /// [`Unfit`] if it does not fit what is known; then nothing has changed.
    pub fn step(&mut self, at: At, event: Event) -> Result<Step, Unfit> {
        let mut step = self.take(at, event)?;
        self.follow(&mut step, at);
        Ok(step)
    }

    /// Takes one event in and concludes nothing yet: of many that came together, [`Watchdog::conclude`] says once what follows.
    ///
    /// # Errors
    /// [`Unfit`] if it does not fit what is known; then nothing has changed.
    pub fn take(&mut self, at: At, event: Event) -> Result<Step, Unfit> {
        self.check(at, &event)?;
        let mut step = Step::default();
        if let (Some(wake), true) = (self.wake_at, self.has_begun())
            && at > wake.plus(SLEPT_AFTER.max(self.plan.every.scaled(1, 2)))
        {
            self.record(&mut step, at, Fact::Slept {});
        }
        // It was slept through once, however much has come meanwhile.
        self.wake_at = None;
        self.last_at = Some(at);
        let seen = self.first_seen(&event);
        self.take_in(&mut step, at, event);
        self.pass_on(&mut step, at, seen);
        Ok(step)
    }

    /// What follows from all that was taken in by [`Watchdog::take`] up to `at`, which is when the last of it was.
    pub fn conclude(&mut self, at: At) -> Step {
        let mut step = Step::default();
        self.follow(&mut step, at);
        step
    }

    /// All that follows from what was taken in.
    fn follow(&mut self, step: &mut Step, at: At) {
        self.follow_reach(step, at);
        if self.state.drill_ends_at().is_some_and(|end| end <= at) {
            self.record(step, at, Fact::DrillOver {});
        }
        self.drill_on_schedule(step, at);
        self.settle(step, at);
        // Each change of an alarm moves what the rest of the evidence means. There are never more than suspects.
        for _ in 0..ALARMS_AT_ONCE {
            let Some(fact) = blame::decide(&self.plan, &self.state, &self.ix, at) else { break };
            self.record(step, at, fact);
        }
        let assessment = judge::assess(&self.plan, &self.state, &self.ix, at);
        let weighed = step.records.len();
        let (mut moves, (held, held_until)) = incident::moves(&self.plan, &self.state, &self.ix, &assessment, at);
        moves.extend(unseen::moves(&self.plan, &self.state, &self.ix, at));
        moves.extend(early::moves(&self.plan, &self.state));
        if std::mem::take(&mut self.ix.mail) || !self.state.strangers.unexpected.is_empty() {
            moves.extend(mail::moves(&self.plan, &self.state, at));
        }
        moves.extend(deaf::moves(&self.plan, &self.state, at));
        moves.extend(remind::moves(&self.plan, &self.state, &self.ix, &assessment, (&moves, &held), at));
        for change in moves {
            self.tell(step, at, change);
        }
        self.try_sinks(step, at);
        let asks_at = self.send(step, at);
        let asks_at = asks_at.into_iter().chain(self.ask_after(step, at)).chain(self.poll(step, at)).chain(held_until).min();
        self.look(step, at);
        // What nothing was added to need not be weighed twice.
        self.wake_at = self.next_wake(at, Some(assessment).filter(|_| step.records.len() == weighed), asks_at);
        step.wake_at = self.wake_at;
    }

    /// The state as people and metrics see it.
    #[must_use]
    pub fn view(&self, now: At) -> View {
        let route = |(at, slot): (At, usize)| Some((at, format!("canary over {}", self.plan.routes.get(slot)?.route)));
        let next = budget::next_routine(&self.plan, &self.state, &self.ix, self.state.at).and_then(route);
        picture::draw(&self.plan, &self.state, &self.present(now), now, next)
    }

    /// What can be said now of the newest incidents that are open.
    fn present(&self, now: At) -> Presents {
        let open: Vec<&outbox::Incident> = self.state.open().collect();
        if open.is_empty() {
            return Presents::new();
        }
        let assessment = judge::assess(&self.plan, &self.state, &self.ix, now);
        let said = |open: &outbox::Incident| present::of(&self.plan, &self.state, &self.ix, &assessment, open, now);
        // That mail arrives again is said of all.
        let newest = open.into_iter().rev().enumerate();
        let worth = newest.filter(|(place, open)| *place < SAID_ANEW || flaps::is_calm(&self.plan, &self.state, open));
        worth.filter_map(|(_, open)| Some((open.shown.incident, said(open)?))).collect()
    }

    /// What can be said now of one of them.
    fn present_of(&self, open: &outbox::Incident, now: At) -> Option<Present> {
        let assessment = judge::assess(&self.plan, &self.state, &self.ix, now);
        present::of(&self.plan, &self.state, &self.ix, &assessment, open, now)
    }

    /// The share of healthy mail of a route that is older than `age`, as learnt so far; `None` if there is no such route.
    #[must_use]
    pub fn still_out(&self, route: &Route, age: Span) -> Option<f64> {
        let slot = self.plan.routes.iter().position(|known| known.route == *route)?;
        Some(self.state.routes.get(slot)?.survival.at(age))
    }

    /// Sends no more canaries in this life.
    pub const fn stop_sending(&mut self) {
        self.stopping = true;
    }

    /// Over which route a confirmation would be sent now, if any could be.
    #[must_use]
    pub fn would_ask(&self, at: At) -> Option<&Route> {
        Some(&self.plan.routes.get(suspicion::asks(&self.plan, &self.state, &self.ix, at).now?)?.route)
    }

    /// Notices that some sinks have not taken yet, oldest first.
    #[must_use]
    pub fn outbox(&self) -> Vec<PendingNotice> {
        self.state.outbox.values().map(outbox::Pending::shown).collect()
    }

    /// One of these.
    #[must_use]
    pub fn pending(&self, notice: NoticeId) -> Option<PendingNotice> {
        self.state.outbox.get(&notice).map(outbox::Pending::shown)
    }

    /// The number that no other installation shares: notices and tokens are told apart by it.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.state.began.map_or(0, |b| b.seed)
    }

    /// Writes one fact down and lives by it.
    fn record(&mut self, step: &mut Step, at: At, fact: Fact) {
        let record = Record { at, fact };
        self.state.apply(&self.plan, &mut self.ix, &record);
        step.records.push(record);
    }

    fn take_in(&mut self, step: &mut Step, at: At, event: Event) {
        let implied = self.state.reads() == Reads::Implied;
        if let Event::Started { seed, reads } = event {
            self.record(step, at, Fact::Began { seed, reads });
        } else if event != (Event::Woke {}) {
            if implied || self.state.is_news(&self.plan, &self.ix, at, &event) {
                self.record(step, at, Fact::Happened(event));
            } else if let Some(event) = event.way_alone() {
                self.record(step, at, Fact::Happened(event));
            }
        } else if implied && at > self.state.at {
            self.record(step, at, Fact::Passed {});
        }
    }

    /// With explicit reads the watcher's own network is inferred from its tries, unless it is told; with implied ones it is told.
    fn follow_reach(&mut self, step: &mut Step, at: At) {
        if self.state.reads() == Reads::Implied {
            return;
        }
        match self.state.cut_off_since {
            None if reach::is_cut_off(&self.plan, &self.state) => self.record(step, at, Fact::Happened(Event::CutOff {})),
            Some(since) if reach::is_back(&self.plan, &self.state, since) => self.record(step, at, Fact::Happened(Event::Connected {})),
            _ => {}
        }
    }

    /// Sends what is due. Says when the next confirmation may be.
    fn send(&mut self, step: &mut Step, at: At) -> Option<At> {
        if self.stopping {
            return None;
        }
        let due: Vec<usize> = self.ix.due.range(..=(at, usize::MAX)).map(|(_, slot)| *slot).collect();
        for slot in due {
            if self.ix.handing.is_full(at) && handing::is_under_way(&self.state, &self.ix, slot) {
                self.ix.skip(&self.plan, slot, at);
            } else if budget::fits(&self.plan, &self.state, slot, at) {
                self.submit(step, at, slot, Reason::Routine);
            }
        }
        for _ in 0..CONFIRMATIONS_AT_ONCE {
            let asked = suspicion::asks(&self.plan, &self.state, &self.ix, at);
            let Some(slot) = asked.now.filter(|_| !self.ix.handing.is_full(at)) else { return asked.again_at };
            self.submit(step, at, slot, Reason::Confirmation);
        }
        self.asks_at(at)
    }

    /// Sends one canary.
    fn submit(&mut self, step: &mut Step, at: At, slot: usize, reason: Reason) {
        let Some(route) = self.state.routes.get(slot) else { return };
        let canary = schedule::next_id(route);
        let Route { provider, stream, inbox } = route.route.clone();
        let fact = Fact::Sent { canary, provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone(), reason };
        self.record(step, at, fact);
        step.effects.push(Effect::Submit { canary, provider, stream, inbox, reason });
    }
}
