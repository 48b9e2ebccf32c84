//! Mail in other names that came through a relay of our own: known by its way alone.

use std::sync::Arc;

use mailcanary::canary::{Head, Known, Ours, examine};
use mailcanary::config::Settings;
use mailcanary::model::{At, Claim, Name, Placement};

const SETTINGS: &str = r#"
[stream.reset]
[provider.own.smtp]
from = "no-reply@example.com"
host = "10.0.0.25"
tls = "none"
[provider.named.smtp]
from = "no-reply@example.com"
host = "smtp.example.com"
[provider.service.smtp]
from = "no-reply@example.com"
host = "smtp.service.example"
[inbox.seed.imap]
address = "seed@inbox.example"
host = "127.0.0.1"
tls = "none"
username = "u"
password = { env = "P" }
[inbox.ours.imap]
address = "seed@example.com"
host = "127.0.0.1"
tls = "none"
username = "u"
password = { env = "P" }
"#;

/// A mail by these hops, the last first: who wrote it down, whom it had it from, and at which address.
fn mail(hops: &[(&str, &str, &str)], more: &str) -> String {
    let hop = |(by, from, address): &(&str, &str, &str)| {
        format!("Received: from {from} ({from} [{address}]) by {by}; Mon, 8 Aug 2022 19:30:00 +0000\r\n")
    };
    hops.iter().map(hop).collect::<String>() + more + "\r\n"
}

const OUT: (&str, &str, &str) = ("mx.inbox.example", "out7.example.com", "192.0.2.1");
const APP: (&str, &str, &str) = ("relay.example.com", "app.lan", "10.0.0.9");

struct World {
    settings: Arc<Settings>,
    ours: Ours,
}

impl World {
    fn new() -> Self {
        // Not all of it would be accepted, for reasons of no matter here.
        let (settings, ours) = super::ours(&SETTINGS.replace("10.0.0.25\"\ntls = \"none\"", "127.0.0.1\"\ntls = \"none\""));
        Self { settings, ours }
    }

    /// A canary that came through a provider by these hops.
    fn learn(&mut self, provider: &str, hops: &[(&str, &str, &str)]) -> Option<String> {
        let mail = mail(hops, "From: no-reply@example.com\r\n");
        let known = Known { sent_at: None, sent: None, inbox_domain: "inbox.example", own: &[], cut: false };
        let way = examine(mail.as_bytes(), &Head::read(mail.as_bytes()), &known).way;
        way.iter().for_each(|way| self.ours.learn_way(&name(provider), way));
        way
    }

    /// What a mail in another name is, and whether it is told to be in none of ours.
    fn weigh(&self, inbox: &str, hops: &[(&str, &str, &str)], more: &str) -> (Claim, bool) {
        let (header, inbox) = (mail(hops, &format!("From: eve@evil.example\r\n{more}")), name(inbox));
        let told = self.ours.weigh(&inbox, &self.settings.inboxes[&inbox], header.as_bytes(), Placement::Inbox, At::from_ms(0), None);
        (told.claim, told.nameless)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn mail_in_any_name_through_our_own_relay_is_weighed_and_through_anothers_is_not() {
    let mut world = World::new();
    assert!(["own", "named"].iter().all(|relay| world.ours.is_own_relay(&name(relay))) && !world.ours.is_own_relay(&name("service")));
    let nothing = (Claim::Nothing, false);
    assert_eq!(world.weigh("seed", &[OUT, APP], ""), nothing, "nothing is learnt yet");
    assert_eq!(world.learn("own", &[OUT, APP]).as_deref(), Some("example.com example.com"));
    let service = [("mx.inbox.example", "a.service.example", "192.0.2.9"), ("b.service.example", "x", "203.0.113.1")];
    assert!(world.learn("service", &service).is_some());
    let through = (Claim::Provider(name("own")), true);
    let by = |hop: (&'static str, &'static str, &'static str)| world.weigh("seed", &[OUT, hop], "");
    assert_eq!(by(APP), through);
    // Another host of the pool; another client; a longer way to the relay.
    assert_eq!(world.weigh("seed", &[("mx2.inbox.example", "out8.example.com", "192.0.2.2"), APP], ""), through);
    assert_eq!(by(("relay2.example.com", "evil.example", "203.0.113.66")), through);
    assert_eq!(world.weigh("seed", &[OUT, APP, ("app.lan", "browser.lan", "10.0.0.1")], ""), through);
    // Its own host wrote nothing, another did, or somebody pretends below what the receiver wrote.
    assert_eq!(world.weigh("seed", &[OUT], ""), nothing);
    assert_eq!(by(("mail.else.example", "evil.example", "203.0.113.66")), nothing);
    let spammer = ("mx.inbox.example", "evil.example", "203.0.113.66");
    assert_eq!(world.weigh("seed", &[spammer, OUT, APP], ""), nothing, "forged");
    assert_eq!(world.weigh("seed", &[spammer, APP], ""), nothing, "forged");
    // A service sends for others, too.
    assert_eq!(world.weigh("seed", &service, ""), nothing);
    // In our name it is weighed as ever, and mail to us may have come in by the relay, as all mail does.
    assert!(!world.weigh("seed", &[OUT, APP], "Reply-To: help@example.com\r\n").1);
    assert_eq!(world.weigh("ours", &[OUT, APP], ""), nothing);
    assert_eq!(world.weigh("seed", &[OUT, APP], "Delivered-To: seed@example.com\r\n"), nothing);
    // Two relays by the same hosts cannot be told apart.
    world.learn("named", &[OUT, APP]);
    assert_eq!(world.weigh("seed", &[OUT, APP], ""), nothing);
}

#[test]
fn a_way_is_bounded_and_none_is_learnt_that_others_share() {
    let mut world = World::new();
    assert_eq!(world.learn("own", &[OUT]), None, "the relay wrote nothing down");
    let long: Vec<(&str, &str, &str)> = std::iter::once(OUT).chain(std::iter::repeat_n(APP, 40)).collect();
    assert_eq!(world.learn("own", &long), None);
    let host = format!("{}.example", "x".repeat(240));
    assert_eq!(world.learn("own", &[OUT, (host.as_str(), "a", "10.0.0.1")]), None);
    // Through a gateway before the inbox the relay is still known, and spam by the same gateway is not its.
    let (gateway, inner) =
        (("mx.inbox.example", "gw.gateway.example", "198.51.100.1"), ("gw.gateway.example", "out7.example.com", "192.0.2.1"));
    world.learn("own", &[gateway, inner, APP]);
    assert_eq!(world.weigh("seed", &[gateway, inner, APP], "").0, Claim::Provider(name("own")));
    assert_eq!(world.weigh("seed", &[gateway, ("gw.gateway.example", "evil.example", "203.0.113.66")], "").0, Claim::Nothing);
    assert_eq!(
        world.weigh("seed", &[gateway, ("gw.gateway.example", "evil.example", "203.0.113.66"), APP], "").0,
        Claim::Nothing,
        "forged"
    );
    // Our relay hands mail on to a service for many.
    let service = ("mx.inbox.example", "o1.sendgrid.net", "198.51.100.2");
    world.learn("own", &[service, ("relay.example.com", "app.lan", "10.0.0.9")]);
    assert_eq!(world.weigh("seed", &[service, APP], "").0, Claim::Nothing);
}
