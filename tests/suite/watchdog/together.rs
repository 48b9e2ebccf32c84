//! Several failures at once, and failures with a cause in common.

use mailcanary::model::{Change, Class, Culprit, Kind, Notice, Outcome, Placement, Route, Severity, Span};
use mailcanary::watchdog::Event;

use super::replay;
use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

fn world(providers: usize, inboxes: usize) -> World {
    let mut world = World::new(settings(providers, 1, inboxes, MINUTE));
    world.run(minutes(60));
    assert!(world.notices.is_empty(), "all is well: {:?}", world.notices);
    world
}

fn pages(w: &World) -> usize {
    w.opened().iter().filter(|n| n.severity == Severity::Page).count()
}

fn last(w: &World, incident: u64) -> &Notice {
    let mut of = w.notices.iter().map(|(_, n)| n).filter(|n| n.incident.0 == incident);
    of.next_back().unwrap()
}

fn provider(n: usize) -> Culprit {
    Culprit::Provider(name(&format!("p{n}")))
}

#[test]
fn two_providers_that_stop_together_while_a_third_delivers_are_both_named() {
    for shift in [0, 3] {
        let mut w = world(3, 4);
        w.run(Span::from_secs(shift * 11));
        w.from(w.now, |r, _| r.provider.as_str() != "p2", Fate::Swallowed);
        w.run(minutes(30));
        assert_eq!(pages(&w), 2, "{:#?}", w.notices);
        let mut named: Vec<Culprit> = (1..=2).map(|incident| last(&w, incident).culprit.clone()).collect();
        named.sort();
        assert_eq!(named, [provider(0), provider(1)]);
    }
}

#[test]
fn two_inboxes_that_go_dark_together_while_others_receive_are_both_named() {
    let mut w = world(3, 4);
    w.from(w.now, |r, _| matches!(r.inbox.as_str(), "i0" | "i1"), Fate::Swallowed);
    w.run(minutes(30));
    let mut named: Vec<Culprit> = w.opened().iter().map(|n| last(&w, n.incident.0).culprit.clone()).collect();
    named.sort();
    assert_eq!(named, [Culprit::Inbox(name("i0")), Culprit::Inbox(name("i1"))], "{:#?}", w.notices);
}

#[test]
fn everything_silent_is_one_page_and_nobodys_fault_alone() {
    let mut w = world(3, 4);
    w.from(w.now, |_, _| true, Fate::Swallowed);
    w.run(minutes(30));
    assert_eq!(pages(&w), 1, "{:#?}", w.notices);
    assert_eq!(last(&w, 1).culprit, Culprit::Watcher {});
}

#[test]
fn a_failure_that_spreads_from_inbox_to_inbox_is_one_page_and_its_providers() {
    for step in [2, 10] {
        let mut w = world(3, 4);
        for inbox in ["i0", "i1", "i2", "i3"] {
            w.from(w.now, move |r, _| r.provider.as_str() == "p0" && r.inbox.as_str() == inbox, Fate::Swallowed);
            w.run(minutes(step));
        }
        w.run(minutes(30));
        assert_eq!(pages(&w), 1, "{:#?}", w.notices);
        assert_eq!((&last(&w, 1).culprit, last(&w, 1).change == Change::Resolved), (&provider(0), false));
        w.heal(w.now);
        w.run(minutes(60));
        assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
        assert_eq!(last(&w, 1).change, Change::Resolved);
    }
}

#[test]
fn inboxes_that_go_dark_one_after_another_have_a_cause_in_common() {
    let mut w = world(3, 4);
    for inbox in ["i0", "i1", "i2", "i3"] {
        w.from(w.now, move |r, _| r.inbox.as_str() == inbox, Fate::Swallowed);
        w.run(minutes(3));
    }
    w.run(minutes(30));
    assert!(pages(&w) <= 2, "{:#?}", w.notices);
    assert_eq!(last(&w, 1).culprit, Culprit::Watcher {});
}

#[test]
fn what_every_provider_refuses_alike_is_one_page_and_no_providers_fault() {
    for class in [Class::Network, Class::Tls, Class::Rate, Class::Transient] {
        let mut w = world(3, 4);
        let begun = w.now;
        w.from(begun, |_, _| true, Fate::Refused(class));
        w.run(minutes(20));
        assert_eq!(w.opened().len(), 1, "{class}: {:#?}", w.notices);
        let (at, opened) = &w.notices[0];
        assert_eq!((&opened.culprit, opened.severity), (&Culprit::Watcher {}, Severity::Page), "{class}");
        assert!(at.since(begun) <= minutes(1), "{class}: after {}", at.since(begun));
        assert!(opened.summary.contains(&format!("({class}")), "{}", opened.summary);
        w.heal(w.now);
        w.run(minutes(20));
        let named: Vec<&Culprit> = w.notices.iter().map(|(_, n)| &n.culprit).collect();
        assert!(named.iter().all(|culprit| **culprit == Culprit::Watcher {}), "{class}: {:#?}", w.notices);
        assert_eq!(last(&w, 1).change, Change::Resolved, "{class}");
    }
}

#[test]
fn a_second_provider_that_fails_later_is_a_second_page() {
    let mut w = world(3, 4);
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(20));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(minutes(20));
    assert_eq!(pages(&w), 2, "{:#?}", w.notices);
    let second = w.opened()[1];
    assert_eq!((second.kind, &second.culprit), (Kind::Refused, &provider(1)));
    let so_far = "refuses mail (suspended); that is its first answer: the other 3 routes have not been asked since";
    assert!(second.summary.contains(so_far), "{}", second.summary);
    // What was asked later is said where nobody is called for it: on the page, and when nobody has acknowledged it.
    let view = w.dog.view(w.now);
    let shown = view.incidents.iter().find(|i| i.incident == second.incident).unwrap();
    assert!(shown.summary().contains("refuses mail (suspended); on all its 4 routes"), "{}", shown.summary());
    w.run(minutes(15));
    let reminder = last(&w, 2);
    assert_eq!((reminder.change, pages(&w)), (Change::Reminder, 2), "{:#?}", w.notices);
    assert!(reminder.summary.contains("; on all its 4 routes"), "{}", reminder.summary);
}

#[test]
fn streams_that_are_refused_besides_are_told_of_and_call_nobody() {
    let mut w = World::new(settings(2, 2, 2, minutes(1)));
    w.run(minutes(30));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(minutes(5));
    let told: Vec<_> =
        w.notices.iter().map(|(_, n)| (n.change, n.evidence["streams"].clone(), n.evidence.get("quiet").is_some())).collect();
    assert_eq!(told.len(), 2, "{:#?}", w.notices);
    assert!(told[0].0 == Change::Opened && told[0].1.as_array().unwrap().len() == 1 && !told[0].2, "{told:#?}");
    assert_eq!(told[1], (Change::Updated, serde_json::json!(["s0", "s1"]), true));
    assert!(
        w.notices[1].1.summary.contains("refuses mail (suspended)") && !w.notices[1].1.summary.contains("first answer"),
        "{:#?}",
        w.notices
    );
}

#[test]
fn a_refusal_is_called_the_first_answer_only_while_it_is() {
    let (mut firsts, mut more) = (0, 0);
    for (inboxes, class) in [(4, Class::Suspended), (3, Class::Quota), (2, Class::Permanent), (4, Class::Transient)] {
        let mut w = World::new(settings(2, 1, inboxes, MINUTE));
        w.run(minutes(60));
        let begun = w.now;
        w.from(begun, |r, _| r.provider.as_str() == "p0", Fate::Refused(class));
        while w.now.since(begun) < minutes(3) {
            w.run(Span::from_secs(1));
            let refused = Outcome::Refused(class);
            let answers = w.steps.iter().filter(|(_, event, ..)| matches!(event, Event::Answered { outcome, .. } if *outcome == refused));
            let answers = answers.count();
            let view = w.dog.view(w.now);
            for said in view.incidents.iter().map(|i| i.summary()).filter(|said| said.contains("refuses mail")) {
                let is_first = said.contains("that is its first answer");
                assert!(!is_first || answers == 1, "{class}, after {answers} answers: {said}");
                (firsts, more) = (firsts + usize::from(is_first), more + usize::from(said.contains("routes so far: ")));
            }
        }
    }
    assert!(firsts > 0 && more > 0, "{firsts} {more}");
}

#[test]
fn nobody_who_fails_as_well_is_said_to_deliver() {
    for every in [10, 30, 60] {
        let mut w = World::new(settings(3, 2, 3, Span::from_secs(every)));
        w.run(minutes(60));
        w.from(w.now, |r, _| r.provider.as_str() != "p2", Fate::Swallowed);
        w.run(minutes(10));
        let said: Vec<&str> = w.opened().iter().map(|n| n.evidence["others"].as_str().unwrap()).collect();
        let [first, second] = said[..] else { panic!("{:#?}", w.notices) };
        let [one, other] = if w.opened()[0].culprit == provider(0) { ["p0", "p1"] } else { ["p1", "p0"] };
        let beside = |other: &str| format!("p2 delivers to the same inboxes; provider `{other}` fails as well");
        assert!(first == "p2 delivers to the same inboxes" || first == beside(other), "{every}: {first}");
        assert_eq!(second, beside(one), "{every}");
        assert!(w.opened()[1].evidence["next_step"].as_str().unwrap().ends_with("; meanwhile move urgent mail to another provider"));
    }
}

#[test]
fn who_fails_last_of_all_is_sent_to_nobody_else() {
    let mut w = World::new(settings(2, 1, 3, MINUTE));
    w.run(minutes(60));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(minutes(5));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(minutes(5));
    let step = |n: usize| w.opened()[n].evidence["next_step"].as_str().unwrap().to_owned();
    assert!(step(0).contains("another provider") && !step(1).contains("another provider"), "{:#?}", w.notices);
}

#[test]
fn providers_that_go_silent_one_after_another_until_nothing_delivers_have_one_cause() {
    for (every, gap) in [(10, 60), (30, 120), (60, 300)] {
        let mut w = World::new(settings(3, 2, 3, Span::from_secs(every)));
        w.run(minutes(60));
        for dead in ["p0", "p1", "p2"] {
            w.from(w.now, move |r, _| r.provider.as_str() == dead, Fate::Swallowed);
            w.run(Span::from_secs(gap));
        }
        w.run(minutes(5));
        assert_eq!(pages(&w), 2, "{every}: {:#?}", w.notices);
        let open = w.dog.view(w.now).incidents.into_iter().filter(|i| i.resolved_at.is_none()).count();
        assert_eq!(open, 1, "{every}: {:#?}", w.notices);
        assert_eq!(last(&w, 1).culprit, Culprit::Watcher {}, "{every}: {:#?}", w.notices);
    }
}

#[test]
fn what_is_missing_where_one_provider_and_one_inbox_meet_is_told_of_their_path() {
    for (streams, every) in [(2, 10), (2, 60), (3, 30), (2, 300)] {
        let mut w = World::new(settings(3, streams, 3, Span::from_secs(every)));
        w.run(Span::from_secs(every).scaled(90, 1));
        w.from(w.now, |r, _| r.provider.as_str() == "p0" && r.inbox.as_str() == "i0", Fate::Swallowed);
        w.run(Span::from_secs(every).scaled(60, 1));
        let (_, last) = w.notices.last().unwrap();
        assert_eq!(last.culprit, Culprit::Path(name("p0"), name("i0")), "{every}: {:#?}", w.notices);
        assert!(w.opened().len() == 1 && pages(&w) <= 1, "{every}: {:#?}", w.notices);
        let fact = |name: &str| last.evidence[name].clone();
        assert_eq!((fact("inboxes"), fact("routes_count")), (serde_json::json!(["i0"]), streams.into()), "{last:#?}");
        assert_eq!(fact("others"), "p1, p2 deliver to the same inboxes", "{last:#?}");
        assert!(fact("certainty").as_f64().unwrap() > 0.95 && fact("rivals") == serde_json::json!([]), "{last:#?}");
        assert!(fact("next_step").as_str().unwrap().contains("where provider `p0` and inbox `i0` meet"), "{last:#?}");
        w.heal(w.now);
        w.run(Span::from_secs(every).scaled(60, 1));
        let open = w.dog.view(w.now).incidents.into_iter().filter(|i| i.resolved_at.is_none()).count();
        assert!(open == 0 && w.opened().len() == 1, "{every}: {:#?}", w.notices);
    }
}

/// What was told of an incident: the change, whose failure, the kind, and whether it called.
fn told_of(w: &World, incident: u64) -> Vec<(Change, Culprit, Kind, bool)> {
    let mine = w.notices.iter().map(|(_, n)| n).filter(|n| n.incident.0 == incident);
    mine.map(|n| (n.change, n.culprit.clone(), n.kind, n.evidence.get("quiet").is_none())).collect()
}

/// Three providers, two streams, three inboxes, all well; not all in step.
fn three(shift: u64) -> World {
    let mut w = World::new(settings(3, 2, 3, MINUTE));
    w.run(minutes(90));
    w.run(Span::from_secs(shift * 13));
    w
}

#[test]
fn what_a_provider_refuses_stays_its_own_when_the_others_are_silent_for_a_moment() {
    for (shift, class, gap) in [(0, Class::Suspended, 60), (1, Class::Policy, 60), (2, Class::Policy, 300), (3, Class::Suspended, 20)] {
        let mut w = three(shift);
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(class));
        w.run(minutes(10));
        let silent = w.now;
        w.from(silent, |r, _| r.provider.as_str() != "p0", Fate::Swallowed);
        w.run(Span::from_secs(gap));
        w.heal(w.now);
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(class));
        w.run(minutes(45));
        let refused = told_of(&w, 1);
        assert!(refused.iter().all(|(_, culprit, kind, _)| (culprit, *kind) == (&provider(0), Kind::Refused)), "{shift}: {:#?}", w.notices);
        assert!(last(&w, 1).change != Change::Resolved && w.opened().len() <= 2, "{shift}: {:#?}", w.notices);
        for (_, notice) in w.notices.iter().filter(|(_, n)| n.incident.0 == 2) {
            assert_eq!(notice.culprit, Culprit::Watcher {}, "{shift}: {notice:#?}");
            let own = notice.change == Change::Resolved || notice.summary.contains("; provider `p0` refuses mail besides");
            assert!(own && !notice.summary.contains("every provider refuses"), "{shift}: {notice:#?}");
        }
        assert!(w.opened().len() < 2 || last(&w, 2).change == Change::Resolved, "{shift}: {:#?}", w.notices);
        w.heal(w.now);
        w.run(minutes(20));
        assert_eq!(last(&w, 1).change, Change::Resolved, "{shift}: {:#?}", w.notices);
        replay::holds(&w);
    }
}

#[test]
fn who_alone_goes_on_failing_after_everything_did_is_named_soon_and_that_calls_once() {
    for (shift, fate, first) in [
        (0, Fate::Swallowed, 120),
        (1, Fate::Swallowed, 600),
        (2, Fate::Swallowed, 300),
        (3, Fate::Refused(Class::Network), 300),
        (4, Fate::Refused(Class::Transient), 300),
    ] {
        let mut w = three(shift);
        w.from(w.now, |_, _| true, Fate::Swallowed);
        w.run(Span::from_secs(first));
        assert_eq!(last(&w, 1).culprit, Culprit::Watcher {}, "{shift}: {:#?}", w.notices);
        let others = w.now;
        w.heal(others);
        w.from(others, |r, _| r.provider.as_str() == "p0", fate);
        w.run(minutes(45));
        assert_eq!(w.opened().len(), 1, "{shift}: {:#?}", w.notices);
        let after: Vec<_> = w.notices.iter().filter(|(at, _)| *at > others).collect();
        let (at, turned) = after.iter().find(|(_, n)| n.culprit == provider(0)).unwrap();
        assert!(at.since(others) <= minutes(2), "{shift}: after {}: {:#?}", at.since(others), w.notices);
        let said = |what: &str| turned.summary.contains(what);
        assert!(turned.evidence.get("quiet").is_none() && said("; it is no longer everything, as was told before"), "{shift}: {turned:#?}");
        assert!(said("p1, p2 deliver to the same inboxes"), "{shift}: {turned:#?}");
        assert!(
            turned.evidence["next_step"].as_str().unwrap().ends_with("; meanwhile move urgent mail to another provider"),
            "{turned:#?}"
        );
        let later = || after.iter().filter(|(then, _)| then > at);
        assert!(later().all(|(_, n)| n.culprit == provider(0)), "{shift}: never back: {:#?}", w.notices);
        let loud = later().filter(|(_, n)| n.change == Change::Updated && n.evidence.get("quiet").is_none()).count();
        assert_eq!(loud, 0, "{shift}: {:#?}", w.notices);
        w.heal(w.now);
        w.run(minutes(20));
        assert_eq!((last(&w, 1).change, w.opened().len()), (Change::Resolved, 1), "{shift}: {:#?}", w.notices);
        replay::holds(&w);
    }
}

#[test]
fn a_provider_that_is_out_is_named_again_after_everything_was_silent_for_a_moment() {
    for (shift, gap) in [(0, 60), (1, 300), (2, 120)] {
        let mut w = three(shift);
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
        w.run(minutes(10));
        w.from(w.now, |_, _| true, Fate::Swallowed);
        w.run(Span::from_secs(gap));
        let others = w.now;
        w.heal(others);
        w.from(others, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
        w.run(minutes(60));
        assert_eq!(w.opened().len(), 1, "{shift}: {:#?}", w.notices);
        let late: Vec<_> = w.notices.iter().filter(|(at, _)| at.since(others) > minutes(2)).collect();
        assert!(!late.is_empty() && late.iter().all(|(_, n)| n.culprit == provider(0)), "{shift}: {:#?}", w.notices);
        let about_all: Vec<_> = w.notices.iter().filter(|(_, n)| n.culprit == Culprit::Watcher {}).collect();
        assert!(about_all.iter().all(|(at, _)| *at <= others), "{shift}: everything is not told of when it is over: {about_all:#?}");
        if !about_all.is_empty() {
            let turned = w.notices.iter().find(|(at, n)| *at > others && n.culprit == provider(0)).map(|(_, n)| n);
            assert!(turned.is_some_and(|n| n.evidence.get("quiet").is_none()), "{shift}: {:#?}", w.notices);
        }
        w.heal(w.now);
        w.run(minutes(20));
        assert_eq!(last(&w, 1).change, Change::Resolved, "{shift}: {:#?}", w.notices);
    }
}

#[test]
fn of_what_all_lost_it_is_said_in_a_sentence_that_it_arrives() {
    let mut w = three(0);
    w.from(w.now, |_, _| true, Fate::Swallowed);
    w.run(minutes(4));
    w.heal(w.now);
    w.from(w.now, |_, n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0, Fate::Swallowed);
    w.run(minutes(20));
    assert_eq!((&last(&w, 1).culprit, last(&w, 1).kind), (&Culprit::Watcher {}, Kind::Loss), "{:#?}", w.notices);
    w.heal(w.now);
    w.run(minutes(60));
    let over = last(&w, 1);
    assert!(over.change == Change::Resolved && over.summary.starts_with("all mail arrives again through every provider: "), "{over:#?}");
}

/// The culprits of what is open.
fn open(w: &World) -> Vec<Culprit> {
    let mut open: Vec<Culprit> = w.dog.view(w.now).incidents.into_iter().filter(|i| i.resolved_at.is_none()).map(|i| i.culprit).collect();
    open.sort();
    open
}

#[test]
fn a_provider_and_an_inbox_that_stop_together_are_not_everything_while_one_route_delivers() {
    for shift in 0..4 {
        let mut w = World::new(settings(2, 1, 2, MINUTE));
        w.run(minutes(90));
        w.run(Span::from_secs(shift * 13));
        w.from(w.now, |r, _| r.provider.as_str() == "p0" || r.inbox.as_str() == "i0", Fate::Swallowed);
        w.run(minutes(10));
        assert_eq!(open(&w), [provider(0), Culprit::Inbox(name("i0"))], "{shift}: {:#?}", w.notices);
        w.heal(w.now);
        w.run(minutes(20));
        assert!(open(&w).is_empty() && w.opened().len() == 2, "{shift}: {:#?}", w.notices);
    }
}

#[test]
fn two_inboxes_of_a_single_provider_that_go_dark_are_two_inboxes() {
    for shift in 0..3 {
        let mut w = World::new(settings(1, 1, 5, MINUTE));
        w.run(minutes(90));
        w.run(Span::from_secs(shift * 13));
        w.from(w.now, |r, _| ["i0", "i1"].contains(&r.inbox.as_str()), Fate::Swallowed);
        w.run(minutes(20));
        assert_eq!(open(&w), [Culprit::Inbox(name("i0")), Culprit::Inbox(name("i1"))], "{shift}: {:#?}", w.notices);
    }
}

#[test]
fn a_loss_goes_on_while_an_inbox_beside_it_stops() {
    for shift in 0..4 {
        let mut w = World::new(settings(3, 1, 3, MINUTE));
        w.run(minutes(90));
        w.run(Span::from_secs(shift * 13));
        let lost = move |n: u64| (n + shift * 1000).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xff < 102;
        w.from(w.now, move |r, n| r.provider.as_str() == "p0" && lost(n), Fate::Swallowed);
        w.run(minutes(10));
        w.from(w.now, |r, _| r.inbox.as_str() == "i0", Fate::Swallowed);
        w.run(minutes(20));
        let of_p0 = |n: &&Notice| n.culprit == provider(0);
        let over = w.notices.iter().map(|(_, n)| n).filter(of_p0).any(|n| n.change == Change::Resolved);
        assert!(!over && pages(&w) == 2, "{shift}: {:#?}", w.notices);
    }
}

#[test]
fn two_streams_that_stop_one_after_the_other_while_a_third_delivers_are_two() {
    let mut w = World::new(settings(2, 3, 3, MINUTE));
    w.run(minutes(60));
    for stream in ["s0", "s1"] {
        w.from(w.now, move |r, _| r.provider.as_str() == "p0" && r.stream.as_str() == stream, Fate::Swallowed);
        w.run(minutes(10));
    }
    w.run(minutes(20));
    assert_eq!(pages(&w), 2, "{:#?}", w.notices);
    let named = (1..=2).map(|incident| last(&w, incident).culprit.clone()).collect::<Vec<_>>();
    assert_eq!(named, [Culprit::Stream(name("p0"), name("s0")), Culprit::Stream(name("p0"), name("s1"))]);
}

#[test]
fn two_routes_to_an_inbox_that_fail_one_after_the_other_are_two_while_it_receives_the_rest() {
    let mut w = world(4, 3);
    for provider in ["p0", "p1"] {
        w.from(w.now, move |r, _| r.provider.as_str() == provider && r.inbox.as_str() == "i1", Fate::Swallowed);
        w.run(minutes(15));
    }
    w.run(minutes(15));
    let named: Vec<Culprit> = w.opened().iter().map(|n| last(&w, n.incident.0).culprit.clone()).collect();
    let route = |provider: &str| Culprit::Route(name(provider), name("s0"), name("i1"));
    assert_eq!(named, [route("p0"), route("p1")], "{:#?}", w.notices);
}

#[test]
fn a_slow_provider_stays_open_where_an_inbox_stops_beside_it() {
    let mut w = World::new(settings(3, 3, 2, Span::from_secs(30)));
    w.run(minutes(60));
    let slow = Fate::Arrives(Span::from_secs(45), Placement::Inbox);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", slow);
    w.run(minutes(10));
    assert_eq!((&last(&w, 1).culprit, last(&w, 1).kind), (&provider(1), Kind::Slow), "{:#?}", w.notices);
    w.from(w.now, |r, _| r.inbox.as_str() == "i1", Fate::Swallowed);
    w.run(minutes(30));
    assert_eq!(w.opened().len(), 2, "{:#?}", w.notices);
    assert_eq!((&last(&w, 1).culprit, last(&w, 1).kind), (&provider(1), Kind::Slow), "{:#?}", w.notices);
    assert!(last(&w, 1).change != Change::Resolved);
    assert_eq!(last(&w, 2).culprit, Culprit::Inbox(name("i1")));
    // What the inbox lost is none of the provider's when it receives again.
    w.heal(w.now);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", slow);
    w.run(minutes(20));
    assert_eq!((last(&w, 1).kind, last(&w, 2).change), (Kind::Slow, Change::Resolved), "{:#?}", w.notices);
    assert_eq!(w.opened().len(), 2, "{:#?}", w.notices);
}

/// Some mail of every provider takes six times as long as the rest, and then all of one's twenty times that.
#[test]
fn mail_in_two_modes_that_takes_twenty_times_as_long_is_slow_and_stays_so() {
    let mut w = World::new(settings(2, 3, 2, Span::from_secs(30)));
    let modes = |w: &mut World, on: fn(&str) -> bool, times: u64| {
        let from = w.now;
        for mode in [6_u64, 1] {
            for (quarter, ms) in [2_800, 3_500, 4_300, 5_600].into_iter().enumerate() {
                let late = Fate::Arrives(Span::from_ms(ms * mode * times), Placement::Inbox);
                let quarter = u64::try_from(quarter).unwrap();
                let is = move |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60).is_multiple_of(5) == (mode == 6);
                w.from(from, move |r, n| on(r.provider.as_str()) && is(n) && n.wrapping_mul(0xd134_2543_de82_ef95) >> 62 == quarter, late);
            }
        }
    };
    modes(&mut w, |_| true, 1);
    w.run(minutes(180));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    modes(&mut w, |provider| provider == "p1", 20);
    w.run(minutes(60));
    let kinds: Vec<Kind> = w.notices.iter().map(|(_, n)| n.kind).collect();
    assert_eq!(w.opened().len(), 1, "{:#?}", w.notices);
    let calls: Vec<&Kind> = kinds.iter().skip_while(|kind| **kind == Kind::Stopped).collect();
    assert!(!calls.is_empty() && calls.iter().all(|kind| **kind == Kind::Slow), "{:#?}", w.notices);
}

#[test]
fn what_is_kept_open_and_delivers_is_not_said_to_fail_as_well() {
    let mut w = world(2, 2);
    let refuses =
        |w: &mut World, provider: &'static str| w.from(w.now, move |r, _| r.provider.as_str() == provider, Fate::Refused(Class::Suspended));
    for well_for in [6, 2] {
        refuses(&mut w, "p0");
        w.run(minutes(3));
        w.heal(w.now);
        w.run(minutes(well_for));
    }
    let kept = w.dog.view(w.now).incidents.into_iter().find(|i| i.resolved_at.is_none()).unwrap();
    assert!(kept.delivers && kept.culprit == provider(0), "{:#?}", w.notices);
    refuses(&mut w, "p1");
    w.run(minutes(2));
    let opened = w.opened().into_iter().find(|n| n.culprit == provider(1)).unwrap();
    assert_eq!(opened.evidence["others"], "p0 delivers to the same inboxes", "{}", opened.summary);
}

#[test]
fn two_inboxes_that_go_dark_at_the_same_moment_are_told_from_everything_soon() {
    for late in (0..60).step_by(6) {
        let mut w = world(2, 5);
        w.run(Span::from_secs(late));
        let is_dark = |r: &Route| matches!(r.inbox.as_str(), "i2" | "i3");
        // The others are a little late just then.
        w.from(w.now, move |r, _| !is_dark(r), Fate::Arrives(Span::from_secs(5), Placement::Inbox));
        w.from(w.now.plus(Span::from_secs(20)), move |r, _| !is_dark(r), Fate::Arrives(Span::from_secs(2), Placement::Inbox));
        w.from(w.now, move |r, _| is_dark(r), Fate::Swallowed);
        let dark = [Culprit::Inbox(name("i2")), Culprit::Inbox(name("i3"))];
        while w.notices.is_empty() {
            w.run(Span::from_secs(1));
        }
        w.run(Span::from_secs(30));
        let told = |w: &World, of: u64| w.notices.iter().map(|(_, n)| n).rfind(|n| n.incident.0 == of).map(|n| n.culprit.clone());
        assert!(told(&w, 1).is_some_and(|culprit| dark.contains(&culprit)), "{late}: {:#?}", w.notices);
        w.run(minutes(15));
        assert!((1..=2).all(|of| told(&w, of).is_some_and(|culprit| dark.contains(&culprit))), "{late}: {:#?}", w.notices);
        assert_eq!(w.opened().len(), 2, "{late}: {:#?}", w.notices);
    }
}
