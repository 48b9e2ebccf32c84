//! Drills: a provider that fails as seen by the watchdog, to prove that the alarm can ring.

use mailcanary::model::{Change, Class, Culprit, Kind, Notice, Severity, Span, Verdict};
use mailcanary::watchdog::{Delivery, Event, Rang, Unfit};

use super::replay;
use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// How long the sink takes to take a page.
const TAKES: Span = Span::from_secs(7);

fn well() -> World {
    let mut w = World::new(settings(3, 1, 3, MINUTE));
    w.taken_after = Some(TAKES);
    w.run(MINUTE.scaled(60, 1));
    w
}

fn begin(w: &mut World, provider: &str) {
    w.feed(Event::DrillBegan { provider: name(provider), until: w.now.plus(MINUTE.scaled(10, 1)), by: "ann".to_owned() });
}

#[test]
fn a_drill_pages_says_what_it_is_and_ends_by_itself() {
    let mut w = well();
    let learnt = w.dog.still_out(&w.dog.view(w.now).routes[4].route, Span::from_secs(10));
    let began = w.now;
    begin(&mut w, "p1");
    w.run(MINUTE.scaled(20, 1));
    let [(paged, page), (over, end)] = &w.notices[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((page.change, page.severity, page.kind), (Change::Opened, Severity::Page, Kind::Stopped));
    assert_eq!(page.culprit, Culprit::Provider(name("p1")));
    assert!(
        page.summary.starts_with("DRILL (provider p1 as stopped, by ann), nothing is wrong: provider `p1` stopped"),
        "{}",
        page.summary
    );
    assert!(page.evidence["drill"].is_string());
    let next = page.evidence["next_step"].as_str().unwrap();
    let latest = began.plus(MINUTE.scaled(10, 1)).minute();
    assert!(
        next.starts_with("nothing: this is a drill. It ends by itself") && next.contains(&format!("at {latest} at the latest")),
        "{next}"
    );
    assert!(paged.since(began) < MINUTE.scaled(2, 1), "after {}", paged.since(began));
    assert_eq!((end.change, end.incident), (Change::Resolved, page.incident));
    assert_eq!(over.since(*paged), TAKES + Span::from_secs(30), "the sinks had time to ring");
    let taken = paged.since(began) + TAKES;
    assert_eq!(end.summary, format!("DRILL, over: the first sink took the page {taken} after it began"));
    let view = w.dog.view(w.now);
    let drilled = view.drilled.as_ref().unwrap();
    assert_eq!((drilled.paged_after, drilled.written_after), (Some(taken), Some(paged.since(began))));
    assert_eq!(drilled.sinks.clone().into_iter().collect::<Vec<_>>(), [(name("hook"), Rang::Taken(taken))]);
    assert!(view.drill.is_none() && view.routes.iter().all(|r| r.verdict == Verdict::Delivering));
    let arrived: u64 = view.routes.iter().map(|r| r.counts.arrived.values().sum::<u64>()).sum();
    let in_flight: u64 = view.routes.iter().map(|r| r.in_flight).sum();
    assert_eq!(arrived + in_flight, u64::try_from(w.sent.len()).unwrap(), "what was withheld is known afterwards");
    assert!(view.routes.iter().all(|r| r.counts.lost == 0 && r.counts.duplicate == 0));
    let learnt_then = w.dog.still_out(&view.routes[4].route, Span::from_secs(10));
    assert!((learnt.unwrap() - learnt_then.unwrap()).abs() < 0.01, "nothing is learnt from a drill");
    replay::holds(&w);
}

#[test]
fn whoever_looks_at_a_drill_sees_that_it_is_one() {
    let mut settings = settings(3, 1, 3, MINUTE);
    settings.watch.remind_after = MINUTE;
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(60, 1));
    begin(&mut w, "p0");
    while w.told(Change::Reminder) == 0 {
        w.run(Span::from_secs(5));
    }
    w.run(Span::from_secs(20));
    let open = w.dog.view(w.now).incidents.into_iter().find(|i| i.resolved_at.is_none()).unwrap();
    assert!(open.present.is_some() && open.summary().starts_with("DRILL (provider p0"), "{}", open.summary());
    assert!(open.evidence()["next_step"].as_str().unwrap().starts_with("nothing: this is a drill"), "{}", open.evidence());
    for (_, told) in &w.notices {
        assert!(told.evidence["next_step"].as_str().unwrap().starts_with("nothing: this is a drill"), "{}", told.evidence);
        assert!(told.summary.starts_with("DRILL (") && told.summary.matches("DRILL").count() == 1, "once: {}", told.summary);
    }
}

#[test]
fn a_drill_whose_page_no_sink_takes_has_failed() {
    // Nobody answers, or everybody refuses: the page is written all the same.
    for refuses in [false, true] {
        let mut w = well();
        w.taken_after = None;
        let began = w.now;
        begin(&mut w, "p1");
        w.run(MINUTE.scaled(3, 1));
        let (written, page) = w.notices[0].clone();
        assert_eq!(w.dog.view(w.now).drill.unwrap().paged_after, None, "nobody has heard it");
        if refuses {
            w.feed(Event::Noticed { notice: page.notice, sink: name("hook"), outcome: Delivery::Refused, why: None });
        }
        w.run(MINUTE.scaled(10, 1));
        let view = w.dog.view(w.now);
        let drilled = view.drilled.unwrap();
        assert_eq!((drilled.paged_after, drilled.written_after), (None, Some(written.since(began))));
        assert_eq!(drilled.sinks[&name("hook")], if refuses { Rang::Refused } else { Rang::Silent });
        let end = view.incidents.iter().find(|i| i.incident == page.incident).unwrap();
        assert_eq!(
            end.last.summary,
            format!("DRILL, over, and it has failed: the page was written {} after it began, and no sink took it", written.since(began))
        );
        replay::holds(&w);
    }
}

#[test]
fn a_drill_waits_for_the_slow_sink_and_not_for_ever() {
    let mut settings = settings(3, 1, 3, MINUTE);
    let hook = settings.sinks[&name("hook")].clone();
    settings.sinks.extend(["slow", "dead"].map(|sink| (name(sink), hook.clone())));
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(60, 1));
    let began = w.now;
    begin(&mut w, "p1");
    while w.notices.is_empty() {
        w.run(Span::from_secs(1));
    }
    let (written, page) = w.notices[0].clone();
    let takes = |sink: &str| Event::Noticed { notice: page.notice, sink: name(sink), outcome: Delivery::Delivered, why: None };
    w.at(written.plus(Span::from_secs(5)), takes("hook"));
    w.at(written.plus(Span::from_secs(65)), takes("slow"));
    w.run(MINUTE.scaled(9, 1));
    let drilled = w.dog.view(w.now).drilled.unwrap();
    let after = |secs| written.plus(Span::from_secs(secs)).since(began);
    assert_eq!(drilled.at, written.plus(Span::from_secs(125)), "two minutes after the first");
    assert_eq!(drilled.paged_after, Some(after(5)));
    let rang = |sink: &str| drilled.sinks[&name(sink)];
    assert_eq!([rang("hook"), rang("slow"), rang("dead")], [Rang::Taken(after(5)), Rang::Taken(after(65)), Rang::Silent]);
    replay::holds(&w);
}

#[test]
fn a_failure_after_a_drill_is_no_drill_and_waits_for_no_hold() {
    let mut w = well();
    begin(&mut w, "p1");
    w.run(MINUTE.scaled(5, 1));
    let stop = w.now;
    w.from(stop, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(MINUTE.scaled(5, 1));
    let real: Vec<_> = w.notices.iter().filter(|(at, n)| *at > stop && n.change == Change::Opened).collect();
    let [(at, notice)] = real[..] else { panic!("{:#?}", w.notices) };
    assert!(!notice.summary.contains("DRILL") && at.since(stop) < MINUTE.scaled(2, 1), "{}: {}", at.since(stop), notice.summary);
}

#[test]
fn a_failure_of_another_provider_is_told_as_such_during_a_drill() {
    let mut w = well();
    begin(&mut w, "p1");
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(Span::from_secs(75));
    let refused = w.opened().into_iter().find(|n| n.culprit == Culprit::Provider(name("p0"))).unwrap().clone();
    assert!(!refused.summary.contains("DRILL"), "{}", refused.summary);
}

#[test]
fn a_refusal_of_the_provider_that_is_drilled_is_real() {
    let mut w = well();
    begin(&mut w, "p1");
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(3, 1));
    let told: Vec<_> = w.notices.iter().filter(|(_, n)| n.culprit == Culprit::Provider(name("p1"))).collect();
    let [(_, refused)] = told[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((refused.kind, refused.severity, refused.change), (Kind::Refused, Severity::Page, Change::Opened));
    assert!(!refused.summary.contains("DRILL") && refused.evidence.get("drill").is_none(), "{}", refused.summary);
    w.run(MINUTE.scaled(15, 1));
    let open = w.dog.view(w.now).incidents.iter().filter(|i| i.resolved_at.is_none()).count();
    assert_eq!(open, 1, "the end of the drill does not end it");
}

#[test]
fn a_drill_begins_and_ends_only_where_it_can() {
    let mut w = well();
    let no = |w: &mut World, event: Event| w.dog.step(w.now, event).unwrap_err();
    let until = w.now.plus(MINUTE.scaled(10, 1));
    let began = |provider: &str| Event::DrillBegan { provider: name(provider), until, by: "ann".to_owned() };
    assert_eq!(no(&mut w, began("nobody")), Unfit::UnknownProvider(name("nobody")));
    assert!(matches!(no(&mut w, Event::DrillStopped { by: "ann".to_owned() }), Unfit::NoDrill(_)));
    begin(&mut w, "p1");
    assert!(matches!(no(&mut w, began("p2")), Unfit::NoDrill(_)));
    w.run(Span::from_secs(20));
    w.feed(Event::DrillStopped { by: "ann".to_owned() });
    w.run(MINUTE.scaled(20, 1));
    assert!(w.notices.is_empty(), "stopped before anybody was paged: {:#?}", w.notices);
    assert_eq!(w.dog.view(w.now).drilled.unwrap().paged_after, None);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(3, 1));
    let now = w.now;
    assert!(matches!(w.dog.step(now, began("p1")), Err(Unfit::NoDrill(_))), "an open incident is no drill");
    assert!(matches!(w.dog.step(now, began("p2")), Err(Unfit::NoDrill(_))), "two that fail would have a cause in common");
}

/// Whether a notice calls, as what is real does.
fn is_real_page(n: &Notice) -> bool {
    let calls = n.change == Change::Opened || n.change == Change::Updated && n.evidence.get("quiet").is_none();
    calls && n.severity == Severity::Page && n.evidence.get("drill").is_none() && !n.summary.contains("DRILL")
}

#[test]
fn what_stops_around_the_beginning_of_a_drill_is_paged_as_real() {
    for (providers, before, after) in
        [(3, 1, 0), (2, 1, 0), (3, 10, 0), (2, 10, 0), (3, 0, 1), (2, 0, 1), (3, 0, 20), (2, 0, 20), (3, 0, 50), (2, 0, 50)]
    {
        let case = format!("{providers} providers, stopped {before} s before, or {after} s after");
        let mut w = World::new(settings(providers, 1, 3, MINUTE));
        w.taken_after = Some(TAKES);
        w.run(MINUTE.scaled(60, 1));
        let began = w.now.plus(Span::from_secs(before));
        let stop = w.now.plus(Span::from_secs(after));
        w.from(stop, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
        w.run(began.since(w.now));
        begin(&mut w, "p0");
        w.run(MINUTE.scaled(20, 1));
        let pages = w.notices.iter().filter(|(_, n)| is_real_page(n));
        let mut of_it = pages.filter(|(_, n)| matches!(&n.culprit, Culprit::Watcher {}) || n.culprit == Culprit::Provider(name("p1")));
        let (at, _) = of_it.next().unwrap_or_else(|| panic!("{case}: nobody is called: {:#?}", w.notices));
        assert!(at.since(stop) < MINUTE.scaled(3, 1), "{case}: after {}", at.since(stop));
        for (_, drill) in w.notices.iter().filter(|(_, n)| n.evidence.get("drill").is_some()) {
            assert_eq!(drill.culprit, Culprit::Provider(name("p0")), "{case}: {}", drill.summary);
        }
        let view = w.dog.view(w.now);
        let open: Vec<_> = view.incidents.iter().filter(|i| i.resolved_at.is_none()).collect();
        let [open] = open[..] else { panic!("{case}: {open:#?}") };
        assert!(open.culprit == Culprit::Provider(name("p1")) && !open.summary().contains("DRILL"), "{case}: {}", open.summary());
        replay::holds(&w);
    }
}

#[test]
fn what_is_real_calls_where_a_drill_was_told() {
    // Everything stops: the drill's own incident becomes that of all mail.
    let mut w = well();
    w.taken_after = None;
    begin(&mut w, "p1");
    while w.notices.is_empty() {
        w.run(Span::from_secs(1));
    }
    let (_, page) = w.notices[0].clone();
    assert!(page.evidence.get("drill").is_some());
    let stop = w.now;
    w.from(stop, |_, _| true, Fate::Swallowed);
    w.run(MINUTE.scaled(30, 1));
    let real: Vec<_> = w.notices.iter().filter(|(_, n)| is_real_page(n)).collect();
    let [(at, first), ..] = real[..] else { panic!("{:#?}", w.notices) };
    assert!(at.since(stop) < MINUTE.scaled(3, 1), "{}", at.since(stop));
    // Sinks where what somebody has seen stays silent count by that.
    assert!(first.incident != page.incident || first.evidence["calls"] == 1, "{first:#?}");
    assert!(w.notices.iter().filter(|(then, _)| then >= at).all(|(_, n)| n.evidence.get("drill").is_none()), "{:#?}", w.notices);
    replay::holds(&w);
}
