//! `/canaries/ID`.

use maud::{Markup, html};

use super::{foreign, layout, time, verdict};
use crate::watchdog::{CanaryView, RouteView, View};

/// One canary of one route.
pub(in crate::edge::show) fn canary(view: &View, route: &RouteView, canary: &CanaryView) -> Markup {
    let body = html! {
        p { a href="../" { "← status" } }
        h1 { "Canary " (canary.canary) }
        dl {
            dt { "Route" } dd { (route.route) }
            dt { "Sent" } dd { (time(canary.sent_at, view.at)) }
            dt { "State" } dd { (foreign(&canary.state, 1000)) }
            dt { "The route is" } dd { (verdict(route.verdict)) " " (foreign(&route.reason, 1000)) }
        }
    };
    layout(&format!("Canary {}", canary.canary), None, &body)
}
