//! Brings the evidence up to date, as records come in: a part of the fold.

use std::collections::BTreeMap;

use super::alarm::{Alarm, HOT, Standing};
use super::beside;
use super::canary::Canary;
use super::flight::{Flying, SETTLES_AFTER};
use super::hypothesis::{self, Factors, mixture};
use super::index::Index;
use super::lessons::Counts;
use super::plan::Plan;
use super::sequence::{Rule, Sequence};
use super::state::State;
use super::waiting::{Waiting, foresee, target};
use crate::model::{At, Culprit, Name, Reason, Span};

/// Between two looks at a suspect with many routes…
const TICK: Span = Span::from_secs(1);
/// …and where it asks for nothing.
const CALM_TICK: Span = Span::from_secs(3);
/// Below this many nats a suspect is calm…
const CALM: f32 = 0.5;
/// …and an arrival that speaks for no failure more than this leaves it so.
const SAYS_MUCH: f64 = 1.35;

/// Up to when an inbox was read, whether it can be, and how late it is; `None` before it was read.
type Sighted = Option<(At, bool, Span)>;

impl State {
    /// A canary was sent over the route in `slot`.
    pub(super) fn open_evidence(&mut self, plan: &Plan, ix: &mut Index, slot: usize, at: At) {
        let Some(planned) = plan.routes.get(slot) else { return };
        for suspect in planned.suspects.iter().copied() {
            if self.explained_away(plan, ix, slot, suspect) {
                continue;
            }
            let Some(standing) = self.standings.get_mut(suspect) else { continue };
            standing.evidence.open(at, plan.grain);
            // Where nobody is suspicious, it is weighed when its silence says something.
            if standing.is_hot() {
                self.touch(plan, ix, suspect);
            }
        }
        self.trials(plan, ix, slot, |alarm, _| alarm.trial.open(at, plan.grain));
    }

    /// A canary has settled, and says this.
    pub(super) fn close_evidence(
        &mut self,
        plan: &Plan,
        ix: &mut Index,
        slot: usize,
        flown: &Flying,
        said: Option<&Factors>,
        refused: bool,
    ) {
        if !flown.counted {
            return;
        }
        let Some(planned) = plan.routes.get(slot) else { return };
        for suspect in planned.suspects.iter().copied() {
            if self.explained_away(plan, ix, slot, suspect) {
                continue;
            }
            // No inbox has a say in whether a provider takes mail; and a watcher without network is found out otherwise.
            let beside = plan.suspects.get(suspect).is_some_and(|s| matches!(s.culprit, Culprit::Inbox(_) | Culprit::Watcher {}));
            let Some(standing) = self.standings.get_mut(suspect) else { continue };
            standing.evidence.close(flown.sent_at, said.filter(|_| !(refused && beside)));
            // What calms those who are calm already need not be weighed; where many routes tell, it is soon.
            let calm = if plan.suspects.get(suspect).is_some_and(|s| s.routes.len() > 1) { HOT } else { CALM };
            if standing.level >= calm || said.is_none_or(|factors| factors.iter().any(|f| *f > SAYS_MUCH)) {
                self.touch(plan, ix, suspect);
            }
        }
        self.trials(plan, ix, slot, |alarm, tells| alarm.trial.close(flown.sent_at, said.filter(|_| tells)));
    }

    /// Whether what this route shows is another culprit's doing, as far as `suspect` is concerned.
    pub(super) fn explained_away(&self, plan: &Plan, ix: &Index, slot: usize, suspect: usize) -> bool {
        ix.alarmed.iter().any(|a| *a != suspect && plan.routes.get(slot).is_some_and(|r| r.suspects.contains(a)))
    }

    /// Does this to every alarm over the route, and whether the route tells of it.
    fn trials(&mut self, plan: &Plan, ix: &Index, slot: usize, act: impl Fn(&mut Alarm, bool)) {
        if ix.alarmed.is_empty() {
            return;
        }
        let told = |alarm: &Alarm| {
            let suspect = plan.suspect(&alarm.culprit).filter(|s| plan.routes.get(slot).is_some_and(|r| r.suspects.contains(s)))?;
            Some(beside::tells(plan, self, &alarm.culprit, &plan.suspects.get(suspect)?.routes, slot))
        };
        let all: Vec<Option<bool>> = self.alarms.iter().map(told).collect();
        for (alarm, tells) in self.alarms.iter_mut().zip(all) {
            tells.into_iter().for_each(|tells| act(alarm, tells));
        }
    }

    /// Something of a suspect's has changed: it is weighed, now or at the next tick.
    fn touch(&mut self, plan: &Plan, ix: &mut Index, suspect: usize) {
        let Some(planned) = plan.suspects.get(suspect) else { return };
        if !planned.is_wide() {
            self.weigh(plan, ix, suspect);
            return;
        }
        let Some(standing) = self.standings.get_mut(suspect) else { return };
        if standing.check_at.is_none() {
            let tick = if plan.asks_for_any(planned, standing.level) { TICK } else { CALM_TICK };
            let tick = standing.weighed_at.plus(tick).max(self.at);
            standing.check_at = Some(tick);
            ix.checks.insert((tick, suspect));
        }
    }

    /// Weighs one suspect by what was read; if it is hot, finds out when silence brings it to where it matters.
    pub(super) fn weigh(&mut self, plan: &Plan, ix: &mut Index, index: usize) {
        let Some(suspect) = plan.suspects.get(index) else { return };
        let (mut waiting, mut open) = std::mem::take(&mut ix.weighing);
        waiting.clear();
        open.clear();
        let mut read = At::from_ms(i64::MIN);
        let mut known: Vec<Option<Sighted>> = vec![None; if suspect.is_wide() { plan.inboxes.len() } else { 0 }];
        for slot in ix.aloft(suspect, index) {
            let (Some(route), Some(planned)) = (self.routes.get(slot), plan.routes.get(slot)) else { continue };
            if route.flying.is_empty() || self.explained_away(plan, ix, slot, index) {
                continue;
            }
            let seen = match known.get_mut(planned.inbox_at) {
                Some(known) => *known.get_or_insert_with(|| self.sighted(&route.route.inbox)),
                None => self.sighted(&route.route.inbox),
            };
            let Some((horizon, sees, lag)) = seen else { continue };
            read = read.max(horizon);
            for flying in route.flying.iter().filter(|f| f.counted) {
                waiting.push(Waiting { sent_at: flying.sent_at, horizon, lag, sees, slot });
            }
        }
        if suspect.routes.len() > 1 {
            waiting.sort_by_key(|w| w.sent_at);
        }
        open.extend(waiting.iter().map(|w| (w.sent_at, w.says(&self.routes, w.horizon))));
        let Some(standing) = self.standings.get(index) else { return };
        let sums = standing.evidence.failure(&open);
        let level = mixture(&sums).max(f64::MIN_POSITIVE).ln();
        let alarm = if ix.alarmed.contains(&index) { None } else { Some(plan.ln_alarm - suspect.ln_weight) };
        let target = alarm.filter(|_| level >= f64::from(HOT)).and_then(|alarm| target(plan, level, alarm));
        let next = target.and_then(|target| {
            if suspect.is_wide() {
                // Where nobody asks, the next tick comes with the next that happens.
                return plan.asks_for_any(suspect, level as f32).then(|| read.plus(TICK));
            }
            foresee(&self.routes, &standing.evidence, target, &waiting, &mut open, read)
        });
        ix.weighing = (waiting, open);
        let read = if read.as_ms() == i64::MIN { self.at } else { read };
        self.stand(plan, ix, index, &sums, read, next);
    }

    /// Up to when an inbox was read, whether it can be, and how late it is.
    fn sighted(&self, inbox: &Name) -> Sighted {
        let inbox = self.inboxes.get(inbox)?;
        Some((self.horizon(inbox)?, self.sees_into(inbox), inbox.rhythm.lag))
    }

    fn stand(&mut self, plan: &Plan, ix: &mut Index, index: usize, sums: &Factors, read: At, next: Option<At>) {
        let Some(standing) = self.standings.get_mut(index) else { return };
        let before = standing.level;
        standing.stand(sums);
        ix.heat(plan, index, before, standing.level);
        standing.weighed_at = read;
        if standing.check_at != next {
            if let Some(before) = standing.check_at {
                ix.checks.remove(&(before, index));
            }
            ix.checks.extend(next.map(|at| (at, index)));
            standing.check_at = next;
        }
        if standing.is_hot() {
            ix.hot.insert(index);
        } else if !ix.hot.is_empty() {
            ix.hot.remove(&index);
        }
    }

    /// Inboxes have been read up to `read`: silence until then counts.
    pub(super) fn read_until(&mut self, plan: &Plan, ix: &mut Index, read: At) {
        if ix.looks.first().is_some_and(|(at, ..)| *at <= read) {
            let due: Vec<(At, usize, u32)> = ix.looks.range(..=(read, usize::MAX, u32::MAX)).copied().collect();
            for look in due {
                self.look_at(plan, ix, look);
            }
        }
        if ix.checks.first().is_some_and(|(at, _)| *at <= read) {
            let due: Vec<usize> = ix.checks.range(..=(read, usize::MAX)).map(|(_, suspect)| *suspect).collect();
            for suspect in due {
                self.weigh(plan, ix, suspect);
            }
        }
        if ix.aging.first().is_some_and(|(at, _)| *at <= read) {
            let due: Vec<(At, usize)> = ix.aging.range(..=(read, usize::MAX)).copied().collect();
            for (at, slot) in due {
                self.settle_old(plan, ix, at, slot);
            }
        }
    }

    /// The silence of one canary says more than before: whoever could be the reason is weighed, if its inbox was read.
    fn look_at(&mut self, plan: &Plan, ix: &mut Index, look: (At, usize, u32)) {
        let (due, slot, serial) = look;
        let Some(route) = self.routes.get(slot) else { return };
        let Some(horizon) = self.inboxes.get(&route.route.inbox).and_then(|i| self.horizon(i)).filter(|h| *h >= due) else { return };
        ix.looks.remove(&look);
        let Some(route) = self.routes.get_mut(slot) else { return };
        let survival = &route.survival;
        let Some(flying) = route.flying.iter_mut().find(|f| f.serial == serial) else { return };
        flying.look_at = survival.next_look(horizon.since(flying.sent_at)).map(|age| flying.sent_at.plus(age));
        ix.looks.extend(flying.look_at.map(|at| (at, slot, serial)));
        if flying.counted {
            let suspects = plan.routes.get(slot).map_or(&[][..], |r| &r.suspects);
            suspects.iter().for_each(|suspect| self.touch(plan, ix, *suspect));
        }
    }

    /// What is older than any healthy mail settles as lost, if its inbox was read.
    fn settle_old(&mut self, plan: &Plan, ix: &mut Index, due: At, slot: usize) {
        let Some(route) = self.routes.get(slot) else { return };
        if route.settles_at() != Some(due) {
            ix.aging.remove(&(due, slot));
            ix.age(plan, self, slot);
            return;
        }
        let Some(horizon) = self.inboxes.get(&route.route.inbox).and_then(|i| self.horizon(i)).filter(|h| *h >= due) else { return };
        ix.aging.remove(&(due, slot));
        loop {
            let Some(route) = self.routes.get_mut(slot) else { return };
            let Some(flown) = route.flying.pop_front_if(|f| f.sent_at.plus(SETTLES_AFTER) <= horizon) else { break };
            ix.looks_no_more(slot, &flown);
            let said = hypothesis::silent(&route.survival, SETTLES_AFTER);
            self.close_evidence(plan, ix, slot, &flown, Some(&said), false);
            let spoilt =
                self.routes.get(slot).and_then(|r| r.untaught).is_some_and(|(from, to)| flown.sent_at >= from && flown.sent_at <= to);
            if flown.teaches && flown.reason == Reason::Routine && !spoilt && !self.in_alarm(plan, ix, slot) {
                self.teach(plan, slot, self.at, None);
                if let Some(route) = self.routes.get_mut(slot) {
                    let id = route.id(flown.serial);
                    route.find_mut(id).into_iter().for_each(Canary::teach);
                }
            }
        }
        ix.age(plan, self, slot);
    }

    /// A canary sent since an alarm has arrived.
    pub(super) fn hearten(&mut self, plan: &Plan, ix: &Index, slot: usize, sent_at: At) {
        let at = self.at;
        self.trials(plan, ix, slot, |alarm, _| {
            if sent_at >= alarm.blamed_at {
                alarm.arrivals = alarm.arrivals.saturating_add(1);
                alarm.first_arrival.get_or_insert(at);
            }
        });
    }

    /// Whether an alarm covers a route.
    pub(super) fn in_alarm(&self, plan: &Plan, ix: &Index, slot: usize) -> bool {
        plan.routes.get(slot).is_some_and(|r| ix.alarmed.iter().any(|a| r.suspects.contains(a)))
    }

    /// A route and its kin learn from one canary.
    pub(super) fn teach(&mut self, plan: &Plan, slot: usize, at: At, latency: Option<Span>) {
        let Some(route) = self.routes.get_mut(slot) else { return };
        let bucket = route.survival.learn(at, latency);
        let names = (route.route.provider.clone(), route.route.inbox.clone());
        if plan.routes.len() > 1 {
            teach_kin(&mut self.kin_of_provider, &names.0, at, bucket);
            teach_kin(&mut self.kin_of_inbox, &names.1, at, bucket);
        }
        if self.routes.get(slot).is_some_and(|r| r.survival.is_stale()) {
            self.draw(plan, slot);
        }
    }

    /// Draws a route's survival function anew.
    pub(super) fn draw(&mut self, plan: &Plan, slot: usize) {
        let Some(route) = self.routes.get_mut(slot) else { return };
        let kin: Vec<_> =
            [self.kin_of_provider.get(&route.route.provider), self.kin_of_inbox.get(&route.route.inbox)].into_iter().flatten().collect();
        if kin.is_empty() {
            route.survival.draw(&plan.prior);
        } else {
            route.survival.draw(&plan.prior.taught_by(&kin));
        }
    }

    /// Gathers a suspect's evidence anew, from the canaries that are remembered: what explains them has changed.
    pub(super) fn gather(&mut self, plan: &Plan, ix: &mut Index, index: usize) {
        let Some(suspect) = plan.suspects.get(index) else { return };
        let live = |slot: &&usize| !self.explained_away(plan, ix, **slot, index);
        let members: Vec<_> = suspect.routes.iter().filter(live).filter_map(|slot| self.routes.get(*slot)).collect();
        let oldest = members.iter().flat_map(|r| r.flying.iter()).filter(|f| f.counted).map(|f| f.sent_at).min();
        let mut evidence = Sequence::new(Rule::Failure);
        if let Some(oldest) = oldest {
            let mut canaries: Vec<(At, Option<Factors>)> = Vec::new();
            for route in members {
                let since = route.judged_before.map_or(oldest, |b| b.max(oldest));
                canaries.extend(route.flying.iter().filter(|f| f.counted).map(|f| (f.sent_at, None)));
                let settled = route.canaries.iter().rev().take_while(|c| c.sent_at() >= since).filter(|c| !c.is_set_aside());
                canaries.extend(settled.filter_map(|c| Some((c.sent_at(), Some(hypothesis::arrived(&route.survival, c.latency()?))))));
            }
            canaries.sort_by_key(|(at, _)| *at);
            canaries.iter().for_each(|(at, _)| evidence.open(*at, plan.grain));
            canaries.iter().filter(|(_, said)| said.is_some()).for_each(|(at, said)| evidence.close(*at, said.as_ref()));
        }
        if let Some(standing) = self.standings.get_mut(index) {
            standing.evidence = evidence;
        }
        self.weigh(plan, ix, index);
    }
}

fn teach_kin(kin: &mut BTreeMap<Name, Counts>, name: &Name, at: At, bucket: Option<usize>) {
    match kin.get_mut(name) {
        Some(counts) => counts.add(at, bucket),
        None => kin.entry(name.clone()).or_default().add(at, bucket),
    }
}

impl Standing {
    /// Nothing is known against this suspect any more.
    pub(super) fn forget(&mut self) {
        self.evidence = Sequence::new(Rule::Failure);
    }
}
