//! `/canaries/ID`: every leg of one canary's way.

use maud::{Markup, html};

use super::bits::{badge, foreign, sign, time, verdict};
use super::spread::Took;
use super::{page, prose, routes, spread, waterfall};
use crate::model::past::{Became, Way};
use crate::model::{Class, Outcome, Placement, Reason, Verdict};
use crate::watchdog::{CanaryView, RouteView, View};

/// The way from this page to the status page.
const ROOT: &str = "../";

/// One canary of which only the view is known, as nobody keeps its way.
pub(super) fn brief(view: &View, route: &RouteView, canary: &CanaryView, why: &str) -> Markup {
    let body = html! {
        (hero(canary.became, canary.placement, &canary.canary.to_string()))
        p.note { "The legs of its way are not known here: " (foreign(why, 300)) "." }
        section.card aria-labelledby="facts" {
            h2 #facts { "Facts" }
            dl.facts {
                dt { "Route" } dd { a href=(routes::href(ROOT, &route.route)) { (route.route) } }
                dt { "Sent" } dd { (time(canary.sent_at, view.at)) }
                dt { "State" } dd { (foreign(&canary.state, 1000)) }
                dt { "The route is" } dd { (verdict(route.verdict)) " " (prose(&route.reason, 1000)) }
            }
        }
    };
    page(view, ROOT, &format!("Canary {}", canary.canary), &body)
}

/// One canary with its way. `state`: what the view says of it, if it has it.
pub(super) fn canary(view: &View, way: &Way, state: Option<&CanaryView>) -> Markup {
    let known = view.routes.iter().find(|route| route.route == way.route);
    let body = html! {
        (hero(way.became, way.placement, &way.canary.to_string()))
        section aria-labelledby="way" {
            h2 #way { "Its way" }
            (waterfall::waterfall(way, view.at))
        }
        section.card aria-labelledby="facts" {
            h2 #facts { "Facts" }
            dl.facts {
                dt { "Route" } dd { a href=(routes::href(ROOT, &way.route)) { (way.route) } @if let Some(route) = known { " " (verdict(route.verdict)) } }
                // When it came is told below, as finely as it is known.
                @if let Some(canary) = state.filter(|_| way.latency().is_none()) { dt { "State" } dd { (foreign(&canary.state, 1000)) } }
                dt { "Sent because" } dd { @match way.reason { Reason::Routine => "its turn came", Reason::Confirmation => "suspicion asked" } }
                @if let Some(latency) = way.latency() { dt { "Took" } dd { strong { (spread::said(Took::Within(latency))) } ", as its receiver tells the time" } }
                @if let Some(outcome) = way.outcome { dt { "The provider" } dd { (answered(outcome)) } }
                @if let Some(id) = &way.message_id { dt { "The provider’s id" } dd { code { (foreign(id, 1000)) } } }
                @if let Some(place) = way.placement { dt { "Lay in" } dd { (place.as_str()) @if let Some(copy) = &way.copy { " (" (foreign(copy, 400)) ")" } } }
            }
        }
        @if let Some(reply) = &way.reply {
            section aria-labelledby="reply" { h2 #reply { "The provider’s answer" } pre { (foreign(reply, 8192)) } }
        }
        (filtered(way))
        @if way.cut { p.dim { "Its mail was not read to its end: what stands further behind was not looked at." } }
        (said(view, way))
        (again(view, way))
    };
    page(view, ROOT, &format!("Canary {}: {}", way.canary, way.became.as_str()), &body)
}

fn hero(became: Became, placement: Option<Placement>, id: &str) -> Markup {
    let (tone, words) = match (became, placement) {
        (Became::Arrived, Some(Placement::Junk)) => (Verdict::Degraded, "arrived in junk"),
        (Became::Arrived, _) => (Verdict::Delivering, "arrived"),
        (Became::Late, _) => (Verdict::Degraded, "arrived late"),
        (Became::Lost, _) => (Verdict::Stopped, "is lost"),
        (Became::Refused, _) => (Verdict::Stopped, "was refused"),
        (Became::InFlight, _) => (Verdict::Unknown, "is in flight"),
        (Became::Forgotten, _) => (Verdict::Unknown, "is not looked for any more"),
    };
    html! {
        div class=(format!("hero {}", tone.as_str())) { span.sign aria-hidden="true" { (sign(tone)) } h1 { "Canary " (id) " " (words) } }
    }
}

fn answered(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Accepted => html! { "accepted it, which is no promise" },
        Outcome::Unknown => html! { "may have it: cut off while it was handed over" },
        Outcome::Refused(class) => html! { (badge(refusal(class), "refused")) " it: " (class) },
    }
}

const fn refusal(class: Class) -> Verdict {
    match class {
        Class::Rate | Class::Transient | Class::Suppressed | Class::Recipient => Verdict::Degraded,
        Class::Network
        | Class::Tls
        | Class::Auth
        | Class::Suspended
        | Class::Quota
        | Class::Sender
        | Class::Policy
        | Class::Permanent
        | Class::Unknown => Verdict::Stopped,
    }
}

/// What the receiver's filter wrote of its mail.
fn filtered(way: &Way) -> Markup {
    html! {
        @if !way.filter.is_empty() {
            section aria-labelledby="filter" {
                h2 #filter { "What the receiver’s filter wrote" }
                ul.card.plain { @for words in &way.filter { li { (foreign(words, 400)) } } }
            }
        }
    }
}

/// What its provider said became of it.
fn said(view: &View, way: &Way) -> Markup {
    html! {
        @if !way.traces.is_empty() {
            section aria-labelledby="said" {
                h2 #said { "What the provider says became of it" }
                ul.card.plain { @for trace in &way.traces { li {
                    strong { (trace.fate) } " " span.small { (time(trace.at, view.at)) } @if let Some(words) = &trace.words { ": " (foreign(words, 4096)) }
                } } }
            }
        }
    }
}

/// Where its token was seen besides.
fn again(view: &View, way: &Way) -> Markup {
    html! {
        @if !way.sightings.is_empty() {
            section aria-labelledby="again" {
                h2 #again { "Seen again" }
                ul.card.plain { @for seen in &way.sightings { li {
                    strong { (seen.what) } " in " (foreign(&seen.inbox, 100)) @if let Some(place) = &seen.placement { ", " (place) }
                    ", seen " (time(seen.seen_at, view.at))
                    @if let Some(at) = seen.arrived_at { ", arrived " (time(at, view.at)) }
                } } }
            }
        }
    }
}
