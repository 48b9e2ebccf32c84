//! The silent drop proven: providers are asked what became of canaries, and what they say stands in the incident; a seed that they suppress
//! is no outage.

use mailcanary::config::{ProviderKind, SecretRef, Settings};
use mailcanary::model::{At, CanaryId, Change, Class, Culprit, Fate, Kind, Name, Outcome, Severity, Span, Verdict};
use mailcanary::watchdog::{Effect, Event, Fact, Reads, Watchdog};

use super::world::{self, World, asking, name};

/// A world that has been well for an hour.
fn well(settings: Settings) -> World {
    let mut w = World::new(settings);
    w.run(minutes(60));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    w
}

const fn minutes(n: u64) -> Span {
    Span::from_secs(n * 60)
}

/// From now on, mail of p0 to the inboxes that `to` picks is swallowed.
fn swallow(w: &mut World, to: impl Fn(&str) -> bool + 'static) {
    w.from(w.now, move |r, _| r.provider.as_str() == "p0" && to(r.inbox.as_str()), world::Fate::Swallowed);
}

fn says(w: &mut World, fate: Fate, words: &'static str) {
    w.tells = Some(Box::new(move |_, _, _| Some((fate, words))));
}

/// What a run wrote down gives the same watchdog, and the same evidence.
fn holds(w: &World) {
    super::replay::holds(w);
}

#[test]
fn what_the_provider_says_stands_in_the_incident() {
    for (fate, words, shown) in [
        (Fate::Vanished, "no events of it", "nothing is known of it"),
        (Fate::Stuck, "queued", "it has not left yet"),
        (Fate::Deferred, "421 4.7.0 come back later", "the receiver puts it off"),
        (Fate::HandedOff, "250 2.0.0 OK", "the receiver took it"),
        (Fate::Bounced, "550 5.1.1 no such user", "it bounced"),
        (Fate::Blind, "HTTP 403: access forbidden", "what became of it is not told"),
    ] {
        let mut w = well(asking(2, 1, 2));
        swallow(&mut w, |_| true);
        says(&mut w, fate, words);
        w.run(minutes(10));
        let view = w.dog.view(w.now);
        let incident = view.incidents.iter().find(|i| i.resolved_at.is_none()).unwrap();
        assert_eq!((incident.kind, incident.severity), (Kind::Stopped, Severity::Page), "{fate:?}");
        assert_eq!(incident.culprit, Culprit::Provider(name("p0")));
        let last = &incident.last;
        assert!(last.summary.contains(&format!("`p0` says: {shown} (\"{words}\")")), "{}", last.summary);
        let first = &last.evidence["provider_says"][0];
        assert_eq!((&first["fate"], &first["words"]), (&fate.as_str().into(), &words.into()), "{last:#?}");
        let id = first["canary"].as_str().unwrap().parse().unwrap();
        let shown_canaries: Vec<_> = view.routes.iter().flat_map(|r| &r.recent).filter(|c| c.canary == id).collect();
        assert!(shown_canaries[0].state.contains(words), "{shown_canaries:?}");
        // One page, and what came out later is told once.
        assert_eq!(w.opened().len(), 1);
        assert!(w.told(Change::Updated) <= 2, "{:#?}", w.notices);
        holds(&w);
    }
}

#[test]
fn a_page_comes_no_later_where_the_provider_is_blind_or_mute() {
    let page = |tells: Option<Fate>, can: bool| {
        let mut settings = asking(2, 1, 2);
        settings.providers.values_mut().for_each(|p| p.duty.untraced = !can);
        let mut w = well(settings);
        let since = w.now;
        swallow(&mut w, |_| true);
        if let Some(fate) = tells {
            says(&mut w, fate, "HTTP 503");
        }
        w.run(minutes(10));
        assert_eq!(w.asked.is_empty(), !can);
        let opened = w.notices.iter().find(|(_, n)| n.change == Change::Opened && n.severity == Severity::Page).unwrap().0;
        opened.since(since)
    };
    let plain = page(None, false);
    assert_eq!((page(Some(Fate::Blind), true), page(None, true), page(Some(Fate::Stuck), true)), (plain, plain, plain));
}

#[test]
fn questions_are_few_and_far_between() {
    let mut w = well(asking(2, 2, 3));
    swallow(&mut w, |_| true);
    says(&mut w, Fate::Stuck, "queued");
    w.run(minutes(240));
    assert!(w.asked.len() >= 12, "{}", w.asked.len());
    for provider in ["p0", "p1"] {
        let times: Vec<At> = w.asked.iter().filter(|(_, _, p, _)| p.as_str() == provider).map(|(at, ..)| *at).collect();
        assert!(times.windows(2).all(|two| two[1].since(two[0]) >= Span::from_secs(30)), "{times:?}");
        assert!(times.windows(13).all(|many| many[12].since(many[0]) >= minutes(60)), "{times:?}");
    }
    assert!(w.asked.iter().all(|(_, _, p, _)| p.as_str() == "p0"), "nobody else is late");
    // Nothing is asked after that was sent a moment ago.
    for (at, id, ..) in &w.asked {
        let sent = w.sent.iter().find(|(_, sent, _)| sent == id).unwrap().0;
        assert!(at.since(sent) >= Span::from_secs(15));
    }
    holds(&w);
}

#[test]
fn a_calm_watch_asks_nobody() {
    let mut w = well(asking(2, 1, 2));
    w.run(minutes(24 * 60));
    assert!(w.asked.len() <= 3, "{:?}", w.asked);
}

/// No page stands or stood for longer than `most`, and one warning says what is suppressed where.
fn warned_once(w: &World, provider: &str, inbox: &str, most: Span) {
    let warned: Vec<_> = w.opened().into_iter().filter(|n| n.kind == Kind::Refused).collect();
    assert_eq!(warned.len(), 1, "{:#?}", w.notices);
    let warned = warned[0];
    assert_eq!((warned.severity, &warned.evidence["class"]), (Severity::Warn, &"suppressed".into()));
    assert!(matches!(&warned.culprit, Culprit::Route(p, _, i) if p.as_str() == provider && i.as_str() == inbox), "{warned:#?}");
    assert!(warned.summary.starts_with(&format!("no outage: provider `{provider}` suppresses the seed of inbox `{inbox}`")), "{warned:#?}");
    assert_eq!(warned.evidence["suppressed_by"], provider);
    assert!(warned.evidence["next_step"].as_str().unwrap().contains("/rejects/delete"), "{warned:#?}");
    for (at, page) in w.notices.iter().filter(|(_, n)| n.change == Change::Opened && n.severity == Severity::Page) {
        let end = w.notices.iter().find(|(_, n)| n.incident == page.incident && n.change == Change::Resolved);
        let (end, over) = end.unwrap_or_else(|| panic!("still open: {page:#?}"));
        assert!(end.since(*at) <= most, "{over:#?}");
        assert!(over.summary.contains(&format!("provider `{provider}` suppresses the seed of inbox `{inbox}`")), "{}", over.summary);
    }
}

#[test]
fn a_suppressed_seed_that_is_found_by_asking_is_no_outage() {
    for (providers, streams, inboxes) in [(2, 1, 3), (2, 2, 2), (1, 1, 3), (3, 2, 4)] {
        let mut w = well(asking(providers, streams, inboxes));
        swallow(&mut w, |inbox| inbox == "i0");
        w.tells = Some(Box::new(|_, inbox: &Name, _| {
            Some(if inbox.as_str() == "i0" { (Fate::Suppressed, "hard-bounce") } else { (Fate::HandedOff, "250") })
        }));
        w.run(minutes(240));
        warned_once(&w, "p0", "i0", minutes(3));
        let view = w.dog.view(w.now);
        for route in &view.routes {
            let here = route.route.provider.as_str() == "p0" && route.route.inbox.as_str() == "i0";
            assert_eq!(route.verdict, if here { Verdict::Unknown } else { Verdict::Delivering }, "{route:#?}");
        }
        assert!(view.providers.iter().all(|p| p.verdict == Verdict::Delivering), "{:#?}", view.providers);
        holds(&w);
        // Others are watched as before: a stop of the same provider elsewhere pages.
        let (at, so_far) = (w.now, w.notices.len());
        swallow(&mut w, |_| true);
        w.run(minutes(10));
        let page = w.notices[so_far..].iter().find(|(_, n)| n.severity == Severity::Page).unwrap();
        assert!(page.0.since(at) < minutes(5), "{page:#?}");
        // And when the seed is written to again, the warning ends.
        w.heal(w.now);
        w.run(minutes(30));
        assert!(w.dog.view(w.now).incidents.iter().all(|i| i.resolved_at.is_some()), "{:#?}", w.notices.last());
        holds(&w);
    }
}

#[test]
fn a_suppressed_seed_that_is_found_by_refusals_is_no_outage() {
    for (providers, streams, inboxes) in [(2, 1, 3), (2, 2, 2), (1, 1, 1), (1, 1, 3)] {
        let mut w = well(asking(providers, streams, inboxes));
        w.from(w.now, |r, _| r.provider.as_str() == "p0" && r.inbox.as_str() == "i0", world::Fate::Refused(Class::Suppressed));
        w.run(minutes(240));
        warned_once(&w, "p0", "i0", Span::ZERO);
        assert_eq!(w.notices.len(), 1, "{:#?}", w.notices);
        assert!(w.asked.is_empty(), "the answer was plain: {:?}", w.asked);
        w.heal(w.now);
        w.run(minutes(30));
        assert_eq!(w.notices.len(), 2);
        assert_eq!(w.notices[1].1.change, Change::Resolved);
        holds(&w);
    }
}

#[test]
fn one_route_alone_whose_seed_is_suppressed_turns_its_page_into_a_warning() {
    let mut w = well(asking(1, 1, 1));
    swallow(&mut w, |_| true);
    says(&mut w, Fate::Suppressed, "hard-bounce");
    w.run(minutes(120));
    warned_once(&w, "p0", "i0", minutes(3));
    holds(&w);
}

#[test]
fn a_stop_behind_a_suppressed_seed_is_found_when_it_is_asked_after_again() {
    let mut w = well(asking(1, 1, 1));
    swallow(&mut w, |_| true);
    let until = w.now.plus(minutes(60));
    w.tells =
        Some(Box::new(move |_, _, now| Some(if now < until { (Fate::Suppressed, "hard-bounce") } else { (Fate::Vanished, "no events") })));
    w.run(minutes(150));
    let open: Vec<_> = w.dog.view(w.now).incidents.into_iter().filter(|i| i.resolved_at.is_none()).collect();
    assert!(open.iter().any(|i| i.severity == Severity::Page && i.kind == Kind::Stopped), "{open:#?}");
    holds(&w);
}

#[test]
fn what_is_told_of_strangers_and_of_canaries_that_came_changes_nothing() {
    let mut w = well(asking(2, 1, 2));
    let (_, id, _) = w.sent[3].clone();
    let before = w.dog.checkpoint().unwrap();
    w.feed(Event::Traced { canary: id, fate: Fate::Suppressed, words: None });
    let view = w.dog.view(w.now);
    assert!(view.routes.iter().all(|r| r.verdict == Verdict::Delivering), "{before}");
    let stranger = Event::Traced { canary: "00000000000000ff".parse().unwrap(), fate: Fate::Suppressed, words: None };
    assert!(w.dog.step(w.now, stranger).is_err());
    w.run(minutes(60));
    assert!(w.notices.is_empty(), "{:#?}", w.notices);
    holds(&w);
}

/// The newest canary over p0.
fn newest(w: &World) -> CanaryId {
    w.sent.iter().rfind(|(_, _, route)| route.provider.as_str() == "p0").unwrap().1
}

/// Tells of a canary, and says how it is shown then.
fn tell(w: &mut World, canary: CanaryId, fate: Fate, words: &str) -> String {
    w.feed(Event::Traced { canary, fate, words: Some(words.to_owned()) });
    let view = w.dog.view(w.now);
    view.routes.iter().flat_map(|r| &r.recent).find(|c| c.canary == canary).unwrap().state.clone()
}

#[test]
fn what_tells_more_stands_whatever_comes_after_it() {
    let mut w = well(asking(2, 1, 2));
    swallow(&mut w, |_| true);
    w.run(minutes(1));
    let id = newest(&w);
    for (fate, words, shown) in [
        (Fate::Stuck, "processed", "it has not left yet: processed"),
        (Fate::Deferred, "421 later", "the receiver puts it off: 421 later"),
        (Fate::Stuck, "processed", "the receiver puts it off: 421 later"),
        (Fate::Deferred, "450 greylisted", "the receiver puts it off: 450 greylisted"),
        (Fate::HandedOff, "250 OK", "the receiver took it: 250 OK"),
        (Fate::Bounced, "550 no", "it bounced: 550 no"),
        (Fate::HandedOff, "250 OK", "it bounced: 550 no"),
        (Fate::Blind, "HTTP 403", "it bounced: 550 no"),
        (Fate::Bounced, "550 no", "it bounced: 550 no"),
    ] {
        let said = tell(&mut w, id, fate, words);
        assert!(said.ends_with(shown), "{fate:?}: {said}");
    }
    w.run(minutes(10));
    assert!(w.asked.iter().all(|(_, asked, ..)| *asked != id), "it is known what became of it");
    holds(&w);
}

#[test]
fn a_suppressed_seed_stays_so_whatever_is_told_late() {
    let mut w = well(asking(2, 1, 2));
    swallow(&mut w, |_| true);
    w.run(minutes(1));
    let id = newest(&w);
    tell(&mut w, id, Fate::Suppressed, "Bounced Address");
    tell(&mut w, id, Fate::Deferred, "421 later");
    let open: Vec<_> = w.dog.view(w.now).incidents.into_iter().filter(|i| i.kind == Kind::Refused && i.resolved_at.is_none()).collect();
    assert!(open.len() == 1 && open[0].severity == Severity::Warn, "{open:#?}");
    holds(&w);
}

#[test]
fn what_was_only_taken_is_asked_after_all_the_same() {
    let mut w = well(asking(1, 1, 1));
    swallow(&mut w, |_| true);
    w.run(minutes(1));
    let id = newest(&w);
    tell(&mut w, id, Fate::Stuck, "processed");
    says(&mut w, Fate::Bounced, "550 no");
    w.run(minutes(5));
    assert!(w.asked.iter().any(|(_, asked, ..)| *asked == id), "{:?}", w.asked);
    holds(&w);
}

#[test]
fn that_mail_was_handed_over_is_not_kept_of_mail_that_came() {
    let mut w = well(asking(2, 1, 2));
    while w.sent.last().unwrap().2.provider.as_str() != "p0" {
        w.run(Span::from_ms(100));
    }
    let id = newest(&w);
    assert!(tell(&mut w, id, Fate::HandedOff, "250 OK").contains("the provider says"));
    w.run(minutes(5));
    let said = tell(&mut w, id, Fate::HandedOff, "250 OK");
    assert!(said.starts_with("arrived") && !said.contains("the provider says"), "{said}");
    assert!(w.notices.is_empty());
    holds(&w);
}

#[test]
fn a_provider_that_tells_by_itself_is_known_by_its_ids_though_nobody_asks_it() {
    for hooked in [true, false] {
        let mut settings = asking(1, 1, 1);
        for provider in settings.providers.values_mut() {
            provider.duty.untraced = true;
            if let ProviderKind::Mandrill(mandrill) = &mut provider.kind {
                mandrill.webhook_secret = hooked.then(|| SecretRef::Env("HOOK".to_owned()));
            }
        }
        let mut dog = Watchdog::new(&settings);
        let mut now = world::START;
        dog.step(now, Event::Started { seed: 7, reads: Reads::Explicit }).unwrap();
        let canary = loop {
            now = dog.wake_at().unwrap();
            let step = dog.step(now, Event::Woke {}).unwrap();
            if let Some(Effect::Submit { canary, .. }) = step.effects.first() {
                break *canary;
            }
        };
        let message_id = Some("abc".to_owned());
        let answer = Event::Answered {
            canary,
            outcome: Outcome::Accepted,
            reply: None,
            hint: None,
            message_id,
            legs: Vec::new(),
            retry_after: None,
        };
        dog.step(now, answer).unwrap();
        let mut again = Watchdog::replay(&settings, Some(&dog.checkpoint().unwrap()), &[]).unwrap();
        let known: Vec<_> = again.message_ids().map(|(p, id, canary)| (p.to_string(), id.to_owned(), canary)).collect();
        let expected = [("p0".to_owned(), "abc".to_owned(), canary)];
        assert_eq!(known, if hooked { &expected[..] } else { &[] });
        // What is told twice is written down once.
        let told = Event::Traced { canary, fate: Fate::Bounced, words: Some("550 no".to_owned()) };
        assert_eq!(again.step(now, told.clone()).unwrap().records.len(), 1);
        assert_eq!(again.step(now, told).unwrap().records, []);
    }
}

#[test]
fn a_restart_asks_again_what_was_not_answered() {
    let mut w = well(asking(2, 1, 2));
    swallow(&mut w, |_| true);
    w.run(minutes(3));
    let (_, asked, ..) = w.asked[0].clone();
    assert!(w.records.iter().any(|r| r.fact == Fact::Asked { canary: asked }));
    w.dog = Watchdog::replay(&w.settings, None, &w.records).unwrap();
    w.run(minutes(5));
    assert!(w.asked.iter().filter(|(_, id, ..)| *id == asked).count() > 1, "{:?}", w.asked);
}
