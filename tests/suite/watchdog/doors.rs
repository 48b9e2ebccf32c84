//! Refusals that are an inbox's doing, and refusals that are a provider's.

use mailcanary::model::{Change, Class, Culprit, Kind, Notice, Route, Severity, Span};

use super::world::{Fate, World, name, settings};

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

fn world(providers: usize, streams: usize, inboxes: usize, every: u64) -> World {
    let mut world = World::new(settings(providers, streams, inboxes, Span::from_secs(every)));
    world.run(minutes(90));
    assert!(world.notices.is_empty(), "all is well: {:?}", world.notices);
    world
}

/// The world's notices, after such refusals for half an hour and a while after them.
fn refusing(mut w: World, class: Class, on: impl Fn(&Route) -> bool + 'static) -> Vec<Notice> {
    w.from(w.now, move |r, _| on(r), Fate::Refused(class));
    w.run(minutes(30));
    w.heal(w.now);
    w.run(minutes(40));
    w.notices.into_iter().map(|(_, n)| n).filter(|n| n.change != Change::Reminder).collect()
}

fn opened(notices: &[Notice]) -> Vec<(&Culprit, Severity)> {
    notices.iter().filter(|n| n.change == Change::Opened).map(|n| (&n.culprit, n.severity)).collect()
}

fn inbox() -> Culprit {
    Culprit::Inbox(name("i1"))
}

#[test]
fn what_every_provider_is_refused_at_one_inbox_is_one_page_and_the_inboxs() {
    for (class, every) in [(Class::Policy, 60), (Class::Transient, 60), (Class::Permanent, 300)] {
        let notices = refusing(world(3, 1, 3, every), class, |r| r.inbox.as_str() == "i1");
        assert_eq!(opened(&notices).len(), 1, "{class}: {notices:#?}");
        let named: Vec<&Culprit> = notices.iter().map(|n| &n.culprit).filter(|c| **c == inbox()).collect();
        assert!(!named.is_empty(), "{class}: {notices:#?}");
        let last = notices.last().unwrap();
        assert_eq!((&last.culprit, last.change), (&inbox(), Change::Resolved), "{class}: {notices:#?}");
        assert!(last.summary.starts_with("inbox `i1` receives mail again: "), "{}", last.summary);
        let told = notices.iter().find(|n| n.culprit == inbox()).unwrap();
        let next = told.evidence["next_step"].as_str().unwrap();
        assert!(next.starts_with("read the reply and log in to the mailbox") && !next.contains("provider's"), "{class}: {next}");
    }
}

#[test]
fn what_all_are_refused_at_the_only_inbox_is_one_incident_and_ends_as_the_inboxs() {
    for (providers, class) in [(2, Class::Policy), (3, Class::Permanent)] {
        let notices = refusing(world(providers, 1, 1, 60), class, |_| true);
        assert_eq!(opened(&notices), [(&Culprit::Provider(name("p0")), Severity::Page)], "{providers}: {notices:#?}");
        let last = notices.last().unwrap();
        assert_eq!((&last.culprit, last.change), (&Culprit::Inbox(name("i0")), Change::Resolved), "{providers}: {notices:#?}");
    }
}

#[test]
fn what_two_of_three_refuse_at_the_only_inbox_is_theirs() {
    let notices = refusing(world(3, 1, 1, 60), Class::Permanent, |r| r.provider.as_str() != "p2");
    let named: Vec<String> = opened(&notices).iter().map(|(culprit, _)| format!("{culprit:?}")).collect();
    assert_eq!(opened(&notices).len(), 2, "{named:?}");
    assert!(notices.iter().all(|n| matches!(n.culprit, Culprit::Provider(_))), "{notices:#?}");
}

#[test]
fn when_throttling_ends_nobody_hears_of_a_stop_in_which_nothing_is_missing() {
    let notices = refusing(world(6, 1, 3, 60), Class::Rate, |r| r.inbox.as_str() == "i1");
    assert_eq!(opened(&notices).len(), 1, "{notices:#?}");
    assert!(notices.iter().all(|n| n.culprit == inbox()), "{notices:#?}");
}

#[test]
fn what_one_provider_is_refused_at_one_inbox_is_a_route_and_no_provider() {
    let notices = refusing(world(3, 1, 3, 60), Class::Policy, |r| r.inbox.as_str() == "i1" && r.provider.as_str() == "p1");
    let route = Culprit::Route(name("p1"), name("s0"), name("i1"));
    assert_eq!(opened(&notices), [(&route, Severity::Page)], "{notices:#?}");
}

#[test]
fn what_a_provider_refuses_everywhere_is_the_providers() {
    for (providers, inboxes, every) in [(3, 3, 60), (2, 2, 300), (1, 3, 60), (1, 1, 60)] {
        let notices = refusing(world(providers, 1, inboxes, every), Class::Permanent, |r| r.provider.as_str() == "p0");
        assert_eq!(opened(&notices), [(&Culprit::Provider(name("p0")), Severity::Page)], "{providers} × {inboxes}: {notices:#?}");
    }
}

#[test]
fn what_a_provider_refuses_of_one_stream_is_the_streams() {
    let notices = refusing(world(2, 2, 2, 60), Class::Policy, |r| r.provider.as_str() == "p1" && r.stream.as_str() == "s1");
    assert_eq!(opened(&notices), [(&Culprit::Stream(name("p1"), name("s1")), Severity::Page)], "{notices:#?}");
}

#[test]
fn a_suspended_account_is_paged_at_its_first_answer() {
    let mut w = world(3, 1, 3, 60);
    let begun = w.now;
    w.from(begun, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(minutes(1));
    let (at, notice) = w.notices.first().unwrap();
    assert_eq!(notice.culprit, Culprit::Provider(name("p1")));
    assert!(at.since(begun) <= Span::from_secs(25), "after {}", at.since(begun));
}

#[test]
fn what_may_be_an_inboxs_is_paged_with_the_providers_next_answer() {
    for class in [Class::Policy, Class::Permanent] {
        let mut w = world(2, 1, 2, 60);
        let begun = w.now;
        w.from(begun, |r, _| r.provider.as_str() == "p0", Fate::Refused(class));
        w.run(minutes(10));
        let (at, notice) = w.notices.first().unwrap();
        assert_eq!(notice.culprit, Culprit::Provider(name("p0")), "{class}: {}", notice.summary);
        assert!(at.since(begun) <= minutes(1), "{class}: after {}", at.since(begun));
    }
}

#[test]
fn what_is_missing_after_a_refusal_is_another_failure() {
    let mut w = world(1, 1, 3, 60);
    w.from(w.now, |_, _| true, Fate::Refused(Class::Quota));
    w.run(minutes(20));
    w.heal(w.now);
    w.from(w.now, |r, _| r.inbox.as_str() == "i2", Fate::Swallowed);
    w.run(minutes(40));
    let told: Vec<Notice> = w.notices.iter().map(|(_, n)| n.clone()).filter(|n| n.change != Change::Reminder).collect();
    let what: Vec<_> = told.iter().map(|n| (n.incident.0, n.change, &n.culprit)).collect();
    let (provider, i2) = (Culprit::Provider(name("p0")), Culprit::Inbox(name("i2")));
    let expected = [(1, Change::Opened, &provider), (1, Change::Resolved, &provider), (2, Change::Opened, &i2)];
    assert_eq!(what, expected, "{told:#?}");
    assert_eq!(told[2].severity, Severity::Page);
}

#[test]
fn an_inbox_that_goes_silent_while_one_provider_is_suspended_has_stopped_and_refuses_nobody() {
    for (every, deadline) in [(15, minutes(1)), (60, minutes(5)), (60, minutes(2))] {
        let mut settings = settings(4, 1, 4, Span::from_secs(every));
        settings.streams.values_mut().for_each(|stream| stream.deadline = deadline);
        let mut w = World::new(settings);
        w.run(minutes(15));
        w.from(w.now, |r, _| r.inbox.as_str() == "i1" && r.provider.as_str() != "p1", Fate::Swallowed);
        w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
        w.run(minutes(12));
        let of_inbox: Vec<&Notice> = w.notices.iter().map(|(_, n)| n).filter(|n| n.culprit == inbox()).collect();
        assert!(!of_inbox.is_empty(), "{every}: {:#?}", w.notices);
        assert!(of_inbox.iter().all(|n| n.kind == Kind::Stopped), "{every}: {of_inbox:#?}");
        let sure = |n: &&Notice| n.evidence["certainty"].as_f64().unwrap();
        assert!(of_inbox.iter().map(sure).all(|sure| sure > 0.9), "{every}: {of_inbox:#?}");
    }
}

#[test]
fn what_is_left_of_a_streams_refusals_is_no_wider_failure() {
    let mut w = world(3, 2, 3, 60);
    w.from(w.now, |r, _| r.provider.as_str() == "p1" && r.stream.as_str() == "s0", Fate::Refused(Class::Policy));
    w.run(minutes(20));
    w.heal(w.now);
    w.run(minutes(15));
    let stream = Culprit::Stream(name("p1"), name("s0"));
    let (_, end) = w.notices.last().unwrap();
    let arrived: u64 = end.summary.split("delivers again: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((3..15).contains(&arrived), "of its 3 routes alone, and since: {}", end.summary);
    assert_eq!(opened(&w.notices.iter().map(|(_, n)| n.clone()).collect::<Vec<_>>()), [(&stream, Severity::Page)], "{:#?}", w.notices);
    assert!(w.notices.iter().all(|(_, n)| n.culprit == stream), "{:#?}", w.notices);
}
