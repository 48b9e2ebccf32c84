//! `/`: how it is going, in one sentence; then what is wrong; then everything.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{foreign, layout, severity, time, verdict};
use crate::model::{Name, Severity, Verdict};
use crate::watchdog::{Delivery, IncidentView, PartyView, RouteView, View};

/// Seconds until the page loads itself again.
const REFRESH: u32 = 30;

/// Bytes of a reason or summary; the whole is on the incident's page.
const SENTENCE: usize = 240;

/// Incidents listed. There can be as many as culprits.
const OPEN: usize = 100;
const OVER: usize = 20;

/// Canaries linked for each route: fewer when there are many routes, so that the page stays small enough for a phone.
const FEW_ROUTES: usize = 60;
const CANARIES: usize = 5;

/// The status page.
pub(in crate::edge::show) fn status(view: &View) -> Markup {
    let (tone, sentence) = sentence(view);
    let body = html! {
        h1 { "mailcanary " span.dim { (foreign(&view.instance, 200)) } }
        p class=(format!("lead {}", tone.as_str())) { (foreign(&sentence, 600)) }
        (incidents(view))
        (super::configuration::configuration(view))
        (super::people::people(view))
        h2 { "Providers and inboxes" }
        (matrix(view))
        h2 { "Reasons" }
        (reasons(view))
        (super::accounts::accounts(view))
        h2 { "Inboxes" }
        (inboxes(view))
        h2 { "Routes" }
        (routes(view))
        @if !view.notices_pending.is_empty() {
            h2 { "Sinks" }
            (sinks(view))
        }
        (super::heartbeats::heartbeats(view))
        footer {
            p { "As of " (time(view.at, view.at)) @if let Some((at, what)) = &view.next { ". Next: " (foreign(what, SENTENCE)) ", " (time(*at, view.at)) } "." }
            p {
                "Counting since " (time(view.began, view.at)) ". mailcanary " (env!("CARGO_PKG_VERSION")) ". "
                a href="metrics" { "Metrics" } " · " a href="api/v1/providers" { "Providers as JSON" }
            }
        }
    };
    layout("Status", Some(REFRESH), &body)
}

/// How it is going, as the worst of what is known.
pub(in crate::edge::show) fn sentence(view: &View) -> (Verdict, String) {
    if let Some(trouble) = &view.trouble {
        return (Verdict::Stopped, format!("mailcanary watches nothing: {trouble}"));
    }
    if let Some(since) = view.cut_off_since {
        return (Verdict::Stopped, format!("The watcher has had no network for {}: nothing can be said about mail.", view.at.since(since)));
    }
    let open: Vec<&IncidentView> = view.incidents.iter().filter(|i| i.resolved_at.is_none()).collect();
    if let Some(worst) = open.iter().max_by_key(|i| i.severity) {
        let tone = if worst.severity == Severity::Page { Verdict::Stopped } else { Verdict::Degraded };
        let more = if open.len() > 1 { format!(" ({} more open)", open.len() - 1) } else { String::new() };
        return (tone, format!("{}{more}", worst.last.summary));
    }
    let count = |wanted| view.routes.iter().filter(|r| r.verdict == wanted).count();
    let (all, bad, unknown) = (view.routes.len(), count(Verdict::Degraded) + count(Verdict::Stopped), count(Verdict::Unknown));
    if bad > 0 {
        return (Verdict::Degraded, format!("{bad} of {all} routes are not delivering as they should; no incident is open."));
    }
    if unknown > 0 {
        return (Verdict::Unknown, format!("{} of {all} routes deliver; of {unknown} we cannot tell.", all - unknown));
    }
    (Verdict::Delivering, if all == 1 { "The one route delivers.".to_owned() } else { format!("All {all} routes deliver.") })
}

fn incidents(view: &View) -> Markup {
    let (open, over): (Vec<_>, Vec<_>) = view.incidents.iter().partition(|i| i.resolved_at.is_none());
    html! {
        @if !open.is_empty() {
            h2 { "Open incidents" }
            @for incident in open.iter().take(OPEN) { (one(view, incident)) }
            @if open.len() > OPEN { p { "and " (open.len() - OPEN) " more" } }
        }
        @if !over.is_empty() {
            details {
                summary { "Ended lately: " (over.len()) }
                @for incident in over.iter().take(OVER) { (one(view, incident)) }
            }
        }
    }
}

fn one(view: &View, incident: &IncidentView) -> Markup {
    html! {
        article {
            p {
                span class=(severity(incident.severity)) { (incident.severity.as_str()) } " "
                a href=(format!("incidents/{}", incident.incident)) { "Incident " (incident.incident) } ": "
                (incident.kind.as_str()) ", " (incident.culprit)
            }
            p { (foreign(&incident.last.summary, SENTENCE)) }
            p.dim {
                "opened " (time(incident.opened_at, view.at))
                @if let Some(at) = incident.resolved_at { ", ended " (time(at, view.at)) }
            }
        }
    }
}

/// Providers down, inboxes across; in each field the streams.
fn matrix(view: &View) -> Markup {
    let mut fields: BTreeMap<(&Name, &Name), Vec<&RouteView>> = BTreeMap::new();
    for route in &view.routes {
        fields.entry((&route.route.provider, &route.route.inbox)).or_default().push(route);
    }
    html! {
        div.wide { table {
            thead { tr { th { "provider" } @for inbox in &view.inboxes { th { (inbox.name) } } } }
            tbody {
                @for provider in &view.providers {
                    tr {
                        th scope="row" { (provider.name) @if provider.traffic.standby { " (stand-by)" } br; (verdict(provider.verdict)) }
                        @for inbox in &view.inboxes {
                            td { (field(fields.get(&(&provider.name, &inbox.name)))) }
                        }
                    }
                }
            }
        } }
    }
}

fn field(routes: Option<&Vec<&RouteView>>) -> Markup {
    html! {
        @if let Some(routes) = routes {
            ul { @for route in routes { li { (verdict(route.verdict)) " " (route.route.stream) } } }
        } @else { span.dim { "not watched" } }
    }
}

fn reasons(view: &View) -> Markup {
    let line = |name: &str, party: &PartyView| {
        html! { li { (verdict(party.verdict)) " " strong { (name) } ": " (foreign(&party.reason, SENTENCE)) } }
    };
    html! {
        ul.plain {
            @for provider in &view.providers { (line(provider.name.as_str(), provider)) }
            @for (provider, stream) in view.streams.iter().filter(|(_, s)| s.verdict != Verdict::Delivering) {
                (line(&format!("{provider}/{}", stream.name), stream))
            }
        }
    }
}

fn inboxes(view: &View) -> Markup {
    html! {
        div.wide { table {
            thead { tr { th { "inbox" } th { "sight" } th { "verdict" } th { "known up to" } } }
            tbody {
                @for inbox in &view.inboxes {
                    tr {
                        th scope="row" { (inbox.name) }
                        td { @match inbox.sight {
                            Some(true) => span class="v delivering" { "✓ readable" },
                            Some(false) => span class="v stopped" { "✕ blind" },
                            None => span class="v" { "? not tried yet" },
                        } }
                        td { (verdict(inbox.verdict)) " " (foreign(&inbox.reason, SENTENCE)) }
                        td { @if let Some(at) = inbox.horizon { (time(at, view.at)) } @else { span.dim { "never read" } } }
                    }
                }
            }
        } }
    }
}

/// Who is told, and what could not be told. That a sink refuses is an incident of its own, further up.
fn sinks(view: &View) -> Markup {
    let count = |sink: &Name, end: Delivery| view.notices.get(&(sink.clone(), end)).copied().unwrap_or_default();
    let bad = |count: u64| if count > 0 { "v degraded" } else { "dim" };
    html! {
        div.wide { table {
            thead { tr { th { "sink" } th { "not told yet" } th { "told" } th { "refused" } th { "given up" } } }
            tbody {
                @for (sink, pending) in &view.notices_pending {
                    @let refused = count(sink, Delivery::Refused);
                    tr {
                        th scope="row" { (sink) }
                        td { span class=(bad(*pending)) { (pending) } }
                        td { (count(sink, Delivery::Delivered)) }
                        td { span class=(bad(refused)) { @if refused > 0 { "▲ " } (refused) } }
                        td { (count(sink, Delivery::Dropped)) }
                    }
                }
            }
        } }
    }
}

fn routes(view: &View) -> Markup {
    let linked = if view.routes.len() <= FEW_ROUTES { CANARIES } else { 1 };
    let mut worst_first: Vec<&RouteView> = view.routes.iter().collect();
    worst_first.sort_by_key(|route| match route.verdict {
        Verdict::Stopped => 0,
        Verdict::Degraded => 1,
        Verdict::Unknown => 2,
        Verdict::Delivering => 3,
    });
    html! {
        div.wide { table {
            thead { tr { th { "route" } th { "verdict" } th { "in flight" } th { "last arrival" } th { "newest canaries" } } }
            tbody {
                @for route in worst_first {
                    tr {
                        th scope="row" { (route.route) }
                        td { (verdict(route.verdict)) " " (foreign(&route.reason, SENTENCE)) }
                        td { (route.in_flight) }
                        td { @if let Some(at) = route.last_arrival { (time(at, view.at)) } @else { span.dim { "none yet" } } }
                        td { ul { @for canary in route.recent.iter().take(linked) {
                            li { a href=(format!("canaries/{}", canary.canary)) { (canary.canary) } " " (foreign(&canary.state, 80)) }
                        } } }
                    }
                }
            }
        } }
    }
}
