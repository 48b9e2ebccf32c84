//! `/providers/NAME` and `/inboxes/NAME`: one row or one column of the matrix, with all that is known of it.

use maud::{Markup, html};

use super::super::days::{DAYS, Days, renewed};
use super::super::months::{Known, Past};
use super::bits::{foreign, reason, sign, time};
use super::days::whole as whole_days;
use super::status::{one, sight, when};
use super::{lately, page, routes};
use crate::model::{Culprit, Verdict};
use crate::watchdog::{RouteView, View};

/// Incidents listed.
const INCIDENTS: usize = 20;
/// The way from these pages to the status page.
const ROOT: &str = "../";

/// What is shown of one of them beside its routes.
struct Shown<'a> {
    title: String,
    verdict: Verdict,
    why: &'a str,
    facts: Markup,
    more: Markup,
    /// Whether a failure is its own, and not that of somebody whose mail goes the same way.
    own: Box<dyn Fn(&Culprit) -> bool + 'a>,
    /// How it was, by what is known of the past.
    days: Box<dyn Fn(&Known) -> Days + 'a>,
}

/// The page of a provider; nothing if there is none of this name.
pub(super) fn provider(view: &View, name: &str, past: &Past) -> Option<Markup> {
    let party = view.providers.iter().find(|party| party.name.as_str() == name)?;
    let traffic = &party.traffic;
    let facts = html! {
        dt { "A canary every" } dd { (traffic.every) @if traffic.standby { " on each route; kept warm as a stand-by" } @else { " on each route" } }
        dt { "Last sent" } dd { (when(traffic.last_sent, view.at)) }
        dt { "Last arrival" } dd { (when(traffic.last_arrival, view.at)) }
        @if let Some((cap, spent)) = traffic.budget { dt { "Budget of 24 hours" } dd { (spent) " of " (cap) " canaries" } }
        @if let Some(until) = traffic.held_until { dt { "Wants no mail until" } dd { (time(until, view.at)) } }
    };
    let more = html! { (super::accounts::of(view, |provider| *provider == party.name)) (super::mail::summary(view, ROOT, name)) };
    let mine = |route: &RouteView| route.route.provider == party.name;
    let own = |culprit: &Culprit| culprit.parts().0 == Some(&party.name);
    let days = |known: &Known| Days::of_provider(view, known, &party.name, DAYS);
    let (title, own, days) = (format!("Provider {}", party.name), Box::new(own), Box::new(days));
    let shown = Shown { title, verdict: party.verdict, why: &party.reason, facts, more, own, days };
    Some(whole(view, &shown, past, mine))
}

/// The page of an inbox; nothing if there is none of this name.
pub(super) fn inbox(view: &View, name: &str, past: &Past) -> Option<Markup> {
    let inbox = view.inboxes.iter().find(|inbox| inbox.name.as_str() == name)?;
    let facts = html! {
        dt { "Sight" } dd { (sight(inbox)) }
        dt { "Known up to" } dd { @if let Some(at) = inbox.horizon { (time(at, view.at)) } @else { "never read" } }
        dt { "Canaries of ours in the wrong place" } dd { (inbox.replayed) }
        dt { "Tokens that are not ours" } dd { (inbox.forged) }
        @if let Some((cap, spent)) = inbox.budget { dt { "Budget of 24 hours" } dd { (spent) " of " (cap) " canaries" } }
    };
    let mine = |route: &RouteView| route.route.inbox == inbox.name;
    let own = |culprit: &Culprit| culprit.parts().2 == Some(&inbox.name);
    let days = |known: &Known| Days::of_inbox(view, known, &inbox.name, DAYS);
    let (title, more, own, days) = (format!("Inbox {}", inbox.name), html! {}, Box::new(own), Box::new(days));
    let shown = Shown { title, verdict: inbox.verdict, why: &inbox.reason, facts, more, own, days };
    Some(whole(view, &shown, past, mine))
}

fn whole(view: &View, shown: &Shown<'_>, past: &Past, mine: impl Fn(&RouteView) -> bool) -> Markup {
    let Shown { title, verdict, why, facts, more, own, days } = shown;
    let touches = |culprit: &Culprit| own(culprit) || view.routes.iter().any(|r| mine(r) && culprit.covers(&r.route));
    let mut incidents: Vec<_> = view.incidents.iter().filter(|incident| touches(&incident.culprit)).collect();
    // What is open goes first, its own before that of others, the loudest on top; what is over stays as it comes, the newest first.
    incidents.sort_by_key(|incident| match incident.resolved_at {
        None => (false, !own(&incident.culprit), std::cmp::Reverse(Some(incident.severity))),
        Some(_) => (true, false, std::cmp::Reverse(None)),
    });
    incidents.truncate(INCIDENTS);
    let routes: Vec<&RouteView> = view.routes.iter().filter(|route| mine(route)).collect();
    let body = html! {
        div class=(format!("hero {}", verdict.as_str())) {
            span.sign aria-hidden="true" { (sign(*verdict)) }
            h1 { (title) " " (verdict.as_str()) }
            p.more { (reason(ROOT, why, 1000)) }
        }
        section.card { h2.vh { "Facts" } dl.facts { (facts) } }
        @if !incidents.is_empty() {
            section aria-labelledby="incidents" { h2 #incidents { "Incidents" } @for incident in incidents { (one(view, ROOT, incident)) } }
        }
        (lately::latency(view, title, &routes))
        section aria-labelledby="days" {
            h2 #days { "The last 90 days" }
            @match past {
                Ok(past) => { div.card { (whole_days(title, "told", &days(&renewed(view, past)))) } }
                Err(why) => { p.note { "The ledger could not be asked (" (foreign(why, 300)) ")." } }
            }
        }
        section aria-labelledby="routes" { h2 #routes { "Routes" } (routes::routes(view, ROOT, mine)) }
        (more)
    };
    page(view, ROOT, &format!("{} {title}", sign(*verdict)), &body)
}
