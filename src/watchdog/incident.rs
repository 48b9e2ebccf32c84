//! Incidents: one for each culprit, opened once, resolved once. Compares what the judge found with what is open.

use std::collections::BTreeSet;

use super::beside;
use super::closed::{carry_on, closed_lately, goes_on};
use super::evidence::{self, Tally};
use super::explain;
use super::flaps::{back_after, is_another, is_back, settles_at};
use super::index::Index;
use super::judge::{Assessment, Finding};
use super::lookup::Lookup;
use super::moved::{is_elsewhere, moved_aside};
use super::outbox::Incident;
use super::plan::{Plan, RoutePlan};
use super::state::State;
use super::travel;
use super::view::Word;
use crate::model::{At, Change, Culprit, Fate, IncidentId, Kind, Name, PART_OF, Severity, Span};
use serde_json::Value;

/// So many of the newest canaries must have arrived, and not in Junk, before a refusal or junk is called over.
const RECOVERED: usize = 3;

/// Refusals in a row that are no chance; and where it is fewer, or some came through in between, so many must have arrived since.
const MUCH: usize = 6;
const STEADY: usize = 8;

/// A refusal now and then is over when the last of them is so old.
const WELL_FOR: Span = Span::from_secs(300);

/// An incident that was told of its culprit so lately was perhaps told too wide: where several narrower failures show instead of it, each becomes one.
const SPLITS_WITHIN: Span = Span::from_secs(900);

/// Mail that was accepted during a refusal and has not come for this long makes it a stop.
const STILL_MISSING: Span = Span::from_secs(300);

/// A change of an incident that is to be told.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// `None`: a new one.
    pub(super) incident: Option<IncidentId>,
    pub(super) change: Change,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) culprit: Culprit,
    pub(super) summary: String,
    pub(super) evidence: Value,
    /// Only these sinks hear of it, which were not to hear of it before.
    pub(super) only: Option<Vec<Name>>,
}

impl Move {
    /// It is over.
    pub(super) fn end(open: &Incident, why: String) -> Self {
        let shown = &open.shown;
        Self {
            incident: Some(shown.incident),
            change: Change::Resolved,
            kind: shown.kind,
            severity: shown.severity,
            culprit: shown.culprit.clone(),
            summary: why,
            evidence: shown.last.evidence.clone(),
            only: None,
        }
    }
}

/// What moved too soon after the last time, and when the first of it is told, if it lasts.
pub(super) type Held = (Vec<Move>, Option<At>);

/// What changes by what was found, and what is held back.
pub(super) fn moves(plan: &Plan, state: &State, ix: &Index, assessment: &Assessment, now: At) -> (Vec<Move>, Held) {
    let mut moves = delivery_moves(plan, state, ix, assessment, now);
    let held = hold_back(state, &mut moves, now);
    moves.extend(state.open().filter(|i| !plan.knows(&i.shown.culprit)).map(|i| {
        let why = format!("{} is no longer in the configuration", explain::subject(&i.shown.culprit));
        Move::end(i, why)
    }));
    moves.extend(closed_moves(state, &moves));
    (moves, held)
}

/// The next instant at which time alone moves an incident.
pub(super) fn next(plan: &Plan, state: &State) -> Option<At> {
    let settled = state.open().filter_map(|i| settles_at(plan, state, i)).filter(|at| *at > state.at);
    settled.chain(state.drill_ends_at()).min()
}

/// Takes out what moved too soon after the last time, though nobody is to be called for it.
fn hold_back(state: &State, moves: &mut Vec<Move>, now: At) -> Held {
    let due = |m: &Move| {
        let open = state.incidents.get(&m.incident?).filter(|_| m.change == Change::Updated)?;
        // What was thought to be one failure and is several is told with the others.
        let several = moves.iter().any(|other| other.incident.is_none());
        (!several
            && !state.spreads(open, m)
            && !open.turns(m)
            && !open.grows(m.severity, &m.culprit, m.kind, state.brought_about(m).is_some()))
        .then(|| open.moves_quietly_at(&m.culprit, m.kind))
        .filter(|at| *at > now)
    };
    let until: Vec<Option<At>> = moves.iter().map(due).collect();
    let mut all = until.iter();
    let held = moves.extract_if(.., |_| all.next().is_some_and(Option::is_some)).collect();
    (held, until.into_iter().flatten().min())
}

/// What a person has closed.
fn closed_moves(state: &State, moved: &[Move]) -> Vec<Move> {
    let closed = state.open().filter(|i| moved.iter().all(|m| m.incident != Some(i.shown.incident)));
    let by = |word: &Word| format!("closed by {}{}", word.by, word.note.as_ref().map_or_else(String::new, |note| format!(": {note}")));
    closed.filter_map(|i| Some(Move::end(i, by(i.shown.closed.as_ref()?)))).collect()
}

fn delivery_moves(plan: &Plan, state: &State, ix: &Index, assessment: &Assessment, now: At) -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    if assessment.findings.is_empty() && state.open().next().is_none() {
        return moves;
    }
    // Looked up, and not searched for: a thousand may be open, each with its finding.
    let open = state.open_deliveries();
    let found: Lookup<&Culprit, &Finding> = assessment.findings.iter().map(|f| (&f.culprit, f)).collect();
    let mut kept: BTreeSet<IncidentId> = BTreeSet::new();
    for finding in assessment.findings.iter().filter(|f| f.is_of_seed()) {
        match open.get(&finding.culprit).copied() {
            Some(same) if same.is_of_seed() || state.alarms.iter().any(|a| a.culprit == finding.culprit) => {
                kept.insert(same.shown.incident);
            }
            other => {
                kept.extend(other.map(|i| i.shown.incident));
                moves.extend(other.map(|i| Move::end(i, explain::recovery(plan, state, &i.shown, now))));
                moves.push(tell(plan, state, ix, finding, None, now));
            }
        }
    }
    for finding in assessment.findings.iter().filter(|f| !f.is_of_seed()) {
        if let Some(same) = open.get(&finding.culprit).copied() {
            kept.insert(same.shown.incident);
            if louder_or_other(plan, state, same, finding) || knows_more(plan, state, ix, same, finding) {
                moves.push(tell(plan, state, ix, finding, Some(same.shown.incident), now));
            }
        } else if let Some(wider) = wider(plan, state, &finding.culprit).filter(|wider| !stands_apart(wider, finding)) {
            let id = wider.shown.incident;
            if is_another(plan, state, wider, finding) {
                if moves.iter().all(|m| m.incident != Some(id)) {
                    moves.push(Move::end(wider, explain::recovery(plan, state, &wider.shown, now)));
                }
                moves.push(tell(plan, state, ix, finding, None, now));
            } else if !is_back(plan, state, wider, finding, now) && is_narrower(plan, state, assessment, wider, finding, now) {
                let known = Some(id).filter(|id| moves.iter().all(|m| m.incident != Some(*id)));
                moves.extend(narrowed(plan, state, ix, wider, known, finding, now));
            }
            kept.insert(id);
        } else {
            let mut narrower = state.open().filter(|i| taken_over(plan, i, finding));
            let first = narrower.next().or_else(|| moved_aside(plan, state, assessment, finding)).map(|i| i.shown.incident);
            moves.push(tell(plan, state, ix, finding, first, now));
            kept.extend(first);
            for other in narrower {
                kept.insert(other.shown.incident);
                let by = first.map_or_else(String::new, |id| format!(" (incident {id})"));
                moves.push(Move::end(other, format!("{PART_OF}{}{by}", explain::subject(&finding.culprit))));
            }
        }
    }
    let is_told = |culprit: &Culprit| open.get(culprit).is_some();
    let moved: BTreeSet<IncidentId> = moves.iter().filter_map(|m| m.incident).collect();
    for open in state.open().filter(|i| i.shown.kind.is_delivery() && i.shown.closed.is_none() && plan.knows(&i.shown.culprit)) {
        let shown = &open.shown;
        let goes_on = |f: &&Finding| f.alarm || f.severity >= shown.severity;
        let found_still = || kept.contains(&shown.incident) && found.get(&shown.culprit).is_some_and(goes_on);
        let has_its_own = |f: &Finding| is_told(&f.culprit) && stands_apart(open, f);
        let inside =
            |f: &Finding| !f.is_of_seed() && f.culprit != shown.culprit && covered(plan, &f.culprit, &shown.culprit) && !has_its_own(f);
        let alarmed =
            || state.alarms.iter().any(|a| covered(plan, &shown.culprit, &a.culprit)) || is_elsewhere(plan, state, assessment, open);
        if moved.contains(&shown.incident) || found_still() || assessment.findings.iter().any(inside) || alarmed() {
            continue;
        }
        if settles_at(plan, state, open).is_none_or(|at| at <= now) && is_over(plan, state, open) {
            moves.push(Move::end(open, explain::recovery(plan, state, shown, now)));
        }
    }
    moves
}

/// A quieter finding moves nothing while the louder incident lasts: on the way to recovery every stop looks like a loss. What an alarm is
/// about is known better than that: its kind moves both ways.
fn louder_or_other(plan: &Plan, state: &State, open: &Incident, finding: &Finding) -> bool {
    let shown = &open.shown;
    // Mail that comes much too late looks like a loss in between: of which none is missing there is none.
    let tallies = || finding.routes.iter().map(|slot| evidence::tally(plan, state, *slot)).collect::<Vec<_>>();
    if finding.kind == Kind::Loss && finding.kind != shown.kind && evidence::lost_of(&tallies()).0 == 0 {
        return false;
    }
    let aftermath = !finding.alarm && is_aftermath(state, open, finding) || refused_still(state, open, finding);
    let other = finding.kind != shown.kind && !aftermath && (finding.alarm || finding.severity == shown.severity);
    finding.severity > shown.severity || other
}

/// Whether more is known of what is open than was told.
fn knows_more(plan: &Plan, state: &State, ix: &Index, open: &Incident, finding: &Finding) -> bool {
    says_more(plan, state, ix, open, finding)
        || knows_where(state, open, finding)
        || refuses_more(plan, open, finding)
        || state.is_real(open)
}

/// Whether a provider has said something of the missing canaries that tells more than what was told of them.
fn says_more(plan: &Plan, state: &State, ix: &Index, open: &Incident, finding: &Finding) -> bool {
    if finding.routes.iter().all(|slot| !ix.told.contains(slot)) {
        return false;
    }
    let told = open.shown.last.evidence.pointer("/provider_says/0/fate").and_then(Value::as_str);
    let place = |word: &str| Fate::ALL.iter().position(|fate| fate.as_str() == word);
    evidence::said(plan, state, &finding.routes).first().is_some_and(|(_, said)| place(said.fate.as_str()) > told.and_then(place))
}

/// Whether mail of streams is refused that was not known to be: of a refusal the first answer is told.
fn refuses_more(plan: &Plan, open: &Incident, finding: &Finding) -> bool {
    let told = open.shown.last.evidence.get("streams").and_then(Value::as_array).map_or(0, Vec::len);
    finding.is_said() && open.shown.kind == Kind::Refused && told > 0 && explain::streams(plan, finding).len() > told
}

/// Whether it has become clear where slow mail waits: told once.
fn knows_where(state: &State, open: &Incident, finding: &Finding) -> bool {
    let slow = finding.kind == Kind::Slow && open.shown.kind == Kind::Slow;
    let untold = slow && open.shown.last.evidence.get("slow_leg").is_none();
    untold && travel::is_told(state, &finding.routes) && travel::grown(state, &finding.routes, None).is_some()
}

/// A stop that is ending looks like a loss until its gap has left the window: recovery decides, not the share.
/// A refusal that is ending looks like a stop until mail has arrived: refused it stays, unless mail that was accepted is missing.
fn is_aftermath(state: &State, open: &Incident, finding: &Finding) -> bool {
    (matches!(open.shown.kind, Kind::Stopped | Kind::Refused) && finding.kind == Kind::Loss) || refused_still(state, open, finding)
}

/// Refused it stays, unless mail that was accepted is missing.
fn refused_still(state: &State, open: &Incident, finding: &Finding) -> bool {
    let missing = |slot: &usize| {
        let since = state.routes.get(*slot).into_iter().flat_map(|r| r.canaries.iter().rev());
        let mut since = since.take_while(|c| c.sent_at() >= open.shown.opened_at);
        since.any(|c| (c.in_flight() || c.is_lost()) && state.at.since(c.sent_at()) > STILL_MISSING)
    };
    match (open.shown.kind, finding.kind) {
        (Kind::Refused, Kind::Loss | Kind::Slow) => true,
        (Kind::Refused, Kind::Stopped) => !finding.routes.iter().any(missing),
        _ => false,
    }
}

/// An open incident whose culprit covers all that `culprit` does, and more.
fn wider<'s>(plan: &Plan, state: &'s State, culprit: &Culprit) -> Option<&'s Incident> {
    state
        .open()
        .find(|i| i.shown.kind.is_delivery() && !i.is_of_seed() && i.shown.culprit != *culprit && covered(plan, culprit, &i.shown.culprit))
}

/// Whether a wider failure is what an open incident is about. What a provider refuses, as it says itself, no common cause explains.
fn taken_over(plan: &Plan, open: &Incident, wider: &Finding) -> bool {
    let stays = open.is_of_seed() || open.is_said() && wider.culprit == Culprit::Watcher {};
    open.shown.kind.is_delivery() && !stays && covered(plan, &open.shown.culprit, &wider.culprit)
}

/// Whether it is a failure of its own, though a wider one is open: of mail that comes late, in part or into Junk, some is refused besides; and
/// what a provider refuses, as it says itself, has no cause in common with everything.
fn stands_apart(wider: &Incident, finding: &Finding) -> bool {
    finding.is_said() && (wider.shown.kind.is_partial() || wider.shown.culprit == Culprit::Watcher {})
}

/// Whether what was thought to be a wider failure is this one alone, or several such: then the first keeps its incident.
fn is_narrower(plan: &Plan, state: &State, assessment: &Assessment, wider: &Incident, finding: &Finding, now: At) -> bool {
    let shown = &wider.shown;
    let mine = |f: &&Finding| !f.is_of_seed() && !stands_apart(wider, f) && covered(plan, &f.culprit, &shown.culprit);
    let inside = || assessment.findings.iter().filter(mine);
    let alone = inside().count() == 1 && (finding.alarm || rest_is_well(plan, state, wider, finding));
    let several = now.since(wider.blamed_at()) < SPLITS_WITHIN && inside().all(|f| f.alarm && f.culprit != shown.culprit);
    // What is left of refusals that end is no failure of its own.
    (alone || several) && !refused_still(state, wider, finding)
}

/// What a wider failure turns out to be. What a provider refused is over when it takes mail again: what is then missing of it is another
/// failure, and nobody knows of it who was told of the refusal.
fn narrowed(
    plan: &Plan,
    state: &State,
    ix: &Index,
    wider: &Incident,
    known: Option<IncidentId>,
    finding: &Finding,
    now: At,
) -> impl Iterator<Item = Move> {
    let other = wider.shown.kind == Kind::Refused && finding.kind != Kind::Refused;
    let over = || Move::end(wider, format!("{} takes mail again", explain::subject(&wider.shown.culprit)));
    let ended = known.filter(|_| other).map(|_| over());
    ended.into_iter().chain([tell(plan, state, ix, finding, known.filter(|_| !other), now)])
}

/// Whether every route of `small` is one of `large`.
fn covered(plan: &Plan, small: &Culprit, large: &Culprit) -> bool {
    // Asked of each pair: most are of two providers.
    if matches!((small.parts().0, large.parts().0), (Some(one), Some(other)) if one != other) {
        return false;
    }
    let mut routes: Box<dyn Iterator<Item = _>> = match plan.suspect(small).and_then(|s| plan.suspects.get(s)) {
        Some(suspect) => Box::new(suspect.routes.iter().filter_map(|slot| plan.routes.get(*slot))),
        None => Box::new(plan.routes.iter().filter(|r| small.covers(&r.route))),
    };
    let is_inside = |route: &RoutePlan| large.covers(&route.route);
    routes.next().is_some_and(is_inside) && routes.all(is_inside)
}

/// Whether all that the wider incident covers beyond the finding has delivered since it was opened.
fn rest_is_well(plan: &Plan, state: &State, wider: &Incident, finding: &Finding) -> bool {
    let rest = |r: &crate::model::Route| wider.shown.culprit.covers(r) && !finding.culprit.covers(r);
    let tallies = plan.routes.iter().enumerate().filter(|(_, r)| rest(&r.route)).map(|(slot, _)| evidence::tally(plan, state, slot));
    let mut live = tallies.filter(|t| t.live).peekable();
    live.peek().is_some() && live.all(|t| t.row == 0 && t.good_sent_at.is_some_and(|at| at >= wider.shown.opened_at))
}

/// Whether an incident that no alarm and no finding holds open any more is over. What an alarm opened is over with the alarm; after a
/// refusal or junk, the newest canaries sent since must all have arrived, on every route.
fn is_over(plan: &Plan, state: &State, open: &Incident) -> bool {
    let shown = &open.shown;
    if matches!(shown.kind, Kind::Stopped | Kind::Loss | Kind::Slow) && !open.is_common() {
        return true;
    }
    let mine: Vec<usize> = plan.routes.iter().enumerate().filter(|(_, r)| shown.culprit.covers(&r.route)).map(|(slot, _)| slot).collect();
    let telling = beside::telling(plan, state, &shown.culprit, &mine);
    let live: Vec<Tally> = telling.into_iter().map(|slot| evidence::tally(plan, state, slot)).filter(|t| t.live).collect();
    if live.is_empty() || live.iter().any(|t| t.row > 0 || t.junked && shown.kind == Kind::Junked) {
        return false;
    }
    if !live.iter().all(|t| t.good_sent_at.is_some_and(|at| at >= shown.opened_at)) {
        return false;
    }
    let mut settled: Vec<(At, bool)> =
        live.iter().flat_map(|t| t.settled.iter().copied()).filter(|(at, _)| *at >= shown.opened_at).collect();
    settled.sort_unstable_by(|a, b| b.cmp(a));
    let in_a_row = settled.iter().take_while(|(_, arrived)| *arrived).count();
    if shown.kind == Kind::Refused && !is_total(&settled) {
        let last_bad = settled.get(in_a_row).map(|(at, _)| *at);
        return in_a_row >= STEADY && last_bad.is_none_or(|bad| state.at.since(bad) >= WELL_FOR);
    }
    in_a_row >= RECOVERED
}

/// Whether a refusal took all that was sent, and much: what is refused now and then says nothing by a few that arrive.
fn is_total(settled: &[(At, bool)]) -> bool {
    let since_last_bad = settled.iter().skip_while(|(_, arrived)| *arrived);
    let refused = since_last_bad.clone().count();
    refused >= MUCH && since_last_bad.clone().all(|(_, arrived)| !arrived)
}

fn tell(plan: &Plan, state: &State, ix: &Index, finding: &Finding, incident: Option<IncidentId>, now: At) -> Move {
    // Who was paged is not told that it was nothing: the severity of an open incident does not fall.
    let open = incident.and_then(|id| state.incidents.get(&id)).map(|i| &i.shown);
    let shown = open.map(|open| open.severity);
    let mut summary = explain::summary(plan, state, ix, finding, now);
    let mut evidence = explain::evidence(plan, state, ix, finding, now);
    if let Some(open) = open.filter(|open| open.culprit == finding.culprit) {
        explain::keep_onset(&mut evidence, finding.kind, (open.kind, &open.last.evidence), now);
    }
    let is_new = incident.is_none() && state.drilled(&finding.culprit).is_none();
    let closed = closed_lately(state, &finding.culprit, now).filter(|(closed, _)| is_new && goes_on(&evidence, closed, finding));
    if let Some((closed, word)) = closed {
        summary.push_str(&format!("; {} closed it {} ago, and it goes on", word.by, now.since(word.at)));
        carry_on(&mut evidence, closed, now);
    } else if let Some(between) = back_after(state, &finding.culprit, finding.kind, now).filter(|_| is_new) {
        summary.push_str(&format!("; it flaps: it was resolved {between} ago"));
    }
    Move {
        incident,
        change: if incident.is_some() { Change::Updated } else { Change::Opened },
        kind: finding.kind,
        severity: shown.map_or(finding.severity, |s| s.max(finding.severity)),
        culprit: finding.culprit.clone(),
        summary,
        evidence,
        only: None,
    }
}
