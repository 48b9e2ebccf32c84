//! The watchdog itself: deterministic, no clock, no I/O, no async, no randomness it was not handed. Events in; records and effects out.
//!
//! The contract: **everything in `records` is durable before anything in `effects` begins**; and after a restart, replaying the
//! records gives the same state.
//!
//! The stages, in the data's order; they do not call each other, [`Watchdog::step`] calls them:
//! `schedule` → (the adapters submit and read) → `flight`, `sight`, `reach` → `evidence`, `judge`, `explain` → `incident` → `state` (outbox) →
//! `picture`.

pub mod count;
mod effect;
mod event;
mod evidence;
mod explain;
mod flight;
mod incident;
mod judge;
mod picture;
mod plan;
mod reach;
mod record;
mod schedule;
mod sight;
mod state;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Settings;
use crate::model::{At, CanaryId, Change, IncidentId, Name, Notice, NoticeId, Reason, Severity, Span};

pub use effect::Effect;
pub use event::{Delivery, Event, Reads};
pub use record::{Fact, Record};
pub use view::{CanaryView, InboxView, IncidentView, PartyView, RouteCounts, RouteView, View};

use plan::Plan;
use state::State;

/// A wake-up that comes later than this was slept through; or than half a round, whichever is longer.
const SLEPT_AFTER: Span = Span::from_secs(30);
/// Between two requests to read an inbox at once.
const LOOK_EVERY: Span = Span::from_secs(2);
/// After this long, a canary whose inbox could never be read is not looked for any more.
const FORGET_AFTER: Span = Span::from_secs(72 * 3600);

/// What a step gives back.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Step {
    /// To be made durable first.
    pub records: Vec<Record>,
    /// To be begun then.
    pub effects: Vec<Effect>,
    /// When to wake the watchdog, if nothing happens before. Always later than the step.
    pub wake_at: Option<At>,
}

/// Why an event was not taken in. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Time goes back.
    #[error("time goes back: `{at}` is before `{last}` (milliseconds)")]
    TimeGoesBack {
        /// The event's.
        at: i64,
        /// The one before.
        last: i64,
    },
    /// A second start.
    #[error("started twice: `started` comes first, and once")]
    StartedTwice,
    /// Something before the start.
    #[error("not started: the first event is `started`, or a replay of records")]
    NotStarted,
    /// A canary that is not remembered.
    #[error("unknown canary `{0}`")]
    UnknownCanary(CanaryId),
    /// An inbox that is not watched.
    #[error("unknown inbox `{0}`")]
    UnknownInbox(Name),
}

/// The watchdog.
#[derive(Clone, Debug)]
pub struct Watchdog {
    plan: Plan,
    state: State,
    /// Finds a route by the upper half of a canary's id.
    keys: BTreeMap<u32, usize>,
    threshold: f64,
    /// The time of the newest event, whether it left a record or not.
    last_at: Option<At>,
    wake_at: Option<At>,
    looked_at: BTreeMap<Name, At>,
    /// No more canaries: the process is about to end.
    stopping: bool,
}

/// A notice that some sinks have not taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingNotice {
    /// The message.
    pub notice: Notice,
    /// When it was written.
    pub at: At,
    /// When its incident was opened.
    pub opened_at: At,
    /// Who still has to hear it.
    pub sinks: BTreeSet<Name>,
}

impl Watchdog {
    /// A watchdog that knows nothing yet. Its first event is [`Event::Started`].
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let plan = Plan::new(settings);
        let mut state = State::default();
        for name in &plan.inboxes {
            state.inbox(name);
        }
        let routes = f64::from(u32::try_from(plan.routes.len()).unwrap_or(u32::MAX));
        let a_year = 365.25 * 86_400.0 / plan.every.as_secs_f64().max(0.001) * routes.max(1.0);
        let threshold = (a_year / settings.watch.false_pages_per_year.max(1e-9)).ln().max(1.0);
        Self { plan, state, keys: BTreeMap::new(), threshold, last_at: None, wake_at: None, looked_at: BTreeMap::new(), stopping: false }
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
        let mut this = Self::new(settings);
        if let Some(text) = checkpoint {
            this.state = serde_json::from_str(text)?;
            this.keys = this.state.keys();
            let missing: Vec<Name> = this.plan.inboxes.iter().filter(|n| !this.state.inboxes.contains_key(*n)).cloned().collect();
            for name in missing {
                this.state.inbox(&name);
            }
        }
        for record in records {
            this.state.apply(&this.plan, &mut this.keys, record);
        }
        if this.state.began.is_some() {
            this.last_at = Some(this.state.at);
            this.wake_at = this.next_wake(this.state.at, &judge::assess(&this.plan, &this.state, this.state.at));
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

    /// Takes one event in.
    ///
    /// # Errors
    /// [`Unfit`] if it does not fit what is known; then nothing has changed.
    pub fn step(&mut self, at: At, event: Event) -> Result<Step, Unfit> {
        self.check(at, &event)?;
        let mut step = Step::default();
        if let (Some(wake), true) = (self.wake_at, self.has_begun())
            && at > wake.plus(SLEPT_AFTER.max(self.plan.every.scaled(1, 2)))
        {
            self.record(&mut step, at, Fact::Slept {});
        }
        self.last_at = Some(at);
        self.take_in(&mut step, at, event);
        self.follow_reach(&mut step, at);
        self.settle(&mut step, at);
        let assessment = judge::assess(&self.plan, &self.state, at);
        for change in incident::moves(&self.plan, &self.state, &assessment, at) {
            self.tell(&mut step, at, change);
        }
        self.send(&mut step, at);
        self.look(&mut step, at, &assessment.look);
        // What was just told or sent may have moved what comes next.
        let assessment = if step.records.is_empty() { assessment } else { judge::assess(&self.plan, &self.state, at) };
        self.wake_at = self.next_wake(at, &assessment);
        step.wake_at = self.wake_at;
        Ok(step)
    }

    /// The state as people and metrics see it.
    #[must_use]
    pub fn view(&self, now: At) -> View {
        let next = schedule::next(&self.plan, &self.state).map(|(at, route)| (at, format!("canary over {route}")));
        picture::draw(&self.plan, &self.state, now, next, self.threshold)
    }

    /// Sends no more canaries in this life.
    pub const fn stop_sending(&mut self) {
        self.stopping = true;
    }

    /// Notices that some sinks have not taken yet, oldest first.
    #[must_use]
    pub fn outbox(&self) -> Vec<PendingNotice> {
        let pending =
            |p: &state::Pending| PendingNotice { notice: p.notice.clone(), at: p.at, opened_at: p.opened_at, sinks: p.sinks.clone() };
        self.state.outbox.values().map(pending).collect()
    }

    /// Canaries that were recorded and never answered: after a restart their fate is unknown.
    #[must_use]
    pub fn unanswered(&self) -> Vec<CanaryId> {
        let open = |c: &&flight::Canary| c.answer.is_none() && c.in_flight() && !c.set_aside;
        self.state.routes.iter().flat_map(|r| r.canaries.iter().filter(open)).map(|c| c.id).collect()
    }

    /// Where the reader of an inbox stood.
    #[must_use]
    pub fn cursor(&self, inbox: &Name) -> Option<&str> {
        self.state.inboxes.get(inbox)?.cursor.as_deref()
    }

    /// Whether canaries to this inbox are on their way.
    #[must_use]
    pub fn expects(&self, inbox: &Name) -> bool {
        self.state.routes.iter().any(|r| r.route.inbox == *inbox && r.in_flight().next().is_some())
    }

    /// The number that no other installation shares: notices and tokens are told apart by it.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.state.began.map_or(0, |b| b.seed)
    }

    fn check(&self, at: At, event: &Event) -> Result<(), Unfit> {
        if let Some(last) = self.last_at.filter(|last| at < *last) {
            return Err(Unfit::TimeGoesBack { at: at.as_ms(), last: last.as_ms() });
        }
        match (event, self.has_begun()) {
            (Event::Started { .. }, true) => return Err(Unfit::StartedTwice),
            (Event::Started { .. }, false) => return Ok(()),
            (_, false) => return Err(Unfit::NotStarted),
            (_, true) => {}
        }
        if let Some(canary) = event.canary().filter(|id| self.state.canary(&self.keys, *id).is_none()) {
            return Err(Unfit::UnknownCanary(canary));
        }
        match event.inbox().filter(|name| !self.plan.inboxes.contains(*name)) {
            Some(name) => Err(Unfit::UnknownInbox(name.clone())),
            None => Ok(()),
        }
    }

    /// Writes one fact down and lives by it.
    fn record(&mut self, step: &mut Step, at: At, fact: Fact) {
        let record = Record { at, fact };
        self.state.apply(&self.plan, &mut self.keys, &record);
        step.records.push(record);
    }

    fn take_in(&mut self, step: &mut Step, at: At, event: Event) {
        let implied = self.state.reads() == Reads::Implied;
        if let Event::Started { seed, reads } = event {
            self.record(step, at, Fact::Began { seed, reads });
        } else if event != (Event::Woke {}) {
            if implied || self.is_news(at, &event) {
                self.record(step, at, Fact::Happened(event));
            }
        } else if implied && at > self.state.at {
            self.record(step, at, Fact::Passed {});
        }
    }

    /// A read that shows nothing new and that nothing waits for need not be written down.
    fn is_news(&self, at: At, event: &Event) -> bool {
        let Event::Read { inbox, up_to, cursor } = event else { return true };
        let Some(known) = self.state.inboxes.get(inbox) else { return true };
        let horizon = up_to.unwrap_or(at);
        let waited_for = |r: &flight::RouteState| r.route.inbox == *inbox && r.in_flight().any(|c| c.sent_at < horizon);
        known.sight != Some(true) || known.cursor != *cursor || known.horizon.is_none() || self.state.routes.iter().any(waited_for)
    }

    /// With explicit reads the watcher's own network is inferred from its tries; with implied ones it is told.
    fn follow_reach(&mut self, step: &mut Step, at: At) {
        if self.state.reads() == Reads::Implied {
            return;
        }
        match (self.state.cut_off_since, reach::cut_off(&self.plan, &self.state)) {
            (None, Some(true)) => self.record(step, at, Fact::Happened(Event::CutOff {})),
            (Some(_), Some(false)) => self.record(step, at, Fact::Happened(Event::Connected {})),
            _ => {}
        }
    }

    /// Calls lost what its deadline has passed for, and forgets what could never be looked for.
    fn settle(&mut self, step: &mut Step, at: At) {
        let mut facts = Vec::new();
        for planned in &self.plan.routes {
            let Some(route) = self.state.routes.iter().find(|r| r.route == planned.route) else { continue };
            let horizon = self.state.inboxes.get(&planned.route.inbox).and_then(|i| i.horizon);
            for canary in route.in_flight() {
                if horizon.is_some_and(|h| h >= canary.sent_at.plus(planned.deadline)) {
                    facts.push(Fact::Lost { canary: canary.id });
                } else if at.since(canary.sent_at) > FORGET_AFTER {
                    facts.push(Fact::Forgotten { canary: canary.id });
                }
            }
        }
        for fact in facts {
            self.record(step, at, fact);
        }
    }

    fn tell(&mut self, step: &mut Step, at: At, change: incident::Move) {
        let incident = change.incident.unwrap_or(IncidentId(self.state.next_incident + 1));
        let notice = Notice {
            notice: NoticeId(self.state.next_notice + 1),
            incident,
            change: change.change,
            kind: change.kind,
            severity: change.severity,
            culprit: change.culprit,
            summary: change.summary,
            evidence: change.evidence,
        };
        let told = self.state.incidents.get(&incident).map(|i| i.told.clone()).unwrap_or_default();
        let hears = |sink: &Name, severities: &Vec<Severity>| {
            told.contains(sink) || (notice.change != Change::Resolved && severities.contains(&notice.severity))
        };
        let sinks: Vec<Name> = self.plan.sinks.iter().filter(|(name, takes)| hears(name, takes)).map(|(name, _)| name.clone()).collect();
        self.record(step, at, Fact::Told { notice: notice.clone(), sinks });
        step.effects.push(Effect::Notify(notice));
    }

    fn send(&mut self, step: &mut Step, at: At) {
        if self.stopping {
            return;
        }
        for route in schedule::all_due(&self.plan, &self.state, at) {
            let canary = schedule::next_id(&self.state, &route);
            let (provider, stream, inbox) = (route.provider, route.stream, route.inbox);
            let reason = Reason::Routine;
            let fact = Fact::Sent { canary, provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone(), reason };
            self.record(step, at, fact);
            step.effects.push(Effect::Submit { canary, provider, stream, inbox, reason });
        }
    }

    fn look(&mut self, step: &mut Step, at: At, inboxes: &[Name]) {
        if self.state.reads() == Reads::Implied {
            return;
        }
        for inbox in inboxes {
            let due = self.looked_at.get(inbox).is_none_or(|last| at.since(*last) >= LOOK_EVERY);
            if due {
                self.looked_at.insert(inbox.clone(), at);
                step.effects.push(Effect::Look { inbox: inbox.clone() });
            }
        }
    }

    /// The earliest instant at which time alone changes anything; later than `at`.
    fn next_wake(&self, at: At, assessment: &judge::Assessment) -> Option<At> {
        let soon = at.plus(Span::from_ms(1));
        let implied = self.state.reads() == Reads::Implied;
        // With implied reads the line after completes the read; otherwise reading takes its time and comes as an event.
        let unread = (!assessment.look.is_empty()).then(|| if implied { soon } else { at.plus(LOOK_EVERY) });
        let lost = self.next_loss(at).map(|due| if due <= at && !implied { at.plus(LOOK_EVERY) } else { due });
        [
            schedule::next(&self.plan, &self.state).map(|(due, _)| due),
            assessment.again_at,
            unread,
            lost,
            incident::next(&self.plan, &self.state),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|wake| wake.max(soon))
    }

    /// When the next deadline passes in an inbox that can be read.
    fn next_loss(&self, at: At) -> Option<At> {
        let mut earliest: Option<At> = None;
        for planned in self.plan.routes.iter().filter(|r| self.state.sees(&r.route.inbox)) {
            let Some(route) = self.state.routes.iter().find(|r| r.route == planned.route) else { continue };
            let due = route.in_flight().next().map(|c| c.sent_at.plus(planned.deadline).max(at));
            earliest = [earliest, due].into_iter().flatten().min();
        }
        earliest
    }
}
