//! What people say of incidents: reminders until one is acknowledged, one that is closed too soon, and silences.

use mailcanary::model::{At, Change, Class, IncidentId, Kind, Notice, Outcome, Route, Severity, Span, Which};
use mailcanary::watchdog::{Delivery, Effect, Event, Reads, Step, Unfit, Watchdog};

use super::replay;
use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// A provider has been out for two minutes: one page.
fn outage() -> World {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(MINUTE.scaled(30, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(MINUTE.scaled(2, 1));
    assert_eq!((w.notices.len(), w.told(Change::Opened)), (1, 1), "{:#?}", w.notices);
    w
}

fn acknowledged(id: IncidentId) -> Event {
    Event::Acknowledged { incident: id, by: "ann".to_owned(), note: Some("on it".to_owned()), said_at: None, via: None }
}

fn silenced(w: &World, provider: &str, lasts: Span) -> Event {
    let which = Which { provider: Some(name(provider)), ..Which::default() };
    Event::Silenced { which, from: None, until: w.now.plus(lasts), by: "ann".to_owned(), reason: "they move house".to_owned() }
}

fn minutes_after(from: At, notices: &[(At, Notice)], change: Change) -> Vec<u64> {
    notices.iter().filter(|(_, n)| n.change == change).map(|(at, _)| at.since(from).as_ms() / 60_000).collect()
}

#[test]
fn reminders_come_at_growing_intervals_until_somebody_acknowledges() {
    let mut w = outage();
    let opened = w.notices[0].0;
    w.run(MINUTE.scaled(220, 1));
    assert_eq!(minutes_after(opened, &w.notices, Change::Reminder), [30, 90, 210]);
    let (_, last) = w.notices.last().unwrap();
    assert_eq!((last.incident, last.kind, last.severity), (w.notices[0].1.incident, Kind::Stopped, Severity::Page));
    assert!(last.summary.ends_with("; it has been open for 3h30m, nobody has acknowledged it"), "{}", last.summary);
    assert_eq!(last.summary.matches("open for").count(), 1, "{}", last.summary);
    assert!(last.evidence["missing"] != w.notices[0].1.evidence["missing"], "as it stands now: {}", last.evidence);
    let id = last.incident;
    w.feed(acknowledged(id));
    let shown = w.dog.view(w.now).incidents[0].acknowledged.clone().unwrap();
    assert_eq!((shown.by.as_str(), shown.note.as_deref(), shown.at), ("ann", Some("on it"), w.now));
    w.run(MINUTE.scaled(260, 1));
    assert_eq!(w.told(Change::Reminder), 3, "nobody needs to be told again");
    w.heal(w.now);
    w.run(MINUTE.scaled(10, 1));
    assert_eq!(w.told(Change::Resolved), 1);
    let late = w.dog.step(w.now, acknowledged(id));
    assert_eq!(late, Err(Unfit::UnknownIncident(id)), "what is over needs nobody");
    replay::holds(&w);
}

#[test]
fn what_is_closed_while_mail_is_still_lost_opens_again_and_says_so() {
    let mut w = outage();
    let id = w.notices[0].1.incident;
    w.feed(Event::Closed { incident: id, by: "bob".to_owned(), note: Some("looks fine".to_owned()) });
    let (_, resolved) = w.notices.last().unwrap().clone();
    assert_eq!((resolved.change, resolved.incident), (Change::Resolved, id));
    assert_eq!(resolved.summary, "closed by bob: looks fine");
    let closed = w.now;
    w.run(MINUTE.scaled(5, 1));
    let again: Vec<&(At, Notice)> = w.notices.iter().filter(|(at, _)| *at > closed).collect();
    let [(at, again)] = again[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((again.change, again.kind, again.severity), (Change::Opened, Kind::Stopped, Severity::Page));
    assert!(again.incident > id && at.since(closed) < MINUTE.scaled(3, 1), "after {}", at.since(closed));
    assert!(again.summary.contains("; bob closed it ") && again.summary.ends_with("ago, and it goes on"), "{}", again.summary);
    // It did not begin with that.
    let first = &w.notices[0].1.evidence;
    for part in ["/since", "/first_bad/canary", "/last_good/canary"] {
        assert_eq!(again.evidence.pointer(part), first.pointer(part), "{part} of {}", again.evidence);
    }
    assert!(
        again.evidence["first_bad"]["age"] != first["first_bad"]["age"] && again.evidence["goes_on_from"] == id.0,
        "{}",
        again.evidence
    );
    assert_eq!(again.evidence["routes"].as_array().unwrap().len(), 3, "{}", again.evidence);
    replay::holds(&w);
    // Nor is that forgotten when it is said again.
    let since = again.evidence["since"].clone();
    w.run(MINUTE.scaled(60, 1));
    let (_, reminder) = w.notices.last().unwrap();
    assert_eq!(reminder.change, Change::Reminder, "{reminder:#?}");
    assert_eq!((&reminder.evidence["since"], &reminder.evidence["goes_on_from"]), (&since, &id.0.into()), "{}", reminder.evidence);
}

#[test]
fn what_is_closed_after_it_ended_stays_closed() {
    let mut w = outage();
    w.heal(w.now);
    w.feed(Event::Closed { incident: w.notices[0].1.incident, by: "bob".to_owned(), note: None });
    w.run(MINUTE.scaled(60, 1));
    assert_eq!(w.notices.len(), 2, "{:#?}", w.notices);
    assert_eq!(w.notices[1].1.summary, "closed by bob");
}

#[test]
fn a_refusal_that_is_closed_opens_again_with_the_next_one() {
    let mut w = World::new(settings(2, 1, 2, MINUTE));
    w.run(MINUTE.scaled(10, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(2, 1));
    let id = w.opened()[0].incident;
    w.feed(Event::Closed { incident: id, by: "bob".to_owned(), note: None });
    assert_eq!((w.told(Change::Resolved), w.told(Change::Opened)), (1, 1));
    w.run(MINUTE.scaled(2, 1));
    assert_eq!(w.told(Change::Opened), 2, "{:#?}", w.notices);
    assert!(w.opened()[1].summary.contains("bob closed it"), "{}", w.opened()[1].summary);
}

#[test]
fn what_only_time_can_end_is_acknowledged_when_it_is_closed() {
    let mut w = World::new(settings(1, 1, 2, MINUTE));
    w.run(MINUTE.scaled(10, 1));
    w.feed(Event::Blind { inbox: name("i0"), class: Some(Class::Auth), why: None });
    w.run(MINUTE.scaled(10, 1));
    let id = w.opened()[0].incident;
    w.feed(Event::Closed { incident: id, by: "bob".to_owned(), note: None });
    w.run(MINUTE.scaled(60 * 30, 1));
    assert_eq!(w.notices.len(), 1, "open, and seen: {:#?}", w.notices);
    w.feed(Event::Sight { inbox: name("i0") });
    assert_eq!(w.told(Change::Resolved), 1);
}

#[test]
fn a_silence_keeps_quiet_and_tells_what_is_still_open_when_it_ends() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(MINUTE.scaled(30, 1));
    w.feed(silenced(&w, "p1", MINUTE.scaled(60, 1)));
    let end = w.now.plus(MINUTE.scaled(60, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(MINUTE.scaled(50, 1));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    let view = w.dog.view(w.now);
    assert_eq!((view.incidents.len(), view.silences.len()), (1, 1), "the page shows it all the same");
    w.run(MINUTE.scaled(20, 1));
    let [(at, told)] = &w.notices[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((told.change, told.severity, *at), (Change::Opened, Severity::Page, end));
    assert!(told.summary.contains("a silence kept this back"), "{}", told.summary);
    assert!(w.dog.view(w.now).silences.is_empty());
    replay::holds(&w);
}

#[test]
fn what_begins_and_ends_in_a_silence_is_told_to_nobody() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(MINUTE.scaled(30, 1));
    w.feed(silenced(&w, "p1", MINUTE.scaled(60, 1)));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(MINUTE.scaled(20, 1));
    w.heal(w.now);
    w.run(MINUTE.scaled(90, 1));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    assert!(w.dog.view(w.now).incidents.iter().all(|i| i.resolved_at.is_some()));
}

#[test]
fn a_silence_is_about_what_it_names_and_can_be_ended() {
    let mut w = outage();
    w.feed(silenced(&w, "p1", MINUTE.scaled(600, 1)));
    w.run(MINUTE.scaled(60, 1));
    assert_eq!(w.notices.len(), 1, "no reminder meanwhile: {:#?}", w.notices);
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(2, 1));
    assert!(w.opened().iter().any(|n| n.kind == Kind::Refused), "another provider is told of: {:#?}", w.notices);
    let before = w.notices.len();
    w.feed(Event::Unsilenced { silence: 1, by: "ann".to_owned() });
    let after: Vec<&Notice> = w.notices.iter().skip(before).map(|(_, n)| n).collect();
    assert_eq!(after.iter().filter(|n| n.change == Change::Updated).count(), 1, "{after:#?}");
    assert_eq!(w.dog.step(w.now, Event::Unsilenced { silence: 9, by: "ann".to_owned() }), Err(Unfit::UnknownSilence(9)));
}

#[test]
fn an_incident_of_an_earlier_version_is_resolved_where_it_was_told() {
    let mut w = outage();
    let mut state: serde_json::Value = serde_json::from_str(&w.dog.checkpoint().unwrap()).unwrap();
    for incident in state["incidents"].as_object_mut().unwrap().values_mut() {
        for field in ["told_at", "quiet", "reminders"] {
            assert!(incident.as_object_mut().unwrap().remove(field).is_some(), "{field}");
        }
    }
    w.dog = Watchdog::replay(&w.settings, Some(&state.to_string()), []).unwrap();
    w.heal(w.now);
    w.run(MINUTE.scaled(10, 1));
    assert_eq!(w.told(Change::Resolved), 1, "{:#?}", w.notices);
}

#[test]
fn what_people_say_is_bounded() {
    let mut w = outage();
    let id = w.notices[0].1.incident;
    w.feed(Event::Acknowledged { incident: id, by: "ä".repeat(10_000), note: Some("ü".repeat(10_000)), said_at: None, via: None });
    let word = w.dog.view(w.now).incidents[0].acknowledged.clone().unwrap();
    assert!(word.by.len() <= 100 && word.note.unwrap().len() <= 500);
    for n in 0..1000 {
        w.feed(silenced(&w, "p0", MINUTE.scaled(n + 1, 1)));
    }
    assert!(w.dog.view(w.now).silences.len() <= 200);
}

#[test]
fn nobody_is_reminded_of_what_is_well_again() {
    let mut w = World::new(settings(2, 1, 2, Span::from_secs(60)));
    w.run(Span::from_secs(3600));
    let minutes = |n: u64| START.plus(Span::from_secs(60 * n));
    let fails = |r: &Route, _: u64| r.provider == name("p0");
    // It fails twice within minutes, so that its end is waited for; the second time for nearly as long as until the first reminder.
    w.from(minutes(60), fails, Fate::Swallowed);
    w.heal(minutes(63));
    w.from(minutes(68), fails, Fate::Swallowed);
    w.heal(minutes(96));
    w.run(Span::from_secs(60 * 60));
    assert_eq!(w.told(Change::Reminder), 0, "{:#?}", w.notices);
    assert_eq!(w.told(Change::Resolved), w.told(Change::Opened));
}

#[test]
fn who_sees_it_first_has_it_and_others_are_kept_beside() {
    let mut w = outage();
    let id = w.notices[0].1.incident;
    w.feed(acknowledged(id));
    w.run(MINUTE);
    for n in 0..30 {
        let by = format!("bob {n}");
        w.feed(Event::Acknowledged { incident: id, by, note: Some("me too".to_owned()), said_at: None, via: None });
    }
    let view = w.dog.view(w.now);
    let seen = &view.incidents[0];
    let first = seen.acknowledged.as_ref().unwrap();
    assert_eq!((first.by.as_str(), first.note.as_deref(), first.at), ("ann", Some("on it"), w.now.minus(MINUTE)));
    assert_eq!((seen.also.len(), seen.also[0].by.as_str(), seen.also[19].by.as_str()), (20, "bob 10", "bob 29"));
    replay::holds(&w);
}

#[test]
fn a_silence_names_what_there_is() {
    let w = outage();
    let step = |which: Which| {
        let event = Event::Silenced { which, from: None, until: w.now.plus(MINUTE), by: "ann".to_owned(), reason: "x".to_owned() };
        w.dog.clone().step(w.now, event).map(|_| ()).map_err(|unfit| unfit.to_string())
    };
    assert_eq!(
        step(Which { provider: Some(name("p7")), ..Which::default() }),
        Err("there is no provider `p7`: there are p0, p1".to_owned())
    );
    assert_eq!(step(Which { stream: Some(name("p1")), ..Which::default() }), Err("there is no stream `p1`: there are s0".to_owned()));
    assert_eq!(step(Which { inbox: Some(name("s0")), ..Which::default() }), Err("there is no inbox `s0`: there are i0, i1, i2".to_owned()));
    assert_eq!(step(Which { provider: Some(name("p1")), stream: Some(name("s0")), inbox: None, kind: None }), Ok(()));
}

#[test]
fn what_is_silenced_says_so_and_until_when() {
    let mut w = outage();
    assert_eq!(w.dog.view(w.now).incidents[0].silenced_until, None);
    w.feed(silenced(&w, "p1", MINUTE.scaled(60, 1)));
    assert_eq!(w.dog.view(w.now).incidents[0].silenced_until, Some(w.now.plus(MINUTE.scaled(60, 1))));
    w.run(MINUTE.scaled(61, 1));
    assert_eq!(w.dog.view(w.now).incidents[0].silenced_until, None);
}

/// A daemon's watchdog, of which provider `p0` refuses the first mail: the page, and when.
fn refused_at_once() -> (Watchdog, At, Notice) {
    let settings = settings(2, 1, 2, Span::from_secs(60));
    let (mut dog, mut now) = (Watchdog::new(&settings), START);
    let mut step = dog.step(now, Event::Started { seed: 7, reads: Reads::Explicit }).unwrap();
    for _ in 0..100 {
        let mut next = Vec::new();
        for effect in step.effects {
            match effect {
                Effect::Notify(notice) => return (dog, now, notice),
                Effect::Submit { canary, provider, .. } => {
                    let outcome = if provider.as_str() == "p0" { Outcome::Refused(Class::Suspended) } else { Outcome::Accepted };
                    next.push(Event::Answered {
                        canary,
                        outcome,
                        reply: None,
                        hint: None,
                        message_id: None,
                        legs: vec![],
                        retry_after: None,
                    });
                }
                _ => {}
            }
        }
        if next.is_empty() {
            now = dog.wake_at().unwrap();
            next.push(Event::Woke {});
        }
        step = Step::default();
        for event in next {
            let more = dog.step(now, event).unwrap();
            step.effects.extend(more.effects);
        }
    }
    panic!("nobody is told");
}

#[test]
fn whoever_is_called_while_somebody_comes_is_told_who_has_it() {
    let seen =
        |id, via: Option<&str>| Event::Acknowledged { incident: id, by: "ann".to_owned(), note: None, said_at: None, via: via.map(name) };
    let told = |dog: &mut Watchdog, now, event| -> Vec<Notice> {
        let notices = dog.step(now, event).unwrap().effects.into_iter();
        notices.filter_map(|effect| if let Effect::Notify(notice) = effect { Some(notice) } else { None }).collect()
    };
    let (mut dog, now, page) = refused_at_once();
    let late = told(&mut dog, now, seen(page.incident, None));
    let [late] = &late[..] else { panic!("{late:#?}") };
    assert_eq!((late.change, late.evidence["called_late"].clone()), (Change::Acknowledged, serde_json::json!([page.notice])));
    assert!(late.summary.starts_with("acknowledged by ann at ") && late.summary.contains("refuses mail"), "{}", late.summary);
    assert!(dog.pending(late.notice).unwrap().sinks.contains(&name("hook")));
    // Where it was said they know; and who has taken the page long ago is not disturbed.
    let (mut dog, now, page) = refused_at_once();
    assert_eq!(told(&mut dog, now, seen(page.incident, Some("hook"))), []);
    let (mut dog, now, page) = refused_at_once();
    dog.step(now, Event::Noticed { notice: page.notice, sink: name("hook"), outcome: Delivery::Delivered, why: None }).unwrap();
    assert_eq!(told(&mut dog, now, seen(page.incident, None)), []);
}
