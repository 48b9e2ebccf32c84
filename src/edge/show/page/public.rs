//! What everybody may see: how each stream delivers, and since when something is wrong. No reasons, no ids, no names but those of streams.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::days::{DAYS, Days, Spell, renewed};
use super::super::months::Known;
use super::super::quiet;
use super::bits::{badge, clock, foreign, sign, stamp, time};
use super::days::whole;
use super::unwatched::unwatched;
use super::{frame, fresh, refresh, said, script};
use crate::config::Public;
use crate::model::past::Failure;
use crate::model::{At, Culprit, DeliveryKind, Kind, Name, Verdict};
use crate::watchdog::{IncidentView, RouteView, View};

/// Incidents that are over, and are listed.
const OVER: usize = 10;

/// The page. `past`: the incidents of the last months, and when mailcanary did not run, if that is known.
pub(in crate::edge::show) fn public(view: &View, public: &Public, past: Option<&Known>) -> Markup {
    let own = || view.streams.iter().map(|(_, stream)| &stream.name).collect::<BTreeSet<_>>().into_iter();
    let named: Vec<(&Name, &str)> = match &public.streams {
        Some(names) => names.iter().map(|(stream, name)| (stream, name.as_str())).collect(),
        None => own().map(|stream| (stream, stream.as_str())).collect(),
    };
    let all: Vec<(Verdict, &str)> = named.iter().map(|(stream, name)| (verdict(view, stream), *name)).collect();
    let (open, over): (Vec<_>, Vec<_>) =
        view.incidents.iter().filter_map(|i| told(view, &Fact::of(view, i), &named)).partition(|line| line.to.is_none());
    let (tone, headline) = headline(&all, &open);
    let past = past.map(|known| renewed(view, known));
    let lines = |failures: &[Failure]| failures.iter().filter_map(|failure| told(view, &Fact::past(failure), &named)).collect::<Vec<_>>();
    let known = past.as_ref().map(|(failures, _)| lines(failures));
    // Of what is over the ledger knows more than the watchdog remembers: whatever shows in a bar stands below it, too, the newest first.
    let over: Vec<&Line<'_>> = known.as_ref().unwrap_or(&over).iter().filter(|line| line.to.is_some()).collect();
    let open_lines: Vec<&Line<'_>> = open.iter().collect();
    let body = html! {
        header.top { div.in { span.brand { (foreign(&public.title, 200)) } (fresh(&clock(view.at), &clock(view.at))) } }
        (said())
        main #main tabindex="-1" {
            div class=(format!("hero {}", tone.as_str())) { span.sign aria-hidden="true" { (sign(tone)) } h1 { (headline) } }
            section aria-labelledby="kinds" {
                h2 #kinds { "Kinds of mail" }
                ul.bars.card.flush { @for (place, ((stream, _), (verdict, name))) in named.iter().zip(&all).enumerate() { li { strong { (foreign(name, 200)) } (badge(*verdict, words(*verdict, name, &open))) @if let (Some(known), Some((past, pauses))) = (&known, &past) { (history(view, (name, place), known, unwatched(view, stream, past, pauses))) } } } }
            }
            @for (title, id, lines) in [("Now", "now", &open_lines), ("Before", "before", &over)] {
                @if !lines.is_empty() {
                    section aria-labelledby=(id) { h2 id=(id) { (title) } ul.card.plain { @for line in lines.iter().take(OVER) { li { (line.draw(view.at)) } } } }
                }
            }
        }
        footer { p { "Measured by sending such mail and looking where it arrives. Times are UTC." } }
        (script())
    };
    frame(Some(""), &public.title, &refresh(), &body)
}

/// A bar for each day of a kind of mail.
fn history(view: &View, (name, place): (&str, usize), known: &[Line<'_>], unwatched: Vec<Spell>) -> Markup {
    let spell = |line: &Line<'_>| {
        let tone = if line.whole && line.what == What::Missing { Verdict::Stopped } else { Verdict::Degraded };
        Spell { from: line.from, to: line.to, tone }
    };
    let spells: Vec<Spell> = mine(name, known).map(spell).chain(unwatched).collect();
    whole(name, &format!("told-{place}"), &Days::of(&spells, view.began, view.at, DAYS))
}

/// What an incident is about, wherever it is remembered.
struct Fact<'a> {
    kind: Kind,
    culprit: &'a Culprit,
    from: At,
    to: Option<At>,
    drill: bool,
}

impl<'a> Fact<'a> {
    fn of(view: &View, incident: &'a IncidentView) -> Self {
        let drill = quiet::is_drill(view, incident);
        Self { kind: incident.kind, culprit: &incident.culprit, from: incident.since(), to: incident.resolved_at, drill }
    }

    fn past(failure: &'a Failure) -> Self {
        let drill = failure.is_drill();
        Self { kind: failure.kind, culprit: &failure.culprit, from: failure.since, to: failure.resolved_at, drill }
    }
}

/// One incident, as everybody may know it.
struct Line<'a> {
    what: What,
    /// Whether that is so of all the mail of its streams, by whatever way it goes.
    whole: bool,
    streams: Vec<&'a str>,
    from: At,
    to: Option<At>,
}

/// What is wrong, as whoever waits for mail sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Missing,
    Lost,
    Slow,
    Junk,
}

impl What {
    /// Nothing of what is no trouble of mail that people wait for.
    const fn of(kind: Kind) -> Option<Self> {
        match kind.delivery() {
            Some(DeliveryKind::Stopped | DeliveryKind::Refused) => Some(Self::Missing),
            Some(DeliveryKind::Loss) => Some(Self::Lost),
            Some(DeliveryKind::Slow) => Some(Self::Slow),
            Some(DeliveryKind::Junked) => Some(Self::Junk),
            None => None,
        }
    }

    /// What is so of the mail, and what was.
    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Missing => ["does not arrive", "did not arrive"],
            Self::Lost => ["is lost", "was lost"],
            Self::Slow => ["is late", "was late"],
            Self::Junk => ["is taken for junk", "was taken for junk"],
        }
    }
}

impl Line<'_> {
    /// A sentence. Of what is lost, some is always meant.
    fn words(&self) -> String {
        let [now, before] = self.what.words();
        let mail = if self.whole && self.what != What::Lost { "mail" } else { "some mail" };
        format!("{mail} {}", if self.to.is_some() { before } else { now })
    }

    fn draw(&self, now: At) -> Markup {
        html! {
            strong { (foreign(&self.streams.join(", "), 400)) } ": " (self.words()) ", "
            @if let Some(to) = self.to { (stamp(self.from)) " – " (stamp(to)) } @else { "since " (time(self.from, now)) }
        }
    }
}

/// What is told of an incident, if it is one of mail that people wait for.
fn told<'a>(view: &View, fact: &Fact<'_>, named: &[(&Name, &'a str)]) -> Option<Line<'a>> {
    let what = What::of(fact.kind)?;
    // What was over before says nothing by how things are now.
    let aside = |route: &RouteView| if fact.to.is_none() { is_set_aside(view, route) } else { is_spare(view, route) };
    let counts = |route: &&RouteView| fact.culprit.covers(&route.route) && !aside(route);
    let touched: BTreeSet<&Name> = view.routes.iter().filter(counts).map(|route| &route.route.stream).collect();
    let streams: Vec<&str> = named.iter().filter(|(stream, _)| touched.contains(stream)).map(|(_, name)| *name).collect();
    let ours = matches!(fact.culprit, Culprit::Inbox(_)) || fact.drill || streams.is_empty();
    let beside = |route: &RouteView| touched.contains(&route.route.stream) && !fact.culprit.covers(&route.route);
    let whole = !view.routes.iter().any(|route| beside(route) && !aside(route));
    (!ours).then_some(Line { what, whole, streams, from: fact.from, to: fact.to })
}

/// A stand-by: nothing that people wait for goes through it.
fn is_spare(view: &View, route: &RouteView) -> bool {
    view.providers.iter().any(|party| party.name == route.route.provider && party.traffic.standby)
}

/// What says nothing of the mail that people wait for: a stand-by, a provider of which a drill is held, an inbox that is to blame itself.
fn is_set_aside(view: &View, route: &RouteView) -> bool {
    let provider = &route.route.provider;
    let drill = view.drill.as_ref().is_some_and(|drill| drill.provider == *provider);
    let own = |i: &IncidentView| i.resolved_at.is_none() && matches!(&i.culprit, Culprit::Inbox(inbox) if *inbox == route.route.inbox);
    is_spare(view, route) || drill || view.incidents.iter().any(own)
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

fn words(verdict: Verdict, name: &str, open: &[Line<'_>]) -> &'static str {
    let all = |what| mine(name, open).next().is_some() && mine(name, open).all(|line| line.what == what);
    match verdict {
        Verdict::Delivering => "arrives",
        Verdict::Degraded if all(What::Slow) => "arrives late",
        Verdict::Degraded if all(What::Junk) => "arrives as junk",
        Verdict::Degraded => "arrives in part",
        Verdict::Stopped => "does not arrive",
        Verdict::Unknown => "not known",
    }
}

/// What is open of a stream.
fn mine<'l, 'a>(name: &'l str, open: &'l [Line<'a>]) -> impl Iterator<Item = &'l Line<'a>> {
    open.iter().filter(move |line| line.streams.contains(&name))
}

/// All of it in one line: it says of the mail what the lines below say.
fn headline(all: &[(Verdict, &str)], open: &[Line<'_>]) -> (Verdict, String) {
    let is = |wanted| all.iter().any(|(verdict, _)| *verdict == wanted);
    let (tone, words) = match () {
        () if !all.is_empty() && all.iter().all(|(verdict, _)| *verdict == Verdict::Stopped) => (Verdict::Stopped, "No mail arrives"),
        () if is(Verdict::Stopped) => (Verdict::Stopped, "Some mail does not arrive"),
        () if is(Verdict::Degraded) => {
            let worst = [What::Missing, What::Lost, What::Slow, What::Junk].into_iter().find(|what| open.iter().any(|l| l.what == *what));
            let words = worst.map_or_else(
                || "Some mail is late or lost".to_owned(),
                |what| format!("Some mail {}", what.words().first().unwrap_or(&"")),
            );
            return (Verdict::Degraded, words);
        }
        () if is(Verdict::Unknown) || all.is_empty() => (Verdict::Unknown, "Not everything is known at the moment"),
        () => (Verdict::Delivering, "All mail arrives"),
    };
    (tone, words.to_owned())
}
