//! Blame: which suspect explains the evidence best, and whether it is enough to say so.
//!
//! The weight of a suspect times its mixture is the odds that it fails (Shiryaev's posterior); summed over suspects that overlap they grow
//! under health no faster than failures are expected, which is what keeps the promise of false pages without tuning.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::alarm::{Alarm, ONSET, odds};
use super::beside;
use super::evidence::{self, LOST_IN_HEALTH};
use super::flight::RouteState;
use super::hold::Sort;
use super::hypothesis::{self, Factors};
use super::index::Index;
use super::narrowing::{narrow_everything, narrow_part};
use super::plan::{Plan, Suspect};
use super::record::Fact;
use super::recovery;
use super::sorting;
use super::state::State;
use super::together::{self, certainty};
use super::waiting::DECIDES;
use crate::model::{At, Culprit, Kind, Reason, Span};

/// A suspect is named at this chance among those that overlap with it; or when its odds alone are far beyond what is needed.
const CERTAIN: f64 = 0.96;
/// While an alarm is this young, blame moves rather than that a second failure is found.
const YOUNG: Span = Span::from_secs(900);
/// Nats less are needed to widen or move a young alarm: something is known to be wrong.
const EASED: f64 = 3.0;
/// Further than this from an eased alarm, rivals do not matter.
const FAR: f64 = 3.0;
/// Nats of silence that a narrower suspect's routes show together, while the others of the alarm deliver.
const NARROWS_AT: f64 = 6.0;
/// The same against the loss that the alarm is about: who loses some of everything is not who gets nothing.
const NARROWS_LOSS_AT: f64 = 8.0;
/// An arrival is no sign of health if so little of healthy mail takes longer.
const QUICK: f64 = 0.1;
/// And each of them.
const EACH_ILL: f64 = 2.0;
/// Nats with which a route shows that it has no part in a loss…
const SPARED: f64 = 6.9;
/// …and that it has.
const LOSES: f64 = 3.0;
/// Alarms over more routes than this are not narrowed route by route.
const NARROWED_UP_TO: usize = 256;

/// The next change of the alarms that the evidence calls for, if any.
pub(super) fn decide(plan: &Plan, state: &State, ix: &Index, now: At) -> Option<Fact> {
    let over = state.alarms.iter().find(|a| recovery::is_over(plan, state, a) || recovery::is_explained(plan, state, a));
    if let Some(alarm) = over {
        return Some(Fact::Calmed { culprit: alarm.culprit.clone() });
    }
    let resorted = || state.alarms.iter().find_map(|a| sorting::resort(plan, state, a));
    let narrow_some = |a: &Alarm| narrow_loss(plan, state, a).or_else(|| narrow_part(plan, state, a));
    let narrow = |a: &Alarm| narrow(plan, state, a).or_else(|| narrow_everything(plan, state, a)).or_else(|| narrow_some(a));
    let narrower = || state.alarms.iter().find_map(narrow);
    narrower().or_else(resorted).or_else(|| together::everything(plan, state)).or_else(|| raise(plan, state, ix, now))
}

fn raise(plan: &Plan, state: &State, ix: &Index, now: At) -> Option<Fact> {
    let best = loudest(plan, state, ix)?;
    // Several at once explain it better than what covers them all.
    let parts = together::parts(plan, state, ix);
    let best = parts.filter(|p| p.beat && p.whole == best).map_or(best, |p| p.first);
    let best = together::only_seen(plan, state, best).unwrap_or(best);
    let own = odds(plan, state, best);
    let family = together::family(plan, state, best, now);
    let named = family.unwrap_or(best);
    let culprit = plan.suspects.get(named)?.culprit.clone();
    let everything = culprit == Culprit::Watcher {};
    let is_said = |a: &Alarm| everything && beside::said(state).any(|culprit| *culprit == a.culprit);
    let moved: Vec<&Alarm> = state.alarms.iter().filter(|a| moves(plan, state, a, named, now) && !is_said(a)).collect();
    let is_young = moved.iter().any(|a| now.since(a.since) <= YOUNG);
    let needed = plan.ln_alarm - if is_young { EASED } else { 0.0 };
    let sure = certainty(plan, state, ix, best, parts, family);
    let all = own - sure.ln();
    // That something is wrong, however much of it, does not tell that everything is.
    let enough = all >= needed && (sure >= CERTAIN || (own >= needed + DECIDES && !everything));
    let enough = enough && !(everything && together::is_asked_still(plan, state));
    enough.then(|| Fact::Alarmed { culprit, instead_of: moved.iter().map(|a| a.culprit.clone()).collect(), kind: None })
}

/// The suspect with the highest odds of those that have no alarm, if an alarm is near.
fn loudest(plan: &Plan, state: &State, ix: &Index) -> Option<usize> {
    let near = plan.ln_alarm - EASED - FAR;
    let mut best: Option<(usize, f64)> = None;
    let take = |best: &mut Option<(usize, f64)>, suspect: usize| {
        let own = odds(plan, state, suspect);
        let is_louder = best.is_none_or(|(other, most)| own > most || (own == most && suspect < other));
        if own >= near && is_louder && !ix.alarmed.contains(&suspect) {
            *best = Some((suspect, own));
        }
    };
    // Of those that ask the highest level comes first: soon none of the rest can be louder.
    let reach = |level: f64, best: Option<(usize, f64)>| level + plan.heavy >= best.map_or(near, |(_, most)| most);
    for (level, Reverse(suspect)) in ix.asking.iter().rev() {
        if !reach(f64::from(f32::from_bits(*level)), best) {
            return best.map(|(suspect, _)| suspect);
        }
        take(&mut best, *suspect);
    }
    if reach(plan.asks_above(), best) {
        ix.hot.iter().for_each(|suspect| take(&mut best, *suspect));
    }
    best.map(|(suspect, _)| suspect)
}

/// Whether blame would move from `alarm` to the suspect: it is part of it, or what it covers beyond it has delivered since.
fn moves(plan: &Plan, state: &State, alarm: &Alarm, to: usize, now: At) -> bool {
    let Some(from) = plan.suspect(&alarm.culprit) else { return false };
    if plan.within(from, to) {
        return true;
    }
    if now.since(alarm.since) > YOUNG || !plan.overlap(from, to) {
        return false;
    }
    let outside = |slot: &&usize| plan.routes.get(**slot).is_some_and(|r| !r.suspects.contains(&to));
    let routes = plan.suspects.get(from).map_or(&[][..], |s| &s.routes);
    let delivers = |slot: &usize| state.routes.get(*slot).is_none_or(|r| is_well(state, r, alarm));
    // Who loses a part delivers, too.
    let loses = |slot: usize| {
        let since = alarm.since.minus(ONSET);
        alarm.sort == Sort::Loss && evidence::settled_since(plan, state, slot, since).any(|(_, arrived)| !arrived)
    };
    // And so does who is slow.
    let is_late = |slot: usize| alarm.sort == Sort::Slow && state.routes.get(slot).is_some_and(|r| !is_quick(r));
    routes.iter().filter(outside).all(|slot| delivers(slot) && !loses(*slot) && !is_late(*slot))
}

/// Whether a route has delivered something that was sent since the alarm; one that cannot be seen, or whose seed is suppressed, is not in
/// the way.
fn is_well(state: &State, route: &RouteState, alarm: &Alarm) -> bool {
    !state.sees(&route.route.inbox) || route.is_suppressed() || route.good_sent_at.is_some_and(|at| at >= alarm.blamed_at)
}

/// Whether the newest arrival of a route took no longer than healthy mail may.
fn is_quick(route: &RouteState) -> bool {
    let newest = route.canaries.iter().rev().find_map(super::canary::Canary::latency);
    newest.is_some_and(|took| route.survival.at(took) > QUICK)
}

/// A narrower suspect, if only its routes still fail and all others of the alarm deliver.
fn narrow(plan: &Plan, state: &State, alarm: &Alarm) -> Option<Fact> {
    let index = plan.suspect(&alarm.culprit)?;
    let suspect = plan.suspects.get(index)?;
    let since = alarm.first_arrival?;
    // Where mail is late, silence for a while is what every route shows.
    if alarm.sort == Sort::Slow || suspect.routes.len() < 2 || suspect.routes.len() > NARROWED_UP_TO {
        return None;
    }
    let of = |slot: &usize| state.routes.get(*slot).filter(|r| state.sees(&r.route.inbox) && !r.is_suppressed()).map(|r| (*slot, r));
    let telling = beside::telling(plan, state, &alarm.culprit, &suspect.routes);
    let (well, ill): (Vec<_>, Vec<_>) = telling.iter().filter_map(of).partition(|(_, r)| is_well(state, r, alarm));
    let (first, _) = ill.first()?;
    if well.is_empty() || !well.iter().any(|(_, r)| is_quick(r)) {
        return None;
    }
    let said: Vec<(f64, f64)> = ill.iter().map(|(_, r)| silence(state, r, since, index, alarm.sort)).collect();
    let all: f64 = said.iter().map(|(_, beyond)| beyond).sum();
    let needed = if alarm.sort == Sort::Loss { NARROWS_LOSS_AT } else { NARROWS_AT };
    if all < needed || said.iter().any(|(health, _)| *health < EACH_ILL) {
        return None;
    }
    let covers = |slot: usize, s: usize| plan.routes.get(slot).is_some_and(|r| r.suspects.contains(&s));
    let is_ill = |s: usize| s != index && plan.within(s, index) && !well.iter().any(|(slot, _)| covers(*slot, s));
    let narrower: Vec<usize> = plan.routes.get(*first)?.suspects.iter().copied().filter(|s| is_ill(*s)).collect();
    let one = narrower.iter().copied().find(|s| ill.iter().all(|(slot, _)| covers(*slot, *s)));
    // Of the watcher, and of an only provider, several may have failed: each has an alarm of its own.
    let wholes = || -> Vec<usize> {
        let all: BTreeSet<usize> =
            ill.iter().filter_map(|(slot, _)| plan.routes.get(*slot)).flat_map(|r| r.suspects.iter().copied()).collect();
        all.into_iter().filter(|s| is_ill(*s)).collect()
    };
    let is_several = || whole(plan, &ill, &is_ill) && !together::have_common_cause(plan, state, &wholes());
    let is_all = alarm.culprit == Culprit::Watcher {} || plan.providers.len() < 2;
    let several = || narrower.first().copied().filter(|_| is_all && is_several());
    let culprit = plan.suspects.get(one.or_else(several)?)?.culprit.clone();
    Some(Fact::Alarmed { culprit, instead_of: vec![alarm.culprit.clone()], kind: None })
}

/// Of a loss that everything was to have: the provider or the inbox that loses most, if whoever loses is one or the other as a whole, and the
/// rest has delivered what it would not have.
fn narrow_loss(plan: &Plan, state: &State, alarm: &Alarm) -> Option<Fact> {
    let everything = plan.suspects.get(plan.suspect(&alarm.culprit)?)?;
    if alarm.culprit != (Culprit::Watcher {}) || alarm.sort != Sort::Loss || everything.routes.len() > NARROWED_UP_TO {
        return None;
    }
    // What was sent before it was blamed on everything has been weighed.
    let counts = |slot: usize| {
        let settled = evidence::settled_since(plan, state, slot, alarm.blamed_at);
        settled.fold((0_u64, 0_u64), |(bad, all), (_, arrived)| (bad + u64::from(!arrived), all + 1))
    };
    let known: Vec<(usize, (u64, u64))> = everything.routes.iter().map(|slot| (*slot, counts(*slot))).collect();
    let (bad, all) = known.iter().filter(|(_, (bad, _))| *bad > 0).fold((0, 0), |(a, b), (_, (bad, all))| (a + bad, b + all));
    let share = (bad as f64 / all.max(1) as f64).clamp(0.05, 0.95);
    let says = |(bad, all): (u64, u64)| {
        bad as f64 * (share / LOST_IN_HEALTH).ln() + (all - bad) as f64 * ((1.0 - share) / (1.0 - LOST_IN_HEALTH)).ln()
    };
    let spared: Vec<usize> = known.iter().filter(|(_, counts)| says(*counts) <= -SPARED).map(|(slot, _)| *slot).collect();
    let loses: Vec<usize> = known.iter().filter(|(_, counts)| says(*counts) >= LOSES).map(|(slot, _)| *slot).collect();
    let covers = |slot: usize, s: usize| plan.routes.get(slot).is_some_and(|r| r.suspects.contains(&s));
    let is_whole = |s: &Suspect| matches!(s.culprit, Culprit::Provider(_) | Culprit::Inbox(_));
    let wholes = (0..plan.suspects.len()).filter(|s| plan.suspects.get(*s).is_some_and(is_whole));
    let is_ill = |s: &usize| !spared.iter().any(|slot| covers(*slot, *s)) && loses.iter().any(|slot| covers(*slot, *s));
    let ill: Vec<usize> = wholes.filter(is_ill).collect();
    if spared.is_empty()
        || !loses.iter().all(|slot| ill.iter().any(|s| covers(*slot, *s)))
        || together::have_common_cause(plan, state, &ill)
    {
        return None;
    }
    let most = ill.into_iter().max_by_key(|s| (loses.iter().filter(|slot| covers(**slot, *s)).count(), Reverse(*s)))?;
    let culprit = plan.suspects.get(most)?.culprit.clone();
    Some(Fact::Alarmed { culprit, instead_of: vec![alarm.culprit.clone()], kind: Some(Kind::Loss) })
}

/// Whether each of these routes belongs to a provider or an inbox that is ill as a whole.
fn whole(plan: &Plan, ill: &[(usize, &RouteState)], is_ill: &impl Fn(usize) -> bool) -> bool {
    let belongs = |s: &usize| {
        let is_whole = |s: &Suspect| matches!(s.culprit, Culprit::Provider(_) | Culprit::Inbox(_));
        is_ill(*s) && plan.suspects.get(*s).is_some_and(is_whole)
    };
    ill.iter().filter_map(|(slot, _)| plan.routes.get(*slot)).all(|r| r.suspects.iter().any(belongs))
}

/// Nats that the silence of a route's canaries sent since, and what was refused of them, says: against health, and against what the alarm is about.
fn silence(state: &State, route: &RouteState, since: At, index: usize, sort: Sort) -> (f64, f64) {
    let Some(horizon) = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i)) else { return (0.0, 0.0) };
    let way = state.standings.get(index).and_then(|s| sorting::likeliest(sort, s));
    let against = |said: Factors, nats: f64| {
        let [stop, ..] = said;
        (nats, way.and_then(|way| said.get(way)).map_or(nats, |as_it_was| (stop / as_it_was).ln()))
    };
    let silent = route.flying.iter().filter(|f| f.counted && f.sent_at >= since).map(|f| {
        let age = horizon.since(f.sent_at);
        against(hypothesis::silent(&route.survival, age), -route.survival.at(age).max(1e-9).ln())
    });
    // What is refused does not come either.
    let answered = route.canaries.iter().rev().take_while(|c| c.sent_at() >= since);
    let refused = answered.filter(|c| c.refused() && c.reason() == Reason::Routine).map(|_| {
        let [stop, ..] = hypothesis::refused();
        against(hypothesis::refused(), stop.ln())
    });
    silent.chain(refused).fold((0.0, 0.0), |(health, part), (nats, beyond)| (health + nats, part + beyond))
}
