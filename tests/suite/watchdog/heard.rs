//! What sinks hear of what they refused, and what is not told any more once somebody has seen it.

use mailcanary::config::Takes;
use mailcanary::model::{Change, Class, Notice, Span};
use mailcanary::watchdog::{Delivery, Event, Fact, Record, Watchdog};

use super::replay;
use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// A provider refuses, and two sinks are told.
fn refusing() -> World {
    let mut settings = settings(2, 1, 2, MINUTE);
    let hook = settings.sinks[&name("hook")].clone();
    settings.sinks.insert(name("chat"), hook);
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(10, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(2, 1));
    assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
    w
}

fn ends(w: &mut World, notice: &Notice, sink: &str, outcome: Delivery) {
    let why = (outcome == Delivery::Refused).then(|| "answered 410".to_owned());
    w.feed(Event::Noticed { notice: notice.notice, sink: name(sink), outcome, why });
}

/// What a sink was told of the first incident.
fn told(w: &World, sink: &str) -> Vec<Notice> {
    let heard = |record: &Record| match &record.fact {
        Fact::Told { notice, sinks, .. } if sinks.contains(&name(sink)) && notice.sink().is_none() => Some(notice.clone()),
        _ => None,
    };
    w.records.iter().filter_map(heard).collect()
}

fn changes(w: &World, sink: &str) -> Vec<Change> {
    told(w, sink).iter().map(|notice| notice.change).collect()
}

fn restart(w: &mut World) {
    w.dog = Watchdog::replay(&w.settings, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
    w.dog.fresh_start().into_iter().for_each(|event| w.feed(event));
}

#[test]
fn who_refused_the_beginning_hears_of_no_end() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Delivered);
    ends(&mut w, &page, "chat", Delivery::Refused);
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(changes(&w, "hook"), [Change::Opened, Change::Resolved]);
    assert_eq!(changes(&w, "chat"), [Change::Opened]);
    replay::holds(&w);

    // It refuses when the end is written already: that is not told either, whatever happens to the process.
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(changes(&w, "chat"), [Change::Opened, Change::Resolved]);
    ends(&mut w, &page, "chat", Delivery::Refused);
    assert!(w.dog.outbox().iter().filter(|p| p.notice.incident == page.incident).all(|p| !p.sinks.contains(&name("chat"))));
    replay::holds(&w);
}

#[test]
fn what_is_open_is_told_once_when_a_sink_is_mended_and_then_its_end() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Delivered);
    ends(&mut w, &page, "chat", Delivery::Refused);
    w.run(MINUTE.scaled(5, 1));
    assert_eq!(changes(&w, "chat"), [Change::Opened], "not before something has changed");
    restart(&mut w);
    let again = told(&w, "chat")[1].clone();
    assert_eq!((again.change, again.incident), (Change::Opened, page.incident));
    assert!(again.summary.ends_with(", and this sink has refused what it was told of it"), "{}", again.summary);
    assert_eq!(changes(&w, "hook"), [Change::Opened], "the others know it");
    // Still broken: it is left alone until the next start.
    ends(&mut w, &again, "chat", Delivery::Refused);
    w.run(MINUTE.scaled(5, 1));
    assert_eq!(changes(&w, "chat").len(), 2);
    restart(&mut w);
    let again = told(&w, "chat")[2].clone();
    ends(&mut w, &again, "chat", Delivery::Delivered);
    w.run(MINUTE);
    restart(&mut w);
    assert_eq!((changes(&w, "chat").len(), w.dog.fresh_start()), (3, None), "it knows");
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(changes(&w, "chat").last(), Some(&Change::Resolved));
    replay::holds(&w);
}

#[test]
fn a_sink_that_takes_something_again_hears_what_it_refused() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Delivered);
    ends(&mut w, &page, "chat", Delivery::Refused);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(2, 1));
    let other = told(&w, "chat").into_iter().find(|n| n.incident != page.incident).unwrap();
    ends(&mut w, &other, "chat", Delivery::Delivered);
    let again = told(&w, "chat").into_iter().next_back().unwrap();
    assert_eq!((again.change, again.incident), (Change::Opened, page.incident), "{again:#?}");
    // It is this notice that it does not like: nobody insists.
    ends(&mut w, &again, "chat", Delivery::Refused);
    let count = told(&w, "chat").len();
    w.run(MINUTE.scaled(10, 1));
    assert_eq!(told(&w, "chat").len(), count);
    replay::holds(&w);
}

#[test]
fn what_only_asks_for_somebody_is_not_told_after_somebody_has_come() {
    let mut settings = settings(2, 1, 2, MINUTE);
    let boss = settings.sinks[&name("hook")].clone();
    settings
        .sinks
        .insert(name("boss"), mailcanary::config::Sink { takes: Takes { after: Some(MINUTE.scaled(20, 1)), ..Takes::default() }, ..boss });
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(10, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(40, 1));
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Delivered);
    // Neither the reminder nor the escalation has been taken.
    assert_eq!(w.dog.outbox().iter().filter(|p| p.notice.asks_for_somebody()).count(), 2, "{:#?}", w.dog.outbox());
    let summary = w.dog.view(w.now).incidents[0].last.summary.clone();
    assert!(!summary.contains("nobody has acknowledged"), "{summary}");
    w.feed(Event::Acknowledged { incident: page.incident, by: "ann".to_owned(), note: None, said_at: None, via: None });
    // That the other sink took nothing for so long was told, too.
    assert!(w.dog.outbox().iter().all(|p| p.notice.incident != page.incident), "{:#?}", w.dog.outbox());
    w.heal(w.now);
    w.run(MINUTE.scaled(20, 1));
    assert_eq!(w.notices.last().unwrap().1.change, Change::Resolved);
    assert!(!told(&w, "boss").iter().any(|n| n.change == Change::Resolved), "who was not called is not called off");
    replay::holds(&w);
}

#[test]
fn who_was_called_just_now_is_not_reminded_of_that() {
    let mut settings = settings(2, 1, 2, MINUTE);
    let boss = settings.sinks[&name("hook")].clone();
    settings
        .sinks
        .insert(name("boss"), mailcanary::config::Sink { takes: Takes { after: Some(MINUTE.scaled(29, 1)), ..Takes::default() }, ..boss });
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(10, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(45, 1));
    assert!(changes(&w, "hook").contains(&Change::Reminder), "{:#?}", w.notices);
    assert!(changes(&w, "boss").contains(&Change::Opened) && !changes(&w, "boss").contains(&Change::Reminder), "{:#?}", w.notices);
    w.run(MINUTE.scaled(60, 1));
    assert!(changes(&w, "boss").contains(&Change::Reminder), "{:#?}", w.notices);
    replay::holds(&w);
}
