//! The schedule: when each route's next routine canary is due, and what it is called.

use super::flight::RouteState;
use super::plan::{Plan, RoutePlan};
use super::state::State;
use crate::model::{At, CanaryId, Route, Span};

/// A canary is sent up to this share of a route's place in the round sooner or later, so that no two installations beat in time.
const JITTER_DIVISOR: u64 = 4;

/// When the next routine canary of `route` is due. `None` before the first start.
pub(super) fn due(plan: &Plan, state: &State, planned: &RoutePlan, route: Option<&RouteState>) -> Option<At> {
    let began = state.began?;
    let every = plan.every.as_ms().max(1);
    let origin = began.at.plus(planned.phase);
    let round_of = |at: At| at.since(origin).as_ms() / every;
    let after_last = route.and_then(|r| r.last_routine).map_or(0, |last| round_of(last.plus(Span::from_ms(every / 2))) + 1);
    let instant =
        |round: u64| origin.plus(Span::from_ms(round.saturating_mul(every))).plus(jitter(plan, began.seed, &planned.route, round));
    // What came due while the watcher slept is skipped, not caught up with: all at once it would be a burst.
    let after_sleep = state.skip_before.map_or(0, |woke| round_of(woke) + u64::from(instant(round_of(woke)) <= woke));
    Some(instant(after_last.max(after_sleep)))
}

/// The next instant at which anything is due.
pub(super) fn next(plan: &Plan, state: &State) -> Option<(At, Route)> {
    let of = |planned: &RoutePlan| Some((due(plan, state, planned, find(state, &planned.route))?, planned.route.clone()));
    plan.routes.iter().filter_map(of).min()
}

/// Routes whose routine canary is due at `now`.
pub(super) fn all_due(plan: &Plan, state: &State, now: At) -> Vec<Route> {
    let is_due = |planned: &&RoutePlan| due(plan, state, planned, find(state, &planned.route)).is_some_and(|at| at <= now);
    plan.routes.iter().filter(is_due).map(|planned| planned.route.clone()).collect()
}

/// The id of the next canary of `route`: the upper half says which route, the lower counts.
pub(super) fn next_id(state: &State, route: &Route) -> CanaryId {
    if let Some(known) = find(state, route) {
        return id(known.key, known.serial.wrapping_add(1));
    }
    let seed = state.began.map_or(0, |b| b.seed);
    // No route is called zero: that is for canaries that belong to no schedule.
    let mut key = upper_half(hash(seed, route, 0));
    while key == 0 || state.routes.iter().any(|r| r.key == key) {
        key = key.wrapping_add(1);
    }
    id(key, 1)
}

fn id(key: u32, serial: u32) -> CanaryId {
    CanaryId::from_bits((u64::from(key) << 32) | u64::from(serial))
}

fn find<'s>(state: &'s State, route: &Route) -> Option<&'s RouteState> {
    state.routes.iter().find(|r| r.route == *route)
}

fn jitter(plan: &Plan, seed: u64, route: &Route, round: u64) -> Span {
    let room = plan.every.as_ms() / u64::try_from(plan.routes.len().max(1)).unwrap_or(1) / JITTER_DIVISOR;
    if room == 0 { Span::ZERO } else { Span::from_ms(hash(seed, route, round.wrapping_add(1)) % room) }
}

fn upper_half(bits: u64) -> u32 {
    u32::try_from(bits >> 32).unwrap_or(u32::MAX)
}

/// FNV-1a over the route's name, then the finaliser of `SplitMix64`: even, and the same on every machine.
fn hash(seed: u64, route: &Route, salt: u64) -> u64 {
    let mut bits = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    let names = [&route.provider, &route.stream, &route.inbox];
    for byte in names.iter().flat_map(|n| n.as_str().bytes().chain(std::iter::once(0))).chain(salt.to_le_bytes()) {
        bits = (bits ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
