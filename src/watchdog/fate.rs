//! What becomes of a canary: sent, answered, seen, lost. A part of the fold.

use super::Watchdog;
use super::canary::{Answer, Arrival, Canary, lower, upper};
use super::event::Reads;
use super::flight::{Flying, RouteState};
use super::hypothesis;
use super::index::Index;
use super::plan::Plan;
use super::record::Fact;
use super::state::State;
use super::step::Step;
use crate::model::{At, CanaryId, Class, Leg, Name, Outcome, Placement, Reason, Route, Span};

/// INTERNALDATE has no fractions of a second.
const STEP_OF_RECEIVERS: Span = Span::from_ms(999);
/// After this long, a canary whose inbox could never be read is not looked for any more.
const FORGET_AFTER: Span = Span::from_secs(72 * 3600);

impl State {
    pub(super) fn send(&mut self, plan: &Plan, ix: &mut Index, route: Route, id: CanaryId, at: At, reason: Reason) {
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
        self.spent.spend(&plan.limits, &route.route, at, reason);
        ix.handing.begin(at, slot, lower(id));
        let first = route.flying.is_empty();
        route.send(id, at, reason);
        ix.looks.extend(route.flying.back().and_then(|f| Some((f.look_at?, slot, f.serial))));
        if first {
            ix.age(plan, self, slot);
        }
        if let Some(planned) = plan.routes.get(slot) {
            ix.deadlines.insert((at.plus(planned.deadline), slot, lower(id)));
        }
        if !self.is_disregarded(slot) {
            self.open_evidence(plan, ix, slot, at);
        }
        if reason == Reason::Routine {
            ix.schedule(plan, self, slot);
        } else {
            self.allowance.spend(plan, at);
            ix.confirm(plan, at, slot);
        }
    }

    pub(super) fn lose(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let withheld = self.is_withheld(id);
        let Some(route) = self.routes.get_mut(slot) else { return };
        let Some(sent_at) = route.find(id).map(Canary::sent_at) else { return };
        if !withheld {
            route.counts.lost += 1;
            route.counts.missed += 1;
            route.find_mut(id).into_iter().for_each(Canary::lose);
            self.miss(plan, slot, id);
        }
        if let Some(planned) = plan.routes.get(slot) {
            ix.deadlines.remove(&(sent_at.plus(planned.deadline), slot, lower(id)));
        }
    }

    /// The canary is no evidence, and not looked for any more.
    pub(super) fn set_aside(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        if let Some(canary) = route.find_mut(id) {
            canary.forget();
        }
        self.land(plan, ix, slot, id, None);
    }

    /// A canary has settled: it leaves those in flight, and says this.
    fn land(&mut self, plan: &Plan, ix: &mut Index, slot: usize, id: CanaryId, said: Option<&hypothesis::Factors>) {
        let Some(route) = self.routes.get_mut(slot) else { return };
        if let (Some(sent_at), Some(planned)) = (route.find(id).map(Canary::sent_at), plan.routes.get(slot)) {
            ix.deadlines.remove(&(sent_at.plus(planned.deadline), slot, lower(id)));
        }
        let before = route.settles_at();
        let Some(flown) = route.land(id) else { return };
        ix.looks_no_more(slot, &flown);
        let after = route.settles_at();
        if let Some(before) = before.filter(|_| before != after) {
            ix.aging.remove(&(before, slot));
            ix.age(plan, self, slot);
        }
        let refused = self.routes.get(slot).and_then(|r| r.find(id)).is_some_and(Canary::refused);
        self.close_evidence(plan, ix, slot, &flown, said, refused);
    }

    pub(super) fn answer(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId, answer: Answer) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let cut_off = self.cut_off_since.is_some();
        let Some(route) = self.routes.get_mut(slot) else { return };
        let Some((reason, sent_at)) = route.find(id).filter(|c| c.outcome().is_none()).map(|c| (c.reason(), c.sent_at())) else { return };
        ix.handing.answered();
        ix.handing.end(sent_at, slot, id);
        let outcome = answer.outcome;
        match outcome {
            Outcome::Accepted => route.counts.accepted += 1,
            Outcome::Refused(class) => *route.counts.refused.entry(class).or_default() += 1,
            Outcome::Unknown => route.counts.unknown += 1,
        }
        route.canaries.answer(id, answer);
        // A confirmation that is throttled says nothing.
        let throttled = matches!(outcome, Outcome::Refused(Class::Rate | Class::Transient)) && reason == Reason::Confirmation;
        if let Outcome::Refused(class) = outcome {
            let of_the_seed = matches!(class, Class::Suppressed | Class::Recipient);
            let of_the_watcher = class == Class::Network && cut_off;
            route.counts.missed += u64::from(!throttled && !of_the_seed && !of_the_watcher);
        }
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

    pub(super) fn sight(&mut self, plan: &Plan, ix: &mut Index, inbox: &Name, id: CanaryId, mut arrival: Arrival, seen: At) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        if route.route.inbox != *inbox {
            self.inbox(inbox).replayed += 1;
            return;
        }
        let Some(canary) = route.find(id) else { return };
        let deadline = plan.routes.get(slot).map_or(Span::from_secs(900), |r| r.deadline);
        // INTERNALDATE has steps of a second and the receiver's clock: what it says is clamped between sending and seeing.
        arrival.at = arrival.at.min(seen).max(canary.sent_at());
        let sent_at = canary.sent_at();
        if canary.has_arrived() {
            if canary.is_another_copy(&arrival) {
                route.counts.duplicate += 1;
            }
            return;
        }
        ix.handing.end(sent_at, slot, id);
        let lag = seen.since(arrival.at);
        let arrived_at = arrival.at;
        let accepted_at = canary.answered_at().map_or(sent_at, |at| at.min(arrival.at));
        let (delivery, latency) = (arrival.at.since(accepted_at), arrival.at.since(sent_at));
        let missed_already = canary.is_lost() || canary.refused();
        *route.counts.arrived.entry(arrival.placement).or_default() += 1;
        if latency > deadline {
            route.counts.late += 1;
        }
        if latency <= deadline && arrival.placement != Placement::Junk {
            route.counts.in_time += u64::from(!missed_already);
        } else {
            route.counts.missed += u64::from(!missed_already);
        }
        route.last_arrival = route.last_arrival.max(Some(arrival.at));
        route.latency.observe(latency);
        let junk = arrival.placement == Placement::Junk;
        let was = route.note_arrival(lower(id), junk);
        route.good_sent_at = route.good_sent_at.max(Some(sent_at));
        route.canaries.arrive(id, &arrival);
        self.sent_after_all(ix, slot, id);
        self.note_read(inbox, arrived_at, seen);
        let seen_in = self.seen_in(inbox, sent_at, latency, seen);
        let Some(route) = self.routes.get(slot) else { return };
        let said = hypothesis::arrived(&route.survival, seen_in);
        let flown = route.flying.iter().find(|f| f.serial == lower(id)).cloned();
        self.learn(plan, ix, slot, id, flown.as_ref(), seen_in);
        if was {
            ix.note(self, slot);
        }
        if !ix.alarmed.is_empty() {
            self.hearten(plan, ix, slot, sent_at);
        }
        self.land(plan, ix, slot, id, Some(&said));
        self.legs.entry(Leg::Delivery).or_default().observe(delivery);
        self.legs.entry(Leg::Observation).or_default().observe(lag);
        self.travel_seen(plan, ix, slot, id, seen);
    }

    /// A mail came that is not what was waited for: it is remembered with its canary, which is waited for as before.
    pub(super) fn mismatch(&mut self, ix: &Index, inbox: &Name, id: CanaryId, why: &str) {
        let Some(route) = ix.keys.get(&upper(id)).and_then(|slot| self.routes.get_mut(*slot)) else { return };
        if route.route.inbox != *inbox {
            return;
        }
        if route.canaries.mismatches(id, why) {
            route.counts.mismatched += 1;
        }
    }

    /// A sighting shows how its inbox is read; unless the mail lay there because nothing could be read.
    fn note_read(&mut self, inbox: &Name, arrived_at: At, seen: At) {
        let slept = self.skip_before.is_some_and(|until| arrived_at <= until);
        if self.reads() == Reads::Explicit || slept {
            return;
        }
        let inbox = self.inbox(inbox);
        if inbox.blind.is_none() && inbox.clear_from <= arrived_at {
            inbox.rhythm.note(arrived_at, seen);
        }
    }

    /// How long a canary was silent, by the measure that silence has: until it could be seen.
    ///
    /// Where reads are implied, silence counts up to every line, so that a small lag of the receiver's is part of health. Otherwise it
    /// counts up to the last complete read, and the receiver's clock tells; it has steps of a second, and the later end of the step is
    /// meant. What came while its inbox could not be read was silent for no longer than it took.
    fn seen_in(&self, inbox: &Name, sent_at: At, took: Span, seen: At) -> Span {
        let until_seen = seen.since(sent_at);
        let step_ends = (took + STEP_OF_RECEIVERS).min(until_seen);
        let by_reads = |i: &super::sight::InboxState| i.clear_from > sent_at || i.blind.is_some() || i.rhythm.lag > Span::ZERO;
        let by_reads = self.inboxes.get(inbox).is_some_and(by_reads);
        if self.reads() == Reads::Implied && !by_reads { until_seen } else { step_ends }
    }

    /// What is healthy is learnt from routine canaries; during an alarm it waits until the alarm is over.
    fn learn(&mut self, plan: &Plan, ix: &Index, slot: usize, id: CanaryId, flown: Option<&Flying>, latency: Span) {
        let at = self.at;
        if flown.is_none() {
            if let Some(route) = self.routes.get_mut(slot)
                && route.find(id).is_some_and(Canary::has_taught)
            {
                route.survival.learn_late(at, latency);
            }
            return;
        }
        let told = self.alarms.iter().any(|a| a.told && self.routes.get(slot).is_some_and(|r| a.culprit.covers(&r.route)));
        let young = self.routes.get(slot).is_some_and(|r| r.survival.is_young(told));
        if flown.is_some_and(|f| f.teaches) && (young || !self.in_alarm(plan, ix, slot)) {
            self.teach(plan, slot, at, Some(latency));
            if let Some(canary) = self.routes.get_mut(slot).and_then(|r| r.find_mut(id)) {
                canary.teach();
            }
        }
    }
}

impl Watchdog {
    /// Calls lost what its deadline has passed for, and forgets what could never be looked for.
    pub(super) fn settle(&mut self, step: &mut Step, at: At) {
        if self.ix.deadlines.first().is_none_or(|(due, ..)| *due > at) {
            return;
        }
        let mut facts = Vec::new();
        for (due, slot, serial) in self.ix.deadlines.range(..=(at, usize::MAX, u32::MAX)) {
            let Some(route) = self.state.routes.get(*slot) else { continue };
            let canary = route.id(*serial);
            let horizon = self.state.inboxes.get(&route.route.inbox).and_then(|i| self.state.horizon(i));
            if horizon.is_some_and(|h| h >= *due) {
                facts.push(if self.state.is_disregarded(*slot) { Fact::Forgotten { canary } } else { Fact::Lost { canary } });
            } else if route.find(canary).is_none_or(|c| at.since(c.sent_at()) > FORGET_AFTER) {
                facts.push(Fact::Forgotten { canary });
            }
        }
        for fact in facts {
            self.record(step, at, fact);
        }
    }
}
