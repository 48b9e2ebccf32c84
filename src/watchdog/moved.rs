//! Blame that has moved takes its incident along: what was told of a provider and turns out to be an inbox's is neither over nor another failure.

use super::alarm::Alarm;
use super::judge::{Assessment, Finding};
use super::outbox::Incident;
use super::plan::Plan;
use super::state::State;

/// The incident that was opened while a finding's alarm was another's, whom nothing is held against any more.
pub(super) fn moved_aside<'s>(plan: &Plan, state: &'s State, assessment: &Assessment, finding: &Finding) -> Option<&'s Incident> {
    let alarm = state.alarms.iter().find(|a| finding.alarm && a.culprit == finding.culprit)?;
    let fails_still = |i: &Incident| {
        let culprit = &i.shown.culprit;
        state.alarms.iter().any(|a| a.culprit == *culprit) || assessment.findings.iter().any(|f| f.culprit == *culprit)
    };
    state.open().find(|i| was_told_of(plan, alarm, i) && !fails_still(i))
}

/// Whether what an incident was opened for is somebody else's by now, of whom there is nothing to tell yet.
pub(super) fn is_elsewhere(plan: &Plan, state: &State, assessment: &Assessment, open: &Incident) -> bool {
    let is_found = |alarm: &Alarm| assessment.findings.iter().any(|f| f.culprit == alarm.culprit);
    state.alarms.iter().any(|a| was_told_of(plan, a, open) && !is_found(a))
}

/// Whether an incident was opened of an alarm when that was another's.
fn was_told_of(plan: &Plan, alarm: &Alarm, open: &Incident) -> bool {
    let shown = &open.shown;
    let is_its_own = shown.kind.is_delivery() && !open.is_of_seed() && !open.is_said() && shown.culprit != alarm.culprit;
    let while_it_lasted = alarm.since < alarm.blamed_at && (alarm.since..=alarm.blamed_at).contains(&shown.opened_at);
    let both = || plan.suspect(&shown.culprit).zip(plan.suspect(&alarm.culprit));
    is_its_own && while_it_lasted && both().is_some_and(|(was, is)| plan.overlap(was, is))
}
