//! What everybody may see: how each stream delivers, and since when something is wrong. No reasons, no ids, no names but those of streams.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::bits::{badge, clock, foreign, sign, time};
use super::{frame, fresh, refresh, said, script};
use crate::config::Public;
use crate::model::{At, Culprit, Kind, Name, Verdict};
use crate::watchdog::{IncidentView, RouteView, View};

/// Incidents that are over, and are listed.
const OVER: usize = 10;

/// The page.
pub(in crate::edge::show) fn public(view: &View, public: &Public) -> Markup {
    let own = || view.streams.iter().map(|(_, stream)| &stream.name).collect::<BTreeSet<_>>().into_iter();
    let named: Vec<(&Name, &str)> = match &public.streams {
        Some(names) => names.iter().map(|(stream, name)| (stream, name.as_str())).collect(),
        None => own().map(|stream| (stream, stream.as_str())).collect(),
    };
    let all: Vec<(Verdict, &str)> = named.iter().map(|(stream, name)| (verdict(view, stream), *name)).collect();
    let (tone, headline) = headline(&all);
    let (open, over): (Vec<_>, Vec<_>) = view.incidents.iter().filter_map(|i| told(view, i, &named)).partition(|line| line.to.is_none());
    let body = html! {
        header.top { div.in { span.brand { (foreign(&public.title, 200)) } (fresh(&clock(view.at), &clock(view.at))) } }
        (said())
        main #main tabindex="-1" {
            div class=(format!("hero {}", tone.as_str())) { span.sign aria-hidden="true" { (sign(tone)) } h1 { (headline) } }
            section aria-labelledby="kinds" {
                h2 #kinds { "Kinds of mail" }
                ul.bars.card.flush { @for (verdict, name) in &all { li { strong { (foreign(name, 200)) } (badge(*verdict, words(*verdict))) } } }
            }
            @for (title, id, lines) in [("Now", "now", &open), ("Before", "before", &over)] {
                @if !lines.is_empty() {
                    section aria-labelledby=(id) { h2 id=(id) { (title) } ul.card.plain { @for line in lines.iter().take(OVER) { li { (line.draw(view.at)) } } } }
                }
            }
        }
        footer { p { "Measured by sending such mail and looking where it arrives. Times are UTC." } }
        (script())
    };
    frame(&public.title, &refresh(), &body)
}

/// One incident, as everybody may know it.
struct Line<'a> {
    what: &'static str,
    streams: Vec<&'a str>,
    from: At,
    to: Option<At>,
}

impl Line<'_> {
    fn draw(&self, now: At) -> Markup {
        html! {
            strong { (foreign(&self.streams.join(", "), 400)) } ": " (self.what) ", "
            @if let Some(to) = self.to { (clock(self.from)) " – " (clock(to)) } @else { "since " (time(self.from, now)) }
        }
    }
}

/// What is told of an incident: nothing of what is no trouble of mail that people wait for.
fn told<'a>(view: &View, incident: &IncidentView, named: &[(&Name, &'a str)]) -> Option<Line<'a>> {
    let what = match incident.kind {
        Kind::Stopped | Kind::Refused => ["mail does not arrive", "mail did not arrive"],
        Kind::Loss => ["some mail is lost", "some mail was lost"],
        Kind::Slow => ["mail is slow", "mail was slow"],
        Kind::Junked => ["mail is taken for junk", "mail was taken for junk"],
        Kind::Blind
        | Kind::CutOff
        | Kind::Identity
        | Kind::UnexpectedMail
        | Kind::Authentication
        | Kind::Dns
        | Kind::Listed
        | Kind::EarlySign => return None,
    };
    let counts = |route: &&RouteView| incident.culprit.covers(&route.route) && !is_set_aside(view, route);
    let touched: BTreeSet<&Name> = view.routes.iter().filter(counts).map(|route| &route.route.stream).collect();
    let streams: Vec<&str> = named.iter().filter(|(stream, _)| touched.contains(stream)).map(|(_, name)| *name).collect();
    let marked = incident.last.evidence.get("drill").is_some();
    let drill = marked || view.drill.as_ref().is_some_and(|drill| drill.incident == Some(incident.incident));
    let ours = matches!(incident.culprit, Culprit::Inbox(_)) || drill || streams.is_empty();
    let [now, before] = what;
    let what = if incident.resolved_at.is_some() { before } else { now };
    (!ours).then_some(Line { what, streams, from: incident.opened_at, to: incident.resolved_at })
}

/// What says nothing of the mail that people wait for: a stand-by, a provider of which a drill is held, an inbox that is to blame itself.
fn is_set_aside(view: &View, route: &RouteView) -> bool {
    let provider = &route.route.provider;
    let standby = view.providers.iter().any(|party| party.name == *provider && party.traffic.standby);
    let drill = view.drill.as_ref().is_some_and(|drill| drill.provider == *provider);
    let own = |i: &IncidentView| i.resolved_at.is_none() && matches!(&i.culprit, Culprit::Inbox(inbox) if *inbox == route.route.inbox);
    standby || drill || view.incidents.iter().any(own)
}

/// How a stream delivers, over all that it is sent through.
fn verdict(view: &View, stream: &Name) -> Verdict {
    if view.trouble.is_some() || view.cut_off_since.is_some() {
        return Verdict::Unknown;
    }
    let mine = view.routes.iter().filter(|route| route.route.stream == *stream && !is_set_aside(view, route));
    let known: Vec<Verdict> = mine.map(|route| route.verdict).filter(|verdict| *verdict != Verdict::Unknown).collect();
    match known.iter().filter(|verdict| **verdict != Verdict::Delivering).count() {
        _ if known.is_empty() => Verdict::Unknown,
        0 => Verdict::Delivering,
        _ if known.iter().all(|verdict| *verdict == Verdict::Stopped) => Verdict::Stopped,
        _ => Verdict::Degraded,
    }
}

const fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivering => "arrives",
        Verdict::Degraded => "arrives in part",
        Verdict::Stopped => "does not arrive",
        Verdict::Unknown => "not known",
    }
}

fn headline(all: &[(Verdict, &str)]) -> (Verdict, &'static str) {
    let is = |wanted| all.iter().any(|(verdict, _)| *verdict == wanted);
    match () {
        () if is(Verdict::Stopped) => (Verdict::Stopped, "Some mail does not arrive"),
        () if is(Verdict::Degraded) => (Verdict::Degraded, "Some mail is late or lost"),
        () if is(Verdict::Unknown) || all.is_empty() => (Verdict::Unknown, "Not everything is known at the moment"),
        () => (Verdict::Delivering, "All mail arrives"),
    }
}
