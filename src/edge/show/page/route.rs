//! `/routes/PROVIDER/STREAM/INBOX`: what mail over one route takes, over time, and what went wrong.

use maud::{Markup, html};

use super::super::days::failure;
use super::bits::{ago, capital, clock, foreign, is_covered, of_route, sign, stamp, table};
use super::plot::{self, Plot};
use super::spread::{self, Spread, Took};
use super::{page, strip};
use crate::model::past::{Failure, Point};
use crate::model::{At, Own, Span};
use crate::watchdog::{RouteCounts, RouteView, View};

/// The way from this page to the status page.
const ROOT: &str = "../../../";
/// Stretches of time of which quantiles are told.
const STRETCHES: u64 = 48;
/// Canaries listed: the newest, and of those that failed the newest.
const LISTED: usize = 15;
/// How far back can be looked.
const WINDOWS: [(&str, u64); 6] =
    [("15m", 900), ("1h", 3600), ("6h", 6 * 3600), ("24h", 24 * 3600), ("7d", 7 * 86_400), ("30d", 30 * 86_400)];
/// What is looked at unless somebody wishes otherwise; of a younger installation the shortest that holds all.
const USUAL: (&str, u64) = ("24h", 86_400);

/// Each quantile, and what it says where so much has come, and where not.
const QUANTILES: [(&str, &str, &str); 3] = [
    ("Median", "half came sooner", "half has not come"),
    ("90th percentile", "9 in 10 came sooner", "more than 1 in 10 has not come"),
    ("99th percentile", "all but 1 in 100", "more than 1 in 100 has not come"),
];

/// How far back a page looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    name: &'static str,
    span: Span,
    /// Nobody has wished for it: of a younger route it begins with the first canary.
    usual: bool,
}

impl Window {
    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        WINDOWS.into_iter().find(|(known, _)| *known == name).map(Self::of)
    }

    /// What they are called.
    pub(super) fn names() -> String {
        WINDOWS.map(|(name, _)| name).join(", ")
    }

    /// The usual one.
    pub(super) fn usual(view: &View) -> Self {
        let age = view.at.since(view.began);
        let short = WINDOWS.into_iter().find(|(_, secs)| Span::from_secs(*secs) >= age).filter(|(_, secs)| *secs <= USUAL.1);
        Self { usual: true, ..Self::of(short.unwrap_or(USUAL)) }
    }

    const fn of((name, secs): (&'static str, u64)) -> Self {
        Self { name, span: Span::from_secs(secs), usual: false }
    }

    /// From when until when, in this view: as long as its name says, however much of that was watched.
    pub(super) fn ends(self, view: &View) -> [At; 2] {
        [view.at.minus(self.span), view.at]
    }
}

/// What the past says of a route: its canaries, newest first, and incidents that touch it; or why it says nothing.
pub(super) type Told = Result<(Vec<Point>, Vec<Failure>), String>;

/// What a page shows of the time.
struct Shown {
    points: Vec<Point>,
    failures: Vec<Failure>,
    ends: [At; 2],
    /// Before that nobody watched.
    began: At,
    /// Up to when all is known that came.
    seen: At,
    /// Why there is not more.
    why: Option<String>,
}

/// The page of a route.
pub(super) fn route(view: &View, route: &RouteView, window: Window, told: Told) -> Markup {
    let shown = shown(view, route, window, told);
    let spread = Spread::of(shown.points.iter().map(|point| (point, shown.seen)));
    let (title, tone) = (route.route.to_string(), route.own.verdict());
    let body = html! {
        div class=(format!("hero {}", tone.as_str())) {
            span.sign aria-hidden="true" { (sign(tone)) }
            h1 { (title) " " (word(route.own)) @if is_covered(route) { ", and its verdict is " (route.verdict.as_str()) } }
            p.more { (of_route(ROOT, route, 1000)) }
        }
        p { "From " a href=(format!("{ROOT}providers/{}", route.route.provider)) { (route.route.provider) } " to "
            a href=(format!("{ROOT}inboxes/{}", route.route.inbox)) { (route.route.inbox) } ", as mail of the kind " strong { (route.route.stream) } "." }
        @if let Some(why) = &shown.why { p.note { "The ledger could not be asked (" (foreign(why, 300)) "): here are the newest " (shown.points.len()) " canaries that the watchdog itself remembers." } }
        section aria-labelledby="latency" {
            h2 #latency { "Latency" }
            nav.tabs aria-label="Time shown" {
                @for (name, _) in WINDOWS { a href=(format!("?span={name}")) aria-current=[(name == window.name).then_some("true")] { (name) } }
            }
            (tiles(route, &shown, &spread))
            (picture(route, &shown, &spread))
        }
        (failed(view, &shown))
        (incidents(&shown))
        section aria-labelledby="newest" { h2 #newest { "Newest canaries" } (newest(view, route)) }
    };
    page(view, ROOT, &format!("{} {title}", sign(tone)), &body)
}

const fn word(own: Own) -> &'static str {
    match own {
        Own::Delivering => "delivers",
        Own::Late => "delivers late",
        Own::Junk => "delivers into junk",
        Own::Missing => "misses mail",
        Own::Nothing => "delivers nothing",
        Own::Unknown => "is unknown",
    }
}

fn shown(view: &View, route: &RouteView, window: Window, told: Told) -> Shown {
    let [from, to] = window.ends(view);
    let known = |why| (strip::points(route), view.incidents.iter().map(failure).collect(), why);
    let (points, failures, why): (Vec<Point>, Vec<Failure>, Option<String>) = match told {
        Ok((points, failures)) => (points, failures, None),
        Err(why) => known(Some(why)),
    };
    let touches = |f: &Failure| f.culprit.covers(&route.route) && f.since < to && f.resolved_at.is_none_or(|at| at > from);
    let failures = failures.into_iter().filter(touches).collect();
    // Where every canary that was ever sent over it is in the picture, that begins with the first.
    let RouteCounts { accepted, refused, unknown, .. } = &route.counts;
    let sent = accepted + unknown + refused.values().sum::<u64>();
    let first = points.last().map(|point| point.sent_at).filter(|_| window.usual && why.is_none() && points.len() as u64 >= sent);
    let from = first.map_or(from, |first| first.max(from));
    Shown { points, failures, ends: [from, to], began: view.began, seen: spread::seen(view, route), why }
}

fn tiles(route: &RouteView, shown: &Shown, spread: &Spread) -> Markup {
    let tile = |what: &str, number: &str, more: &str| html! { li.tile { span.k { (what) } span.n { (number) } span.s { (more) } } };
    let missed = spread.lost + spread.refused;
    let overdue = plot::overdue(&shown.points, shown.ends, spread::usual(route));
    // Nothing came in this time, and something should have.
    let took = spread.took.or((overdue > 0).then_some([Took::NotReached; 3]));
    html! {
        ul.tiles {
            @if let Some(took) = took {
                @for ((name, came, missing), took) in QUANTILES.into_iter().zip(took) {
                    (tile(name, &capital(&spread::said(took)), if took == Took::NotReached { missing } else { came }))
                }
            } @else { (tile("Median", "–", "nothing is known yet")) }
            (tile("Lost or refused", &missed.to_string(), &format!("of {} sent", spread.sent)))
            (tile("Late or in junk", &(spread.late + spread.junk).to_string(), &format!("deadline {}", route.deadline)))
            (tile("On their way", &route.in_flight.to_string(), &if overdue > 0 { format!("now; {overdue} overdue") } else { "now".to_owned() }))
        }
    }
}

fn picture(route: &RouteView, shown: &Shown, spread: &Spread) -> Markup {
    let stretches = spread::stretches(&shown.points, shown.ends, shown.seen, STRETCHES);
    let plot = Plot {
        points: &shown.points,
        stretches: &stretches,
        failures: &shown.failures,
        ends: shown.ends,
        began: shown.began,
        deadline: route.deadline,
        usual: spread::usual(route),
    };
    let [from, to] = shown.ends;
    let text = format!(
        "Latency of {} from {} to {}: {}. The table below has the same.",
        route.route,
        clock(from),
        clock(to),
        strip::words(spread)
    );
    let rows = html! {
        @for ([from, to], spread) in stretches.iter().rev() {
            tr {
                th scope="row" { time datetime=(from) { (clock(*from)) } " for " (to.since(*from)) }
                td.num data-k="sent" { (spread.sent) }
                @for (place, name) in spread::NAMES.iter().enumerate() {
                    td.num data-k=(name) { @if let Some(took) = spread.took.and_then(|took| took.get(place).copied()) { (spread::said(took)) } @else { "–" } }
                }
                td data-k="trouble" { (spread.troubles()) }
            }
        }
    };
    html! {
        figure.card {
            (plot.draw(1100.0, "broad", &text))
            (plot.draw(380.0, "slim", &text))
            (plot::legend())
            figcaption.dim.small { "What was lost or refused counts as longer than everything: a line ends where so much has not come. An open ring is a canary on its way: it rises until it arrives, or is lost at the deadline." }
        }
        details #numbers {
            summary { "The same as a table" }
            (table("Latency over time, newest first", "stack", &["from", ">sent", ">median", ">90th", ">99th", "trouble"], &rows))
        }
    }
}

fn failed(view: &View, shown: &Shown) -> Markup {
    let bad: Vec<&Point> = shown.points.iter().filter(|p| !matches!(strip::class(p), "arrived" | "flight" | "other")).collect();
    let rows = html! {
        @for point in bad.iter().take(LISTED) {
            tr {
                th scope="row" { a href=(format!("{ROOT}canaries/{}", point.canary)) { (point.canary) } }
                td { (strip::class(point)) @if let Some(latency) = point.latency { ", after " (spread::said(Took::Within(latency))) } }
                td { time datetime=(point.sent_at) { (clock(point.sent_at)) } " " span.age { "(" (ago(point.sent_at, view.at)) ")" } }
            }
        }
    };
    html! {
        @if !bad.is_empty() {
            section aria-labelledby="failed" {
                h2 #failed { "What failed" }
                (table("Canaries that did not simply arrive, newest first", "stack", &["canary", "what became of it", "sent"], &rows))
                @if bad.len() > LISTED { p.dim { "and " (bad.len() - LISTED) " more" } }
            }
        }
    }
}

fn incidents(shown: &Shown) -> Markup {
    html! {
        @if !shown.failures.is_empty() {
            section aria-labelledby="incidents" {
                h2 #incidents { "Incidents in this time" }
                ul.card.plain {
                    @for failure in shown.failures.iter().take(LISTED) {
                        li {
                            (super::severity(failure.severity)) " "
                            a href=(format!("{ROOT}incidents/{}", failure.incident)) { "Incident " (failure.incident) } ": "
                            (super::status::culprit(&failure.culprit)) ", " (failure.kind.as_str()) ", "
                            (stamp(failure.since)) " – " @if let Some(at) = failure.resolved_at { (stamp(at)) } @else { strong { "open" } }
                        }
                    }
                }
            }
        }
    }
}

fn newest(view: &View, route: &RouteView) -> Markup {
    let rows = html! {
        @for canary in route.recent.iter().take(LISTED) {
            tr {
                th scope="row" { a href=(format!("{ROOT}canaries/{}", canary.canary)) { (canary.canary) } }
                td.why { (foreign(&canary.state, 200)) }
                td { (ago(canary.sent_at, view.at)) }
            }
        }
    };
    table("Newest canaries", "stack", &["canary", "what became of it", "sent"], &rows)
}
