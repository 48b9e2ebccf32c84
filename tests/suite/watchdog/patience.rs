//! A provider that asks for patience is sent nothing until then, and nothing follows from that.

use mailcanary::model::{At, Name, Route, Span};
use mailcanary::watchdog::Watchdog;

use super::world::{Fate, World, name, settings};

fn minutes(n: u64) -> Span {
    Span::from_secs(n * 60)
}

/// When canaries were sent over such routes, from `from` on.
fn sent(w: &World, from: At, chosen: impl Fn(&Route) -> bool) -> Vec<At> {
    w.sent.iter().filter(|(at, _, route)| *at >= from && chosen(route)).map(|(at, ..)| *at).collect()
}

/// For half a minute, `p0` answers that it wants nothing for so long. Gives when that was first said.
fn wait(w: &mut World, span: Span) -> At {
    let begun = w.now;
    w.from(begun, |r, _| r.provider.as_str() == "p0", Fate::Wait(span));
    w.heal(begun.plus(Span::from_secs(30)));
    while sent(w, begun, |r| r.provider.as_str() == "p0").is_empty() {
        w.run(Span::from_ms(10));
    }
    w.run(Span::from_ms(150));
    w.now
}

fn is(provider: &Name) -> impl Fn(&Route) -> bool {
    move |route| route.provider == *provider
}

#[test]
fn nothing_is_sent_before_and_the_cadence_goes_on_after() {
    let mut w = World::new(settings(2, 1, 3, minutes(1)));
    w.run(minutes(60));
    let from = wait(&mut w, minutes(10));
    let until = w.dog.view(w.now).providers[0].traffic.held_until.unwrap();
    assert!(until > from.plus(Span::from_secs(590)) && until < from.plus(minutes(10)), "{until}");
    w.run(minutes(30));
    let (held, other) = (name("p0"), name("p1"));
    let after = sent(&w, from, is(&held));
    assert!(after[0] >= until, "{} is before {until}", after[0]);
    assert!((57..=63).contains(&after.len()), "three a minute for twenty minutes: {}", after.len());
    let first = after.iter().filter(|at| at.since(until) < minutes(1)).count();
    assert!((2..=4).contains(&first), "nothing is caught up with: {first} in a minute");
    assert!(sent(&w, from, is(&other)).len() >= 87, "others go on");
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
}

#[test]
fn it_is_shown_with_its_reason() {
    let mut w = World::new(settings(2, 2, 2, minutes(1)));
    w.run(minutes(60));
    wait(&mut w, minutes(10));
    let view = w.dog.view(w.now);
    let until = view.providers[0].traffic.held_until.unwrap();
    let words = format!("; the provider wants no mail before {until}, and is sent none");
    assert!(view.providers[0].reason.ends_with(&words), "{}", view.providers[0].reason);
    assert!(view.streams.iter().all(|(provider, stream)| stream.reason.ends_with(&words) == (provider.as_str() == "p0")));
    assert_eq!(view.providers[1].traffic.held_until, None);
    w.run(minutes(11));
    let view = w.dog.view(w.now);
    assert_eq!(view.providers[0].traffic.held_until, None);
    assert!(!view.providers[0].reason.contains("wants no mail"), "{}", view.providers[0].reason);
}

#[test]
fn confirmations_wait_too_and_nobody_is_left_alone_for_more_than_an_hour() {
    let mut w = World::new(settings(2, 1, 3, minutes(1)));
    w.run(minutes(60));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(Span::from_secs(20));
    let from = wait(&mut w, minutes(600));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(90));
    let after = sent(&w, from, is(&name("p0")));
    let waited = after[0].since(from);
    assert!(waited > minutes(59) && waited < minutes(62), "{waited}");
}

#[test]
fn it_is_replayed() {
    let mut w = World::new(settings(2, 1, 2, minutes(1)));
    w.run(minutes(10));
    wait(&mut w, minutes(5));
    w.run(minutes(10));
    let mut live = Watchdog::new(&w.settings);
    for (index, (at, event, upto, step)) in w.steps.iter().enumerate() {
        assert_eq!(live.step(*at, event.clone()).unwrap(), *step, "step {index}");
        let replayed = Watchdog::replay(&w.settings, None, &w.records[..*upto]).unwrap();
        assert_eq!(replayed.checkpoint().unwrap(), live.checkpoint().unwrap(), "after step {index}");
        assert_eq!(replayed.wake_at(), live.wake_at(), "after step {index}");
    }
}
