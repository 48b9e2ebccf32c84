//! When a failure began, by which canaries that shows, and what is said at its end: of what fails in part, too.

use mailcanary::model::{At, Change, Class, Culprit, Kind, Notice, Placement, Route, Span};

use super::world::{Fate, World, name, settings};

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

fn world(providers: usize, streams: usize, inboxes: usize) -> World {
    let mut world = World::new(settings(providers, streams, inboxes, Span::from_secs(60)));
    world.run(minutes(90));
    assert!(world.notices.is_empty(), "all is well: {:?}", world.notices);
    world
}

fn of_p0(route: &Route) -> bool {
    route.provider.as_str() == "p0"
}

/// When the canary that a notice names was sent.
fn sent(notice: &Notice, part: &str) -> At {
    At::from_rfc3339(notice.evidence[part]["sent_at"].as_str().unwrap()).unwrap()
}

fn since(notice: &Notice) -> At {
    At::from_rfc3339(notice.evidence["since"].as_str().unwrap()).unwrap()
}

/// Those of a kind, in order.
fn of_kind(w: &World, kind: Kind) -> Vec<Notice> {
    w.notices.iter().map(|(_, n)| n.clone()).filter(|n| n.kind == kind).collect()
}

#[test]
fn of_junk_the_first_bad_lies_there_and_the_last_good_does_not() {
    let mut w = world(2, 1, 3);
    let began = w.now;
    w.from(began, |r, _| of_p0(r), Fate::Arrives(Span::from_secs(3), Placement::Junk));
    w.run(minutes(150));
    let first = w.sent.iter().find(|(at, _, r)| *at >= began && of_p0(r)).map(|(_, id, _)| id.to_string()).unwrap();
    let told = of_kind(&w, Kind::Junked);
    assert!(told.iter().any(|n| n.change == Change::Reminder), "{told:#?}");
    for notice in &told {
        assert_eq!(notice.evidence["first_bad"]["canary"], first, "{notice:#?}");
        assert_eq!(since(notice), sent(notice, "first_bad"));
        let good = sent(notice, "last_good");
        assert!(good < began && began.since(good) < minutes(3), "{good}: {notice:#?}");
    }
    let healed = w.now;
    w.heal(healed);
    w.run(minutes(40));
    let end = w.notices.last().unwrap();
    let clean = w.sent.iter().filter(|(at, _, r)| *at >= healed && of_p0(r)).count();
    let said = end
        .1
        .summary
        .strip_prefix("mail of provider `p0` lands in Junk no more: the newest ")
        .unwrap_or_else(|| panic!("{}", end.1.summary));
    let count: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!((3..=clean).contains(&count), "{count} of {clean}: {said}");
}

#[test]
fn a_loss_began_when_it_was_told_first_however_long_it_lasts() {
    let mut w = world(2, 1, 3);
    let began = w.now;
    w.from(began, |r, n| of_p0(r) && n * 2_654_435_761 % 97 < 45, Fate::Swallowed);
    w.run(minutes(240));
    let told = of_kind(&w, Kind::Loss);
    assert!(told.iter().filter(|n| n.change == Change::Reminder).count() > 1, "{told:#?}");
    for notice in &told {
        assert!(since(notice) >= began && since(notice).since(began) < minutes(10), "{began}: {notice:#?}");
        assert!(sent(notice, "last_good") < since(notice), "{notice:#?}");
    }
    w.heal(w.now);
    w.run(minutes(60));
    let end = &w.notices.last().unwrap().1;
    assert!(
        end.change == Change::Resolved && end.summary.starts_with("provider `p0` delivers all mail again: the newest "),
        "{}",
        end.summary
    );
}

#[test]
fn slow_mail_began_with_the_first_that_was_late() {
    let mut w = world(2, 1, 3);
    let began = w.now;
    w.from(began, |r, _| of_p0(r), Fate::Arrives(Span::from_secs(75), Placement::Inbox));
    w.run(minutes(60));
    let told = of_kind(&w, Kind::Slow);
    for notice in &told {
        assert!(since(notice) >= began && since(notice).since(began) < minutes(2), "{began}: {notice:#?}");
        assert!(sent(notice, "last_good") < began, "{notice:#?}");
    }
    assert!(!told.is_empty());
}

#[test]
fn what_was_taken_before_a_refusal_does_not_count_as_taken() {
    let mut w = world(2, 1, 3);
    w.from(w.now, |r, _| of_p0(r), Fate::Swallowed);
    w.run(minutes(10));
    w.from(w.now, |r, _| of_p0(r), Fate::Refused(Class::Suspended));
    w.run(minutes(5));
    let told = of_kind(&w, Kind::Refused);
    assert!(!told.is_empty() && told.iter().all(|n| !n.summary.contains("take mail") && !n.summary.contains("takes mail")), "{told:#?}");
}

#[test]
fn what_is_refused_at_one_inbox_while_all_is_slow_is_a_failure_of_its_own() {
    let mut w = world(3, 1, 3);
    w.from(w.now, |r, _| of_p0(r), Fate::Arrives(Span::from_secs(90), Placement::Inbox));
    w.run(minutes(30));
    let provider = Culprit::Provider(name("p0"));
    assert!(w.opened().iter().all(|n| n.culprit == provider), "{:#?}", w.notices);
    w.from(w.now, |r, _| of_p0(r) && r.inbox.as_str() == "i1", Fate::Refused(Class::Policy));
    w.run(minutes(20));
    let route = Culprit::Route(name("p0"), name("s0"), name("i1"));
    let refused = of_kind(&w, Kind::Refused);
    assert!(!refused.is_empty() && refused.iter().all(|n| n.culprit == route), "{refused:#?}");
    // All else is well again: the wider failure ends, and the refusal stays.
    let healed = w.now;
    w.rules.insert(
        0,
        Box::new(move |r, at, _| (at >= healed && r.inbox.as_str() != "i1").then_some(Fate::Arrives(Span::from_secs(3), Placement::Inbox))),
    );
    w.run(minutes(60));
    let open: Vec<Culprit> = w.dog.view(w.now).incidents.iter().filter(|i| i.resolved_at.is_none()).map(|i| i.culprit.clone()).collect();
    assert_eq!(open, [route], "{:#?}", w.notices);
    w.heal(w.now);
    w.run(minutes(40));
    assert!(w.dog.view(w.now).incidents.iter().all(|i| i.resolved_at.is_some()), "{:#?}", w.notices);
}

#[test]
fn another_kind_of_failure_soon_after_the_last_does_not_flap() {
    let mut w = world(2, 1, 3);
    w.from(w.now, |r, _| of_p0(r), Fate::Arrives(Span::from_secs(3), Placement::Junk));
    w.run(minutes(20));
    w.heal(w.now);
    while w.notices.last().unwrap().1.change != Change::Resolved {
        w.run(minutes(1));
    }
    w.run(minutes(2));
    w.from(w.now, |r, _| of_p0(r), Fate::Swallowed);
    w.run(minutes(10));
    let stopped = of_kind(&w, Kind::Stopped);
    assert!(!stopped.is_empty() && stopped.iter().all(|n| !n.summary.contains("flaps")), "{stopped:#?}");
}
