//! The first hours: nobody knows yet how long mail takes here.

use mailcanary::model::{At, Change, Culprit, Kind, Placement, Severity, Span};

use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

/// A world in which mail takes what `takes` says of its time of sending and its number.
fn world(providers: usize, inboxes: usize, takes: impl Fn(At, u64) -> Span + 'static) -> World {
    let mut world = World::new(settings(providers, 1, inboxes, MINUTE));
    world.rules.insert(0, Box::new(move |_, sent, n| Some(Fate::Arrives(takes(sent, n), Placement::Inbox))));
    world
}

/// A number between 0 and 1 that looks random.
fn some(n: u64) -> f64 {
    (n.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0
}

#[test]
fn mail_that_always_takes_minutes_is_no_stop() {
    for (providers, inboxes) in [(1, 1), (3, 4)] {
        let mut w = world(providers, inboxes, |_, n| Span::from_secs(400 + n % 3));
        w.run(minutes(120));
        assert!(w.notices.is_empty(), "{providers} x {inboxes}: {:#?}", w.notices);
        let mut w = world(providers, inboxes, |_, n| Span::from_ms((60_000.0 + 540_000.0 * some(n)) as u64));
        w.run(minutes(120));
        assert!(w.notices.is_empty(), "{providers} x {inboxes}: {:#?}", w.notices);
    }
}

#[test]
fn mail_that_is_released_every_few_minutes_is_no_stop() {
    for (every, (providers, inboxes)) in [(120, (1, 1)), (120, (3, 4)), (300, (1, 1)), (300, (3, 4))] {
        let next = move |sent: At, n: u64| {
            let (age, round) = (sent.since(START).as_ms() + 2000 + n % 3000, every * 1000);
            Span::from_ms((age / round + 1) * round - sent.since(START).as_ms())
        };
        let mut w = world(providers, inboxes, next);
        w.run(minutes(120));
        assert!(w.notices.is_empty(), "{every} s, {providers} x {inboxes}: {:#?}", w.notices);
    }
}

#[test]
fn a_stop_ten_minutes_after_the_first_start_pages_within_minutes() {
    let mut w = world(3, 4, |_, n| Span::from_ms(2000 + n % 4000));
    w.run(minutes(10));
    let stop = w.now;
    w.from(stop, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(20));
    let (at, notice) = &w.notices[0];
    assert_eq!((notice.kind, notice.severity, &notice.culprit), (Kind::Stopped, Severity::Page, &Culprit::Provider(name("p0"))));
    assert!(at.since(stop) <= minutes(3), "after {}", at.since(stop));
}

#[test]
fn what_never_delivered_is_told_when_its_deadline_has_passed() {
    let mut w = world(3, 4, |_, n| Span::from_ms(2000 + n % 4000));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(30));
    let (at, notice) = &w.notices[0];
    assert_eq!((notice.change, &notice.culprit), (Change::Opened, &Culprit::Provider(name("p0"))), "{:#?}", w.notices);
    assert!(at.since(START) >= minutes(14) && at.since(START) <= minutes(18), "after {}", at.since(START));
}

#[test]
fn the_configuration_bounds_how_long_a_page_waits() {
    let seen = |at_least: Span, at_most: Span| {
        let mut settings = settings(3, 1, 4, MINUTE);
        (settings.watch.hold_at_least, settings.watch.hold_at_most) = (at_least, at_most);
        let mut w = World::new(settings);
        w.run(minutes(60));
        let stop = w.now;
        w.from(stop, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
        w.run(minutes(20));
        w.notices[0].0.since(stop)
    };
    let at_once = seen(Span::ZERO, minutes(120));
    let held = seen(minutes(5), minutes(120));
    let later = Span::from_ms(held.as_ms() - at_once.as_ms());
    assert!(later >= minutes(4) && later <= minutes(6), "{held} instead of {at_once}");
    // What never delivered would wait for its deadline.
    let mut settings = settings(3, 1, 4, MINUTE);
    settings.watch.hold_at_most = minutes(3);
    let mut w = World::new(settings);
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(12));
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
}
