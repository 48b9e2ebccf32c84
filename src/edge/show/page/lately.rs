//! How it went lately with all routes of a provider or an inbox together: the latency of the newest canaries, and a bar for each day.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::bits::clock;
use super::days::{Spell, days};
use super::plot::{self, Plot};
use super::route::failure;
use super::spread::{self, Spread};
use super::strip;
use crate::model::past::{Became, Failure, Point};
use crate::model::{At, Culprit, Kind, Name, Span, Verdict};
use crate::watchdog::{RouteView, View};

/// Stretches of time of which quantiles are drawn.
const STRETCHES: u64 = 24;

/// The incidents of the last months, the newest first, and when mailcanary did not run; or why that was not looked up.
pub(super) type Past = Result<(Vec<Failure>, Vec<[At; 2]>), String>;

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

/// A bar for each day: when something was its `own` failure, and when nobody saw how it was. `inboxes`: those of its routes.
pub(super) fn history(
    view: &View,
    title: &str,
    past: &(Vec<Failure>, Vec<[At; 2]>),
    own: impl Fn(&Culprit) -> bool,
    inboxes: &[&Name],
) -> Markup {
    let (failures, pauses) = past;
    let inboxes: BTreeSet<&Name> = inboxes.iter().copied().collect();
    // Of several inboxes the others still tell.
    let alone = if inboxes.len() == 1 { inboxes.first().copied() } else { None };
    let spell = |failure: &Failure| {
        let dark = failure.kind == Kind::CutOff
            || (failure.kind == Kind::Blind && failure.culprit.parts().2.is_some_and(|name| Some(name) == alone));
        let tone = match failure.kind.delivery() {
            _ if dark => Verdict::Unknown,
            Some(_) if own(&failure.culprit) || failure.culprit == (Culprit::Watcher {}) => tone(failure),
            Some(_) | None => return None,
        };
        Some(Spell { from: failure.since, to: failure.resolved_at, tone })
    };
    // Until the next canary was due it did all that it had to.
    let every = view.providers.iter().map(|provider| provider.traffic.every).min().unwrap_or_default();
    let pause = |[from, to]: &[At; 2]| Spell { from: from.plus(every), to: Some(*to), tone: Verdict::Unknown };
    let paused = pauses.iter().map(pause).filter(|spell| spell.to.is_some_and(|to| spell.from < to));
    let spells: Vec<Spell> = failures.iter().filter_map(spell).chain(paused).collect();
    days(title, &spells, view.began, view.at)
}

/// A whole party that stopped is worse than one of its routes.
fn tone(failure: &Failure) -> Verdict {
    let whole = matches!(failure.culprit, Culprit::Provider(_) | Culprit::Inbox(_) | Culprit::Watcher {});
    if whole && matches!(failure.kind, Kind::Stopped | Kind::Refused) { Verdict::Stopped } else { Verdict::Degraded }
}
