//! What becomes worse after somebody has acknowledged it calls again; what they take back, too. And what a wider cause explains is not told
//! besides it.

use mailcanary::model::{At, Change, Class, Culprit, Kind, Notice, Placement, Severity, Span};
use mailcanary::watchdog::Event;

use super::replay;
use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn acknowledge(w: &mut World, said_at: Option<At>) {
    let incident = w.notices[0].1.incident;
    w.feed(Event::Acknowledged { incident, by: "ann".to_owned(), note: None, said_at, via: None });
}

fn is_acknowledged(w: &World) -> bool {
    w.dog.view(w.now).incidents[0].acknowledged.is_some()
}

/// Mail of one route has stopped, and somebody has seen it.
fn one_route() -> World {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(MINUTE.scaled(30, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p1" && r.inbox.as_str() == "i1", Fate::Swallowed);
    w.run(MINUTE.scaled(20, 1));
    let told: Vec<&Notice> = w.notices.iter().map(|(_, n)| n).collect();
    let [Notice { culprit: Culprit::Route(..), severity: Severity::Page, .. }] = told[..] else { panic!("{told:#?}") };
    acknowledge(&mut w, None);
    w
}

#[test]
fn a_route_that_becomes_a_provider_calls_again() {
    let mut w = one_route();
    w.run(MINUTE.scaled(60, 1));
    assert_eq!((w.notices.len(), is_acknowledged(&w)), (1, true), "nothing new, nobody is told");
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(MINUTE.scaled(5, 1));
    let (at, grown) = w.notices[1].clone();
    assert_eq!((grown.change, grown.incident), (Change::Updated, w.notices[0].1.incident));
    assert_eq!(grown.culprit, Culprit::Provider(name("p1")));
    assert!(grown.summary.ends_with("; it has grown since ann acknowledged it"), "{}", grown.summary);
    assert_eq!(grown.evidence["calls"], 1, "{}", grown.evidence);
    assert!(!is_acknowledged(&w), "what was seen was less");
    w.run(MINUTE.scaled(40, 1));
    let (reminded_at, reminder) = w.notices.last().unwrap();
    assert_eq!((reminder.change, reminded_at.since(at).as_ms() / 60_000), (Change::Reminder, 30));
    assert!(!reminder.summary.contains("grown"), "{}", reminder.summary);
    assert_eq!(reminder.evidence["calls"], 1);
    // Seen again, it comes and goes in part without calling a third time.
    acknowledge(&mut w, None);
    w.heal(w.now);
    w.from(w.now, |r, n| r.provider.as_str() == "p1" && n % 3 == 0, Fate::Swallowed);
    w.run(MINUTE.scaled(30, 1));
    assert!(w.notices.iter().skip(3).all(|(_, n)| n.evidence.get("calls").is_none_or(|calls| calls == 1)), "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn what_somebody_takes_back_is_told_again_and_a_repeat_changes_nothing() {
    let mut w = one_route();
    let (seen, back) = (At::from_ms(5000), At::from_ms(6000));
    // Said before the word that is known: it comes too late.
    w.run(MINUTE);
    let incident = w.notices[0].1.incident;
    let take_back = |said_at| Event::Unacknowledged { incident, by: "pagerduty: Jane".to_owned(), said_at };
    w.feed(take_back(Some(back)));
    assert!(is_acknowledged(&w));
    w.feed(take_back(None));
    let from = w.now;
    assert!(!is_acknowledged(&w));
    acknowledge(&mut w, Some(seen));
    assert!(!is_acknowledged(&w), "a repeat of what was said before");
    w.run(MINUTE.scaled(31, 1));
    let (at, reminder) = w.notices.last().unwrap();
    assert_eq!((reminder.change, at.since(from).as_ms() / 60_000, reminder.kind), (Change::Reminder, 30, Kind::Stopped));
    let now = w.now;
    acknowledge(&mut w, Some(now));
    assert!(is_acknowledged(&w));
    replay::holds(&w);
}

fn blind(inbox: &str) -> Event {
    Event::Blind { inbox: name(inbox), class: Some(Class::Network), why: Some("no route to host".to_owned()) }
}

#[test]
fn inboxes_that_are_dark_because_the_watcher_is_cut_off_are_not_told_of_besides_it() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(MINUTE.scaled(30, 1));
    // Only when a canary cannot be handed over either is it clear whose failure it is.
    ["i0", "i1", "i2"].into_iter().for_each(|inbox| w.feed(blind(inbox)));
    w.run(MINUTE.scaled(6, 1));
    let kinds = |w: &World, change| w.notices.iter().filter(|(_, n)| n.change == change).map(|(_, n)| n.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&w, Change::Opened), [Kind::Blind]);
    w.feed(Event::CutOff {});
    w.run(MINUTE.scaled(3, 1));
    assert_eq!(kinds(&w, Change::Opened), [Kind::Blind, Kind::CutOff]);
    assert_eq!(kinds(&w, Change::Resolved), [Kind::Blind], "it takes them over: {:#?}", w.notices);
    w.run(MINUTE.scaled(60, 1));
    // One of them is read again a little later than the rest.
    w.feed(Event::Connected {});
    ["i0", "i1"].into_iter().for_each(|inbox| w.feed(Event::Sight { inbox: name(inbox) }));
    w.run(MINUTE.scaled(2, 1));
    w.feed(Event::Sight { inbox: name("i2") });
    w.run(MINUTE.scaled(10, 1));
    assert_eq!(kinds(&w, Change::Opened).len(), 2, "{:#?}", w.notices);
    assert_eq!(w.notices.last().unwrap().1.kind, Kind::CutOff);
    // What stays dark is told of in its own time.
    w.feed(Event::CutOff {});
    w.feed(blind("i1"));
    w.run(MINUTE.scaled(30, 1));
    w.feed(Event::Connected {});
    w.run(MINUTE.scaled(4, 1));
    assert_eq!(kinds(&w, Change::Opened).len(), 3);
    w.run(MINUTE.scaled(2, 1));
    assert_eq!((kinds(&w, Change::Opened).len(), w.notices.last().unwrap().1.kind), (4, Kind::Blind));
    replay::holds(&w);
}

#[test]
fn a_kind_that_moves_to_and_fro_calls_once_and_is_told_at_growing_intervals() {
    let mut w = World::new(settings(2, 1, 3, Span::from_secs(10)));
    w.run(MINUTE.scaled(60, 1));
    let began = w.now;
    w.rules.insert(
        0,
        Box::new(move |route, sent, n| {
            let phase = sent.since(began).as_ms() / 45_000 % 3;
            let fate = match phase {
                0 => Fate::Swallowed,
                1 if n % 2 == 0 => Fate::Swallowed,
                1 => Fate::Arrives(Span::from_secs(3), Placement::Inbox),
                _ => Fate::Arrives(Span::from_secs(70), Placement::Inbox),
            };
            (sent >= began && route.provider.as_str() == "p1").then_some(fate)
        }),
    );
    w.run(MINUTE.scaled(20, 1));
    let mine: Vec<_> = w.notices.iter().filter(|(_, n)| n.incident == w.notices[0].1.incident).collect();
    let kinds: Vec<_> = mine.iter().map(|(at, n)| (at.since(began), n.change, n.kind, n.evidence.get("quiet").is_some())).collect();
    assert!(mine.iter().all(|(_, n)| n.culprit == Culprit::Provider(name("p1"))), "{kinds:#?}");
    let moves: Vec<_> = mine.iter().filter(|(_, n)| n.change == Change::Updated).collect();
    let loud = moves.iter().filter(|(_, n)| n.evidence.get("quiet").is_none()).count();
    // That it became a page, or that nothing at all came any more, calls; the rest does not.
    assert!(moves.len() >= 2 && moves.len() <= 8 && loud <= 1, "{kinds:#?}");
    let mut quiet = Span::from_secs(30);
    for pair in mine.windows(2).filter(|pair| pair[1].1.evidence.get("quiet").is_some()) {
        assert!(pair[1].0.since(pair[0].0) >= quiet, "{kinds:#?}");
        quiet = quiet.scaled(2, 1);
    }
    replay::holds(&w);
}

#[test]
fn half_of_the_mail_lost_for_hours_is_never_a_stop() {
    for seed in 1..=2_u64 {
        let mut w = World::new(settings(2, 1, 3, Span::from_secs(60)));
        w.run(Span::from_secs(3600));
        let half = move |n: u64| (n.wrapping_add(seed << 20)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0;
        w.from(w.now, move |r, n| r.provider.as_str() == "p1" && half(n), Fate::Swallowed);
        w.run(Span::from_secs(3 * 3600));
        let told: Vec<_> = w.notices.iter().map(|(at, n)| (*at, n.change, n.kind, &n.summary)).collect();
        assert!(!told.is_empty() && told.iter().all(|(_, _, kind, _)| *kind == Kind::Loss), "{seed}: {told:#?}");
        let since: std::collections::BTreeSet<&str> = w.notices.iter().map(|(_, n)| n.evidence["since"].as_str().unwrap()).collect();
        assert_eq!(since.len(), 1, "{seed}: {told:#?}");
    }
}
