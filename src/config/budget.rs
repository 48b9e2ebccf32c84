//! What canaries may burden a provider or an inbox with, what they cost, and how much traffic follows from the settings.

use super::{Settings, Signs};
use crate::model::{Name, Route, Span};

/// Confirmations that may be saved up, in all: what suspicion may spend at once.
pub const BURST: f64 = 128.0;
/// How often a stand-by provider is kept warm, unless it says otherwise.
const WARM: Span = Span::from_secs(900);
const DAY: Span = Span::from_secs(86_400);
/// Days of a month, for forecasts.
const DAYS_A_MONTH: f64 = 365.25 / 12.0;

/// The limits of a provider or an inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The most canaries in any 24 hours, confirmations among them. `None`: what follows from the routes, see [`Settings::forecast`].
    pub canaries_per_day: Option<u32>,
    /// The least time between two canaries.
    pub spacing: Option<Span>,
}

/// What a provider is there for, and what it costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Duty {
    /// Kept warm for a failover: its failures warn and never page.
    pub standby: bool,
    /// A cadence of its own, for each of its routes.
    pub every: Option<Span>,
    /// What mail through it costs.
    pub price: Option<Price>,
    /// It is not asked what became of canaries that do not arrive.
    pub untraced: bool,
    /// How often it is asked how the account stands, and what of that is a reason to warn.
    pub signs: Signs,
}

/// A price.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// Of a thousand mails.
    pub per_1000: f64,
    /// In what: `USD`, `EUR`.
    pub currency: Option<String>,
}

/// What a provider or an inbox is going to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Canaries a day in the long run, confirmations among them; never over the cap.
    pub per_day: f64,
    /// Canaries a month, likewise.
    pub per_month: f64,
    /// The most in any 24 hours.
    pub cap: f64,
}

impl Settings {
    /// The time between two routine canaries of a route.
    #[must_use]
    pub fn every(&self, route: &Route) -> Span {
        let duty = self.providers.get(&route.provider).map(|p| &p.duty);
        let warm = duty.filter(|d| d.standby).map(|_| WARM.max(self.watch.every));
        duty.and_then(|d| d.every).or(warm).unwrap_or(self.watch.every)
    }

    /// Whether a route's provider is a stand-by.
    #[must_use]
    pub fn is_standby(&self, route: &Route) -> bool {
        self.providers.get(&route.provider).is_some_and(|p| p.duty.standby)
    }

    /// Routine canaries a day over the routes that `chosen` picks.
    #[must_use]
    pub fn routine_per_day(&self, chosen: impl Fn(&Route) -> bool) -> f64 {
        self.routes.iter().filter(|r| chosen(r)).map(|r| 86_400.0 / self.every(r).as_secs_f64()).sum()
    }

    /// Canaries a day over the routes that `chosen` picks: the routine ones, and what suspicion may spend in the long run.
    #[must_use]
    pub fn canaries_per_day(&self, chosen: impl Fn(&Route) -> bool) -> f64 {
        self.routine_per_day(chosen) * (1.0 + self.watch.confirmations)
    }

    /// Questions a day how the account at a provider stands: at most so many. Nothing where it is not asked.
    #[must_use]
    pub fn polls_per_day(&self, provider: &Name) -> Option<f64> {
        let used = self.routes.iter().any(|r| r.provider == *provider);
        let asked = self.providers.get(provider).filter(|p| used && p.kind.has_signs() && p.duty.signs.asked)?;
        Some((DAY.as_secs_f64() / asked.duty.signs.interval().as_secs_f64()).floor())
    }

    /// What the provider or inbox with this budget and the routes that `chosen` picks is going to be sent, where `all` are the routine
    /// canaries a day over all routes. Without a cap of its own, the cap is what can come at the worst: its routine canaries, and all that
    /// suspicion may spend anywhere.
    #[must_use]
    pub fn forecast(&self, budget: Budget, all: f64, chosen: impl Fn(&Route) -> bool) -> Forecast {
        let routine = self.routine_per_day(&chosen);
        let confirmations = self.watch.confirmations;
        let burst = if confirmations > 0.0 { BURST } else { 0.0 };
        let derived = (routine + confirmations * all + burst).ceil();
        let cap = budget.canaries_per_day.map_or(derived, f64::from);
        let per_day = (routine * (1.0 + confirmations)).min(cap);
        Forecast { per_day, per_month: per_day * DAYS_A_MONTH, cap }
    }
}
