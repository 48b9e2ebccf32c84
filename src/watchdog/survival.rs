//! What is healthy: how long mail of a route takes, learnt online from what arrived and what did not.
//!
//! A discrete survival function over ages in steps of an eighth of an octave, estimated as Beta-Stacy hazards (Walker and Muliere 1997:
//! Kaplan–Meier with a prior), so that it needs no family of curves and its tail is never zero. What is old weighs less.

use serde::{Deserialize, Serialize};

use super::lessons::{BUCKETS, Counts, ms, narrow};
use crate::model::{At, Span};

/// The lower edge of the first bucket, in milliseconds.
const FIRST_EDGE_MS: f64 = 250.0;
/// The prior weighs as much as so many canaries.
const PRIOR_WEIGHT: f64 = 30.0;
/// The median of most mail before anything is known.
const PRIOR_MEDIAN_MS: f64 = 8000.0;
/// A world may be slower than thought by this many buckets: 128 times…
const SLOWER_AT_MOST: f64 = 56.0;
/// …and less than this is no other world.
const SLOWER_AT_LEAST: f64 = 4.0;
/// Before anything has arrived at all nobody knows how slow this world is: silence says nothing until this age…
const PATIENT_MS: f64 = 300_000.0;
/// A route that has learnt from fewer than this learns in an alarm, too: it may be that health was not known.
const YOUNG: u32 = 60;
/// …or, where people were told of the failure, fewer than this.
const VERY_YOUNG: u32 = 16;
/// The scale moves by this much (in the logarithm) with every arrival: a running median by the sign of the step.
const SCALE_STEP: f64 = 0.02;
/// And no further than this: more is a failure, and no time of day.
const SCALE_AT_MOST: f64 = 1.5;
/// Arrivals before the scale may move: the median must be known first.
const SCALE_AFTER: u32 = 60;
/// The scale is of the body, full below this age…
const BODY_MS: f64 = 30_000.0;
/// …and gone at this: greylists and retries keep their times of the clock at night too.
const TAIL_MS: f64 = 240_000.0;

/// Times in a canary's life at which its silence is looked at, for as long as nobody is suspicious: when a half, a quarter and so on of
/// healthy mail is still out.
pub(super) const LOOKS: usize = 6;
/// The last look is where hardly anything of what will come is still out.
const LAST_LOOK: f64 = 1.2;

/// Prior hazards, and the survival that they make.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    /// For each bucket the hazard, and the share that is out at its lower edge.
    steps: Vec<(f64, f64)>,
    /// Whether it comes from mail that was seen.
    taught: bool,
}

impl Prior {
    /// Before anything is known: 88 % lognormal (median 8 s, sigma 1.2), 10.5 % greylisted for 2 to 30 min, 1.5 % lost.
    pub(super) fn untaught() -> Self {
        let survival = |age_ms: f64| {
            let body = 1.0 - normal((age_ms / PRIOR_MEDIAN_MS).ln() / 1.2);
            let grey = 1.0 - ((age_ms / 120_000.0).ln() / 15.0_f64.ln()).clamp(0.0, 1.0);
            0.88 * body + 0.105 * grey + 0.015
        };
        let mut left = 1.0;
        let hazard = |edge: u32| {
            let after = survival(edge_ms(f64::from(edge) + 1.0));
            let hazard = 1.0 - after / left;
            let entry = (hazard, left);
            left = after;
            entry
        };
        Self { steps: (0_u32..).take(BUCKETS).map(hazard).collect(), taught: false }
    }

    /// The share that is out at each edge.
    fn edges(&self) -> Vec<f64> {
        let last = self.steps.last().map(|(hazard, left)| left * (1.0 - hazard));
        self.steps.iter().map(|(_, left)| *left).chain(last).collect()
    }

    /// The same of a world that is slower than thought: moved towards this median.
    fn slower(&self, median_ms: f64) -> Self {
        let edges = self.edges();
        let floor = edges.last().copied().unwrap_or(0.0);
        let own = edges.partition_point(|left| *left > f64::midpoint(1.0, floor)) as f64;
        let by = (8.0 * (median_ms / FIRST_EDGE_MS).log2() - own).min(SLOWER_AT_MOST);
        if by < SLOWER_AT_LEAST {
            return self.clone();
        }
        let at = |place: f64| {
            if place <= 0.0 {
                return 1.0;
            }
            let whole = place as usize;
            match (edges.get(whole), edges.get(whole + 1)) {
                (Some(a), Some(b)) => a + (b - a) * (place - place.floor()),
                _ => floor,
            }
        };
        let moved = (0_u32..).take(BUCKETS).map(|bucket| {
            let (left, after) = (at(f64::from(bucket) - by), at(f64::from(bucket) + 1.0 - by));
            (1.0 - after / left.max(1e-12), left)
        });
        Self { steps: moved.collect(), taught: self.taught }
    }

    /// What a route's kin show, where this is all that is known of them.
    pub(super) fn taught_by(&self, kin: &[&Counts]) -> Self {
        let mut dead = vec![0.0_f64; BUCKETS];
        let mut lost = 0.0;
        let mut weight = 0.0;
        for counts in kin {
            // Each counts in units of its own newest arrival.
            let unit = f64::from(counts.unit).max(f64::MIN_POSITIVE);
            for (sum, d) in dead.iter_mut().zip(&counts.arrived) {
                *sum += f64::from(*d) / unit;
            }
            lost += f64::from(counts.lost) / unit;
            weight += 1.0;
        }
        if weight == 0.0 {
            return self.clone();
        }
        let base = median_ms(&dead).map_or_else(|| self.clone(), |(median, _)| self.slower(median));
        let mut left = 1.0;
        let steps = base.posterior(&dead, lost, PRIOR_WEIGHT).map(|hazard| {
            let step = (hazard, left);
            left *= 1.0 - hazard;
            step
        });
        Self { steps: steps.collect(), taught: true }
    }

    /// Beta-Stacy hazards from what arrived in each bucket and what was lost.
    fn posterior(&self, arrived: &[f64], lost: f64, weight: f64) -> impl Iterator<Item = f64> {
        let mut at_risk = lost + arrived.iter().sum::<f64>();
        self.steps.iter().zip(arrived).map(move |((hazard, left), d)| {
            let strength = weight * left;
            let posterior = (d + strength * hazard) / (at_risk + strength);
            at_risk = (at_risk - d).max(lost);
            posterior
        })
    }
}

/// The median of what arrived, and how much that weighs.
fn median_ms(arrived: &[f64]) -> Option<(f64, f64)> {
    let weight: f64 = arrived.iter().sum();
    let mut sum = 0.0;
    let place = arrived.iter().position(|d| {
        sum += d;
        sum >= weight / 2.0
    })?;
    (weight > 0.0).then(|| (edge_ms(place as f64 + 0.5), weight))
}

/// One route's survival function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Survival {
    counts: Counts,
    /// The share that is still out at each edge.
    left: Vec<f32>,
    /// Where silence begins to say something more, on the axis of buckets.
    looks: [f32; LOOKS],
    /// The logarithm of the time of day's scale.
    scale: f32,
    /// Canaries learnt from.
    pub(super) taught: u32,
    /// Of these, since the function was drawn anew.
    stale: u32,
}

impl Survival {
    /// Learns from one canary: how long it took, or that it was lost.
    pub(super) fn learn(&mut self, at: At, latency: Option<Span>) -> Option<usize> {
        let bucket = latency.map(|l| self.bucket(l));
        self.counts.add(at, bucket);
        self.taught = self.taught.saturating_add(1);
        self.stale += 1;
        if let (Some(latency), true) = (latency, self.taught > SCALE_AFTER) {
            self.follow(latency);
        }
        bucket
    }

    /// Learns that one counted as lost has arrived.
    pub(super) fn learn_late(&mut self, at: At, latency: Span) {
        let bucket = self.bucket(latency);
        self.counts.find_again(at, bucket);
    }

    /// Whether enough was learnt to draw the function anew.
    pub(super) fn is_stale(&self) -> bool {
        self.stale.saturating_mul(24) >= self.taught.min(24 * 24)
    }

    /// Whether so little was learnt that health itself is in doubt, `told` if people were told that it fails.
    pub(super) const fn is_young(&self, told: bool) -> bool {
        self.taught < if told { VERY_YOUNG } else { YOUNG }
    }

    pub(super) const fn is_drawn(&self) -> bool {
        !self.left.is_empty()
    }

    /// Draws the function anew.
    pub(super) fn draw(&mut self, prior: &Prior) {
        self.stale = 0;
        let unit = if self.counts.is_empty() { 1.0 } else { f64::from(self.counts.unit) };
        let mut arrived: Vec<f64> = Vec::with_capacity(BUCKETS);
        arrived.extend(self.counts.arrived.iter().map(|d| f64::from(*d)));
        arrived.resize(BUCKETS, 0.0);
        let mut left = 1.0;
        let moved = match median_ms(&arrived) {
            // A few arrivals tell little of the shape, but how slow this world is.
            Some((median, weight)) if self.is_young(false) || !prior.taught => {
                prior.slower(median * (PRIOR_MEDIAN_MS / median).min(1.0).powf(0.5 * unit / (weight + 0.5 * unit)))
            }
            None if !prior.taught => prior.slower(PATIENT_MS),
            _ => prior.clone(),
        };
        let hazards = moved.posterior(&arrived, f64::from(self.counts.lost), PRIOR_WEIGHT * unit);
        self.left = std::iter::once(1.0)
            .chain(hazards.map(|h| {
                left *= 1.0 - h;
                narrow(left)
            }))
            .collect();
        let mut share = 1.0_f64;
        for look in 0..LOOKS {
            share = (share / 2.0).max(self.floor() * LAST_LOOK);
            let place = self.place_of(share).unwrap_or(BUCKETS as f64);
            if let Some(kept) = self.looks.get_mut(look) {
                *kept = narrow(place);
            }
        }
    }

    /// The age of the first look after `age`; `None` if silence says nothing more.
    pub(super) fn next_look(&self, age: Span) -> Option<Span> {
        let place = self.place(age) + 0.05;
        let next = self.looks.iter().map(|look| f64::from(*look)).find(|look| *look > place)?;
        Some(self.age_at(next))
    }

    /// The share of healthy mail that is older than `age`.
    pub(super) fn at(&self, age: Span) -> f64 {
        self.at_place(self.place(age))
    }

    /// The same at a place on the axis of buckets.
    pub(super) fn at_place(&self, place: f64) -> f64 {
        let [out] = self.at_places(place, [0]);
        out
    }

    /// The same at places that lie so many whole buckets before `place`.
    pub(super) fn at_places<const N: usize>(&self, place: f64, before: [u32; N]) -> [f64; N] {
        if place <= 0.0 {
            return [1.0; N];
        }
        let whole = place as usize;
        let part = place - whole as f64;
        let mut out = [1.0; N];
        for (out, by) in out.iter_mut().zip(before) {
            let Some(index) = usize::try_from(by).ok().and_then(|by| whole.checked_sub(by)) else { continue };
            *out = match self.left.get(index..index + 2) {
                Some([a, b]) => f64::from(*a) + (f64::from(*b) - f64::from(*a)) * part,
                _ => self.floor(),
            };
        }
        out
    }

    /// The share that never comes.
    pub(super) fn floor(&self) -> f64 {
        self.left.last().map_or(1.0, |l| f64::from(*l))
    }

    /// The density around a bucket, smoothed over five.
    pub(super) fn density(&self, bucket: i64) -> f64 {
        self.density_within(bucket, 2)
    }

    /// The density around a bucket, smoothed over it and so many on either side.
    pub(super) fn density_within(&self, bucket: i64, beside: i64) -> f64 {
        let edge = |index: i64| {
            let index = usize::try_from(index.max(0)).unwrap_or(0);
            self.left.get(index).or_else(|| self.left.last()).map_or(0.0, |l| f64::from(*l))
        };
        ((edge(bucket - beside) - edge(bucket + beside + 1)) / (2 * beside + 1) as f64).max(1e-6)
    }

    /// Where an age lies on the axis of buckets, by the scale of the hour.
    pub(super) fn place(&self, age: Span) -> f64 {
        let age = ms(age);
        if age <= 0.0 {
            return f64::NEG_INFINITY;
        }
        8.0 * ((age / FIRST_EDGE_MS).log2() - f64::from(self.scale) * std::f64::consts::LOG2_E * fade(age))
    }

    /// The bucket of a latency.
    pub(super) fn bucket(&self, latency: Span) -> usize {
        (self.place(latency).max(0.0) as usize).min(BUCKETS - 1)
    }

    /// The age at which no more than `share` is still out; a little sooner rather than later. `None`: never.
    pub(super) fn when(&self, share: f64) -> Option<Span> {
        Some(self.age_at(self.place_of(share)?).scaled(999, 1000))
    }

    /// The place on the axis at which no more than `share` is still out.
    fn place_of(&self, share: f64) -> Option<f64> {
        let index = self.left.partition_point(|l| f64::from(*l) > share);
        let (after, before) = (f64::from(*self.left.get(index)?), f64::from(*self.left.get(index.checked_sub(1)?)?));
        let part = if before > after { (before - share) / (before - after) } else { 0.0 };
        Some(index as f64 - 1.0 + part.clamp(0.0, 1.0))
    }

    /// The age at a place on the axis, by the scale of the hour.
    fn age_at(&self, place: f64) -> Span {
        let mut age = edge_ms(place);
        for _ in 0..4 {
            age = edge_ms(place + 8.0 * f64::from(self.scale) * std::f64::consts::LOG2_E * fade(age));
        }
        Span::from_ms(age as u64)
    }

    /// The median moves the scale of the hour.
    fn follow(&mut self, latency: Span) {
        let half = 0.5 * (1.0 + self.floor());
        let median = self.left.partition_point(|l| f64::from(*l) > half);
        // Within the first buckets nothing can be told.
        if median < 3 || ms(latency) > TAIL_MS {
            return;
        }
        let above = self.at(latency) < half;
        let step = if above { SCALE_STEP } else { -SCALE_STEP };
        self.scale = narrow((f64::from(self.scale) * 0.999 + step).clamp(-SCALE_AT_MOST, SCALE_AT_MOST));
    }
}

/// How much of the scale an age feels.
fn fade(age_ms: f64) -> f64 {
    if age_ms <= BODY_MS { 1.0 } else { (1.0 - (age_ms / BODY_MS).ln() / (TAIL_MS / BODY_MS).ln()).max(0.0) }
}

fn edge_ms(place: f64) -> f64 {
    FIRST_EDGE_MS * (place / 8.0).exp2()
}

/// The normal distribution function (Abramowitz and Stegun 26.2.17; error below 1e-7).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let upper = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if x >= 0.0 { 1.0 - upper } else { upper }
}
