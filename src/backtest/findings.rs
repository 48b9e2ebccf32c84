//! Everything that is found, for a table or for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Window;
use super::canaries::Canaries;
use super::others::{Other, Stage};
use super::outage::{Outage, Outages, Then, When};
use super::wishes::Wishes;
use crate::config::Settings;
use crate::model::{Reason, Route, Span};
use crate::sandbox::simulate::Flight;

/// A span shorter than this says little of a year.
const SHORT: Span = Span::from_secs(14 * 86_400);
/// Learning shorter than this is not done.
const UNLEARNT: Span = Span::from_secs(86_400);
/// A year, in seconds.
const YEAR_SECS: f64 = 365.25 * 86_400.0;

/// What the settings would have said.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// What was looked at: from here…
    pub from: When,
    /// …to here.
    pub to: When,
    /// The oldest record: what is healthy was learnt from here on.
    pub learnt_from: When,
    /// How long the span is, in years.
    pub years: f64,
    /// Routes of the configuration.
    pub routes: usize,
    /// Routine canaries in the span over these routes.
    pub routine: u64,
    /// Confirmations that were really sent in it.
    pub confirmations: u64,
    /// How many of them these settings would have asked for at the same time.
    pub wished_and_sent: u64,
    /// How many more they would have asked for, at least. What would have come of these cannot be known.
    pub wished_in_vain: u64,
    /// The promise.
    pub false_pages_per_year: f64,
    /// What these settings would have told.
    pub hindsight: Told,
    /// What was really told, by the ledger.
    pub then: Told,
    /// What others would have made of the same canaries.
    pub others: Vec<Other>,
    /// Routes of the ledger that the configuration does not have.
    pub left_out: Vec<LeftOut>,
    /// Routes of the configuration of which the ledger knows nothing.
    pub without_canaries: Vec<String>,
    /// How often the watcher slept, or was not running.
    pub gaps: usize,
    /// What this cannot say.
    pub limits: Vec<String>,
}

/// Incidents, and how many of them paged.
#[derive(Debug, Serialize)]
pub struct Told {
    /// Pages within the span.
    pub pages: u64,
    /// The same a year.
    #[serde(flatten)]
    pub rate: Rate,
    /// All incidents that were open within it.
    pub incidents: Vec<Outage>,
}

/// Pages a year, as far as a span can say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// As many as there were, scaled to a year; null: the span is too short to say.
    pub pages_a_year: Option<f64>,
    /// At 95 % certainty there are no more than this a year. Of a span without a page about 3 over its length: the rule of three.
    pub pages_a_year_at_most: f64,
}

impl Rate {
    /// Of so many pages in a span of so many years.
    pub(super) fn of(pages: u64, years: f64) -> Self {
        let years = years.max(1e-9);
        let is_short = years * YEAR_SECS < SHORT.as_secs_f64();
        // The upper end of Garwood's interval for a Poisson rate, by Wilson and Hilferty (1931): within 2 % of it.
        let more = (pages + 1) as f64;
        let most = more * (1.0 - 1.0 / (9.0 * more) + 1.645 / (3.0 * more.sqrt())).powi(3);
        Self { pages_a_year: (!is_short).then_some(pages as f64 / years), pages_a_year_at_most: most / years }
    }
}

/// A route that is not looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Which, as `provider/stream/inbox`.
    pub route: String,
    /// Canaries that were sent over it.
    pub canaries: u64,
}

/// Puts it together.
pub(super) fn of(settings: &Settings, window: Window, ours: Outages, then: Outages, canaries: &Canaries, wishes: &Wishes) -> Findings {
    let Window { from, to } = window;
    let years = to.since(from).as_secs_f64() / YEAR_SECS;
    let (mut ours, then) = (ours.0, then.0);
    let failures: Vec<Outage> = ours.iter().chain(&then).filter(|o| o.kind.is_delivery()).cloned().collect();
    let others = Stage::new(settings, canaries, failures.iter(), to).judge(&mut ours, from);
    for outage in &mut ours {
        let same = then.iter().find(|t| t.meets(outage, &settings.routes, to));
        let later = |t: &Outage| (t.since.0.as_ms() - outage.since.0.as_ms()) as f64 / 1000.0;
        outage.told_then = same.map(|t| Then { incident: t.incident, since: t.since, later_by_secs: later(t) });
    }
    let told = |outages: Vec<Outage>| {
        let incidents: Vec<Outage> = outages.into_iter().filter(|o| o.ended(to) >= from).collect();
        let pages = incidents.iter().filter(|o| o.paged_at.is_some_and(|at| at.0 >= from)).count() as u64;
        Told { pages, rate: Rate::of(pages, years), incidents }
    };
    let left_out = canaries.left_out.iter().map(|(route, count)| LeftOut { route: route.to_string(), canaries: *count });
    Findings {
        from: When(from),
        to: When(to),
        learnt_from: When(canaries.first.unwrap_or(from)),
        years,
        routes: settings.routes.len(),
        routine: canaries.count(Reason::Routine, from, to),
        confirmations: canaries.count(Reason::Confirmation, from, to),
        wished_and_sent: wishes.granted,
        wished_in_vain: wishes.in_vain,
        false_pages_per_year: settings.watch.false_pages_per_year,
        hindsight: told(ours),
        then: told(then),
        others,
        left_out: left_out.collect(),
        without_canaries: canaries.silent().map(ToString::to_string).collect(),
        gaps: canaries.gaps.iter().filter(|(_, woke)| *woke >= from).count(),
        limits: limits(settings, window, canaries),
    }
}

/// What a past cannot tell.
fn limits(settings: &Settings, window: Window, canaries: &Canaries) -> Vec<String> {
    let mut limits = Vec::new();
    if settings.watch.confirmations > 0.0 {
        limits.push(
            "confirmations are those that were sent then: with those that these settings would have asked for, an incident might have been opened sooner"
                .to_owned(),
        );
    } else if canaries.count(Reason::Confirmation, window.from, window.to) > 0 {
        limits.push("confirmations that were sent then are evidence here too, though these settings would have sent none".to_owned());
    }
    limits.extend(cadences(settings, canaries).into_iter().map(|(now, mut routes)| {
        routes.sort_by_key(|(was, _)| *was);
        let over = match routes.as_slice() {
            [(_, one)] => format!("over `{one}`"),
            several if several.len() == settings.routes.len() => "over every route".to_owned(),
            several => format!("over {} routes", several.len()),
        };
        let ends = [0, routes.len() / 2, routes.len().saturating_sub(1)].map(|place| routes.get(place).map_or(now, |(was, _)| *was));
        let was = match ends {
            [least, middle, most] if alike(least, most) => middle.to_string(),
            [least, _, most] => format!("{least} to {most}"),
        };
        format!("canaries were sent every {was} {over}, these settings would send them every {now}: they are judged as they came")
    }));
    if window.to.since(window.from) < SHORT {
        limits.push("how many pages a year there would be: the span is too short, and has a bound at 95 % certainty alone".to_owned());
    }
    if canaries.first.is_some_and(|first| window.from.since(first) < UNLEARNT) {
        limits.push("what is healthy was learnt from the same span: its first day is judged by what was known by then".to_owned());
    }
    limits
}

/// Routes over which canaries were sent at another distance than these settings have for them: by what it would be, each with what it was.
fn cadences(settings: &Settings, canaries: &Canaries) -> BTreeMap<Span, Vec<(Span, Route)>> {
    let mut other: BTreeMap<Span, Vec<(Span, Route)>> = BTreeMap::new();
    for (route, flights) in canaries.routes.iter().zip(&canaries.flights) {
        let now = settings.every(route);
        if let Some(was) = cadence(flights).filter(|was| !alike(*was, now)) {
            let secs = Span::from_secs((was.as_ms() + 500) / 1000);
            other.entry(now).or_default().push((secs.max(Span::from_secs(1)), route.clone()));
        }
    }
    other
}

/// The usual distance of routine canaries on one route.
fn cadence(flights: &[Flight]) -> Option<Span> {
    let sent: Vec<_> = flights.iter().rev().filter(|f| f.reason == Reason::Routine).take(100).map(|f| f.sent).collect();
    let mut apart: Vec<Span> = sent.windows(2).filter_map(|pair| Some(pair.first()?.since(*pair.last()?))).collect();
    apart.sort_unstable();
    apart.get(apart.len() / 2).copied()
}

/// Within a quarter of each other: routes jitter.
fn alike(a: Span, b: Span) -> bool {
    let (a, b) = (a.as_ms(), b.as_ms());
    a.abs_diff(b) * 4 <= a.max(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_span_has_a_bound_and_no_rate() {
        let days = |days: f64| days * 86_400.0 / YEAR_SECS;
        let short = Rate::of(0, days(1.0));
        // The rule of three: 3 / n.
        assert!(short.pages_a_year.is_none() && (short.pages_a_year_at_most - 3.0 * 365.25).abs() < 15.0, "{short:?}");
        let month = Rate::of(1, days(30.4375));
        assert_eq!(month.pages_a_year.map(f64::round), Some(12.0));
        // 4.744 are the upper 95 % of one.
        assert!((month.pages_a_year_at_most / 12.0 - 4.744).abs() < 0.05, "{month:?}");
        assert!(Rate::of(0, 0.0).pages_a_year_at_most.is_finite());
    }
}
