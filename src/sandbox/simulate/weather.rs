//! Weather: how long healthy mail takes, and the spells in which it takes longer without anything being broken.

use crate::model::{At, Span};
use crate::sandbox::chance::Chance;

/// A day.
const DAY_MS: f64 = 86_400_000.0;
/// A year.
const YEAR_MS: f64 = 365.25 * DAY_MS;

/// What mail does in health.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// The median of most mail.
    pub median: Span,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
    /// The share that is greylisted for 5 to 15 minutes.
    pub grey: f64,
    /// The share that is lost.
    pub lost: f64,
    /// What the body of the distribution is.
    pub body: Body,
    /// What comes over it now and then.
    pub spells: Spells,
}

/// The shape of most mail's latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body {
    /// The same at all times.
    Steady,
    /// One in twenty from a Pareto tail of exponent 1.1.
    HeavyTail,
    /// The median is this many times longer at one time of the day, and shorter twelve hours later.
    DayAndNight(f64),
}

/// Spells: bad minutes of healthy mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spells {
    /// None.
    None,
    /// Ten times slower for 5 minutes, 183 times a year.
    Slow,
    /// 60 % is greylisted for 10 minutes, 183 times a year.
    Grey,
    /// Queues stand still for 150 s on average, 91 times a year; then all of it comes.
    Stalls,
}

impl Weather {
    /// Median 4 s, 3 % greylisted, 0.2 % lost.
    pub const STEADY: Self =
        Self { median: Span::from_secs(4), sigma: 0.7, grey: 0.03, lost: 0.002, body: Body::Steady, spells: Spells::None };
    /// Hardly any greylisting.
    pub const CLEAN: Self = Self { grey: 0.002, lost: 0.0005, ..Self::STEADY };
    /// Much greylisting, much loss, wide.
    pub const DIRTY: Self = Self { sigma: 1.0, grey: 0.1, lost: 0.005, ..Self::STEADY };
    /// A heavy tail.
    pub const HEAVY: Self = Self { body: Body::HeavyTail, ..Self::STEADY };
    /// Day and night.
    pub const DAILY: Self = Self { body: Body::DayAndNight(2.5), ..Self::STEADY };

    /// How long a canary takes that leaves at `at`; `None`: it is lost.
    pub(super) fn latency(&self, at: At, chance: &mut Chance) -> Option<Span> {
        let spell = self.spell(at);
        if chance.hits(self.lost) {
            return None;
        }
        let grey = if spell == Some(Spells::Grey) { 0.6 } else { self.grey };
        if chance.hits(grey) {
            return Some(Span::from_ms((300_000.0 + 600_000.0 * chance.unit()) as u64));
        }
        let mut median = self.median;
        match self.body {
            Body::Steady => {}
            Body::HeavyTail => {
                if chance.hits(0.05) {
                    let ms = median.as_ms() as f64 * chance.unit().powf(-1.0 / 1.1);
                    return Some(Span::from_ms(ms.min(86_400_000.0) as u64));
                }
            }
            Body::DayAndNight(swing) => {
                let phase = (at.as_ms() as f64 / DAY_MS * std::f64::consts::TAU).sin();
                median = Span::from_ms((median.as_ms() as f64 * swing.powf(phase)) as u64);
            }
        }
        if spell == Some(Spells::Slow) {
            median = median.scaled(10, 1);
        }
        Some(chance.lognormal(median, self.sigma))
    }

    fn spell(&self, at: At) -> Option<Spells> {
        let (rate, lasts) = match self.spells {
            Spells::None | Spells::Stalls => return None,
            Spells::Slow => (183.0, 300_000),
            Spells::Grey => (183.0, 600_000),
        };
        let place = (YEAR_MS / rate) as i64;
        let start = Self::start(at, place, lasts);
        (at.as_ms() >= start && at.as_ms() < start + lasts).then_some(self.spells)
    }

    /// Where in its share of the year a spell begins.
    fn start(at: At, place: i64, room: i64) -> i64 {
        let number = at.as_ms().div_euclid(place);
        let mut chance = Chance::of(number.unsigned_abs(), "spell", 0, "start");
        number * place + ((place - 2 * room).max(1) as f64 * chance.unit()) as i64
    }

    /// When the queues run again, if they stand still at `at`.
    pub(super) fn stalled_until(&self, at: At) -> Option<At> {
        if self.spells != Spells::Stalls {
            return None;
        }
        let place = (YEAR_MS / 91.0) as i64;
        let start = Self::start(at, place, 1_800_000);
        let number = at.as_ms().div_euclid(place);
        let lasts = -150_000.0 * Chance::of(number.unsigned_abs(), "spell", 0, "lasts").unit().ln();
        let end = start + lasts as i64;
        (at.as_ms() >= start && at.as_ms() < end).then(|| At::from_ms(end))
    }
}
