//! Connections that take one canary after the other.

use super::fake::{Fake, Step, say, up_to_data};
use super::*;
use crate::support::certs::Authority;
use crate::support::exim::Exim;
use crate::support::opensmtpd::OpenSmtpd;
use crate::support::postfix::Postfix;

const END: &[u8] = b"\r\n.\r\n";

fn pooled(port: u16) -> Submitter {
    smtp(port, Tls::None, None, Wire::default()).within(SHORT * 5).pooled()
}

/// What a server says that takes a canary on a connection on which it has taken one.
fn again() -> Vec<Step> {
    let replies = ["250 ok\r\n", "250 ok\r\n", "354 go\r\n"];
    let mut steps: Vec<Step> = replies.iter().flat_map(|reply| [Step::Line, say(reply)]).collect();
    steps.extend([Step::Until(END), say("250 ok\r\n")]);
    steps
}

/// The same, on a new connection.
fn anew() -> Vec<Step> {
    [up_to_data(), vec![Step::Until(END), say("250 ok\r\n")]].concat()
}

#[tokio::test]
async fn canaries_share_a_session_and_its_login() {
    let authority = Authority::new();
    let postfix = Postfix::builder()
        .certificate(&authority.issue(&["localhost"]))
        .login("canary", PASSWORD, "PLAIN")
        .setting("smtpd_tls_auth_only = yes")
        .start();
    let wire = Wire { ca_file: Some(authority.file()), ..Wire::default() };
    let submitter = smtp(postfix.port(), Tls::StartTls, Some("canary"), wire).pooled();
    for number in 0..3 {
        let answer = submit(&submitter).await;
        assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
        let legs: Vec<Leg> = answer.legs.iter().map(|(leg, _)| *leg).collect();
        let expected = if number == 0 { vec![Leg::Connect, Leg::Tls, Leg::Auth, Leg::Data] } else { vec![Leg::Data] };
        assert_eq!(legs, expected);
    }
    postfix.wait_for_mails(3);
    let log = postfix.log();
    assert_eq!(log.matches("Trusted TLS connection").count() + log.matches("Anonymous TLS connection").count(), 1, "{log}");
    // A log-in is asked for to see whether it works now.
    let answer = submitter.log_in(AT).await;
    assert!(answer.legs.iter().any(|(leg, _)| *leg == Leg::Auth), "{answer:?}");
}

#[tokio::test]
async fn a_server_that_wants_a_new_connection_gets_one() {
    let exim = Exim::builder().setting("smtp_accept_max_per_connection = 2").start();
    let opensmtpd = OpenSmtpd::builder().setting("smtp limit max-mails 2").start();
    for port in [exim.port(), opensmtpd.port()] {
        let submitter = pooled(port);
        for _ in 0..5 {
            let answer = submit(&submitter).await;
            assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
        }
    }
    assert_eq!((exim.wait_for_mails(5).len(), opensmtpd.wait_for_mails(5).len()), (5, 5));
}

#[tokio::test]
async fn what_fails_before_the_message_is_tried_once_on_a_new_connection() {
    let ends = [
        vec![],
        vec![Step::Reset],
        vec![Step::Line, say("421 4.4.2 timeout exceeded\r\n")],
        vec![Step::Line, say("250 ok\r\n"), Step::Line, say("452 4.5.3 too many\r\n")],
    ];
    for end in ends {
        let fake = Fake::of(vec![[anew(), end.clone()].concat(), [anew(), again()].concat()]);
        let submitter = pooled(fake.port());
        for _ in 0..3 {
            assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted, "{end:?}");
        }
        drop(submitter);
        let heard = fake.heard().await;
        assert_eq!(heard.iter().map(|words| words.matches("X-Mailcanary: ").count()).collect::<Vec<_>>(), [1, 2], "{heard:?}");
    }
}

#[tokio::test]
async fn words_that_nobody_asked_for_are_no_answer() {
    let chatty = [up_to_data(), vec![Step::Until(END), say("250 ok\r\n250 welcome back\r\n"), Step::Stall]].concat();
    let fake = Fake::of(vec![chatty, anew()]);
    let submitter = pooled(fake.port());
    for _ in 0..2 {
        assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted);
    }
    drop(submitter);
    assert_eq!(fake.heard().await.iter().map(|words| words.matches("MAIL FROM").count()).collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn a_refusal_on_the_new_connection_counts() {
    let refusing = vec![say("220 x\r\n"), Step::Line, say("250 x\r\n"), Step::Line, say("552 account has been suspended\r\n")];
    let fake = Fake::of(vec![[anew(), vec![Step::Line, say("421 bye\r\n")]].concat(), refusing]);
    let submitter = pooled(fake.port());
    assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted);
    refused(&submit(&submitter).await, Class::Suspended, "552 account");
    assert_eq!(fake.heard().await.len(), 2);
}

#[tokio::test]
async fn a_message_that_was_begun_is_never_sent_again() {
    let to_data = || again().into_iter().take(6).collect::<Vec<_>>();
    for end in [vec![Step::Until(END)], vec![Step::Until(END), Step::Reset], vec![Step::Until(END), say("HTTP/1.1 200 OK\r\n")]] {
        let fake = Fake::of(vec![[anew(), to_data(), end.clone()].concat()]);
        let submitter = pooled(fake.port());
        assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted);
        let answer = submit(&submitter).await;
        assert_eq!(answer.outcome, Outcome::Unknown, "{end:?} {answer:?}");
        assert_eq!(fake.heard().await.len(), 1);
    }
}

#[tokio::test]
async fn after_a_refusal_the_next_canary_begins_anew() {
    let refusing = || [up_to_data(), vec![Step::Until(END), say("554 no\r\n"), Step::Line, say("221 bye\r\n")]].concat();
    let fake = Fake::of(vec![refusing(), refusing()]);
    let submitter = pooled(fake.port());
    for _ in 0..2 {
        refused(&submit(&submitter).await, Class::Permanent, "554 no");
    }
    assert!(fake.heard().await.iter().all(|words| words.ends_with("QUIT\r\n")));
}

#[tokio::test]
async fn who_waits_in_vain_says_good_bye() {
    let fake = Fake::new([anew(), vec![Step::Line, say("221 bye\r\n")]].concat());
    let submitter = pooled(fake.port());
    assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted);
    let heard = tokio::select! {
        heard = fake.heard() => heard,
        () = submitter.tend() => panic!("it never ends"),
    };
    assert!(heard[0].ends_with("\r\n.\r\nQUIT\r\n"), "{heard:?}");
}
