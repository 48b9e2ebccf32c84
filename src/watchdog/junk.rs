//! Mail that arrives, but in Junk: whose doing that is, weighed over the matrix like everything else.
//!
//! Each route says by its arrivals how much likelier it is that such a share of its mail lies in Junk than that next to none does; one over
//! which nothing arrives says nothing. What a suspect covers adds up with how likely it is to fail at all, and the likeliest is named first.

use std::collections::BTreeSet;

use super::evidence::{self, Tally};
use super::index::Index;
use super::judge::Finding;
use super::plan::{Plan, Suspect};
use super::state::State;
use crate::model::{At, Culprit, Kind, Severity};

/// So large a share of the mail in Junk, in more than one inbox, pages.
const UNSEEN: f64 = 0.8;
/// Of healthy mail so much lands in Junk.
const IN_HEALTH: f64 = 0.02;
/// And of mail that does, so much at most: a single mail that comes past it must not say everything.
const AT_MOST: f64 = 0.9;
/// What was named before is named still if it is not so many nats less likely.
const KNOWN: f64 = 6.0;

/// What is found. A route that leans the same way without being there yet keeps a new finding waiting: the culprit may be larger.
pub(super) fn found(plan: &Plan, state: &State, ix: &Index) -> Vec<Finding> {
    if ix.junky.is_empty() {
        return Vec::new();
    }
    let tallies: Vec<(usize, Tally)> = ix.junky.iter().map(|slot| (*slot, evidence::tally(plan, state, *slot))).collect();
    let parts = state.open().filter(|i| i.shown.kind == Kind::Junked).map(|i| &i.shown.culprit).collect();
    let junk = Junk { plan, state, tallies, parts };
    let mut candidates: Vec<usize> = ix.junky.iter().filter_map(|slot| plan.routes.get(*slot)).flat_map(|r| r.suspects.clone()).collect();
    candidates.sort_unstable();
    candidates.dedup();
    let mut explained: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    while let Some(suspect) = junk.likeliest(&candidates, &explained) {
        let live: Vec<usize> = junk.live(suspect).into_iter().filter(|slot| evidence::landed(state, *slot, always()).1 > 0).collect();
        let leans = |(slot, t): &(usize, Tally)| !suspect.routes.contains(slot) && t.live && t.junked_perhaps && !t.junked;
        explained.extend(&suspect.routes);
        // Nobody is named before all that it covers has had a say.
        if state.open_delivery(&suspect.culprit).is_none() && (junk.tallies.iter().any(leans) || junk.waits(suspect)) {
            continue;
        }
        let (culprit, also) = (suspect.culprit.clone(), suspect.also.clone());
        let (bad, arrived) = evidence::in_junk(live.iter().filter_map(|slot| junk.of(*slot)));
        let size = bad as f64 / arrived.max(1) as f64;
        // One inbox has a filter of its own; nobody finds a mail that lies in Junk everywhere.
        let inboxes: BTreeSet<usize> = live.iter().filter_map(|slot| plan.routes.get(*slot)).map(|r| r.inbox_at).collect();
        let severity = if size >= UNSEEN && inboxes.len() > 1 { Severity::Page } else { Severity::Warn };
        found.push(Finding { culprit, kind: Kind::Junked, severity, class: None, routes: live, also, alarm: false, size });
    }
    found
}

/// From the first on, and to the last.
fn always() -> (At, At) {
    (At::from_ms(i64::MIN), At::from_ms(i64::MAX))
}

/// What is known of the routes over which mail lately landed in Junk.
struct Junk<'s> {
    plan: &'s Plan,
    state: &'s State,
    tallies: Vec<(usize, Tally)>,
    /// Whom it is known of.
    parts: Vec<&'s Culprit>,
}

impl<'s> Junk<'s> {
    fn of(&self, slot: usize) -> Option<&Tally> {
        self.tallies.binary_search_by_key(&slot, |(s, _)| *s).ok().and_then(|at| self.tallies.get(at)).map(|(_, t)| t)
    }

    fn live(&self, suspect: &Suspect) -> Vec<usize> {
        suspect.routes.iter().copied().filter(|slot| evidence::is_live(self.plan, self.state, *slot)).collect()
    }

    /// The likeliest of those that cover a route whose mail lands in Junk and that nobody is named for yet.
    fn likeliest(&self, candidates: &[usize], explained: &[usize]) -> Option<&'s Suspect> {
        let mut best: Option<(f64, &Suspect)> = None;
        for suspect in candidates.iter().filter_map(|s| self.plan.suspects.get(*s)) {
            let Some(odds) = self.odds(suspect, explained) else { continue };
            if best.is_none_or(|(most, _)| odds > most) {
                best = Some((odds, suspect));
            }
        }
        best.map(|(_, suspect)| suspect)
    }

    /// The odds that mail of a suspect lands in Junk, as a logarithm; `None`: none of its routes shows it.
    fn odds(&self, suspect: &Suspect, explained: &[usize]) -> Option<f64> {
        let known = self.is_known(&suspect.culprit);
        // What is known of a part is no sign of the whole.
        let told =
            |slot: &usize| !known && self.plan.routes.get(*slot).is_some_and(|r| self.parts.iter().any(|part| part.covers(&r.route)));
        let live: Vec<usize> = self.live(suspect).into_iter().filter(|slot| !explained.contains(slot) && !told(slot)).collect();
        let shown: Vec<usize> = live.iter().copied().filter(|slot| self.of(*slot).is_some_and(|t| t.junked)).collect();
        let (from, last) = self.span(&shown)?;
        // What comes past it after the last that did not tells that it is over, and not whose it was.
        let span = (from, if known { last } else { always().1 });
        // Of what fails in another way somewhere the whole is not to blame.
        if !known && live.iter().any(|slot| self.is_silent(*slot, span, suspect)) {
            return None;
        }
        let landed = shown.iter().map(|slot| evidence::landed(self.state, *slot, span));
        let (bad, all) = landed.fold((0, 0), |(a, b), (bad, all)| (a + bad, b + all));
        let share = (bad as f64 / all.max(1) as f64).clamp(0.2, AT_MOST);
        let says = |slot: &usize| {
            let (bad, all) = evidence::landed(self.state, *slot, span);
            bad as f64 * (share / IN_HEALTH).ln() + (all - bad) as f64 * ((1.0 - share) / (1.0 - IN_HEALTH)).ln()
        };
        Some(suspect.ln_weight + live.iter().map(says).sum::<f64>() + if known { KNOWN } else { 0.0 })
    }

    fn is_known(&self, culprit: &Culprit) -> bool {
        self.state.open_delivery(culprit).is_some_and(|i| i.shown.kind == Kind::Junked)
    }

    /// From when until when mail landed in Junk over these routes.
    fn span(&self, shown: &[usize]) -> Option<(At, At)> {
        let spans: Vec<(At, At)> = shown.iter().filter_map(|slot| evidence::junk_span(self.state, *slot)).collect();
        Some((spans.iter().map(|(from, _)| *from).min()?, spans.iter().map(|(_, to)| *to).max()?))
    }

    /// Whether a route of a suspect has not shown anything since the others land in Junk, and is about to.
    fn waits(&self, suspect: &Suspect) -> bool {
        let live = self.live(suspect);
        let shown: Vec<usize> = live.iter().copied().filter(|slot| self.of(*slot).is_some_and(|t| t.junked)).collect();
        let Some((from, _)) = self.span(&shown) else { return false };
        let untold = |slot: &usize| !self.is_told(*slot, (from, always().1), suspect);
        live.iter().any(|slot| untold(slot) && !self.is_silent(*slot, (from, always().1), suspect))
    }

    /// Whether nothing arrives over a route meanwhile, and nobody else is known to be the reason.
    fn is_silent(&self, slot: usize, span: (At, At), suspect: &Suspect) -> bool {
        !self.is_told(slot, span, suspect) && evidence::tally(self.plan, self.state, slot).row > 0
    }

    /// Whether a route has delivered anything meanwhile, or it is known whose doing it is that it has not.
    fn is_told(&self, slot: usize, span: (At, At), suspect: &Suspect) -> bool {
        if evidence::landed(self.state, slot, span).1 > 0 {
            return true;
        }
        let beside = |culprit: &Culprit| {
            let other = self.plan.suspect(culprit).filter(|other| self.plan.routes.get(slot).is_some_and(|r| r.suspects.contains(other)));
            other
                .and_then(|other| self.plan.suspects.get(other))
                .is_some_and(|other| other.routes.iter().any(|s| !suspect.routes.contains(s)))
        };
        let failing = self.state.open().filter(|i| i.shown.kind.is_delivery() && i.shown.kind != Kind::Junked && !i.is_of_seed());
        failing.map(|i| &i.shown.culprit).chain(self.state.alarms.iter().map(|a| &a.culprit)).any(beside)
    }
}
