//! Who hears of what, and when: what sinks take, their hours, escalation, and how loud a stream may be.

use std::collections::BTreeSet;

use mailcanary::config::{Drill, Maintenance, Scope, Sink, Takes};
use mailcanary::model::{At, Change, Class, DAY, Kind, Notice, Severity, Span, Week};
use mailcanary::watchdog::{Delivery, Event, Fact, Record, Watchdog};

use super::replay;
use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// Two providers, two streams and two inboxes, with these sinks beside the one that takes all.
fn world(sinks: &[(&str, Takes)]) -> World {
    let mut settings = settings(2, 2, 2, MINUTE);
    let hook = settings.sinks[&name("hook")].clone();
    settings.sinks.extend(sinks.iter().map(|(sink, takes)| (name(sink), Sink { takes: takes.clone(), ..hook.clone() })));
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(30, 1));
    w
}

pub fn of_provider(provider: &str) -> Takes {
    Takes { scope: Scope { providers: Some(BTreeSet::from([name(provider)])), ..Scope::default() }, ..Takes::default() }
}

fn after(minutes: u64) -> Takes {
    Takes { after: Some(MINUTE.scaled(minutes, 1)), ..Takes::default() }
}

/// From so many minutes after the present until a day later, every day of the week.
pub fn hours(from: At, minutes: u64, lasts: u32) -> Takes {
    // The world begins on Tuesday, 14 November 2023, 22:13:20.
    let minute =
        u32::try_from((from.as_ms() / 60_000 + 3 * i64::from(DAY)) % i64::from(7 * DAY)).unwrap() + u32::try_from(minutes).unwrap();
    Takes { hours: Some(Week::new([(minute, minute + lasts)], "UTC".parse().unwrap(), "")), ..Takes::default() }
}

fn suspend(w: &mut World, provider: &'static str) {
    w.from(w.now, move |r, _| r.provider.as_str() == provider, Fate::Refused(Class::Suspended));
}

/// What a sink was told so that it calls somebody: when, and what.
fn told<'w>(w: &'w World, sink: &str) -> Vec<(At, &'w Notice)> {
    let heard = |record: &'w Record| match &record.fact {
        Fact::Told { notice, sinks, .. } if sinks.contains(&name(sink)) => Some((record.at, notice)),
        _ => None,
    };
    let calls = |(_, notice): &(At, &Notice)| notice.evidence.get("quiet").is_none();
    w.records.iter().filter_map(heard).filter(calls).collect()
}

fn changes(w: &World, sink: &str) -> Vec<Change> {
    told(w, sink).iter().map(|(_, notice)| notice.change).collect()
}

#[test]
fn a_sink_hears_of_what_touches_what_it_is_for() {
    let stream = Takes { scope: Scope { streams: Some(BTreeSet::from([name("s1")])), ..Scope::default() }, ..Takes::default() };
    let blind = Takes { kinds: Some(vec![Kind::Blind]), ..Takes::default() };
    let mut w = world(&[("mine", of_provider("p0")), ("other", of_provider("p1")), ("stream", stream), ("blind", blind)]);
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(3, 1));
    let heard = |w: &World| ["hook", "mine", "other", "stream", "blind"].map(|sink| told(w, sink).len());
    assert_eq!(heard(&w), [1, 1, 0, 1, 0], "a provider touches its streams");
    w.feed(Event::Blind { inbox: name("i1"), class: Some(Class::Auth), why: None });
    w.run(MINUTE.scaled(6, 1));
    assert_eq!(heard(&w), [2, 2, 1, 2, 1], "an inbox touches all that is sent to it");
    w.heal(w.now);
    w.feed(Event::Sight { inbox: name("i1") });
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(heard(&w), [4, 4, 2, 4, 2], "who heard the beginning hears the end");
    replay::holds(&w);
}

#[test]
fn a_sink_that_waits_is_called_once_if_nobody_acknowledges() {
    let mut w = world(&[("boss", after(10))]);
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(9, 1));
    assert!(told(&w, "boss").is_empty());
    // A restart forgets nothing.
    w.dog = Watchdog::replay(&w.settings, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
    w.run(MINUTE.scaled(5, 1));
    let opened = told(&w, "hook")[0].0;
    let [(at, call)] = told(&w, "boss")[..] else { panic!("{:#?}", told(&w, "boss")) };
    assert_eq!(at.since(opened), MINUTE.scaled(10, 1));
    assert_eq!((call.change, call.severity, call.incident), (Change::Opened, Severity::Page, told(&w, "hook")[0].1.incident));
    assert!(call.summary.starts_with("ESCALATION, nobody has acknowledged this for 10m: provider `p0`"), "{}", call.summary);
    assert_eq!(call.evidence["escalation"]["unacknowledged_for"], "10m");
    assert_eq!(changes(&w, "hook"), [Change::Opened], "the others know it");
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(changes(&w, "hook"), [Change::Opened, Change::Reminder], "which comes when it would have come");
    assert!(told(&w, "hook")[1].1.evidence.get("escalation").is_none());
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(changes(&w, "boss"), [Change::Opened, Change::Reminder, Change::Resolved]);
    replay::holds(&w);
}

#[test]
fn a_sink_that_waits_is_not_called_for_what_is_acknowledged_over_silenced_or_no_page() {
    let mut w = world(&[("boss", after(10))]);
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(5, 1));
    let incident = w.opened()[0].incident;
    w.feed(Event::Acknowledged { incident, by: "ann".to_owned(), note: None, said_at: None, via: None });
    w.feed(Event::Blind { inbox: name("i1"), class: Some(Class::Auth), why: None });
    w.run(MINUTE.scaled(30, 1));
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    suspend(&mut w, "p1");
    w.run(MINUTE.scaled(5, 1));
    w.heal(w.now);
    w.run(MINUTE.scaled(30, 1));
    assert!(told(&w, "boss").is_empty(), "{:#?}", told(&w, "boss"));
    let which = mailcanary::model::Which { provider: Some(name("p0")), ..Default::default() };
    let until = w.now.plus(MINUTE.scaled(60, 1));
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(2, 1));
    w.feed(Event::Silenced { which, from: None, until, by: "ann".to_owned(), reason: "they know".to_owned() });
    w.run(MINUTE.scaled(50, 1));
    assert!(told(&w, "boss").is_empty());
    w.run(MINUTE.scaled(20, 1));
    assert!(told(&w, "boss")[0].0 >= until);
    replay::holds(&w);
}

#[test]
fn a_sink_hears_in_its_hours_and_of_what_is_still_open_when_they_begin() {
    let from = START.plus(MINUTE.scaled(30, 1));
    let mut w = world(&[("day", hours(from, 60, 60))]);
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(50, 1));
    assert!(told(&w, "day").is_empty());
    w.run(MINUTE.scaled(30, 1));
    let [(at, first)] = told(&w, "day")[..] else { panic!("{:#?}", told(&w, "day")) };
    assert!(at.since(from) <= MINUTE.scaled(60, 1) && at.since(from) > MINUTE.scaled(59, 1), "{}", at.since(from));
    assert_eq!(first.change, Change::Opened);
    assert!(first.summary.ends_with("and the hours of this sink have begun"), "{}", first.summary);
    suspend(&mut w, "p1");
    w.run(MINUTE.scaled(2, 1));
    assert_eq!(told(&w, "day").len(), 2, "at once, in its hours");
    w.run(MINUTE.scaled(60, 1));
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(changes(&w, "day").iter().filter(|c| **c == Change::Resolved).count(), 2, "the end is told at any hour");
    replay::holds(&w);
}

#[test]
fn a_stream_is_no_louder_than_it_may_be_and_its_provider_is() {
    let mut settings = settings(2, 2, 2, MINUTE);
    settings.streams.get_mut(&name("s1")).unwrap().severity = Severity::Info;
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(30, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0" && r.stream.as_str() == "s1", Fate::Swallowed);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(w.opened().iter().map(|n| n.severity).collect::<Vec<_>>(), [Severity::Info], "{:#?}", w.notices);
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(MINUTE.scaled(20, 1));
    let (_, last) = w.notices.last().unwrap();
    assert_eq!((last.severity, last.culprit.to_string().as_str()), (Severity::Page, "provider:p0"), "{last:#?}");
    replay::holds(&w);
}

#[test]
fn maintenance_keeps_quiet_every_week_and_tells_what_is_still_open_at_its_end() {
    let mut settings = settings(2, 1, 2, MINUTE);
    let from = START.plus(MINUTE.scaled(30, 1));
    let every = hours(from, 0, 60).hours.unwrap();
    let window = Maintenance {
        every: every.clone(),
        scope: of_provider("p0").scope,
        kinds: None,
        by: "ann".to_owned(),
        reason: "they move house".to_owned(),
        until: None,
    };
    settings.maintenance.insert(name("move"), window);
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(40, 1));
    let end = every.changes_at(w.now).unwrap();
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(30, 1));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    let view = w.dog.view(w.now);
    assert_eq!((view.incidents.len(), view.maintenance[0].now_until, view.maintenance[0].next), (1, Some(end), None));
    w.run(MINUTE.scaled(30, 1));
    let [(at, told)] = &w.notices[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((told.change, told.severity, *at), (Change::Opened, Severity::Page, end));
    assert!(told.summary.contains("a silence kept this back"), "{}", told.summary);
    assert_eq!(w.dog.view(w.now).maintenance[0].next, Some(from.plus(Span::from_secs(7 * 86_400)).minus(Span::from_secs(20))));
    replay::holds(&w);
}

#[test]
fn a_sink_is_tried_once_in_its_hours_and_what_it_does_not_take_is_known() {
    let mut settings = settings(2, 1, 2, MINUTE);
    let from = START.plus(MINUTE.scaled(30, 1));
    settings.sinks.get_mut(&name("hook")).unwrap().try_at = hours(from, 0, 60).hours;
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(29, 1));
    assert!(w.notices.is_empty());
    w.run(MINUTE.scaled(5, 1));
    let notices = w.notices.clone();
    let [(_, test)] = &notices[..] else { panic!("{notices:#?}") };
    assert!(test.is_trial() && test.severity == Severity::Info && test.summary.starts_with("TEST, nothing is wrong"), "{test:#?}");
    assert!(w.dog.view(w.now).incidents.is_empty(), "it is no incident");
    let open = |w: &World| w.dog.view(w.now).incidents.into_iter().filter(|i| i.resolved_at.is_none() && i.last.sink() == Some("hook"));
    let untaken = |w: &World| open(w).count();
    assert_eq!(untaken(&w), 0);
    w.run(MINUTE.scaled(15, 1));
    assert_eq!((untaken(&w), w.notices.len()), (1, 2), "it waits in the outbox, and is not sent twice");
    assert!(w.notices[1].1.summary.starts_with("sink `hook` has not taken a test notice for 15m"), "{:?}", w.notices[1]);
    let notice = test.notice;
    w.feed(Event::Noticed { notice, sink: name("hook"), outcome: Delivery::Delivered, why: None });
    let (_, over) = w.notices.last().unwrap().clone();
    assert_eq!((over.change, over.incident, untaken(&w)), (Change::Resolved, w.notices[0].1.incident, 0));
    w.feed(Event::Noticed { notice: over.notice, sink: name("hook"), outcome: Delivery::Delivered, why: None });
    assert_eq!(w.dog.view(w.now).trials[0].taken, Some(true));
    replay::holds(&w);
    w.dog = Watchdog::replay(&w.settings, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
    w.run(MINUTE.scaled(60, 1));
    assert_eq!(w.notices.len(), 4, "once in these hours");
    assert!(w.dog.outbox().is_empty());
    suspend(&mut w, "p0");
    w.run(MINUTE.scaled(2, 1));
    assert_eq!(w.notices.last().unwrap().1.incident.0, 2, "trials take no number from incidents");
}

#[test]
fn a_drill_begins_by_its_schedule_and_pages() {
    let mut settings = settings(2, 1, 3, MINUTE);
    let every = hours(START.plus(MINUTE.scaled(30, 1)), 0, 60).hours.unwrap();
    settings.drills.insert(name("weekly"), Drill { provider: name("p0"), every, lasts: MINUTE.scaled(10, 1) });
    let mut w = World::new(settings);
    w.taken_after = Some(Span::from_secs(1));
    w.run(MINUTE.scaled(28, 1));
    assert!(w.dog.view(w.now).drill.is_none());
    w.run(MINUTE.scaled(2, 1));
    assert_eq!(w.dog.view(w.now).drill.map(|d| d.by).as_deref(), Some("schedule weekly"));
    w.run(MINUTE.scaled(70, 1));
    assert!(w.notices.iter().all(|(_, n)| n.summary.starts_with("DRILL")), "{:#?}", w.notices);
    assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "once in these hours");
    assert!(w.dog.view(w.now).drilled.unwrap().paged_after.is_some());
    replay::holds(&w);
}
