//! A real Postfix whose mail a real OpenDKIM signs, read by the daemon's own mail server, with a real Knot that says who may send it: what
//! changes there while the daemon runs is told, and what a stranger sends through the relay.

use serde_json::Value;

use crate::support::browser::{look, pictures};
use crate::support::daemon::Daemon;
use crate::support::free_port::free_port;
use crate::support::knot::Knot;
use crate::support::opendkim::OpenDkim;
use crate::support::postfix::Postfix;

/// The host that hands the mail to its receiver, and its name.
const HOST: &str = "192.0.2.1";
const NAME: &str = "1 PTR out.mail.test.";

/// The zone, with what may be otherwise in it.
struct Zone<'z> {
    include: &'z str,
    key: &'z str,
    more: &'z [&'z str],
}

impl Zone<'_> {
    fn records(&self) -> Vec<String> {
        let usual = ["@ TXT \"v=spf1 include:spf.mail.test -all\"", "_dmarc TXT \"v=DMARC1; p=reject\"", "out A 192.0.2.1", self.key];
        let include = format!("spf TXT \"v=spf1 {}\"", self.include);
        usual.iter().chain(self.more).map(|record| (*record).to_owned()).chain([include]).collect()
    }
}

/// The open incidents, as the API tells them.
async fn open(daemon: &Daemon) -> Option<Vec<Value>> {
    let (status, text) = daemon.get("/api/v1/incidents").await?;
    assert_eq!(status, 200, "{text}");
    let all: Value = serde_json::from_str(&text).unwrap();
    Some(all["incidents"].as_array()?.iter().filter(|one| one["resolved_at"].is_null()).cloned().collect())
}

/// The open incident of a kind, once its summary has these words.
async fn told(daemon: &mut Daemon, kind: &str, words: &[&str]) -> Value {
    let is_it = |one: &Value| one["kind"] == kind && words.iter().all(|word| one["last"]["summary"].as_str().unwrap().contains(word));
    daemon.wait_for(&format!("{kind}: {words:?}"), async |d| open(d).await?.into_iter().find(is_it)).await
}

async fn quiet(daemon: &mut Daemon) {
    daemon.wait_for("all to be over", async |d| open(d).await?.is_empty().then_some(())).await;
}

/// What the API says of one subject.
async fn record(daemon: &Daemon, subject: &str) -> Option<Value> {
    let (_, text) = daemon.get("/api/v1/dns").await?;
    let all: Value = serde_json::from_str(&text).unwrap();
    all["records"].as_array()?.iter().find(|one| one["subject"] == subject).cloned()
}

fn configuration(relay: u16, inbox: u16, knot: &Knot) -> String {
    format!(
        "[watch]\nevery = \"1s\"\n\n[stream.reset]\n\n[provider.relay.smtp]\nfrom = \"no-reply@mail.test\"\nhost = \"127.0.0.1\"\nport = {relay}\n\
         tls = \"none\"\n\n[inbox.own.smtp]\naddress = \"seed@inbox.example\"\nlisten = \"127.0.0.1:{inbox}\"\n\n\
         [dns]\nserver = \"{}\"\nevery = \"1s\"\nlists_every = \"1s\"\n\n[blocklist.own]\nzone = \"bl.mail.test\"\n",
        knot.address
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_in_the_dns_of_a_relay_is_told_and_what_strangers_send_through_it() {
    let (signer, inbox) = (OpenDkim::start("mail.test"), free_port());
    let (key, other) = (signer.record(), OpenDkim::start("mail.test").record());
    let well = Zone { include: "ip4:192.0.2.0/24 -all", key: &key, more: &[] };
    let mut knot = Knot::with_names(&well.records(), &[NAME]);
    // As a receiver in the world would write down whom it had the mail from.
    let received = format!("Received: from out.mail.test (out.mail.test [{HOST}]) by mx.inbox.example");
    let relay = Postfix::builder()
        .virtual_transport(&format!("smtp:[127.0.0.1]:{inbox}"))
        .setting(&format!("smtp_header_checks = regexp:{{ {{/^Received:/ PREPEND {received}}} }}"))
        .setting(&format!("smtpd_milters = {}", signer.milter()))
        .setting("milter_default_action = reject")
        .start();
    let mut daemon = Daemon::new(|_| configuration(relay.port(), inbox, &knot));
    daemon.start().await;
    let well_known = async |d: &Daemon, subject: &str| record(d, subject).await.filter(|one| one["grade"] == "sound").map(|_| ());
    for subject in ["dkim s1._domainkey.mail.test", &format!("reverse {HOST}"), &format!("listed {HOST} own")] {
        daemon.wait_for(subject, async |d| well_known(d, subject).await).await;
    }
    let covered = async |d: &Daemon| record(d, "spf mail.test").await.filter(|one| one["addresses"][0]["passes"] == true).map(|_| ());
    daemon.wait_for("the host to be covered", covered).await;
    daemon.wait_for_arrivals(6.0).await;
    quiet(&mut daemon).await;

    // What the record includes loses the network, and nothing else of it changes.
    knot.change(&Zone { include: "ip4:198.51.100.0/24 -all", ..well }.records());
    let dns = told(&mut daemon, "dns", &["does not let `192.0.2.1` send any more", "`spf.mail.test`, on which it rests"]).await;
    assert_eq!((&dns["severity"], &dns["culprit"]["provider"]), (&"page".into(), &"relay".into()), "{dns}");
    let inside = &dns["last"]["evidence"]["changes"][0]["included"][0];
    assert_eq!((&inside["before"], &inside["after"]), (&"v=spf1 ip4:192.0.2.0/24 -all".into(), &"v=spf1 ip4:198.51.100.0/24 -all".into()));
    let (_, page) = daemon.get("/dns").await.unwrap();
    assert!(page.contains("shut out") && page.contains("ip4:198.51.100.0/24"), "{page}");
    let (_, said, _) = daemon.say(&["dns", "list"]);
    assert!(said.contains("it rests on spf.mail.test") && said.contains("does not let 192.0.2.1 pass"), "{said}");
    // By then mail fails by it, too: the cause is known.
    told(&mut daemon, "authentication", &["SPF", "The cause stands in the DNS"]).await;
    knot.change(&well.records());
    quiet(&mut daemon).await;

    // It breaks inside.
    knot.change(&Zone { include: "ip5:192.0.2.0/24 -all", ..well }.records());
    let broken =
        told(&mut daemon, "dns", &["does not work any more", "says `v=spf1 ip5:192.0.2.0/24 -all` now, and said `v=spf1 ip4"]).await;
    assert_eq!(broken["severity"], "page", "{broken}");
    knot.change(&well.records());
    quiet(&mut daemon).await;

    // Somebody exchanges the key, the name of the host goes, and it is listed: three failures, each told as what it is.
    knot.rename(&[]);
    let listed = ["1.2.0.192.bl A 127.0.0.2", "1.2.0.192.bl TXT \"sent spam\""];
    knot.change(&Zone { key: &other, more: &listed, ..well }.records());
    let told_of = told(&mut daemon, "listed", &["`192.0.2.1` stands on blocklist `own`", "sent spam"]).await;
    assert_eq!(told_of["culprit"]["provider"], "relay", "{told_of}");
    let failing =
        told(&mut daemon, "authentication", &["fails DKIM", "the signature of mail.test (selector s1)", "The cause stands in the DNS"])
            .await;
    assert_eq!((&failing["severity"], &failing["culprit"]["provider"]), (&"warn".into(), &"relay".into()), "{failing}");
    told(&mut daemon, "dns", &["DKIM key `s1._domainkey.mail.test` has changed", "name of address `192.0.2.1` is gone"]).await;
    its_page_says_so(&mut daemon).await;
    knot.rename(&[NAME]);
    knot.change(&well.records());
    quiet(&mut daemon).await;

    // The name is there, and does not lead back.
    knot.rename(&["1 PTR other.mail.test."]);
    told(&mut daemon, "dns", &["name of address `192.0.2.1` does not work any more"]).await;

    // Somebody else uses the relay, in nobody's name of ours.
    crate::authentication::hand_over(
        relay.port(),
        "eve@evil.example",
        "seed@inbox.example",
        "From: eve@evil.example\nSubject: Your parcel\n\nhello",
    );
    let strange =
        told(&mut daemon, "unexpected_mail", &["in other names came through provider `relay`, which is ours alone", "eve@evil.example"])
            .await;
    assert_eq!(strange["culprit"]["provider"], "relay", "{strange}");
}

/// What is known of the mail stands on its provider's page, in a real browser.
async fn its_page_says_so(daemon: &mut Daemon) {
    let facts =
        ["s1._domainkey.mail.test", "DKIM", "192.0.2.1", "no-reply@mail.test", "the configuration", "Name of address", " mails</td>"];
    let (status, page) = daemon.get("/providers/relay/mail").await.unwrap();
    let missing: Vec<&str> = facts.into_iter().filter(|fact| !page.contains(fact)).collect();
    assert!(status == 200 && missing.is_empty() && page.contains("✕"), "{missing:?} in {page}");
    let at = format!("http://127.0.0.1:{}/providers/relay/mail", daemon.port);
    look(serde_json::json!({ "pictures": pictures(), "pages": [{ "name": "real-mail", "url": at, "modes": ["light", "phone-dark"] }] }))
        .await;
}
