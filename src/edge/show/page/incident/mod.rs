//! `/incidents/ID`: what failed and whose it is, what to do, what happened when, and who was told.

mod evidence;
mod timeline;

use maud::{Markup, html};

use super::super::{quiet, runbooks};
use super::bits::{badge, count, foreign, severity, short, sign, table, time, tone};
use super::status::{culprit, hushed, kind, what, who};
use super::{page, prose, routes, strip, text};
use crate::model::dossier::{Dossier, Tally, Told};
use crate::model::{At, Culprit, IncidentId, Name, Own, Route, Severity, Verdict, certain};
use crate::watchdog::{IncidentView, View};

/// The way from this page to the status page.
const ROOT: &str = "../";
/// Canaries listed, and routes.
const LISTED: usize = 25;
const ROUTES: usize = 60;
/// Other incidents named.
const BESIDE: usize = 5;

/// What the ledger keeps of an incident: all, nothing, or why it was not looked up.
pub(super) type Story = Result<Option<Dossier>, String>;

/// An incident that the view has forgotten, as the ledger tells it.
pub(super) fn remembered(id: IncidentId, dossier: &Dossier) -> Option<IncidentView> {
    let last = dossier.notices.last()?.notice.clone();
    let loudest = dossier.notices.iter().map(|told| told.notice.severity).max().unwrap_or(last.severity);
    Some(IncidentView {
        incident: id,
        kind: last.kind,
        severity: loudest,
        culprit: last.culprit.clone(),
        opened_at: dossier.opened_at,
        resolved_at: dossier.resolved_at,
        last,
        present: None,
        acknowledged: None,
        also: Vec::new(),
        closed: None,
        delivers: false,
        silenced_until: None,
    })
}

/// The page of an incident. `pen`: whether who looks may say something here.
pub(super) fn incident(view: &View, incident: &IncidentView, story: &Story, pen: bool) -> Markup {
    let dossier = story.as_ref().ok().and_then(Option::as_ref);
    let over = incident.resolved_at.is_some();
    let tone = match () {
        () if over => Verdict::Delivering,
        () if quiet::is_drill(view, incident) => Verdict::Degraded,
        () => tone(incident.severity),
    };
    let title = format!("Incident {}: {}, {}", incident.incident, who(incident), what(incident));
    let body = html! {
        div class=(format!("hero {}", tone.as_str())) {
            span.sign aria-hidden="true" { (sign(tone)) }
            h1 { (title) @if quiet::is_drill(view, incident) { " (drill)" } @if over { " (over)" } }
            p.more { (prose(if over { incident.summary() } else { super::status::summary(incident) }, 2000)) }
        }
        (next(incident))
        (super::form::link(incident, pen))
        section.card aria-labelledby="facts" { h2 #facts { "Facts" } (facts(view, incident, dossier)) }
        (words(view, incident))
        section aria-labelledby="timeline" {
            h2 #timeline { "Timeline" }
            @if let Err(why) = story { p.note { "The ledger could not be asked (" (foreign(why, 300)) "): here is what the watchdog itself remembers." } }
            div.card { (timeline::timeline(view, incident, dossier)) }
        }
        @if let Some(dossier) = dossier {
            (told(view, dossier))
            (tallies(view, incident, dossier))
            (canaries(view, incident, dossier))
        } @else { (touched(view, &incident.culprit)) }
        (folded("evidence", "Evidence", "All that it rests on", &html! { div.card { (evidence::evidence(incident.kind, incident.evidence(), view.at)) } }))
        section aria-labelledby="take" { h2 #take { "To take along" } (commands(view, incident)) }
    };
    page(view, ROOT, &format!("{} {title}", sign(tone)), &body)
}

/// What to do first, while it is open.
fn next(incident: &IncidentView) -> Markup {
    let part = |key: &str| incident.evidence().get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    html! {
        @if let Some(step) = part("next_step").filter(|_| incident.resolved_at.is_none()) {
            section.next aria-labelledby="next" {
                h2 #next { "Next step" }
                p { (prose(step, 1000)) }
                @if runbooks::is_there(incident.last.runbook()) { p { a href=(format!("{ROOT}runbooks/{}", incident.last.runbook())) { "Runbook" } } }
            }
        }
        @if let Some(caution) = part("caution") { p.note { (prose(caution, 400)) } }
    }
}

/// What is secondary: under a heading, and opened by who wants it, so that a phone shows the whole page in a few screens.
fn folded(id: &str, title: &str, summary: &str, body: &Markup) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            details id=(format!("all-{id}")) { summary { (summary) } (body) }
        }
    }
}

/// When it began, by all that was ever told of it.
fn since(incident: &IncidentView, dossier: Option<&Dossier>) -> At {
    let told = |told: &Told| told.notice.evidence.get("since").and_then(serde_json::Value::as_str).and_then(At::from_rfc3339);
    dossier.into_iter().flat_map(|dossier| dossier.notices.iter().filter_map(told)).fold(incident.since(), At::min)
}

fn facts(view: &View, incident: &IncidentView, dossier: Option<&Dossier>) -> Markup {
    let since = since(incident, dossier);
    let evidence = incident.evidence();
    let certainty = evidence.get("certainty").and_then(serde_json::Value::as_f64);
    html! {
        dl.facts {
            dt { "State" }
            dd { @if incident.resolved_at.is_some() { (badge(Verdict::Delivering, "over")) } @else { (badge(tone(incident.severity), "open")) @if incident.delivers { " " (badge(Verdict::Delivering, "at present delivering")) } } " " span.dim { "(last notice: " (incident.last.change.as_str()) ")" } }
            dt { "Severity" } dd { (severity(incident.severity)) }
            dt { "Kind" } dd { (kind(incident)) }
            dt { "Culprit" } dd {
                (blamed(&incident.culprit))
                @if let (true, Culprit::Provider(name)) = (incident.kind.is_of_mail(), &incident.culprit) { ", " a href=(format!("{ROOT}providers/{name}/mail")) { "what is known of its mail" } }
                @if let Some(sure) = certainty { ", " (certain(sure)) " certain" }
                @for rival in strings(evidence, "rivals") { br; span.dim { "or " (prose(rival, 200)) } }
                @for also in strings(evidence, "cannot_be_told_apart") { br; span.dim { "cannot be told from " (prose(also, 200)) } }
            }
            dt { "Began" } dd { (time(since, view.at)) }
            dt { "Opened" } dd { (time(incident.opened_at, view.at)) @if since < incident.opened_at { ", " (incident.opened_at.since(since)) " later" } }
            @if let Some(resolved) = incident.resolved_at { dt { "Ended" } dd { (time(resolved, view.at)) } }
            dt { @if incident.resolved_at.is_some() { "Lasted" } @else { "Has lasted" } } dd { (incident.resolved_at.unwrap_or(view.at).since(since)) }
            @for (name, key) in [("First bad", "first_bad"), ("Last good", "last_good")] {
                @if let Some(found) = evidence.get(key).filter(|found| found.is_object()) { dt { (name) } dd { (evidence::canary(found, view.at)) } }
            }
            @for (what, word) in [("Acknowledged", &incident.acknowledged), ("Closed", &incident.closed)] {
                @if let Some(said) = word {
                    dt { (what) }
                    dd { "by " (foreign(&said.by, 200)) ", " (time(said.at, view.at)) @if let Some(note) = &said.note { ": " (foreign(note, 1000)) } }
                }
            }
            @for word in &incident.also {
                dt { "Seen, too" }
                dd { "by " (foreign(&word.by, 200)) ", " (time(word.at, view.at)) @if let Some(note) = &word.note { ": " (foreign(note, 1000)) } }
            }
            @if let Some(quiet) = quiet::of(view, incident) {
                dt { "Told to nobody" }
                dd { (hushed(view, &quiet)) @if !quiet.reason.is_empty() { ": " (foreign(&quiet.reason, 1000)) } }
            }
            @let beside = beside(view, incident);
            @if !beside.is_empty() {
                dt { "Open too" }
                dd { @for other in beside.iter().take(BESIDE) { div { a href=(other.incident) { "Incident " (other.incident) } ": " (who(other)) ", " (what(other)) } } }
            }
            dt { "Key" } dd { code { "mailcanary/" (text::plain(&view.instance, 300)) "/" (incident.incident) } }
        }
    }
}

/// What else is open of the same provider or inbox.
fn beside<'v>(view: &'v View, incident: &IncidentView) -> Vec<&'v IncidentView> {
    let (provider, _, inbox) = incident.culprit.parts();
    let is_mine = |other: &IncidentView| {
        let (theirs, _, there) = other.culprit.parts();
        provider.is_some() && theirs == provider || inbox.is_some() && there == inbox
    };
    let open = |other: &&IncidentView| other.resolved_at.is_none() && other.incident != incident.incident;
    view.incidents.iter().filter(open).filter(|other| is_mine(other)).collect()
}

fn strings<'v>(evidence: &'v serde_json::Value, key: &str) -> impl Iterator<Item = &'v str> {
    evidence.get(key).and_then(serde_json::Value::as_array).into_iter().flatten().filter_map(serde_json::Value::as_str).take(20)
}

/// Whose it is, with a way to all that is known of them.
fn blamed(whose: &Culprit) -> Markup {
    let path = match whose {
        Culprit::Provider(name) | Culprit::Stream(name, _) | Culprit::Path(name, _) => Some(format!("{ROOT}providers/{name}")),
        Culprit::Inbox(name) => Some(format!("{ROOT}inboxes/{name}")),
        Culprit::Route(p, s, i) => Some(format!("{ROOT}routes/{p}/{s}/{i}")),
        Culprit::Watcher {} => None,
    };
    html! { @if let Some(path) = path { a href=(path) { (culprit(whose)) } } @else { (culprit(whose)) } }
}

/// What the provider itself said.
fn words(view: &View, incident: &IncidentView) -> Markup {
    let evidence = incident.evidence();
    let reply = evidence.get("reply").and_then(serde_json::Value::as_str).filter(|text| !text.trim().is_empty());
    let says: Vec<&serde_json::Value> =
        evidence.get("provider_says").and_then(serde_json::Value::as_array).into_iter().flatten().take(20).collect();
    html! {
        @if reply.is_some() || !says.is_empty() {
            section aria-labelledby="words" {
                h2 #words { "The provider’s own words" }
                div.card {
                    @if let Some(reply) = reply { p { "It answered:" } pre { (foreign(reply, 8192)) } }
                    @for said in says { (evidence::said(said, view.at)) }
                }
            }
        }
    }
}

/// What was sent to whom, and how that ended.
fn told(view: &View, dossier: &Dossier) -> Markup {
    let tone = |outcome: &str| match outcome {
        "delivered" => Verdict::Delivering,
        "refused" | "dropped" => Verdict::Stopped,
        _ => Verdict::Degraded,
    };
    let rows = html! {
        @for told in &dossier.notices {
            @if told.sinks.is_empty() {
                tr { th scope="row" { (told.notice.change.as_str()) " " (told.notice.notice) } td { (severity(told.notice.severity)) } td { "nobody" } td { "" } td { (time(told.at, view.at)) } }
            }
            @for (sink, outcome, since) in &told.sinks {
                tr {
                    th scope="row" { (told.notice.change.as_str()) " " (told.notice.notice) }
                    td { (severity(told.notice.severity)) }
                    td data-k="to" { (foreign(sink, 100)) }
                    td { (badge(tone(outcome), outcome)) }
                    td { (time(*since, view.at)) }
                }
            }
        }
    };
    let untold = dossier.notices.iter().flat_map(|told| &told.sinks).filter(|(_, outcome, _)| outcome != "delivered").count();
    let summary = format!(
        "{}{}",
        count(dossier.notices.len(), "notice"),
        if untold > 0 { format!(", {untold} not delivered") } else { String::new() }
    );
    let body = html! {
        (table("Notices, and how they ended at each sink", "stack", &["notice", "severity", "to", "outcome", "since"], &rows))
        @if dossier.cut { p.dim.small { "More than is listed here is in the evidence." } }
    };
    folded("told", "Who was told", &summary, &body)
}

/// Whether the culprit has to do with a route of which only names are kept.
fn route(names: &[String; 3]) -> Option<Route> {
    let [provider, stream, inbox] = names.each_ref().map(|name| Name::new(name).ok());
    Some(Route { provider: provider?, stream: stream?, inbox: inbox? })
}

/// What became of what was sent meanwhile, by route: those of the culprit first.
fn tallies(view: &View, incident: &IncidentView, dossier: &Dossier) -> Markup {
    let all: Vec<(bool, Route, &Tally)> = dossier
        .routes
        .iter()
        .filter_map(|(names, tally)| route(names).map(|route| (incident.culprit.covers(&route), route, tally)))
        .collect();
    let (mut mine, beside): (Vec<_>, Vec<_>) = all.into_iter().partition(|(blamed, ..)| *blamed);
    // Those that miss mail go first; the others are named with their culprit only.
    let bad =
        |tally: &Tally| ["lost", "refused", "late", "in junk"].iter().any(|state| tally.states.get(*state).is_some_and(|count| *count > 0));
    let fails =
        |route: &Route, tally: &Tally| bad(tally) || view.routes.iter().any(|known| known.route == *route && known.own < Own::Unknown);
    mine.sort_by_key(|(_, route, tally)| !fails(route, tally));
    let failing = mine.iter().filter(|(_, route, tally)| fails(route, tally)).count();
    if mine.is_empty() && beside.is_empty() {
        return html! {};
    }
    let sent: u64 = mine.iter().map(|(_, _, tally)| tally.sent).sum();
    let summary = format!(
        "{} over {} of the culprit, of which {failing} fail, and {} beside it",
        strip::canaries(sent as usize),
        count(mine.len(), "route"),
        beside.len()
    );
    let body = html! {
        @if !mine.is_empty() { (tallied(view, "Routes of the culprit: what became of canaries", &mine)) }
        @if !beside.is_empty() {
            details #beside {
                summary { (count(beside.len(), "route")) " beside it" }
                (tallied(view, "Other routes: what became of canaries", &beside))
            }
        }
    };
    folded("by-route", "What was sent meanwhile, by route", &summary, &body)
}

fn tallied(view: &View, caption: &str, routes: &[(bool, Route, &Tally)]) -> Markup {
    let states = ["arrived", "in junk", "late", "lost", "refused", "in flight"];
    let instant = |at: Option<At>| html! { @if let Some(at) = at { (short(at, view.at)) } @else { "–" } };
    let rows = html! {
        @for (_, route, tally) in routes.iter().take(ROUTES) {
            tr {
                th scope="row" { a href=(routes::href(ROOT, route)) { (route) } }
                td.num data-k="sent" { (tally.sent) }
                @for state in states { td.num data-k=(state) { (tally.states.get(state).copied().unwrap_or_default()) } }
                td.num data-k="last good" { (instant(tally.last_good)) }
                td.num data-k="first bad" { (instant(tally.first_bad)) }
            }
        }
    };
    let heads = ["route", ">sent", ">arrived", ">in junk", ">late", ">lost", ">refused", ">in flight", ">last good", ">first bad"];
    html! {
        (table(caption, "stack", &heads, &rows))
        @if routes.len() > ROUTES { p.dim { "and " (routes.len() - ROUTES) " more routes" } }
    }
}

/// The canaries of the culprit that did not simply arrive.
fn canaries(view: &View, incident: &IncidentView, dossier: &Dossier) -> Markup {
    let mine = dossier.canaries.iter().filter(|c| route(&c.route).is_some_and(|route| incident.culprit.covers(&route)));
    let mine: Vec<_> = mine.collect();
    let rows = html! {
        @for canary in mine.iter().rev().take(LISTED) {
            tr {
                th scope="row" { a href=(format!("{ROOT}canaries/{}", text::plain(&canary.canary, 16))) { (text::plain(&canary.canary, 16)) } }
                td { (foreign(&canary.route.join("/"), 200)) }
                td.nw { (canary.state) @if let Some(class) = &canary.class { ": " (class) } }
                td { (time(canary.sent_at, view.at)) }
                td.why { @if let Some(reply) = &canary.reply { (foreign(reply, 200)) } }
            }
        }
    };
    if mine.is_empty() {
        return html! {};
    }
    let body = html! {
        (table("Canaries of the culprit that did not simply arrive, newest first", "stack", &["canary", "route", "state", "sent", "the provider’s answer"], &rows))
        @if mine.len() > LISTED { p.dim { "and " (mine.len() - LISTED) " more" } }
    };
    folded("canaries", "Canaries that did not simply arrive", &strip::canaries(mine.len()), &body)
}

/// The routes that it touches, as they are now, where the ledger says nothing.
fn touched(view: &View, whose: &Culprit) -> Markup {
    html! {
        section aria-labelledby="by-route" { h2 #by-route { "Routes that it touches, as they are now" } (routes::routes(view, ROOT, |route| whose.covers(&route.route))) }
    }
}

/// The path of the configuration as a word of a shell.
pub(super) fn configuration(view: &View) -> String {
    let file = view.configuration.file.as_deref().unwrap_or("/etc/mailcanary/mailcanary.toml");
    let plain = file.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if plain { file.to_owned() } else { format!("'{}'", text::plain(file, 4096).replace('\'', "'\\''")) }
}

/// What a silence of a culprit names. Names are words of a shell.
fn which(culprit: &Culprit) -> Option<String> {
    let (provider, stream, inbox) = culprit.parts();
    let parts = [("provider", provider), ("stream", stream), ("inbox", inbox)];
    let words: String = parts.iter().filter_map(|(key, name)| name.map(|name| format!(" --{key} {name}"))).collect();
    (!words.is_empty()).then_some(words)
}

fn commands(view: &View, incident: &IncidentView) -> Markup {
    let file = configuration(view);
    let id = incident.incident;
    let open = incident.resolved_at.is_none() && incident.severity != Severity::Info;
    html! {
        div.card {
            p { "On the host of mailcanary: all that the ledger keeps of it, for the provider’s ticket and the post-mortem," }
            pre { code { "mailcanary incident evidence " (id) " -c " (file) } }
            @if open {
                p { "to say that somebody has seen it, or that it is over," }
                pre { code { "mailcanary incident ack " (id) " -c " (file) " --note '…'" } }
                pre { code { "mailcanary incident close " (id) " -c " (file) " --note '…'" } }
                @if let Some(which) = which(&incident.culprit) {
                    p { "and to tell nobody of the like for some time:" }
                    pre { code { "mailcanary silence add" (which) " --for 4h -c " (file) " --reason '…'" } }
                }
            }
        }
    }
}
