//! What a view says of a failure while it goes on: it is of now, and its parts agree.

use mailcanary::model::{Change, Culprit, Kind, Span, Verdict};
use mailcanary::watchdog::View;

use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// A healthy world in which a provider then loses everything, up to its page.
fn stopped(providers: usize, streams: usize, inboxes: usize, every: Span) -> World {
    let mut w = World::new(settings(providers, streams, inboxes, every));
    w.run(every.scaled(30, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    while w.notices.is_empty() {
        w.run(Span::from_secs(1));
    }
    assert_eq!((w.notices[0].1.kind, &w.notices[0].1.culprit), (Kind::Stopped, &Culprit::Provider(name("p1"))));
    w
}

/// The first figure of what a view says of its first incident.
fn figure(view: &View) -> u64 {
    let summary = view.incidents[0].summary();
    summary.split(' ').find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{summary}"))
}

#[test]
fn what_is_said_of_an_open_incident_is_of_now() {
    let mut w = stopped(3, 1, 3, MINUTE);
    let first = w.dog.view(w.now);
    let told = first.incidents[0].last.summary.clone();
    assert_eq!(first.incidents[0].summary(), told);
    w.run(Span::from_secs(300));
    let view = w.dog.view(w.now);
    let incident = &view.incidents[0];
    assert_eq!(incident.last.summary, told, "what was told stays as it was told");
    assert!(figure(&view) >= figure(&first) + 12, "{} and then {}", told, incident.summary());
    assert_eq!(incident.evidence()["at"], w.now.rfc3339());
    assert_eq!(incident.evidence()["held_for"], incident.last.evidence["held_for"], "that is over");
    assert_eq!(view.streams[1].1.reason, view.providers[1].reason, "a stream of what has stopped has stopped with it");
    let reason = format!("incident 1: {}", incident.summary());
    assert!(view.providers[1].reason == reason && view.routes.iter().filter(|r| r.reason == reason).count() == 3, "{reason}");
    // While it recovers nothing is said of nothing that is missing.
    w.heal(w.now);
    while w.told(Change::Resolved) == 0 {
        w.run(Span::from_secs(1));
        let view = w.dog.view(w.now);
        assert!(!view.incidents[0].summary().contains(": 0 canaries"), "{}", view.incidents[0].summary());
    }
    let view = w.dog.view(w.now);
    assert_eq!(view.incidents[0].summary(), view.incidents[0].last.summary);
    assert!(view.routes.iter().all(|r| r.verdict == Verdict::Delivering));
}

#[test]
fn every_route_of_a_provider_that_has_stopped_has_stopped_with_it_and_no_inbox_is_to_blame() {
    let mut w = stopped(3, 2, 3, Span::from_secs(600));
    let view = w.dog.view(w.now);
    for route in &view.routes {
        let expected = if route.route.provider == name("p1") { Verdict::Stopped } else { Verdict::Delivering };
        assert_eq!(route.verdict, expected, "{}: {}", route.route, route.reason);
    }
    for inbox in &view.inboxes {
        assert_eq!(inbox.verdict, Verdict::Delivering, "{}", inbox.reason);
        assert_eq!(inbox.reason, "4 of 6 routes deliver; the trouble of 2 is that of provider `p1`");
    }
    assert_eq!(view.providers.iter().map(|p| p.verdict).collect::<Vec<_>>(), [Verdict::Delivering, Verdict::Stopped, Verdict::Delivering]);
    // A route is well again with the first mail that arrives over it, while the others wait for theirs.
    w.heal(w.now);
    while w.told(Change::Resolved) == 0 {
        w.run(Span::from_secs(10));
        for route in w.dog.view(w.now).routes.iter().filter(|r| r.route.provider == name("p1")) {
            assert!(!route.reason.contains("not long enough"), "{}", route.reason);
        }
    }
    w.run(Span::from_secs(1200));
    assert!(w.dog.view(w.now).routes.iter().all(|r| r.verdict == Verdict::Delivering));
}

#[test]
fn an_inbox_that_takes_nothing_is_no_provider_s_fault() {
    let mut w = World::new(settings(3, 1, 3, MINUTE));
    w.run(MINUTE.scaled(30, 1));
    w.from(w.now, |r, _| r.inbox.as_str() == "i2", Fate::Swallowed);
    while w.notices.is_empty() {
        w.run(Span::from_secs(1));
    }
    let view = w.dog.view(w.now);
    assert!(view.providers.iter().all(|p| p.verdict == Verdict::Delivering), "{:?}", view.providers);
    assert_eq!(view.providers[0].reason, "2 of 3 routes deliver; the trouble of 1 is that of inbox `i2`");
    assert_eq!(view.inboxes[2].verdict, Verdict::Stopped);
}
