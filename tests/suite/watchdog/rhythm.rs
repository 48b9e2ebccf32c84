//! How inboxes are read, where that must be inferred: mail that waits for the next read is not silent; and failures that come and go.

use std::cell::Cell;

use mailcanary::model::{Change, Class, Culprit, Kind, Placement, Route, Severity, Span};

use super::replay;
use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn polled(every: Span, stamped_late: bool) -> World {
    let mut w = World::new(settings(3, 1, 4, MINUTE));
    (w.polled, w.stamped_late) = (Some(every), stamped_late);
    w.run(MINUTE.scaled(360, 1));
    w
}

#[test]
fn an_inbox_that_is_read_twice_a_minute_raises_nothing() {
    for every in [10, 30, 60] {
        let w = polled(Span::from_secs(every), false);
        assert!(w.notices.is_empty(), "read every {every} s: {:#?}", w.notices);
    }
}

#[test]
fn mail_that_arrives_in_batches_is_not_silent_between_them() {
    for every in [10, 30, 60] {
        let w = polled(Span::from_secs(every), true);
        assert!(w.notices.is_empty(), "every {every} s: {:#?}", w.notices);
    }
}

#[test]
fn a_stop_is_seen_through_slow_reads_soon_after_the_reads_that_show_nothing() {
    for stamped_late in [false, true] {
        let mut w = polled(Span::from_secs(30), stamped_late);
        let stop = w.now;
        w.from(stop, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
        w.run(MINUTE.scaled(10, 1));
        let [(at, notice)] = &w.notices[..] else { panic!("{:#?}", w.notices) };
        assert_eq!((notice.kind, &notice.culprit), (Kind::Stopped, &Culprit::Provider(name("p1"))));
        assert!(at.since(stop) <= MINUTE.scaled(2, 1), "seen after {}", at.since(stop));
    }
}

#[test]
fn mail_that_is_seen_out_of_order_is_not_silent_and_a_stop_of_it_is_seen() {
    for (longest, every) in [(4, 30), (5, 60), (15, 30), (15, 60)] {
        let mut w = World::new(settings(2, 1, 2, Span::from_secs(every)));
        w.jitter = Some(Span::from_secs(longest));
        // Quick mail, of which the wait is the most.
        w.from(w.now, |_, _| true, Fate::Arrives(Span::from_ms(700), Placement::Inbox));
        w.run(MINUTE.scaled(360, 1));
        assert!(w.notices.is_empty(), "up to {longest} s, every {every} s: {:#?}", w.notices);
        let stop = w.now;
        w.from(stop, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
        w.run(MINUTE.scaled(10, 1));
        let [(at, notice)] = &w.notices[..] else { panic!("up to {longest} s, every {every} s: {:#?}", w.notices) };
        assert_eq!((notice.kind, &notice.culprit), (Kind::Stopped, &Culprit::Provider(name("p1"))));
        assert!(at.since(stop) <= MINUTE.scaled(2, 1), "seen after {}", at.since(stop));
    }
}

#[test]
fn mail_that_always_takes_the_same_time_does_not_arrive_in_batches() {
    for routes in [1, 4] {
        let mut w = World::new(settings(1, 1, routes, MINUTE));
        w.from(w.now, |_, _| true, Fate::Arrives(Span::from_secs(2), Placement::Inbox));
        w.run(MINUTE.scaled(360, 1));
        assert!(w.notices.is_empty(), "{:#?}", w.notices);
        let stop = w.now;
        w.from(stop, |_, _| true, Fate::Swallowed);
        w.run(MINUTE.scaled(10, 1));
        let seen = w.notices.first().map(|(at, _)| at.since(stop)).unwrap();
        assert!(seen <= Span::from_secs(100), "{routes} routes: seen after {seen}");
    }
}

#[test]
fn what_comes_and_goes_is_two_pages_and_then_one_incident() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(MINUTE.scaled(60, 1));
    for _ in 0..8 {
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
        w.run(MINUTE.scaled(3, 1));
        w.heal(w.now);
        w.run(MINUTE.scaled(3, 1));
    }
    let opened = w.opened();
    assert_eq!(opened.len(), 2, "{:#?}", w.notices);
    assert!(opened[1].summary.contains("it flaps"), "{}", opened[1].summary);
    assert_eq!(w.told(Change::Resolved), 1, "the second is open for as long as it flaps");
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(w.told(Change::Resolved), 2, "and is over when it has been well for a while");
    assert_eq!(w.opened().len(), 2);
    replay::holds(&w);
}

#[test]
fn no_network_to_any_provider_is_the_watchers_also_while_older_mail_is_late() {
    let mut w = World::new(settings(3, 1, 4, MINUTE));
    w.run(MINUTE.scaled(60, 1));
    // One greylisted mail on its way, as on any day.
    let once = Cell::new(true);
    let grey = move |r: &Route, _| r.provider.as_str() == "p2" && r.inbox.as_str() == "i3" && once.replace(false);
    w.from(w.now, grey, Fate::Arrives(MINUTE.scaled(9, 1), Placement::Inbox));
    w.run(MINUTE);
    w.from(w.now, |_, _| true, Fate::Refused(Class::Network));
    w.run(MINUTE.scaled(5, 1));
    let pages: Vec<_> = w.opened().into_iter().filter(|n| n.severity == Severity::Page).collect();
    assert_eq!(pages.len(), 1, "{:#?}", w.notices);
    assert_eq!(pages[0].culprit, Culprit::Watcher {});
}
