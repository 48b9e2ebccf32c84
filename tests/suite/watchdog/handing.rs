//! What is handed over at a time: a provider that hangs fills no memory, and takes nothing from the others.

use std::collections::{BTreeMap, VecDeque};

use mailcanary::model::{At, Route, Span};

use super::world::{Fate, GIVEN_UP, START, World, name, settings};

const EVERY: Span = Span::from_secs(1);
const INBOXES: usize = 120;
/// What may be under way at a time, and one over each route besides; confirmations are few.
const AT_MOST: usize = 1024 + INBOXES + 200;

/// The most of these canaries that were under way at once, when each was for so long.
fn most_at_once(sent: impl Iterator<Item = At>, each: Span) -> usize {
    let mut under_way: VecDeque<At> = VecDeque::new();
    let mut most = 0;
    for at in sent {
        while under_way.pop_front_if(|sent| at.since(*sent) >= each).is_some() {}
        under_way.push_back(at);
        most = most.max(under_way.len());
    }
    most
}

#[test]
fn a_provider_that_hangs_fills_no_memory_and_takes_nothing_from_the_others() {
    let mut w = World::new(settings(2, 1, INBOXES, EVERY));
    w.run(Span::from_secs(5));
    let hangs_at = w.now;
    w.from(hangs_at, |route, _| route.provider == name("p1"), Fate::Hangs);
    w.run(Span::from_secs(12));
    let since = || w.sent.iter().filter(|(at, ..)| *at >= hangs_at);
    let most = most_at_once(since().filter(|(_, _, route)| route.provider == name("p1")).map(|(at, ..)| *at), GIVEN_UP);
    assert!((1000..=AT_MOST).contains(&most), "{most} under way at once; without a bound it would be {}", INBOXES * 12);
    let mut sent: BTreeMap<&Route, usize> = BTreeMap::new();
    since().for_each(|(_, _, route)| *sent.entry(route).or_default() += 1);
    let slowest = |provider: &str| sent.iter().filter(|(r, _)| r.provider == name(provider)).map(|(_, n)| *n).min();
    assert!(slowest("p0") >= Some(11), "the healthy one goes on: {:?} of 12 rounds", slowest("p0"));
}

#[test]
fn where_nobody_ever_answers_that_says_nothing() {
    let mut w = World::new(settings(1, 1, INBOXES, EVERY));
    w.from(START, |_, _| true, Fate::Hangs);
    w.run(Span::from_secs(30));
    assert!(w.sent.len() >= INBOXES * 29, "{}", w.sent.len());
}
