//! What is raised, and whose fault it is.

use mailcanary::model::{Change, Class, Culprit, Kind, Notice, Placement, Severity, Span, Verdict};
use mailcanary::watchdog::Event;

use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

fn world(providers: usize, streams: usize, inboxes: usize) -> World {
    let mut world = World::new(settings(providers, streams, inboxes, MINUTE));
    world.run(minutes(30));
    assert!(world.notices.is_empty(), "all is well: {:?}", world.notices);
    world
}

#[test]
fn a_stopped_provider_is_one_page_that_names_it_and_resolves_once() {
    let mut w = world(3, 1, 3);
    let stop = w.now;
    w.from(stop, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(minutes(20));
    assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
    let (at, notice) = w.notices[0].clone();
    assert_eq!(notice.culprit, Culprit::Provider(name("p1")));
    assert_eq!((notice.kind, notice.severity, notice.change), (Kind::Stopped, Severity::Page, Change::Opened));
    assert!(at.since(stop) <= minutes(3), "seen after {}", at.since(stop));
    assert!(notice.summary.contains("deliver to the same inboxes"), "{}", notice.summary);
    assert!(notice.evidence["first_bad"]["sent_at"].is_string());
    w.heal(w.now);
    let healed = w.now;
    w.run(minutes(20));
    assert_eq!(w.notices.len(), 2, "{:#?}", w.notices);
    assert_eq!(w.notices[1].1.change, Change::Resolved);
    assert!(w.notices[1].0.since(healed) <= minutes(4));
    assert!(w.dog.view(w.now).routes.iter().all(|r| r.verdict == Verdict::Delivering));
}

#[test]
fn a_provider_with_two_hundred_routes_is_one_page_and_a_second_one_is_one_more() {
    let mut w = World::new(settings(3, 10, 20, minutes(5)));
    w.run(minutes(30));
    assert!(w.notices.is_empty(), "all is well: {:?}", w.notices);
    let mut expected = Vec::new();
    for broken in ["p1", "p2"] {
        w.from(w.now, move |r, _| r.provider.as_str() == broken, Fate::Swallowed);
        w.run(minutes(12));
        expected.push(Culprit::Provider(name(broken)));
        // That it is wider than was thought at first calls nobody again.
        let calls = |n: &&Notice| n.evidence.get("quiet").is_none();
        let told: Vec<_> = w.notices.iter().map(|(_, n)| n).filter(calls).map(|n| (n.change, n.severity)).collect();
        assert_eq!(told, vec![(Change::Opened, Severity::Page); expected.len()], "{:#?}", w.notices);
        let view = w.dog.view(w.now);
        let open: Vec<_> = view.incidents.iter().filter(|i| i.resolved_at.is_none()).map(|i| i.culprit.clone()).collect();
        assert!(open.len() == expected.len() && expected.iter().all(|c| open.contains(c)), "{open:?}");
    }
    assert_eq!(w.notices[0].1.evidence["routes_count"], 200, "{:#?}", w.notices[0]);
}

#[test]
fn a_canary_that_an_incident_names_can_be_looked_up_for_as_long_as_the_incident() {
    let mut w = world(2, 1, 2);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(minutes(20));
    let first_bad = w.notices[0].1.evidence["first_bad"]["canary"].as_str().unwrap().parse().unwrap();
    let listed = |w: &World| {
        let view = w.dog.view(w.now);
        assert!(view.routes.iter().all(|r| r.recent.len() <= 52 && r.recent.windows(2).all(|pair| pair[0].canary > pair[1].canary)));
        view.routes.iter().flat_map(|r| &r.recent).any(|c| c.canary == first_bad)
    };
    assert!(listed(&w));
    w.heal(w.now);
    w.run(minutes(180));
    assert_eq!(w.notices.last().unwrap().1.change, Change::Resolved);
    assert!(listed(&w), "it is among the newest no more, and still has its page");
}

#[test]
fn each_culprit_is_named_as_what_it_is() {
    type Pick = fn(&mailcanary::model::Route) -> bool;
    let cases: [(&str, Pick, Culprit); 4] = [
        ("inbox", |r| r.inbox.as_str() == "i0", Culprit::Inbox(name("i0"))),
        ("stream", |r| r.provider.as_str() == "p0" && r.stream.as_str() == "s1", Culprit::Stream(name("p0"), name("s1"))),
        (
            "route",
            |r| r.provider.as_str() == "p0" && r.stream.as_str() == "s1" && r.inbox.as_str() == "i1",
            Culprit::Route(name("p0"), name("s1"), name("i1")),
        ),
        ("everything", |_| true, Culprit::Watcher {}),
    ];
    for (what, broken, culprit) in cases {
        let mut w = world(2, 2, 2);
        w.from(w.now, move |r, _| broken(r), Fate::Swallowed);
        w.run(minutes(15));
        assert_eq!(w.opened().len(), 1, "{what}: {:#?}", w.notices);
        assert_eq!(w.opened()[0].culprit, culprit, "{what}");
    }
}

#[test]
fn with_one_of_a_kind_the_first_name_that_fits_is_used_and_the_doubt_is_told() {
    for (providers, inboxes, culprit) in
        [(1, 1, Culprit::Provider(name("p0"))), (1, 3, Culprit::Provider(name("p0"))), (3, 1, Culprit::Inbox(name("i0")))]
    {
        let mut w = world(providers, 1, inboxes);
        w.from(w.now, |_, _| true, Fate::Swallowed);
        w.run(minutes(15));
        assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
        assert_eq!(w.opened()[0].culprit, culprit);
        let doubt = w.opened()[0].evidence["cannot_be_told_apart"].as_array().unwrap().len();
        assert_eq!(doubt > 0, providers == 1, "{providers} × {inboxes}");
    }
}

#[test]
fn a_blind_inbox_is_no_lost_mail_and_an_incident_of_its_own() {
    let mut w = world(2, 1, 2);
    w.feed(Event::Blind { inbox: name("i0"), class: Some(Class::Auth), why: Some("wrong password".to_owned()) });
    // What arrives cannot be reported while it is blind.
    w.from(w.now, |r, _| r.inbox.as_str() == "i0", Fate::Swallowed);
    w.run(minutes(45));
    assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
    assert_eq!((w.notices[0].1.kind, w.notices[0].1.severity), (Kind::Blind, Severity::Warn));
    assert_eq!(w.notices[0].1.culprit, Culprit::Inbox(name("i0")));
    let view = w.dog.view(w.now);
    assert!(view.routes.iter().filter(|r| r.route.inbox.as_str() == "i0").all(|r| r.verdict == Verdict::Unknown && r.counts.lost == 0));
    // All of it turns out to have come in time. Reading it takes a while.
    w.heal(w.now);
    let missed: Vec<_> = w.sent.iter().filter(|(at, _, r)| *at >= START.plus(minutes(30)) && r.inbox.as_str() == "i0").cloned().collect();
    for (n, (at, canary, route)) in (1..).zip(missed) {
        let (told_at, arrived_at) = (w.now.plus(Span::from_ms(80 * n)), at.plus(Span::from_secs(3)));
        w.at(told_at, Event::Sighted { inbox: route.inbox, canary, placement: Placement::Inbox, arrived_at, seen_at: None, copy: None });
    }
    w.feed(Event::Sight { inbox: name("i0") });
    w.run(minutes(30));
    assert_eq!(w.notices.len(), 2, "{:#?}", w.notices);
    assert_eq!(w.notices[1].1.change, Change::Resolved);
    assert!(w.dog.view(w.now).routes.iter().all(|r| r.counts.lost == 0 && r.verdict == Verdict::Delivering));
}

#[test]
fn a_watcher_that_slept_or_was_cut_off_blames_nobody_else() {
    let mut w = world(2, 1, 2);
    for _ in 0..5 {
        w.sleep(minutes(20));
        w.run(minutes(10));
    }
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    w.feed(Event::CutOff {});
    w.from(w.now, |_, _| true, Fate::Refused(Class::Network));
    w.run(minutes(30));
    w.feed(Event::Connected {});
    w.heal(w.now);
    w.run(minutes(10));
    assert!(w.notices.iter().all(|(_, n)| n.kind == Kind::CutOff && n.culprit == Culprit::Watcher {}), "{:#?}", w.notices);
    assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1));
}

#[test]
fn refusals_that_speak_for_themselves_page_at_the_first_answer() {
    for class in [Class::Suspended, Class::Auth, Class::Quota, Class::Sender] {
        let mut w = world(2, 1, 2);
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(class));
        let sent = w.sent.len();
        w.run(minutes(10));
        assert_eq!(w.notices.len(), 1, "{class}: {:#?}", w.notices);
        let (at, notice) = &w.notices[0];
        assert_eq!((notice.kind, notice.severity), (Kind::Refused, Severity::Page));
        assert_eq!(notice.culprit, Culprit::Provider(name("p0")));
        let first = w.sent[sent..].iter().find(|(_, _, r)| r.provider.as_str() == "p0").unwrap().0;
        assert_eq!(at.since(first), Span::from_ms(120));
    }
}

#[test]
fn suppression_warns_of_the_route_and_throttling_is_no_verdict() {
    let mut w = world(2, 1, 2);
    w.from(w.now, |r, _| r.provider.as_str() == "p0" && r.inbox.as_str() == "i0", Fate::Refused(Class::Suppressed));
    w.run(minutes(20));
    assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
    assert_eq!(w.notices[0].1.severity, Severity::Warn);
    assert_eq!(w.notices[0].1.culprit, Culprit::Route(name("p0"), name("s0"), name("i0")));
    let mut w = world(2, 1, 2);
    // Every third is throttled.
    w.from(w.now, |_, n| n % 3 == 0, Fate::Refused(Class::Rate));
    w.run(minutes(3));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
}

#[test]
fn no_connection_to_any_provider_is_the_watchers_fault_and_to_one_is_that_providers() {
    let mut w = world(2, 1, 1);
    w.from(w.now, |_, _| true, Fate::Refused(Class::Network));
    w.run(minutes(10));
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
    assert_eq!(w.opened()[0].culprit, Culprit::Watcher {});
    let mut w = world(2, 1, 1);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Network));
    w.run(minutes(10));
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
    assert_eq!(w.opened()[0].culprit, Culprit::Provider(name("p1")));
    assert_eq!(w.opened()[0].kind, Kind::Refused);
}

#[test]
fn held_mail_that_comes_late_resolves_and_is_counted_late() {
    let mut w = world(2, 1, 2);
    let stop = w.now;
    w.from(stop, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(30));
    w.heal(w.now);
    let held: Vec<_> = w.sent.iter().filter(|(at, _, r)| *at >= stop && r.provider.as_str() == "p0").cloned().collect();
    let now = w.now;
    for (_, canary, route) in held {
        w.at(now, Event::Sighted { inbox: route.inbox, canary, placement: Placement::Inbox, arrived_at: now, seen_at: None, copy: None });
    }
    w.run(minutes(15));
    assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
    let view = w.dog.view(w.now);
    let p0: Vec<_> = view.routes.iter().filter(|r| r.route.provider.as_str() == "p0").collect();
    assert!(p0.iter().all(|r| r.counts.lost > 0 && r.counts.late >= r.counts.lost), "{:?}", p0[0].counts);
}

#[test]
fn a_partial_loss_is_seen_and_not_called_a_stop() {
    let mut w = world(2, 1, 2);
    w.from(w.now, |r, n| r.provider.as_str() == "p0" && n * 2_654_435_761 % 97 < 45, Fate::Swallowed);
    w.run(minutes(120));
    let opened = w.opened();
    assert!(!opened.is_empty());
    assert!(opened.iter().all(|n| n.culprit == Culprit::Provider(name("p0"))), "{opened:#?}");
    assert!(opened.iter().any(|n| n.kind == Kind::Loss), "{opened:#?}");
    // The share in the sentence is that of its own figures, and of the loss.
    for (_, notice) in w.notices.iter().filter(|(_, n)| n.kind == Kind::Loss) {
        let figure = |name: &str| notice.evidence[name].as_f64().unwrap();
        let (missing, of) = (figure("missing"), figure("of"));
        let said = format!("about {} %: {missing} of the last {of} canaries", (missing * 100.0 / of).round());
        assert!(notice.summary.contains(&said), "{said}: {}", notice.summary);
        assert!((0.2..0.8).contains(&figure("share_lost")), "{}", notice.summary);
    }
}

#[test]
fn junk_is_a_kind_of_its_own_and_pages_where_nobody_finds_mail_any_more() {
    let mut w = world(2, 1, 2);
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Arrives(Span::from_secs(3), Placement::Junk));
    w.run(minutes(20));
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
    assert!(w.notices.iter().all(|(_, n)| n.kind == Kind::Junked && n.culprit == Culprit::Provider(name("p0"))), "{:#?}", w.notices);
    assert_eq!(w.notices.last().unwrap().1.severity, Severity::Page);
}

#[test]
fn half_of_the_mail_in_junk_is_one_warning_for_as_long_as_it_lasts() {
    let mut w = world(2, 1, 2);
    let half = |n: u64| n.wrapping_mul(2_654_435_761) % 97 < 49;
    w.from(w.now, move |r, n| r.provider.as_str() == "p0" && half(n), Fate::Arrives(Span::from_secs(3), Placement::Junk));
    w.run(minutes(120));
    let opened = w.opened();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    assert!(w.notices.iter().all(|(_, n)| n.kind == Kind::Junked && n.severity == Severity::Warn), "{:#?}", w.notices);
    // It ends by and by, and is not the last route's for that.
    w.heal(w.now);
    w.run(minutes(30));
    let whose: Vec<_> = w.notices.iter().map(|(_, n)| &n.culprit).collect();
    assert!(whose.iter().all(|c| **c == Culprit::Provider(name("p0"))), "{whose:?}");
    assert_eq!((w.opened().len(), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
}

#[test]
fn duplicates_and_replays_are_counted_and_change_nothing() {
    let mut w = world(2, 1, 2);
    let (at, canary, route) = w.sent[3].clone();
    let again = |inbox: &str| Event::Sighted {
        inbox: name(inbox),
        canary,
        placement: Placement::Inbox,
        arrived_at: at.plus(MINUTE),
        seen_at: None,
        copy: None,
    };
    w.feed(again(route.inbox.as_str()));
    let other = if route.inbox.as_str() == "i0" { "i1" } else { "i0" };
    w.feed(again(other));
    w.feed(Event::Forged { inbox: name("i0") });
    let view = w.dog.view(w.now);
    assert_eq!(view.routes.iter().map(|r| r.counts.duplicate).sum::<u64>(), 1);
    assert_eq!(view.inboxes.iter().map(|i| i.replayed).sum::<u64>(), 1);
    assert_eq!(view.inboxes.iter().map(|i| i.forged).sum::<u64>(), 1);
    assert!(w.notices.is_empty());
}

#[test]
fn sending_is_even_and_interleaved() {
    let w = world(3, 1, 3);
    for pair in w.sent.windows(2) {
        let ((a, _, first), (b, _, second)) = (&pair[0], &pair[1]);
        assert!(b.since(*a) > Span::from_secs(4), "spread");
        assert_ne!(first.provider, second.provider, "neighbours differ");
    }
    let a_route: Vec<_> = w.sent.iter().filter(|(_, _, r)| *r == w.sent[0].2).collect();
    assert_eq!(a_route.len(), 30, "one a minute");
}
