//! When nobody saw how a stream delivers: the watcher had no network, mailcanary did not run or slept, or none of the stream's inboxes could be read.

use std::collections::BTreeSet;

use super::super::days::Spell;
use crate::model::past::Failure;
use crate::model::{At, Culprit, Kind, Name, Verdict};
use crate::watchdog::View;

/// The times in which nothing was seen of a stream, by what the ledger knows. `pauses`: from the last canary until mailcanary ran again.
pub(super) fn unwatched(view: &View, stream: &Name, past: &[Failure], pauses: &[[At; 2]]) -> Vec<Spell> {
    let of_all = |failure: &&Failure| match failure.kind {
        Kind::CutOff => true,
        Kind::Blind => failure.culprit == Culprit::Watcher {} && !failure.is_of_sink(),
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
    // Until the next canary was due it did all that it had to.
    let every = view.providers.iter().map(|provider| provider.traffic.every).min().unwrap_or_default();
    let pause = |[from, to]: &[At; 2]| Spell { from: from.plus(every), to: Some(*to), tone: Verdict::Unknown };
    let paused = pauses.iter().map(pause).filter(|spell| spell.to.is_some_and(|to| spell.from < to));
    past.iter().filter(of_all).map(spell).chain(of_each.into_iter().flatten()).chain(paused).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_inbox_hid_was_unseen() {
        let at = At::from_ms;
        let spell = |from, to: Option<i64>| Spell { from: at(from), to: to.map(at), tone: Verdict::Unknown };
        let [one, other] = [[spell(0, Some(10)), spell(20, None)], [spell(5, Some(25)), spell(40, Some(50))]];
        let seen = |spells: Vec<Spell>| spells.iter().map(|s| (s.from, s.to)).collect::<Vec<_>>();
        let both = [(at(5), Some(at(10))), (at(20), Some(at(25))), (at(40), Some(at(50)))];
        assert_eq!(seen(overlaps(&one, &other)), both);
        assert_eq!(seen(overlaps(&[spell(0, None)], &[spell(7, None)])), [(at(7), None)]);
        assert_eq!(seen(overlaps(&one, &[spell(10, Some(20))])), [], "they touch, and no more");
    }
}
