//! Routes in a table, the worst first, each with its newest canaries.

use maud::{Markup, html};

use super::bits::{ago, count, reason, table, verdict};
use super::spread::{self, Spread, Took};
use super::strip;
use crate::model::{Route, Verdict};
use crate::watchdog::{RouteView, View};

/// Bytes of a reason; the whole stands on the route's page.
const SENTENCE: usize = 200;
/// Of more routes than this those that deliver are folded away, so that the page stays small enough for a phone.
const FEW: usize = 60;
/// Of more than this those that deliver are named alone.
const MANY: usize = 300;

/// Long names go on in the next line.
const CLASS: &str = "stack routes";

/// The path of a route's page.
pub(super) fn href(root: &str, route: &Route) -> String {
    format!("{root}routes/{}/{}/{}", route.provider, route.stream, route.inbox)
}

/// These routes of a view. `root`: the way to the status page.
pub(super) fn routes(view: &View, root: &str, which: impl Fn(&RouteView) -> bool) -> Markup {
    let mut mine: Vec<&RouteView> = view.routes.iter().filter(|route| which(route)).collect();
    mine.sort_by_key(|route| route.verdict.rank());
    let heads = ["route", "verdict", "newest canaries", ">median", ">99th", ">last arrival"];
    let lines = |routes: &[&RouteView]| html! { @for route in routes { (line(root, route, view)) } };
    if mine.len() <= FEW {
        return table("Routes, the worst first", CLASS, &heads, &lines(&mine));
    }
    let (well, ill): (Vec<&RouteView>, Vec<&RouteView>) = mine.iter().partition(|route| route.verdict == Verdict::Delivering);
    html! {
        @if !ill.is_empty() { (table("Routes that do not deliver as they should, the worst first", CLASS, &heads, &lines(&ill))) }
        details #well {
            summary { (count(well.len(), "route")) " that deliver" @if well.len() == 1 { "s" } }
            @if well.len() <= MANY { (table("Routes that deliver", CLASS, &heads, &lines(&well))) }
            @else { ul.plain { @for route in well { li { a href=(href(root, &route.route)) { (route.route) } } } } }
        }
    }
}

/// Why a route is as it is. That its inbox cannot be read is told of the inbox, once.
fn why(view: &View, root: &str, route: &RouteView) -> Markup {
    let name = &route.route.inbox;
    let is_blind = || view.inboxes.iter().any(|inbox| inbox.name == *name && inbox.sight == Some(false));
    html! {
        @if route.verdict == Verdict::Unknown && view.cut_off_since.is_none() && is_blind() { a href=(format!("{root}inboxes/{name}")) { (name) } " cannot be read" }
        @else { (reason(root, &route.reason, SENTENCE)) }
    }
}

fn line(root: &str, route: &RouteView, view: &View) -> Markup {
    let points = strip::points(route);
    let telling = spread::telling(view, route, &points);
    let since = (telling.len() < points.len()).then(|| format!("of the {} sent since mail was last missing", telling.len()));
    let took = Spread::of(telling).took.or((route.verdict == Verdict::Stopped).then_some([Took::NotReached; 3]));
    let seen = spread::seen(view, route);
    let spread = Spread::of(points.iter().map(|point| (point, seen)));
    let quantile = |which: usize| {
        html! {
            @if let Some(took) = took.and_then(|took| took.get(which).copied()) { span title=[since.as_deref()] { (spread::said(took)) } } @else { span.dim { "–" } }
        }
    };
    html! {
        tr id=(format!("r/{}", route.route)) {
            th scope="row" { a href=(href(root, &route.route)) { (route.route) } }
            td.why {
                (verdict(route.verdict))
                // Of what is well the figures beside it say all.
                @if route.verdict != Verdict::Delivering { " " span.small { (why(view, root, route)) } }
            }
            td { (strip::strip(view, route)) @let troubles = spread.troubles(); @if !troubles.is_empty() { span.small { (troubles) } } }
            td.num data-k="median" { (quantile(0)) }
            td.num data-k="99th" { (quantile(2)) }
            td.num data-k="last arrival" { @if let Some(at) = route.last_arrival { (ago(at, view.at)) } @else { span.dim { "none yet" } } }
        }
    }
}
