//! How it went lately with all routes of a provider or an inbox together: the latency of the newest canaries.

use maud::{Markup, html};

use super::super::days::failure;
use super::bits::clock;
use super::plot::{self, Plot};
use super::spread::{self, Spread};
use super::strip;
use crate::model::past::{Became, Failure, Point};
use crate::model::{Name, Span};
use crate::watchdog::{RouteView, View};

/// Stretches of time of which quantiles are drawn.
const STRETCHES: u64 = 24;

/// The newest canaries of all these routes in one picture. Of an inbox that cannot be read nothing is known since.
pub(super) fn latency(view: &View, title: &str, routes: &[&RouteView]) -> Markup {
    let is_blind = |name: &Name| view.inboxes.iter().any(|inbox| inbox.name == *name && inbox.sight == Some(false));
    let of = |route: &&RouteView| {
        let blind = is_blind(&route.route.inbox);
        strip::points(route).into_iter().filter(move |point| !blind || point.became != Became::InFlight).collect::<Vec<Point>>()
    };
    let mut points: Vec<Point> = routes.iter().flat_map(of).collect();
    points.sort_by_key(|point| std::cmp::Reverse((point.sent_at, point.canary)));
    let Some(first) = points.last().map(|point| point.sent_at) else { return html! {} };
    let sighted = routes.iter().filter(|route| !is_blind(&route.route.inbox));
    let seen = sighted.map(|route| spread::seen(view, route)).min().unwrap_or(view.at);
    let touches = |f: &Failure| f.resolved_at.is_none_or(|at| at > first) && routes.iter().any(|r| f.culprit.covers(&r.route));
    let failures: Vec<Failure> = view.incidents.iter().map(failure).filter(touches).collect();
    let ends = [first, view.at];
    let stretches = spread::stretches(&points, ends, seen, STRETCHES);
    let deadline = routes.iter().map(|route| route.deadline).min().unwrap_or_default();
    let usual: Option<Span> = routes.iter().filter_map(|route| spread::usual(route)).max();
    let plot = Plot { points: &points, stretches: &stretches, failures: &failures, ends, began: view.began, deadline, usual };
    let all = Spread::of(points.iter().map(|point| (point, seen)));
    let text = format!("Latency of {title} from {} to {}: {}.", clock(first), clock(view.at), strip::words(&all));
    html! {
        section aria-labelledby="latency" {
            h2 #latency { "Latency" }
            figure.card {
                (plot.draw(1100.0, "broad", &text))
                (plot.draw(380.0, "slim", &text))
                (plot::legend())
                figcaption.dim.small { "The newest canaries of all its routes together; each route has its own picture, and a longer one." }
            }
        }
    }
}
