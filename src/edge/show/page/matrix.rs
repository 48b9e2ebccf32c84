//! Providers down, inboxes across: in each field what its own routes show, the worst of its streams first, beside it the incident that covers
//! them, and on asking why.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::super::quiet;
use super::bits::{self, is_covered, sign};
use super::spread::{self, Spread, Took};
use super::status::by_trouble;
use super::{home, routes, strip};
use crate::model::past::Became;
use crate::model::{At, Name, Own, Verdict};
use crate::watchdog::{CanaryView, InboxView, RouteView, View};

/// With more inboxes than this a field shows its sign alone on a narrow screen.
const WIDE: usize = 6;
/// And with more than this on every screen.
const CROWDED: usize = 10;
/// Bytes of a reason in a field.
const SENTENCE: usize = 240;
/// Routes told of in a field, the worst.
const LISTED: usize = 8;

/// The matrix, with all streams or `chosen`.
pub(super) fn matrix(view: &View, root: &str, chosen: Option<&Name>) -> Markup {
    let mut fields: BTreeMap<(&Name, &Name), Vec<&RouteView>> = BTreeMap::new();
    for route in view.routes.iter().filter(|r| chosen.is_none_or(|stream| r.route.stream == *stream)) {
        fields.entry((&route.route.provider, &route.route.inbox)).or_default().push(route);
    }
    fields.values_mut().for_each(|routes| routes.sort_by_key(|route| (route.own, route.verdict.rank())));
    let class = match view.inboxes.len() {
        many if many > CROWDED => "wide matrix dense crowded",
        many if many > WIDE => "wide matrix dense",
        _ => "wide matrix",
    };
    let marked = fields.values().flatten().any(|route| is_covered(route));
    let across = across(view);
    html! {
        (streams(view, root, chosen))
        div.card.flush { div class=(class) role="region" aria-label="Providers by inboxes" tabindex="0" { table {
            caption.vh { "How each provider delivers to each inbox" }
            thead { tr {
                th scope="col" { "provider" }
                @for inbox in &across {
                    th scope="col" {
                        a href=(format!("{root}inboxes/{}", inbox.name)) { (inbox.name) }
                        @if inbox.sight == Some(false) { " " span { "(blind)" } }
                    }
                }
            } }
            tbody { @for provider in by_trouble(&view.providers, |party| party.verdict, |party| &party.name) { tr id=(format!("p/{}", provider.name)) {
                th scope="row" {
                    a href=(format!("{root}providers/{}", provider.name)) { (provider.name) }
                    @if provider.traffic.standby { " (stand-by)" }
                }
                @for inbox in &across {
                    // By names: rows and columns change their places while somebody reads.
                    @let id = format!("f/{}/{}", provider.name, inbox.name);
                    td { (field(root, fields.get(&(&provider.name, &inbox.name)).map_or(&[], Vec::as_slice), view, &id)) }
                }
            } } }
        } } }
        @if marked { p.dim.small { "A field shows what its own canaries do. The mark behind it is the incident, or the suspicion, of its provider, stream or inbox." } }
    }
}

/// The inboxes, as people count: `box-2` before `box-10`.
fn across(view: &View) -> Vec<&InboxView> {
    let mut all: Vec<&InboxView> = view.inboxes.iter().collect();
    all.sort_by(|a, b| bits::natural(a.name.as_str(), b.name.as_str()));
    all
}

/// What covers the routes of a field and is not what they show themselves: the worst of it.
fn mark(routes: &[&RouteView]) -> Markup {
    let covered = routes.iter().filter(|route| is_covered(route)).min_by_key(|route| (route.verdict.rank(), route.incident));
    html! {
        @if let Some(route) = covered {
            span class=(format!("by {}", route.verdict.as_str())) {
                span aria-hidden="true" { (sign(route.verdict)) @if let Some(incident) = route.incident { span.no { (incident) } } }
                span.vh { ", " (route.verdict.as_str()) @if let Some(incident) = route.incident { " by incident " (incident) } @else { " by a suspicion" } }
            }
        }
    }
}

/// Which streams are shown.
fn streams(view: &View, root: &str, chosen: Option<&Name>) -> Markup {
    let all: BTreeSet<&Name> = view.streams.iter().map(|(_, stream)| &stream.name).collect();
    html! {
        @if all.len() > 1 {
            nav.tabs aria-label="Streams" {
                a href=(home(root)) aria-current=[chosen.is_none().then_some("true")] { "all streams" }
                @for stream in all {
                    a href=(format!("{}?stream={stream}", home(root))) aria-current=[(chosen == Some(stream)).then_some("true")] { (stream) }
                }
            }
        }
    }
}

/// Of a route that has stopped, when the first canary was sent that has not come since; where that is longer ago than is listed, when the last one arrived.
fn stopped_since(route: &RouteView) -> Option<At> {
    let has_come = |canary: &&CanaryView| matches!(canary.became, Became::Arrived | Became::Late);
    let begun = if route.recent.iter().any(|canary| has_come(&canary)) {
        route.recent.iter().take_while(|canary| !has_come(canary)).last().map(|canary| canary.sent_at)
    } else {
        route.last_arrival.or_else(|| route.recent.last().map(|canary| canary.sent_at))
    };
    begun.filter(|_| route.own == Own::Nothing || (route.verdict == Verdict::Stopped && route.own != Own::Delivering))
}

fn field(root: &str, routes: &[&RouteView], view: &View, id: &str) -> Markup {
    let Some(worst) = routes.first() else { return html! { span.off { span aria-hidden="true" { "·" } span.vh { "not watched" } } } };
    let alike = routes.iter().filter(|route| route.own == worst.own).count();
    let points: Vec<_> = routes.iter().map(|route| (*route, strip::points(route))).collect();
    let telling = points.iter().flat_map(|(route, points)| spread::telling(view, route, points));
    let median = Spread::of(telling).took.map(|[median, ..]| median).filter(|_| worst.own != Own::Unknown);
    let hushed = quiet::of_route(view, &worst.route);
    html! {
        button type="button" class=(worst.own.verdict().as_str()) popovertarget=(id) {
            span aria-hidden="true" { (sign(worst.own.verdict())) @if hushed.is_some() { span.hush { "‖" } } }
            span.w { (worst.own.in_words()) }
            @if alike < routes.len() { span.ms { (alike) "/" (routes.len()) } }
            @else if let Some(begun) = stopped_since(worst) { span.ms { (bits::relative(begun, view.at)) } }
            @else if let Some(took @ Took::Within(_)) = median { span.ms { (spread::said(took)) } }
            (mark(routes))
            @if let Some(quiet) = &hushed { span.vh { ", " (quiet.word) } }
            span.vh { ", " (worst.route.provider) " to " (worst.route.inbox) ": why" }
        }
        div id=(id) popover="auto" {
            div.bar {
                h3 { (worst.route.provider) " → " (worst.route.inbox) }
                button type="button" popovertarget=(id) popovertargetaction="hide" { "Close" }
            }
            @if let Some(quiet) = &hushed { p { (super::status::hushed(view, quiet)) @if !quiet.reason.is_empty() { ": " (bits::foreign(&quiet.reason, 200)) } } }
            ul.plain {
                @for (route, points) in points.iter().take(LISTED) {
                    li {
                        (bits::own(route)) @if is_covered(route) { " " (bits::verdict(route.verdict)) }
                        " " a href=(routes::href(root, &route.route)) { (route.route.stream) } ": "
                        (bits::of_route(root, route, SENTENCE))
                        @if let Some(took) = Spread::of(spread::telling(view, route, points)).took {
                            span.dim { " " @for (name, took) in spread::NAMES.iter().zip(took) { (name) " " (spread::said(took)) ". " } }
                        }
                    }
                }
            }
            @if routes.len() > LISTED { p.dim { "and " (routes.len() - LISTED) " more streams" } }
        }
    }
}
