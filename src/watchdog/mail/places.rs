//! Whether what is foreign is foreign at one inbox alone, in the mail of every provider: then that inbox changes mail, and nobody's account is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::foreign::Found;
use crate::model::{Name, Part};
use crate::watchdog::identity::{Identity, is_of_receiver};
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// What kind of value: the part, and to which group of values in it.
pub(super) type Kind<'s> = (Part, &'s str);

/// An inbox, and whether the mail of every provider that came there has it.
pub(super) type Place<'s> = (&'s Name, bool);

/// The inboxes at which the mail of two providers at least, and of half of those whose mail came there, has a kind of foreign value, and at which
/// alone. One mail of each counts here: the second is on its way.
pub(super) fn of_inboxes<'s>(plan: &Plan, state: &'s State, all: &'s [Found<'s>]) -> BTreeMap<Kind<'s>, Place<'s>> {
    let mut kinds: BTreeMap<Kind<'s>, Vec<&Found<'s>>> = BTreeMap::new();
    for found in all {
        kinds.entry(found.kind()).or_default().push(found);
    }
    kinds.into_iter().filter_map(|(kind, found)| Some((kind, its_own(plan, state, kind, &found)?))).collect()
}

fn its_own<'s>(plan: &Plan, state: &State, kind: Kind<'_>, found: &[&Found<'s>]) -> Option<Place<'s>> {
    let mut places = found.iter().flat_map(|one| one.foreign.inboxes());
    let inbox = places.next()?;
    let providers: BTreeSet<&Name> = found.iter().map(|one| one.provider).collect();
    // Where one inbox is all there is, that does not tell it from a change at all providers: only what a receiver can have done is its.
    let tells = plan.inboxes.len() > 1 || is_of_receiver(kind.0);
    if providers.len() < 2 || !tells || places.any(|other| other != inbox) {
        return None;
    }
    let since = found.iter().map(|one| one.foreign.since).min()?;
    // Nor does it while no mail of theirs came to another inbox, where it might stand as well.
    let lacks = |other: &Name| other != inbox && found.iter().any(|one| one.identity.was_looked_at(other, since));
    if plan.inboxes.len() > 1 && !plan.inboxes.iter().any(lacks) {
        return None;
    }
    // What became of words is known of mail alone that was written here.
    let knows = |provider: &Name, stream: &Name| kind.0 != Part::Content || plan.written.contains(&(provider.clone(), stream.clone()));
    let denies = |identity: &Identity| identity.is_known() && identity.was_looked_at(inbox, since) && !identity.knows_group(kind.0, kind.1);
    let others = state.identities.iter().filter(|(provider, _)| plan.providers.contains(*provider) && !providers.contains(provider));
    let denied =
        others.filter(|(provider, streams)| streams.iter().any(|(stream, identity)| knows(provider, stream) && denies(identity))).count();
    (denied <= providers.len()).then_some((inbox, denied == 0))
}
