//! Ways to find things in the state without looking at everything. Kept beside the state, and drawn from it anew after a restart.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Watchdog;
use super::flight::Flying;
use super::handing::Handing;
use super::hypothesis::Factors;
use super::members::Members;
use super::plan::{Plan, Suspect};
use super::schedule;
use super::state::State;
use super::suspicion::FRESH;
use super::waiting::Waiting;
use crate::model::{At, Name, Reason, Route};

/// The indices. Nothing here is a fact of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Finds a route by the upper half of a canary's id.
    pub(super) keys: BTreeMap<u32, usize>,
    /// When each route's next routine canary is due.
    pub(super) due: BTreeSet<(At, usize)>,
    /// The place of each route in `due`.
    due_at: Vec<Option<At>>,
    /// The canaries that are being handed over.
    pub(super) handing: Handing,
    /// When each canary in flight is lost.
    pub(super) deadlines: BTreeSet<(At, usize, u32)>,
    /// Of each suspect with many routes those with canaries that have not settled, in order.
    aloft: Vec<Members>,
    /// When each route's oldest canary that has not settled is as good as lost, as evidence.
    pub(super) aging: BTreeSet<(At, usize)>,
    /// When the silence of each canary in flight is looked at next.
    pub(super) looks: BTreeSet<(At, usize, u32)>,
    /// When silence may raise a suspect's evidence to something that matters.
    pub(super) checks: BTreeSet<(At, usize)>,
    /// Suspects with evidence against them.
    pub(super) hot: BTreeSet<usize>,
    /// Of these, the ones that ask for confirmations, by their level.
    pub(super) asking: BTreeSet<(u32, Reverse<usize>)>,
    /// Of each suspect, when and over which route each confirmation of late was sent, oldest first.
    confirming: Vec<VecDeque<(At, usize)>>,
    /// The suspects of open alarms, in their order.
    pub(super) alarmed: Vec<usize>,
    /// Routes whose newest routine canary was refused.
    pub(super) refused: BTreeSet<usize>,
    /// Routes whose seed their provider suppresses, as it said when it was asked.
    pub(super) suppressed: BTreeSet<usize>,
    /// Routes with canaries of which a provider has said what became of them.
    pub(super) told: BTreeSet<usize>,
    /// Routes with mail in Junk lately.
    pub(super) junky: BTreeSet<usize>,
    /// Something was learnt of what mail says since that was looked at.
    pub(super) mail: bool,
    /// Room for what a weighing looks at.
    pub(super) weighing: (Vec<Waiting>, Vec<(At, Factors)>),
    /// Inboxes that cannot be read.
    pub(super) blind: BTreeSet<Name>,
    /// Up to when an inbox that can be read again catches up; the last of them.
    pub(super) clears_at: At,
}

impl Watchdog {
    /// Every route that canaries are sent over, by the upper half of their ids.
    pub fn routes(&self) -> impl Iterator<Item = (u32, &Route)> {
        self.ix.keys.iter().filter_map(|(key, slot)| Some((*key, &self.state.routes.get(*slot)?.route)))
    }
}

impl Index {
    /// The indices of `state`.
    pub(super) fn of(plan: &Plan, state: &State) -> Self {
        let (due_at, aloft) = (vec![None; plan.routes.len()], vec![Members::default(); plan.suspects.len()]);
        let confirming = vec![VecDeque::new(); plan.suspects.len()];
        let mut ix = Self { due_at, aloft, confirming, mail: true, ..Self::default() };
        for (slot, route) in state.routes.iter().enumerate() {
            if route.key != 0 {
                ix.keys.insert(route.key, slot);
            }
            if let Some(planned) = plan.routes.get(slot) {
                let open = route.in_flight().map(|c| (c.sent_at().plus(planned.deadline), slot, c.serial));
                ix.deadlines.extend(open);
            }
            ix.looks.extend(route.flying.iter().filter_map(|f| Some((f.look_at?, slot, f.serial))));
            ix.age(plan, state, slot);
            ix.note(state, slot);
            keep(&mut ix.told, slot, route.canaries.iter().any(|c| route.canaries.trace(c).is_some_and(|trace| trace.said.is_some())));
            route.resume_handing(&mut ix.handing, slot, state.at);
        }
        for (suspect, standing) in state.standings.iter().enumerate() {
            ix.checks.extend(standing.check_at.map(|at| (at, suspect)));
            if standing.is_hot() {
                ix.hot.insert(suspect);
            }
            ix.asking.extend(asking(plan, standing.level, suspect));
        }
        let mut confirming: Vec<(At, usize)> = Vec::new();
        for (slot, route) in state.routes.iter().enumerate() {
            let fresh = |f: &&Flying| f.reason == Reason::Confirmation && state.at.since(f.sent_at) < FRESH;
            confirming.extend(route.flying.iter().filter(fresh).map(|f| (f.sent_at, slot)));
        }
        confirming.sort_unstable();
        confirming.into_iter().for_each(|(at, slot)| ix.confirm(plan, at, slot));
        ix.blind.extend(state.inboxes.iter().filter(|(_, i)| i.blind.is_some()).map(|(name, _)| name.clone()));
        ix.clears_at = state.inboxes.values().map(|inbox| inbox.clear_from).max().unwrap_or_default();
        ix.follow_alarms(plan, state);
        ix.reschedule(plan, state);
        ix
    }

    /// A suspect's level has moved.
    pub(super) fn heat(&mut self, plan: &Plan, suspect: usize, before: f32, after: f32) {
        self.asking.extend(asking(plan, after, suspect));
        if let Some(was) = asking(plan, before, suspect).filter(|_| before.to_bits() != after.to_bits()) {
            self.asking.remove(&was);
        }
    }

    /// A confirmation was sent.
    pub(super) fn confirm(&mut self, plan: &Plan, at: At, slot: usize) {
        for suspect in plan.routes.get(slot).map_or(&[][..], |r| &r.suspects) {
            let Some(confirming) = self.confirming.get_mut(*suspect) else { continue };
            while confirming.pop_front_if(|(sent, _)| at.since(*sent) >= FRESH).is_some() {}
            let place = confirming.partition_point(|before| *before <= (at, slot));
            confirming.insert(place, (at, slot));
        }
    }

    /// When and over which of its routes confirmations of late were sent that tell of a suspect, oldest first.
    pub(super) fn confirming(&self, suspect: usize) -> impl Iterator<Item = (At, usize)> + '_ {
        self.confirming.get(suspect).into_iter().flatten().copied()
    }

    /// Every route's next canary, after the origin of the rounds has moved.
    pub(super) fn reschedule(&mut self, plan: &Plan, state: &State) {
        (0..plan.routes.len()).for_each(|route| self.schedule(plan, state, route));
    }

    /// One route's next canary.
    pub(super) fn schedule(&mut self, plan: &Plan, state: &State, route: usize) {
        let Some(planned) = plan.routes.get(route) else { return };
        self.set_due(route, schedule::due(state, planned, state.routes.get(route)));
    }

    /// One route's canary that is due is left out.
    pub(super) fn skip(&mut self, plan: &Plan, route: usize, now: At) {
        let Some(planned) = plan.routes.get(route) else { return };
        self.set_due(route, Some(now.plus(planned.every)));
    }

    fn set_due(&mut self, route: usize, next: Option<At>) {
        if let Some(place) = self.due_at.get_mut(route) {
            if let Some(before) = std::mem::replace(place, next) {
                self.due.remove(&(before, route));
            }
            self.due.extend(next.map(|at| (at, route)));
        }
    }

    /// When the oldest of a route's canaries in flight settles by its age, and whether there is any.
    pub(super) fn age(&mut self, plan: &Plan, state: &State, slot: usize) {
        let settles_at = state.routes.get(slot).and_then(super::flight::RouteState::settles_at);
        self.aging.extend(settles_at.map(|at| (at, slot)));
        for suspect in plan.routes.get(slot).map_or(&[][..], |r| &r.suspects) {
            if plan.suspects.get(*suspect).is_some_and(Suspect::is_wide)
                && let Some(aloft) = self.aloft.get_mut(*suspect)
            {
                aloft.keep(slot, settles_at.is_some());
            }
        }
    }

    /// The routes of a suspect that may have canaries that have not settled, in order.
    pub(super) fn aloft<'i>(&'i self, suspect: &'i Suspect, index: usize) -> impl Iterator<Item = usize> + 'i {
        let (wide, narrow) = if suspect.is_wide() { (self.aloft.get(index), None) } else { (None, Some(&suspect.routes)) };
        wide.into_iter().flat_map(Members::iter).chain(narrow.into_iter().flatten().copied())
    }

    /// A canary's silence is not looked at any more.
    pub(super) fn looks_no_more(&mut self, slot: usize, flown: &Flying) {
        if let Some(at) = flown.look_at {
            self.looks.remove(&(at, slot, flown.serial));
        }
    }

    /// Whether a route's answers or its junk need a look.
    pub(super) fn note(&mut self, state: &State, slot: usize) {
        let Some(route) = state.routes.get(slot) else { return };
        keep(&mut self.refused, slot, route.refusal.is_some());
        keep(&mut self.suppressed, slot, route.suppressed.is_some());
        keep(&mut self.junky, slot, route.junky > 0);
    }

    /// The suspects of the alarms as they stand.
    pub(super) fn follow_alarms(&mut self, plan: &Plan, state: &State) {
        self.alarmed = state.alarms.iter().filter_map(|a| plan.suspect(&a.culprit)).collect();
    }
}

/// The place of a suspect among those that ask, if it does. The bits of positive numbers are in their order.
fn asking(plan: &Plan, level: f32, suspect: usize) -> Option<(u32, Reverse<usize>)> {
    plan.asks_for_any(plan.suspects.get(suspect)?, level).then_some((level.to_bits(), Reverse(suspect)))
}

fn keep(set: &mut BTreeSet<usize>, member: usize, is: bool) {
    if is {
        set.insert(member);
    } else if !set.is_empty() {
        set.remove(&member);
    }
}
