//! `/`: how it is going, at a glance; then what is wrong; then everything.

use maud::{Markup, html};

use super::super::health;
use super::super::months::Past;
use super::super::quiet::{self, Quiet};
use super::bits::{
    ago, badge, capital, count, foreign, label, natural, reason, relative, severity, short, sign, table, time, tone, verdict,
};
use super::spread::{self, Spread};
use super::{matrix, open, page, prose, routes, strip};
use crate::model::past::Point;
use crate::model::{At, Name, Own, Severity, Verdict};
use crate::watchdog::{Delivery, InboxView, IncidentView, PartyView, RouteView, View};

/// What goes before why nothing is watched.
const IDLE: &str = "mailcanary watches nothing: ";
/// Bytes of a reason.
const SENTENCE: usize = 240;
/// Bytes of a summary; the whole is on the incident's page.
const SUMMARY: usize = 600;

/// Incidents listed that are over.
const OVER: usize = 20;

/// The status page; the matrix with all streams or one. `past`: what the ledger knows of the last months.
pub(super) fn status(view: &View, stream: Option<&Name>, past: &Past) -> Markup {
    let (tone, headline) = headline(view);
    let (_, sentence) = sentence(view);
    // Where nothing is watched at all, that is said and no more.
    let is_of_mail = !is_idle(view) && view.cut_off_since.is_none();
    let body = html! {
        div class=(format!("hero {}", tone.as_str())) {
            span.sign aria-hidden="true" { (sign(tone)) }
            h1 { (foreign(&headline, 300)) }
            @if let Some(worst) = worst(view).filter(|_| is_of_mail) {
                // Its sentence stands on its card.
                p.more {
                    @if quiet::is_drill(view, worst) { "Nothing is wrong with it: its canaries are withheld to see who is told. " }
                    "For " (worst.age(view.at)) "; "
                    @if let Some(quiet) = quiet::of(view, worst) { (quiet.word) " until " (short(quiet.until, view.at)) }
                    @else if let Some(word) = &worst.acknowledged { (foreign(&word.by, 60)) " has seen it" }
                    @else { "nobody has acknowledged it" }
                    ". " a href=(format!("incidents/{}", worst.incident)) { "What to do" }
                }
            } @else if sentence != headline {
                p.more { (prose(&capital(sentence.strip_prefix(IDLE).unwrap_or(&sentence)), 600)) }
            }
        }
        @if is_idle(view) { p.note { "What stands below is what was known when mailcanary last watched." } }
        (open::line(view))
        (super::configuration::configuration(view))
        section aria-labelledby="matrix" { h2 #matrix { "Providers and inboxes" } (matrix::matrix(view, "", stream)) }
        (open::cards(view))
        (tiles(view))
        (super::calendar::calendar(view, past))
        (super::people::people(view))
        section aria-labelledby="providers" { h2 #providers { "Providers" } (providers(view)) }
        section aria-labelledby="inboxes" { h2 #inboxes { "Inboxes" } (inboxes(view)) }
        section aria-labelledby="routes" { h2 #routes { "Routes" } (routes::folded(view, "")) }
        (super::accounts::accounts(view))
        (super::dns::dns(view))
        section aria-labelledby="sinks" { h2 #sinks { "Sinks" }
            @if view.notices_pending.is_empty() { p.note { "No sink is configured: nobody is told of anything." } } @else { (sinks(view)) }
        }
        (super::heartbeats::heartbeats(view))
        (over(view))
    };
    page(view, "", &format!("{} {headline}", sign(tone)), &body)
}

/// Whether nothing is watched at all: what stands there is of before.
fn is_idle(view: &View) -> bool {
    view.trouble.is_some() || health::late(view).is_some()
}

/// What somebody who was woken reads first.
fn headline(view: &View) -> (Verdict, String) {
    let (mood, sentence) = sentence(view);
    if is_idle(view) {
        return (mood, "mailcanary watches nothing".to_owned());
    }
    if view.cut_off_since.is_some() {
        return (mood, "The watcher has no network".to_owned());
    }
    let Some(worst) = worst(view) else { return (mood, sentence) };
    let more = match view.incidents.iter().filter(|i| i.resolved_at.is_none()).count() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let drill = if quiet::is_drill(view, worst) { "drill: " } else { "" };
    let (tone, well) = if worst.delivers { (Verdict::Degraded, ", at present delivering") } else { (tone(worst.severity), "") };
    let tone = if drill.is_empty() && worst.last.sink().is_none() { tone } else { Verdict::Degraded };
    (tone, capital(&format!("{drill}{}: {}{well}{more}", who(worst), what(worst))))
}

/// The loudest of what is open, mail before sinks; of what delivers again only if nothing else is, and a drill only where there is nothing real.
fn worst(view: &View) -> Option<&IncidentView> {
    let rank = |i: &&IncidentView| (!quiet::is_drill(view, i), !i.delivers, i.severity, i.last.sink().is_none());
    view.incidents.iter().filter(|i| i.resolved_at.is_none()).max_by_key(rank)
}

/// A culprit as a heading.
pub(super) fn culprit(culprit: &crate::model::Culprit) -> String {
    culprit.to_string().replacen(':', " ", 1)
}

/// A kind of failure likewise.
pub(super) fn kind(incident: &IncidentView) -> String {
    incident.kind.as_str().replace('_', " ")
}

/// Whose an incident is, as the page of it said.
pub(super) fn who(incident: &IncidentView) -> String {
    if incident.culprit == (crate::model::Culprit::Watcher {}) { incident.last.whose() } else { culprit(&incident.culprit) }
}

/// What is wrong likewise.
pub(super) fn what(incident: &IncidentView) -> String {
    if incident.last.sink().is_some() { incident.last.what() } else { kind(incident) }
}

/// How it is going, as the worst of what is known.
pub(in crate::edge::show) fn sentence(view: &View) -> (Verdict, String) {
    if let Some(trouble) = &view.trouble {
        return (Verdict::Stopped, format!("{IDLE}{trouble}"));
    }
    if let Some(late) = health::late(view) {
        return (Verdict::Stopped, format!("{IDLE}{late}"));
    }
    if let Some(since) = view.cut_off_since {
        return (Verdict::Stopped, format!("The watcher has had no network for {}: nothing can be said about mail.", view.at.since(since)));
    }
    if let Some(worst) = worst(view) {
        // That a sink takes nothing is no failure of mail.
        let pages = worst.severity == Severity::Page && !worst.delivers && !quiet::is_drill(view, worst) && worst.last.sink().is_none();
        let tone = if pages { Verdict::Stopped } else { Verdict::Degraded };
        let open = view.incidents.iter().filter(|i| i.resolved_at.is_none()).count();
        let more = if open > 1 { format!(" ({} more open)", open - 1) } else { String::new() };
        return (tone, format!("{}{more}", worst.summary()));
    }
    let count = |wanted| view.routes.iter().filter(|r| r.verdict == wanted).count();
    let (all, bad, unknown) = (view.routes.len(), count(Verdict::Degraded) + count(Verdict::Stopped), count(Verdict::Unknown));
    let stopped = count(Verdict::Stopped);
    if stopped > 0 {
        return (Verdict::Stopped, format!("{stopped} of {all} routes have stopped; nobody has been told yet: no incident is open."));
    }
    if bad > 0 {
        return (Verdict::Degraded, format!("{bad} of {all} routes are not delivering as they should; no incident is open."));
    }
    if unknown > 0 {
        return (Verdict::Unknown, format!("{} of {all} routes deliver; of {unknown} we cannot tell.", all - unknown));
    }
    (Verdict::Delivering, if all == 1 { "The one route delivers.".to_owned() } else { format!("All {all} routes deliver.") })
}

/// The state of things in a few figures.
fn tiles(view: &View) -> Markup {
    let well = view.routes.iter().filter(|r| r.own.verdict() == Verdict::Delivering).count();
    let open = view.incidents.iter().filter(|i| i.resolved_at.is_none()).count();
    let seen = view.incidents.iter().filter(|i| i.resolved_at.is_none() && i.acknowledged.is_some()).count();
    let sighted = view.inboxes.iter().filter(|i| i.sight == Some(true)).count();
    let newest: Vec<(&RouteView, Vec<Point>)> = view.routes.iter().map(|route| (route, strip::points(route))).collect();
    let spread = Spread::of(newest.iter().flat_map(|(route, points)| spread::telling(view, route, points)));
    html! {
        ul.tiles {
            @if is_idle(view) {
                (tile("Routes that deliver", "not known", &html! { (well) " of " (view.routes.len()) " when it was last watched" }))
            } @else {
                (tile("Routes that deliver", &format!("{well} of {}", view.routes.len()), &html! { (troubled(view)) }))
            }
            (tile("Open incidents", &open.to_string(), &html! { @if open > 0 { (seen) " acknowledged" } @else { "nobody is called" } }))
            (tile("Inboxes we can read", &format!("{sighted} of {}", view.inboxes.len()), &html! { @if sighted < view.inboxes.len() { "what we cannot read proves nothing" } @else { "all that were configured" } }))
            @if let Some([median, _, most]) = spread.took {
                (tile("Median of the newest", &spread::said(median), &html! { "99th " (spread::said(most)) ", of " (strip::canaries(spread.sent)) }))
            }
            @if let Some(at) = view.routes.iter().filter_map(|r| r.last_arrival).max() {
                (tile("Last arrival", &relative(at, view.at), &html! { "at the receiver" }))
            }
        }
    }
}

fn tile(what: &str, number: &str, more: &Markup) -> Markup {
    html! { li.tile { span.k { (what) } span.n { (number) } span.s { (more) } } }
}

fn troubled(view: &View) -> String {
    let number = |wanted| view.routes.iter().filter(|r| r.own == wanted).count();
    let words = [
        (Own::Nothing, "with nothing"),
        (Own::Missing, "missing some"),
        (Own::Junk, "in junk"),
        (Own::Late, "late"),
        (Own::Unknown, "unknown"),
    ];
    let told = words.map(|(own, word)| (number(own), word));
    let told: Vec<String> = told.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if told.is_empty() { "no trouble".to_owned() } else { told.join(", ") }
}

fn over(view: &View) -> Markup {
    let over: Vec<&IncidentView> = view.incidents.iter().filter(|i| i.resolved_at.is_some()).collect();
    html! {
        @if !over.is_empty() {
            section aria-labelledby="over" {
                h2 #over { "Incidents that are over" }
                details #ended { summary { (count(over.len(), "incident")) " ended lately" }
                    @for incident in over.iter().take(OVER) { (one(view, "", incident)) }
                }
                p { a href="incidents" { "All incidents" } }
            }
        }
    }
}

/// What an incident is, without what to do: that has its own place beside it.
pub(super) fn summary(incident: &IncidentView) -> &str {
    let whole = incident.summary();
    let step = incident.evidence().get("next_step").and_then(serde_json::Value::as_str).filter(|step| !step.is_empty());
    let rest = step.and_then(|step| whole.strip_suffix(step)?.trim_end().strip_suffix("Next:"));
    rest.map_or(whole, str::trim_end)
}

/// That nobody is told of something, in one form everywhere.
pub(super) fn hushed(view: &View, quiet: &Quiet) -> Markup {
    html! {
        span.v.unknown { span aria-hidden="true" { "‖ " } (quiet.word) } " "
        span.dim { "until " (short(quiet.until, view.at)) @if !quiet.by.is_empty() { ", by " (foreign(&quiet.by, 60)) } }
    }
}

/// One incident in a list.
pub(super) fn one(view: &View, root: &str, incident: &IncidentView) -> Markup {
    html! {
        article class=(if incident.resolved_at.is_some() { "over" } else { incident.severity.as_str() }) id=(format!("i{}", incident.incident)) {
            h3.head {
                @if incident.resolved_at.is_some() { (badge(Verdict::Delivering, "over")) }
                (severity(incident.severity)) a href=(format!("{root}incidents/{}", incident.incident)) { "Incident " (incident.incident) }
                span { (who(incident)) ": " (what(incident)) }
                @if quiet::is_drill(view, incident) { (label("drill")) }
                @if let Some(word) = &incident.acknowledged { (label("acknowledged")) span.dim { "by " (foreign(&word.by, 60)) } }
                @if let Some(quiet) = quiet::of(view, incident) { (hushed(view, &quiet)) }
                @if incident.delivers { (badge(Verdict::Delivering, "at present delivering")) }
            }
            p { (prose(summary(incident), SUMMARY)) }
            p.dim.small {
                @if let Some(at) = incident.resolved_at { "lasted " (incident.age(view.at)) ", ended " (time(at, view.at)) }
                @else { "for " (incident.age(view.at)) ", since " (super::bits::stamp(incident.since())) ", opened " (ago(incident.opened_at, view.at)) }
            }
        }
    }
}

/// The worst first; what does alike in the order in which people count.
pub(super) fn by_trouble<T>(all: &[T], verdict: impl Fn(&T) -> Verdict, name: impl Fn(&T) -> &Name) -> Vec<&T> {
    let mut sorted: Vec<&T> = all.iter().collect();
    sorted.sort_by(|a, b| verdict(a).rank().cmp(&verdict(b).rank()).then_with(|| natural(name(a).as_str(), name(b).as_str())));
    sorted
}

fn providers(view: &View) -> Markup {
    let mut parties = view.providers.iter().chain(view.streams.iter().map(|(_, stream)| stream));
    let budgeted = parties.any(|party| party.traffic.budget.is_some());
    let line = |name: &Markup, key: &str, party: &PartyView| {
        html! {
            tr id=(format!("of/{key}")) {
                th scope="row" { (name) }
                td.why { (verdict(party.verdict)) " " span.small { (reason("", &party.reason, SENTENCE)) } }
                td.num data-k="a canary every" { (party.traffic.every) }
                td.num data-k="last arrival" { (when(party.traffic.last_arrival, view.at)) }
                @if budgeted { td.num data-k="budget" { @if let Some((cap, spent)) = party.traffic.budget { (spent) " of " (cap) } } }
            }
        }
    };
    let rows = html! {
        @for party in &by_trouble(&view.providers, |party| party.verdict, |party| &party.name) {
            (line(&html! { a href=(format!("providers/{}", party.name)) { (party.name) } @if party.traffic.standby { " (stand-by)" } }, party.name.as_str(), party))
        }
        @for (provider, party) in view.streams.iter().filter(|(_, s)| s.verdict != Verdict::Delivering) {
            (line(&html! { (provider) "/" (party.name) }, &format!("{provider}/{}", party.name), party))
        }
    };
    let heads = ["provider", "verdict", ">a canary every", ">last arrival", ">budget of 24 hours"];
    let shown = if budgeted { heads.len() } else { heads.len() - 1 };
    table("Providers, and streams that do not deliver", "stack", heads.get(..shown).unwrap_or(&heads), &rows)
}

pub(super) fn when(at: Option<At>, now: At) -> Markup {
    html! { @if let Some(at) = at { (ago(at, now)) } @else { span.dim { "none yet" } } }
}

fn inboxes(view: &View) -> Markup {
    let rows = html! {
        @for inbox in &by_trouble(&view.inboxes, |inbox| inbox.verdict, |inbox| &inbox.name) {
            tr id=(format!("in/{}", inbox.name)) {
                th scope="row" { a href=(format!("inboxes/{}", inbox.name)) { (inbox.name) } }
                td data-k="sight" { (sight(inbox)) @if let Some(at) = inbox.expires { " " span.dim { "log-in ends " (at.minute()) } } }
                td.why { (verdict(inbox.verdict)) " " span.small { (reason("", &inbox.reason, SENTENCE)) } }
                td.num data-k="known up to" { @if let Some(at) = inbox.horizon { (ago(at, view.at)) } @else { span.dim { "never read" } } }
            }
        }
    };
    table("Inboxes", "stack", &["inbox", "sight", "verdict", ">known up to"], &rows)
}

pub(super) fn sight(inbox: &InboxView) -> Markup {
    match inbox.sight {
        Some(true) => badge(Verdict::Delivering, "readable"),
        Some(false) => badge(Verdict::Stopped, "blind"),
        None => label("not tried yet"),
    }
}

/// Who is told, and what could not be told. That a sink refuses is an incident of its own, further up.
fn sinks(view: &View) -> Markup {
    let count = |sink: &Name, end: Delivery| view.notices.get(&(sink.clone(), end)).copied().unwrap_or_default();
    let bad = |count: u64| html! { @if count > 0 { (badge(Verdict::Degraded, &count.to_string())) } @else { "0" } };
    let rows = html! {
        @for (sink, pending) in &view.notices_pending {
            tr id=(format!("s/{sink}")) {
                th scope="row" { (sink) }
                td.num data-k="not told yet" { (bad(*pending)) }
                td.num data-k="told" { (count(sink, Delivery::Delivered)) }
                td.num data-k="refused" { (bad(count(sink, Delivery::Refused))) }
                td.num data-k="given up" { (count(sink, Delivery::Dropped)) }
            }
        }
    };
    table("Who is told", "stack", &["sink", ">not told yet", ">told", ">refused", ">given up"], &rows)
}
