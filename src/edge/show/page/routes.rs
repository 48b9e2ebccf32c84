//! Routes in a table, the worst first, each with its newest canaries.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use maud::{Markup, html};

use super::bits::{self, ago, count, incident, is_covered, reason, table, verdict};
use super::spread::{self, Spread, Took};
use super::status::{what, who};
use super::strip;
use crate::model::{Own, Route, Verdict};
use crate::watchdog::{RouteView, View};

/// Bytes of a reason; the whole stands on the route's page.
const SENTENCE: usize = 200;
/// Of more routes than this those that deliver are folded away, so that the page stays small enough for a phone.
const FEW: usize = 60;
/// Of more than this those that deliver are named alone.
const MANY: usize = 300;

/// So many routes of one incident stand among the others.
const APART: usize = 4;

/// Long names go on in the next line.
const CLASS: &str = "stack routes";

/// The path of a route's page.
pub(super) fn href(root: &str, route: &Route) -> String {
    format!("{root}routes/{}/{}/{}", route.provider, route.stream, route.inbox)
}

/// These routes of a view. `root`: the way to the status page.
pub(super) fn routes(view: &View, root: &str, which: impl Fn(&RouteView) -> bool) -> Markup {
    let mut mine: Vec<&RouteView> = view.routes.iter().filter(|route| which(route)).collect();
    mine.sort_by(|a, b| worse(a, b));
    if mine.len() <= FEW {
        return lines("Routes, the worst first", root, view, &mine);
    }
    let (well, ill): (Vec<&RouteView>, Vec<&RouteView>) = mine.iter().partition(|route| route.verdict == Verdict::Delivering);
    html! {
        @if !ill.is_empty() { (lines("Routes that do not deliver as they should, the worst first", root, view, &ill)) }
        details #well {
            summary { (count(well.len(), "route")) " that deliver" @if well.len() == 1 { "s" } }
            @if well.len() <= MANY { (lines("Routes that deliver", root, view, &well)) }
            @else { ul.plain { @for route in well { li { a href=(href(root, &route.route)) { (route.route) } } } } }
        }
    }
}

/// What misses mail itself goes first, then what only its culprit's failure covers; what does alike in the order in which people count.
fn worse(one: &RouteView, other: &RouteView) -> Ordering {
    let rank = |route: &RouteView| (route.own, route.verdict.rank());
    let names = |route: &RouteView| route.route.to_string();
    rank(one).cmp(&rank(other)).then_with(|| bits::natural(&names(one), &names(other)))
}

/// All routes of a view; what one incident says of many is said once, and they are folded under it.
pub(super) fn folded(view: &View, root: &str) -> Markup {
    let mut alike: BTreeMap<u64, Vec<&RouteView>> = BTreeMap::new();
    for route in &view.routes {
        if let Some((number, _)) = incident(&route.reason) {
            alike.entry(number).or_default().push(route);
        }
    }
    alike.retain(|_, routes| routes.len() > APART);
    alike.values_mut().for_each(|routes| routes.sort_by(|a, b| worse(a, b)));
    let apart = |route: &RouteView| incident(&route.reason).is_none_or(|(number, _)| !alike.contains_key(&number));
    html! {
        @if !alike.is_empty() {
            ul.card.plain.rows { @for (number, routes) in &alike { li { (under(*number, routes, view, root)) } } }
        }
        @if view.routes.is_empty() || view.routes.iter().any(apart) { (routes(view, root, apart)) }
    }
}

/// One incident, and the routes that are as they are by it.
fn under(number: u64, routes: &[&RouteView], view: &View, root: &str) -> Markup {
    let known = view.incidents.iter().find(|incident| incident.incident.0 == number);
    let worst = routes.first().map_or(Verdict::Unknown, |route| route.verdict);
    html! {
        p {
            (verdict(worst)) " " a href=(format!("{root}incidents/{number}")) { "incident " (number) }
            @if let Some(known) = known { ", " (who(known)) ": " (what(known)) }
            @let well = routes.iter().filter(|route| route.own == Own::Delivering).count();
            @if well > 0 { span.dim { "; " (well) " of its " (count(routes.len(), "route")) " deliver themselves" } }
        }
        details id=(format!("of-{number}")) {
            summary { (count(routes.len(), "route")) }
            (lines(&format!("Routes of incident {number}, the worst first"), root, view, routes))
        }
    }
}

fn lines(caption: &str, root: &str, view: &View, routes: &[&RouteView]) -> Markup {
    let heads = ["route", "verdict", "newest canaries", ">median", ">99th", ">last arrival"];
    table(caption, CLASS, &heads, &html! { @for route in routes { (line(root, route, view)) } })
}

/// Why a route is as it is. That its inbox cannot be read is told of the inbox, once.
fn why(view: &View, root: &str, route: &RouteView) -> Markup {
    let name = &route.route.inbox;
    let is_blind = || view.inboxes.iter().any(|inbox| inbox.name == *name && inbox.sight == Some(false));
    html! {
        @if route.verdict == Verdict::Unknown && view.cut_off_since.is_none() && is_blind() { a href=(format!("{root}inboxes/{name}")) { (name) } " cannot be read" }
        @else {
            (reason(root, &route.reason, SENTENCE))
        }
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
                (bits::own(route)) @if is_covered(route) { " " (verdict(route.verdict)) }
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
