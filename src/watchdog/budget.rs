//! Budgets: how many canaries a provider or an inbox may be sent in a day, and how close together. Held to the letter in any 24 hours.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::plan::Plan;
use super::state::State;
use crate::config::{Budget, Settings};
use crate::model::{At, CanaryId, Culprit, Name, Reason, Route, Span};

/// What was sent is counted by stretches of so many milliseconds: five minutes, so that a day has 288 of them.
const STRETCH_MS: i64 = 300_000;
/// Stretches that may hold something of the last 24 hours: one more than fit, for the oldest is cut.
const STRETCHES: i64 = 289;
/// A provider that asks for patience is left alone for no longer: what it forgot to take back must not end the watch.
const PATIENCE: Span = Span::from_secs(3600);
/// The routine canaries of so many stretches, for each of a day.
const OF_A_DAY: f64 = 289.0 / 288.0;

/// The limits of those that have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    providers: BTreeMap<Name, Limit>,
    inboxes: BTreeMap<Name, Limit>,
}

/// The limits of one provider or inbox.
#[derive(Clone, Copy, Debug)]
struct Limit {
    cap: u32,
    /// Of these, what is kept for routine canaries: an outage must not use up the day.
    routine: u32,
    spacing: Span,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        let limit = |budget: Budget, chosen: &dyn Fn(&Route) -> bool| {
            let (cap, spacing) = (budget.canaries_per_day.unwrap_or(u32::MAX), budget.spacing.unwrap_or(Span::ZERO));
            let routine = || ((settings.routine_per_day(chosen) * OF_A_DAY).ceil() as u32).min(cap);
            (budget != Budget::default()).then(|| Limit { cap, routine: routine(), spacing })
        };
        let provider = |name: &Name, budget| Some((name.clone(), limit(budget, &|r| r.provider == *name)?));
        let inbox = |name: &Name, budget| Some((name.clone(), limit(budget, &|r| r.inbox == *name)?));
        Self {
            providers: settings.providers.iter().filter_map(|(name, p)| provider(name, p.budget)).collect(),
            inboxes: settings.inboxes.iter().filter_map(|(name, i)| inbox(name, i.budget)).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.providers.is_empty() && self.inboxes.is_empty()
    }

    /// The cap of a provider or an inbox, if it has one of its own.
    pub(super) fn cap(&self, whose: &Culprit) -> Option<u32> {
        let limit = match whose {
            Culprit::Provider(name) => self.providers.get(name),
            Culprit::Inbox(name) => self.inboxes.get(name),
            Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => None,
        };
        limit.map(|l| l.cap).filter(|cap| *cap < u32::MAX)
    }
}

/// What was sent lately, of those that have limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spendings {
    providers: BTreeMap<Name, Spent>,
    inboxes: BTreeMap<Name, Spent>,
}

/// What one provider or inbox was sent lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Spent {
    last: Option<At>,
    /// Each stretch in which anything was sent, oldest first: its number, and how many routine canaries and confirmations.
    sent: VecDeque<(i64, u32, u32)>,
}

impl Spendings {
    /// A canary is sent.
    pub(super) fn spend(&mut self, limits: &Limits, route: &Route, at: At, reason: Reason) {
        if limits.providers.contains_key(&route.provider) {
            self.providers.entry(route.provider.clone()).or_default().spend(at, reason);
        }
        if limits.inboxes.contains_key(&route.inbox) {
            self.inboxes.entry(route.inbox.clone()).or_default().spend(at, reason);
        }
    }

    /// How many canaries a provider or an inbox that has limits was sent in the last 24 hours.
    pub(super) fn of(&self, whose: &Culprit, now: At) -> u32 {
        let spent = match whose {
            Culprit::Provider(name) => self.providers.get(name),
            Culprit::Inbox(name) => self.inboxes.get(name),
            Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => None,
        };
        spent.map_or(0, |s| s.lately(now).map(|(_, a, b)| a.saturating_add(b)).sum())
    }
}

impl Spent {
    fn spend(&mut self, at: At, reason: Reason) {
        let stretch = stretch(at);
        self.last = Some(at);
        while self.sent.pop_front_if(|(before, ..)| *before <= stretch - STRETCHES).is_some() {}
        if self.sent.back().is_none_or(|(newest, ..)| *newest < stretch) {
            self.sent.push_back((stretch, 0, 0));
        }
        if let Some((_, routine, confirmations)) = self.sent.back_mut() {
            *(if reason == Reason::Routine { routine } else { confirmations }) += 1;
        }
    }

    fn lately(&self, now: At) -> impl Iterator<Item = (i64, u32, u32)> + '_ {
        let from = stretch(now) - STRETCHES;
        self.sent.iter().copied().filter(move |(at, ..)| *at > from)
    }

    /// When there is room for another canary, not before `now`. `None`: never, as things stand.
    fn room(&self, limit: Limit, now: At, reason: Reason) -> Option<At> {
        let spaced = self.last.map_or(now, |last| last.plus(limit.spacing).max(now));
        let all = self.free(limit.cap, spaced, |routine, confirmations| routine.saturating_add(confirmations))?;
        if reason == Reason::Routine {
            return Some(all);
        }
        self.free(limit.cap - limit.routine, spaced, |_, confirmations| confirmations).map(|at| at.max(all))
    }

    /// When fewer than `cap` of what `counted` counts will have been sent in the last 24 hours.
    fn free(&self, cap: u32, now: At, counted: impl Fn(u32, u32) -> u32) -> Option<At> {
        if cap == 0 {
            return None;
        }
        let mut left: u64 = self.lately(now).map(|(_, routine, confirmations)| u64::from(counted(routine, confirmations))).sum();
        for (stretch, routine, confirmations) in self.lately(now) {
            if left < u64::from(cap) {
                break;
            }
            left = left.saturating_sub(u64::from(counted(routine, confirmations)));
            if left < u64::from(cap) {
                return Some(At::from_ms((stretch + STRETCHES) * STRETCH_MS).max(now));
            }
        }
        Some(now)
    }
}

fn stretch(at: At) -> i64 {
    at.as_ms().div_euclid(STRETCH_MS)
}

impl State {
    /// The provider of this canary, which answered at `at`, wants no mail for so long.
    pub(super) fn hold_off(&mut self, plan: &Plan, ix: &mut Index, canary: CanaryId, at: At, wait: Span) {
        let Some(provider) = self.canary(ix, canary).map(|(route, _)| route.route.provider.clone()) else { return };
        let until = self.held.entry(provider).or_default();
        *until = at.plus(wait.min(PATIENCE)).max(*until);
        ix.reschedule(plan, self);
    }

    /// Until when a provider has asked to be sent nothing, if that is later than `now`.
    pub(super) fn held_until(&self, provider: &Name, now: At) -> Option<At> {
        self.held.get(provider).copied().filter(|until| *until > now)
    }
}

/// When a canary over this route fits into the budgets of its provider and its inbox, and its provider has not asked for patience, not
/// before `now`. `None`: never, as things stand.
pub(super) fn room(plan: &Plan, state: &State, route: &Route, reason: Reason, now: At) -> Option<At> {
    let now = state.held_until(&route.provider, now).unwrap_or(now);
    if plan.limits.is_empty() {
        return Some(now);
    }
    let provider = plan.limits.providers.get(&route.provider).zip(state.spent.providers.get(&route.provider));
    let inbox = plan.limits.inboxes.get(&route.inbox).zip(state.spent.inboxes.get(&route.inbox));
    // Where nothing was sent yet, only a cap that is all for routine canaries is in the way.
    let none_left = |limit: Option<&Limit>| reason == Reason::Confirmation && limit.is_some_and(|l| l.cap == l.routine);
    if none_left(plan.limits.providers.get(&route.provider)) || none_left(plan.limits.inboxes.get(&route.inbox)) {
        return None;
    }
    let mut at = now;
    for (limit, spent) in [provider, inbox].into_iter().flatten() {
        at = at.max(spent.room(*limit, now, reason)?);
    }
    Some(at)
}

/// From when on a confirmation may be sent over this route. `None` while a cap is used up: it is not waited for.
pub(super) fn confirmation_at(plan: &Plan, state: &State, route: &Route, now: At) -> Option<At> {
    let soon = |at: &At| at.since(now) <= Span::from_secs(3600);
    room(plan, state, route, Reason::Confirmation, now).filter(soon)
}

/// Whether the routine canary of this route fits now.
pub(super) fn fits(plan: &Plan, state: &State, slot: usize, at: At) -> bool {
    let room = |r: &super::flight::RouteState| room(plan, state, &r.route, Reason::Routine, at);
    state.routes.get(slot).and_then(room).is_some_and(|free| free <= at)
}

/// The next routine canary that is due and fits: when, and over which route. What is held back is sent once when there is room, not once for
/// each round that has passed.
pub(super) fn next_routine(plan: &Plan, state: &State, ix: &Index, now: At) -> Option<(At, usize)> {
    if plan.limits.is_empty() {
        return ix.due.first().copied();
    }
    let mut next: Option<(At, usize)> = None;
    for (due, slot) in &ix.due {
        if next.is_some_and(|(at, _)| at <= *due) {
            break;
        }
        let free = state.routes.get(*slot).and_then(|r| room(plan, state, &r.route, Reason::Routine, now.max(*due)));
        next = [next, free.map(|at| (at, *slot))].into_iter().flatten().min();
    }
    next
}
