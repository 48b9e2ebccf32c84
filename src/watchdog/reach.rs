//! Reach: whether the watcher itself has network, as far as its own tries tell.

use super::plan::Plan;
use super::sight::InboxState;
use super::state::State;
use crate::model::{At, Class, Name, Outcome};

/// Whether the watcher looks cut off: no inbox can be reached, and since then no provider either.
pub(super) fn is_cut_off(plan: &Plan, state: &State) -> bool {
    let mut since: Option<At> = None;
    for name in &plan.inboxes {
        let blind = state.inboxes.get(name).and_then(|i| i.blind.as_ref()).filter(|blind| blind.class == Some(Class::Network));
        let Some(blind) = blind else { return false };
        since = Some(since.map_or(blind.since, |at| at.max(blind.since)));
    }
    let tried = |since: At| {
        let newest = plan.providers.iter().filter_map(|provider| newest_answer(state, provider)).filter(|(at, _)| *at >= since);
        let mut newest = newest.map(|(_, outcome)| outcome == Outcome::Refused(Class::Network)).peekable();
        newest.peek().is_some() && newest.all(|none| none)
    };
    since.is_some_and(tried)
}

/// Whether something has been reached since the watcher was cut off: an inbox, or a provider.
pub(super) fn is_back(plan: &Plan, state: &State, since: At) -> bool {
    let reached = |i: &InboxState| match &i.blind {
        Some(blind) => blind.since > since && blind.class != Some(Class::Network),
        None => i.clear_from > since || i.horizon.is_some_and(|read| read > since),
    };
    let answers = || plan.providers.iter().filter_map(|provider| newest_answer(state, provider));
    plan.inboxes.iter().filter_map(|name| state.inboxes.get(name)).any(reached)
        || answers().any(|(at, outcome)| at > since && outcome != Outcome::Refused(Class::Network))
}

fn newest_answer(state: &State, provider: &Name) -> Option<(At, Outcome)> {
    let answers = state.routes.iter().filter(|r| r.route.provider == *provider).filter_map(super::flight::RouteState::newest_answer);
    answers.map(|(outcome, at)| (at, outcome)).max_by_key(|(at, _)| *at)
}
