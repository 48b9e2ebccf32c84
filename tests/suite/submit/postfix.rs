//! Submission to a real Postfix.

use mailcanary::canary::{Found, recognise};

use super::*;
use crate::support::postfix::{Postfix, Stage};

fn legs(answer: &Answer) -> Vec<Leg> {
    answer.legs.iter().map(|(leg, _)| *leg).collect()
}

/// The answer's queue id is the one that Postfix logged, and the mail is our canary.
#[track_caller]
fn delivered(postfix: &Postfix, answer: &Answer) -> String {
    assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
    let id = answer.message_id.as_deref().unwrap();
    postfix.wait_for_log(&format!("{id}: message-id=<0123456789abcdef.mailcanary@example.com>"));
    let mail = postfix.wait_for_mails(1).remove(0);
    assert_eq!(recognise(&KEY, mail.as_bytes(), &|_, _| false), Found::Ours { canary: CANARY, issued_at: AT }, "{mail}");
    mail
}

#[tokio::test]
async fn in_the_clear_on_loopback() {
    let postfix = Postfix::builder().start();
    let answer = submit(&smtp(postfix.port(), Tls::None, None, Wire::default())).await;
    let mail = delivered(&postfix, &answer);
    assert_eq!(legs(&answer), [Leg::Connect, Leg::Data]);
    assert!(mail.contains("Delivered-To: seed+mc-"), "{mail}");
    assert!(mail.contains("Return-Path: <no-reply@example.com>"), "{mail}");
    for part in ["X-Mailcanary: mc-", "Auto-Submitted: auto-generated", "multipart/alternative", "text/plain", "text/html", "=?utf-8?b?"] {
        assert!(mail.contains(part), "no `{part}` in {mail}");
    }
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    let composed = super::mail();
    assert_eq!(parsed.subject(), Some(composed.subject.as_str()));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), composed.text);
    assert_eq!(parsed.body_html(0).unwrap().replace("\r\n", "\n"), composed.html);
    assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("Exämple, Inc."));
}

#[tokio::test]
async fn starttls_and_a_login_by_each_mechanism() {
    let authority = Authority::new();
    let certificate = authority.issue(&["localhost"]);
    for mechanism in ["PLAIN", "LOGIN"] {
        let postfix =
            Postfix::builder().certificate(&certificate).login("canary", PASSWORD, mechanism).setting("smtpd_tls_auth_only = yes").start();
        let submitter = smtp(postfix.port(), Tls::StartTls, Some("canary"), trusting(&authority));
        let answer = submit(&submitter).await;
        let mail = delivered(&postfix, &answer);
        assert!(mail.contains("using TLSv1.3"), "{mail}");
        assert_eq!(legs(&answer), [Leg::Connect, Leg::Tls, Leg::Auth, Leg::Data]);
        assert!(postfix.log().contains(&format!("sasl_method={mechanism}, sasl_username=canary")));
        let answer = submitter.log_in(AT).await;
        assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
        assert!(answer.reply.as_deref().unwrap().contains("235 2.7.0 Authentication successful"), "{answer:?}");
        assert_eq!(postfix.mails().len(), 1, "a log-in sends nothing");
    }
}

#[tokio::test]
async fn implicit_tls() {
    let authority = Authority::new();
    let postfix = Postfix::builder().certificate(&authority.issue(&["localhost"])).start();
    let answer = submit(&smtp(postfix.smtps_port(), Tls::Implicit, None, trusting(&authority))).await;
    assert!(delivered(&postfix, &answer).contains("using TLSv1.3"));
    assert_eq!(legs(&answer), [Leg::Connect, Leg::Tls, Leg::Data]);
}

#[tokio::test]
async fn wrong_passwords_and_missing_logins_are_refused() {
    let postfix = Postfix::builder().login("canary", "another one", "PLAIN LOGIN").start();
    let answer = submit(&smtp(postfix.port(), Tls::None, Some("canary"), Wire::default())).await;
    refused(&answer, Class::Auth, "535 5.7.8 Error: authentication failed");
    let answer = submit(&smtp(postfix.port(), Tls::None, None, Wire::default())).await;
    refused(&answer, Class::Policy, "554 5.7.1");
    assert_eq!(postfix.mails().len(), 0);
}

#[tokio::test]
async fn each_wrong_certificate_is_told_by_its_fault() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (certificate, words) in wrong_certificates(&authority, &stranger) {
        let postfix = Postfix::builder().certificate(&certificate).start();
        for (port, tls) in [(postfix.port(), Tls::StartTls), (postfix.smtps_port(), Tls::Implicit)] {
            let answer = submit(&smtp(port, tls, None, trusting(&authority))).await;
            refused(&answer, Class::Tls, &format!("TLS with `localhost`: {words}"));
        }
        assert_eq!(postfix.mails().len(), 0);
    }
}

#[tokio::test]
async fn starttls_is_demanded_where_there_is_none() {
    let postfix = Postfix::builder().start();
    let answer = submit(&smtp(postfix.port(), Tls::StartTls, None, Wire::default())).await;
    refused(&answer, Class::Tls, "does not offer STARTTLS");
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
        (Stage::EndOfData, "452 4.3.1 no space", Class::Transient),
    ];
    for (stage, reply, class) in cases {
        let postfix = Postfix::builder().refuse(stage, reply).start();
        let answer = submit(&smtp(postfix.port(), Tls::None, None, Wire::default())).await;
        refused(&answer, class, reply.split_once(' ').unwrap().0);
        assert_eq!(postfix.mails().len(), 0);
    }
}

#[tokio::test]
async fn a_postfix_that_is_gone_refuses_the_connection() {
    let postfix = Postfix::builder().start();
    let submitter = smtp(postfix.port(), Tls::None, None, Wire::default());
    drop(postfix);
    let answer = submit(&submitter).await;
    refused(&answer, Class::Network, "connection refused");
    assert_eq!(legs(&answer), [Leg::Connect]);
}
