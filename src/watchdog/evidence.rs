//! Evidence: what each route's canaries show, counted in the order of sending and only up to what was read.

use super::canary::Canary;
use super::flight::RouteState;
use super::plan::Plan;
use super::state::State;
use super::trace::Said;
use crate::model::{At, CanaryId, Class, Kind, Outcome, Placement, Reason, Span};

/// How many of the newest settled canaries a share is taken of.
pub(super) const WINDOW: usize = 20;
/// Nobody is called overdue sooner.
const PATIENCE_AT_LEAST: Span = Span::from_secs(1);
/// What is older than this share of healthy mail that arrives is overdue…
const USUAL: f64 = 0.95;
/// …or, where so many are greylisted that this is minutes, than this share.
const USUAL_WHERE_GREY: f64 = 0.85;
/// A usual latency longer than this is a greylist's.
const GREY: Span = Span::from_secs(120);
/// This share is lost in health.
pub(super) const LOST_IN_HEALTH: f64 = 0.005;
/// And this is late: longer on its way than what is usual.
pub(super) const LATE_IN_HEALTH: f64 = 1.0 - USUAL;
/// So many of the newest arrivals tell whether a route lands in Junk.
const LATELY: usize = 5;
/// And so many, whether it goes on…
const MORE: usize = 10;
/// …with this much of them in Junk it lands there, now and then…
const CHRONIC: usize = 4;
/// …and with so much it is over.
const STRAY: usize = 1;

/// One that was taken before so many were refused is a straggler: what is missing was refused.
const REFUSED_FOR_ONE: u64 = 3;

/// What one route shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Whether it proves anything: its inbox can be read, its seed is written to, and something was sent.
    pub(super) live: bool,
    /// Overdue or refused canaries in a row, the newest last, since the last that arrived.
    pub(super) row: u64,
    /// Canaries that have not come and are not overdue yet, sent after the last that arrived.
    pub(super) silent: u64,
    /// The first of all that have not come since: when it was sent, and which it is.
    pub(super) first_missing: Option<(At, CanaryId)>,
    /// The class of the newest refusal in the row, if all of the row was refused, but for a straggler: the mail that is missing never left.
    pub(super) row_class: Option<Class>,
    /// How many of the row were taken.
    pub(super) row_taken: u64,
    /// When the first of the row was sent.
    pub(super) row_since: Option<At>,
    /// The first of the row.
    pub(super) first_bad: Option<CanaryId>,
    /// When the newest canary that arrived was sent.
    pub(super) good_sent_at: Option<At>,
    /// That canary.
    pub(super) last_good: Option<CanaryId>,
    /// Canaries not yet overdue.
    pub(super) waiting: bool,
    /// When the oldest of them is overdue.
    pub(super) overdue_at: Option<At>,
    /// The class of the newest routine answer, if it was a refusal.
    pub(super) refusal: Option<Class>,
    /// Whether that refusal is of a class that only warns.
    pub(super) warned: bool,
    /// Of the last [`WINDOW`] settled canaries, how many are missing.
    pub(super) missing: u64,
    /// How many that window holds.
    pub(super) judged: u64,
    /// Of the newest arrivals, how many lie in Junk, and how many there are.
    pub(super) in_junk: (usize, usize),
    /// Most of the newest arrivals lie in Junk.
    pub(super) junked: bool,
    /// At least one of them does.
    pub(super) junked_perhaps: bool,
    /// The newest settled canaries that count, newest first: when each was sent, and whether it arrived.
    pub(super) settled: Vec<(At, bool)>,
    /// The usual latency of nearly all, if it is known.
    pub(super) usual: Option<Span>,
}

/// What the route in `slot` shows.
pub(super) fn tally(plan: &Plan, state: &State, slot: usize) -> Tally {
    let (Some(planned), Some(route)) = (plan.routes.get(slot), state.routes.get(slot)) else { return Tally::default() };
    let horizon = state.inboxes.get(&planned.route.inbox).and_then(|i| state.horizon(i));
    let patience = patience(route, planned.deadline);
    let usual = (route.survival.taught > 0).then(|| usual(route));
    let mut tally = Tally { live: state.sees(&planned.route.inbox) && !route.is_suppressed(), usual, ..Tally::default() };
    tally.refusal = newest_refusal(route);
    tally.warned = matches!(tally.refusal, Some(Class::Suppressed | Class::Recipient));
    let mut row_open = true;
    for canary in route.canaries.iter().rev().filter(|c| counts(route, c)) {
        let state = stand(canary, horizon, patience);
        if let Stand::Waiting = state {
            tally.waiting = true;
            let due = canary.sent_at().plus(patience);
            tally.overdue_at = Some(tally.overdue_at.map_or(due, |at| at.min(due)));
        }
        if row_open && !matches!(state, Stand::Arrived | Stand::Nothing) {
            tally.silent += u64::from(matches!(state, Stand::Waiting));
            tally.first_missing = Some((canary.sent_at(), route.id(canary.serial)));
        }
        row_open = in_row(&mut tally, canary, route.id(canary.serial), state, row_open);
        if !row_open && tally.judged >= u64::try_from(WINDOW).unwrap_or(u64::MAX) {
            break;
        }
    }
    tally.live &= !route.canaries.is_empty();
    lately(&mut tally, state, route);
    tally
}

/// Takes one canary, newest first, into the row and the window. Says whether the row goes on.
fn in_row(tally: &mut Tally, canary: &Canary, id: CanaryId, stand: Stand, row_open: bool) -> bool {
    let judged = tally.judged < u64::try_from(WINDOW).unwrap_or(u64::MAX);
    match stand {
        Stand::Waiting | Stand::Nothing => row_open,
        Stand::Arrived => {
            tally.judged += u64::from(judged);
            tally.settled.push((canary.sent_at(), true));
            if row_open {
                tally.good_sent_at = Some(canary.sent_at());
                tally.last_good = Some(id);
            }
            false
        }
        Stand::Overdue | Stand::Refused(_) => {
            tally.judged += u64::from(judged);
            tally.missing += u64::from(judged);
            tally.settled.push((canary.sent_at(), false));
            if row_open {
                tally.row_taken += u64::from(!matches!(stand, Stand::Refused(_)));
                let few_taken = (tally.row + 1 - tally.row_taken) >= REFUSED_FOR_ONE * tally.row_taken;
                tally.row_class = match stand {
                    Stand::Refused(class) if tally.row == 0 => Some(class),
                    Stand::Refused(_) | Stand::Overdue => tally.row_class.filter(|_| few_taken),
                    Stand::Arrived | Stand::Waiting | Stand::Nothing => None,
                };
                tally.row += 1;
                tally.row_since = Some(canary.sent_at());
                tally.first_bad = Some(id);
            }
            row_open
        }
    }
}

/// Where one canary stands.
#[derive(Clone, Copy)]
enum Stand {
    Arrived,
    Overdue,
    Refused(Class),
    Waiting,
    /// It proves nothing: a confirmation that was throttled, or a suppressed address.
    Nothing,
}

fn stand(canary: &Canary, horizon: Option<At>, patience: Span) -> Stand {
    if canary.has_arrived() {
        return Stand::Arrived;
    }
    match canary.outcome() {
        Some(Outcome::Refused(Class::Suppressed | Class::Recipient)) => return Stand::Nothing,
        Some(Outcome::Refused(Class::Rate | Class::Transient)) if canary.reason() == Reason::Confirmation => return Stand::Nothing,
        Some(Outcome::Refused(class)) => return Stand::Refused(class),
        Some(Outcome::Accepted | Outcome::Unknown) | None => {}
    }
    // A canary's age counts up to the last complete read of its inbox, never to now.
    if canary.is_lost() || horizon.is_some_and(|h| h >= canary.sent_at().plus(patience)) { Stand::Overdue } else { Stand::Waiting }
}

/// The newest routine canary that was answered, if the answer was no.
fn newest_refusal(route: &RouteState) -> Option<Class> {
    let answered = |c: &&Canary| c.reason() == Reason::Routine && (c.outcome().is_some() || c.has_arrived());
    let newest = route.canaries.iter().rev().find(answered)?;
    match newest.outcome()? {
        Outcome::Refused(class) => Some(class),
        Outcome::Accepted | Outcome::Unknown => None,
    }
}

/// Whether a route proves anything: its inbox can be read, and something was sent.
pub(super) fn is_live(plan: &Plan, state: &State, slot: usize) -> bool {
    let name = plan.routes.get(slot).map(|r| &r.route.inbox);
    name.is_some_and(|n| state.sees(n)) && state.routes.get(slot).is_some_and(|r| r.serial > 0)
}

/// Whether a route has anything to show in a failure: a canary in flight, or a refusal.
pub(super) fn shows(state: &State, slot: usize) -> bool {
    state.routes.get(slot).is_some_and(|r| state.sees(&r.route.inbox) && (r.refusal.is_some() || r.flying.iter().any(|f| f.counted)))
}

/// What providers said of canaries over these routes that have not come since the last arrival; what tells most first, then the newest.
pub(super) fn said<'s>(plan: &Plan, state: &'s State, routes: &[usize]) -> Vec<((&'s RouteState, &'s Canary), &'s Said)> {
    let known = routes.iter().filter(|slot| **slot < plan.routes.len()).filter_map(|slot| state.routes.get(*slot));
    let missing = known.flat_map(|r| r.canaries.iter().rev().take_while(|c| !c.has_arrived()).map(move |c| (r, c)));
    let mut said: Vec<_> = missing.filter_map(|(r, c)| Some(((r, c), r.canaries.trace(c)?.said.as_ref()?))).collect();
    said.sort_by_key(|((_, canary), said)| std::cmp::Reverse((said.fate, canary.sent_at())));
    said
}

/// What nearly all of a route's mail takes.
pub(super) fn usual(route: &RouteState) -> Span {
    let taken = |share: f64| {
        let floor = route.survival.floor();
        route.survival.when(floor + (1.0 - floor) * (1.0 - share))
    };
    taken(USUAL).filter(|u| *u <= GREY).or_else(|| taken(USUAL_WHERE_GREY)).unwrap_or(GREY)
}

/// How many are missing of how many, since mail most likely began to get lost: what arrived before that tells nothing of the share.
pub(super) fn lost_of(tallies: &[Tally]) -> (u64, u64) {
    let mut settled: Vec<(At, bool)> = tallies.iter().flat_map(|t| t.settled.iter().copied()).collect();
    settled.sort_unstable_by(|a, b| b.cmp(a));
    since_it_began(settled.into_iter().map(|(_, arrived)| !arrived), LOST_IN_HEALTH)
}

/// How many are bad of how many, newest first, since that most likely began, where a share of `in_health` always is.
pub(super) fn since_it_began(newest_first: impl Iterator<Item = bool>, in_health: f64) -> (u64, u64) {
    let (mut bad, mut sent, mut best) = (0_u64, 0_u64, (0.0, (0, 0)));
    for is_bad in newest_first {
        sent += 1;
        bad += u64::from(is_bad);
        let (lost, all) = (bad as f64, sent as f64);
        let term = |count: f64, healthy: f64| if count > 0.0 { count * (count / all / healthy).ln() } else { 0.0 };
        let nats = term(lost, in_health) + term(all - lost, 1.0 - in_health);
        if nats >= best.0 {
            best = (nats, (bad, sent));
        }
    }
    best.1
}

/// The newest canaries of a route that have settled and count, newest first, and whether each arrived.
pub(super) fn settled<'s>(plan: &'s Plan, state: &'s State, slot: usize) -> impl Iterator<Item = (&'s Canary, bool)> {
    arrived_or_not(plan, state, slot).filter(move |(c, _)| state.routes.get(slot).is_some_and(|route| counts(route, c)))
}

/// The same of those that were sent since then, though an alarm that judged them is over.
pub(super) fn settled_since<'s>(plan: &'s Plan, state: &'s State, slot: usize, since: At) -> impl Iterator<Item = (&'s Canary, bool)> {
    arrived_or_not(plan, state, slot).take_while(move |(c, _)| c.sent_at() >= since)
}

fn arrived_or_not<'s>(plan: &'s Plan, state: &'s State, slot: usize) -> impl Iterator<Item = (&'s Canary, bool)> {
    let known = plan.routes.get(slot).zip(state.routes.get(slot));
    known.into_iter().flat_map(move |(planned, route)| {
        let horizon = state.inboxes.get(&planned.route.inbox).and_then(|i| state.horizon(i));
        let patience = patience(route, planned.deadline);
        let newest = route.canaries.iter().rev().filter(|c| !c.is_set_aside());
        newest.filter_map(move |canary| match stand(canary, horizon, patience) {
            Stand::Arrived => Some((canary, true)),
            Stand::Overdue | Stand::Refused(_) => Some((canary, false)),
            Stand::Waiting | Stand::Nothing => None,
        })
    })
}

/// Whether a canary tells anything of how its route is now.
pub(super) fn counts(route: &RouteState, canary: &Canary) -> bool {
    !canary.is_set_aside() && route.judged_before.is_none_or(|before| canary.sent_at() >= before)
}

/// How old what has not come must be to be called overdue.
fn patience(route: &RouteState, deadline: Span) -> Span {
    usual(route).max(PATIENCE_AT_LEAST).min(deadline)
}

/// Of the newest arrivals over these routes, how many lie in Junk, and how many there are.
pub(super) fn in_junk<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> (usize, usize) {
    tallies.into_iter().fold((0, 0), |(junk, all), t| (junk + t.in_junk.0, all + t.in_junk.1))
}

/// When the first and the last were sent of the newest arrivals over a route that lie in Junk.
pub(super) fn junk_span(state: &State, slot: usize) -> Option<(At, At)> {
    let mut junk = arrivals(state, slot).filter(|(_, junk)| *junk).map(|(at, _)| at);
    let last = junk.next()?;
    Some((junk.last().unwrap_or(last), last))
}

/// Of the newest arrivals over a route that were sent in this time, how many lie in Junk, and how many there are.
pub(super) fn landed(state: &State, slot: usize, (from, to): (At, At)) -> (usize, usize) {
    let within = arrivals(state, slot).filter(|(at, _)| *at >= from && *at <= to);
    within.fold((0, 0), |(bad, all), (_, junk)| (bad + usize::from(junk), all + 1))
}

/// The newest arrivals over a route that count, newest first: when each was sent, and whether it lies in Junk.
fn arrivals(state: &State, slot: usize) -> impl Iterator<Item = (At, bool)> {
    let route = state.routes.get(slot);
    let all = route.into_iter().flat_map(|route| route.canaries.iter().rev().filter(|c| c.has_arrived() && counts(route, c)));
    all.take(MORE).map(|c| (c.sent_at(), c.placement() == Some(Placement::Junk)))
}

/// Junk among the newest arrivals. What was told as junk is so until next to none of it is: half of the mail in Junk is one incident.
fn lately(tally: &mut Tally, state: &State, route: &RouteState) {
    let newest = route.canaries.iter().rev().filter(|c| c.has_arrived() && counts(route, c));
    let newest: Vec<bool> = newest.take(MORE).map(|c| c.placement() == Some(Placement::Junk)).collect();
    let junk = newest.iter().filter(|junk| **junk).count();
    let latest = newest.iter().take(LATELY).filter(|junk| **junk).count();
    tally.in_junk = (junk, newest.len());
    // Of a route on which little has arrived it is not known yet that it is well.
    tally.junked_perhaps = latest > 0;
    if newest.len() < LATELY {
        return;
    }
    let told = state.open().any(|i| i.shown.kind == Kind::Junked && i.shown.culprit.covers(&route.route));
    tally.junked = if told { junk > STRAY } else { latest * 2 > LATELY || junk >= CHRONIC };
}
