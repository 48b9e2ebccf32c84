//! The state: a fold over records. Only [`State::apply`] changes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::count::Histogram;
use super::event::{Delivery, Event, Reads};
use super::flight::{Answer, Arrival, Canary, RouteState};
use super::alarm::{Alarm, Standing};
use super::hold::Habit;
use super::hypothesis;
use super::index::Index;
use super::plan::Plan;
use super::record::{Fact, Record};
use super::sight::InboxState;
use super::survival::Counts;
use super::suspicion::Allowance;
use super::view::IncidentView;
use crate::model::{At, CanaryId, Change, Class, Culprit, IncidentId, Leg, Name, Notice, NoticeId, Outcome, Placement, Reason, Route, Span};

/// Incidents that ended are remembered for the page; the ledger has them all.
const REMEMBER_ENDED: usize = 50;

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
}

/// The start of the installation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Began {
    pub(super) at: At,
    pub(super) seed: u64,
    pub(super) reads: Reads,
}

/// An incident, and which sinks have heard of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Incident {
    pub(super) shown: IncidentView,
    pub(super) told: BTreeSet<Name>,
}

/// A notice on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) at: At,
    pub(super) opened_at: At,
    pub(super) notice: Notice,
    /// Sinks that have not answered for good.
    pub(super) sinks: BTreeSet<Name>,
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
        let mut standings: Vec<Option<Standing>> = std::mem::take(&mut self.standings).into_iter().map(Some).collect();
        for suspect in &plan.suspects {
            let place = standings.iter_mut().find(|s| s.as_ref().is_some_and(|s| s.culprit == suspect.culprit));
            self.standings.push(place.and_then(Option::take).unwrap_or_else(|| Standing::new(suspect.culprit.clone())));
        }
        self.alarms.retain(|a| plan.suspect(&a.culprit).is_some());
        for name in &plan.inboxes {
            self.inbox(name);
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
            Fact::Happened(event) => self.happen(plan, ix, record.at, event),
            Fact::Lost { canary } => self.lose(plan, ix, *canary),
            Fact::Forgotten { canary } => self.set_aside(plan, ix, *canary),
            Fact::Alarmed { culprit, instead_of } => self.raise(plan, ix, record.at, culprit, instead_of),
            Fact::Calmed { culprit } => self.calm(plan, ix, record.at, culprit),
            Fact::Told { notice, sinks } => self.tell(record.at, notice, sinks),
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
        if !self.inboxes.contains_key(name) {
            self.inboxes.insert(name.clone(), InboxState::default());
        }
        self.inboxes.entry(name.clone()).or_default()
    }

    /// Whether an inbox can be seen into, as far as is known.
    pub(super) fn sees(&self, name: &Name) -> bool {
        self.cut_off_since.is_none() && self.inboxes.get(name).is_none_or(|i| i.blind.is_none())
    }

    /// The same, of an inbox at hand.
    pub(super) const fn sees_into(&self, inbox: &InboxState) -> bool {
        self.cut_off_since.is_none() && inbox.blind.is_none()
    }

    /// Up to when everything that lay in an inbox has been reported.
    pub(super) fn horizon(&self, inbox: &InboxState) -> Option<At> {
        let passed = self.passed.filter(|p| self.reads() == Reads::Implied && self.sees_into(inbox) && *p >= inbox.clear_from);
        inbox.horizon.max(passed)
    }

    fn begin(&mut self, plan: &Plan, ix: &mut Index, began: Began) {
        self.began = Some(began);
        self.allowance = Allowance::full(plan, began.at);
        for slot in 0..self.routes.len() {
            let Some(route) = self.routes.get(slot).map(|r| r.route.clone()) else { continue };
            let mut key = super::schedule::key(began.seed, &route);
            while key == 0 || ix.keys.contains_key(&key) {
                key = key.wrapping_add(1);
            }
            ix.keys.insert(key, slot);
            if let Some(route) = self.routes.get_mut(slot) {
                route.key = key;
            }
        }
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
                canary.set_aside = true;
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

    fn send(&mut self, plan: &Plan, ix: &mut Index, route: Route, id: CanaryId, at: At, reason: Reason) {
        let known = ix.keys.get(&upper(id)).copied().filter(|slot| self.routes.get(*slot).is_some_and(|r| r.route == route));
        let slot = known.or_else(|| plan.find(&route)).or_else(|| self.routes.iter().position(|r| r.route == route));
        let slot = slot.unwrap_or_else(|| {
            self.inbox(&route.inbox);
            self.routes.push(RouteState::new(route));
            self.routes.len() - 1
        });
        let Some(route) = self.routes.get_mut(slot) else { return };
        if route.key != upper(id) {
            route.key = upper(id);
            ix.keys.insert(route.key, slot);
        }
        let first = route.flying.is_empty();
        route.send(id, at, reason);
        if first {
            ix.age(self, slot);
        }
        if let Some(planned) = plan.routes.get(slot) {
            ix.deadlines.insert((at.plus(planned.deadline), slot, lower(id)));
        }
        self.open_evidence(plan, ix, slot, at);
        if reason == Reason::Routine {
            ix.schedule(plan, self, slot);
        } else {
            self.allowance.spend(plan, at);
        }
    }

    fn lose(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        route.counts.lost += 1;
        let Some(canary) = route.find_mut(id) else { return };
        canary.lost = true;
        let sent_at = canary.sent_at;
        if let Some(planned) = plan.routes.get(slot) {
            ix.deadlines.remove(&(sent_at.plus(planned.deadline), slot, lower(id)));
        }
    }

    /// The canary is no evidence, and not looked for any more.
    fn set_aside(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        if let Some(canary) = route.find_mut(id) {
            canary.set_aside = true;
            canary.forgotten = true;
        }
        self.land(plan, ix, slot, id, None);
    }

    /// A canary has settled: it leaves those in flight, and says this.
    fn land(&mut self, plan: &Plan, ix: &mut Index, slot: usize, id: CanaryId, said: Option<&hypothesis::Nats>) {
        let Some(route) = self.routes.get_mut(slot) else { return };
        if let (Some(sent_at), Some(planned)) = (route.find(id).map(|c| c.sent_at), plan.routes.get(slot)) {
            ix.deadlines.remove(&(sent_at.plus(planned.deadline), slot, lower(id)));
        }
        let before = route.settles_at();
        let Some(flown) = route.land(id) else { return };
        let after = route.settles_at();
        if let Some(before) = before.filter(|_| before != after) {
            ix.aging.remove(&(before, slot));
            ix.age(self, slot);
        }
        let refused = self.routes.get(slot).and_then(|r| r.find(id)).is_some_and(Canary::refused);
        self.close_evidence(plan, ix, slot, &flown, said, refused);
    }

    fn happen(&mut self, plan: &Plan, ix: &mut Index, at: At, event: &Event) {
        match event {
            Event::Started { .. } | Event::Woke {} => {}
            Event::Answered { canary, outcome, reply, legs, .. } => {
                for (leg, span) in legs {
                    self.legs.entry(*leg).or_default().observe(*span);
                }
                self.answer(plan, ix, *canary, Answer { at, outcome: *outcome, reply: reply.clone() });
            }
            Event::Sighted { inbox, canary, placement, arrived_at, seen_at, copy } => {
                let seen = seen_at.unwrap_or(at);
                let arrival = Arrival { at: *arrived_at, placement: *placement, copy: copy.clone(), reported: *arrived_at };
                self.sight(plan, ix, inbox, *canary, arrival, seen);
            }
            Event::Stale { inbox } => self.inbox(inbox).replayed += 1,
            Event::Forged { inbox } => self.inbox(inbox).forged += 1,
            Event::Blind { inbox, class, why } => {
                self.freeze(inbox);
                self.inbox(inbox).lose_sight(at, *class, why.as_deref());
            }
            Event::Sight { inbox } => self.inbox(inbox).gain_sight(at),
            Event::CutOff {} => {
                let names: Vec<Name> = self.inboxes.keys().cloned().collect();
                names.iter().for_each(|name| self.freeze(name));
                self.cut_off_since = self.cut_off_since.or(Some(at));
            }
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
            Event::Noticed { notice, sink, outcome } => self.close(*notice, sink, *outcome),
            Event::Orphaned { canary } => self.set_aside(plan, ix, *canary),
        }
    }

    /// What was read of an inbox stands still.
    fn freeze(&mut self, name: &Name) {
        let Some(horizon) = self.inboxes.get(name).and_then(|i| self.horizon(i)) else { return };
        self.inbox(name).read_up_to(horizon);
    }

    /// What could not be handed over for want of network says nothing of any provider.
    fn connect(&mut self, plan: &Plan, ix: &mut Index, at: At) {
        let Some(since) = self.cut_off_since.take() else { return };
        for inbox in self.inboxes.values_mut() {
            inbox.clear_from = at;
        }
        let from = since.minus(plan.every.scaled(2, 1));
        for route in &mut self.routes {
            for canary in route.canaries.iter_mut().rev().take_while(|c| c.sent_at >= from) {
                let network = matches!(canary.answer, Some(Answer { outcome: Outcome::Refused(Class::Network), .. }));
                canary.set_aside |= network && canary.arrival.is_none();
            }
            if route.refusal == Some(Class::Network) {
                route.refusal = None;
            }
        }
        for slot in 0..self.routes.len() {
            ix.note(self, slot);
        }
        // Refusals of the last moments before the cut was known have been counted against their providers.
        for suspect in 0..self.standings.len() {
            self.gather(plan, ix, suspect);
        }
    }

    fn answer(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId, answer: Answer) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let cut_off = self.cut_off_since.is_some();
        let Some(route) = self.routes.get_mut(slot) else { return };
        let Some(reason) = route.find(id).filter(|c| c.answer.is_none()).map(|c| c.reason) else { return };
        let outcome = answer.outcome;
        match outcome {
            Outcome::Accepted => route.counts.accepted += 1,
            Outcome::Refused(class) => *route.counts.refused.entry(class).or_default() += 1,
            Outcome::Unknown => route.counts.unknown += 1,
        }
        if let Some(canary) = route.find_mut(id) {
            canary.answer = Some(answer);
        }
        // A confirmation that is throttled says nothing.
        let throttled = matches!(outcome, Outcome::Refused(Class::Rate | Class::Transient)) && reason == Reason::Confirmation;
        if !throttled && lower(id) >= route.answered {
            route.answered = lower(id);
            let before = route.refusal;
            route.refusal = if let Outcome::Refused(class) = outcome { Some(class) } else { None };
            if before != route.refusal {
                ix.note(self, slot);
            }
        }
        let Outcome::Refused(class) = outcome else { return };
        let said = match class {
            // The refusal speaks for itself; or it says nothing of other mail.
            Class::Suspended | Class::Auth | Class::Quota | Class::Sender | Class::Policy | Class::Permanent => None,
            Class::Suppressed | Class::Recipient => None,
            Class::Network if cut_off => None,
            Class::Network | Class::Tls | Class::Rate | Class::Transient | Class::Unknown => (!throttled).then(hypothesis::refused),
        };
        self.land(plan, ix, slot, id, said.as_ref());
    }

    fn sight(&mut self, plan: &Plan, ix: &mut Index, inbox: &Name, id: CanaryId, mut arrival: Arrival, seen: At) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        if route.route.inbox != *inbox {
            self.inbox(inbox).replayed += 1;
            return;
        }
        let Some(canary) = route.find(id) else { return };
        let deadline = plan.routes.get(slot).map_or(Span::from_secs(900), |r| r.deadline);
        // INTERNALDATE has steps of a second and the receiver's clock: what it says is clamped between sending and seeing.
        arrival.at = arrival.at.min(seen).max(canary.sent_at);
        let sent_at = canary.sent_at;
        if let Some(first) = &canary.arrival {
            if is_another_copy(first, &arrival) {
                route.counts.duplicate += 1;
            }
            return;
        }
        let lag = seen.since(arrival.at);
        let accepted_at = canary.answer.as_ref().map_or(canary.sent_at, |a| a.at.min(arrival.at));
        let (delivery, latency) = (arrival.at.since(accepted_at), arrival.at.since(canary.sent_at));
        *route.counts.arrived.entry(arrival.placement).or_default() += 1;
        if latency > deadline {
            route.counts.late += 1;
        }
        route.last_arrival = route.last_arrival.max(Some(arrival.at));
        route.latency.observe(latency);
        let junk = arrival.placement == Placement::Junk;
        let was = route.note_arrival(lower(id), junk);
        route.good_sent_at = route.good_sent_at.max(Some(sent_at));
        if let Some(canary) = route.find_mut(id) {
            canary.arrival = Some(arrival);
        }
        let said = hypothesis::arrived(&route.survival, latency);
        let flown = route.flying.iter().find(|f| f.serial == lower(id)).cloned();
        self.learn(plan, ix, slot, id, flown.as_ref(), latency);
        if was {
            ix.note(self, slot);
        }
        if !ix.alarmed.is_empty() {
            self.hearten(plan, ix, slot, sent_at);
        }
        self.land(plan, ix, slot, id, Some(&said));
        self.legs.entry(Leg::Delivery).or_default().observe(delivery);
        self.legs.entry(Leg::Observation).or_default().observe(lag);
    }

    /// What is healthy is learnt from routine canaries; during an alarm it waits until the alarm is over.
    fn learn(&mut self, plan: &Plan, ix: &Index, slot: usize, id: CanaryId, flown: Option<&super::flight::Flying>, latency: Span) {
        let at = self.at;
        if flown.is_none() {
            if let Some(route) = self.routes.get_mut(slot)
                && route.find(id).is_some_and(|c| c.taught)
            {
                route.survival.learn_late(at, latency);
            }
            return;
        }
        if flown.is_some_and(|f| f.teaches) && !self.in_alarm(plan, ix, slot) {
            self.teach(plan, slot, at, Some(latency));
            if let Some(canary) = self.routes.get_mut(slot).and_then(|r| r.find_mut(id)) {
                canary.taught = true;
            }
        }
    }

    fn tell(&mut self, at: At, notice: &Notice, sinks: &[Name]) {
        self.next_notice = self.next_notice.max(notice.notice.0);
        self.next_incident = self.next_incident.max(notice.incident.0);
        let incident = self.incidents.entry(notice.incident).or_insert_with(|| Incident {
            shown: IncidentView {
                incident: notice.incident,
                kind: notice.kind,
                severity: notice.severity,
                culprit: notice.culprit.clone(),
                opened_at: at,
                resolved_at: None,
                last: notice.clone(),
            },
            told: BTreeSet::new(),
        });
        incident.shown.kind = notice.kind;
        incident.shown.severity = notice.severity;
        incident.shown.culprit.clone_from(&notice.culprit);
        incident.shown.last = notice.clone();
        let delivery = notice.kind.is_delivery();
        for alarm in self.alarms.iter_mut().filter(|a| delivery && a.culprit == notice.culprit) {
            alarm.told = true;
        }
        if notice.change == Change::Resolved {
            incident.shown.resolved_at = Some(at);
            for route in self.routes.iter_mut().filter(|r| delivery && notice.culprit.covers(&r.route)) {
                route.judged_before = Some(at);
            }
        }
        incident.told.extend(sinks.iter().cloned());
        let opened_at = incident.shown.opened_at;
        if !sinks.is_empty() {
            let sinks = sinks.iter().cloned().collect();
            self.outbox.insert(notice.notice, Pending { at, opened_at, notice: notice.clone(), sinks });
        }
        let ended: VecDeque<IncidentId> = self.incidents.iter().filter(|(_, i)| i.shown.resolved_at.is_some()).map(|(id, _)| *id).collect();
        for id in ended.iter().take(ended.len().saturating_sub(REMEMBER_ENDED)) {
            self.incidents.remove(id);
        }
    }

    fn close(&mut self, notice: NoticeId, sink: &Name, outcome: Delivery) {
        let Some(pending) = self.outbox.get_mut(&notice) else { return };
        if !pending.sinks.remove(sink) {
            return;
        }
        if pending.sinks.is_empty() {
            self.outbox.remove(&notice);
        }
        match self.delivered.iter_mut().find(|(name, end, _)| name == sink && *end == outcome) {
            Some((_, _, count)) => *count += 1,
            None => self.delivered.push((sink.clone(), outcome, 1)),
        }
    }

    /// Open incidents of this culprit.
    pub(super) fn open(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().filter(|i| i.shown.resolved_at.is_none())
    }

    /// The open incident of `culprit` that is, or is not, about delivery.
    pub(super) fn open_delivery(&self, culprit: &Culprit) -> Option<&Incident> {
        self.open().find(|i| i.shown.kind.is_delivery() && i.shown.culprit == *culprit)
    }
}

/// The same message read again, moved to or labelled in a second folder, or renumbered by its server (a new UIDVALIDITY), is one copy:
/// its time of arrival stays. Without a name for the copy every sighting is one of its own.
fn is_another_copy(first: &Arrival, again: &Arrival) -> bool {
    match (&first.copy, &again.copy) {
        (Some(a), Some(b)) => a != b && (numbering(a) == numbering(b) || first.reported != again.reported),
        _ => true,
    }
}

/// `folder/UIDVALIDITY` of a copy's name: within it, another UID is another message.
fn numbering(copy: &str) -> &str {
    copy.rsplit_once('/').map_or(copy, |(numbering, _)| numbering)
}

fn lower(id: CanaryId) -> u32 {
    u32::try_from(id.bits() & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

fn upper(id: CanaryId) -> u32 {
    u32::try_from(id.bits() >> 32).unwrap_or(u32::MAX)
}
