//! When nobody saw how a stream delivers: the watcher had no network, or none of the stream's inboxes could be read.

use std::collections::BTreeSet;

use super::days::Spell;
use crate::model::past::Failure;
use crate::model::{At, Culprit, Kind, Name, Verdict};
use crate::watchdog::View;

/// How the incident of a sink that takes nothing begins, which is no blindness.
const OF_SINK: &str = "sink `";

/// The times in which nothing was seen of a stream, by what the ledger knows.
pub(super) fn unwatched(view: &View, stream: &Name, past: &[Failure]) -> Vec<Spell> {
    let of_all = |failure: &&Failure| match failure.kind {
        Kind::CutOff => true,
        Kind::Blind => failure.culprit == Culprit::Watcher {} && !failure.summary.starts_with(OF_SINK),
        Kind::Stopped
        | Kind::Loss
        | Kind::Slow
        | Kind::Junked
        | Kind::Refused
        | Kind::Identity
        | Kind::UnexpectedMail
        | Kind::Authentication
        | Kind::Dns
        | Kind::Listed
        | Kind::EarlySign => false,
    };
    let inboxes: BTreeSet<&Name> = view.routes.iter().filter(|r| r.route.stream == *stream).map(|r| &r.route.inbox).collect();
    let of_one = |inbox: &Name| {
        let mine = |failure: &&Failure| failure.kind == Kind::Blind && failure.culprit == Culprit::Inbox(inbox.clone());
        past.iter().filter(mine).map(spell).collect::<Vec<_>>()
    };
    let of_each = inboxes.into_iter().map(of_one).reduce(|all, one| overlaps(&all, &one));
    past.iter().filter(of_all).map(spell).chain(of_each.into_iter().flatten()).collect()
}

fn spell(failure: &Failure) -> Spell {
    Spell { from: failure.since, to: failure.resolved_at, tone: Verdict::Unknown }
}

/// The times that are in both.
fn overlaps(some: &[Spell], others: &[Spell]) -> Vec<Spell> {
    let both = |one: &Spell, other: &Spell| {
        let to: Option<At> = [one.to, other.to].into_iter().flatten().min();
        let from = one.from.max(other.from);
        to.is_none_or(|to| from < to).then_some(Spell { from, to, tone: Verdict::Unknown })
    };
    some.iter().flat_map(|one| others.iter().filter_map(move |other| both(one, other))).collect()
}
