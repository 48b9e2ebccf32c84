//! What is told again, and what the page says, is of what is so now: where failures overlap, too.

use mailcanary::model::{At, Change, Class, Culprit, Kind, Notice, Route, Span, Verdict};
use mailcanary::watchdog::IncidentView;

use super::replay;
use super::world::{Fate, World, name, settings};

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

/// A world in which all was well for an hour, and reminders come early.
fn world(providers: usize, inboxes: usize) -> World {
    let mut settings = settings(providers, 1, inboxes, minutes(1));
    settings.watch.remind_after = minutes(5);
    let mut w = World::new(settings);
    w.run(minutes(60));
    w
}

/// From `from` until `to` mail over these routes has that fate.
fn between(w: &mut World, (from, to): (At, At), on: impl Fn(&Route, u64) -> bool + 'static, fate: Fate) {
    w.rules.insert(0, Box::new(move |route, sent, n| (sent >= from && sent < to && on(route, n)).then_some(fate)));
}

fn to_inbox(inbox: &'static str) -> impl Fn(&Route, u64) -> bool {
    move |route, _| route.inbox.as_str() == inbox
}

fn of(provider: &str) -> Culprit {
    Culprit::Provider(name(provider))
}

fn told_of(w: &World, culprit: &Culprit, from: At) -> Vec<(At, Change, String)> {
    let mine = |(at, n): &&(At, Notice)| *at > from && n.culprit == *culprit;
    w.notices.iter().filter(mine).map(|(at, n)| (*at, n.change, n.summary.clone())).collect()
}

fn open(w: &World, culprit: &Culprit) -> Option<IncidentView> {
    w.dog.view(w.now).incidents.into_iter().find(|i| i.resolved_at.is_none() && i.culprit == *culprit)
}

#[test]
fn a_provider_that_delivers_again_is_not_held_to_what_inboxes_do_not_take() {
    for fate in [Fate::Swallowed, Fate::Refused(Class::Suspended)] {
        let mut w = world(4, 3);
        let t0 = w.now;
        let at = |n| t0.plus(minutes(n));
        // Two inboxes are dark one after the other; meanwhile a provider fails for a while.
        between(&mut w, (at(0), at(7)), to_inbox("i2"), Fate::Swallowed);
        between(&mut w, (at(4), at(60)), to_inbox("i1"), Fate::Swallowed);
        between(&mut w, (at(15), at(19)), |r, _| r.provider.as_str() == "p0", fate);
        w.run(minutes(19));
        assert!(open(&w, &of("p0")).is_some(), "{:#?}", w.notices);
        w.run(minutes(3));
        let well = w.now;
        let p0 = |w: &World| w.dog.view(w.now).providers.iter().find(|p| p.name == name("p0")).map(|p| p.verdict);
        w.run(minutes(5));
        assert_eq!((open(&w, &of("p0")).is_none(), p0(&w)), (true, Some(Verdict::Delivering)), "{:#?}", told_of(&w, &of("p0"), t0));
        w.run(minutes(33));
        let told = told_of(&w, &of("p0"), well);
        assert!(told.iter().all(|(_, change, _)| *change == Change::Resolved), "{told:#?}");
        // The inboxes are well again, and each is over by itself.
        w.run(minutes(10));
        assert!(w.dog.view(w.now).incidents.iter().all(|i| i.resolved_at.is_some()), "{:#?}", w.notices);
        replay::holds(&w);
    }
}

#[test]
fn what_is_lost_no_more_is_not_reminded_of_and_the_page_says_that_it_arrives() {
    let mut w = world(3, 2);
    let begun = w.now;
    w.from(begun, |r, n| r.provider.as_str() == "p1" && n % 2 == 0, Fate::Swallowed);
    w.run(minutes(12));
    assert_eq!(open(&w, &of("p1")).map(|i| i.kind), Some(Kind::Loss), "{:#?}", w.notices);
    let healed = w.now;
    w.heal(healed);
    let mut said = Vec::new();
    while let Some(incident) = open(&w, &of("p1")) {
        said.push((w.now.since(healed), incident.delivers, incident.summary().to_owned()));
        w.run(Span::from_secs(10));
        assert!(w.now.since(healed) < minutes(60), "{said:#?}");
    }
    for (after, delivers, summary) in &said {
        assert_eq!(*delivers, summary.contains("delivers again"), "{after}: {summary}");
        assert!(!summary.contains("about 0 %"), "{after}: {summary}");
        assert!(*delivers || *after < minutes(2) || summary.contains(" have arrived; "), "{after}: {summary}");
    }
    for (at, change, summary) in told_of(&w, &of("p1"), healed.plus(minutes(2))) {
        assert!(change == Change::Resolved || summary.contains(" are missing, the newest "), "{at}: {summary}");
    }
    replay::holds(&w);
}

#[test]
fn of_what_began_wider_what_is_left_is_told() {
    let mut w = world(3, 3);
    let t0 = w.now;
    let at = |secs| t0.plus(Span::from_secs(secs));
    // Everything is refused; then an inbox is dark, and a provider loses half of its mail.
    between(&mut w, (at(960), at(1800)), to_inbox("i2"), Fate::Swallowed);
    between(&mut w, (at(960), at(2340)), |r, n| r.provider.as_str() == "p1" && n % 2 == 0, Fate::Swallowed);
    between(&mut w, (at(0), at(960)), |_, _| true, Fate::Refused(Class::Tls));
    w.run(minutes(60));
    let told = told_of(&w, &Culprit::Watcher {}, t0);
    let reminders: Vec<&String> = told.iter().filter(|(_, change, _)| *change == Change::Reminder).map(|(.., said)| said).collect();
    for said in &reminders {
        assert!(!said.contains("arrives again"), "nobody is called for that: {said}");
    }
    assert!(w.dog.view(w.now).incidents.iter().all(|i| i.resolved_at.is_some()), "{:#?}", w.notices);
    assert!(reminders.iter().any(|said| said.starts_with("what is left of it: provider `p1` loses mail")), "{told:#?}");
    // Nobody is paged for what is just arriving again.
    let opened = w.opened();
    assert!(opened.iter().all(|n| !n.summary.contains("1 canary has not arrived")), "{opened:#?}");
}
