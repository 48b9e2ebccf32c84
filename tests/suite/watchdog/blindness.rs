//! Inboxes that cannot be read, one by one and all at once, with and without a failure of a provider meanwhile.

use std::collections::BTreeMap;

use mailcanary::model::{At, Change, Class, Culprit, Kind, Notice, Outcome, Placement, Severity, Span};
use mailcanary::watchdog::{Effect, Event, Reads, Watchdog};

use super::replay;
use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

fn world(hosts: &[&str]) -> World {
    let mut settings = settings(3, 1, hosts.len(), MINUTE);
    for (n, host) in hosts.iter().enumerate() {
        let inbox = settings.inboxes.get_mut(&name(&format!("i{n}"))).unwrap();
        let mailcanary::config::InboxKind::Imap(imap) = &mut inbox.kind else { panic!() };
        (*host).clone_into(&mut imap.host);
    }
    let mut w = World::new(settings);
    w.run(MINUTE.scaled(60, 1));
    assert!(w.notices.is_empty());
    w
}

fn blind(w: &mut World, inbox: usize, why: &str) {
    w.feed(Event::Blind { inbox: name(&format!("i{inbox}")), class: Some(Class::Auth), why: Some(why.to_owned()) });
}

fn sight(w: &mut World, inbox: usize) {
    w.feed(Event::Sight { inbox: name(&format!("i{inbox}")) });
}

/// What calls: the beginnings, and what becomes louder.
fn pages(w: &World) -> Vec<(At, Notice)> {
    let loud = |n: &Notice| matches!(n.change, Change::Opened | Change::Updated) && n.evidence.get("quiet").is_none();
    w.notices.iter().filter(|(_, n)| n.severity == Severity::Page && loud(n)).cloned().collect()
}

#[test]
fn no_inbox_at_all_is_one_page_that_names_what_they_have_in_common() {
    let one: &[&str] = &["mail.one.example"; 3];
    let several: &[&str] = &["mail.one.example", "mail.two.example", "mail.three.example"];
    for (hosts, common) in
        [(one, "all 3 are at `mail.one.example`"), (several, "they are at 3 servers, so that the cause is the watcher's host or network")]
    {
        let mut w = world(hosts);
        let began = w.now;
        (0..3).for_each(|inbox| blind(&mut w, inbox, "connection refused"));
        w.dark_until = Some(w.now.plus(MINUTE.scaled(40, 1)));
        w.run(MINUTE.scaled(30, 1));
        let [(at, page)] = &w.notices[..] else { panic!("{:#?}", w.notices) };
        assert_eq!(
            (page.kind, page.severity, &page.culprit, at.since(began)),
            (Kind::Blind, Severity::Page, &Culprit::Watcher {}, MINUTE.scaled(5, 1))
        );
        assert!(
            page.summary.starts_with("no inbox can be read for 5m, and nothing is known of any route: ") && page.summary.contains(common),
            "{}",
            page.summary
        );
        assert_eq!((page.sink(), page.runbook()), (None, "blind"));
        w.run(MINUTE.scaled(10, 1));
        assert!(w.notices[1].1.summary.contains("no inbox can be read for 35m"), "a reminder, as it stands: {:#?}", w.notices[1]);
        (0..3).for_each(|inbox| sight(&mut w, inbox));
        w.run(MINUTE.scaled(20, 1));
        assert_eq!((w.notices.len(), w.told(Change::Resolved)), (3, 1), "{:#?}", w.notices);
        assert_eq!(w.notices[2].1.summary, "inbox `i0` can be read again");
        replay::holds(&w);
    }
}

#[test]
fn what_was_told_of_single_inboxes_becomes_part_of_it() {
    let mut w = world(&["a.example", "b.example", "c.example"]);
    blind(&mut w, 0, "wrong password");
    w.run(MINUTE.scaled(10, 1));
    blind(&mut w, 1, "wrong password");
    w.run(MINUTE.scaled(10, 1));
    assert_eq!(
        w.opened().iter().map(|n| (n.severity, n.culprit.clone())).collect::<Vec<_>>(),
        [0, 1].map(|n| (Severity::Warn, Culprit::Inbox(name(&format!("i{n}")))))
    );
    blind(&mut w, 2, "wrong password");
    w.run(MINUTE.scaled(10, 1));
    let [first, second] = [w.notices[0].1.incident, w.notices[1].1.incident];
    let [(_, page)] = &pages(&w)[..] else { panic!("{:#?}", w.notices) };
    assert_eq!((page.change, page.incident, &page.culprit), (Change::Updated, first, &Culprit::Watcher {}));
    let part = w.notices.iter().find(|(_, n)| n.change == Change::Resolved).unwrap();
    assert_eq!((part.1.incident, part.1.summary.as_str()), (second, "part of a larger failure: no inbox can be read (incident 1)"));
    // One comes back: it is over, and the two others have their time before they are told of again.
    sight(&mut w, 1);
    let told = w.notices.len();
    assert_eq!((w.notices[told - 1].1.change, w.notices[told - 1].1.incident), (Change::Resolved, first));
    w.run(MINUTE.scaled(4, 1));
    sight(&mut w, 0);
    w.run(MINUTE.scaled(10, 1));
    let late: Vec<_> = w.notices.iter().skip(told).map(|(_, n)| (n.change, n.severity, n.culprit.clone())).collect();
    assert_eq!(late, [(Change::Opened, Severity::Warn, Culprit::Inbox(name("i2")))], "{:#?}", w.notices);
    replay::holds(&w);
}

#[test]
fn an_outage_in_the_middle_of_it_is_a_page_of_its_own() {
    // The provider fails before, while, or after no inbox can be read.
    for fails_after in [0, 9, 25] {
        let mut w = world(&["a.example", "b.example", "c.example"]);
        let began = w.now;
        w.from(began.plus(MINUTE.scaled(fails_after, 1)), |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
        w.run(MINUTE.scaled(4, 1));
        w.dark_until = Some(w.now.plus(MINUTE.scaled(15, 1)));
        for inbox in 0..3 {
            blind(&mut w, inbox, "timed out");
            w.run(Span::from_secs(7));
        }
        w.run(Span::from_secs(15 * 60 - 21));
        for inbox in 0..3 {
            sight(&mut w, inbox);
            w.run(Span::from_secs(5));
        }
        w.run(MINUTE.scaled(30, 1));
        w.heal(w.now);
        w.run(MINUTE.scaled(30, 1));
        let loud: Vec<_> = pages(&w).into_iter().map(|(_, n)| (n.kind, n.culprit)).collect();
        assert_eq!(loud.len(), 2, "failing after {fails_after} min: {:#?}", w.notices);
        assert!(loud.contains(&(Kind::Blind, Culprit::Watcher {})), "{loud:?}");
        assert!(loud.contains(&(Kind::Stopped, Culprit::Provider(name("p1")))), "{loud:?}");
        let incidents: std::collections::BTreeSet<_> = w.notices.iter().map(|(_, n)| n.incident).collect();
        assert_eq!((incidents.len(), w.told(Change::Resolved)), (2, 2), "{:#?}", w.notices);
        replay::holds(&w);
    }
}

#[test]
fn who_is_reminded_while_nothing_can_be_seen_is_told_of_when_it_is() {
    let mut w = world(&["a.example", "b.example"]);
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(Span::from_secs(180));
    blind(&mut w, 0, "no connection");
    blind(&mut w, 1, "no connection");
    w.run(Span::from_secs(3600));
    let reminds = |n: &Notice| n.change == Change::Reminder && n.kind == Kind::Stopped;
    let reminders: Vec<&(At, Notice)> = w.notices.iter().filter(|(_, n)| reminds(n)).collect();
    assert!(!reminders.is_empty(), "{:#?}", w.notices);
    for (at, reminder) in reminders {
        let (summary, bad) = (&reminder.summary, &reminder.evidence["first_bad"]);
        let sent = At::from_rfc3339(bad["sent_at"].as_str().unwrap()).unwrap();
        assert!(summary.contains("no inbox can be read, and nothing is known of now. As it was at "), "{summary}");
        assert_eq!(bad["age"], at.since(sent).to_string());
        assert_eq!(summary.matches("As it was at ").count(), 1, "{summary}");
    }
}

/// Two providers and two inboxes that are read every ten seconds, as is told.
struct Explicit {
    dog: Watchdog,
    now: At,
    queue: BTreeMap<(At, u64), Event>,
    order: u64,
    cut: bool,
    notices: Vec<Notice>,
}

impl Explicit {
    fn feed(&mut self, event: Event) {
        for effect in self.dog.step(self.now, event).unwrap().effects {
            match effect {
                Effect::Submit { canary, inbox, .. } => {
                    let outcome = if self.cut { Outcome::Refused(Class::Network) } else { Outcome::Accepted };
                    let (reply, hint, message_id, legs, retry_after) = (None, None, None, Vec::new(), None);
                    self.at(Span::from_ms(50), Event::Answered { canary, outcome, reply, hint, message_id, legs, retry_after });
                    let arrived_at = self.now.plus(Span::from_secs(3));
                    let seen = Event::Sighted { inbox, canary, placement: Placement::Inbox, arrived_at, seen_at: None, copy: None };
                    if !self.cut {
                        self.at(Span::from_secs(3), seen);
                    }
                }
                Effect::Notify(notice) => self.notices.push(notice),
                _ => {}
            }
        }
    }

    fn at(&mut self, after: Span, event: Event) {
        self.order += 1;
        self.queue.insert((self.now.plus(after), self.order), event);
    }

    fn run(&mut self, span: Span) {
        let end = self.now.plus(span);
        loop {
            let queued = self.queue.keys().next().map(|(at, _)| *at);
            let read = At::from_ms((self.now.as_ms() / 10_000 + 1) * 10_000);
            let next = [queued, self.dog.wake_at(), Some(read)].into_iter().flatten().min().unwrap_or(end).max(self.now);
            if next > end {
                return;
            }
            self.now = next;
            if let Some(due) = self.queue.first_entry().filter(|e| e.key().0 == next) {
                let event = due.remove();
                self.feed(event);
            } else if next == read && !self.cut {
                ["i0", "i1"].into_iter().for_each(|inbox| self.feed(Event::Read { inbox: name(inbox), up_to: None, cursor: None }));
            } else {
                self.feed(Event::Woke {});
            }
        }
    }
}

#[test]
fn a_cut_that_is_told_with_explicit_reads_is_nobody_elses_failure() {
    let dog = Watchdog::new(&settings(2, 1, 2, MINUTE));
    let mut w = Explicit { dog, now: START, queue: BTreeMap::new(), order: 0, cut: false, notices: Vec::new() };
    w.feed(Event::Started { seed: 7, reads: Reads::Explicit });
    w.run(MINUTE.scaled(90, 1));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    w.cut = true;
    w.feed(Event::CutOff {});
    w.run(MINUTE.scaled(30, 1));
    w.cut = false;
    w.feed(Event::Connected {});
    w.run(MINUTE.scaled(30, 1));
    assert!(w.notices.iter().all(|n| n.kind == Kind::CutOff), "{:#?}", w.notices);
    let told: Vec<Change> = w.notices.iter().map(|n| n.change).filter(|c| *c != Change::Reminder).collect();
    assert_eq!(told, [Change::Opened, Change::Resolved], "{:#?}", w.notices);
}

#[test]
fn what_delivered_when_it_was_seen_last_is_not_said_to_deliver_now() {
    let mut w = World::new(settings(2, 1, 2, Span::from_secs(60)));
    w.run(Span::from_secs(1800));
    for well_for in [6, 2] {
        w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
        w.run(MINUTE.scaled(3, 1));
        w.heal(w.now);
        w.run(MINUTE.scaled(well_for, 1));
    }
    let kept = |w: &World| w.dog.view(w.now).incidents.into_iter().find(|i| i.kind == Kind::Refused && i.resolved_at.is_none()).unwrap();
    assert!(kept(&w).summary().contains("at present delivering"), "{}", kept(&w).summary());
    for inbox in 0..2 {
        blind(&mut w, inbox, "no route to host");
    }
    w.run(Span::from_secs(120));
    let said = kept(&w);
    assert!(!said.summary().contains("at present delivering"), "{}", said.summary());
    assert!(said.summary().starts_with("no inbox can be read, and nothing is known of now. As it was at "), "{}", said.summary());
}
