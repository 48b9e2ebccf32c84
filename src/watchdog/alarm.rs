//! Alarms and standings: what the evidence amounts to for each suspect, as it is remembered.

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use super::canary::Canary;
use super::hold::{Habit, Sort};
use super::hypothesis::{BELIEFS, Factors, WAYS, mixture};
use super::index::Index;
use super::plan::Plan;
use super::sequence::{Rule, Sequence};
use super::state::State;
use crate::model::{At, Culprit, Kind, Reason, Span};

/// Canaries sent so long before an alarm may have been its first victims.
pub(super) const ONSET: Span = Span::from_secs(600);

/// Evidence below this many nats is of every day: it is not looked at again before something happens.
pub(super) const HOT: f32 = 2.0;
/// No evidence at all. The text of a checkpoint has no infinities.
const LEAST: f64 = 1e-30;

/// What speaks against one suspect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) culprit: Culprit,
    pub(super) evidence: Sequence,
    /// The logarithm of the mixture, when it was weighed last.
    pub(super) level: f32,
    /// Each way's share in it.
    ways: [f32; WAYS],
    pub(super) weighed_at: At,
    /// When silence alone may raise the level to something that matters.
    pub(super) check_at: Option<At>,
    /// When its last alarm was over.
    #[serde(default)]
    pub(super) calmed_at: Option<At>,
}

impl Standing {
    pub(super) fn new(culprit: Culprit) -> Self {
        Self {
            culprit,
            evidence: Sequence::default(),
            level: -1e30,
            ways: [0.0; WAYS],
            weighed_at: At::default(),
            check_at: None,
            calmed_at: None,
        }
    }

    pub(super) fn is_hot(&self) -> bool {
        self.level >= HOT
    }

    /// Where the recursions stand.
    pub(super) fn stand(&mut self, sums: &Factors) {
        let all = mixture(sums).max(LEAST);
        self.level = all.ln() as f32;
        self.ways.iter_mut().zip(sums.iter().zip(BELIEFS)).for_each(|(way, (sum, belief))| *way = (sum * belief / all) as f32);
    }

    /// The chance of each way, if there is a failure.
    pub(super) fn chances(&self) -> [f64; WAYS] {
        self.ways.map(f64::from)
    }

    /// What it most likely is.
    pub(super) fn sort(&self) -> Sort {
        let [stop, rest @ ..] = self.chances();
        let (losses, delays) = rest.split_at(3);
        let (loss, slow) = (losses.iter().sum::<f64>(), delays.iter().sum::<f64>());
        if stop >= loss.max(slow) {
            Sort::Stop
        } else if loss >= slow {
            Sort::Loss
        } else {
            Sort::Slow
        }
    }
}

/// A culprit against whom there is enough evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Alarm {
    pub(super) culprit: Culprit,
    pub(super) since: At,
    /// When the blame came to this culprit.
    pub(super) blamed_at: At,
    /// Whether anybody was told.
    pub(super) told: bool,
    /// The test of recovery, on canaries sent since.
    pub(super) trial: Sequence,
    /// How many of those have arrived.
    pub(super) arrivals: u32,
    /// When the first of them did.
    pub(super) first_arrival: Option<At>,
    /// What it is, as far as is known.
    pub(super) sort: Sort,
    /// When that changed last, and what it was before.
    pub(super) was: Option<(At, Sort)>,
}

impl State {
    /// An alarm begins, or takes over from others.
    pub(super) fn raise(&mut self, plan: &Plan, ix: &mut Index, at: At, culprit: &Culprit, (instead_of, kind): (&[Culprit], Option<Kind>)) {
        let Some(index) = plan.suspect(culprit) else { return };
        let (mut since, mut told) = (at, false);
        self.acquit(plan, index, instead_of);
        self.alarms.retain(|alarm| {
            let goes = instead_of.contains(&alarm.culprit);
            if goes {
                since = since.min(alarm.since);
                told |= alarm.told;
            }
            !goes
        });
        let sort = kind.and_then(Sort::of).unwrap_or_else(|| self.standings.get(index).map_or(Sort::Stop, Standing::sort));
        let trial = Sequence::new(Rule::Recovery);
        self.alarms.push(Alarm {
            culprit: culprit.clone(),
            since,
            blamed_at: at,
            told,
            trial,
            arrivals: 0,
            first_arrival: None,
            sort,
            was: None,
        });
        if instead_of.is_empty() {
            self.note_return(plan, culprit);
        }
        ix.follow_alarms(plan, self);
        let mut changed = Self::around(plan, index);
        for other in instead_of.iter().filter_map(|c| plan.suspect(c)) {
            changed.extend(Self::around(plan, other));
        }
        // Its own evidence goes on; unless part of it was another's until now.
        if instead_of.is_empty() {
            changed.remove(&index);
            self.weigh(plan, ix, index);
        }
        changed.into_iter().for_each(|suspect| self.gather(plan, ix, suspect));
    }

    /// An alarm is over: what was in flight has been judged, and the next failure begins from nothing.
    pub(super) fn calm(&mut self, plan: &Plan, ix: &mut Index, at: At, culprit: &Culprit) {
        let Some(index) = plan.suspect(culprit) else { return };
        let Some(place) = self.alarms.iter().position(|a| a.culprit == *culprit) else { return };
        let alarm = self.alarms.remove(place);
        ix.follow_alarms(plan, self);
        let lasted = at.since(alarm.since);
        let real = alarm.told && lasted > alarm.sort.real_after();
        // What was nobody's failure says nothing of how long silence lasts.
        if !real && !super::recovery::is_explained(plan, self, &alarm) {
            if let Some((changed, before)) = alarm.was {
                self.remember(culprit, before, alarm.since, changed);
            }
            self.remember(culprit, alarm.sort, alarm.since, at);
        }
        let from = alarm.since.minus(ONSET);
        for slot in plan.suspects.get(index).map_or(&[][..], |s| &s.routes).iter().copied() {
            self.judge_route(plan, slot, at, from, real);
        }
        if let Some(standing) = self.standings.get_mut(index) {
            standing.forget();
            standing.calmed_at = Some(at);
        }
        Self::around(plan, index).into_iter().for_each(|suspect| self.gather(plan, ix, suspect));
    }

    /// Blame comes to a part of what it was on. What delivers besides is well: of what was sent there until the first that arrived nothing is
    /// held against anybody any more.
    fn acquit(&mut self, plan: &Plan, part: usize, instead_of: &[Culprit]) {
        let left = self.alarms.iter().filter(|a| instead_of.contains(&a.culprit));
        let left = left.filter_map(|a| Some((a.since, a.blamed_at, plan.suspect(&a.culprit)?)));
        let wider: Vec<(At, At, usize)> = left.filter(|(.., whole)| plan.within(part, *whole)).collect();
        for (since, blamed_at, whole) in wider {
            let is_beside = |slot: &&usize| plan.routes.get(**slot).is_some_and(|r| !r.suspects.contains(&part));
            for slot in plan.suspects.get(whole).map_or(&[][..], |s| &s.routes).iter().filter(is_beside) {
                let Some(route) = self.routes.get_mut(*slot) else { continue };
                let sent = route.canaries.iter().rev().take_while(|c| c.sent_at() >= blamed_at);
                let Some(first) = sent.filter(|c| c.has_arrived()).map(Canary::sent_at).last() else { continue };
                route.judged_before = Some(route.judged_before.map_or(first, |before| before.max(first)));
                route.untaught = Some((since.minus(ONSET), first));
                for flying in route.flying.iter_mut().filter(|f| f.sent_at < first) {
                    (flying.counted, flying.teaches) = (false, false);
                }
            }
        }
    }

    /// An alarm has resolved itself: the next one of its sort may, too.
    fn remember(&mut self, culprit: &Culprit, sort: Sort, from: At, to: At) {
        match self.habits.iter_mut().find(|h| h.culprit == *culprit && h.sort == sort) {
            Some(habit) => habit.add(from, to),
            None => {
                let mut habit = Habit::new(culprit.clone(), sort, from);
                habit.add(from, to);
                self.habits.push(habit);
            }
        }
    }

    /// It has become clear what an alarm is about. If nothing arrives any more, its recovery begins anew.
    pub(super) fn sort(&mut self, at: At, culprit: &Culprit, kind: Kind) {
        let (Some(sort), Some(alarm)) = (Sort::of(kind), self.alarms.iter_mut().find(|a| a.culprit == *culprit)) else { return };
        if sort == alarm.sort {
            return;
        }
        alarm.was = Some((at, alarm.sort));
        alarm.sort = sort;
        if sort == Sort::Stop {
            alarm.trial = Sequence::new(Rule::Recovery);
            (alarm.blamed_at, alarm.arrivals, alarm.first_arrival) = (at, 0, None);
        }
    }

    /// What a route sent until now is judged. Of a failure that was real nothing is learnt; otherwise what was kept back is learnt now.
    fn judge_route(&mut self, plan: &Plan, slot: usize, at: At, from: At, real: bool) {
        let Some(route) = self.routes.get_mut(slot) else { return };
        route.judged_before = Some(at);
        for flying in &mut route.flying {
            flying.counted = false;
            flying.teaches &= !real;
        }
        if real {
            route.untaught = Some((from, at));
            return;
        }
        let mut lessons = Vec::new();
        for canary in route.canaries.iter_mut().rev().take_while(|c| c.sent_at() >= from) {
            let kept_back = !canary.has_taught() && !canary.is_set_aside() && canary.reason() == Reason::Routine;
            if let Some(latency) = canary.latency().filter(|_| kept_back) {
                canary.teach();
                lessons.push(latency);
            }
        }
        lessons.into_iter().rev().for_each(|latency| self.teach(plan, slot, at, Some(latency)));
    }

    /// Every suspect that has a route in common with this one.
    fn around(plan: &Plan, index: usize) -> BTreeSet<usize> {
        let routes = plan.suspects.get(index).map_or(&[][..], |s| &s.routes);
        routes.iter().filter_map(|r| plan.routes.get(*r)).flat_map(|r| r.suspects.iter().copied()).collect()
    }
}

/// The odds of a suspect, as a logarithm.
pub(super) fn odds(plan: &Plan, state: &State, suspect: usize) -> f64 {
    let level = state.standings.get(suspect).map_or(f64::NEG_INFINITY, |s| f64::from(s.level));
    level + plan.suspects.get(suspect).map_or(0.0, |s| s.ln_weight)
}
