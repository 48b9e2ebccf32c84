//! Asking after canaries: of which a provider is asked what became of them, what it said, and which seeds it does not write to.

use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use super::Watchdog;
use super::canary::Canary;
use super::effect::Effect;
use super::evidence;
use super::flight::RouteState;
use super::index::Index;
use super::plan::Plan;
use super::record::Fact;
use super::sequence::{Rule, Sequence};
use super::state::State;
use super::step::Step;
use crate::model::{At, CanaryId, Fate, Name, Outcome, Route, Span};

/// Providers know of a mail a while after they took it: nothing younger is asked after.
const FIRST_AFTER: Span = Span::from_secs(15);
/// Between two questions to one provider.
const APART: Span = Span::from_secs(30);
/// Questions to one provider in an hour. Brevo allows 100 requests (its rate-limits page), of which one question may take two.
const AN_HOUR: usize = 12;
const HOUR: Span = Span::from_secs(3600);
/// When a canary is asked after again whose fate may change, or of which nothing was heard.
const AGAIN: [Span; 3] = [Span::from_secs(60), Span::from_secs(300), Span::from_secs(900)];
/// Whether a seed is still suppressed.
const STILL: Span = Span::from_secs(900);
/// Lost canaries that are remembered to be asked after.
const MISSED: usize = 32;
/// Suspects whose canaries are asked after, and routes of each.
const SUSPECTS: usize = 8;
const ROUTES: usize = 64;
/// Questions begun in one step: one a provider.
const AT_ONCE: usize = 8;

/// What a provider was asked of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trace {
    /// When it was asked last.
    asked_at: At,
    /// How often it was asked.
    times: u8,
    /// What it said last.
    pub(super) said: Option<Said>,
}

/// What a provider said of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) at: At,
    pub(super) fate: Fate,
    pub(super) words: Option<String>,
}

/// A provider does not write to a seed: until something arrives there, silence says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Suppressed {
    /// When it said so.
    pub(super) found_at: At,
    /// When the canary was sent by which it was found.
    sent_at: At,
    /// When it was asked last.
    asked_at: At,
    pub(super) words: Option<String>,
}

/// Of which canary a provider is asked now, and when there may be another.
#[derive(Debug, Default)]
pub(super) struct Asked {
    now: Option<CanaryId>,
    pub(super) again_at: Option<At>,
}

impl Asked {
    fn later(&mut self, at: At) {
        self.again_at = Some(self.again_at.map_or(at, |again| again.min(at)));
    }
}

/// A canary that may be asked after: when, how often it was, when it was sent.
type Wanted = (At, u8, At, CanaryId);

/// Of what is overdue of a suspect the oldest and the newest, what was lost, and seeds that were suppressed.
fn asks(plan: &Plan, state: &State, ix: &Index, now: At) -> Asked {
    let mut asked = Asked::default();
    let calm = ix.alarmed.is_empty() && ix.asking.is_empty() && ix.suppressed.is_empty() && state.missed.is_empty();
    if calm || !plan.traces_any || state.cut_off_since.is_some() {
        return asked;
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    let asking = ix.asking.iter().rev().map(|(_, suspect)| suspect.0);
    for suspect in ix.alarmed.iter().copied().chain(asking.filter(|s| !ix.alarmed.contains(s))).take(SUSPECTS) {
        wanted.extend(overdue_of(plan, state, suspect, now, &mut asked));
    }
    for id in &state.missed {
        if let Some((route, canary)) = state.canary(ix, *id) {
            wanted.extend(Look::over(plan, state, route, now).and_then(|look| look.may(route, canary, now, &mut asked)));
        }
    }
    for route in ix.suppressed.iter().filter_map(|slot| state.routes.get(*slot)) {
        wanted.extend(still(plan, state, route, now, &mut asked));
    }
    let (ready, later): (Vec<Wanted>, Vec<Wanted>) = wanted.into_iter().partition(|(at, ..)| *at <= now);
    later.iter().for_each(|(at, ..)| asked.later(*at));
    asked.now = ready.into_iter().min_by_key(|(at, _, sent_at, id)| (*at, *sent_at, *id)).map(|(.., id)| id);
    asked
}

/// The oldest and the newest of a suspect's canaries that may be asked after, for each provider.
fn overdue_of(plan: &Plan, state: &State, suspect: usize, now: At, asked: &mut Asked) -> Vec<Wanted> {
    let mut ends: BTreeMap<&Name, (Wanted, Wanted)> = BTreeMap::new();
    let routes = plan.suspects.get(suspect).map_or(&[][..], |s| &s.routes);
    for route in routes.iter().take(ROUTES).filter_map(|slot| state.routes.get(*slot)).filter(|r| r.suppressed.is_none()) {
        let Some(look) = Look::over(plan, state, route, now) else { continue };
        // Where nobody can be asked now, it need not be known of which canary.
        if look.free_at > now {
            asked.later(look.free_at);
            continue;
        }
        let flying = route.flying.iter().filter(|f| f.counted).filter_map(|f| route.find(route.id(f.serial)));
        for wanted in flying.filter_map(|c| look.may(route, c, now, asked)) {
            let (oldest, newest) = ends.entry(&route.route.provider).or_insert((wanted, wanted));
            if wanted.2 < oldest.2 {
                *oldest = wanted;
            }
            if wanted.2 > newest.2 {
                *newest = wanted;
            }
        }
    }
    ends.into_values().flat_map(|(oldest, newest)| [oldest, newest]).collect()
}

/// The newest canary to a seed that was suppressed, once in a while.
fn still(plan: &Plan, state: &State, route: &RouteState, now: At, asked: &mut Asked) -> Option<Wanted> {
    let suppressed = route.suppressed.as_ref()?;
    let next = suppressed.asked_at.plus(STILL);
    if next > now {
        asked.later(next);
        return None;
    }
    let since = route.canaries.iter().rev().take_while(|c| c.sent_at() > suppressed.sent_at);
    let look = Look::over(plan, state, route, now)?;
    let newest = since.filter(|c| route.canaries.trace(c).is_none()).find(|c| look.overdue_at(c, now, &mut Asked::default()).is_some())?;
    Some((look.free_at, 1, newest.sent_at(), route.id(newest.serial)))
}

/// A route whose provider can be asked.
struct Look {
    /// From when on its provider may be asked.
    free_at: At,
    /// Up to when its inbox was read.
    horizon: Option<At>,
    /// What is older is clearly overdue.
    patience: Span,
}

impl Look {
    fn over(plan: &Plan, state: &State, route: &RouteState, now: At) -> Option<Self> {
        let Route { provider, inbox, .. } = &route.route;
        (plan.traces(provider) && state.sees(inbox)).then(|| Self {
            free_at: free_at(state, provider, now),
            horizon: state.inboxes.get(inbox).and_then(|i| state.horizon(i)),
            patience: evidence::usual(route).max(FIRST_AFTER),
        })
    }

    /// When a canary may be asked after, if it may be.
    fn may(&self, route: &RouteState, canary: &Canary, now: At, asked: &mut Asked) -> Option<Wanted> {
        let due = self.overdue_at(canary, now, asked)?;
        let (times, next) = match route.canaries.trace(canary) {
            None => (0, due),
            Some(trace) if trace.said.as_ref().is_some_and(|said| said.fate.is_final()) => return None,
            Some(trace) if trace.times == 0 => (0, due),
            Some(trace) => (trace.times, trace.asked_at.plus(*AGAIN.get(usize::from(trace.times).saturating_sub(1))?)),
        };
        Some((next.max(self.free_at), times, canary.sent_at(), route.id(canary.serial)))
    }

    /// Since when a canary that its provider took is clearly overdue, if it is.
    fn overdue_at(&self, canary: &Canary, now: At, asked: &mut Asked) -> Option<At> {
        if canary.has_arrived() || canary.outcome() != Some(Outcome::Accepted) {
            return None;
        }
        let due = canary.sent_at().plus(self.patience);
        if due > now {
            asked.later(due.plus(Span::from_ms(1)));
            return None;
        }
        (canary.is_lost() || self.horizon.is_some_and(|h| h >= due)).then_some(due)
    }
}

/// From when on a provider may be asked.
fn free_at(state: &State, provider: &Name, now: At) -> At {
    let Some(times) = state.asked.get(provider) else { return now };
    let apart = times.last().map_or(now, |last| last.plus(APART));
    let place = times.len().checked_sub(AN_HOUR).and_then(|at| times.get(at));
    place.map_or(apart, |first| first.plus(HOUR).max(apart)).max(now)
}

impl Watchdog {
    /// Asks providers after canaries that are overdue. Says when the next question may be.
    pub(super) fn ask_after(&mut self, step: &mut Step, at: At) -> Option<At> {
        for _ in 0..AT_ONCE {
            let Some(canary) = self.wants_to_know(at).now else { break };
            let Some((route, known)) = self.state.canary(&self.ix, canary) else { break };
            let message_id = route.canaries.message_id(known).map(str::to_owned);
            let (provider, inbox, sent_at) = (route.route.provider.clone(), route.route.inbox.clone(), known.sent_at());
            self.record(step, at, Fact::Asked { canary });
            step.effects.push(Effect::Trace { canary, provider, inbox, sent_at, message_id });
        }
        self.wants_to_know(at).again_at
    }

    /// Of which canary a provider is to be asked at `at`. Nobody is asked by a process that is about to end.
    pub(super) fn wants_to_know(&self, at: At) -> Asked {
        if self.stopping { Asked::default() } else { asks(&self.plan, &self.state, &self.ix, at) }
    }
}

impl State {
    /// A provider is being asked.
    pub(super) fn ask(&mut self, plan: &Plan, ix: &Index, at: At, id: CanaryId) {
        self.missed.remove(&id);
        let Some(slot) = ix.keys.get(&super::canary::upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        if let Some(trace) = route.canaries.trace_mut(id, || Trace { asked_at: at, times: 0, said: None }) {
            (trace.asked_at, trace.times) = (at, trace.times.saturating_add(1));
        }
        let pair = (route.route.provider.clone(), route.route.inbox.clone());
        for slot in self.pair(plan, &pair) {
            if let Some(suppressed) = self.routes.get_mut(slot).and_then(|r| r.suppressed.as_mut()) {
                suppressed.asked_at = at;
            }
        }
        let times = self.asked.entry(pair.0).or_default();
        times.retain(|before| at.since(*before) < HOUR);
        times.push(at);
    }

    /// A provider has said what became of a canary.
    pub(super) fn trace(&mut self, plan: &Plan, ix: &mut Index, id: CanaryId, fate: Fate, words: Option<&str>) {
        if !self.is_more(ix, id, fate, words) {
            return;
        }
        let at = self.at;
        let Some(slot) = ix.keys.get(&super::canary::upper(id)).copied() else { return };
        let Some(route) = self.routes.get_mut(slot) else { return };
        let Some(sent_at) = route.find(id).map(Canary::sent_at) else { return };
        let said = Some(Said { at, fate, words: words.map(str::to_owned) });
        // Told unasked. That it was taken does not spare the question; what tells more is worth one.
        let first = || Trace { asked_at: at, times: u8::from(fate > Fate::Stuck), said: None };
        route.canaries.trace_mut(id, first).into_iter().for_each(|trace| trace.said.clone_from(&said));
        ix.told.insert(slot);
        let pair = (route.route.provider.clone(), route.route.inbox.clone());
        let members = self.pair(plan, &pair);
        let mine =
            |state: &Self| members.iter().filter_map(|slot| state.routes.get(*slot)).any(|r| r.good_sent_at.is_some_and(|g| g > sent_at));
        match fate {
            // What has arrived since shows that it is over.
            Fate::Suppressed if mine(self) => self.disregard(plan, ix, &[slot], Some(id)),
            Fate::Suppressed => {
                for slot in &members {
                    if let Some(route) = self.routes.get_mut(*slot) {
                        let found_at = route.suppressed.as_ref().map_or(at, |before| before.found_at);
                        route.suppressed = Some(Suppressed { found_at, sent_at, asked_at: at, words: words.map(str::to_owned) });
                    }
                    ix.note(self, *slot);
                }
                self.disregard(plan, ix, &members, None);
            }
            Fate::Vanished | Fate::Stuck | Fate::Deferred | Fate::HandedOff | Fate::Bounced => self.lift(ix, &members, sent_at),
            Fate::Blind => {}
        }
    }

    /// A canary has arrived: its seed is written to.
    pub(super) fn sent_after_all(&mut self, ix: &mut Index, slot: usize, id: CanaryId) {
        self.missed.remove(&id);
        let Some(route) = self.routes.get_mut(slot) else { return };
        let Some(found_by) = route.suppressed.as_ref().map(|s| s.sent_at) else { return };
        let Some(canary) = route.find_mut(id).filter(|c| c.sent_at() >= found_by) else { return };
        canary.set_aside(false);
        let (sent_at, pair) = (canary.sent_at(), (route.route.provider.clone(), route.route.inbox.clone()));
        let alike = |r: &RouteState| r.suppressed.is_some() && r.route.provider == pair.0 && r.route.inbox == pair.1;
        let members: Vec<usize> = ix.suppressed.iter().copied().filter(|slot| self.routes.get(*slot).is_some_and(alike)).collect();
        self.lift(ix, &members, sent_at);
    }

    /// Whether silence over a route says nothing: its seed is suppressed.
    pub(super) fn is_disregarded(&self, slot: usize) -> bool {
        self.routes.get(slot).is_some_and(|r| r.suppressed.is_some())
    }

    /// Whether a canary's id at its provider is of use.
    pub(super) fn has_use_for_its_id(&self, plan: &Plan, ix: &Index, id: CanaryId) -> bool {
        self.canary(ix, id).is_some_and(|(route, _)| plan.knows_ids(&route.route.provider))
    }

    /// Whether a finding says more of a canary than is known. What a provider tells by itself comes twice, and in any order.
    pub(super) fn is_more(&self, ix: &Index, id: CanaryId, fate: Fate, words: Option<&str>) -> bool {
        let known = self.canary(ix, id).filter(|(_, canary)| !canary.has_arrived() && !canary.refused());
        known.is_some_and(|(route, canary)| match route.canaries.trace(canary).and_then(|trace| trace.said.as_ref()) {
            None => true,
            Some(said) => fate > said.fate || (fate == said.fate && words != said.words.as_deref()),
        })
    }

    /// A canary is lost: it may be asked after.
    pub(super) fn miss(&mut self, plan: &Plan, slot: usize, id: CanaryId) {
        let taken = |c: &Canary| c.outcome() == Some(Outcome::Accepted);
        let told = |r: &RouteState| plan.traces(&r.route.provider) && r.find(id).is_some_and(taken);
        if self.routes.get(slot).is_some_and(told) {
            self.missed.insert(id);
            while self.missed.len() > MISSED {
                self.missed.pop_first();
            }
        }
    }

    /// The routes of a provider to one inbox: a suppression list knows no streams.
    fn pair(&self, plan: &Plan, (provider, inbox): &(Name, Name)) -> Vec<usize> {
        let alike = |slot: &usize| self.routes.get(*slot).is_some_and(|r| r.route.provider == *provider && r.route.inbox == *inbox);
        (0..plan.routes.len()).filter(alike).collect()
    }

    /// A seed is written to again, as something shows that was sent after it was found suppressed.
    fn lift(&mut self, ix: &mut Index, slots: &[usize], sent_at: At) {
        for slot in slots {
            if let Some(route) = self.routes.get_mut(*slot)
                && route.suppressed.as_ref().is_some_and(|s| sent_at >= s.sent_at)
            {
                route.suppressed = None;
                ix.note(self, *slot);
            }
        }
    }

    /// What has not come over these routes is no evidence of anybody's: `only` it, or all since the last arrival.
    fn disregard(&mut self, plan: &Plan, ix: &mut Index, slots: &[usize], only: Option<CanaryId>) {
        let mut touched = BTreeSet::new();
        for slot in slots {
            let Some(route) = self.routes.get_mut(*slot) else { continue };
            let key = route.key;
            let id = |serial: u32| CanaryId::from_bits((u64::from(key) << 32) | u64::from(serial));
            let chosen = |id: CanaryId| only.is_none_or(|only| only == id);
            for canary in route.canaries.iter_mut().rev().take_while(|c| !c.has_arrived() || only.is_some()) {
                if chosen(id(canary.serial)) && !canary.has_arrived() && !canary.refused() {
                    canary.set_aside(true);
                }
            }
            for flying in route.flying.iter_mut().filter(|f| chosen(id(f.serial))) {
                (flying.counted, flying.teaches) = (false, false);
            }
            touched.extend(plan.routes.get(*slot).map_or(&[][..], |r| &r.suspects));
        }
        for alarm in &mut self.alarms {
            if plan.suspect(&alarm.culprit).is_some_and(|suspect| touched.contains(&suspect)) {
                alarm.trial = Sequence::new(Rule::Recovery);
            }
        }
        touched.into_iter().for_each(|suspect| self.gather(plan, ix, suspect));
    }
}
