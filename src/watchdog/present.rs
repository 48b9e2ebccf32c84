//! What can be said of an open incident now: as it would be told if it were told now. What was told stands in its notices.

use super::evidence;
use super::explain;
use super::flaps;
use super::index::Index;
use super::judge::{Assessment, Finding};
use super::outbox::Incident;
use super::plan::Plan;
use super::sight::Blindness;
use super::state::State;
use super::view::Present;
use crate::model::{At, Culprit, Kind, Name};

/// Why what is well again is open all the same.
const KEPT_OPEN: &str = "it is kept open until it has been well for longer";

/// Where the evidence says how long a page was held.
const HELD: &str = "held_for";

/// An open incident as it is now; `None`: there is no more to say than was told.
pub(super) fn of(plan: &Plan, state: &State, ix: &Index, assessment: &Assessment, open: &Incident, now: At) -> Option<Present> {
    let shown = &open.shown;
    let delivers = flaps::is_calm(plan, state, open);
    let told = |summary: String| Present { summary, evidence: shown.last.evidence.clone(), delivers };
    let settles = || flaps::settles_at(plan, state, open).filter(|_| delivers);
    let until =
        || settles().map_or_else(|| KEPT_OPEN.to_owned(), |at| format!("it flaps, at present delivering: kept open until {}", at.second()));
    let calm = || told(format!("{}; {}", explain::recovery(plan, state, &shown.culprit, shown.opened_at, now), until()));
    if !shown.kind.is_delivery() {
        return unseen(state, &shown.culprit, shown.kind, now).map(told);
    }
    match assessment.findings.iter().find(|f| f.culprit == shown.culprit && f.kind == shown.kind) {
        Some(finding) if finding.kind == Kind::Stopped && !misses(plan, state, finding) => has_arrived(state, open).then(calm),
        Some(finding) => {
            let mut evidence = explain::evidence(plan, state, ix, finding, now);
            // How long it was held is over with its first notice.
            if let (Some(now), Some(held)) = (evidence.get_mut(HELD), shown.last.evidence.get(HELD)) {
                now.clone_from(held);
            }
            Some(Present { summary: explain::summary(plan, state, ix, finding, now), evidence, delivers })
        }
        None => is_calm(state, assessment, open).then(calm),
    }
}

/// How long an inbox could not be read.
pub(super) fn blind(name: &Name, blind: &Blindness, now: At) -> String {
    let why = blind.why.as_deref().unwrap_or("it cannot be read");
    format!("inbox `{name}` could not be read for {}: {why}. Nothing is known of mail to it", now.since(blind.since))
}

/// How long there was no network.
pub(super) fn cut_off(since: At, now: At) -> String {
    format!("the watcher has had no network for {}: nothing is known of any route", now.since(since))
}

/// Of what hides deliveries, how long it has done so.
fn unseen(state: &State, culprit: &Culprit, kind: Kind, now: At) -> Option<String> {
    match (kind, culprit) {
        (Kind::Blind, Culprit::Inbox(name)) => Some(blind(name, state.inboxes.get(name)?.blind.as_ref()?, now)),
        (Kind::CutOff, _) => Some(cut_off(state.cut_off_since?, now)),
        _ => None,
    }
}

/// Whether anything of what a finding is about has not come.
fn misses(plan: &Plan, state: &State, finding: &Finding) -> bool {
    finding.routes.iter().any(|slot| {
        let tally = evidence::tally(plan, state, *slot);
        tally.row + tally.silent > 0
    })
}

/// Whether a failure of delivery does not show any more, though its incident is open: it came and went before.
fn is_calm(state: &State, assessment: &Assessment, open: &Incident) -> bool {
    let shown = &open.shown;
    let shows = assessment.findings.iter().any(|f| f.culprit == shown.culprit) || state.alarms.iter().any(|a| a.culprit == shown.culprit);
    !open.is_of_seed() && !shows && has_arrived(state, open)
}

/// Whether any of its mail that was sent since it was opened has arrived.
fn has_arrived(state: &State, open: &Incident) -> bool {
    let since = |at: At| at >= open.shown.opened_at;
    state.routes.iter().any(|r| open.shown.culprit.covers(&r.route) && r.good_sent_at.is_some_and(since))
}
