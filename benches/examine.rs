//! What it costs to examine one canary in full: its token found, its header and hops read, its words compared with what was sent, and SPF, two
//! DKIM signatures (RSA, 2048 bits), DMARC and a chain of ARC checked. Keys and records come from a real name server on loopback and are kept
//! by the resolver as ever. CPU time of the one thread, by the kernel's count; prints figures and asserts nothing.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, and stops at what it did not foresee"
)]

#[path = "../tests/suite/support/mod.rs"]
mod support;

use std::process::Command;
use std::time::Duration;

use mail_auth::arc::ArcSealer;
use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mail_auth::{AuthenticatedMessage, AuthenticationResults, MessageAuthenticator};
use mail_parser::MessageParser;
use mailcanary::canary::{Composed, Found, Head, Key, Known, compose, examine, recognise};
use mailcanary::config::{Mailbox, Stream};
use mailcanary::edge::dns::Resolver;
use mailcanary::model::{At, CanaryId, Finding, Method, Name, Severity, Span};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use trust_dns_resolver::TokioResolver;
use trust_dns_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use trust_dns_resolver::net::runtime::TokioRuntimeProvider;

use support::inbox;
use support::knot::Knot;
use support::temp_dir::TempDir;

const KEY: Key = Key::new([7; 32]);
const SENT_AT: At = At::from_ms(1_660_000_000_000);
/// Mails of one round.
const MAILS: u32 = 2000;
/// What one canary may cost.
const BUDGET: Duration = Duration::from_millis(1);

/// A key of 2048 bits and its record.
fn signing_key() -> (String, String) {
    let folder = TempDir::new("examine");
    let made = Command::new("opendkim-genkey").args(["-b", "2048", "-d", "mail.test", "-s", "s1", "-D"]).arg(folder.path()).status();
    assert!(made.expect("opendkim-genkey is installed (Debian: opendkim-tools)").success());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    (read("s1.private"), read("s1.txt"))
}

fn rsa(pem: &str) -> RsaKey<Sha256> {
    RsaKey::from_key_der(PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap()
}

/// What was sent, and the message as a provider's hosts would hand it over.
fn written() -> (Composed, String) {
    let from = Mailbox { name: Some("Example".to_owned()), address: "no-reply@mail.test".to_owned() };
    let stream = Stream { subject: "Reset your password".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page };
    let name = Name::new("password-reset").unwrap();
    let sent = compose(&KEY, CanaryId::from_bits(5), SENT_AT, &name, &stream, &from, &inbox("seed@inbox.example", false));
    let message = format!(
        "From: Example <no-reply@mail.test>\r\nTo: seed@inbox.example\r\nSubject: {}\r\nDate: Mon, 8 Aug 2022 23:06:40 +0000\r\n\
         Message-ID: <20220808230640.5@mail.test>\r\nMIME-Version: 1.0\r\nList-Unsubscribe: <https://mail.test/u/5>\r\n\
         Content-Type: multipart/alternative; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\
         --cut\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{}\r\n--cut--\r\n",
        sent.subject,
        sent.text.replace('\n', "\r\n"),
        sent.html.replace('\n', "\r\n")
    );
    (sent, message)
}

/// Signed twice, sealed once, and with the lines of three hosts.
async fn arrived(pem: &str, message: &str, authenticator: &MessageAuthenticator) -> Vec<u8> {
    let sign = |domain: &str, text: &str| {
        let signer = DkimSigner::from_key(rsa(pem)).domain(domain).selector("s1").headers(["From", "To", "Subject", "Date", "Message-ID"]);
        signer.sign(text.as_bytes()).unwrap().to_header() + text
    };
    let signed = sign("mail.test", &sign("mail.test", message));
    let parsed = AuthenticatedMessage::parse(signed.as_bytes()).unwrap();
    let (dkim, arc) = (authenticator.verify_dkim(&parsed).await, authenticator.verify_arc(&parsed).await);
    let results = AuthenticationResults::new("gateway.mail.test").with_dkim_results(&dkim, "no-reply@mail.test");
    let sealer = ArcSealer::from_key(rsa(pem)).domain("mail.test").selector("s1").headers(["From", "To", "Subject", "DKIM-Signature"]);
    let seal = sealer.seal(&parsed, &results, &arc).unwrap().to_header();
    let received = [
        "Return-Path: <no-reply@mail.test>\r\nDelivered-To: seed@inbox.example",
        "Received: from out.mail.test (out.mail.test [192.0.2.1]) by mx.inbox.example (Postfix) with ESMTPS id 2 for <seed@inbox.example>; Mon, 8 Aug 2022 23:06:42 +0000",
        "Authentication-Results: mx.inbox.example; dkim=pass header.d=mail.test header.s=s1; spf=pass smtp.mailfrom=no-reply@mail.test; dmarc=pass header.from=mail.test",
    ]
    .join("\r\n");
    let first = "Received: from [10.0.0.7] (app [10.0.0.7]) by in.mail.test with ESMTPSA id 1; Mon, 8 Aug 2022 23:06:40 +0000";
    format!("{received}\r\n{seal}{first}\r\n{signed}").into_bytes()
}

/// What the kernel has counted for this thread.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel that counts");
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds"))
}

/// CPU time of one mail.
async fn each(mut work: impl AsyncFnMut()) -> Duration {
    for _ in 0..20 {
        work().await;
    }
    let before = spent();
    for _ in 0..MAILS {
        work().await;
    }
    (spent() - before) / MAILS
}

fn show(what: &str, took: Duration) {
    println!("{what:<44} {:>8.1} µs", took.as_secs_f64() * 1e6);
}

async fn measure(what: &str, message: &[u8], sent: &Composed, resolver: &Resolver) {
    let known = Known { sent_at: Some(SENT_AT), sent: Some(sent), inbox_domain: "inbox.example", own: &[], cut: false };
    let checks = resolver.verify(message, Head::read(message).envelope().as_ref()).await;
    let holds = |method| checks.iter().filter(|check| check.method == method && check.finding == Finding::Pass).count();
    let found = [Method::Spf, Method::Dkim, Method::Dmarc, Method::Arc].map(holds);
    assert_eq!(found, [1, 2, 1, 1], "everything is there and holds: {checks:?}");
    assert!(matches!(recognise(&KEY, message, &|_, _| true), Found::Ours { .. }));
    println!("{what}, {} bytes:", message.len());
    let parser = each(async || {
        std::hint::black_box(MessageParser::default().parse(message));
    })
    .await;
    let token = each(async || {
        std::hint::black_box(recognise(&KEY, message, &|_, _| true));
    })
    .await;
    let compared = each(async || {
        std::hint::black_box(examine(message, &Head::read(message), &known));
    })
    .await;
    let verified = each(async || {
        let envelope = Head::read(message).envelope();
        std::hint::black_box(resolver.verify(message, envelope.as_ref()).await);
    })
    .await;
    let whole = each(async || {
        std::hint::black_box(recognise(&KEY, message, &|_, _| true));
        let head = Head::read(message);
        std::hint::black_box(examine(message, &head, &known));
        std::hint::black_box(resolver.verify(message, head.envelope().as_ref()).await);
    })
    .await;
    show("  finding its token", token);
    show("  reading and comparing it", compared);
    show("  checking SPF, DKIM twice, DMARC, ARC", verified);
    show("  all of it", whole);
    let times = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64().max(1e-9);
    println!(
        "  a budget of 1 ms is used to {:.0} %; {:.1} times what mail-parser takes to parse it alone ({:.1} µs)",
        100.0 * times(whole, BUDGET),
        times(whole, parser),
        parser.as_secs_f64() * 1e6
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (pem, record) = signing_key();
    let kept = |record: &str| record.replacen("IN", "3600 IN", 1);
    let records = ["@ 3600 TXT \"v=spf1 ip4:192.0.2.1 -all\"", "_dmarc 3600 TXT \"v=DMARC1; p=reject\"", &kept(&record)].map(str::to_owned);
    let knot = Knot::start(&records);
    let mut udp = ConnectionConfig::udp();
    udp.port = knot.address.port();
    let server = NameServerConfig::new(knot.address.ip(), true, vec![udp]);
    let config = ResolverConfig::from_name_servers(vec![server]);
    let inner = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let authenticator = MessageAuthenticator(inner.build().unwrap());
    let (sent, message) = written();
    let resolver = Resolver::new(Some(knot.address)).unwrap();
    measure("a canary", &arrived(&pem, &message, &authenticator).await, &sent, &resolver).await;
    let large = message
        .replace("--cut--", &format!("--cut\r\nContent-Type: text/plain\r\n\r\n{}--cut--", "All work and no play.\r\n".repeat(8000)));
    measure("with an attachment", &arrived(&pem, &large, &authenticator).await, &sent, &resolver).await;
}
