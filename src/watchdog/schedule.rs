//! The schedule: when each route's next routine canary is due, and what it is called.

use super::flight::RouteState;
use super::plan::RoutePlan;
use super::state::State;
use crate::model::{At, CanaryId, Name, Route, Span};

/// When the next routine canary of `route` is due. `None` before the first start.
pub(super) fn due(state: &State, planned: &RoutePlan, route: Option<&RouteState>) -> Option<At> {
    let began = state.began?;
    let every = planned.every.as_ms().max(1);
    let origin = began.at.plus(planned.phase);
    let round_of = |at: At| at.since(origin).as_ms() / every;
    let after_last = route.and_then(|r| r.last_routine).map_or(0, |last| round_of(last.plus(Span::from_ms(every / 2))) + 1);
    let instant = |round: u64| origin.plus(Span::from_ms(round.saturating_mul(every))).plus(jitter(planned, began.seed, round));
    // What came due while the watcher slept, or while the provider wanted nothing, is skipped, not caught up with: all at once it would be
    // a burst.
    // So is what came due before the route was there.
    let joined = route.and_then(|r| r.joined);
    let skipped = state.skip_before.max(state.held.get(&planned.route.provider).copied()).max(joined);
    let after_sleep = skipped.map_or(0, |woke| round_of(woke) + u64::from(instant(round_of(woke)) <= woke));
    Some(instant(after_last.max(after_sleep)))
}

/// The id of the next canary of a route: the upper half says which route, the lower counts.
pub(super) fn next_id(route: &RouteState) -> CanaryId {
    route.id(route.serial.wrapping_add(1))
}

/// What the upper half of a route's ids is, if no other route has it.
pub(super) fn key(seed: u64, route: &Route) -> u32 {
    upper_half(hash(seed, names(route), 0))
}

fn jitter(planned: &RoutePlan, seed: u64, round: u64) -> Span {
    let room = planned.jitter.as_ms();
    if room == 0 { Span::ZERO } else { Span::from_ms(hash(seed, names(&planned.route), round.wrapping_add(1)) % room) }
}

fn upper_half(bits: u64) -> u32 {
    u32::try_from(bits >> 32).unwrap_or(u32::MAX)
}

/// An even number for what concerns one provider.
pub(super) fn spread(seed: u64, provider: &Name, salt: u64) -> u64 {
    hash(seed, [provider], salt)
}

const fn names(route: &Route) -> [&Name; 3] {
    [&route.provider, &route.stream, &route.inbox]
}

/// FNV-1a over the names, then the finaliser of `SplitMix64`: even, and the same on every machine.
fn hash<const N: usize>(seed: u64, names: [&Name; N], salt: u64) -> u64 {
    let mut bits = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in names.iter().flat_map(|n| n.as_str().bytes().chain(std::iter::once(0))).chain(salt.to_le_bytes()) {
        bits = (bits ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
