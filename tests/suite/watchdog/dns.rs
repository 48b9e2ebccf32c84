//! What the DNS says: what is asked, what of a change is told, and to whom it belongs.

use std::net::IpAddr;

use mailcanary::config::{Blocklist, NameServer, Settings};
use mailcanary::model::{
    Answer, Change, Check, Culprit, Examination, Finding, Found, Grade, Kind, Looked, Mark, Method, Notice, Part, Severity, Span, Subject,
    Topic,
};
use mailcanary::watchdog::{Event, Watchdog};

mod inside;

use super::world::{World, name, settings};

const MINUTE: Span = Span::from_secs(60);
const KEY: &str = "k1._domainkey.example.com";

fn sound(text: &str) -> Found {
    Found::Answer(Answer::new(Grade::Sound, text))
}

fn absent() -> Found {
    Found::Answer(Answer::absent())
}

fn key(provider: &str) -> Found {
    sound(&format!("v=DKIM1; p={provider}"))
}

/// A world whose name servers are asked.
struct Zone {
    w: World,
}

fn asked(providers: usize, inboxes: usize) -> Settings {
    let mut settings = settings(providers, 1, inboxes, MINUTE);
    settings.name_server = NameServer::System;
    settings
}

impl Zone {
    fn of(settings: Settings) -> Self {
        Self { w: World::new(settings) }
    }

    /// One provider, whose key the configuration names.
    fn one() -> Self {
        let mut settings = asked(1, 1);
        settings.providers.get_mut(&name("p0")).unwrap().dkim_selectors = vec!["k1".to_owned()];
        let mut zone = Self::of(settings);
        zone.says(Topic::Dkim, KEY, key("a"));
        zone
    }

    fn feed(&mut self, subject: Subject, found: Found) {
        self.w.run(MINUTE);
        self.w.feed(Event::LookedUp { answers: vec![Looked { subject, found }] });
    }

    fn says(&mut self, topic: Topic, of: &str, found: Found) {
        self.feed(Subject::new(topic, of).unwrap(), found);
    }

    /// The same answer so often.
    fn keeps_saying(&mut self, times: usize, topic: Topic, of: &str, found: &Found) {
        (0..times).for_each(|_| self.says(topic, of, found.clone()));
    }

    fn told(&self) -> Vec<&Notice> {
        self.w.notices.iter().map(|(_, notice)| notice).filter(|n| n.kind.is_of_dns() && n.change != Change::Reminder).collect()
    }

    fn changes(&self) -> Vec<(Change, Severity)> {
        self.told().iter().map(|n| (n.change, n.severity)).collect()
    }

    fn asks(&self) -> Vec<String> {
        self.w.dog.dns_questions().into_iter().map(|question| question.subject.to_string()).collect()
    }
}

#[test]
fn a_key_that_is_removed_pages_once_with_before_and_after_and_is_over_when_it_is_back() {
    let mut zone = Zone::one();
    zone.says(Topic::Dkim, KEY, absent());
    assert!(zone.told().is_empty(), "one answer is no change");
    assert!(zone.w.dog.dns_questions().iter().any(|asked| asked.subject.name == KEY && asked.doubtful), "it is asked again soon");
    zone.keeps_saying(5, Topic::Dkim, KEY, &absent());
    let told = zone.told();
    let [opened] = told[..] else { panic!("{told:?}") };
    assert_eq!((opened.kind, opened.severity, &opened.culprit), (Kind::Dns, Severity::Page, &Culprit::Provider(name("p0"))));
    assert!(opened.summary.contains("is gone: `v=DKIM1; p=a` stood there"), "{}", opened.summary);
    let change = &opened.evidence["changes"][0];
    assert_eq!((&change["before"], &change["after"]), (&"v=DKIM1; p=a".into(), &"".into()));
    // A restart knows what stood there, and pages nobody again.
    zone.w.dog = Watchdog::replay(&zone.w.settings, Some(&zone.w.dog.checkpoint().unwrap()), []).unwrap();
    zone.keeps_saying(3, Topic::Dkim, KEY, &absent());
    assert_eq!(zone.changes(), [(Change::Opened, Severity::Page)]);
    zone.keeps_saying(2, Topic::Dkim, KEY, &key("a"));
    assert_eq!(zone.changes().len(), 1, "not yet");
    zone.says(Topic::Dkim, KEY, key("a"));
    assert_eq!(zone.told().last().map(|n| n.change), Some(Change::Resolved));
    let replayed = Watchdog::replay(&zone.w.settings, None, &zone.w.records).unwrap();
    assert_eq!(replayed.checkpoint().unwrap(), zone.w.dog.checkpoint().unwrap());
}

#[test]
fn answers_that_differ_each_time_and_no_answer_at_all_raise_nothing_against_a_provider() {
    let mut zone = Zone::one();
    for _ in 0..20 {
        zone.says(Topic::Dkim, KEY, absent());
        zone.says(Topic::Dkim, KEY, key("a"));
    }
    assert!(zone.told().is_empty(), "{:?}", zone.told());
    let silent = Found::Unknown("the name server did not answer in 8 s".to_owned());
    zone.keeps_saying(29, Topic::Dkim, KEY, &silent);
    assert!(zone.told().is_empty());
    zone.keeps_saying(15, Topic::Dkim, KEY, &silent);
    let told = zone.told();
    let [ours] = told[..] else { panic!("{told:?}") };
    assert_eq!((&ours.culprit, ours.severity), (&Culprit::Watcher {}, Severity::Warn), "{}", ours.summary);
    zone.says(Topic::Dkim, KEY, key("a"));
    let over = zone.told().last().map(|n| (n.change, n.summary.as_str()));
    assert_eq!(over, Some((Change::Resolved, "a name server answers again")), "of records nothing was known");
}

#[test]
fn what_was_absent_at_first_is_no_incident_nor_that_it_comes() {
    let mut zone = Zone::one();
    zone.keeps_saying(5, Topic::Spf, "example.com", &absent());
    zone.keeps_saying(5, Topic::Spf, "example.com", &sound("v=spf1 mx -all"));
    assert!(zone.told().is_empty(), "{:?}", zone.told());
    // And from then on it is what stands there.
    zone.keeps_saying(3, Topic::Spf, "example.com", &absent());
    assert_eq!(zone.changes(), [(Change::Opened, Severity::Page)]);
}

#[test]
fn a_person_may_say_that_a_change_is_right() {
    let mut zone = Zone::one();
    let subject = Subject::new(Topic::Dkim, KEY).unwrap();
    zone.keeps_saying(3, Topic::Dkim, KEY, &absent());
    zone.w.feed(Event::Accepted { subject: subject.clone(), by: "ada".to_owned() });
    assert_eq!(zone.changes(), [(Change::Opened, Severity::Page), (Change::Resolved, Severity::Page)]);
    zone.keeps_saying(3, Topic::Dkim, KEY, &absent());
    assert_eq!(zone.changes().len(), 2);
    let stranger = Subject::new(Topic::Spf, "else.example").unwrap();
    assert!(zone.w.dog.step(zone.w.now, Event::Accepted { subject: stranger, by: "ada".to_owned() }).is_err());
}

#[test]
fn a_change_is_as_loud_as_what_it_does_and_what_is_no_worse_is_usual_after_a_day() {
    let quarantine = || Found::Answer(Answer::new(Grade::Fair, "p=quarantine"));
    for (topic, before, after, severity) in [
        (Topic::Dmarc, sound("p=reject"), quarantine(), Severity::Warn),
        (Topic::Dmarc, quarantine(), sound("p=reject"), Severity::Info),
        (Topic::Spf, sound("v=spf1 ip4:192.0.2.1 mx -all"), sound("v=spf1 mx -all"), Severity::Warn),
        (Topic::Spf, sound("v=spf1 mx -all"), sound("v=spf1 ip4:192.0.2.1 mx -all"), Severity::Info),
        (Topic::Spf, sound("v=spf1 mx -all"), Found::Answer(Answer::new(Grade::Weak, "v=spf1 mx +all")), Severity::Warn),
        (Topic::Spf, sound("v=spf1 mx -all"), Found::Answer(Answer::new(Grade::Broken, "v=spf1 mx mx -all")), Severity::Page),
        (Topic::MtaSts, sound("v=STSv1; id=1"), absent(), Severity::Warn),
        (Topic::Dnssec, sound("signed"), absent(), Severity::Warn),
        (Topic::Dnssec, sound("signed"), Found::Answer(Answer::new(Grade::Broken, "delegated, not signed")), Severity::Page),
    ] {
        let mut zone = Zone::one();
        zone.says(topic, "example.com", before);
        zone.keeps_saying(3, topic, "example.com", &after);
        assert_eq!(zone.changes(), [(Change::Opened, severity)], "{topic:?} {after:?}");
        zone.w.run(Span::from_secs(25 * 3600));
        zone.says(topic, "example.com", after.clone());
        let settled = severity == Severity::Info || (topic == Topic::Spf && matches!(&after, Found::Answer(a) if a.grade == Grade::Sound));
        assert_eq!(zone.changes().len(), if settled { 2 } else { 1 }, "{topic:?} {after:?}");
    }
}

#[test]
fn a_record_that_everybody_depends_on_is_nobodys_alone_and_an_inbox_has_its_own() {
    let mut zone = Zone::of(asked(2, 2));
    zone.says(Topic::Spf, "example.com", sound("v=spf1 mx -all"));
    zone.keeps_saying(2, Topic::Spf, "example.com", &absent());
    let told = zone.told();
    assert!(matches!(told[..], [n] if n.culprit == Culprit::Watcher {} && n.severity == Severity::Page), "{told:?}");
    zone.says(Topic::Mx, "example.net", sound("10 mx1.example.net"));
    zone.keeps_saying(2, Topic::Mx, "example.net", &Found::Answer(Answer::new(Grade::Broken, "0 .")));
    let told = zone.told();
    assert!(matches!(told[..], [_, n] if n.culprit == Culprit::Inbox(name("i0")) && n.severity == Severity::Page), "{told:?}");
    assert!(told[1].summary.contains("`i0`, `i1`"), "{}", told[1].summary);
}

/// The mail of a canary: signed with this key, from this address.
fn mail(selector: &str, sender: &str) -> Examination {
    let mark = |part, value: &str| Mark { part, value: value.to_owned() };
    let marks = vec![
        mark(Part::ReturnPath, "bounces.provider.example"),
        mark(Part::DkimDomain, "example.com"),
        mark(Part::DkimSelector, &format!("{selector}._domainkey.example.com")),
    ];
    Examination { marks, sender: sender.parse::<IpAddr>().ok(), ..Examination::default() }
}

impl Zone {
    /// The same, with how its signature fares.
    fn examine_with(&mut self, rounds: usize, dkim: Finding) {
        let check = Check { method: Method::Dkim, finding: dkim, by_receiver: false, why: "there is no key".to_owned() };
        let mail = Examination { checks: vec![check], ..mail("k1", "192.0.2.1") };
        self.examine_all(rounds, MINUTE, &mail);
    }

    /// Every canary of so many rounds is looked at.
    fn examine(&mut self, rounds: usize, every: Span, selector: &str, sender: &str) {
        self.examine_all(rounds, every, &mail(selector, sender));
    }

    fn examine_all(&mut self, rounds: usize, every: Span, mail: &Examination) {
        for _ in 0..rounds {
            let before = self.w.sent.len();
            self.w.run(every);
            let new: Vec<_> = self.w.sent.get(before..).unwrap().iter().rev().take(1).cloned().collect();
            for (_, canary, route) in new {
                self.w.feed(Event::Examined { inbox: route.inbox.clone(), canary, mail: mail.clone() });
            }
        }
    }
}

#[test]
fn a_signature_that_fails_has_its_key_asked_for_at_once_and_is_told_with_the_cause() {
    let mut zone = Zone::one();
    zone.examine_with(12, Finding::Pass);
    let asked = |zone: &Zone, topic| zone.w.dog.dns_questions().into_iter().find(|q| q.subject.topic == topic).unwrap().failing_since;
    assert_eq!(asked(&zone, Topic::Dkim), None);
    zone.examine_with(1, Finding::Fail);
    assert_eq!((asked(&zone, Topic::Dkim), asked(&zone, Topic::Spf)), (Some(zone.w.now), None), "what it rests on, and nothing else");
    zone.examine_with(1, Finding::Fail);
    let authentication = |zone: &Zone| {
        let all = zone.w.notices.iter().map(|(_, n)| n).filter(|n| n.kind == Kind::Authentication);
        all.map(|n| (n.change, n.summary.clone())).collect::<Vec<_>>()
    };
    let told = authentication(&zone);
    assert!(matches!(&told[..], [(Change::Opened, words)] if !words.contains("The cause")), "{told:?}");
    zone.keeps_saying(2, Topic::Dkim, KEY, &absent());
    let told = authentication(&zone);
    let [_, (Change::Updated, words)] = &told[..] else { panic!("{told:?}") };
    assert!(
        words.contains(". The cause stands in the DNS: DKIM key `k1._domainkey.example.com` is gone: `v=DKIM1; p=a` stood there, since "),
        "{words}"
    );
    let newest = zone.w.notices.iter().map(|(_, n)| n).rfind(|n| n.kind == Kind::Authentication).unwrap();
    let next = newest.evidence["next_step"].as_str().unwrap();
    assert!(next.starts_with("restore the record as `p0` shows it") && !words.contains(next), "{next}: {words}");
    assert_eq!(zone.changes(), [(Change::Opened, Severity::Page)]);
    let newest = zone.w.notices.iter().map(|(_, n)| n).rfind(|n| n.kind == Kind::Dns).unwrap();
    let next = newest.evidence["next_step"].as_str().unwrap();
    assert!(next.contains("`mailcanary dns approve dkim k1._domainkey.example.com -c FILE`"), "a command that can be run: {next}");
    zone.examine_with(3, Finding::Pass);
    assert_eq!(asked(&zone, Topic::Dkim), None);
}

fn with_list() -> Settings {
    let mut settings = asked(1, 1);
    let (listed, refused) = Blocklist::known("zen.spamhaus.org");
    let list = Blocklist { zone: "zen.spamhaus.org".to_owned(), domains: false, listed, refused, key: None, severity: Severity::Warn };
    settings.blocklists.insert(name("zen"), list);
    settings
}

#[test]
fn what_is_asked_follows_from_the_settings_and_from_what_mail_shows() {
    let mut zone = Zone::of(with_list());
    let own =
        ["dmarc example.com", "dnssec example.com", "mta_sts example.com", "mta_sts example.net", "mx example.net", "spf example.com"];
    for asked in own {
        assert!(zone.asks().contains(&asked.to_owned()), "{asked}: {:?}", zone.asks());
    }
    zone.examine(12, MINUTE, "k1", "192.0.2.7");
    for asked in ["dkim k1._domainkey.example.com", "spf bounces.provider.example", "reverse 192.0.2.7", "listed 192.0.2.7 zen"] {
        assert!(zone.asks().contains(&asked.to_owned()), "{asked}: {:?}", zone.asks());
    }
    // What nobody outside can see is asked of nobody.
    for private in ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "100.64.0.1", "::1", "fe80::1", "fd00::1"] {
        zone.examine(1, MINUTE, "k1", private);
    }
    assert_eq!(zone.asks().iter().filter(|asked| asked.starts_with("reverse")).count(), 1, "{:?}", zone.asks());
    // However many addresses there are, few are asked about.
    for n in 0..200 {
        zone.examine(1, MINUTE, "k1", &format!("198.51.100.{n}"));
    }
    assert_eq!(zone.asks().iter().filter(|asked| asked.starts_with("reverse")).count(), 32);
}

#[test]
fn a_key_that_another_has_replaced_may_go() {
    let mut zone = Zone::of(asked(1, 1));
    let old = "k1._domainkey.example.com";
    zone.examine(12, MINUTE, "k1", "192.0.2.7");
    zone.says(Topic::Dkim, old, key("a"));
    zone.examine(8, Span::from_secs(3600), "k2", "192.0.2.7");
    zone.keeps_saying(3, Topic::Dkim, old, &absent());
    assert_eq!(zone.changes(), [(Change::Opened, Severity::Warn)], "mail on its way is still signed with it");
    zone.examine(30, Span::from_secs(3600), "k2", "192.0.2.7");
    zone.says(Topic::Spf, "example.com", sound("v=spf1 -all"));
    assert!(!zone.asks().contains(&format!("dkim {old}")), "{:?}", zone.asks());
    assert_eq!(zone.told().last().map(|n| n.change), Some(Change::Resolved));
}

#[test]
fn a_listing_warns_also_at_first_sight_and_a_refusal_is_none() {
    let mut zone = Zone::of(with_list());
    zone.examine(12, MINUTE, "k1", "192.0.2.7");
    let subject = || Subject::listed("192.0.2.7", &name("zen")).unwrap();
    for _ in 0..5 {
        zone.feed(subject(), Found::Refused("the list does not answer this resolver (127.255.255.254)".to_owned()));
    }
    assert!(zone.told().is_empty());
    assert!(zone.w.dog.view(zone.w.now).dns.subjects.iter().any(|s| s.refused));
    let listed = || Found::Answer(Answer::new(Grade::Broken, "127.0.0.2 SBL (spam source)").note("https://list.example/why"));
    (0..4).for_each(|_| zone.feed(subject(), listed()));
    let told = zone.told();
    let [opened] = told[..] else { panic!("{told:?}") };
    assert_eq!((opened.kind, opened.severity, &opened.culprit), (Kind::Listed, Severity::Warn, &Culprit::Provider(name("p0"))));
    for part in ["`192.0.2.7`", "`zen`", "SBL (spam source)", "https://list.example/why"] {
        assert!(opened.summary.contains(part), "{part}: {}", opened.summary);
    }
    // It does not settle.
    zone.w.run(Span::from_secs(30 * 3600));
    zone.examine(1, MINUTE, "k1", "192.0.2.7");
    (0..3).for_each(|_| zone.feed(subject(), listed()));
    assert_eq!(zone.changes().len(), 1);
    (0..3).for_each(|_| zone.feed(subject(), Found::Answer(Answer::new(Grade::Sound, ""))));
    assert_eq!(zone.told().last().map(|n| n.change), Some(Change::Resolved));
}

#[test]
fn answers_about_what_is_not_asked_and_huge_ones_are_held_off() {
    let mut zone = Zone::one();
    for n in 0..500 {
        zone.says(Topic::Spf, &format!("d{n}.else.example"), sound(&"x".repeat(10_000)));
    }
    for n in 0..40 {
        zone.keeps_saying(2, Topic::Spf, "example.com", &sound(&format!("{n}{}", "\u{1b}\u{202e}".repeat(50_000))));
    }
    let view = zone.w.dog.view(zone.w.now).dns;
    assert!(view.subjects.iter().all(|one| !one.subject.name.contains("else")) && view.subjects.len() < 20);
    for one in &view.subjects {
        let texts = one.answer.iter().chain(&one.before).map(|answer| &answer.text);
        let all = texts.chain(one.changes.iter().flat_map(|(_, before, after)| [before, after]));
        assert!(
            one.changes.len() <= 8 && all.into_iter().all(|text| text.chars().count() <= 1017 && !text.contains(['\u{1b}', '\u{202e}']))
        );
    }
}

#[test]
fn a_policy_of_mta_sts_that_is_first_seen_with_an_update_is_no_change_and_one_without_a_new_id_is_named() {
    let mut zone = Zone::of(asked(1, 1));
    let says = |zone: &mut Zone, text: &str| zone.keeps_saying(3, Topic::MtaSts, "example.com", &sound(text));
    let policy = |id: u32, mx: &str| format!("v=STSv1; id={id}; max_age=604800; mode=enforce; mx={mx}");
    says(&mut zone, "v=STSv1; id=1");
    says(&mut zone, &policy(1, "mx.example.com"));
    assert!(zone.told().is_empty(), "{:?}", zone.told());
    says(&mut zone, &policy(1, "other.example.com"));
    let told = zone.told();
    let [opened] = told[..] else { panic!("{told:?}") };
    assert_eq!(opened.severity, Severity::Warn);
    assert!(opened.summary.contains("another policy with the same `id`"), "{}", opened.summary);
    says(&mut zone, &policy(2, "other.example.com"));
    let last = zone.told().last().map(|n| n.summary.clone()).unwrap();
    assert!(!last.contains("same `id`") && last.contains("id=2"), "{last}");
}
