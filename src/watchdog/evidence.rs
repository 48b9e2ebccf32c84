//! Evidence: what each route's canaries show, counted in the order of sending and only up to what was read.

use super::flight::{Canary, RouteState};
use super::plan::{Plan, RoutePlan};
use super::state::State;
use crate::model::{At, CanaryId, Class, Outcome, Placement, Reason, Span};

/// How many of the newest settled canaries a share is taken of.
pub(super) const WINDOW: usize = 20;
/// Nobody is called overdue sooner: queues and greylists of healthy servers stall for seconds.
const PATIENCE_AT_LEAST: Span = Span::from_secs(10);
/// Before anything was learnt: the slow end of what healthy providers take without greylisting.
const PATIENCE_AT_FIRST: Span = Span::from_secs(60);
/// So many arrivals are needed before a route's own latencies count.
const LEARNT_FROM: usize = 8;
/// So many of the newest arrivals tell whether a route is slow, or lands in Junk.
const LATELY: usize = 5;
/// Slow is this many times the usual median.
const SLOW_FACTOR: u64 = 8;

/// What one route shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Whether it proves anything: its inbox can be read, and something was sent.
    pub(super) live: bool,
    /// Up to when its inbox was read.
    pub(super) horizon: Option<At>,
    /// How old a canary may become before it is overdue.
    pub(super) patience: Span,
    /// Overdue or refused canaries in a row, the newest last, since the last that arrived.
    pub(super) row: u64,
    /// The class of the newest refusal in the row, if all of the row was refused: the mail that is missing never left.
    pub(super) row_class: Option<Class>,
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
    /// The newest arrivals took much longer than is usual.
    pub(super) slow: bool,
    /// At least one of them did.
    pub(super) slow_perhaps: bool,
    /// Most of the newest arrivals lie in Junk.
    pub(super) junked: bool,
    /// At least one of them does.
    pub(super) junked_perhaps: bool,
    /// The newest settled canaries that count, newest first: when each was sent, and whether it arrived.
    pub(super) settled: Vec<(At, bool)>,
    /// The usual latency of nearly all, if it is known.
    pub(super) usual: Option<Span>,
}

/// One for each route of the plan, in its order.
pub(super) fn tally_all(plan: &Plan, state: &State) -> Vec<Tally> {
    plan.routes.iter().map(|route| tally(plan, state, route)).collect()
}

fn tally(plan: &Plan, state: &State, planned: &RoutePlan) -> Tally {
    let Some(route) = state.routes.iter().find(|r| r.route == planned.route) else { return Tally::default() };
    let horizon = state.inboxes.get(&planned.route.inbox).and_then(|i| i.horizon);
    let usual = usual(plan, state, route);
    let patience = patience(usual, planned.deadline);
    let mut tally = Tally { live: state.sees(&planned.route.inbox), horizon, patience, usual, ..Tally::default() };
    tally.refusal = newest_refusal(route);
    tally.warned = matches!(tally.refusal, Some(Class::Suppressed | Class::Recipient));
    let mut row_open = true;
    let fresh = |c: &&Canary| !c.set_aside && route.judged_before.is_none_or(|before| c.sent_at >= before);
    for canary in route.canaries.iter().rev().filter(fresh) {
        let state = stand(canary, horizon, patience);
        if let Stand::Waiting = state {
            tally.waiting = true;
            let due = canary.sent_at.plus(patience);
            tally.overdue_at = Some(tally.overdue_at.map_or(due, |at| at.min(due)));
        }
        row_open = in_row(&mut tally, canary, state, row_open);
        if !row_open && tally.judged >= u64::try_from(WINDOW).unwrap_or(u64::MAX) {
            break;
        }
    }
    tally.live &= !route.canaries.is_empty();
    lately(&mut tally, route);
    tally
}

/// Takes one canary, newest first, into the row and the window. Says whether the row goes on.
fn in_row(tally: &mut Tally, canary: &Canary, stand: Stand, row_open: bool) -> bool {
    let judged = tally.judged < u64::try_from(WINDOW).unwrap_or(u64::MAX);
    match stand {
        Stand::Waiting | Stand::Nothing => row_open,
        Stand::Arrived => {
            tally.judged += u64::from(judged);
            tally.settled.push((canary.sent_at, true));
            if row_open {
                tally.good_sent_at = Some(canary.sent_at);
                tally.last_good = Some(canary.id);
            }
            false
        }
        Stand::Overdue | Stand::Refused(_) => {
            tally.judged += u64::from(judged);
            tally.missing += u64::from(judged);
            tally.settled.push((canary.sent_at, false));
            if row_open {
                tally.row_class = match stand {
                    Stand::Refused(class) if tally.row == 0 => Some(class),
                    Stand::Refused(_) => tally.row_class,
                    Stand::Arrived | Stand::Overdue | Stand::Waiting | Stand::Nothing => None,
                };
                tally.row += 1;
                tally.row_since = Some(canary.sent_at);
                tally.first_bad = Some(canary.id);
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
    if canary.arrival.is_some() {
        return Stand::Arrived;
    }
    match canary.answer.as_ref().map(|a| a.outcome) {
        Some(Outcome::Refused(Class::Suppressed | Class::Recipient)) => return Stand::Nothing,
        Some(Outcome::Refused(Class::Rate | Class::Transient)) if canary.reason == Reason::Confirmation => return Stand::Nothing,
        Some(Outcome::Refused(class)) => return Stand::Refused(class),
        Some(Outcome::Accepted | Outcome::Unknown) | None => {}
    }
    // A canary's age counts up to the last complete read of its inbox, never to now.
    if canary.lost || horizon.is_some_and(|h| h >= canary.sent_at.plus(patience)) { Stand::Overdue } else { Stand::Waiting }
}

/// The newest routine canary that was answered, if the answer was no.
fn newest_refusal(route: &RouteState) -> Option<Class> {
    let answered = |c: &&Canary| c.reason == Reason::Routine && (c.answer.is_some() || c.arrival.is_some());
    let newest = route.canaries.iter().rev().find(answered)?;
    match newest.answer.as_ref()?.outcome {
        Outcome::Refused(class) => Some(class),
        Outcome::Accepted | Outcome::Unknown => None,
    }
}

/// What nearly all of a route's mail takes: the nineteenth of twenty. Until the route itself is known, what its provider's and its
/// inbox's other routes take.
fn usual(plan: &Plan, state: &State, route: &RouteState) -> Option<Span> {
    let mut own: Vec<u32> = route.usual.iter().copied().collect();
    if own.len() < LEARNT_FROM {
        let kin = |r: &&RouteState| {
            (r.route.provider == route.route.provider || r.route.inbox == route.route.inbox) && plan.find(&r.route).is_some()
        };
        own = state.routes.iter().filter(kin).flat_map(|r| r.usual.iter().copied()).collect();
    }
    if own.len() < LEARNT_FROM {
        return None;
    }
    own.sort_unstable();
    own.get(own.len() * 19 / 20).map(|ms| Span::from_ms(u64::from(*ms)))
}

fn patience(usual: Option<Span>, deadline: Span) -> Span {
    usual.map_or(PATIENCE_AT_FIRST, |u| u.scaled(3, 1).max(PATIENCE_AT_LEAST)).min(deadline)
}

/// Slowness and junk among the newest arrivals.
fn lately(tally: &mut Tally, route: &RouteState) {
    let fresh = |c: &&Canary| !c.set_aside && route.judged_before.is_none_or(|before| c.sent_at >= before);
    let newest: Vec<&Canary> = route.canaries.iter().rev().filter(|c| c.arrival.is_some()).filter(fresh).take(LATELY).collect();
    if newest.len() < LATELY {
        return;
    }
    let mut latencies: Vec<u64> = newest.iter().filter_map(|c| c.latency()).map(Span::as_ms).collect();
    latencies.sort_unstable();
    let mut usual: Vec<u32> = route.usual.iter().copied().collect();
    usual.sort_unstable();
    let median = latencies.get(latencies.len() / 2).copied().unwrap_or(0);
    let usual_median = usual.get(usual.len() / 2).map_or(0, |ms| u64::from(*ms));
    let limit = (usual_median * SLOW_FACTOR).max(PATIENCE_AT_LEAST.as_ms());
    let known = route.usual.len() > 4 * LATELY;
    tally.slow = known && median > limit;
    tally.slow_perhaps = known && latencies.last().is_some_and(|slowest| *slowest > limit);
    let junk = newest.iter().filter(|c| c.arrival.as_ref().is_some_and(|a| a.placement == Placement::Junk)).count();
    tally.junked = junk * 2 > LATELY;
    tally.junked_perhaps = junk > 0;
}
