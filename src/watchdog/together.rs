//! What fails together: two providers at once while a third delivers are no watcher's fault; two routes of one provider are that provider's.

use super::alarm::{Alarm, odds};
use super::beside;
use super::flight::RouteState;
use super::hold::Sort;
use super::hypothesis::ln_sum;
use super::index::Index;
use super::lookup::Lookup;
use super::plan::Plan;
use super::record::Fact;
use super::state::State;
use crate::model::{At, Culprit, Name, Span};

/// The logarithm of the chance that another part fails with the first, where they may have a cause in common.
const ANOTHER: f64 = -3.0;
/// …unless what it would cover besides speaks against it by more nats than this…
const SPARED: f64 = 1.0;
/// …and it did not fail at once with the first: within so long, or a round and a minute where that is longer.
const AT_ONCE: Span = Span::from_secs(180);
/// So many inboxes dark for every provider, one after another, have a cause in common.
const INBOXES: usize = 3;

/// Unless the newest alarm is older than this: then the next failure is a failure of its own.
const LATELY: Span = Span::from_secs(900);

/// Two suspects that show the same differ by no more nats than this.
const ALIKE: f64 = 3.0;

/// What is out for longer than this share of healthy mail is silent.
const SILENT: f64 = 0.25;

/// Who has got nothing for so long is out.
const LASTS: Span = Span::from_secs(120);

/// Parts of the watcher that explain the evidence between them, while the rest delivers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// The watcher.
    pub(super) whole: usize,
    /// The one with most against it.
    pub(super) first: usize,
    /// The odds that all of them fail, as a logarithm.
    odds: f64,
    /// They explain it better than the watcher does.
    pub(super) beat: bool,
}

/// The likeliest parts of the watcher, if there is anything against it: at least two without a route in common, and others beside them.
pub(super) fn parts(plan: &Plan, state: &State, ix: &Index) -> Option<Parts> {
    let whole = plan.suspect(&Culprit::Watcher {}).filter(|whole| ix.hot.contains(whole))?;
    let suspect = plan.suspects.get(whole)?;
    let mut hot: Vec<usize> = ix.hot.iter().copied().filter(|s| *s != whole && !ix.alarmed.contains(s)).collect();
    hot.sort_by(|a, b| odds(plan, state, *b).total_cmp(&odds(plan, state, *a)).then(a.cmp(b)));
    let mut parts: Vec<usize> = Vec::new();
    for part in hot {
        // What is less likely with it than without it is no part.
        let adds = parts.is_empty() || state.standings.get(part).is_some_and(|s| f64::from(s.level) + ANOTHER > 0.0);
        if adds && parts.iter().all(|known| !plan.overlap(*known, part)) {
            parts.push(part);
        }
    }
    let (first, more) = parts.split_first().filter(|(_, more)| !more.is_empty())?;
    let beside = |slot: &usize| {
        let fails = plan.routes.get(*slot).is_none_or(|r| parts.iter().any(|part| r.suspects.contains(part)));
        !fails && state.routes.get(*slot).is_some_and(|r| state.sees(&r.route.inbox) && delivers(state, r))
    };
    if !suspect.routes.iter().any(beside) {
        return None;
    }
    let evidence = |part: &usize| state.standings.get(*part).map_or(0.0, |s| f64::from(s.level));
    let all = odds(plan, state, *first) + more.iter().map(|part| evidence(part) + ANOTHER).sum::<f64>();
    Some(Parts { whole, first: *first, odds: all, beat: all > odds(plan, state, whole) })
}

/// Whether a route has delivered, and no alarm says that it has stopped.
fn delivers(state: &State, route: &RouteState) -> bool {
    let stopped = || state.alarms.iter().any(|a| is_out(state, a) && a.culprit.covers(&route.route));
    route.refusal.is_none() && route.good_sent_at.is_some() && !stopped()
}

/// Whether an alarm is about one who gets, or delivers, nothing at all since.
fn is_total(alarm: &Alarm) -> bool {
    alarm.sort == Sort::Stop && alarm.first_arrival.is_none() && alarm.culprit != Culprit::Watcher {}
}

/// Whether that has lasted: at first what is merely slow looks the same.
fn is_out(state: &State, alarm: &Alarm) -> bool {
    is_total(alarm) && alarm.told && state.at.since(alarm.since) >= LASTS
}

/// How sure it is that it is this suspect and none of those that overlap with it; what is within `family` is the same failure.
pub(super) fn certainty(plan: &Plan, state: &State, ix: &Index, suspect: usize, parts: Option<Parts>, family: Option<usize>) -> f64 {
    let own = odds(plan, state, suspect);
    let beaten = parts.filter(|p| p.beat).map(|p| p.whole);
    let several = parts.filter(|p| !p.beat && p.whole == suspect).map(|p| p.odds);
    // Of everything all is a part: who it is that fails besides must be sure by itself.
    let same = |rival: usize| family.is_some_and(|whole| if is_all(plan, whole) { rival == whole } else { plan.within(rival, whole) });
    let rivals = rivals(plan, state, ix, suspect).filter(|s| Some(*s) != beaten && !same(*s));
    let all: Vec<f64> = rivals.map(|s| odds(plan, state, s)).chain(several).chain([own]).collect();
    (own - ln_sum(all.iter().copied())).exp()
}

/// Who could be the reason for what speaks against this suspect. Two that have an alarm each fail both: neither is it instead of the other.
/// And where one has got nothing at all for minutes, what speaks against everything is what that does not explain.
pub(super) fn rivals<'i>(plan: &'i Plan, state: &'i State, ix: &'i Index, suspect: usize) -> impl Iterator<Item = usize> + 'i {
    let is_known = ix.alarmed.contains(&suspect);
    let is_all = is_all(plan, suspect);
    let total: Vec<usize> = state.alarms.iter().filter(|a| is_all && is_out(state, a)).filter_map(|a| plan.suspect(&a.culprit)).collect();
    let hot = ix.hot.iter().copied().filter(move |s| *s != suspect && plan.overlap(*s, suspect));
    hot.filter(move |s| !(is_known && ix.alarmed.contains(s) || total.contains(s)))
}

/// Where one inbox alone can be read, nothing tells whether it is that inbox or everything: then it is the inbox, as far as anybody sees.
pub(super) fn only_seen(plan: &Plan, state: &State, suspect: usize) -> Option<usize> {
    let only = only_inbox(plan, state).filter(|_| is_all(plan, suspect))?;
    // What others showed before they went dark counts.
    Some(only).filter(|inbox| odds(plan, state, *inbox) >= odds(plan, state, suspect) - ALIKE)
}

/// The inbox that can be read, where there are others and they cannot.
fn only_inbox(plan: &Plan, state: &State) -> Option<usize> {
    let mut seen = plan.inboxes.iter().filter(|name| state.sees(name));
    let only = seen.next().filter(|_| plan.inboxes.len() > 1 && seen.next().is_none())?;
    plan.suspect(&Culprit::Inbox(only.clone()))
}

/// That inbox, if this suspect and those that failed lately are all that it gets mail from: of what they send elsewhere nothing is known.
fn all_that_is_seen(plan: &Plan, state: &State, suspect: usize, now: At) -> Option<usize> {
    let only = only_inbox(plan, state).filter(|only| *only != suspect)?;
    let inbox = plan.suspects.get(only)?;
    let lately: Vec<&Alarm> = state.alarms.iter().filter(|a| is_total(a) && now.since(a.since) < LATELY).collect();
    let fails = |slot: &usize| {
        let Some((planned, route)) = plan.routes.get(*slot).zip(state.routes.get(*slot)) else { return false };
        let has_delivered = || lately.iter().all(|a| route.good_sent_at.is_some_and(|at| at >= a.since));
        planned.suspects.contains(&suspect) || lately.iter().any(|a| a.culprit.covers(&planned.route)) || !has_delivered()
    };
    (!lately.is_empty() && plan.overlap(only, suspect) && inbox.routes.iter().all(fails)).then_some(only)
}

/// The suspect that has failed if this one has, too: the smallest that covers it and what there is an alarm for already. The watcher is
/// it only if every provider fails, or several inboxes do.
pub(super) fn family(plan: &Plan, state: &State, suspect: usize, now: At) -> Option<usize> {
    let alarmed: Vec<usize> = state.alarms.iter().filter_map(|a| plan.suspect(&a.culprit)).collect();
    if alarmed.is_empty() || alarmed.contains(&suspect) {
        return None;
    }
    if let Some(only) = all_that_is_seen(plan, state, suspect, now) {
        return Some(only);
    }
    // What could not be read when others began to fail has failed since then, if nothing that it was sent since has come.
    let lately = state.alarms.iter().any(|a| now.since(a.since) < LATELY || is_silent_since(plan, state, suspect, a.since));
    // Who is out, and who loses some, do not fail alike.
    let is_alike = state.standings.get(suspect)?.sort() == Sort::Stop || !state.alarms.iter().any(|a| is_out(state, a));
    let first = plan.suspects.get(suspect)?.routes.first()?;
    let covers = |whole: &&usize| **whole != suspect && plan.within(suspect, **whole) && !alarmed.contains(whole);
    // What of it delivers has no part in it: two of many that fail one after the other are two. But what spreads over a provider's inboxes is
    // that provider's.
    let level = |index: usize| state.standings.get(index).map_or(f64::NEG_INFINITY, |s| f64::from(s.level));
    let own = level(suspect);
    let at_once = AT_ONCE.max(plan.every + Span::from_secs(60));
    let inside = |a: &Alarm, whole: usize| plan.suspect(&a.culprit).is_some_and(|part| plan.within(part, whole));
    let together = |whole: usize| state.alarms.iter().any(|a| now.since(a.since) < at_once && inside(a, whole));
    let is_inbox = |whole: usize| plan.suspects.get(whole).is_some_and(|s| matches!(s.culprit, Culprit::Inbox(_)));
    let spreads = |whole: usize| is_all(plan, whole) || !is_inbox(whole) && is_of_route(plan, suspect);
    let fails = |whole: &&usize| spreads(**whole) || level(**whole) >= own - SPARED || together(**whole);
    let failing: Vec<usize> = alarmed.iter().copied().chain([suspect]).collect();
    let shares = |whole: &&usize| {
        let mut inside = alarmed.iter().filter(|a| plan.within(**a, **whole)).chain([&suspect]);
        match plan.suspects.get(**whole).map(|s| &s.culprit) {
            _ if inside.clone().count() < 2 => false,
            Some(Culprit::Watcher {}) => lately && is_alike && have_common_cause(plan, state, &failing),
            // What a provider refuses is not for want of an inbox, and an inbox that others reach is not to blame for whole providers.
            Some(Culprit::Inbox(_)) => inside.all(|part| is_of_route(plan, *part) && !is_refused(plan, state, *part)),
            // Where there is no other provider its inboxes are names of their own: two of many that go dark are no provider's yet.
            Some(Culprit::Provider(_)) if plan.providers.len() == 1 && inside.clone().all(|part| is_of_inbox(plan, *part)) => {
                inside.count() >= INBOXES.min(plan.inboxes.len())
            }
            Some(Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..)) => true,
            None => false,
        }
    };
    let size = |whole: &&usize| plan.suspects.get(**whole).map_or(0, |s| s.routes.len());
    plan.routes.get(*first)?.suspects.iter().filter(covers).filter(fails).filter(shares).min_by_key(size).copied()
}

/// Whether most inboxes were asked and could not have answered yet: what few show is not everything's.
pub(super) fn is_asked_still(plan: &Plan, state: &State) -> bool {
    // For each inbox how little of healthy mail is out as long as what it waits for.
    let mut waits: Lookup<&Name, f64> = Lookup::with_room(plan.inboxes.len());
    for route in state.routes.iter().filter(|r| state.sees(&r.route.inbox) && !r.is_suppressed()) {
        let Some(horizon) = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i)) else { continue };
        let ages = route.flying.iter().filter(|f| f.counted).map(|f| horizon.since(f.sent_at));
        let Some(oldest) = ages.max() else { continue };
        let out = route.survival.at(oldest);
        let known = waits.or_insert_with(&route.route.inbox, || out);
        *known = known.min(out);
    }
    let silent = plan.inboxes.iter().filter_map(|name| waits.get(&name)).filter(|out| **out <= SILENT).count();
    waits.len() > silent && silent * 2 < plan.inboxes.iter().filter(|name| state.sees(name)).count()
}

/// Alarms that began one soon after another and cover by now all that is watched, where nothing has arrived since: they have a cause in common.
pub(super) fn everything(plan: &Plan, state: &State) -> Option<Fact> {
    plan.suspect(&Culprit::Watcher {})?;
    let said: Vec<&Culprit> = beside::said(state).collect();
    let alarms: Vec<&Alarm> = state.alarms.iter().filter(|a| !said.contains(&&a.culprit)).collect();
    let others = plan.providers.iter().filter(|name| !said.contains(&&Culprit::Provider((*name).clone()))).count();
    if alarms.len() < 2 || others < 2 || !alarms.iter().all(|a| is_total(a)) {
        return None;
    }
    let mut began: Vec<At> = alarms.iter().map(|a| a.since).collect();
    began.sort_unstable();
    if began.windows(2).any(|two| matches!(two, [one, next] if next.since(*one) >= LATELY)) {
        return None;
    }
    let covered = |r: &RouteState| alarms.iter().any(|a| a.culprit.covers(&r.route)) && r.refusal.is_none();
    let matters = |r: &&RouteState| r.suppressed.is_none() && r.serial > 0 && !said.iter().any(|culprit| culprit.covers(&r.route));
    // Of what cannot be read it is not known whether it delivers.
    let all = state.cut_off_since.is_none() && state.routes.iter().filter(matters).all(|r| covered(r) && state.sees(&r.route.inbox));
    let instead_of = || alarms.iter().map(|a| a.culprit.clone()).collect();
    all.then(|| Fact::Alarmed { culprit: Culprit::Watcher {}, instead_of: instead_of(), kind: None })
}

fn is_all(plan: &Plan, suspect: usize) -> bool {
    plan.suspects.get(suspect).is_some_and(|s| s.culprit == Culprit::Watcher {})
}

fn is_of_route(plan: &Plan, suspect: usize) -> bool {
    plan.suspects.get(suspect).is_some_and(|s| matches!(s.culprit, Culprit::Path(..) | Culprit::Route(..)))
}

fn is_of_inbox(plan: &Plan, suspect: usize) -> bool {
    plan.suspects.get(suspect).is_some_and(|s| matches!(s.culprit, Culprit::Inbox(_)))
}

fn is_refused(plan: &Plan, state: &State, suspect: usize) -> bool {
    let routes = plan.suspects.get(suspect).map_or(&[][..], |s| &s.routes);
    routes.iter().filter_map(|slot| state.routes.get(*slot)).any(|r| r.refusal.is_some())
}

/// Whether nothing arrived of what was sent over a suspect's routes since, and something was sent over each of them.
fn is_silent_since(plan: &Plan, state: &State, suspect: usize, since: At) -> bool {
    let routes = plan.suspects.get(suspect).map_or(&[][..], |s| &s.routes);
    let silent = |r: &RouteState| r.last_routine.is_some_and(|at| at > since) && r.good_sent_at.is_none_or(|at| at < since);
    !routes.is_empty() && routes.iter().filter_map(|slot| state.routes.get(*slot)).all(silent)
}

/// Whether so many fail that they have a cause in common: every provider, of those that do not say themselves why, or several inboxes.
pub(super) fn have_common_cause(plan: &Plan, state: &State, failing: &[usize]) -> bool {
    let said: Vec<&Culprit> = beside::said(state).collect();
    let failing = || failing.iter().filter_map(|s| plan.suspects.get(*s)).map(|s| &s.culprit);
    let providers = failing().filter(|c| matches!(c, Culprit::Provider(_)) && !said.contains(c)).count();
    let inboxes = failing().filter(|c| matches!(c, Culprit::Inbox(_))).count();
    let others = plan.providers.len().saturating_sub(said.iter().filter(|c| matches!(c, Culprit::Provider(_))).count());
    providers == others && others > 1 || inboxes >= INBOXES.min(plan.inboxes.len())
}
