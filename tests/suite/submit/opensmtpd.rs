//! Submission to a real OpenSMTPD, by its own filters, tables and limits.

use mailcanary::canary::{Found, recognise};

use super::*;
use crate::support::opensmtpd::{FEW, OpenSmtpd};
use crate::support::postfix::Stage;

fn in_the_clear(server: &OpenSmtpd) -> Submitter {
    smtp(server.port(), Tls::None, None, Wire::default())
}

#[tokio::test]
async fn a_canary_gets_through() {
    let server = OpenSmtpd::builder().start();
    let answer = submit(&in_the_clear(&server)).await;
    assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
    let id = answer.message_id.unwrap();
    assert!(server.log().contains(&format!("smtp message msgid={id}")), "{id} is not in {}", server.log());
    let mail = server.wait_for_mails(1).remove(0);
    assert_eq!(recognise(&KEY, mail.as_bytes(), &|_, _| false), Found::Ours { canary: CANARY, issued_at: AT }, "{mail}");
    assert!(mail.contains("Return-Path: <no-reply@example.com>") && mail.contains("Delivered-To: seed+mc-"), "{mail}");
    refused(&submit(&smtp(server.port(), Tls::StartTls, None, Wire::default())).await, Class::Tls, "does not offer STARTTLS");
}

#[tokio::test]
async fn what_is_wrong_with_its_tls_is_told() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (certificate, fault) in wrong_certificates(&authority, &stranger) {
        let server = OpenSmtpd::builder().certificate(&certificate).start();
        let fault = if server.speaks_tls() { fault } else { "the other side broke the handshake off: InternalError" };
        for (port, tls) in [(server.port(), Tls::StartTls), (server.smtps_port(), Tls::Implicit)] {
            refused(&submit(&smtp(port, tls, None, trusting(&authority))).await, Class::Tls, &format!("TLS with `localhost`: {fault}"));
        }
        assert_eq!(server.mails().len(), 0);
    }
}

#[tokio::test]
async fn refusals_at_every_stage_have_their_class() {
    let cases = [
        (Stage::Mail, "552 5.7.0 account has been suspended", Class::Suspended),
        (Stage::Mail, "450 4.2.1 sending too fast", Class::Rate),
        (Stage::Rcpt, "550 5.1.1 no such mailbox", Class::Recipient),
        (Stage::Rcpt, "451 4.7.1 greylisted, come back later", Class::Transient),
        (Stage::Data, "550 5.4.5 Daily user sending limit exceeded", Class::Quota),
        (Stage::EndOfData, "554 5.7.1 this looks like spam", Class::Policy),
        (Stage::EndOfData, "451 4.3.0 come back later", Class::Transient),
    ];
    for (stage, reply, class) in cases {
        let server = OpenSmtpd::builder().refuse(stage, reply).start();
        refused(&submit(&in_the_clear(&server)).await, class, reply);
        assert_eq!(server.mails().len(), 0);
    }
}

#[tokio::test]
async fn what_it_says_by_itself_has_its_class() {
    let server = OpenSmtpd::builder().filter("phase connect match !fcrdns disconnect \"421 4.7.0 too many connections from you\"").start();
    refused(&submit(&in_the_clear(&server)).await, Class::Rate, "421 4.7.0 too many connections from you");
    let server = OpenSmtpd::builder().setting("smtp max-message-size 1K").start();
    refused(&submit(&in_the_clear(&server)).await, Class::Permanent, "554 5.3.4 Message too big for system");
    let server = OpenSmtpd::builder().start();
    for (to, words) in [
        (format!("stray@{FEW}"), "524 5.2.4 Mailing list expansion problem: <stray@few.example>"),
        ("seed@elsewhere.example".to_owned(), "550 Invalid recipient: <seed@elsewhere.example>"),
    ] {
        let answer = in_the_clear(&server).submit(&Composed { to, ..mail() }, CANARY, AT).await;
        refused(&answer, Class::Recipient, words);
    }
}
