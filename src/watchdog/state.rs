//! The state: a fold over records. Only [`State::apply`] changes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::count::Histogram;
use super::event::{Delivery, Event, Reads};
use super::flight::{Answer, Arrival, Canary, RouteState};
use super::plan::Plan;
use super::record::{Fact, Record};
use super::sight::InboxState;
use super::view::IncidentView;
use crate::model::{At, CanaryId, Change, Class, Culprit, IncidentId, Leg, Name, Notice, NoticeId, Outcome, Reason, Route, Span};

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
    /// In the order in which they were first seen; routes that left the configuration stay.
    pub(super) routes: Vec<RouteState>,
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
    /// Takes one record in. `keys` finds a route by the upper half of a canary's id; it is an index of `routes` and kept beside it.
    pub(super) fn apply(&mut self, plan: &Plan, keys: &mut BTreeMap<u32, usize>, record: &Record) {
        self.pass(record.at);
        match &record.fact {
            Fact::Began { seed, reads } => self.began = Some(Began { at: record.at, seed: *seed, reads: *reads }),
            Fact::Passed {} => {}
            Fact::Slept {} => self.sleep(record.at),
            Fact::Sent { canary, provider, stream, inbox, reason } => {
                let route = Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() };
                self.send(keys, route, *canary, record.at, *reason);
            }
            Fact::Happened(event) => self.happen(plan, keys, record.at, event),
            Fact::Lost { canary } => {
                if let Some(route) = self.route_of(keys, *canary) {
                    route.counts.lost += 1;
                    if let Some(canary) = route.find_mut(*canary) {
                        canary.lost = true;
                    }
                }
            }
            Fact::Forgotten { canary } => self.set_aside(keys, *canary),
            Fact::Told { notice, sinks } => self.tell(record.at, notice, sinks),
        }
    }

    /// Rebuilds the index that [`State::apply`] keeps.
    pub(super) fn keys(&self) -> BTreeMap<u32, usize> {
        self.routes.iter().enumerate().map(|(slot, route)| (route.key, slot)).collect()
    }

    /// The route and the canary with this id.
    pub(super) fn canary(&self, keys: &BTreeMap<u32, usize>, id: CanaryId) -> Option<(&RouteState, &Canary)> {
        let route = self.routes.get(*keys.get(&upper(id))?)?;
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
        self.cut_off_since.is_none() && self.inboxes.get(name).is_none_or(|i| i.blind.is_none())
    }

    /// Time moves: with implied reads, everything up to the line before has been reported by every inbox that can be read.
    fn pass(&mut self, at: At) {
        if at <= self.at {
            return;
        }
        let (before, cut_off) = (self.at, self.cut_off_since.is_some());
        if self.began.is_some() && self.reads() == Reads::Implied && !cut_off {
            for inbox in self.inboxes.values_mut().filter(|i| i.blind.is_none()) {
                inbox.read_up_to(before);
            }
        }
        self.at = at;
    }

    fn sleep(&mut self, at: At) {
        self.skip_before = Some(at);
        for canary in self.routes.iter_mut().flat_map(|r| r.canaries.iter_mut()).filter(|c| c.in_flight()) {
            canary.set_aside = true;
        }
    }

    fn send(&mut self, keys: &mut BTreeMap<u32, usize>, route: Route, id: CanaryId, at: At, reason: Reason) {
        self.inbox(&route.inbox);
        let slot = *keys.entry(upper(id)).or_insert_with(|| {
            self.routes.push(RouteState::new(route, upper(id)));
            self.routes.len() - 1
        });
        if let Some(route) = self.routes.get_mut(slot) {
            route.send(id, at, reason);
        }
    }

    fn route_of(&mut self, keys: &BTreeMap<u32, usize>, id: CanaryId) -> Option<&mut RouteState> {
        self.routes.get_mut(*keys.get(&upper(id))?)
    }

    fn set_aside(&mut self, keys: &BTreeMap<u32, usize>, id: CanaryId) {
        if let Some(canary) = self.route_of(keys, id).and_then(|r| r.find_mut(id)) {
            canary.set_aside = true;
            canary.forgotten = true;
        }
    }

    fn happen(&mut self, plan: &Plan, keys: &BTreeMap<u32, usize>, at: At, event: &Event) {
        match event {
            Event::Started { .. } | Event::Woke {} => {}
            Event::Answered { canary, outcome, reply, legs, .. } => {
                for (leg, span) in legs {
                    self.legs.entry(*leg).or_default().observe(*span);
                }
                self.answer(keys, *canary, Answer { at, outcome: *outcome, reply: reply.clone() });
            }
            Event::Sighted { inbox, canary, placement, arrived_at, seen_at, copy } => {
                let seen = seen_at.unwrap_or(at);
                let arrival = Arrival { at: *arrived_at, placement: *placement, copy: copy.clone(), reported: *arrived_at };
                self.sight(plan, keys, inbox, *canary, arrival, seen);
            }
            Event::Stale { inbox } => self.inbox(inbox).replayed += 1,
            Event::Forged { inbox } => self.inbox(inbox).forged += 1,
            Event::Blind { inbox, class, why } => self.inbox(inbox).lose_sight(at, *class, why.as_deref()),
            Event::Sight { inbox } => self.inbox(inbox).gain_sight(),
            Event::CutOff {} => self.cut_off_since = self.cut_off_since.or(Some(at)),
            Event::Connected {} => self.connect(plan),
            Event::Read { inbox, up_to, cursor } => {
                let inbox = self.inbox(inbox);
                if inbox.blind.is_none() {
                    inbox.sight = Some(true);
                }
                inbox.read_up_to(up_to.unwrap_or(at));
                if cursor.is_some() {
                    inbox.cursor.clone_from(cursor);
                }
            }
            // Ages are wrong by that much for what was sent before: it is no evidence.
            Event::ClockJumped { .. } => self.sleep(at),
            Event::Noticed { notice, sink, outcome } => self.close(*notice, sink, *outcome),
            Event::Orphaned { canary } => self.set_aside(keys, *canary),
        }
    }

    /// What could not be handed over for want of network says nothing of any provider.
    fn connect(&mut self, plan: &Plan) {
        let Some(since) = self.cut_off_since.take() else { return };
        let from = since.minus(plan.every.scaled(2, 1));
        for canary in self.routes.iter_mut().flat_map(|r| r.canaries.iter_mut()).filter(|c| c.sent_at >= from) {
            let network = matches!(canary.answer, Some(Answer { outcome: Outcome::Refused(Class::Network), .. }));
            canary.set_aside |= network && canary.arrival.is_none();
        }
    }

    fn answer(&mut self, keys: &BTreeMap<u32, usize>, id: CanaryId, answer: Answer) {
        let Some(route) = self.route_of(keys, id) else { return };
        if route.find(id).is_none_or(|c| c.answer.is_some()) {
            return;
        }
        match answer.outcome {
            Outcome::Accepted => route.counts.accepted += 1,
            Outcome::Refused(class) => *route.counts.refused.entry(class).or_default() += 1,
            Outcome::Unknown => route.counts.unknown += 1,
        }
        if let Some(canary) = route.find_mut(id) {
            canary.answer = Some(answer);
        }
    }

    fn sight(&mut self, plan: &Plan, keys: &BTreeMap<u32, usize>, inbox: &Name, id: CanaryId, mut arrival: Arrival, seen: At) {
        let known = self.canary(keys, id).map(|(route, canary)| (route.route.clone(), canary.clone()));
        let Some((route, canary)) = known else { return };
        if route.inbox != *inbox {
            self.inbox(inbox).replayed += 1;
            return;
        }
        let deadline = plan.find(&route).and_then(|i| plan.routes.get(i)).map_or(Span::from_secs(900), |r| r.deadline);
        // INTERNALDATE has steps of a second and the receiver's clock: what it says is clamped between sending and seeing.
        arrival.at = arrival.at.min(seen).max(canary.sent_at);
        let lag = seen.since(arrival.at);
        let accepted_at = canary.answer.as_ref().map_or(canary.sent_at, |a| a.at.min(arrival.at));
        let delivery = arrival.at.since(accepted_at);
        // What comes during an incident is not what is usual.
        let usual = !self.open().any(|i| i.shown.kind.is_delivery() && i.shown.culprit.covers(&route));
        let Some(state) = self.route_of(keys, id) else { return };
        if let Some(first) = &canary.arrival {
            if is_another_copy(first, &arrival) {
                state.counts.duplicate += 1;
            }
            return;
        }
        *state.counts.arrived.entry(arrival.placement).or_default() += 1;
        let latency = arrival.at.since(canary.sent_at);
        if latency > deadline {
            state.counts.late += 1;
        }
        state.last_arrival = Some(state.last_arrival.map_or(arrival.at, |at| at.max(arrival.at)));
        state.latency.observe(latency);
        if usual && canary.reason == Reason::Routine {
            state.learn(latency);
        }
        if let Some(canary) = state.find_mut(id) {
            canary.arrival = Some(arrival);
        }
        self.legs.entry(Leg::Delivery).or_default().observe(delivery);
        self.legs.entry(Leg::Observation).or_default().observe(lag);
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
        if notice.change == Change::Resolved {
            incident.shown.resolved_at = Some(at);
            let delivery = notice.kind.is_delivery();
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

fn upper(id: CanaryId) -> u32 {
    u32::try_from(id.bits() >> 32).unwrap_or(u32::MAX)
}
