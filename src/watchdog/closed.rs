//! What a person has closed by hand, and goes on: it opens again, and says so.

use std::collections::BTreeSet;

use serde_json::Value;

use super::judge::Finding;
use super::outbox::{Incident, is_drill};
use super::state::State;
use super::view::Word;
use crate::model::proof::{GOES_ON_FROM, begin_as, sent_at};
use crate::model::{At, Culprit, Span};

/// Whoever closed it is named for so long when it opens again.
const CLOSED_LATELY: Span = Span::from_secs(24 * 3600);

/// Whether what a person has closed goes on: no mail has arrived since, or it is of a kind in which mail arrives, and the same.
pub(super) fn goes_on(evidence: &Value, closed: &Incident, finding: &Finding) -> bool {
    !has_delivered(evidence, closed) || (finding.kind == closed.shown.kind && finding.kind.is_partial())
}

/// Whether mail that was sent since a person closed it has arrived.
fn has_delivered(evidence: &Value, closed: &Incident) -> bool {
    let since = closed.shown.closed.as_ref().map_or(closed.shown.opened_at, |word| word.at);
    evidence.get("last_good").and_then(sent_at).is_some_and(|at| at >= since)
}

/// What was known of a failure before a person closed it: it goes on, and did not begin with that. Nothing, if mail arrived since.
pub(super) fn carry_on(evidence: &mut Value, closed: &Incident, now: At) {
    if has_delivered(evidence, closed) {
        return;
    }
    begin_as(evidence, &closed.shown.last.evidence, now);
    let (Some(new), Some(old)) = (evidence.as_object_mut(), closed.shown.last.evidence.as_object()) else { return };
    let mut routes: Vec<Value> = [&*new, old].iter().filter_map(|facts| facts.get("routes")?.as_array()).flatten().cloned().collect();
    let mut seen = BTreeSet::new();
    routes.retain(|route| route.as_str().is_some_and(|route| seen.insert(route.to_owned())));
    let count = [&*new, old].iter().filter_map(|facts| facts.get("routes_count")?.as_u64()).max().unwrap_or_default();
    new.insert("routes_count".to_owned(), count.max(u64::try_from(routes.len()).unwrap_or(0)).into());
    new.insert("routes".to_owned(), routes.into());
    new.insert(GOES_ON_FROM.to_owned(), closed.shown.incident.0.into());
}

/// Who closed the last incident of this culprit by hand, if that was not long ago.
pub(super) fn closed_lately<'s>(state: &'s State, culprit: &Culprit, now: At) -> Option<(&'s Incident, &'s Word)> {
    let mine = state.incidents.values().filter(|i| i.shown.kind.is_delivery() && i.shown.culprit == *culprit && !is_drill(&i.shown.last));
    let last = mine.max_by_key(|i| i.shown.opened_at)?;
    Some((last, last.shown.closed.as_ref().filter(|word| now.since(word.at) < CLOSED_LATELY)?))
}
