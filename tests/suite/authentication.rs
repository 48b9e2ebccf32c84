//! Whether a mail is what it says: signed by a real OpenDKIM, handed over by a real Postfix, read from a real Dovecot, with what a real
//! name server says of it at that moment.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mailcanary::canary::{Head, Known, examine};
use mailcanary::config::Tls;
use mailcanary::edge::dns::Resolver;
use mailcanary::edge::inbox::{Report, Wanted};
use mailcanary::model::{CanaryId, Check, Finding, Method, Part};

use crate::inbox::{Rig, inbox_at, mail_from};
use crate::support::dovecot::{self, Dovecot};
use crate::support::knot::Knot;
use crate::support::opendkim::OpenDkim;
use crate::support::postfix::Postfix;

const FROM: &str = "no-reply@mail.test";

/// Hands `message` to an SMTP server, for the user of Dovecot.
pub fn submit(port: u16, from: &str, message: &str) {
    hand_over(port, from, dovecot::USER, message);
}

/// The same for anybody.
pub fn hand_over(port: u16, from: &str, to: &str, message: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut answered = || {
        let mut line = String::new();
        while line.as_bytes().get(3) != Some(&b' ') {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "no answer");
        }
        assert!(line.starts_with(['2', '3']), "{line}");
    };
    answered();
    let body = message.replace('\n', "\r\n");
    for command in ["EHLO relay.mail.test", &format!("MAIL FROM:<{from}>"), &format!("RCPT TO:<{to}>"), "DATA", &format!("{body}\r\n.")] {
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        answered();
    }
}

/// The records of a domain whose mail is in order.
fn records(key: &str) -> Vec<String> {
    ["@ TXT \"v=spf1 ip4:127.0.0.1 -all\"", "_dmarc TXT \"v=DMARC1; p=reject\"", key].map(str::to_owned).to_vec()
}

async fn checks(knot: &Knot, message: &[u8]) -> Vec<Check> {
    let resolver = Resolver::new(Some(knot.address)).unwrap();
    resolver.verify(message, Head::read(message).envelope().as_ref()).await
}

fn found(checks: &[Check], method: Method) -> Finding {
    let found: Vec<Finding> = checks.iter().filter(|c| c.method == method).map(|c| c.finding).collect();
    assert_eq!(found.len(), 1, "{checks:?}");
    found[0]
}

fn three(checks: &[Check]) -> [Finding; 3] {
    [Method::Spf, Method::Dkim, Method::Dmarc].map(|method| found(checks, method))
}

/// A canary's message as it lies in Dovecot, and the header of a mail that is none.
async fn received(signer: &OpenDkim) -> (Vec<u8>, Vec<u8>) {
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let (lmtp, milter) = (format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp), format!("smtpd_milters = {}", signer.milter()));
    let domain = dovecot::USER.rsplit_once('@').unwrap().1;
    let domains = format!("virtual_mailbox_domains = {domain}");
    let relay =
        Postfix::builder().virtual_transport(&lmtp).setting(&domains).setting(&milter).setting("milter_default_action = reject").start();
    let wanted = Wanted { messages: Some(std::sync::Arc::new(|_| true)), strangers: true };
    let mut rig = Rig::new(inbox_at(dovecot.imap, Tls::None)).wanting(wanted).watch();
    rig.expect_sight().await;
    submit(relay.port(), FROM, &mail_from(FROM, 1));
    assert!(matches!(rig.next_but_reads().await, Report::Sighted { .. }), "the sighting comes first");
    let Report::Mail { canary, message, .. } = rig.next_but_reads().await else { panic!("the message follows") };
    assert_eq!(canary, CanaryId::from_bits(1));
    submit(relay.port(), FROM, "From: reset@mail.test\nSubject: Reset your password\n\nhttps://evil.test/");
    let Report::Stranger { message: header, copy, .. } = rig.next_but_reads().await else { panic!("a stranger is told of") };
    assert!(copy.ends_with("/2"), "{copy}");
    (message, header)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_holds_until_its_key_or_the_mail_is_changed() {
    let signer = OpenDkim::start("mail.test");
    let mut knot = Knot::start(&records(&signer.record()));
    let (message, header) = received(&signer).await;
    let text = String::from_utf8_lossy(&message).into_owned();
    let head = Head::read(&message);
    let mail = examine(&message, &head, &Known { sent_at: None, sent: None, inbox_domain: "mail.test.example", own: &[], cut: false });
    let value = |part| mail.marks.iter().find(|m| m.part == part).map(|m| m.value.clone());
    assert_eq!(value(Part::From).as_deref(), Some(FROM));
    assert_eq!(value(Part::DkimSelector).as_deref(), Some("s1._domainkey.mail.test"), "{text}");
    assert_eq!(value(Part::ReturnPath).as_deref(), Some("mail.test"), "{text}");
    assert!(mail.hops.len() >= 2 && mail.hops.iter().all(|hop| hop.at.is_some()), "{:?}\n{text}", mail.hops);
    assert!(String::from_utf8_lossy(&header).contains("From: reset@mail.test"));

    let all = checks(&knot, &message).await;
    assert_eq!(three(&all), [Finding::Pass; 3], "{all:?}\n{text}");
    // A footer, as a list would add one.
    let changed = [&message[..], b"Unsubscribe here\r\n"].concat();
    let all = checks(&knot, &changed).await;
    assert_eq!((found(&all, Method::Dkim), found(&all, Method::Dmarc)), (Finding::Fail, Finding::Pass), "by SPF still: {all:?}");
    // The key goes; the sending host is not allowed any more either.
    let mut without = records("s2._domainkey TXT \"v=DKIM1; p=\"");
    without[0] = "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"".to_owned();
    knot.change(&without);
    let all = checks(&knot, &message).await;
    assert_eq!(three(&all), [Finding::Fail; 3], "{all:?}");
    assert!(all.iter().any(|c| c.why.contains("mail.test") && c.why.contains("no key")), "{all:?}");
    // Another key under the same name.
    knot.change(&records(&OpenDkim::start("mail.test").record()));
    assert_eq!(found(&checks(&knot, &message).await, Method::Dkim), Finding::Fail);
    knot.change(&records(&signer.record()));
    assert_eq!(three(&checks(&knot, &message).await), [Finding::Pass; 3], "put right");
    // Nobody to ask: no word against the provider, and not for long.
    let (address, began) = (knot.address, Instant::now());
    drop(knot);
    let resolver = Resolver::new(Some(address)).unwrap();
    let all = resolver.verify(&message, head.envelope().as_ref()).await;
    assert_eq!(three(&all), [Finding::Unsure; 3], "{all:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn mail_that_nobody_signed_and_nonsense_are_no_failures() {
    let knot = Knot::start(&[]);
    let plain = b"Received: from a.mail.test (a.mail.test [192.0.2.1]) by mx.example.org; Mon, 8 Aug 2022 19:30:00 +0000\r\nReturn-Path: <a@mail.test>\r\nFrom: a@mail.test\r\n\r\nx";
    assert_eq!(three(&checks(&knot, plain).await), [Finding::None; 3]);
    let began = Instant::now();
    let signed = "DKIM-Signature: v=1; a=rsa-sha256; d=mail.test; s=x; h=from; bh=AA==; b=AA==\r\n".repeat(3000);
    for nonsense in [&b""[..], b"\0\xff", b"DKIM-Signature: v=1; a=; d=\xff; l=-1\r\nARC-Seal: i=99999999999\r\n\r\n", signed.as_bytes()] {
        let checks = checks(&knot, nonsense).await;
        assert!(checks.iter().all(|c| c.finding != Finding::Pass) && checks.len() <= 24, "{checks:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(30));
}
