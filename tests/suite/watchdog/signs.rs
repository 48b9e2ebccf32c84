//! Early signs: polled gently, warned of once, told again when they get worse, resolved when all is well; never about delivery.

use std::sync::{Arc, Mutex};

use mailcanary::config::{InboxKind, ProviderKind, SecretRef, Settings, SparkPostSettings, Templates};
use mailcanary::model::{At, Change, Class, Culprit, Kind, Name, Notice, Severity, Sign, Span, Standing, Verdict};
use mailcanary::watchdog::{Event, Fact, Unfit, Watchdog};

use super::replay::holds;
use super::world::{self, START, World, name, settings};

const QUARTER: Span = Span::from_secs(900);

/// Settings in which every provider can be asked how its account stands.
fn asking(providers: usize) -> Settings {
    let mut settings = settings(providers, 1, 2, Span::from_secs(300));
    settings.watch.remind_after = Span::ZERO;
    for provider in settings.providers.values_mut() {
        provider.kind = ProviderKind::SparkPost(SparkPostSettings {
            base_url: "http://127.0.0.1:9".to_owned(),
            api_key: SecretRef::Env("KEY".to_owned()),
            templates: Templates::default(),
        });
    }
    settings
}

/// A world in which what p0 says can be changed as it goes; the others are well.
struct Told {
    w: World,
    says: Arc<Mutex<Option<Vec<Sign>>>>,
    failure: Arc<Mutex<(Class, Option<Span>)>>,
}

impl Told {
    fn new(settings: Settings, first: &[Sign]) -> Self {
        let says = Arc::new(Mutex::new(Some(first.to_vec())));
        let failure = Arc::new(Mutex::new((Class::Transient, None)));
        let (mine, why) = (Arc::clone(&says), Arc::clone(&failure));
        let mut w = World::new(settings);
        w.stands = Some(Box::new(move |provider, _| {
            let provider = provider.clone();
            if provider.as_str() != "p0" {
                return Some(Event::Signs { provider, signs: vec![quota(900)] });
            }
            let (class, retry_after) = *why.lock().unwrap();
            Some(match mine.lock().unwrap().clone() {
                Some(signs) => Event::Signs { provider, signs },
                None => Event::NoSigns { provider, class, why: "HTTP 503: no <b>".to_owned(), retry_after },
            })
        }));
        Self { w, says, failure }
    }

    fn say(&mut self, signs: &[Sign]) -> &mut Self {
        *self.says.lock().unwrap() = Some(signs.to_vec());
        self
    }

    fn mute(&mut self, class: Class, retry_after: Option<Span>) -> &mut Self {
        *self.says.lock().unwrap() = None;
        *self.failure.lock().unwrap() = (class, retry_after);
        self
    }

    /// So many more readings of p0.
    fn readings(&mut self, count: usize) {
        for _ in 0..count {
            let before = self.asked().len();
            while self.asked().len() == before {
                self.w.run(Span::from_secs(5));
            }
            self.w.run(Span::from_secs(5));
        }
    }

    fn asked(&self) -> Vec<At> {
        self.w.polled_at.iter().filter(|(_, p)| p.as_str() == "p0").map(|(at, _)| *at).collect()
    }

    fn notices(&self) -> Vec<&Notice> {
        self.w.notices.iter().map(|(_, n)| n).collect()
    }

    fn changes(&self) -> Vec<Change> {
        self.w.notices.iter().map(|(_, n)| n.change).collect()
    }

    fn restart(&mut self) {
        holds(&self.w);
        self.w.dog = Watchdog::replay(&self.w.settings, None, &self.w.records).unwrap();
    }
}

fn quota(remaining: u64) -> Sign {
    Sign::Quota { remaining, limit: Some(1000), renews_at: None }
}

fn standing(state: Standing, word: &str) -> Sign {
    Sign::Standing { state, word: word.to_owned() }
}

#[test]
fn a_quota_that_wobbles_about_its_edge_raises_one_incident() {
    let mut told = Told::new(asking(1), &[quota(205)]);
    told.readings(1);
    for remaining in [199, 205, 198, 260, 199, 299, 190, 240] {
        told.say(&[quota(remaining)]).readings(1);
    }
    assert_eq!(told.changes(), [Change::Opened], "{:#?}", told.notices());
    let notice = told.notices()[0].clone();
    assert_eq!((notice.kind, notice.severity, &notice.culprit), (Kind::EarlySign, Severity::Warn, &Culprit::Provider(name("p0"))));
    let expected = "provider `p0` shows an early sign: 199 of 1000 left of the quota (19.9 %, warned of below 20 %)";
    assert!(notice.summary.starts_with(expected), "{}", notice.summary);
    assert_eq!(notice.evidence["signs"][0]["concern"], "quota");
    told.say(&[quota(1000)]).readings(1);
    assert_eq!(told.changes(), [Change::Opened], "one good reading is not enough");
    told.readings(1);
    assert_eq!(told.changes(), [Change::Opened, Change::Resolved]);
    assert_eq!(told.notices()[1].summary, "the account at provider `p0` is well again: 1000 of 1000 left of the quota");
    told.readings(40);
    assert_eq!(told.w.notices.len(), 2);
    holds(&told.w);
}

#[test]
fn a_first_reading_that_is_bad_warns_and_a_standing_pages_only_when_sending_is_stopped() {
    for (sign, severity) in [
        (quota(3), Severity::Warn),
        (quota(0), Severity::Warn),
        (Sign::Backlog { waiting: 5000 }, Severity::Warn),
        (Sign::Reputation { percent: 3 }, Severity::Warn),
        (standing(Standing::Warned, "PROBATION"), Severity::Warn),
        (standing(Standing::Stopped, "suspended"), Severity::Page),
    ] {
        let mut told = Told::new(asking(2), std::slice::from_ref(&sign));
        told.readings(1);
        let notices = told.notices();
        assert_eq!((notices.len(), notices[0].kind, notices[0].severity), (1, Kind::EarlySign, severity), "{sign:?}");
        assert!(notices[0].summary.contains(&sign.to_string()), "{}", notices[0].summary);
        assert!(!notices[0].evidence["next_step"].as_str().unwrap().is_empty());
    }
    let mut settings = asking(2);
    settings.providers.get_mut("p0").unwrap().duty.standby = true;
    let mut told = Told::new(settings, &[standing(Standing::Stopped, "suspended")]);
    told.readings(1);
    assert_eq!(told.notices()[0].severity, Severity::Warn, "a stand-by pages nobody");
}

#[test]
fn it_is_told_again_when_it_gets_worse_and_ends_when_all_is_well() {
    let good = standing(Standing::Good, "active");
    let mut told = Told::new(asking(1), &[good.clone(), quota(150)]);
    told.readings(2);
    assert_eq!(told.changes(), [Change::Opened]);
    told.say(&[good.clone(), quota(40)]).readings(2);
    assert_eq!(told.changes(), [Change::Opened, Change::Updated]);
    told.say(&[good.clone(), quota(150)]).readings(2);
    told.say(&[good.clone(), quota(40)]).readings(2);
    assert_eq!(told.w.notices.len(), 2, "no worse than before: {:#?}", told.notices());
    told.say(&[standing(Standing::Warned, "under review"), quota(900)]).readings(3);
    assert_eq!(told.w.notices.len(), 3);
    told.restart();
    told.say(&[standing(Standing::Stopped, "suspended"), quota(900)]).readings(3);
    let last = told.notices()[3].clone();
    assert_eq!((told.w.notices.len(), last.change, last.severity), (4, Change::Updated, Severity::Page), "{last:#?}");
    assert!(last.summary.starts_with("provider `p0` says that the account may not send: account status `suspended`"), "{}", last.summary);
    assert!(told.notices().iter().all(|n| n.incident == last.incident), "one incident for all of it");
    told.say(&[good.clone(), quota(100)]).readings(3);
    told.say(&[standing(Standing::Stopped, "suspended"), quota(900)]).readings(1);
    assert_eq!(told.w.notices.len(), 4, "what was told is not told again");
    told.say(&[good, quota(900)]).readings(2);
    assert_eq!(told.notices()[4].change, Change::Resolved);
    holds(&told.w);
}

#[test]
fn a_quota_that_will_not_last_is_seen_coming() {
    let limit = Some(10_000);
    let renews_at = Some(START.plus(Span::from_secs(10 * 3600)));
    let mut told = Told::new(asking(1), &[Sign::Quota { remaining: 4800, limit, renews_at }]);
    told.readings(1);
    for n in 1..=5 {
        told.say(&[Sign::Quota { remaining: 4800 - n * 250, limit, renews_at }]).readings(1);
    }
    assert_eq!(told.w.notices.len(), 1, "{:#?}", told.notices());
    let summary = told.notices()[0].summary.clone();
    assert!(summary.contains("; at this pace the quota of 10,000 ends at 2023-11-15 0"), "{summary}");
    assert!(summary.contains(" before it renews"), "{summary}");
    holds(&told.w);
}

#[test]
fn what_cannot_be_read_is_no_sign_and_is_asked_for_less_often() {
    for class in [Class::Auth, Class::Transient, Class::Network, Class::Suspended, Class::Unknown] {
        let mut told = Told::new(asking(1), &[quota(900)]);
        told.readings(1);
        told.mute(class, None).readings(9);
        assert!(told.w.notices.is_empty(), "{class}: {:#?}", told.notices());
        let asked = told.asked();
        let apart: Vec<u64> = asked.windows(2).map(|two| two[1].since(two[0]).as_ms() / QUARTER.as_ms()).collect();
        assert_eq!(apart, [1, 2, 4, 8, 8, 8, 8, 8, 8], "{asked:?}");
        let account = &told.w.dog.view(told.w.now).accounts[&name("p0")];
        let unread = account.unread.as_ref().unwrap();
        assert_eq!((unread.class, account.read, account.not_read), (class, 1, 9));
        assert_eq!(account.signs, [quota(900)], "what it said last is kept");
        holds(&told.w);
    }
    // What stands stays, and is over when it is seen to be.
    let mut told = Told::new(asking(1), &[quota(9)]);
    told.readings(1);
    told.mute(Class::Auth, None).readings(5);
    assert_eq!(told.changes(), [Change::Opened]);
    told.say(&[quota(900)]).readings(2);
    assert_eq!(told.changes(), [Change::Opened, Change::Resolved]);
}

#[test]
fn a_provider_that_wants_peace_gets_it() {
    let mut told = Told::new(asking(1), &[quota(900)]);
    told.readings(1);
    told.mute(Class::Rate, Some(Span::from_secs(7200))).readings(1);
    told.say(&[quota(900)]).readings(2);
    let asked = told.asked();
    assert!(asked[2].since(asked[1]) >= Span::from_secs(7200), "{asked:?}");
    assert!(asked[3].since(asked[2]) < Span::from_secs(1000), "and then as ever: {asked:?}");
    assert_eq!(told.w.dog.view(told.w.now).accounts[&name("p0")].throttled, 1);
    // One that wants no mail wants no questions either.
    let until = told.w.now.plus(Span::from_secs(3500));
    told.w.from(told.w.now, |_, _| true, world::Fate::Wait(Span::from_secs(3600)));
    told.w.run(Span::from_secs(300));
    told.w.heal(told.w.now);
    let before = told.asked().len();
    told.readings(1);
    assert!(told.asked()[before] >= until, "{:?}", told.asked());
}

#[test]
fn questions_keep_to_their_interval_and_to_the_cap_of_a_day() {
    let day = Span::from_secs(86_400);
    for (every, per_day, most) in [(900, None, 97), (60, Some(24), 24), (1, Some(5), 5), (43_200, Some(100), 2)] {
        let mut settings = asking(3);
        for provider in settings.providers.values_mut() {
            (provider.duty.signs.every, provider.duty.signs.per_day) = (Span::from_secs(every), per_day);
            provider.duty.every = Some(Span::from_secs(3600));
        }
        let mut told = Told::new(settings, &[quota(900)]);
        for hours in [1, 20, 1, 5, 30] {
            told.w.run(Span::from_secs(hours * 3600));
            told.restart();
        }
        for provider in ["p0", "p1", "p2"] {
            let at: Vec<At> = told.w.polled_at.iter().filter(|(_, p)| p.as_str() == provider).map(|(at, _)| *at).collect();
            for first in &at {
                let within = at.iter().filter(|later| **later >= *first && later.since(*first) < day).count();
                assert!(within <= most, "{within} of {most} in a day: {at:?}");
            }
            assert!(at.len() > most, "{at:?}");
            assert!(at[0] <= START.plus(Span::from_secs(60)));
            assert!(at.windows(2).all(|two| two[1].since(two[0]) >= Span::from_secs(every)), "{at:?}");
        }
    }
}

#[test]
fn a_restart_asks_no_sooner_and_an_answer_that_never_came_is_not_waited_for() {
    let mut told = Told::new(asking(1), &[quota(900)]);
    told.readings(1);
    for _ in 0..20 {
        told.restart();
        told.w.run(Span::from_secs(30));
    }
    assert_eq!(told.asked().len(), 1);
    told.w.stands = None;
    told.w.run(Span::from_secs(1800));
    let asked = told.asked();
    assert!((2..=3).contains(&asked.len()), "{asked:?}");
    assert!(told.w.records.iter().any(|r| r.fact == Fact::Polled { provider: name("p0") }));
    // With seconds between them, none overlaps with one that is still open.
    let mut settings = asking(1);
    settings.providers.get_mut("p0").unwrap().duty.signs.every = Span::from_secs(1);
    let mut mute = World::new(settings);
    mute.run(Span::from_secs(600));
    assert!((5..=10).contains(&mute.polled_at.len()), "{:?}", mute.polled_at);
    assert!(mute.polled_at.windows(2).all(|two| two[1].0.since(two[0].0) >= Span::from_secs(60)));
}

#[test]
fn it_is_never_blamed_for_delivery() {
    let mut told = Told::new(asking(2), &[standing(Standing::Stopped, "suspended"), quota(0)]);
    told.readings(30);
    assert_eq!(told.w.notices.len(), 1);
    let view = told.w.dog.view(told.w.now);
    assert!(view.routes.iter().all(|r| r.verdict == Verdict::Delivering));
    assert!(view.providers.iter().all(|p| p.verdict == Verdict::Delivering));
    // And a stop is told as ever, by an incident of its own.
    told.w.from(told.w.now, |r, _| r.provider.as_str() == "p0", world::Fate::Swallowed);
    told.w.run(Span::from_secs(3600));
    let stop: Vec<&Notice> = told.notices().into_iter().filter(|n| n.kind == Kind::Stopped).collect();
    assert!(stop.iter().any(|n| n.severity == Severity::Page), "{:#?}", told.notices());
    assert!(stop.iter().all(|n| n.incident != told.notices()[0].incident));
    // While that pages, what the account says is no second page.
    let mut told = Told::new(asking(2), &[quota(900)]);
    told.w.run(Span::from_secs(3600));
    told.w.from(told.w.now, |r, _| r.provider.as_str() == "p0", world::Fate::Refused(Class::Suspended));
    told.w.run(Span::from_secs(600));
    told.say(&[standing(Standing::Stopped, "suspended")]).readings(2);
    let sign = told.notices().into_iter().find(|n| n.kind == Kind::EarlySign).unwrap();
    assert_eq!(sign.severity, Severity::Warn, "{sign:#?}");
    holds(&told.w);
}

#[test]
fn who_is_not_asked_says_nothing() {
    let mut off = asking(2);
    off.providers.get_mut("p0").unwrap().duty.signs.asked = false;
    let mut told = Told::new(off.clone(), &[quota(1)]);
    told.w.run(Span::from_secs(7200));
    assert!(told.asked().is_empty() && told.w.notices.is_empty());
    assert!(told.w.polled_at.iter().any(|(_, p)| p.as_str() == "p1"));
    let unasked = |w: &mut World, provider: &str| {
        let event = Event::Signs { provider: Name::new(provider).unwrap(), signs: vec![quota(1)] };
        assert_eq!(w.dog.step(w.now, event), Err(Unfit::NotAsked(name(provider))));
    };
    unasked(&mut told.w, "p0");
    unasked(&mut told.w, "nobody");
    let mut smtp = World::new(settings(1, 1, 1, Span::from_secs(300)));
    smtp.run(Span::from_secs(7200));
    assert!(smtp.polled_at.is_empty());
    unasked(&mut smtp, "p0");
    // An incident that is open when it is switched off ends, and says why.
    let mut told = Told::new(asking(2), &[quota(1)]);
    told.readings(1);
    told.w.settings = off;
    told.w.dog = Watchdog::replay(&told.w.settings, None, &told.w.records).unwrap();
    told.w.run(Span::from_secs(900));
    assert_eq!(told.changes(), [Change::Opened, Change::Resolved]);
    assert_eq!(told.notices()[1].summary, "it is not asked any more how the account stands");
}

#[test]
fn without_a_network_nobody_is_asked() {
    let mut told = Told::new(asking(1), &[quota(900)]);
    told.readings(2);
    told.w.feed(Event::CutOff {});
    let before = told.asked().len();
    told.w.run(Span::from_secs(7200));
    assert_eq!(told.asked().len(), before);
    told.w.feed(Event::Connected {});
    told.w.run(Span::from_secs(900));
    assert!(told.asked().len() > before);
}

#[test]
fn credentials_that_end_are_warned_of_once_in_time_and_new_ones_end_that() {
    let expiring = |at: Option<At>| {
        let mut settings = settings(2, 1, 2, Span::from_secs(300));
        settings.watch.remind_after = Span::ZERO;
        let InboxKind::Imap(imap) = &mut settings.inboxes.get_mut(&name("i0")).unwrap().kind else { panic!("no IMAP") };
        imap.expires = at;
        settings
    };
    let ends = START.plus(Span::from_secs(21 * 86_400 + 3600));
    let mut w = World::new(expiring(Some(ends)));
    w.run(Span::from_secs(1800));
    assert!(w.notices.is_empty(), "{:?}", w.notices);
    w.run(Span::from_secs(7200));
    let told: Vec<_> = w.notices.iter().map(|(_, n)| (n.kind, n.change, n.severity, n.culprit.clone())).collect();
    assert_eq!(told, [(Kind::EarlySign, Change::Opened, Severity::Warn, Culprit::Inbox(name("i0")))]);
    let summary = &w.notices[0].1.summary;
    assert!(summary.starts_with("what inbox `i0` is logged in to with ends on ") && summary.contains(", in 20 days"), "{summary}");
    holds(&w);
    w.settings = expiring(Some(ends.plus(Span::from_secs(365 * 86_400))));
    w.dog = Watchdog::replay(&w.settings, None, &w.records).unwrap();
    w.run(Span::from_secs(600));
    assert_eq!(w.notices.len(), 2);
    assert_eq!((w.notices[1].1.change, w.notices[1].1.summary.contains("has been renewed")), (Change::Resolved, true));
}
