//! What comes and goes: one incident, which says at each moment whether mail is delivered.

use mailcanary::model::{Change, Class, Culprit, Kind, Name, Notice, Route, Severity, Span, Verdict};
use mailcanary::watchdog::{Event, IncidentView};

use super::replay;
use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn verdicts(w: &World, of: &str) -> (Verdict, String, Vec<Verdict>) {
    let view = w.dog.view(w.now);
    let party = view.providers.iter().find(|p| p.name == name(of)).unwrap();
    let routes = view.routes.iter().filter(|r| r.route.provider == party.name).map(|r| r.verdict).collect();
    (party.verdict, party.reason.clone(), routes)
}

fn open(w: &World) -> IncidentView {
    w.dog.view(w.now).incidents.into_iter().find(|i| i.resolved_at.is_none()).unwrap()
}

fn fails(r: &Route, _: u64) -> bool {
    r.provider.as_str() == "p0"
}

/// It has failed twice within minutes, and the second time is over for now; a second sink waits for twenty minutes.
fn flapping() -> World {
    flapping_with(MINUTE.scaled(30, 1))
}

/// The same with reminders after so long.
fn flapping_with(remind_after: Span) -> World {
    let mut settings = settings(2, 1, 2, MINUTE);
    settings.watch.remind_after = remind_after;
    let mut boss = settings.sinks[&name("hook")].clone();
    boss.takes.after = Some(MINUTE.scaled(20, 1));
    settings.sinks.insert(name("boss"), boss);
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(60, 1));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(MINUTE.scaled(3, 1));
    w.heal(w.now);
    w.run(MINUTE.scaled(13, 1));
    assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
    w.from(w.now, fails, Fate::Swallowed);
    w.run(MINUTE.scaled(5, 1));
    assert_eq!(w.told(Change::Opened), 2, "{:#?}", w.notices);
    w
}

#[test]
fn the_verdict_of_what_flaps_follows_the_evidence() {
    let mut w = flapping();
    let (verdict, reason, routes) = verdicts(&w, "p0");
    assert!(verdict == Verdict::Stopped && routes.iter().all(|v| *v == Verdict::Stopped), "{reason}");
    assert!(!open(&w).delivers && open(&w).summary().contains("have not arrived"));
    w.heal(w.now);
    w.run(MINUTE.scaled(4, 1));
    assert_eq!(w.told(Change::Resolved), 1, "it is kept open: {:#?}", w.notices);
    let (verdict, reason, routes) = verdicts(&w, "p0");
    assert!(verdict == Verdict::Delivering && routes.iter().all(|v| *v == Verdict::Delivering), "{reason}");
    assert!(reason.contains("it flaps, at present delivering: kept open until 2023-11-1"), "{reason}");
    let incident = open(&w);
    assert!(incident.delivers && incident.kind == Kind::Stopped);
    assert!(incident.summary().contains("delivers again") && incident.summary().contains("it flaps"), "{}", incident.summary());
    // It fails again: at once it is what it was.
    w.from(w.now, fails, Fate::Swallowed);
    w.run(MINUTE.scaled(4, 1));
    let (verdict, reason, _) = verdicts(&w, "p0");
    assert!(verdict == Verdict::Stopped && !open(&w).delivers, "{reason}");
    assert_eq!(w.told(Change::Opened), 2, "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn nobody_is_called_or_reminded_while_mail_arrives_again() {
    let mut w = flapping();
    let opened = w.notices.len();
    w.heal(w.now);
    // The other sink's time comes, and that of a reminder, while all is well.
    w.run(MINUTE.scaled(60, 1));
    let later: Vec<&str> = w.notices[opened..].iter().map(|(_, n)| n.summary.as_str()).collect();
    assert!(matches!(later[..], [only] if only.contains("delivers again")), "{later:#?}");
    assert!(w.dog.outbox().iter().all(|pending| !pending.sinks.contains(&name("boss"))));
    replay::holds(&w);
}

#[test]
fn who_waits_is_called_when_it_fails_again() {
    let mut w = flapping();
    w.heal(w.now);
    w.run(MINUTE.scaled(14, 1));
    assert!(open(&w).delivers);
    w.from(w.now, fails, Fate::Swallowed);
    w.run(MINUTE.scaled(10, 1));
    let called = |sink: Name| w.dog.outbox().iter().any(|pending| pending.sinks.contains(&sink));
    assert!(called(name("boss")), "{:#?}", w.notices);
}

#[test]
fn a_drill_is_no_failure_that_comes_back() {
    let mut w = World::new(settings(2, 1, 2, MINUTE));
    w.taken_after = Some(Span::from_secs(1));
    w.run(MINUTE.scaled(60, 1));
    let until = w.now.plus(MINUTE.scaled(20, 1));
    w.feed(Event::DrillBegan { provider: name("p0"), until, by: "ann".to_owned() });
    w.run(MINUTE.scaled(8, 1));
    assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
    let stop = w.now;
    w.from(stop, fails, Fate::Swallowed);
    w.run(MINUTE.scaled(8, 1));
    let real = w.opened()[1].clone();
    assert!(real.severity == Severity::Page && !real.summary.contains("flaps") && !real.summary.contains("DRILL"), "{}", real.summary);
    w.heal(w.now);
    w.run(MINUTE.scaled(4, 1));
    assert_eq!(w.told(Change::Resolved), 2, "it is over when it is over: {:#?}", w.notices);
    assert!(stop > START);
}

#[test]
fn refusals_that_come_and_go_are_one_incident_that_says_so() {
    let mut w = World::new(settings(3, 1, 3, Span::from_secs(2)));
    w.run(MINUTE.scaled(5, 1));
    let first = w.now;
    for _ in 0..6 {
        w.from(w.now, fails, Fate::Refused(Class::Suspended));
        w.run(Span::from_secs(8));
        w.heal(w.now);
        w.run(Span::from_secs(20));
    }
    let told = |change| w.notices.iter().filter(|(at, n)| *at >= first && n.change == change).count();
    assert_eq!((told(Change::Opened), told(Change::Resolved)), (2, 1), "{:#?}", w.notices);
    assert!(w.notices.iter().any(|(_, n)| n.change == Change::Opened && n.summary.contains("it flaps")));
    assert!(open(&w).delivers, "and it says that mail arrives meanwhile");
    w.run(MINUTE.scaled(16, 1));
    assert_eq!(w.told(Change::Resolved), 2, "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn what_fails_again_when_a_reminder_is_due_is_told_once_and_calls() {
    for other in [Fate::Refused(Class::Suspended), Fate::Swallowed] {
        let mut w = flapping_with(MINUTE.scaled(10, 1));
        let mine = |w: &World, n: &Notice| n.incident == open(w).incident && n.evidence.get("escalation").is_none();
        let calls = |w: &World| w.notices.iter().filter(|(_, n)| mine(w, n)).count();
        w.heal(w.now);
        // A reminder would have been due while it was calm.
        w.run(MINUTE.scaled(16, 1));
        assert!(open(&w).delivers && calls(&w) == 1, "{:#?}", w.notices);
        let again = w.now;
        w.from(again, fails, other);
        w.run(MINUTE.scaled(4, 1));
        // Besides the one who is called because nobody has acknowledged it.
        let told: Vec<_> = w.notices.iter().filter(|(at, n)| *at > again && n.evidence.get("escalation").is_none()).collect();
        let [(_, told)] = told[..] else { panic!("{told:#?}") };
        assert!(told.severity == Severity::Page && told.evidence.get("quiet").is_none(), "{told:#?}");
        assert!(told.summary.contains("; it has been open for ") && told.summary.ends_with("nobody has acknowledged it"), "{told:#?}");
        assert_eq!(open(&w).last.summary.matches("open for").count(), 0, "that is said of then");
        // The next reminder is as far away as after any.
        w.run(MINUTE.scaled(5, 1));
        assert_eq!(calls(&w), 2, "{:#?}", w.notices);
        replay::holds(&w);
    }
}

/// Everything fails twice within minutes, is seen by somebody, and is over for now: what fails then alone delivered meanwhile, and nobody knows
/// of it.
#[test]
fn a_part_that_fails_after_all_of_it_flapped_is_a_page_of_its_own() {
    for acknowledged in [true, false] {
        let mut w = World::new(settings(3, 1, 2, MINUTE));
        w.run(MINUTE.scaled(60, 1));
        for _ in 0..2 {
            w.from(w.now, |_, _| true, Fate::Swallowed);
            w.run(MINUTE.scaled(6, 1));
            w.heal(w.now);
            w.run(MINUTE.scaled(6, 1));
        }
        let all = open(&w);
        assert_eq!((&all.culprit, w.told(Change::Opened)), (&Culprit::Watcher {}, 2), "{:#?}", w.notices);
        if acknowledged {
            w.feed(Event::Acknowledged { incident: all.incident, by: "ann".to_owned(), note: None, said_at: None, via: None });
        }
        let stopped = w.now;
        w.from(stopped, |r, _| r.provider.as_str() == "p2", Fate::Swallowed);
        w.run(MINUTE.scaled(3, 1));
        let (at, page) = w.notices.iter().rfind(|(_, n)| n.change == Change::Opened).unwrap();
        assert!(*at > stopped && page.incident != all.incident, "{:#?}", w.notices);
        assert_eq!((&page.culprit, page.severity, page.evidence.get("quiet")), (&Culprit::Provider(name("p2")), Severity::Page, None));
        let over = w.notices.iter().any(|(_, n)| n.incident == all.incident && n.change == Change::Resolved);
        assert!(over && open(&w).incident == page.incident && open(&w).acknowledged.is_none(), "{:#?}", w.notices);
        replay::holds(&w);
    }
}

#[test]
fn a_reminder_of_what_flaps_says_so() {
    let mut w = flapping_with(MINUTE.scaled(10, 1));
    w.run(MINUTE.scaled(8, 1));
    let (_, told) = w.notices.iter().rfind(|(_, n)| n.change == Change::Reminder).unwrap();
    let said = told.summary.contains("; it flaps: 2 times since 2023-11-1")
        && told.summary.contains(" UTC, delivering in between; it has been open for ");
    assert!(said, "{}", told.summary);
    // It comes back within the incident.
    w.heal(w.now);
    w.run(MINUTE.scaled(6, 1));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(MINUTE.scaled(6, 1));
    assert!(open(&w).summary().contains("; it flaps: 3 times since "), "{}", open(&w).summary());
    replay::holds(&w);
}

/// It is seen in a stream first, each time, and that stream is a part of what flaps.
#[test]
fn what_comes_and_goes_by_the_minute_is_one_incident_that_flaps() {
    for (shift, off, on, first_is_quiet) in [(0, 60, 60, false), (1, 60, 60, true), (2, 60, 60, false), (3, 90, 120, true)] {
        let mut settings = settings(3, 2, 3, MINUTE);
        if first_is_quiet {
            settings.streams.get_mut(&name("s0")).unwrap().severity = Severity::Warn;
        }
        let mut w = World::new(settings);
        w.run(MINUTE.scaled(90, 1));
        w.run(Span::from_secs(shift * 17));
        let began = w.now;
        while w.now.since(began) < MINUTE.scaled(60, 1) {
            w.from(w.now, fails, Fate::Swallowed);
            w.run(Span::from_secs(off));
            w.heal(w.now);
            w.run(Span::from_secs(on));
        }
        assert!(w.told(Change::Opened) <= 2, "{shift}: {:#?}", w.notices);
        assert!(w.opened().last().unwrap().summary.contains("it flaps"), "{shift}: {:#?}", w.notices);
        let calls = w.notices.iter().filter(|(_, n)| matches!(n.change, Change::Opened | Change::Updated) && n.severity == Severity::Page);
        let calls = calls.filter(|(_, n)| n.evidence.get("quiet").is_none()).count();
        assert!(calls <= 4, "{shift}: {:#?}", w.notices);
        let summary = open(&w).summary().to_owned();
        assert!(summary.contains("; it flaps") || summary.contains("it flaps, "), "{shift}: {summary}");
        w.run(MINUTE.scaled(30, 1));
        assert_eq!(w.told(Change::Opened), w.told(Change::Resolved), "{shift}: {:#?}", w.notices);
        replay::holds(&w);
    }
}

/// A provider flaps, and then one of its streams goes on failing alone.
#[test]
fn what_is_left_of_what_flapped_is_named_when_it_lasts() {
    let mut w = World::new(settings(3, 2, 3, MINUTE));
    w.run(MINUTE.scaled(90, 1));
    for _ in 0..2 {
        w.from(w.now, fails, Fate::Swallowed);
        w.run(MINUTE.scaled(4, 1));
        w.heal(w.now);
        w.run(MINUTE.scaled(4, 1));
    }
    let whole = open(&w);
    assert_eq!((&whole.culprit, w.told(Change::Opened)), (&Culprit::Provider(name("p0")), 2), "{:#?}", w.notices);
    w.from(w.now, |r, _| r.provider.as_str() == "p0" && r.stream.as_str() == "s1", Fate::Swallowed);
    w.run(MINUTE.scaled(30, 1));
    assert_eq!(w.told(Change::Opened), 2, "{:#?}", w.notices);
    let left = open(&w);
    assert_eq!((left.incident, &left.culprit), (whole.incident, &Culprit::Stream(name("p0"), name("s1"))), "{:#?}", w.notices);
}
