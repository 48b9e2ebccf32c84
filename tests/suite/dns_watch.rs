//! The watch over the DNS against a real authoritative name server (Knot), whose zone changes while the daemon runs.

use std::net::SocketAddr;

use data_encoding::BASE64;
use mailcanary::config::{Blocklist, NameServer, Wire};
use mailcanary::edge::dns::{List, Question, Resolver};
use mailcanary::model::{Found, Grade, Name, Severity, Subject, Topic};
use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::free_port::free_port;
use crate::support::knot::Knot;

/// A key as short as keys are.
fn key(byte: u8) -> String {
    format!("s1._domainkey TXT \"v=DKIM1; k=ed25519; p={}\"", BASE64.encode(&[byte; 32]))
}

async fn look(resolver: &Resolver, topic: Topic, name: &str) -> Found {
    resolver.look(&Question { subject: Subject::new(topic, name).unwrap(), list: None, hosts: Vec::new() }).await.found
}

async fn grade(resolver: &Resolver, topic: Topic, name: &str) -> Grade {
    match look(resolver, topic, name).await {
        Found::Answer(answer) => answer.grade,
        Found::Refused(why) | Found::Unknown(why) => panic!("{name}: {why}"),
    }
}

async fn listed(resolver: &Resolver, address: &str) -> Found {
    let (listed, refused) = Blocklist::known("bl.mail.test");
    let settings = Blocklist { zone: "bl.mail.test".to_owned(), domains: false, listed, refused, key: None, severity: Severity::Warn };
    let subject = Subject::listed(address, &Name::new("own").unwrap()).unwrap();
    resolver.look(&Question { subject, list: Some(List { settings, key: None }), hosts: Vec::new() }).await.found
}

#[tokio::test]
async fn records_are_asked_for_as_they_stand_in_a_zone() {
    let many = |n: usize, record: &str| (0..n).map(|i| record.replace('#', &i.to_string())).collect::<Vec<_>>();
    let mut records: Vec<String> = [
        "@ TXT \"v=spf1 include:nothing.mail.test mx -all\"",
        "spf TXT \"v=spf1 include:inner.mail.test a:host.mail.test mx:mx.mail.test -all\"",
        "inner TXT \"v=spf1 ip4:192.0.2.0/24 -all\"",
        "loop TXT \"v=spf1 include:loop2.mail.test -all\"",
        "loop2 TXT \"v=spf1 include:loop.mail.test -all\"",
        "host A 192.0.2.1",
        "host3 A 192.0.2.3",
        "mx MX 10 host",
        "null MX 0 .",
        "_dmarc.sub.mail.test. TXT \"v=DMARC1; p=none\"",
        "_dmarc TXT \"v=DMARC1; p=reject; sp=quarantine\"",
        "_mta-sts TXT \"v=STSv1; id=20220808\"",
        "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:a@mail.test\"",
        "7.2.0.192.bl A 127.0.0.2",
        "7.2.0.192.bl TXT \"see https://list.test/\"",
        "8.2.0.192.bl A 127.255.255.254",
        "nasty TXT \"v=spf1 include:\\007\\233\\255.mail.test a:%{i}.x -all\"",
        "nasty MX 10 \\007\\200.mail.test.",
        "silent TXT \"v=spf1 ip4:192.0.2.1 include:elsewhere.test -all\"",
    ]
    .map(str::to_owned)
    .to_vec();
    records.push(key(1));
    records.extend(many(1000, "many MX # h#.mail.test."));
    // Half a megabyte would fit in no message; this fits in TCP's 64 KiB alone.
    records.extend(many(240, &format!("long TXT \"# {}\"", "x".repeat(240))));
    let knot =
        Knot::with_names(&records, &["1 PTR host.mail.test.", "2 PTR host.mail.test.", "3 PTR gone.mail.test.", "3 PTR host3.mail.test."]);
    let resolver = Resolver::forgetful(&NameServer::from(knot.address), &Wire::default()).unwrap();
    for (topic, name, expected) in [
        (Topic::Spf, "mail.test", Grade::Broken),
        (Topic::Spf, "spf.mail.test", Grade::Sound),
        (Topic::Spf, "loop.mail.test", Grade::Broken),
        (Topic::Spf, "nothing.mail.test", Grade::Absent),
        (Topic::Spf, "nasty.mail.test", Grade::Broken),
        (Topic::Spf, "long.mail.test", Grade::Absent),
        (Topic::Dkim, "s1._domainkey.mail.test", Grade::Sound),
        (Topic::Dkim, "s2._domainkey.mail.test", Grade::Absent),
        (Topic::Dmarc, "mail.test", Grade::Sound),
        (Topic::Dmarc, "sub.mail.test", Grade::Weak),
        (Topic::Dmarc, "other.mail.test", Grade::Fair),
        (Topic::Mx, "mx.mail.test", Grade::Sound),
        (Topic::Mx, "host.mail.test", Grade::Weak),
        (Topic::Mx, "null.mail.test", Grade::Broken),
        (Topic::Mx, "nothing.mail.test", Grade::Absent),
        (Topic::Mx, "many.mail.test", Grade::Weak),
        // Without its policy the record alone is nothing.
        (Topic::MtaSts, "mail.test", Grade::Broken),
        (Topic::TlsRpt, "mail.test", Grade::Sound),
        (Topic::Dnssec, "mail.test", Grade::Absent),
    ] {
        assert_eq!(grade(&resolver, topic, name).await, expected, "{topic:?} {name}");
    }
    names_of_addresses_lead_back_or_not(&resolver).await;
    let Found::Answer(answer) = look(&resolver, Topic::Mx, "nasty.mail.test").await else { panic!("it answers") };
    assert!(answer.text.chars().all(|c| !c.is_control()), "{answer:?}");
    assert!(
        matches!(listed(&resolver, "192.0.2.7").await, Found::Answer(a) if a.text == "127.0.0.2" && a.notes == ["see https://list.test/"])
    );
    assert!(matches!(listed(&resolver, "192.0.2.8").await, Found::Refused(_)));
    assert!(matches!(listed(&resolver, "192.0.2.9").await, Found::Answer(a) if a.grade == Grade::Sound));
    // Of what is not its own it says nothing, nor where nobody is; what it rests on is then not known, and nobody is shut out.
    assert!(matches!(look(&resolver, Topic::Spf, "silent.mail.test").await, Found::Unknown(_)));
    assert!(matches!(look(&resolver, Topic::Reverse, "198.51.100.1").await, Found::Unknown(_)));
    let nobody = Resolver::forgetful(&NameServer::from(SocketAddr::from(([127, 0, 0, 1], free_port()))), &Wire::default()).unwrap();
    assert!(matches!(look(&nobody, Topic::Spf, "mail.test").await, Found::Unknown(_)));
}

/// Names of addresses, and whether they lead back.
async fn names_of_addresses_lead_back_or_not(resolver: &Resolver) {
    for (address, expected, text) in [
        ("192.0.2.1", Grade::Sound, "host.mail.test"),
        ("192.0.2.2", Grade::Broken, "host.mail.test"),
        ("192.0.2.3", Grade::Sound, "host3.mail.test"),
        ("192.0.2.4", Grade::Absent, ""),
    ] {
        let Found::Answer(answer) = look(resolver, Topic::Reverse, address).await else { panic!("{address} is answered") };
        assert_eq!((answer.grade, answer.text.as_str()), (expected, text), "{address}");
    }
}

/// The records of a domain in order.
fn zone(more: &[&str]) -> Vec<String> {
    let usual = ["@ TXT \"v=spf1 ip4:192.0.2.1 -all\"", "_dmarc TXT \"v=DMARC1; p=reject\"", "@ MX 10 ns"];
    usual.iter().chain(more).map(|record| (*record).to_owned()).collect()
}

/// The open incidents of a kind, as the API tells them.
async fn incidents(daemon: &Daemon, kind: &str) -> Option<Vec<Value>> {
    let (status, text) = daemon.get("/api/v1/incidents").await?;
    assert_eq!(status, 200, "{text}");
    let all: Value = serde_json::from_str(&text).unwrap();
    let all = all["incidents"].as_array().unwrap();
    Some(all.iter().filter(|one| one["kind"] == kind && one["resolved_at"].is_null()).cloned().collect())
}

async fn waits_for(daemon: &mut Daemon, kind: &str, open: usize) -> Vec<Value> {
    daemon.wait_for(&format!("{open} of {kind}"), async |d| incidents(d, kind).await.filter(|all| all.len() == open)).await
}

/// What the API says of one subject.
async fn record(daemon: &Daemon, subject: &str) -> Option<Value> {
    let (_, text) = daemon.get("/api/v1/dns").await?;
    let all: Value = serde_json::from_str(&text).unwrap();
    all["records"].as_array()?.iter().find(|one| one["subject"] == subject).cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_goes_pages_while_mail_still_arrives_and_lists_are_told_from_refusals() {
    let key = key(1);
    let mut knot = Knot::start(&zone(&[&key]));
    let (port, server) = (free_port(), knot.address);
    let mut daemon = Daemon::new(|_| {
        format!(
            "[watch]\nevery = \"1s\"\n\n[stream.reset]\n\n[provider.relay.smtp]\nfrom = \"no-reply@mail.test\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             tls = \"none\"\ndkim_selectors = [\"s1\"]\n\n[inbox.own.smtp]\naddress = \"seed@mail.test\"\nlisten = \"127.0.0.1:{port}\"\n\n\
             [dns]\nserver = \"{server}\"\nevery = \"1s\"\nlists_every = \"1s\"\n\n\
             [blocklist.own]\nzone = \"bl.mail.test\"\nlists = \"domains\"\nseverity = \"page\"\n"
        )
    });
    daemon.start().await;
    let is = async |d: &Daemon, subject: &str, grade: &str| record(d, subject).await.filter(|one| one["grade"] == grade).map(|_| ());
    for (subject, grade) in [
        ("dkim s1._domainkey.mail.test", "sound"),
        ("spf mail.test", "sound"),
        ("mx mail.test", "sound"),
        ("listed mail.test own", "sound"),
    ] {
        daemon.wait_for(subject, async |d| is(d, subject, grade).await).await;
    }
    daemon.wait_for_arrivals(2.0).await;
    assert_eq!(incidents(&daemon, "dns").await.unwrap(), Vec::<Value>::new(), "nothing has changed");

    // The key goes.
    knot.change(&zone(&[]));
    let told = waits_for(&mut daemon, "dns", 1).await;
    assert_eq!((&told[0]["severity"], &told[0]["culprit"]["provider"]), (&"page".into(), &"relay".into()), "{}", told[0]);
    let change = &told[0]["last"]["evidence"]["changes"][0];
    assert!(change["before"].as_str().unwrap().contains("k=ed25519") && change["after"] == "", "{change}");
    assert_eq!(daemon.sum("mailcanary_canaries_lost_total").await, Some(0.0));
    assert_eq!(daemon.metric("mailcanary_dns_changes{topic=\"dkim\",severity=\"page\"}").await, Some(1.0));
    let (_, page) = daemon.get("/dns").await.unwrap();
    assert!(page.contains("s1._domainkey.mail.test") && page.contains("before: "), "{}", page.len());
    let (_, said, _) = daemon.say(&["dns", "list"]);
    assert!(said.contains("CHANGED (page)"), "{said}");
    knot.change(&zone(&[&key]));
    waits_for(&mut daemon, "dns", 0).await;

    // A change that is meant.
    knot.change(&zone(&["s1._domainkey TXT \"v=DKIM1; k=ed25519; p=\""]));
    waits_for(&mut daemon, "dns", 1).await;
    let (code, said, wrong) = daemon.say(&["dns", "approve", "dkim", "s1._domainkey.mail.test"]);
    assert_eq!(code, Some(0), "{said}{wrong}");
    waits_for(&mut daemon, "dns", 0).await;

    // A list that refuses, and one that lists.
    let revoked = "s1._domainkey TXT \"v=DKIM1; k=ed25519; p=\"";
    knot.change(&zone(&[revoked, "mail.test.bl A 127.255.255.254"]));
    daemon.wait_for("the refusal", async |d| record(d, "listed mail.test own").await.filter(|one| one["refused"] == true)).await;
    assert!(incidents(&daemon, "listed").await.unwrap().is_empty());
    knot.change(&zone(&[revoked, "mail.test.bl A 127.0.0.2", "mail.test.bl TXT \"sent spam\""]));
    let told = waits_for(&mut daemon, "listed", 1).await;
    assert!(told[0]["severity"] == "page" && told[0]["last"]["summary"].as_str().unwrap().contains("sent spam"), "{}", told[0]);
    knot.change(&zone(&[revoked]));
    waits_for(&mut daemon, "listed", 0).await;

    // Nobody answers: that is nobody's fault but ours, and is counted.
    drop(knot);
    let failed = "mailcanary_dns_questions_total{outcome=\"failed\"}";
    daemon.wait_for("failures", async |d| (d.metric(failed).await? >= 10.0).then_some(())).await;
    assert_eq!((incidents(&daemon, "dns").await.unwrap().len(), incidents(&daemon, "listed").await.unwrap().len()), (0, 0));
}
