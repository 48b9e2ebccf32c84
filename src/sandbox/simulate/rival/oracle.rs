//! The bound: Page's test, matched to the world's true health and to what really breaks, on the routine canaries. Nobody can know as
//! much; no rule that sends nothing extra is quicker at the same rate of false pages (Moustakides 1986).

use crate::model::{At, Span};
use crate::sandbox::chance::Chance;
use crate::sandbox::simulate::trouble::Harm;
use crate::sandbox::simulate::weather::Weather;
use crate::sandbox::simulate::world::{Flight, START};

/// Draws of healthy mail.
const DRAWS: u32 = 400_000;
/// Eight an octave, from an eighth of a second.
const PLACES: usize = 168;
const FIRST_MS: f64 = 125.0;
/// Between two looks at silence.
const TICK: Span = Span::from_secs(1);
/// What is older is settled.
const SETTLED: Span = Span::from_secs(1800);

/// What really breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Alternative {
    /// Nothing arrives.
    Stop,
    /// This share does not.
    Loss(f64),
    /// It takes this many times longer.
    Slow(f64),
}

impl Alternative {
    /// Of a failure, if the oracle knows its kind.
    #[must_use]
    pub const fn of(harm: &Harm) -> Option<Self> {
        match harm {
            Harm::Hold(_, share) if *share < 1.0 => Some(Self::Loss(*share)),
            Harm::Stop(_) | Harm::Hold(..) => Some(Self::Stop),
            Harm::Loss(_, share) => Some(Self::Loss(*share)),
            Harm::Slow(_, factor) => Some(Self::Slow(*factor)),
            Harm::Junk(..)
            | Harm::Refuse(..)
            | Harm::Twice(_)
            | Harm::Foreign(..)
            | Harm::Fails(..)
            | Harm::Record(..)
            | Harm::Stranger(..)
            | Harm::Blind(_)
            | Harm::Sleep
            | Harm::ForeignRecurring(..)
            | Harm::Cut => None,
        }
    }
}

/// The true health of a world: the share of mail that is older than each place of the axis.
#[derive(Clone, Debug)]
pub struct Oracle {
    out: Vec<f64>,
    lost: f64,
    /// Nats at which it cries.
    threshold: f64,
}

impl Oracle {
    /// Of this weather, for a promise of so many canaries to a false page.
    #[must_use]
    pub fn new(weather: &Weather, canaries: f64) -> Self {
        let mut chance = Chance::of(1, "oracle", 0, "health");
        let drawn = (0..DRAWS).map(|n| weather.typical(START.plus(Span::from_secs(u64::from(n) * 7919 % 864_000)), &mut chance));
        Self::of(drawn, canaries)
    }

    /// Of what mail took when all was well (`None`: it was lost), for the same promise.
    #[must_use]
    pub fn of(latencies: impl Iterator<Item = Option<Span>>, canaries: f64) -> Self {
        let mut counts = vec![0_u32; PLACES];
        let (mut lost, mut all) = (0_u32, 0_u32);
        for latency in latencies {
            all += 1;
            match latency {
                Some(latency) => counts.get_mut((place(latency).max(0.0) as usize).min(PLACES - 1)).into_iter().for_each(|c| *c += 1),
                None => lost += 1,
            }
        }
        let drawn = f64::from(all.max(1));
        let mut left = all;
        let mut out = vec![1.0];
        for count in counts {
            left -= count;
            out.push(f64::from(left.max(1)) / drawn);
        }
        Self { out, lost: f64::from(lost.max(1)) / drawn, threshold: canaries.max(2.0).ln() }
    }

    /// The same world with another promise: so many canaries to a false page.
    #[must_use]
    pub fn promising(&self, canaries: f64) -> Self {
        Self { threshold: canaries.max(2.0).ln(), ..self.clone() }
    }

    /// The share of healthy mail that is older than `age`, or lost.
    #[must_use]
    pub fn survival(&self, age: Span) -> f64 {
        self.at(place(age))
    }

    fn at(&self, place: f64) -> f64 {
        if place <= 0.0 {
            return 1.0;
        }
        let index = place as usize;
        match (self.out.get(index), self.out.get(index + 1)) {
            (Some(a), Some(b)) => a + (b - a) * (place - place.floor()),
            _ => self.lost,
        }
    }

    fn density(&self, place: f64) -> f64 {
        (self.at(place - 2.0) - self.at(place + 2.0)).max(1e-6)
    }

    /// From a stop until it cries, in seconds: the closed form for a canary every `spacing`, half a round of phase included.
    #[must_use]
    pub fn stop_takes(&self, spacing: Span) -> f64 {
        let step = spacing.as_ms().max(1);
        let mut age_ms: u64 = 0;
        while age_ms < 86_400_000 {
            let sum: f64 = (0..=age_ms / step).map(|n| -self.survival(Span::from_ms(age_ms - n * step)).ln()).sum();
            if sum >= self.threshold {
                break;
            }
            age_ms += 100;
        }
        (age_ms as f64 + step as f64 / 2.0) / 1000.0
    }

    /// When it first cries over these canaries (in the order of sending) at or after `from`, until `end`.
    #[must_use]
    pub fn cries(&self, flights: &[Flight], alternative: Alternative, from: At, end: At) -> Option<At> {
        let (mut folded, mut begin, mut now) = (0.0_f64, 0, from.minus(SETTLED));
        while now <= end {
            while let Some(flight) = flights.get(begin).filter(|f| now.since(f.sent) > SETTLED) {
                folded = folded.max(0.0) + self.said(flight, alternative, now);
                begin += 1;
            }
            let sent = flights.get(begin..).unwrap_or_default().iter().take_while(|f| f.sent <= now);
            let level = sent.fold(folded, |sum, flight| sum.max(0.0) + self.said(flight, alternative, now));
            if level >= self.threshold && now >= from {
                return Some(now);
            }
            now = now.plus(TICK);
        }
        None
    }

    /// What one canary says by `now`, in nats for the alternative.
    fn said(&self, flight: &Flight, alternative: Alternative, now: At) -> f64 {
        match flight.arrives.filter(|at| *at <= now) {
            Some(at) => {
                let place = place(at.since(flight.sent));
                match alternative {
                    Alternative::Stop => -50.0,
                    Alternative::Loss(share) => (1.0 - share).ln(),
                    Alternative::Slow(factor) => (self.density(place - 8.0 * factor.log2()) / self.density(place)).ln(),
                }
            }
            None => {
                let place = place(now.since(flight.sent));
                let out = self.at(place);
                match alternative {
                    Alternative::Stop => -out.ln(),
                    Alternative::Loss(share) => ((share + (1.0 - share) * out) / out).ln(),
                    Alternative::Slow(factor) => (self.at(place - 8.0 * factor.log2()) / out).ln(),
                }
            }
        }
    }
}

/// Where an age lies on the axis.
fn place(age: Span) -> f64 {
    8.0 * (age.as_ms().max(1) as f64 / FIRST_MS).log2()
}
