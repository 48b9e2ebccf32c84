//! The newest canaries of a route in a row of small bars, the newest at the right: as high as each took, on a scale of orders of magnitude.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::spread::{self, Spread};
use crate::model::past::{Became, Point};
use crate::model::{Placement, Span};
use crate::watchdog::{RouteView, View};

/// Canaries that are drawn.
const DRAWN: usize = 50;
/// What fits into 26 pixels.
const FULL: f64 = 24.0;
const FLOOR: f64 = 25.0;

/// The newest canaries that the view has of a route, newest first.
pub(super) fn points(route: &RouteView) -> Vec<Point> {
    let point = |c: &crate::watchdog::CanaryView| Point {
        canary: c.canary,
        sent_at: c.sent_at,
        became: c.became,
        latency: c.latency,
        placement: c.placement,
    };
    route.recent.iter().take(DRAWN).map(point).collect()
}

/// The bars of a route, and in words what they show.
pub(super) fn strip(view: &View, route: &RouteView) -> Markup {
    let (points, now) = (points(route), view.at);
    let seen = spread::seen(view, route);
    let spread = Spread::of(points.iter().map(|point| (point, seen)));
    let mut paths: [(&str, String); 7] =
        ["arrived", "late", "junk", "lost", "refused", "flight", "other"].map(|class| (class, String::new()));
    for (place, point) in points.iter().enumerate() {
        // Half a pixel in, so that a bar of three pixels is sharp.
        let x = 4 * DRAWN.saturating_sub(place) - 2;
        let class = class(point);
        let drawn = match class {
            // Whole, with a gap: what is missing is told from what took long without its colour.
            "lost" => format!("M{x} 1v10m0 4v10"),
            // Crossed out at the foot.
            "refused" => format!("M{x} 1v4m0 4v4m0 4v8"),
            // Open, and as high as it is old.
            "flight" => format!("M{x} {FLOOR}v-{:.0}", height(now.since(point.sent_at), route.deadline)),
            "other" => format!("M{x} 23v2"),
            _ => format!("M{x} {FLOOR}v-{:.0}", height(point.latency.unwrap_or_default(), route.deadline)),
        };
        if let Some((_, path)) = paths.iter_mut().find(|(name, _)| *name == class) {
            let _ = write!(path, "{drawn}");
        }
    }
    html! {
        svg.strip viewBox="0 0 200 26" role="img" aria-label=(words(&spread)) {
            path.base d="M0 25.5h200" {}
            @for (class, path) in paths.iter().filter(|(_, path)| !path.is_empty()) { path class=(format!("b {class}")) d=(path) {} }
        }
    }
}

/// `1 canary`, `50 canaries`.
pub(super) fn canaries(number: usize) -> String {
    if number == 1 { "1 canary".to_owned() } else { format!("{number} canaries") }
}

/// In words, what the newest canaries show.
pub(super) fn words(spread: &Spread) -> String {
    let median = spread.took.map_or_else(String::new, |[median, ..]| format!(", median {}", spread::said(median)));
    let troubles = spread.troubles();
    let troubles = if troubles.is_empty() { String::new() } else { format!(": {troubles}") };
    format!("the newest {}{median}{troubles}", canaries(spread.sent))
}

/// What a canary is drawn as.
pub(super) const fn class(point: &Point) -> &'static str {
    match (point.became, point.placement) {
        (Became::Lost, _) => "lost",
        (Became::Refused, _) => "refused",
        (Became::Late, _) => "late",
        (Became::Arrived, Some(Placement::Junk)) => "junk",
        (Became::Arrived, _) => "arrived",
        (Became::InFlight, _) => "flight",
        (Became::Forgotten, _) => "other",
    }
}

/// From 3 pixels for a tenth of a second to all of them for the deadline.
fn height(latency: Span, deadline: Span) -> f64 {
    let least = 0.1_f64;
    let share = (latency.as_secs_f64().max(least) / least).ln() / (deadline.as_secs_f64().max(1.0) / least).ln();
    3.0 + (FULL - 3.0) * share.clamp(0.0, 1.0)
}
