//! Sinks that take nothing are told of to the others, and who has seen an incident is passed on to those that keep that.

use std::collections::BTreeSet;

use mailcanary::config::{PagerDutySettings, SecretRef, Settings, SinkKind};
use mailcanary::model::{Change, Class, Culprit, IncidentId, Kind, Notice, Severity, Span};
use mailcanary::watchdog::{Delivery, Event};

use super::replay;
use super::world::{Fate, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// Three sinks: two hear at once, one waits for a quarter of an hour.
fn sinks(of: Settings) -> Settings {
    let mut settings = of;
    let hook = settings.sinks[&name("hook")].clone();
    let mut boss = hook.clone();
    boss.takes.after = Some(MINUTE.scaled(15, 1));
    settings.sinks.extend([(name("chat"), hook), (name("boss"), boss)]);
    settings
}

/// A provider refuses, and `hook` and `chat` are to hear of it.
fn refusing() -> World {
    refused_by(sinks(settings(2, 1, 2, MINUTE)), "p0")
}

fn refused_by(settings: Settings, provider: &'static str) -> World {
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(10, 1));
    w.from(w.now, move |r, _| r.provider.as_str() == provider, Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(2, 1));
    assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
    w
}

fn ends(w: &mut World, notice: &Notice, sink: &str, outcome: Delivery) {
    let why = (outcome == Delivery::Refused).then(|| "answered 401".to_owned());
    w.feed(Event::Noticed { notice: notice.notice, sink: name(sink), outcome, why });
}

/// Who the newest notice is for.
fn last(w: &World) -> (Notice, Vec<String>) {
    let (_, notice) = w.notices.last().unwrap().clone();
    let sinks = w.dog.pending(notice.notice).map_or_else(Vec::new, |p| p.sinks.iter().map(ToString::to_string).collect());
    (notice, sinks)
}

#[test]
fn a_sink_that_refuses_is_an_incident_of_the_others() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    let (told, sinks) = last(&w);
    assert_eq!((told.change, told.kind, told.severity, &told.culprit), (Change::Opened, Kind::Blind, Severity::Page, &Culprit::Watcher {}));
    assert!(told.summary.starts_with("sink `hook` refuses notices (answered 401)") && told.summary.ends_with("of incident 1"), "{told:?}");
    assert_eq!((told.sink(), told.runbook(), sinks), (Some("hook"), "sink", vec!["chat".to_owned()]));
    assert_eq!(told.evidence["refused"]["incident"], 1);
    // Nobody acknowledges it: who waits is called, but never the one that it is about.
    w.run(MINUTE.scaled(16, 1));
    let boss: Vec<&Notice> = w.notices.iter().map(|(_, n)| n).filter(|n| n.summary.starts_with("ESCALATION")).collect();
    assert_eq!(boss.iter().map(|n| n.incident).collect::<BTreeSet<_>>().len(), 2, "{boss:#?}");
    w.feed(Event::Acknowledged { incident: told.incident, by: "ann".to_owned(), note: None, said_at: None, via: None });
    assert!(w.dog.view(w.now).incidents.iter().any(|i| i.incident == told.incident && i.acknowledged.is_some()));
    replay::holds(&w);
    // It takes something again.
    let other = w.notices.iter().map(|(_, n)| n.clone()).rfind(|n| n.incident == page.incident).unwrap();
    ends(&mut w, &other, "hook", Delivery::Delivered);
    let (over, sinks) = last(&w);
    assert_eq!((over.change, over.incident, over.summary.as_str()), (Change::Resolved, told.incident, "sink `hook` takes notices again"));
    assert_eq!(sinks, ["chat"], "who was called, and had not taken that when somebody came, is not called off");
    replay::holds(&w);
}

#[test]
fn two_sinks_that_refuse_come_to_rest() {
    let mut w = refusing();
    for _ in 0..20 {
        for pending in w.dog.outbox() {
            for sink in &pending.sinks {
                ends(&mut w, &pending.notice, sink.as_str(), Delivery::Refused);
            }
        }
        w.run(Span::from_secs(10));
    }
    let of_sinks = w.notices.iter().filter(|(_, n)| n.sink().is_some()).count();
    assert!((2..=3).contains(&of_sinks), "{of_sinks}: {:#?}", w.notices);
    assert!(w.dog.outbox().is_empty());
    replay::holds(&w);
}

#[test]
fn a_sink_that_refuses_hushes_with_its_configuration() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    let mut fewer = w.settings.clone();
    fewer.sinks.remove(&name("hook"));
    w.dog = mailcanary::watchdog::Watchdog::replay(&fewer, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
    w.run(MINUTE);
    assert!(w.notices.iter().any(|(_, n)| n.summary == "sink `hook` is not configured any more"), "{:#?}", w.notices);
}

#[test]
fn who_has_seen_it_is_passed_on_once_and_not_back() {
    let mut settings = sinks(settings(2, 1, 2, MINUTE));
    for pager in ["pager", "other"] {
        let mut sink = settings.sinks[&name("hook")].clone();
        let key = SecretRef::Env("KEY".to_owned());
        sink.kind =
            SinkKind::PagerDuty(PagerDutySettings { base_url: "http://127.0.0.1:9".to_owned(), routing_key: key, acknowledgements: None });
        settings.sinks.insert(name(pager), sink);
    }
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(10, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(2, 1));
    let incident = w.notices[0].1.incident;
    let seen = |by: &str, via: Option<&str>| Event::Acknowledged {
        incident,
        by: by.to_owned(),
        note: Some("on it".to_owned()),
        said_at: None,
        via: via.map(name),
    };
    w.feed(seen("pagerduty: Jane", Some("pager")));
    let (told, sinks) = last(&w);
    assert_eq!((told.change, told.incident, sinks), (Change::Acknowledged, incident, vec!["other".to_owned()]));
    assert!(
        told.summary.starts_with("acknowledged by pagerduty: Jane at 2023-11-1")
            && told.summary.contains("UTC: on it; provider `p0` refuses"),
        "{told:?}"
    );
    let told = w.notices.len();
    // What comes back of it is no news.
    w.feed(seen("pagerduty: Jane", Some("other")));
    w.feed(seen("ann", None));
    assert_eq!(w.notices.len(), told, "{:#?}", w.notices.last());
    assert_eq!(w.dog.view(w.now).incidents[0].also.len(), 2);
    // Taken back and said again, it is.
    w.feed(Event::Unacknowledged { incident, by: "pagerduty: Jane".to_owned(), said_at: None });
    w.feed(seen("ann", None));
    assert_eq!(last(&w).1, ["other", "pager"]);
    replay::holds(&w);
}

/// It would be the way to see that a sink that was mended takes notices again.
#[test]
fn a_sink_that_refuses_keeps_no_drill_from_beginning() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    w.heal(w.now);
    w.run(MINUTE.scaled(30, 1));
    let open: Vec<Kind> = w.dog.view(w.now).incidents.iter().filter(|i| i.resolved_at.is_none()).map(|i| i.kind).collect();
    assert_eq!(open, [Kind::Blind], "{:#?}", w.notices);
    let began = Event::DrillBegan { provider: name("p1"), until: w.now.plus(MINUTE.scaled(10, 1)), by: "ann".to_owned() };
    w.feed(began);
    w.run(MINUTE.scaled(5, 1));
    let (told, sinks) = last(&w);
    assert!(told.summary.starts_with("DRILL") && sinks.contains(&"hook".to_owned()), "{told:#?} {sinks:?}");
    ends(&mut w, &told, "hook", Delivery::Delivered);
    let over = w.notices.iter().any(|(_, n)| n.sink() == Some("hook") && n.change == Change::Resolved);
    assert!(over, "{:#?}", w.notices);
}

/// The test notice that waits for `hook`, after at most so many minutes.
fn trial(w: &mut World, minutes: u64) -> Option<Notice> {
    for left in (0..=minutes).rev() {
        let waits = w.dog.outbox().into_iter().find(|p| p.notice.is_trial() && p.sinks.contains(&name("hook")));
        if let Some(pending) = waits {
            return Some(Notice::clone(&pending.notice));
        }
        w.run(MINUTE.scaled(left.min(1), 1));
    }
    None
}

/// The real notices that wait for `hook`.
fn owed(w: &World) -> Vec<Notice> {
    let all = w.dog.outbox();
    all.iter().filter(|p| p.sinks.contains(&name("hook")) && !p.notice.is_trial()).map(|p| Notice::clone(&p.notice)).collect()
}

/// `hook` takes all real notices.
fn takes_all(w: &mut World) {
    owed(w).iter().for_each(|notice| ends(w, notice, "hook", Delivery::Delivered));
}

/// What was told of `hook`.
fn of_hook(w: &World, change: Change) -> Vec<Notice> {
    w.notices.iter().map(|(_, n)| n).filter(|n| n.sink() == Some("hook") && n.change == change).cloned().collect()
}

#[test]
fn a_sink_that_refuses_is_tried_again_and_nobody_is_reminded_of_one_that_was_mended() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    let (refused, mut tried) = (w.now, Vec::new());
    while w.now.since(refused) < MINUTE.scaled(40, 1) {
        for pending in w.dog.outbox().iter().filter(|p| p.sinks.contains(&name("hook"))) {
            if pending.notice.is_trial() {
                tried.push(w.now.since(refused).as_ms() / 60_000);
            }
            ends(&mut w, &pending.notice, "hook", Delivery::Refused);
        }
        w.run(MINUTE);
    }
    assert_eq!(tried, [2, 6, 14, 30], "{:#?}", w.notices);
    assert_eq!(of_hook(&w, Change::Reminder).len(), 1, "once it has refused again: {:#?}", w.notices);
    // It is mended, and takes the test notice before the next reminder.
    let notice = trial(&mut w, 60).unwrap();
    ends(&mut w, &notice, "hook", Delivery::Delivered);
    assert!(of_hook(&w, Change::Resolved).is_empty(), "what it has refused it is told once more");
    takes_all(&mut w);
    let over = of_hook(&w, Change::Resolved);
    assert_eq!((over.len(), over[0].summary.as_str()), (1, "sink `hook` takes notices again"));
    assert!(w.dog.outbox().iter().any(|p| p.notice.is_trial() && p.notice.change == Change::Resolved), "and hears that the test is over");
    w.run(MINUTE.scaled(120, 1));
    assert_eq!(of_hook(&w, Change::Reminder).len(), 1);
    replay::holds(&w);
}

#[test]
fn who_closes_the_incident_of_a_sink_has_it_tried_at_once() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    let incident = of_hook(&w, Change::Opened)[0].incident;
    let close = Event::Closed { incident, by: "ann".to_owned(), note: Some("a new webhook".to_owned()) };
    w.feed(close.clone());
    let notice = trial(&mut w, 0).unwrap();
    ends(&mut w, &notice, "hook", Delivery::Refused);
    assert!(of_hook(&w, Change::Resolved).is_empty(), "it is not over because somebody says so");
    w.feed(close);
    let notice = trial(&mut w, 0).unwrap();
    ends(&mut w, &notice, "hook", Delivery::Delivered);
    takes_all(&mut w);
    assert_eq!(of_hook(&w, Change::Resolved).len(), 1, "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn another_configuration_has_a_sink_tried_that_refused() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    w.heal(w.now);
    w.run(MINUTE.scaled(30, 1));
    let notice = trial(&mut w, 0).unwrap();
    ends(&mut w, &notice, "hook", Delivery::Refused);
    assert_eq!(trial(&mut w, 0), None);
    w.dog = mailcanary::watchdog::Watchdog::replay(&w.settings, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
    w.dog.fresh_start().into_iter().for_each(|event| w.feed(event));
    assert!(trial(&mut w, 0).is_some(), "{:#?}", w.notices);
}

#[test]
fn what_waits_long_at_a_sink_is_told_to_those_who_take_notices() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    w.run(MINUTE.scaled(20, 1));
    assert!(of_hook(&w, Change::Opened).is_empty(), "nobody takes anything: there is nobody to tell");
    ends(&mut w, &page, "chat", Delivery::Delivered);
    let told = of_hook(&w, Change::Opened);
    let [told] = &told[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((told.severity, told.kind, told.what().as_str()), (Severity::Warn, Kind::Blind, "takes no notices"));
    assert!(
        told.summary.starts_with("sink `hook` has taken nothing for 2") && told.summary.contains("a notice of incident 1 waits for it"),
        "{told:#?}"
    );
    ends(&mut w, &page, "hook", Delivery::Delivered);
    assert_eq!(of_hook(&w, Change::Resolved).len(), 1, "{:#?}", w.notices);
    // One that is only slow is there.
    w.run(MINUTE.scaled(14, 1));
    assert_eq!(of_hook(&w, Change::Opened).len(), 1);
    replay::holds(&w);
}

#[test]
fn a_second_sink_that_refuses_meanwhile_calls_nobody() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    ends(&mut w, &page, "chat", Delivery::Refused);
    let of_sinks: Vec<(Severity, String)> = w.notices.iter().filter_map(|(_, n)| Some((n.severity, n.sink()?.to_owned()))).collect();
    assert_eq!(of_sinks, [(Severity::Page, "hook".to_owned()), (Severity::Warn, "chat".to_owned())], "{:#?}", w.notices);
    w.run(MINUTE.scaled(5, 1));
    assert_eq!(w.notices.iter().filter(|(_, n)| n.sink().is_some()).count(), 2, "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn who_has_seen_it_is_passed_on_with_how_it_is_now() {
    let mut settings = sinks(settings(2, 1, 2, MINUTE));
    let key = SecretRef::Env("KEY".to_owned());
    settings.sinks.get_mut(&name("chat")).unwrap().kind =
        SinkKind::PagerDuty(PagerDutySettings { base_url: "http://127.0.0.1:9".to_owned(), routing_key: key, acknowledgements: None });
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(30, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(MINUTE.scaled(13, 1));
    let page = w.notices[0].1.clone();
    w.feed(Event::Acknowledged { incident: page.incident, by: "ann".to_owned(), note: None, said_at: None, via: None });
    let (told, _) = last(&w);
    assert_eq!(told.change, Change::Acknowledged);
    let now = w.dog.view(w.now).incidents[0].summary().to_owned();
    assert!(told.summary.ends_with(&now), "{}\n{now}", told.summary);
    assert_ne!(told.evidence["first_bad"]["age"], page.evidence["first_bad"]["age"]);
    replay::holds(&w);
}

#[test]
fn a_sink_that_takes_nothing_is_one_incident_though_what_waits_for_it_becomes_one_notice() {
    let mut w = refusing();
    let minute = |w: &mut World| {
        for pending in w.dog.outbox().iter().filter(|p| p.sinks.contains(&name("chat"))) {
            ends(w, &pending.notice, "chat", Delivery::Delivered);
        }
        // Its queue keeps the newest.
        let old = owed(w);
        for notice in old.iter().take(old.len().saturating_sub(1)) {
            ends(w, notice, "hook", Delivery::Dropped);
        }
        w.run(MINUTE);
    };
    (0..70).for_each(|_| minute(&mut w));
    let reminders = w.notices.iter().filter(|(_, n)| n.incident.0 == 1 && n.change == Change::Reminder).count();
    assert!(reminders >= 1, "{:#?}", w.notices);
    assert_eq!([Change::Opened, Change::Resolved].map(|change| of_hook(&w, change).len()), [1, 0], "{:#?}", w.notices);
    // It is over before the sink has heard of it.
    w.heal(w.now);
    while w.notices.iter().all(|(_, n)| n.incident.0 != 1 || n.change != Change::Resolved) {
        minute(&mut w);
    }
    owed(&w).iter().for_each(|notice| ends(&mut w, notice, "hook", Delivery::Dropped));
    let over = of_hook(&w, Change::Resolved);
    let why = "nothing waits for sink `hook` any more; whether it takes notices is not known";
    assert_eq!(over.iter().map(|n| n.summary.as_str()).collect::<Vec<_>>(), [why], "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn a_sink_that_takes_test_notices_alone_refuses_on() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    let mut refused = 0;
    for _ in 0..90 {
        for pending in w.dog.outbox().iter().filter(|p| p.sinks.contains(&name("hook"))) {
            let outcome = if pending.notice.is_trial() { Delivery::Delivered } else { Delivery::Refused };
            refused += usize::from(outcome == Delivery::Refused);
            ends(&mut w, &pending.notice, "hook", outcome);
        }
        w.run(MINUTE);
    }
    assert!(refused >= 2, "once more, and the reminder: {:#?}", w.notices);
    let all: BTreeSet<IncidentId> = of_hook(&w, Change::Opened).iter().map(|n| n.incident).collect();
    assert_eq!((all.len(), of_hook(&w, Change::Resolved).len()), (1, 0), "{:#?}", w.notices);
    // It takes one that is none.
    while owed(&w).is_empty() {
        w.run(MINUTE);
    }
    takes_all(&mut w);
    // What else it has refused it is told once more.
    takes_all(&mut w);
    assert_eq!(of_hook(&w, Change::Resolved).len(), 1, "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn a_second_sink_that_refuses_calls_when_the_first_takes_notices_again() {
    let mut w = refusing();
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    ends(&mut w, &page, "chat", Delivery::Refused);
    takes_all(&mut w);
    takes_all(&mut w);
    let of_chat: Vec<&Notice> = w.notices.iter().map(|(_, n)| n).filter(|n| n.sink() == Some("chat")).collect();
    let told: Vec<(Change, Severity)> = of_chat.iter().map(|n| (n.change, n.severity)).collect();
    assert_eq!(told, [(Change::Opened, Severity::Warn), (Change::Updated, Severity::Page)], "{:#?}", w.notices);
    assert!(of_chat[0].evidence.get("beside").is_some() && of_chat[1].evidence.get("beside").is_none());
    replay::holds(&w);
}

#[test]
fn who_takes_pages_alone_is_called_of_each_sink_that_refuses() {
    let mut settings = sinks(settings(2, 1, 2, MINUTE));
    let mut pager = settings.sinks[&name("hook")].clone();
    pager.takes.severities = vec![Severity::Page];
    settings.sinks.insert(name("pager"), pager);
    let mut w = refused_by(settings, "p0");
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "hook", Delivery::Refused);
    ends(&mut w, &page, "chat", Delivery::Refused);
    let of_sinks: Vec<Severity> = w.notices.iter().filter(|(_, n)| n.sink().is_some()).map(|(_, n)| n.severity).collect();
    assert_eq!(of_sinks, [Severity::Page; 2], "{:#?}", w.notices);
}

#[test]
fn the_loudest_that_waits_long_says_how_loud_it_is() {
    let mut w = refused_by(sinks(settings(3, 1, 2, MINUTE)), "p0");
    let page = w.notices[0].1.clone();
    ends(&mut w, &page, "chat", Delivery::Delivered);
    w.run(MINUTE.scaled(3, 1));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    w.run(MINUTE.scaled(13, 1));
    assert_eq!(of_hook(&w, Change::Opened).iter().map(|n| n.severity).collect::<Vec<_>>(), [Severity::Warn], "{:#?}", w.notices);
    w.run(MINUTE.scaled(6, 1));
    let louder = of_hook(&w, Change::Updated);
    assert_eq!(louder.iter().map(|n| n.severity).collect::<Vec<_>>(), [Severity::Page], "{:#?}", w.notices);
    assert!(louder[0].summary.contains("a notice of incident 2 waits for it"), "{louder:#?}");
    replay::holds(&w);
}

/// `hook` ends what waits for it by this, minute by minute.
fn answers(w: &mut World, minutes: u64, refuses: impl Fn(&Notice) -> bool) {
    for _ in 0..minutes {
        for pending in w.dog.outbox() {
            for sink in &pending.sinks {
                let refused = sink.as_str() == "hook" && refuses(&pending.notice);
                ends(w, &pending.notice, sink.as_str(), if refused { Delivery::Refused } else { Delivery::Delivered });
            }
        }
        w.run(MINUTE);
    }
}

#[test]
fn a_sink_that_refuses_what_is_said_of_one_incident_is_one_incident_and_there_for_the_rest() {
    let mut w = refused_by(sinks(settings(3, 1, 2, MINUTE)), "p0");
    let poison = w.notices[0].1.incident;
    answers(&mut w, 5, |notice| notice.incident == poison);
    assert_eq!(of_hook(&w, Change::Opened).len(), 1, "{:#?}", w.notices);
    // Others are taken; this one is told anew again and again, and refused each time.
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    answers(&mut w, 240, |notice| notice.incident == poison);
    let all: Vec<(Change, String)> =
        w.notices.iter().filter(|(_, n)| n.sink() == Some("hook")).map(|(_, n)| (n.change, n.summary.clone())).collect();
    let changes: Vec<Change> = all.iter().map(|(change, _)| *change).collect();
    assert_eq!(changes, [Change::Opened, Change::Updated, Change::Updated], "{all:#?}");
    for (known, takes) in of_hook(&w, Change::Updated).iter().zip(["test", "other"]) {
        let only = format!("sink `hook` refuses what is said of incident 1 (answered 401), and takes {takes} notices: ");
        assert!(known.summary.starts_with(&only) && known.evidence.get("quiet").is_some(), "nobody is called for it: {known:#?}");
        assert_eq!(known.what(), "refuses notices of incident 1");
    }
    assert_eq!(trial(&mut w, 0), None, "it is there, and need not be tried");
    replay::holds(&w);
    // What it refuses is over: so is this, once.
    w.heal(w.now);
    answers(&mut w, 60, |notice| notice.incident == poison);
    let over = of_hook(&w, Change::Resolved);
    let why = "what sink `hook` refused to be told of is over, and it takes other notices";
    assert_eq!(over.iter().map(|n| n.summary.as_str()).collect::<Vec<_>>(), [why], "{:#?}", w.notices);
    assert_eq!(of_hook(&w, Change::Opened).len(), 1);
    replay::holds(&w);
}

#[test]
fn a_sink_that_refused_one_incident_and_then_everything_says_so_aloud() {
    let mut w = refused_by(sinks(settings(3, 1, 2, MINUTE)), "p0");
    let poison = w.notices[0].1.incident;
    answers(&mut w, 20, |notice| notice.incident == poison);
    assert!(of_hook(&w, Change::Updated)[0].summary.contains("takes test notices"), "{:#?}", w.notices);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Refused(Class::Suspended));
    answers(&mut w, 20, |_| true);
    let louder = of_hook(&w, Change::Updated).pop().unwrap();
    assert!(
        louder.summary.starts_with("sink `hook` refuses notices (answered 401)") && louder.evidence.get("quiet").is_none(),
        "{louder:#?}"
    );
    answers(&mut w, 90, |_| false);
    assert_eq!(of_hook(&w, Change::Resolved).len(), 1, "{:#?}", w.notices);
    replay::holds(&w);
}
