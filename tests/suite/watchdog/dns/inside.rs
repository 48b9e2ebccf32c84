//! What an SPF record rests on: records that it includes, and the hosts that send by it.

use super::*;

/// A record that includes another, which lets these hosts pass, or does not.
fn record(grade: Grade, inside: &str, hosts: &[(&str, bool)]) -> Found {
    let includes = [("spf.relay.example".to_owned(), inside.to_owned())].into();
    let hosts = hosts.iter().map(|(host, passes)| (host.parse().unwrap(), *passes)).collect();
    Found::Answer(Answer { hosts, ..Answer::new(grade, "v=spf1 include:spf.relay.example -all").including(&includes) })
}

/// A world in whose mail this domain stands in Return-Path.
fn sends_as(domain: &str, providers: usize) -> Zone {
    let mut zone = Zone::of(asked(providers, 1));
    let mut canary = mail("k1", "192.0.2.1");
    canary.marks[0].value = domain.to_owned();
    zone.examine_all(12 * providers, MINUTE, &canary);
    zone
}

#[test]
fn an_include_that_breaks_is_shown_with_what_it_said_before() {
    let mut zone = sends_as("example.com", 1);
    zone.says(Topic::Spf, "example.com", record(Grade::Sound, "v=spf1 ip4:192.0.2.0/24 -all", &[("192.0.2.1", true)]));
    let broken = Answer::new(Grade::Broken, "v=spf1 include:spf.relay.example -all")
        .note("`ip5:x`: no mechanism (in the record of spf.relay.example)");
    let broken = Found::Answer(broken.including(&[("spf.relay.example".to_owned(), "v=spf1 ip5:x -all".to_owned())].into()));
    zone.keeps_saying(3, Topic::Spf, "example.com", &broken);
    let told = zone.told();
    let [opened] = told[..] else { panic!("{told:?}") };
    assert_eq!(opened.severity, Severity::Page);
    let words = "`spf.relay.example`, on which it rests, says `v=spf1 ip5:x -all` now, and said `v=spf1 ip4:192.0.2.0/24 -all` before";
    assert!(opened.summary.contains("does not work any more") && opened.summary.contains(words), "{}", opened.summary);
    let change = &opened.evidence["changes"][0];
    assert_eq!(change["included"][0]["domain"], "spf.relay.example", "{change}");
    assert_eq!(
        (&change["included"][0]["before"], &change["included"][0]["after"]),
        (&"v=spf1 ip4:192.0.2.0/24 -all".into(), &"v=spf1 ip5:x -all".into())
    );
    let next = opened.evidence["next_step"].as_str().unwrap();
    assert!(next.contains("the record of `spf.relay.example`") && next.contains("dns approve spf example.com"), "{next}");
    let view = zone.w.dog.view(zone.w.now);
    let shown = view.dns.subjects.iter().find(|one| one.subject.to_string() == "spf example.com").unwrap();
    assert_eq!(shown.changes[0].1, "spf.relay.example: v=spf1 ip4:192.0.2.0/24 -all");
}

#[test]
fn hosts_that_may_not_send_any_more_are_told_before_their_mail_fails() {
    let sound = |inside: &str, hosts: &[(&str, bool)]| record(Grade::Sound, inside, hosts);
    let (whole, half, none) = ("v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 ip4:192.0.2.9 -all", "v=spf1 -all");
    for (domain, before, after, severity) in [
        ("example.com", sound(whole, &[("192.0.2.1", true)]), sound(none, &[("192.0.2.1", false)]), Some(Severity::Page)),
        // Others that send may still.
        (
            "example.com",
            sound(whole, &[("192.0.2.1", true), ("192.0.2.9", true)]),
            sound(half, &[("192.0.2.1", false), ("192.0.2.9", true)]),
            Some(Severity::Warn),
        ),
        // Of the provider's own domain it is the provider's, and DMARC does not rest on it.
        ("bounces.provider.example", sound(whole, &[("192.0.2.1", true)]), sound(none, &[("192.0.2.1", false)]), Some(Severity::Warn)),
        // Another text by which the same hosts pass, what never passed, and what cannot be said.
        ("example.com", sound(whole, &[("192.0.2.1", true)]), sound("v=spf1 ip4:192.0.2.1 -all", &[("192.0.2.1", true)]), None),
        ("example.com", sound(none, &[("192.0.2.1", false)]), sound(half, &[("192.0.2.1", false)]), None),
        ("example.com", sound(none, &[]), sound(half, &[("192.0.2.1", false)]), None),
        ("example.com", sound(whole, &[("192.0.2.1", true)]), sound("v=spf1 exists:%{i}.x -all", &[]), None),
    ] {
        let mut zone = sends_as(domain, 1);
        zone.says(Topic::Spf, domain, before.clone());
        zone.keeps_saying(3, Topic::Spf, domain, &after);
        let expected: Vec<_> = severity.iter().map(|severity| (Change::Opened, *severity)).collect();
        assert_eq!(zone.changes(), expected, "{domain} {after:?}");
        let Some(told) = zone.told().first().map(|told| (*told).clone()) else { continue };
        assert!(told.summary.contains("does not let `192.0.2.1` send any more, from where mail comes"), "{}", told.summary);
        assert_eq!((&told.culprit, &told.evidence["changes"][0]["shut_out"][0]), (&Culprit::Provider(name("p0")), &"192.0.2.1".into()));
        // It does not become usual, and is over when it is put right.
        zone.w.run(Span::from_secs(25 * 3600));
        zone.keeps_saying(1, Topic::Spf, domain, &after);
        assert_eq!(zone.changes().len(), 1, "{:?}", zone.changes());
        let mut canary = mail("k1", "192.0.2.1");
        canary.marks[0].value = domain.to_owned();
        zone.examine_all(1, MINUTE, &canary);
        zone.keeps_saying(3, Topic::Spf, domain, &before);
        assert_eq!(zone.told().last().map(|told| told.change), Some(Change::Resolved), "{:?}", zone.told());
    }
}

#[test]
fn only_the_provider_whose_hosts_are_shut_out_is_named_and_its_hosts_are_asked_about() {
    let mut zone = sends_as("example.com", 2);
    let both = zone.w.sent.clone();
    let of = |provider: &str| both.iter().rev().find(|(.., route)| route.provider.as_str() == provider).cloned().unwrap();
    for (provider, sender) in [("p0", "192.0.2.1"), ("p1", "198.51.100.1")] {
        let (_, canary, route) = of(provider);
        let mut mail = mail("k1", sender);
        mail.marks[0].value = "example.com".to_owned();
        for _ in 0..12 {
            zone.w.feed(Event::Examined { inbox: route.inbox.clone(), canary, mail: mail.clone() });
        }
    }
    let question = zone.w.dog.dns_questions().into_iter().find(|asked| asked.subject.to_string() == "spf example.com").unwrap();
    assert_eq!(question.hosts, ["192.0.2.1", "198.51.100.1"].map(|host| host.parse::<IpAddr>().unwrap()));
    zone.says(Topic::Spf, "example.com", record(Grade::Sound, "v=spf1 +all", &[("192.0.2.1", true), ("198.51.100.1", true)]));
    let after = record(Grade::Sound, "v=spf1 ip4:192.0.2.1 -all", &[("192.0.2.1", true), ("198.51.100.1", false)]);
    zone.keeps_saying(2, Topic::Spf, "example.com", &after);
    let told = zone.told();
    let [opened] = told[..] else { panic!("{told:?}") };
    assert_eq!((&opened.culprit, opened.severity), (&Culprit::Provider(name("p1")), Severity::Warn), "{}", opened.summary);
}
