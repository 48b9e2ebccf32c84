//! What fails in part: of what was told of a whole the part that loses, or is late, is found by what the rest delivers; and where little can
//! be seen, what is seen is told.

use mailcanary::model::{Change, Class, Culprit, Kind, Notice, Placement, Route, Severity, Span};
use mailcanary::watchdog::Event;

use super::replay;
use super::world::{Fate, World, name, settings};

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

fn world(providers: usize, streams: usize, inboxes: usize, every: u64) -> World {
    let mut world = World::new(settings(providers, streams, inboxes, Span::from_secs(every)));
    world.run(minutes(180));
    assert!(world.notices.is_empty(), "all is well: {:?}", world.notices);
    world
}

fn pages(w: &World) -> usize {
    w.opened().iter().filter(|n| n.severity == Severity::Page).count()
}

fn last(w: &World) -> &Notice {
    &w.notices.last().unwrap().1
}

/// Each canary by its number, spread.
fn share(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

#[test]
fn what_a_path_loses_is_the_paths_and_no_inboxes() {
    let mut w = world(2, 2, 3, 120);
    let loses = |r: &Route, n: u64| r.provider.as_str() == "p1" && r.inbox.as_str() == "i1" && share(n) % 100 < 57;
    w.from(w.now, loses, Fate::Swallowed);
    w.run(minutes(90));
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
    let told = last(&w);
    assert_eq!((&told.culprit, told.kind), (&Culprit::Path(name("p1"), name("i1")), Kind::Loss), "{}", told.summary);
    replay::holds(&w);
}

#[test]
fn a_stream_that_is_late_is_not_its_provider() {
    let mut w = world(3, 3, 3, 180);
    let late = |r: &Route, _: u64| r.provider.as_str() == "p2" && r.stream.as_str() == "s0";
    w.from(w.now, late, Fate::Arrives(Span::from_secs(120), Placement::Inbox));
    w.run(minutes(60));
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
    let told = last(&w);
    assert_eq!((&told.culprit, told.kind), (&Culprit::Stream(name("p2"), name("s0")), Kind::Slow), "{}", told.summary);
    // What is late and on its way still when the rest comes in time again is not lost.
    let before = w.notices.len();
    w.heal(w.now);
    w.run(minutes(30));
    assert_eq!((w.opened().len(), last(&w).change), (1, Change::Resolved), "{:#?}", w.notices);
    assert!(w.notices[before..].iter().all(|(_, n)| n.kind == Kind::Slow), "{:#?}", w.notices);
}

#[test]
fn mail_that_is_four_times_as_late_as_before_is_not_in_time_again() {
    let mut w = world(2, 1, 2, 30);
    let of_p0 = |r: &Route, _: u64| r.provider.as_str() == "p0";
    w.from(w.now, of_p0, Fate::Arrives(Span::from_secs(90), Placement::Inbox));
    w.run(minutes(20));
    assert_eq!((last(&w).kind, w.opened().len()), (Kind::Slow, 1), "{:#?}", w.notices);
    w.from(w.now, of_p0, Fate::Arrives(Span::from_secs(17), Placement::Inbox));
    w.run(minutes(40));
    assert_eq!(w.told(Change::Resolved), 0, "{:#?}", w.notices);
    w.heal(w.now);
    w.run(minutes(20));
    assert_eq!((w.opened().len(), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
}

#[test]
fn what_is_lost_in_part_for_hours_is_never_called_slow() {
    for seed in 0..4 {
        let mut w = world(2, 1, 2, 60);
        let loses = move |r: &Route, n: u64| r.provider.as_str() == "p1" && share(n + seed * 10_007) % 100 < 58;
        w.from(w.now, loses, Fate::Swallowed);
        w.run(minutes(180));
        assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
        assert!(w.notices.iter().all(|(_, n)| n.kind != Kind::Slow), "{:#?}", w.notices);
    }
}

#[test]
fn a_stop_is_seen_through_the_only_inbox_that_can_be_read() {
    for inboxes in [2, 4] {
        let mut w = world(3, 1, inboxes, 60);
        let blind = |w: &mut World, sees: bool| {
            for inbox in (1..inboxes).map(|n| name(&format!("i{n}"))) {
                let why = || Some("connection refused".to_owned());
                let event = if sees { Event::Sight { inbox } } else { Event::Blind { inbox, class: Some(Class::Auth), why: why() } };
                w.feed(event);
            }
        };
        blind(&mut w, false);
        w.from(w.now, |r, _| r.inbox.as_str() != "i0", Fate::Swallowed);
        w.run(minutes(7));
        let (began, before) = (w.now, w.notices.len());
        w.from(began, |_, _| true, Fate::Swallowed);
        w.run(minutes(30));
        let (at, page) = w.notices[before].clone();
        assert!(page.severity == Severity::Page && at.since(began) < minutes(2), "{} after {}", page.summary, at.since(began));
        assert_eq!((&page.culprit, pages(&w)), (&Culprit::Inbox(name("i0")), 1), "{:#?}", w.notices);
        // Nothing has come into the others, either, as is seen then: it was everything, and it is one page.
        blind(&mut w, true);
        w.run(minutes(10));
        let mut told = w.notices.iter().map(|(_, n)| n).filter(|n| n.incident == page.incident);
        let told = told.next_back().unwrap();
        assert_eq!((&told.culprit, pages(&w)), (&Culprit::Watcher {}, 1), "{:#?}", w.notices);
    }
}

#[test]
fn blame_that_moves_aside_takes_its_incident_along() {
    let mut moved = 0;
    for apart in [20, 30, 40, 50, 60, 70] {
        let mut w = world(2, 2, 3, 60);
        for inbox in [name("i0"), name("i1")] {
            let why = || Some("connection refused".to_owned());
            w.feed(Event::Blind { inbox, class: Some(Class::Auth), why: why() });
        }
        w.run(minutes(7));
        let (began, before) = (w.now, w.notices.len());
        w.from(began, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
        w.from(began.plus(Span::from_secs(apart)), |_, _| true, Fate::Swallowed);
        w.run(minutes(20));
        let told: Vec<&Notice> = w.notices[before..].iter().map(|(_, n)| n).collect();
        assert_eq!(pages(&w), 1, "{apart}: {told:#?}");
        assert!(told.iter().all(|n| n.change != Change::Resolved && n.incident == told[0].incident), "{apart}: {told:#?}");
        moved +=
            usize::from(told[0].culprit == Culprit::Provider(name("p1")) && told.last().unwrap().culprit == Culprit::Inbox(name("i2")));
        replay::holds(&w);
    }
    assert!(moved > 0, "in none of them blame moved");
}
