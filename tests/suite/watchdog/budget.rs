//! Budgets hold through days and outages, and cost no verdict; stand-by providers warn and never page.

use mailcanary::config::{Budget, Settings};
use mailcanary::model::{At, Change, Class, Culprit, Reason, Route, Severity, Span, Verdict};
use mailcanary::watchdog::{Fact, Watchdog};

use super::world::{Fate, World, name, settings};

const DAY: Span = Span::from_secs(86_400);

fn minutes(n: u64) -> Span {
    Span::from_secs(n * 60)
}

fn with_budget(mut settings: Settings, provider: Budget, inbox: Budget) -> Settings {
    settings.providers.get_mut(&name("p0")).unwrap().budget = provider;
    settings.inboxes.get_mut(&name("i0")).unwrap().budget = inbox;
    settings
}

fn cap(canaries_per_day: u32) -> Budget {
    Budget { canaries_per_day: Some(canaries_per_day), spacing: None }
}

fn spacing(span: Span) -> Budget {
    Budget { canaries_per_day: None, spacing: Some(span) }
}

/// When and why canaries were sent over such routes.
fn sent(w: &World, chosen: impl Fn(&Route) -> bool) -> Vec<(At, Reason)> {
    let of = |r: &mailcanary::watchdog::Record| {
        let Fact::Sent { provider, stream, inbox, reason, .. } = &r.fact else { return None };
        let route = Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() };
        chosen(&route).then_some((r.at, *reason))
    };
    w.records.iter().filter_map(of).collect()
}

/// The most of these in any 24 hours.
fn most_in_a_day(sent: &[(At, Reason)]) -> usize {
    (0..sent.len()).map(|first| sent[first..].iter().take_while(|(at, _)| at.since(sent[first].0) < DAY).count()).max().unwrap_or(0)
}

fn confirmations(sent: &[(At, Reason)]) -> usize {
    sent.iter().filter(|(_, reason)| *reason == Reason::Confirmation).count()
}

/// Three days in which a provider loses a part of its mail, goes dark and comes back.
fn troubled(settings: Settings) -> World {
    let mut w = World::new(settings);
    w.run(DAY);
    w.from(w.now, |r, n| r.provider.as_str() == "p0" && n * 2_654_435_761 % 97 < 30, Fate::Swallowed);
    w.run(DAY.scaled(1, 2));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(240));
    w.heal(w.now);
    w.run(DAY);
    w
}

#[test]
fn a_cap_holds_in_any_day_and_confirmations_leave_the_routine_its_place() {
    let free = troubled(settings(2, 1, 2, minutes(5)));
    let asked = confirmations(&sent(&free, |r| r.provider.as_str() == "p0"));
    let w = troubled(with_budget(settings(2, 1, 2, minutes(5)), cap(590), cap(600)));
    let (p0, i0) = (sent(&w, |r| r.provider.as_str() == "p0"), sent(&w, |r| r.inbox.as_str() == "i0"));
    assert!(most_in_a_day(&p0) <= 590 && most_in_a_day(&i0) <= 600, "{} {}", most_in_a_day(&p0), most_in_a_day(&i0));
    assert!(most_in_a_day(&sent(&free, |r| r.provider.as_str() == "p0")) > 590, "without a cap there were more");
    assert!(confirmations(&p0) > 0 && confirmations(&p0) < asked, "{} of {asked}", confirmations(&p0));
    for route in &w.settings.routes {
        let routine: Vec<_> = sent(&w, |r| r == route).into_iter().filter(|(_, reason)| *reason == Reason::Routine).collect();
        assert!(routine.windows(2).all(|pair| pair[1].0.since(pair[0].0) < minutes(8)), "{route}: every round has its canary");
    }
    let paged = w.notices.iter().find(|(_, n)| n.severity == Severity::Page).expect("it pages all the same");
    assert_eq!(paged.1.culprit, Culprit::Provider(name("p0")));
    let inboxes = w.dog.view(w.now).inboxes;
    assert!(inboxes[0].budget.is_some_and(|(cap, spent)| cap == 600 && spent > 0 && spent <= cap), "{:?}", inboxes[0].budget);
    assert_eq!(inboxes[1].budget, None);
}

#[test]
fn what_a_cap_holds_back_is_sent_later_and_called_silent_by_nobody() {
    let mut w = World::new(with_budget(settings(2, 1, 2, minutes(5)), cap(100), Budget::default()));
    w.run(DAY.scaled(3, 1));
    let p0 = sent(&w, |r| r.provider.as_str() == "p0");
    assert_eq!(most_in_a_day(&p0), 100, "and no less");
    assert!(p0.len() >= 298, "every day has its hundred: {}", p0.len());
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    let woke = w.steps.iter().filter(|(_, event, ..)| *event == mailcanary::watchdog::Event::Woke {}).count();
    assert!(woke < w.sent.len() * 4, "it sleeps until there is room: {woke} wake-ups");
    let view = w.dog.view(w.now);
    assert_eq!(view.providers[0].traffic.budget.map(|(cap, spent)| (cap, spent <= 100)), Some((100, true)));
    assert_eq!(view.providers[0].verdict, Verdict::Delivering);
}

#[test]
fn canaries_keep_their_distance_in_an_outage_too() {
    let mut w = World::new(with_budget(settings(6, 1, 2, minutes(1)), spacing(Span::from_secs(20)), spacing(Span::from_secs(8))));
    w.run(minutes(60));
    w.from(w.now, |r, _| r.inbox.as_str() == "i0" || r.provider.as_str() == "p0", Fate::Swallowed);
    w.run(minutes(60));
    w.heal(w.now);
    w.run(minutes(60));
    let apart = |chosen: fn(&Route) -> bool| sent(&w, chosen).windows(2).map(|pair| pair[1].0.since(pair[0].0)).min().unwrap();
    assert!(apart(|r| r.provider.as_str() == "p0") >= Span::from_secs(20));
    assert!(apart(|r| r.inbox.as_str() == "i0") >= Span::from_secs(8));
    assert!(confirmations(&sent(&w, |r| r.inbox.as_str() == "i0")) > 0, "it asks all the same");
    for route in &w.settings.routes {
        let routine = sent(&w, |r| r == route).iter().filter(|(_, reason)| *reason == Reason::Routine).count();
        assert!(routine >= 176, "{route}: {routine} of 180 rounds");
    }
}

#[test]
fn a_budget_is_replayed() {
    let w = troubled(with_budget(settings(2, 1, 2, minutes(5)), Budget { spacing: Some(Span::from_secs(4)), ..cap(560) }, cap(600)));
    let mut live = Watchdog::new(&w.settings);
    for (index, (at, event, upto, step)) in w.steps.iter().enumerate() {
        assert_eq!(live.step(*at, event.clone()).unwrap(), *step, "step {index}");
        if index % 997 == 0 || index + 1 == w.steps.len() {
            let replayed = Watchdog::replay(&w.settings, None, &w.records[..*upto]).unwrap();
            assert_eq!(replayed.checkpoint().unwrap(), live.checkpoint().unwrap(), "after step {index}");
            let half = Watchdog::replay(&w.settings, None, &w.records[..*upto / 2]).unwrap().checkpoint().unwrap();
            let tail = Watchdog::replay(&w.settings, Some(&half), &w.records[*upto / 2..*upto]).unwrap();
            assert_eq!(tail.checkpoint().unwrap(), live.checkpoint().unwrap(), "after step {index}, by a checkpoint");
        }
    }
}

/// `p0`, `p1` in use and `p2` as a stand-by, after an hour of health.
fn with_standby(inboxes: usize) -> World {
    let mut settings = settings(3, 1, inboxes, minutes(1));
    settings.providers.get_mut(&name("p2")).unwrap().duty.standby = true;
    let mut w = World::new(settings);
    w.run(minutes(360));
    w
}

#[test]
fn a_standby_is_kept_warm_with_few_canaries() {
    let w = with_standby(2);
    let (used, warm) = (sent(&w, |r| r.provider.as_str() == "p0").len(), sent(&w, |r| r.provider.as_str() == "p2"));
    assert!(used >= 720 && (47..=52).contains(&warm.len()), "{used} and {}", warm.len());
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    let view = w.dog.view(w.now);
    let traffic: Vec<_> = view.providers.iter().map(|p| (p.traffic.standby, p.traffic.every)).collect();
    assert_eq!(traffic, [(false, minutes(1)), (false, minutes(1)), (true, minutes(15))]);
}

#[test]
fn a_standby_that_stops_warns_and_never_pages() {
    for inboxes in [1, 2] {
        let mut w = with_standby(inboxes);
        w.from(w.now, |r, _| r.provider.as_str() == "p2", Fate::Swallowed);
        w.run(minutes(360));
        let told: Vec<_> = w.notices.iter().map(|(_, n)| (n.severity, n.culprit.clone())).collect();
        assert!(!told.is_empty() && told.iter().all(|t| *t == (Severity::Warn, Culprit::Provider(name("p2")))), "{told:?}");
        assert!(w.notices[0].1.summary.ends_with("; a stand-by: nothing in use is touched"), "{}", w.notices[0].1.summary);
        assert_eq!(w.dog.view(w.now).providers[2].verdict, Verdict::Stopped);
        w.heal(w.now);
        w.run(minutes(180));
        assert_eq!((w.told(Change::Opened), w.told(Change::Resolved)), (1, 1), "{:#?}", w.notices);
    }
}

#[test]
fn a_standby_that_is_suspended_warns_at_its_first_answer() {
    let mut w = with_standby(2);
    w.from(w.now, |r, _| r.provider.as_str() == "p2", Fate::Refused(Class::Suspended));
    w.run(minutes(16));
    let told: Vec<_> = w.notices.iter().map(|(_, n)| (n.severity, n.culprit.clone())).collect();
    assert_eq!(told, [(Severity::Warn, Culprit::Provider(name("p2")))]);
}

#[test]
fn with_a_standby_beside_it_an_outage_pages_as_soon_and_names_the_same() {
    let paged = |mut w: World, fails: fn(&Route) -> bool| {
        let stop = w.now;
        w.from(stop, move |r, _| fails(r), Fate::Swallowed);
        w.run(minutes(30));
        let (at, notice) = w.notices.iter().find(|(_, n)| n.severity == Severity::Page).expect("it pages").clone();
        (at.since(stop), notice.culprit)
    };
    let (after, culprit) = paged(with_standby(2), |r| r.provider.as_str() == "p0");
    assert!(after <= minutes(4) && culprit == Culprit::Provider(name("p0")), "{after} {culprit:?}");
    let (after, culprit) = paged(with_standby(2), |r| r.inbox.as_str() == "i0");
    assert!(after <= minutes(4) && culprit == Culprit::Inbox(name("i0")), "{after} {culprit:?}");
    let (after, culprit) = paged(with_standby(2), |r| r.provider.as_str() != "p2");
    assert!(after <= minutes(4) && culprit != Culprit::Provider(name("p2")), "{after} {culprit:?}");
}

#[test]
fn no_network_is_the_watchers_before_a_standby_has_tried() {
    let mut w = with_standby(2);
    w.from(w.now, |_, _| true, Fate::Refused(Class::Network));
    w.run(minutes(4));
    let opened = w.opened();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    assert_eq!((&opened[0].culprit, opened[0].severity), (&Culprit::Watcher {}, Severity::Page));
}

#[test]
fn an_inbox_that_only_a_standby_writes_to_is_not_blamed() {
    let mut settings = settings(2, 1, 2, minutes(1));
    settings.providers.get_mut(&name("p1")).unwrap().duty.standby = true;
    settings.routes.retain(|r| r.provider.as_str() == "p1" || r.inbox.as_str() == "i0");
    let mut w = World::new(settings);
    w.run(minutes(360));
    w.from(w.now, |r, _| r.inbox.as_str() == "i1", Fate::Swallowed);
    w.run(minutes(360));
    let told: Vec<_> = w.notices.iter().map(|(_, n)| (n.severity, n.culprit.clone())).collect();
    assert!(!told.is_empty(), "it warns");
    assert!(told.iter().all(|(s, c)| *s == Severity::Warn && !matches!(c, Culprit::Inbox(_) | Culprit::Watcher {})), "{told:?}");
}
