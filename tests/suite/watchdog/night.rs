//! Ways of a night: windows and silences that overlap what goes on, people who close too early, drills over a restart.

use mailcanary::config::{Drill, Maintenance};
use mailcanary::model::{At, Change, Class, IncidentId, Kind, Notice, Placement, Route, Severity, Span, Which};
use mailcanary::watchdog::{Event, Watchdog};

use super::audience::{hours, of_provider};
use super::replay;
use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn minutes(n: u64) -> Span {
    MINUTE.scaled(n, 1)
}

fn fails(r: &Route, _: u64) -> bool {
    r.provider.as_str() == "p0"
}

/// What was told after `from`.
fn since(w: &World, from: At) -> Vec<&(At, Notice)> {
    w.notices.iter().filter(|(at, _)| *at > from).collect()
}

fn silence(w: &mut World, lasts: Span) {
    let which = Which { provider: Some(name("p0")), ..Which::default() };
    let event = Event::Silenced { which, from: None, until: w.now.plus(lasts), by: "ann".to_owned(), reason: "they know".to_owned() };
    w.feed(event);
}

fn acknowledge(w: &mut World, by: &str) {
    let incident = w.dog.view(w.now).incidents[0].incident;
    w.feed(Event::Acknowledged { incident, by: by.to_owned(), note: None, said_at: None, via: None });
}

fn restart(w: &mut World) {
    w.dog = Watchdog::replay(&w.settings, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
    w.dog.fresh_start().into_iter().for_each(|event| w.feed(event));
}

/// A window from the 40th minute to the 100th, and a provider that fails from the 35th on.
fn in_a_window(remind_after: Span) -> (World, At) {
    let mut settings = settings(2, 1, 2, MINUTE);
    settings.watch.remind_after = remind_after;
    let every = hours(START.plus(minutes(40)), 0, 60).hours.unwrap();
    let (by, reason) = ("ann".to_owned(), "they move house".to_owned());
    let window = Maintenance { every: every.clone(), scope: of_provider("p0").scope, kinds: None, by, reason, until: None };
    settings.maintenance.insert(name("move"), window);
    let mut w = World::new(settings);
    w.run(minutes(35));
    w.from(w.now, fails, Fate::Refused(Class::Suspended));
    w.run(minutes(4));
    assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
    w.run(minutes(2));
    let end = every.changes_at(w.now).unwrap();
    (w, end)
}

#[test]
fn a_window_that_begins_later_keeps_reminders_back_and_tells_once_at_its_end() {
    let (mut w, end) = in_a_window(minutes(30));
    let begun = w.now;
    w.run(end.since(w.now).scaled(99, 100));
    assert!(since(&w, begun).is_empty(), "{:#?}", w.notices);
    w.run(minutes(20));
    let told = since(&w, begun);
    let [(at, told)] = told[..] else { panic!("{told:#?}") };
    assert_eq!((*at, told.change, told.severity), (end, Change::Updated, Severity::Page));
    assert!(told.summary.contains("a silence kept this back") && told.evidence.get("quiet").is_none(), "{told:#?}");
    assert!(told.evidence.get("kept_back").is_none(), "{told:#?}");
    w.heal(w.now);
    w.run(minutes(10));
    assert_eq!(w.notices.last().unwrap().1.change, Change::Resolved);
    replay::holds(&w);
}

#[test]
fn a_window_in_which_nothing_was_to_be_told_tells_nothing_at_its_end() {
    let (mut w, end) = in_a_window(minutes(120));
    let begun = w.now;
    w.run(end.since(w.now));
    w.run(minutes(20));
    assert!(since(&w, begun).is_empty(), "{:#?}", w.notices);
    // And what is over within it is told of to those who were called.
    let (mut w, _) = in_a_window(minutes(30));
    w.heal(w.now);
    w.run(minutes(10));
    assert_eq!(w.notices.last().unwrap().1.change, Change::Resolved, "{:#?}", w.notices);
}

#[test]
fn who_has_seen_it_during_a_silence_is_not_called_at_its_end() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(minutes(30));
    silence(&mut w, minutes(30));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(minutes(10));
    acknowledge(&mut w, "ann");
    w.run(minutes(60));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    assert!(w.dog.wake_at().is_some_and(|at| at > w.now), "and nothing waits for it");
    // Taken back it is nobody's.
    let incident = w.dog.view(w.now).incidents[0].incident;
    w.feed(Event::Unacknowledged { incident, by: "ann".to_owned(), said_at: None });
    w.run(minutes(1));
    let [(_, told)] = &w.notices[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((told.change, told.severity), (Change::Opened, Severity::Page));
    replay::holds(&w);
}

#[test]
fn a_silence_that_ends_while_mail_arrives_again_calls_nobody_before_it_fails_again() {
    let mut w = World::new(settings(2, 1, 2, MINUTE));
    w.run(minutes(60));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(minutes(3));
    w.heal(w.now);
    w.run(minutes(13));
    assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
    silence(&mut w, minutes(12));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(minutes(5));
    w.heal(w.now);
    let before = w.now;
    w.run(minutes(10));
    let open = || w.dog.view(w.now).incidents.into_iter().find(|i| i.resolved_at.is_none());
    assert!(open().is_some_and(|i| i.delivers), "it is kept open");
    assert!(since(&w, before).is_empty(), "{:#?}", w.notices);
    let again = w.now;
    w.from(again, fails, Fate::Swallowed);
    w.run(minutes(5));
    let told = since(&w, again);
    let [(_, told)] = told[..] else { panic!("{told:#?}") };
    assert_eq!((told.change, told.severity), (Change::Opened, Severity::Page));
    replay::holds(&w);
}

#[test]
fn what_is_closed_too_early_opens_again_whatever_its_kind() {
    let late = Fate::Arrives(Span::from_secs(45), Placement::Inbox);
    let junk = Fate::Arrives(Span::from_secs(4), Placement::Junk);
    for (kind, fate) in [(Kind::Slow, late), (Kind::Junked, junk), (Kind::Refused, Fate::Refused(Class::Quota))] {
        let mut w = World::new(settings(2, 1, 3, MINUTE));
        w.run(minutes(60));
        w.from(w.now, fails, fate);
        w.run(minutes(40));
        let first = w.notices.last().unwrap().1.clone();
        assert_eq!((first.kind, w.told(Change::Opened)), (kind, 1), "{:#?}", w.notices);
        w.feed(Event::Closed { incident: first.incident, by: "bob".to_owned(), note: None });
        let closed = w.now;
        assert_eq!(w.notices.last().unwrap().1.change, Change::Resolved, "{:#?}", w.notices);
        w.run(minutes(60));
        let again = since(&w, closed);
        let opened: Vec<&Notice> = again.iter().map(|(_, n)| n).filter(|n| n.change == Change::Opened).collect();
        let [opened] = opened[..] else { panic!("{kind:?}: {again:#?}") };
        assert!(opened.severity >= Severity::Warn && opened.kind == kind, "{opened:#?}");
        assert!(opened.summary.contains("; bob closed it ") && opened.summary.contains(", and it goes on"), "{}", opened.summary);
        replay::holds(&w);
    }
}

#[test]
fn a_drill_by_its_schedule_goes_on_over_a_restart_and_is_held_once() {
    for cut in [1, 4, 9, 40] {
        let mut settings = settings(2, 1, 3, MINUTE);
        let every = hours(START.plus(minutes(30)), 0, 60).hours.unwrap();
        settings.drills.insert(name("weekly"), Drill { provider: name("p0"), every, lasts: minutes(15) });
        let mut w = World::new(settings);
        w.taken_after = Some(Span::from_secs(1));
        w.run(minutes(30 + cut));
        restart(&mut w);
        w.run(minutes(80));
        assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "restart after {cut} min: {:#?}", w.notices);
        assert!(w.notices.iter().all(|(_, n)| n.summary.starts_with("DRILL")), "{:#?}", w.notices);
        assert!(w.dog.view(w.now).drilled.unwrap().paged_after.is_some_and(|after| after < minutes(5)), "restart after {cut} min");
    }
}

#[test]
fn two_who_acknowledge_at_once_are_both_kept_and_the_first_has_it() {
    let (mut w, _) = in_a_window(minutes(30));
    acknowledge(&mut w, "ann");
    acknowledge(&mut w, "bob");
    let shown = w.dog.view(w.now).incidents[0].clone();
    assert_eq!((shown.incident, shown.acknowledged.unwrap().by.as_str()), (IncidentId(1), "ann"));
    assert_eq!(shown.also.iter().map(|word| word.by.as_str()).collect::<Vec<_>>(), ["bob"]);
    w.run(minutes(120));
    assert_eq!(w.notices.len(), 1, "nobody is called any more: {:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn what_was_closed_and_was_well_does_not_go_on() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(minutes(60));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(minutes(5));
    let first = w.notices.last().unwrap().1.clone();
    w.heal(w.now);
    w.feed(Event::Closed { incident: first.incident, by: "bob".to_owned(), note: None });
    let closed = w.now;
    w.run(minutes(3));
    w.from(w.now, fails, Fate::Swallowed);
    w.run(minutes(5));
    let again = since(&w, closed);
    let [(_, again)] = again[..] else { panic!("{again:#?}") };
    assert_eq!((again.change, again.kind), (Change::Opened, Kind::Stopped));
    assert!(!again.summary.contains("it goes on") && again.evidence.get("goes_on_from").is_none(), "{again:#?}");
}
