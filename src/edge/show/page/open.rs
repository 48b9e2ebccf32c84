//! What is open: in a line at the top of the status page, and in cards further down.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::super::quiet;
use super::bits::{count, loud, tone};
use super::status::{one, what, who};
use crate::watchdog::{IncidentView, View};

/// Incidents that the line leads to.
const NAMED: usize = 8;
/// Cards that lie open. What else is open is folded away, so that what stands below is found.
const CARDS: usize = 3;
/// Cards in all: there can be as many incidents as culprits.
const LISTED: usize = 100;

/// What is open, in the order in which it wants somebody: as in the heading, drills and what delivers again go last.
fn sorted(view: &View) -> Vec<&IncidentView> {
    let mut open: Vec<&IncidentView> = view.incidents.iter().rev().filter(|i| i.resolved_at.is_none()).collect();
    open.sort_by_key(|i| (quiet::is_drill(view, i), i.delivers, Reverse(i.severity)));
    open
}

/// Where several are open: how many, and a way to each. Of one alone the heading says all.
pub(super) fn line(view: &View) -> Markup {
    let open = sorted(view);
    html! {
        @if open.len() > 1 {
            nav.tabs.ill aria-label="Open incidents" {
                strong { (count(open.len(), "open incident")) }
                @for incident in open.iter().take(NAMED) {
                    a class=(tone(incident.severity).as_str()) href=(format!("incidents/{}", incident.incident)) {
                        span aria-hidden="true" { (loud(incident.severity)) " " }
                        span.vh { (incident.severity.as_str()) ": " }
                        (who(incident)) ": " (what(incident))
                        @if incident.acknowledged.is_some() { span.dim { ", seen" } }
                    }
                }
                @if open.len() > NAMED { a href="#open" { "and " (open.len() - NAMED) " more" } }
            }
        }
    }
}

/// A card for each.
pub(super) fn cards(view: &View) -> Markup {
    let open = sorted(view);
    html! {
        @if !open.is_empty() {
            section aria-labelledby="open" {
                h2 #open { "Open incidents" }
                @for incident in open.iter().take(CARDS) { (one(view, "", incident)) }
                @if open.len() > CARDS {
                    details #further {
                        summary { (open.len() - CARDS) " more" }
                        @for incident in open.iter().take(LISTED).skip(CARDS) { (one(view, "", incident)) }
                        @if open.len() > LISTED { p { "and " (open.len() - LISTED) " more, on the page of " a href="incidents?state=open" { "open incidents" } } }
                    }
                }
            }
        }
    }
}
