//! Whether somebody is told of every page, at every hour. What is not is a warning: a gap may be meant.

use std::collections::BTreeMap;

use super::read::Whole;
use super::{Settings, Sink};
use crate::model::{At, Kind, Name, Route, Severity, Span};

/// Kinds of failure that page.
const PAGING: [Kind; 4] = [Kind::Stopped, Kind::Loss, Kind::Slow, Kind::Refused];
/// Two weeks that stand for all: 2 January and 3 July 2023, so that summer time is among them.
const WEEKS: [At; 2] = [At::from_ms(1_672_617_600_000), At::from_ms(1_688_342_400_000)];
/// Hours are looked at in steps of a quarter.
const STEP: Span = Span::from_secs(900);
const STEPS: u64 = 7 * 24 * 4;

/// Pages that the same sinks take: one of them as an example, and how many routes there are besides.
struct Pages {
    route: Route,
    kind: Kind,
    others: usize,
}

/// Warns of pages that nobody would hear of.
pub(super) fn gaps(whole: &Whole<'_>, settings: &Settings) {
    for (name, section) in &whole.sinks {
        let takes = settings.sinks.get(name).map(|sink| &sink.takes);
        if takes.is_some_and(|takes| !settings.routes.iter().any(|route| takes.scope.covers(route))) {
            section.warn_all("it is for no route that is watched: it hears of nothing but what concerns everything", "widen what it takes");
        }
    }
    let paged: BTreeMap<&Name, &Sink> = settings.sinks.iter().filter(|(_, sink)| sink.takes.severities.contains(&Severity::Page)).collect();
    if paged.is_empty() {
        return;
    }
    if paged.values().all(|sink| sink.takes.after.is_some()) {
        whole.root.warn(
            "sink",
            "all that take pages wait for the others (`after`): nobody is told at once",
            "take `after` from one of them",
        );
    }
    for (sinks, pages) in by_sinks(settings, &paged) {
        let Pages { route, kind, others } = pages;
        let more = if others == 0 { String::new() } else { format!(" (and {others} more like it)") };
        let about = format!("a page about `{route}`, kind `{}`{more}", kind.as_str());
        if sinks.is_empty() {
            let hint = "let a sink take it: its `provider`, `stream`, `inbox` or `kinds` leave it out";
            whole.root.warn("sink", format!("{about} would be told to nobody"), hint);
        } else if let Some(clock) = unheard(&sinks, &paged) {
            let hint =
                "let a sink that takes it have no `hours`; until then it is told when the next sink's hours begin, if it is still open";
            whole.root.warn("sink", format!("{about} would be told to nobody on {clock}: no sink takes it at that hour"), hint);
        }
    }
}

/// Every page that there may be, by the sinks that take it.
fn by_sinks<'s>(settings: &'s Settings, paged: &BTreeMap<&'s Name, &'s Sink>) -> BTreeMap<Vec<&'s Name>, Pages> {
    let mut all: BTreeMap<Vec<&Name>, Pages> = BTreeMap::new();
    // What concerns such a stream alone is never louder, and pages nobody.
    let pages = |route: &&Route| settings.streams.get(&route.stream).is_none_or(|stream| stream.severity == Severity::Page);
    for route in settings.routes.iter().filter(pages) {
        for kind in PAGING {
            let takes = |sink: &Sink| sink.takes.likes(kind, Severity::Page) && sink.takes.scope.covers(route);
            let sinks = paged.iter().filter(|(_, sink)| takes(sink)).map(|(name, _)| *name).collect();
            all.entry(sinks).and_modify(|pages| pages.others += 1).or_insert_with(|| Pages { route: route.clone(), kind, others: 0 });
        }
    }
    all
}

/// An hour of the week at which none of these sinks listens, by the clock of one of them.
fn unheard(sinks: &[&Name], paged: &BTreeMap<&Name, &Sink>) -> Option<String> {
    let hours = sinks.iter().filter_map(|name| paged.get(name)).map(|sink| sink.takes.hours.as_ref()).collect::<Option<Vec<_>>>()?;
    let mut instants = WEEKS.iter().flat_map(|week| (0..STEPS).map(|step| week.plus(STEP.scaled(step, 1))));
    let silent = instants.find(|at| !hours.iter().any(|week| week.contains(*at)))?;
    let clock = hours.first()?;
    Some(format!("{} ({})", clock.clock(silent), clock.zone()))
}
