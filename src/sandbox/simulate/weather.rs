//! Weather: how long healthy mail takes, and the spells in which it takes longer without anything being broken.

use crate::model::{At, Route, Span};
use crate::sandbox::chance::Chance;

/// A day.
const DAY_MS: f64 = 86_400_000.0;
/// A year.
const YEAR_MS: f64 = 365.25 * DAY_MS;
/// The longest that any healthy mail takes, and that a queue stands still.
const AT_MOST_MS: f64 = DAY_MS;

/// What healthy mail does.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// The median of most mail.
    pub median: Span,
    /// The standard deviation of its logarithm.
    pub sigma: f64,
    /// The share that is greylisted.
    pub grey: f64,
    /// Between what the greylisted ones take, evenly.
    pub grey_takes: (Span, Span),
    /// The share that is lost.
    pub lost: f64,
    /// The share that comes from a Pareto tail above the median.
    pub tail: f64,
    /// The exponent of that tail.
    pub tail_exponent: f64,
    /// The median is this many times longer at one time of the day, and this many times shorter twelve hours later. 1: the same all day.
    pub day_and_night: f64,
    /// What comes over it now and then.
    pub spells: Vec<Spell>,
}

/// Bad minutes of healthy mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Spell {
    /// What happens in them.
    pub sort: Sort,
    /// How many there are a year.
    pub per_year: f64,
    /// How long each lasts; stalls on average, with an exponential tail.
    pub lasts: Span,
    /// Whom a single one touches.
    pub of: Extent,
}

/// What happens in a spell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sort {
    /// Mail takes so many times longer.
    Slow(f64),
    /// This share is greylisted.
    Grey(f64),
    /// Queues stand still; then all of it comes.
    Stall,
}

/// Whom one spell touches: all routes, those of one provider, those of one inbox, or one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Every route at once.
    Everything,
    /// All routes of a provider.
    Provider,
    /// All routes to an inbox.
    Inbox,
    /// One route.
    Route,
}

impl Default for Weather {
    fn default() -> Self {
        Self::steady()
    }
}

impl Weather {
    /// Median 4 s, 3 % greylisted for 5 to 15 minutes, 0.2 % lost.
    #[must_use]
    pub const fn steady() -> Self {
        Self {
            median: Span::from_secs(4),
            sigma: 0.7,
            grey: 0.03,
            grey_takes: (Span::from_secs(300), Span::from_secs(900)),
            lost: 0.002,
            tail: 0.0,
            tail_exponent: 1.1,
            day_and_night: 1.0,
            spells: Vec::new(),
        }
    }

    /// How long a canary over `route` takes that leaves at `at`; `None`: it is lost.
    pub(super) fn latency(&self, at: At, route: &Route, seed: u64, chance: &mut Chance) -> Option<Span> {
        let (mut slower, mut grey) = (1.0, self.grey);
        for (number, spell) in self.spells.iter().enumerate() {
            match spell.sort {
                Sort::Slow(factor) if spell.is_on(at, number, route, seed) => slower *= factor,
                Sort::Grey(share) if spell.is_on(at, number, route, seed) => grey = share.max(grey),
                Sort::Slow(_) | Sort::Grey(_) | Sort::Stall => {}
            }
        }
        self.draw(at, slower, grey, chance)
    }

    /// The same without spells: what a model of health would learn.
    pub(super) fn typical(&self, at: At, chance: &mut Chance) -> Option<Span> {
        self.draw(at, 1.0, self.grey, chance)
    }

    fn draw(&self, at: At, slower: f64, grey: f64, chance: &mut Chance) -> Option<Span> {
        if chance.hits(self.lost) {
            return None;
        }
        if chance.hits(grey) {
            let (from, to) = (ms(self.grey_takes.0), ms(self.grey_takes.1));
            return Some(span(from + (to - from) * chance.unit()));
        }
        let mut median = ms(self.median) * slower;
        if self.tail > 0.0 && chance.hits(self.tail) {
            return Some(span(median * chance.unit().powf(-1.0 / self.tail_exponent)));
        }
        if self.day_and_night > 1.0 {
            median *= self.day_and_night.powf((at.as_ms() as f64 / DAY_MS * std::f64::consts::TAU).sin());
        }
        Some(chance.lognormal(span(median), self.sigma))
    }

    /// When the queues run again, if they stand still for `route` at `at`.
    pub(super) fn stalled_until(&self, at: At, route: &Route, seed: u64) -> Option<At> {
        let stalls = self.spells.iter().enumerate().filter(|(_, s)| s.sort == Sort::Stall);
        stalls.filter_map(|(number, spell)| spell.around(at, number, route, seed)).max()
    }
}

impl Spell {
    fn is_on(&self, at: At, number: usize, route: &Route, seed: u64) -> bool {
        self.around(at, number, route, seed).is_some()
    }

    /// The end of the spell in which `at` lies.
    ///
    /// The year is cut into as many pieces as there are spells, and each has one, somewhere: so that a spell is found without a history.
    fn around(&self, at: At, number: usize, route: &Route, seed: u64) -> Option<At> {
        let piece = (YEAR_MS / self.per_year.max(1e-6)).max(1000.0);
        let which = (at.as_ms() as f64 / piece).floor();
        let place = match self.of {
            Extent::Everything => String::new(),
            Extent::Provider => route.provider.to_string(),
            Extent::Inbox => route.inbox.to_string(),
            Extent::Route => route.to_string(),
        };
        let mut chance = Chance::of(seed ^ (number as u64) << 32, &place, which as u64, "spell");
        let lasts = if self.sort == Sort::Stall { -ms(self.lasts) * chance.unit().ln() } else { ms(self.lasts) };
        let lasts = lasts.min(piece / 2.0).min(AT_MOST_MS);
        let start = which * piece + (piece - lasts) * chance.unit();
        let now = at.as_ms() as f64;
        (now >= start && now < start + lasts).then(|| At::from_ms((start + lasts) as i64))
    }
}

fn ms(span: Span) -> f64 {
    span.as_ms() as f64
}

fn span(ms: f64) -> Span {
    Span::from_ms(ms.clamp(0.0, AT_MOST_MS) as u64)
}
