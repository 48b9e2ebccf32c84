//! Reach: whether the watcher itself has network, as far as its own tries tell.

use super::plan::Plan;
use super::state::State;
use crate::model::{At, Class, Name, Outcome};

/// Whether the watcher looks cut off: no inbox can be reached, and since then no provider either. `None`: too little was tried to say.
pub(super) fn cut_off(plan: &Plan, state: &State) -> Option<bool> {
    let mut since: Option<At> = None;
    for name in &plan.inboxes {
        let Some(blind) = state.inboxes.get(name).and_then(|i| i.blind.as_ref()) else { return Some(false) };
        if blind.class != Some(Class::Network) {
            return Some(false);
        }
        since = Some(since.map_or(blind.since, |at| at.max(blind.since)));
    }
    let since = since?;
    let mut tried = false;
    for provider in &plan.providers {
        match newest_answer(state, provider) {
            Some((at, Outcome::Refused(Class::Network))) if at >= since => tried = true,
            Some((at, _)) if at >= since => return Some(false),
            _ => {}
        }
    }
    tried.then_some(true)
}

fn newest_answer(state: &State, provider: &Name) -> Option<(At, Outcome)> {
    let answers = state.routes.iter().filter(|r| r.route.provider == *provider).filter_map(super::flight::RouteState::newest_answer);
    answers.map(|(outcome, at)| (at, outcome)).max_by_key(|(at, _)| *at)
}
