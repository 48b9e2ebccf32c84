//! The ways in which mail can fail, and what each canary says for or against them: likelihood ratios against health.

use super::survival::Survival;
use crate::model::Span;

/// How many there are.
pub(super) const WAYS: usize = 7;
/// Likelihood ratios for each way.
pub(super) type Factors = [f64; WAYS];
/// The same as logarithms.
pub(super) type Nats = [f64; WAYS];
/// The shares of mail that a loss takes. 98 % and not all: one leaked mail must not wipe out what the others show.
pub(super) const LOSSES: [f64; 4] = [0.98, 0.6, 0.3, 0.12];
/// Delays by the factors 6, 12 and 30, in buckets of an eighth of an octave.
const DELAYS: [u32; 3] = [21, 29, 39];
/// How likely each way is before anything was seen, losses first.
pub(super) const BELIEFS: [f64; WAYS] = [0.70, 0.07, 0.07, 0.06, 0.03, 0.04, 0.03];
/// What mail that is late may be late by, where its kind is asked: factors from 5.7 to 181, in buckets.
pub(super) const LATENESSES: usize = 11;
pub(super) const LATE_BY: [u32; LATENESSES] = [20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60];
/// Each of these stands for what lies up to so many buckets beside it.
const BESIDE: i64 = 4;
/// Health may be slower than learnt by half as much again, in buckets: a drift is no failure.
const TOLERATED: u32 = 5;
/// One canary says no more than five nats about delays: densities are estimates.
const CLIPPED: f64 = 148.413_159_102_576_6;
/// Healthy providers refuse this share for the moment: throttling, restarts, a lost connection.
const REFUSED_IN_HEALTH: f64 = 0.05;

/// What a canary in flight says at `age`.
pub(super) fn silent(healthy: &Survival, age: Span) -> Factors {
    silent_at(healthy, healthy.place(age))
}

/// The same, by its place on the axis of buckets.
///
/// A loss of the share s leaves S₁ = s + (1 − s) S₀ of the mail out, whatever is lost in health.
pub(super) fn silent_at(healthy: &Survival, place: f64) -> Factors {
    if place <= 0.0 {
        return [1.0; WAYS];
    }
    let [first, second, third] = DELAYS;
    let [out, tolerated, slower @ ..] = healthy.at_places(place, [0, TOLERATED, first, second, third]);
    // Written out: this is asked of every canary in flight, again and again.
    let (never, not) = (1.0 / out, 1.0 / tolerated);
    let loss = |share: f64| (1.0 - share) + share * never;
    let delay = |out: f64| (out * not).clamp(1.0 / CLIPPED, CLIPPED);
    let ([a, b, c, d], [e, f, g]) = (LOSSES, slower);
    [loss(a), loss(b), loss(c), loss(d), delay(e), delay(f), delay(g)]
}

/// The most that a canary in flight can ever say.
pub(super) fn silent_for_ever(healthy: &Survival) -> Factors {
    let loss = |share: f64| (1.0 - share) + share / healthy.floor();
    let ([a, b, c, d], e) = (LOSSES.map(loss), CLIPPED);
    [a, b, c, d, e, e, e]
}

/// What a canary says that took this long.
pub(super) fn arrived(healthy: &Survival, latency: Span) -> Factors {
    let bucket = i64::try_from(healthy.bucket(latency)).unwrap_or(0);
    let worst = tolerated(healthy, bucket);
    let delay = |by: u32| {
        let slower = bucket - i64::from(by);
        let density = if slower < 0 { 0.0 } else { healthy.density(slower) };
        (density / worst).clamp(1.0 / CLIPPED, CLIPPED)
    };
    let ([a, b, c, d], [e, f, g]) = (LOSSES.map(|share| 1.0 - share), DELAYS.map(delay));
    [a, b, c, d, e, f, g]
}

/// The buckets by which mail takes longer in this way.
pub(super) fn later_by(way: usize) -> u32 {
    delay(way).unwrap_or(0)
}

/// The buckets by which mail takes longer in this way, if it is a delay.
fn delay(way: usize) -> Option<u32> {
    DELAYS.get(way.checked_sub(LOSSES.len())?).copied()
}

/// How likely something is in this way: `slower` says it of mail that takes longer by so many buckets, `lost` of mail that is lost.
fn likely(way: usize, slower: impl Fn(u32) -> f64, lost: f64) -> f64 {
    match LOSSES.get(way) {
        Some(share) => share * lost + (1.0 - share) * slower(0),
        None => slower(delay(way).unwrap_or(0)),
    }
}

/// What a canary in flight says for one way, against mail that merely takes longer, by so many buckets.
pub(super) fn silent_not_slower(healthy: &Survival, age: Span, way: usize, by: u32) -> f64 {
    let place = healthy.place(age);
    if place <= 0.0 {
        return 1.0;
    }
    let out = |slower: u32| healthy.at_place(place - f64::from(slower));
    (likely(way, out, 1.0) / out(by)).min(CLIPPED)
}

/// The same of one that took this long.
pub(super) fn arrived_not_slower(healthy: &Survival, latency: Span, way: usize, by: u32) -> f64 {
    let bucket = i64::try_from(healthy.bucket(latency)).unwrap_or(0);
    let density = |slower: u32| healthy.density((bucket - i64::from(slower)).max(-3));
    (likely(way, density, 0.0) / density(by)).clamp(1.0 / CLIPPED, CLIPPED)
}

/// What a canary in flight says for each lateness, against health; as much as it says for a loss, where late mail cannot have come yet.
pub(super) fn silent_late(healthy: &Survival, age: Span) -> [f64; LATENESSES] {
    let place = healthy.place(age);
    if place <= 0.0 {
        return [1.0; LATENESSES];
    }
    let [out] = healthy.at_places(place, [0]);
    healthy.at_places(place, LATE_BY).map(|late| late / out)
}

/// The same of one that took this long.
pub(super) fn arrived_late(healthy: &Survival, latency: Span) -> [f64; LATENESSES] {
    let bucket = i64::try_from(healthy.bucket(latency)).unwrap_or(0);
    let worst = tolerated(healthy, bucket);
    LATE_BY.map(|by| {
        let place = bucket - i64::from(by);
        let density = if place + BESIDE < 0 { 0.0 } else { healthy.density_within(place, BESIDE) };
        (density / worst).clamp(1.0 / CLIPPED, CLIPPED)
    })
}

/// What a canary that took this long says for mail that is later by so many buckets, against health.
pub(super) fn arrived_later(healthy: &Survival, latency: Span, by: u32) -> f64 {
    let bucket = i64::try_from(healthy.bucket(latency)).unwrap_or(0);
    let density = healthy.density((bucket - i64::from(by)).max(-3));
    (density / tolerated(healthy, bucket)).clamp(1.0 / CLIPPED, CLIPPED)
}

/// The density at a bucket of health that may be a little slower than learnt.
fn tolerated(healthy: &Survival, bucket: i64) -> f64 {
    (0..=i64::from(TOLERATED)).map(|s| healthy.density(bucket - s)).fold(0.0, f64::max)
}

/// What a refusal says that is no word about the account.
pub(super) fn refused() -> Factors {
    let [a, b, c, d] = LOSSES.map(|share| (share + (1.0 - share) * REFUSED_IN_HEALTH) / REFUSED_IN_HEALTH);
    [a, b, c, d, 1.0, 1.0, 1.0]
}

/// What the ways add up to, each by how likely it was before anything was seen.
pub(super) fn mixture(sums: &Factors) -> f64 {
    sums.iter().zip(BELIEFS).map(|(sum, belief)| sum * belief).sum()
}

/// The logarithm of the sum of the numbers with these logarithms.
pub(super) fn ln_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY { most } else { most + logs.map(|l| (l - most).exp()).sum::<f64>().ln() }
}
