//! The state: a fold over records. Only [`State::apply`] changes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::alarm::{Alarm, Standing};
use super::budget::Spendings;
use super::canary::{Answer, Arrival, Canary, Copied, upper};
use super::count::Histogram;
use super::deaf::Deaf;
use super::drill::{Drill, Drilled};
use super::event::{Delivery, Event, Reads};
use super::explain::shorten;
use super::flight::RouteState;
use super::hold::Habit;
use super::identity::Identity;
use super::index::Index;
use super::lessons::Counts;
use super::outbox::{Incident, Pending};
use super::plan::Plan;
use super::record::{Fact, Record};
use super::sight::{CATCHES_UP, InboxState};
use super::stranger::Strangers;
use super::suspicion::Allowance;
use super::travel::Travel;
use super::trial::Trial;
use super::zone::Known;
use crate::model::{At, CanaryId, Class, IncidentId, Leg, Name, NoticeId, Outcome, Route, Silence};

/// Characters of a hint that are kept.
const HINT: usize = 500;

/// Everything that the watchdog knows. Serialised, it is a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// The time of the newest record.
    pub(super) at: At,
    /// `None` before the first start.
    pub(super) began: Option<Began>,
    /// Routine canaries due before this are skipped, not caught up with: the watcher was asleep.
    pub(super) skip_before: Option<At>,
    /// The routes of the plan, in its order; then those that left the configuration.
    pub(super) routes: Vec<RouteState>,
    /// The suspects of the plan, in its order.
    pub(super) standings: Vec<Standing>,
    /// Culprits against whom there is enough evidence.
    pub(super) alarms: Vec<Alarm>,
    /// What is known of alarms that resolved themselves.
    pub(super) habits: Vec<Habit>,
    /// What suspicion may still spend.
    pub(super) allowance: Allowance,
    /// What those were sent lately that have a budget.
    #[serde(default)]
    pub(super) spent: Spendings,
    /// Until when providers have asked to be sent nothing.
    #[serde(default)]
    pub(super) held: BTreeMap<Name, At>,
    /// Latencies of all routes of a provider, and of an inbox: what a new route is thought to be like.
    pub(super) kin_of_provider: BTreeMap<Name, Counts>,
    pub(super) kin_of_inbox: BTreeMap<Name, Counts>,
    /// With implied reads, everything up to here has been reported by every inbox that could be read.
    pub(super) passed: Option<At>,
    pub(super) inboxes: BTreeMap<Name, InboxState>,
    pub(super) cut_off_since: Option<At>,
    /// Open ones, and the newest of those that ended.
    pub(super) incidents: BTreeMap<IncidentId, Incident>,
    pub(super) next_incident: u64,
    pub(super) next_notice: u64,
    pub(super) outbox: BTreeMap<NoticeId, Pending>,
    /// How notices ended, by sink.
    pub(super) delivered: Vec<(Name, Delivery, u64)>,
    pub(super) legs: BTreeMap<Leg, Histogram>,
    /// When each provider was asked after canaries, in the last hour.
    #[serde(default)]
    pub(super) asked: BTreeMap<Name, Vec<At>>,
    /// How accounts stand, by provider.
    #[serde(default)]
    pub(super) accounts: BTreeMap<Name, Account>,
    /// What the mail of each provider looks like, by stream.
    #[serde(default)]
    pub(super) identities: BTreeMap<Name, BTreeMap<Name, Identity>>,
    /// The legs of the way, by provider and inbox.
    #[serde(default)]
    pub(super) travels: BTreeMap<Name, BTreeMap<Name, Travel>>,
    /// Mail that is no canary.
    #[serde(default)]
    pub(super) strangers: Strangers,
    /// What the DNS says.
    #[serde(default)]
    pub(super) dns: Known,
    /// The newest canaries that were lost and not asked after yet.
    #[serde(default)]
    pub(super) missed: BTreeSet<CanaryId>,
    /// What people want to hear nothing of, and when.
    #[serde(default)]
    pub(super) silences: Vec<Silence>,
    #[serde(default)]
    pub(super) next_silence: u64,
    /// The drill that goes on, and the last one that is over.
    #[serde(default)]
    pub(super) drill: Option<Drill>,
    #[serde(default)]
    pub(super) drilled: Option<Drilled>,
    /// When the last drill of each provider began.
    #[serde(default)]
    pub(super) drills_began: BTreeMap<Name, At>,
    /// The last trial of each sink that is tried.
    #[serde(default)]
    pub(super) trials: BTreeMap<Name, Trial>,
    /// Sinks that refuse notices.
    #[serde(default)]
    pub(super) deaf: BTreeMap<Name, Deaf>,
    /// When each sink took something last.
    #[serde(default)]
    pub(super) took_at: BTreeMap<Name, At>,
    /// Since when something has waited for each sink, and it has answered nothing.
    #[serde(default)]
    pub(super) owed_since: BTreeMap<Name, At>,
}

/// The start of the installation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Began {
    pub(super) at: At,
    pub(super) seed: u64,
    pub(super) reads: Reads,
}

impl State {
    /// Brings what is kept for each route, suspect and inbox into the order of the plan.
    pub(super) fn align(&mut self, plan: &Plan) {
        let mut known: Vec<Option<RouteState>> = std::mem::take(&mut self.routes).into_iter().map(Some).collect();
        for planned in &plan.routes {
            let place = known.iter_mut().find(|r| r.as_ref().is_some_and(|r| r.route == planned.route));
            let mut route = place.and_then(Option::take).unwrap_or_else(|| RouteState::new(planned.route.clone()));
            if !route.survival.is_drawn() {
                route.survival.draw(&plan.prior);
            }
            self.routes.push(route);
        }
        self.routes.extend(known.into_iter().flatten());
        if let Some(began) = self.began {
            self.join(began.seed, Some(self.at));
        }
        let mut standings: Vec<Option<Standing>> = std::mem::take(&mut self.standings).into_iter().map(Some).collect();
        for suspect in &plan.suspects {
            let place = standings.iter_mut().find(|s| s.as_ref().is_some_and(|s| s.culprit == suspect.culprit));
            self.standings.push(place.and_then(Option::take).unwrap_or_else(|| Standing::new(suspect.culprit.clone())));
        }
        self.alarms.retain(|a| plan.suspect(&a.culprit).is_some());
        self.accounts.retain(|provider, _| plan.signs.contains_key(provider));
        for name in &plan.inboxes {
            self.inbox(name);
        }
        self.incidents.values_mut().for_each(Incident::classify);
    }

    /// Gives a key to each route that has none. `at`: when it joined those that were there from the beginning.
    fn join(&mut self, seed: u64, at: Option<At>) {
        let mut taken: BTreeSet<u32> = self.routes.iter().map(|r| r.key).chain([0]).collect();
        for route in self.routes.iter_mut().filter(|r| r.key == 0) {
            let mut key = super::schedule::key(seed, &route.route);
            while !taken.insert(key) {
                key = key.wrapping_add(1);
            }
            (route.key, route.joined) = (key, at);
        }
    }

    /// Takes one record in. `ix` is kept beside the state.
    pub(super) fn apply(&mut self, plan: &Plan, ix: &mut Index, record: &Record) {
        self.pass(plan, ix, record.at);
        match &record.fact {
            Fact::Began { seed, reads } => self.begin(plan, ix, Began { at: record.at, seed: *seed, reads: *reads }),
            Fact::Passed {} => {}
            Fact::Slept {} => self.sleep(plan, ix, record.at),
            Fact::Sent { canary, provider, stream, inbox, reason } => {
                let route = Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() };
                self.send(plan, ix, route, *canary, record.at, *reason);
            }
            Fact::Asked { canary } => self.ask(plan, ix, record.at, *canary),
            Fact::Polled { provider } => self.polled(plan, record.at, provider),
            Fact::Happened(event) => self.happen(plan, ix, record.at, event),
            Fact::Lost { canary } => self.lose(plan, ix, *canary),
            Fact::Forgotten { canary } => self.set_aside(plan, ix, *canary),
            Fact::Alarmed { culprit, instead_of, kind } => self.raise(plan, ix, record.at, culprit, (instead_of, *kind)),
            Fact::Sorted { culprit, kind } => self.sort(record.at, culprit, *kind),
            Fact::Calmed { culprit } => self.calm(plan, ix, record.at, culprit),
            Fact::DrillOver {} => self.end_drill(plan, ix, record.at),
            Fact::Tried { sink, notice } => self.try_sink(record.at, sink, notice),
            Fact::Told { notice, sinks, late: true, .. } => self.hand_out(record.at, notice, sinks),
            Fact::Told { notice, sinks, silenced, late: false } => self.tell(record.at, notice, sinks, *silenced),
        }
    }

    /// The route and the canary with this id.
    pub(super) fn canary(&self, ix: &Index, id: CanaryId) -> Option<(&RouteState, &Canary)> {
        let route = self.routes.get(*ix.keys.get(&upper(id))?)?;
        Some((route, route.find(id)?))
    }

    pub(super) fn reads(&self) -> Reads {
        self.began.map_or(Reads::Implied, |b| b.reads)
    }

    pub(super) fn inbox(&mut self, name: &Name) -> &mut InboxState {
        self.inboxes.entry(name.clone()).or_default()
    }

    /// Whether an inbox can be seen into, as far as is known.
    pub(super) fn sees(&self, name: &Name) -> bool {
        self.cut_off_since.is_none() && self.inboxes.get(name).is_none_or(|i| self.sees_into(i))
    }

    /// The same, of an inbox at hand.
    pub(super) fn sees_into(&self, inbox: &InboxState) -> bool {
        self.cut_off_since.is_none() && inbox.blind.is_none() && inbox.clear_from <= self.at
    }

    /// From when on what is not reported of an inbox is missing, if it can be read again from `at` on.
    fn clear_from(&self, at: At) -> At {
        if self.reads() == Reads::Implied { at.plus(CATCHES_UP) } else { at }
    }

    /// Up to when everything that lay in an inbox has been reported.
    pub(super) fn horizon(&self, inbox: &InboxState) -> Option<At> {
        let passed = self.passed.filter(|p| self.reads() == Reads::Implied && self.sees_into(inbox) && *p >= inbox.clear_from);
        inbox.horizon.max(passed.map(|p| inbox.rhythm.read_by(p)))
    }

    fn begin(&mut self, plan: &Plan, ix: &mut Index, began: Began) {
        self.began = Some(began);
        self.allowance = Allowance::full(plan, began.at);
        self.join(began.seed, None);
        ix.keys = self.routes.iter().enumerate().map(|(slot, route)| (route.key, slot)).collect();
        ix.reschedule(plan, self);
    }

    /// Time moves: with implied reads, everything up to the line before has been reported by every inbox that can be read.
    fn pass(&mut self, plan: &Plan, ix: &mut Index, at: At) {
        if at <= self.at {
            return;
        }
        let before = self.at;
        self.at = at;
        if self.began.is_some() && self.reads() == Reads::Implied {
            self.passed = Some(before);
            if self.cut_off_since.is_none() {
                self.read_until(plan, ix, before);
            }
        }
    }

    /// Nothing in flight is evidence any more.
    fn sleep(&mut self, plan: &Plan, ix: &mut Index, at: At) {
        self.skip_before = Some(at);
        for route in &mut self.routes {
            for flying in &mut route.flying {
                (flying.counted, flying.teaches) = (false, false);
            }
            for canary in route.canaries.iter_mut().filter(|c| c.in_flight()) {
                canary.set_aside(true);
            }
        }
        for alarm in &mut self.alarms {
            alarm.trial = super::sequence::Sequence::new(super::sequence::Rule::Recovery);
        }
        for suspect in 0..self.standings.len() {
            if let Some(standing) = self.standings.get_mut(suspect) {
                standing.forget();
            }
            self.weigh(plan, ix, suspect);
        }
        ix.reschedule(plan, self);
    }

    fn happen(&mut self, plan: &Plan, ix: &mut Index, at: At, event: &Event) {
        match event {
            Event::Started { .. } | Event::Woke {} => {}
            Event::Answered { canary, outcome, reply, hint, legs, message_id, retry_after } => {
                for (leg, span) in legs {
                    self.legs.entry(*leg).or_default().observe(*span);
                }
                let message_id = message_id.as_deref().filter(|_| self.has_use_for_its_id(plan, ix, *canary)).map(Box::from);
                let hint = hint.as_deref().map(|hint| shorten(hint, HINT).into_boxed_str());
                self.answer(plan, ix, *canary, Answer { at, outcome: *outcome, reply: reply.clone(), hint, message_id });
                if let Some(wait) = retry_after {
                    self.hold_off(plan, ix, *canary, at, *wait);
                }
            }
            Event::Traced { canary, fate, words } => self.trace(plan, ix, *canary, *fate, words.as_deref()),
            Event::Signs { provider, signs } => self.read_account(plan, at, provider, signs),
            Event::NoSigns { provider, class, why, retry_after } => self.miss_account(plan, at, provider, *class, why, *retry_after),
            Event::Sighted { inbox, canary, placement, arrived_at, seen_at, copy } => {
                let arrival =
                    Arrival { at: *arrived_at, placement: *placement, copy: copy.as_deref().map(Copied::of), reported: *arrived_at };
                if !self.withhold(ix, inbox, *canary, &arrival, seen_at.unwrap_or(at)) {
                    self.sight(plan, ix, inbox, *canary, arrival, seen_at.unwrap_or(at));
                }
            }
            Event::Mismatched { inbox, canary, why } => self.mismatch(ix, inbox, *canary, why),
            Event::Travelled { inbox, canary, trail } => self.travel(plan, ix, inbox, *canary, trail),
            Event::Examined { .. }
            | Event::Strange { .. }
            | Event::Approved { .. }
            | Event::Unlearnt { .. }
            | Event::LookedUp { .. }
            | Event::Accepted { .. } => self.take_in_mail(plan, ix, at, event),
            Event::Stale { inbox } => self.inbox(inbox).replayed += 1,
            Event::Forged { inbox } => self.inbox(inbox).forged += 1,
            Event::Blind { inbox, class, why } => {
                self.freeze(inbox);
                ix.blind.insert(inbox.clone());
                self.inbox(inbox).lose_sight(at, *class, why.as_deref());
            }
            Event::Sight { inbox } => {
                ix.blind.remove(inbox);
                self.gain_sight(ix, inbox, at);
            }
            Event::CutOff {} => self.cut_off(at),
            Event::Connected {} => self.connect(plan, ix, at),
            Event::Read { inbox, up_to, cursor } => {
                let inbox = self.inbox(inbox);
                if inbox.blind.is_none() {
                    inbox.sight = Some(true);
                }
                let read = up_to.unwrap_or(at);
                inbox.read_up_to(read);
                if cursor.is_some() {
                    inbox.cursor.clone_from(cursor);
                }
                self.read_until(plan, ix, read);
            }
            // Ages are wrong by that much for what was sent before: it is no evidence.
            Event::ClockJumped { .. } => self.sleep(plan, ix, at),
            Event::Noticed { notice, sink, outcome, why } => self.hear(plan, at, *notice, sink, *outcome, why.as_deref()),
            Event::SinksRenewed { only } => self.renew_sinks(only.as_ref()),
            Event::Orphaned { canary } => self.set_aside(plan, ix, *canary),
            Event::Acknowledged { incident, by, note, said_at, .. } => self.acknowledge(at, *incident, by, note.as_deref(), *said_at),
            Event::Unacknowledged { incident, said_at, .. } => self.take_back(at, *incident, *said_at),
            Event::Closed { incident, by, note } => self.close_by_hand(plan, ix, at, *incident, by, note.as_deref()),
            Event::Silenced { which, from, until, by, reason } => self.silence(at, which, (*from, *until), by, reason),
            Event::Unsilenced { silence, .. } => self.unsilence(*silence),
            Event::DrillBegan { provider, until, by } => self.begin_drill(at, provider, *until, by),
            Event::DrillStopped { .. } => self.end_drill(plan, ix, at),
        }
    }

    fn gain_sight(&mut self, ix: &mut Index, name: &Name, at: At) {
        let clear_from = self.clear_from(at);
        ix.clears_at = ix.clears_at.max(clear_from);
        self.inbox(name).gain_sight(clear_from);
    }

    /// No inbox can be read from now on.
    fn cut_off(&mut self, at: At) {
        let names: Vec<Name> = self.inboxes.keys().cloned().collect();
        names.iter().for_each(|name| self.freeze(name));
        self.cut_off_since = self.cut_off_since.or(Some(at));
    }

    /// What could not be handed over for want of network says nothing of any provider.
    fn connect(&mut self, plan: &Plan, ix: &mut Index, at: At) {
        let Some(since) = self.cut_off_since.take() else { return };
        let clear_from = self.clear_from(at);
        for inbox in self.inboxes.values_mut() {
            inbox.clear_from = clear_from;
        }
        ix.clears_at = ix.clears_at.max(clear_from);
        let from = since.minus(plan.every.scaled(2, 1));
        for route in &mut self.routes {
            for canary in route.canaries.iter_mut().rev().take_while(|c| c.sent_at() >= from) {
                let network = canary.outcome() == Some(Outcome::Refused(Class::Network));
                if network && !canary.has_arrived() {
                    canary.set_aside(true);
                }
            }
            if route.refusal == Some(Class::Network) {
                route.refusal = None;
            }
        }
        for slot in 0..self.routes.len() {
            ix.note(self, slot);
        }
        // What was raised in the last moments before the cut was known is not theirs either.
        self.alarms.retain(|alarm| alarm.told || alarm.since < from);
        ix.follow_alarms(plan, self);
        // Refusals of the last moments before the cut was known have been counted against their providers.
        for suspect in 0..self.standings.len() {
            self.gather(plan, ix, suspect);
        }
    }
}
