//! How it was day by day: when something was not well, and when nobody saw how it was.

use std::collections::{BTreeMap, BTreeSet};

use super::months::Known;
use crate::model::past::Failure;
use crate::model::{At, Culprit, Kind, Name, Span, Verdict};
use crate::watchdog::{IncidentView, View};

/// As much of the past as somebody takes in at a glance.
pub(super) const DAYS: u64 = 90;
pub(super) const DAY: Span = Span::from_secs(86_400);

/// A time in which not all was well, or nobody saw how it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spell {
    pub(super) from: At,
    /// Nothing: it goes on.
    pub(super) to: Option<At>,
    /// How bad it was; unknown where nobody saw it.
    pub(super) tone: Verdict,
}

/// One day, by UTC.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) from: At,
    /// The worst of it; unknown where nobody saw any of it.
    pub(super) tone: Verdict,
    /// How much of it was not well.
    pub(super) ill: Span,
    /// How much of it nobody saw.
    pub(super) dark: Span,
}

impl Day {
    /// Whether something was not well in it.
    pub(super) const fn is_bad(&self) -> bool {
        matches!(self.tone, Verdict::Stopped | Verdict::Degraded)
    }
}

/// Days in a row, and how much of them all was well.
#[derive(Debug)]
pub(super) struct Days {
    /// The oldest first.
    pub(super) days: Vec<Day>,
    /// When the watch began.
    pub(super) began: At,
    /// How much of them was watched.
    pub(super) watched: Span,
    /// How much of that was not well.
    pub(super) ill: Span,
}

impl Days {
    /// The last `many` days with these spells.
    pub(super) fn of(spells: &[Spell], began: At, now: At, many: u64) -> Self {
        let begin = now.minus(DAY.scaled(many, 1)).max(began);
        let watched = Span::from_ms(now.since(begin).as_ms().saturating_sub(dark(spells, begin, now).as_ms()));
        Self { days: cut(spells, began, now, many), began, watched, ill: ill(spells, begin, now) }
    }

    /// Those of a provider: its own failures, those of its streams and routes, and those of everything.
    pub(super) fn of_provider(view: &View, known: &Known, name: &Name, many: u64) -> Self {
        let own = |culprit: &Culprit| culprit.parts().0 == Some(name);
        let routes = view.routes.iter().map(|route| &route.route).filter(|route| route.provider == *name);
        Self::of(&spells(every(view), known, own, routes.map(|route| route.inbox.clone())), view.began, view.at, many)
    }

    /// Those of an inbox likewise; while it could not be read, nobody saw.
    pub(super) fn of_inbox(view: &View, known: &Known, name: &Name, many: u64) -> Self {
        let own = |culprit: &Culprit| culprit.parts().2 == Some(name);
        Self::of(&spells(every(view), known, own, [name.clone()]), view.began, view.at, many)
    }

    /// The share of what was watched that was well; nothing where nothing was.
    pub(super) fn share(&self) -> Option<f64> {
        let well = self.watched.as_ms().saturating_sub(self.ill.as_ms()) as f64;
        (self.watched > Span::ZERO).then(|| well / self.watched.as_ms() as f64)
    }
}

/// The days, the oldest first.
fn cut(spells: &[Spell], began: At, now: At, many: u64) -> Vec<Day> {
    let today = At::from_ms(now.as_ms().div_euclid(86_400_000) * 86_400_000);
    let one = |back: u64| {
        let from = today.minus(DAY.scaled(back, 1));
        let (begin, end) = (from.max(began), from.plus(DAY).min(now));
        let within = spells.iter().filter(|spell| is_ill(spell) && spell.from < end && spell.to.is_none_or(|to| to > begin));
        let (ill, dark) = (ill(spells, begin, end), dark(spells, begin, end));
        let tone = match within.map(|spell| spell.tone).min_by_key(|tone| tone.rank()) {
            _ if begin >= end => Verdict::Unknown,
            Some(worst) => worst,
            None if dark == end.since(begin) => Verdict::Unknown,
            None => Verdict::Delivering,
        };
        Day { from, tone, ill, dark }
    };
    (0..many).rev().map(one).collect()
}

fn is_ill(spell: &Spell) -> bool {
    spell.tone != Verdict::Unknown
}

/// How much of a time was not well.
fn ill(spells: &[Spell], begin: At, end: At) -> Span {
    covered(spells.iter().filter(|spell| is_ill(spell)), begin, end)
}

/// How much of a time nobody saw, and nothing is known to have been wrong in.
fn dark(spells: &[Spell], begin: At, end: At) -> Span {
    let all = covered(spells.iter(), begin, end);
    Span::from_ms(all.as_ms().saturating_sub(ill(spells, begin, end).as_ms()))
}

/// How much of a time is in any of these.
fn covered<'s>(spells: impl Iterator<Item = &'s Spell>, begin: At, end: At) -> Span {
    let mut within: Vec<(At, At)> =
        spells.map(|spell| (spell.from.max(begin), spell.to.unwrap_or(end).min(end))).filter(|(from, to)| from < to).collect();
    within.sort_unstable();
    let (mut sum, mut known) = (0, begin);
    for (from, to) in within {
        sum += to.since(from.max(known)).as_ms();
        known = known.max(to);
    }
    Span::from_ms(sum)
}

/// What a view knows of incidents is newer than what the ledger was asked for a while ago.
pub(super) fn renewed(view: &View, known: &Known) -> Known {
    let mut all: BTreeMap<_, Failure> = known.0.iter().map(|failure| (failure.incident, failure.clone())).collect();
    all.extend(view.incidents.iter().map(|incident| (incident.incident, failure(incident))));
    (all.into_values().rev().collect(), known.1.clone())
}

/// An incident of a view as one of the past.
pub(super) fn failure(incident: &IncidentView) -> Failure {
    Failure {
        incident: incident.incident,
        kind: incident.kind,
        severity: incident.severity,
        culprit: incident.culprit.clone(),
        since: incident.since(),
        opened_at: incident.opened_at,
        updated_at: incident.opened_at,
        resolved_at: incident.resolved_at,
        summary: incident.summary().to_owned(),
    }
}

/// When something was its `own` failure, and when nobody saw how it was. `inboxes`: those of its routes, on each of which a canary is due so often.
fn spells(every: Span, known: &Known, own: impl Fn(&Culprit) -> bool, inboxes: impl IntoIterator<Item = Name>) -> Vec<Spell> {
    let (failures, pauses) = known;
    let inboxes: BTreeSet<Name> = inboxes.into_iter().collect();
    // Of several inboxes the others still tell.
    let alone = if inboxes.len() == 1 { inboxes.first() } else { None };
    let spell = |failure: &Failure| {
        let blind = if failure.culprit == (Culprit::Watcher {}) {
            !failure.is_of_sink()
        } else {
            failure.culprit.parts().2.is_some_and(|name| Some(name) == alone)
        };
        let dark = failure.kind == Kind::CutOff || (failure.kind == Kind::Blind && blind);
        let tone = match failure.kind.delivery() {
            _ if dark => Verdict::Unknown,
            // Nothing is wrong in a drill.
            Some(_) if failure.is_drill() => return None,
            Some(_) if own(&failure.culprit) || failure.culprit == (Culprit::Watcher {}) => tone(failure),
            Some(_) | None => return None,
        };
        Some(Spell { from: failure.since, to: failure.resolved_at, tone })
    };
    // Until the next canary was due it did all that it had to.
    let pause = |[from, to]: &[At; 2]| Spell { from: from.plus(every), to: Some(*to), tone: Verdict::Unknown };
    let paused = pauses.iter().map(pause).filter(|spell| spell.to.is_some_and(|to| spell.from < to));
    failures.iter().filter_map(spell).chain(paused).collect()
}

/// How often a canary is due.
fn every(view: &View) -> Span {
    view.providers.iter().map(|provider| provider.traffic.every).min().unwrap_or_default()
}

/// A whole party that stopped is worse than one of its routes.
fn tone(failure: &Failure) -> Verdict {
    let whole = matches!(failure.culprit, Culprit::Provider(_) | Culprit::Inbox(_) | Culprit::Watcher {});
    if whole && matches!(failure.kind, Kind::Stopped | Kind::Refused) { Verdict::Stopped } else { Verdict::Degraded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IncidentId, Severity};

    fn failure(kind: Kind, culprit: Culprit, summary: &str) -> Failure {
        let since = At::from_ms(0);
        let (incident, severity) = (IncidentId(1), Severity::Page);
        Failure {
            incident,
            kind,
            severity,
            culprit,
            since,
            opened_at: since,
            updated_at: since,
            resolved_at: Some(At::from_ms(1000)),
            summary: summary.to_owned(),
        }
    }

    #[test]
    fn what_is_nobodys_failure_is_unseen_and_drills_and_sinks_are_nothing() {
        let (one, other) = (Name::new("one").unwrap(), Name::new("other").unwrap());
        let all = vec![
            failure(Kind::Stopped, Culprit::Provider(one.clone()), "DRILL (one as stopped), nothing is wrong: it stopped"),
            failure(Kind::Blind, Culprit::Watcher {}, "sink `hook` refuses notices"),
            failure(Kind::Blind, Culprit::Watcher {}, "no inbox can be read"),
            failure(Kind::Blind, Culprit::Inbox(other.clone()), "it cannot be read"),
            failure(Kind::CutOff, Culprit::Watcher {}, "no network"),
            failure(Kind::Stopped, Culprit::Provider(one.clone()), "it stopped"),
            failure(Kind::Identity, Culprit::Provider(one.clone()), "a foreign address"),
        ];
        let known = (all, Vec::new());
        let of = |inboxes: Vec<Name>| {
            let own = |culprit: &Culprit| culprit.parts().0 == Some(&one);
            spells(Span::ZERO, &known, own, inboxes).into_iter().map(|spell| spell.tone).collect::<Vec<_>>()
        };
        assert_eq!(of(vec![one.clone(), other.clone()]), [Verdict::Unknown, Verdict::Unknown, Verdict::Stopped]);
        assert_eq!(of(vec![other.clone()]), [Verdict::Unknown, Verdict::Unknown, Verdict::Unknown, Verdict::Stopped]);
    }
}
