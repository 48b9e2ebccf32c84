//! What an alarm is about by now: mail that stopped, is lost in part, or is late. Early silence looks the same for all of them.
//!
//! Only what was sent since the first arrival tells: what was sent before may have been lost, or held, by a stop that is over.

use super::alarm::{Alarm, Standing};
use super::beside;
use super::flight::RouteState;
use super::hold::Sort;
use super::hypothesis::{self, LATENESSES, LOSSES, WAYS};
use super::plan::Plan;
use super::record::Fact;
use super::state::State;
use crate::model::{At, Culprit, Span};

/// The newest canaries of each route that are looked at.
const NEWEST: usize = 16;
/// So many must have been sent since.
const ENOUGH: usize = 5;
/// Nats for one sort against health, and…
const CLEAR: f64 = 4.0;
/// …against what it is called now.
const CLEARER: f64 = 2.0;
/// Nats for silence of everything against what the alarm was about, of each route: nothing arrives any more. It is asked at every canary of
/// a failure that may go on for days.
const NOTHING_ARRIVES: f64 = 11.0;
/// Canaries that say so.
const SILENT: usize = 3;
/// The way that is a stop.
const STOP: usize = 0;
/// The first way that is a delay.
const SLOW: usize = 4;
/// Mail may be later than it was by so many buckets, twice as late, before it is called silent.
const LATER: u32 = 8;
/// What everything shows in part by then is nobody's alone.
const NARROWS_FIRST: Span = Span::from_secs(180);
/// Alarms over more routes than this keep what they were raised as.
const ROUTES_AT_MOST: usize = 256;

/// What has become clear of an alarm, if it is not what it is called.
pub(super) fn resort(plan: &Plan, state: &State, alarm: &Alarm) -> Option<Fact> {
    let suspect = plan.suspects.get(plan.suspect(&alarm.culprit)?)?;
    let first = alarm.first_arrival?;
    if suspect.routes.len() > ROUTES_AT_MOST {
        return None;
    }
    let sees = |r: &&RouteState| state.sees(&r.route.inbox);
    let mut said: Vec<Saying<'_>> = Vec::new();
    // Where some routes deliver, the others were silent before: they do not tell that it is more by now.
    let mut alive: Vec<Saying<'_>> = Vec::new();
    let own = beside::telling(plan, state, &alarm.culprit, &suspect.routes);
    for route in own.iter().filter_map(|slot| state.routes.get(*slot)).filter(sees) {
        let horizon = state.inboxes.get(&route.route.inbox).and_then(|i| state.horizon(i));
        let from = said.len();
        said.extend(newest(route, first, horizon).take(NEWEST));
        let own = said.get(from..).unwrap_or_default();
        if own.iter().any(Saying::has_arrived) {
            alive.extend_from_slice(own);
        }
    }
    let standing = state.standings.get(plan.suspect(&alarm.culprit)?)?;
    let telling = if alive.is_empty() { &said } else { &alive };
    let silent = as_it_was(alarm.sort, standing, telling).is_some_and(|was| is_silent(telling, suspect.routes.len(), &was));
    // Where everything was silent and some deliver, the others are perhaps one culprit that goes on: that is found out first.
    let is_all = alarm.culprit == Culprit::Watcher {} && alarm.sort == Sort::Stop;
    let waits = || is_all && state.at.since(first) < NARROWS_FIRST && in_part(alarm.sort, &alive).is_none();
    // What was late and is on its way still is not lost, though what was sent after it has come in time.
    let is_late = || alarm.sort == Sort::Slow && as_it_was(Sort::Slow, standing, &said).is_some_and(|was| beyond(&said, &was) < CLEAR);
    let sort =
        if silent { Sort::Stop } else { in_part(alarm.sort, &said).filter(|sort| *sort != Sort::Loss || !(waits() || is_late()))? };
    (sort != alarm.sort).then(|| Fact::Sorted { culprit: alarm.culprit.clone(), kind: sort.kind() })
}

/// What one canary says.
#[derive(Clone)]
pub(super) struct Saying<'s> {
    sent_at: At,
    route: &'s RouteState,
    /// For how long it has been silent, if it has not arrived.
    silent: Option<Span>,
    /// Nats for a stop and for each loss.
    lost: [f64; LOSSES.len()],
    /// Nats for each lateness.
    late: [f64; LATENESSES],
}

/// What an alarm was about until now.
enum Was {
    /// One of the ways in which a part is lost.
    Lost(usize),
    /// So many buckets.
    Late(u32),
}

impl Saying<'_> {
    const fn has_arrived(&self) -> bool {
        self.silent.is_none()
    }

    /// Nats for each way of a sort.
    pub(super) fn in_part(&self, sort: Sort) -> &[f64] {
        match sort {
            Sort::Slow => &self.late,
            Sort::Stop | Sort::Loss => &self.lost,
        }
    }

    /// Nats of its silence for nothing arriving any more, against how it was.
    fn beyond(&self, was: &Was) -> f64 {
        let [stop, ..] = self.lost;
        match (was, self.silent) {
            (_, None) => 0.0,
            (Was::Lost(way), _) => stop - self.lost.get(*way).unwrap_or(&stop),
            (Was::Late(by), Some(age)) => hypothesis::silent_not_slower(&self.route.survival, age, STOP, by + LATER).ln(),
        }
    }
}

/// What the canaries of a route say that were sent since, the newest first; but for those that another failure took.
pub(super) fn newest(route: &RouteState, since: At, horizon: Option<At>) -> impl Iterator<Item = Saying<'_>> {
    let since = route.judged_before.map_or(since, |judged| judged.max(since));
    let sent = route.canaries.iter().rev().take_while(move |c| c.sent_at() >= since).filter(|c| !c.is_set_aside() && !c.refused());
    sent.filter_map(move |canary| {
        let sent_at = canary.sent_at();
        let Some(latency) = canary.latency() else {
            let age = horizon?.since(sent_at);
            let [stop, a, b, c, ..] = hypothesis::silent(&route.survival, age).map(f64::ln);
            let late = hypothesis::silent_late(&route.survival, age).map(f64::ln);
            return (age > Span::ZERO).then_some(Saying { sent_at, route, silent: Some(age), lost: [stop, a, b, c], late });
        };
        let (lost, late) = (LOSSES.map(|share| (1.0 - share).ln()), hypothesis::arrived_late(&route.survival, latency).map(f64::ln));
        Some(Saying { sent_at, route, silent: None, lost, late })
    })
}

/// How many times as late as in health what arrives is that was sent since the first arrival of a slow alarm, if it is late.
pub(super) fn times_as_late(plan: &Plan, state: &State, alarm: &Alarm) -> Option<f64> {
    let (suspect, first) = (plan.suspects.get(plan.suspect(&alarm.culprit)?)?, alarm.first_arrival?);
    let own = beside::telling(plan, state, &alarm.culprit, &suspect.routes);
    let routes = own.iter().take(ROUTES_AT_MOST).filter_map(|slot| state.routes.get(*slot));
    let said: Vec<Saying<'_>> = routes.flat_map(|route| newest(route, first, None).take(NEWEST)).collect();
    let (by, _) = latest(&said)?;
    Some((f64::from(by) / 8.0).exp2())
}

/// The lateness that explains best what has arrived, in buckets, and its nats against health; `None`: none does.
fn latest(said: &[Saying<'_>]) -> Option<(u32, f64)> {
    let late = sum_of(said.iter().filter(|s| s.has_arrived()).map(|s| s.late));
    hypothesis::LATE_BY.into_iter().zip(late).max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, nats)| *nats > 0.0)
}

/// How it was until now: the likeliest of the losses, or how late what has arrived is.
fn as_it_was(sort: Sort, standing: &Standing, said: &[Saying<'_>]) -> Option<Was> {
    let way = likeliest(sort, standing)?;
    if sort == Sort::Loss {
        return Some(Was::Lost(way));
    }
    Some(Was::Late(latest(said).map_or_else(|| hypothesis::later_by(way), |(by, _)| by)))
}

fn sum_of<const N: usize>(all: impl Iterator<Item = [f64; N]>) -> [f64; N] {
    all.fold([0.0; N], |mut sums, nats| {
        sums.iter_mut().zip(nats).for_each(|(sum, z)| *sum += z);
        sums
    })
}

/// Which of the ways of its sort explains an alarm best, all in all.
pub(super) fn likeliest(sort: Sort, standing: &Standing) -> Option<usize> {
    let ways = match sort {
        Sort::Stop => return None,
        Sort::Loss => 1..SLOW,
        Sort::Slow => SLOW..WAYS,
    };
    let chances = standing.chances();
    ways.max_by(|a, b| chances.get(*a).unwrap_or(&0.0).total_cmp(chances.get(*b).unwrap_or(&0.0)))
}

/// Nats of all that is silent for more than it was until now.
fn beyond(said: &[Saying<'_>], was: &Was) -> f64 {
    said.iter().map(|s| s.beyond(was).max(0.0)).sum()
}

/// Whether nothing arrives any more where some of it did. Of a loss no silence says more than by the share that was lost before it.
fn is_silent(said: &[Saying<'_>], routes: usize, was: &Was) -> bool {
    let last = said.iter().filter(|s| s.has_arrived()).map(|s| s.sent_at).max();
    let (silent, before): (Vec<_>, Vec<_>) = said.iter().partition(|s| last.is_none_or(|l| s.sent_at > l));
    let lost = before.iter().filter(|s| !s.has_arrived()).count();
    let share = (lost + 1) as f64 / (before.len() + 2) as f64;
    let most = if matches!(was, Was::Lost(_)) { -share.ln() } else { f64::INFINITY };
    let nats: f64 = silent.iter().map(|s| s.beyond(was).clamp(0.0, most)).sum();
    silent.len() >= SILENT && nats >= NOTHING_ARRIVES + (routes as f64).ln()
}

/// Loss or delay, if one of them is clear.
fn in_part(now: Sort, said: &[Saying<'_>]) -> Option<Sort> {
    if said.len() < ENOUGH || !said.iter().any(Saying::has_arrived) {
        return None;
    }
    let (lost, late) = (sum_of(said.iter().map(|s| s.lost)), sum_of(said.iter().map(|s| s.late)));
    let [stop, losses @ ..] = lost;
    let most = |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Where what arrives is in time, what does not is no slower than that.
    let (loss, slow) = (most(&losses), latest(said).filter(|(_, nats)| *nats >= CLEARER).map_or(f64::NEG_INFINITY, |_| most(&late)));
    let called = match now {
        Sort::Stop => stop,
        Sort::Loss => loss,
        Sort::Slow => slow,
    };
    let (best, sort) = if slow > loss { (slow, Sort::Slow) } else { (loss, Sort::Loss) };
    (best >= CLEAR && best >= called + CLEARER && (best - loss.min(slow)).abs() >= CLEARER).then_some(sort)
}
