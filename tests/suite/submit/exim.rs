//! Submission to a real Exim, by its own access lists, authenticators and limits.

use mailcanary::canary::{Found, recognise};

use super::*;
use crate::support::exim::Exim;
use crate::support::postfix::Stage;

/// A login is good if this is the password.
fn knows(password: &str) -> String {
    format!("${{if eq{{$auth3}}{{{password}}}}}")
}

fn in_the_clear(exim: &Exim, user: Option<&str>) -> Submitter {
    smtp(exim.port(), Tls::None, user, Wire::default())
}

/// The answer's id is the one that Exim logged, and the mail is our canary.
#[track_caller]
fn delivered(exim: &Exim, answer: &Answer) -> String {
    assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
    let id = answer.message_id.as_deref().unwrap();
    let mail = exim.wait_for_mails(1).remove(0);
    assert!(exim.log().contains(&format!("{id} <= no-reply@example.com")), "{id} is not in {}", exim.log());
    assert_eq!(recognise(&KEY, mail.as_bytes(), &|_, _| false), Found::Ours { canary: CANARY, issued_at: AT }, "{mail}");
    mail
}

#[tokio::test]
async fn a_canary_gets_through_in_every_way_in() {
    let authority = Authority::new();
    let exim = Exim::builder().certificate(&authority.issue(&["localhost"])).login(&knows(PASSWORD)).start();
    for (port, tls) in [(exim.port(), Tls::StartTls), (exim.smtps_port(), Tls::Implicit)] {
        let answer = submit(&smtp(port, tls, Some("canary"), trusting(&authority))).await;
        assert!(delivered(&exim, &answer).contains("Return-path: <no-reply@example.com>"));
    }
    exim.wait_for_mails(2);
    assert!(exim.log().contains("A=plain:canary"), "{}", exim.log());
}

#[tokio::test]
async fn each_wrong_certificate_is_told_by_its_fault() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (certificate, words) in wrong_certificates(&authority, &stranger) {
        let exim = Exim::builder().certificate(&certificate).start();
        for (port, tls) in [(exim.port(), Tls::StartTls), (exim.smtps_port(), Tls::Implicit)] {
            refused(&submit(&smtp(port, tls, None, trusting(&authority))).await, Class::Tls, &format!("TLS with `localhost`: {words}"));
        }
        assert_eq!(exim.mails().len(), 0);
    }
    let exim = Exim::builder().start();
    refused(&submit(&smtp(exim.port(), Tls::StartTls, None, Wire::default())).await, Class::Tls, "does not offer STARTTLS");
}

#[tokio::test]
async fn what_its_access_lists_say_has_its_class() {
    let cases = [
        (Stage::Mail, "deny message = 552 5.7.0 account has been suspended", Class::Suspended, "552 5.7.0 account has been suspended"),
        (Stage::Mail, "defer message = 450 4.2.1 sending too fast", Class::Rate, "450 4.2.1 sending too fast"),
        (Stage::Mail, "deny !verify = sender", Class::Sender, "550 Sender verify failed"),
        (Stage::Mail, "defer", Class::Transient, "451 Temporary local problem - please try later"),
        (Stage::Rcpt, "deny", Class::Permanent, "550 Administrative prohibition"),
        (Stage::Rcpt, "deny message = 550 5.1.1 no such mailbox", Class::Recipient, "550 5.1.1 no such mailbox"),
        (Stage::Rcpt, "defer message = 451 4.7.1 greylisted, come back later", Class::Transient, "451 4.7.1 greylisted"),
        (Stage::Data, "deny message = 550 5.4.5 Daily user sending limit exceeded", Class::Quota, "550 5.4.5 Daily user"),
        (Stage::EndOfData, "deny message = 554 5.7.1 this looks like spam", Class::Policy, "554 5.7.1 this looks like spam"),
        (Stage::EndOfData, "defer message = 452 4.3.1 no space", Class::Transient, "452 4.3.1 no space"),
    ];
    for (stage, statement, class, words) in cases {
        let exim = Exim::builder().at(stage, statement).start();
        refused(&submit(&in_the_clear(&exim, None)).await, class, words);
        assert_eq!(exim.mails().len(), 0);
    }
}

#[tokio::test]
async fn its_own_checks_have_their_class() {
    let exim = Exim::builder().at(Stage::Rcpt, "deny !verify = recipient").start();
    let stray = Composed { to: "seed@elsewhere.example".to_owned(), ..mail() };
    let answer = in_the_clear(&exim, None).submit(&stray, CANARY, AT).await;
    refused(&answer, Class::Recipient, "550 Unrouteable address");
    assert_eq!(submit(&in_the_clear(&exim, None)).await.outcome, Outcome::Accepted);
    let exim = Exim::builder().setting("message_size_limit = 1K").start();
    refused(&submit(&in_the_clear(&exim, None)).await, Class::Permanent, "552 Message size exceeds maximum permitted");
    assert_eq!(exim.mails().len(), 0);
}

#[tokio::test]
async fn a_login_that_fails_says_why() {
    let exim = Exim::builder().login(&knows("another one")).start();
    refused(&submit(&in_the_clear(&exim, Some("canary"))).await, Class::Auth, "535 Incorrect authentication data");
    refused(&submit(&in_the_clear(&exim, None)).await, Class::Policy, "550 relay not permitted");
    let cases = [
        ("defer message = 451 4.3.0 the user database is away", Class::Transient, "451 4.3.0 the user database is away"),
        ("defer message = 451 Authentication failed: Maximum credits exceeded", Class::Quota, "451 Authentication failed: Maximum credits"),
        ("deny message = 535 5.7.8 this account is suspended", Class::Suspended, "535 5.7.8 this account is suspended"),
        ("defer message = 454 4.7.0 Throttling failure: too many logins", Class::Rate, "454 4.7.0 Throttling"),
    ];
    for (statement, class, words) in cases {
        let exim = Exim::builder().login(&knows(PASSWORD)).list("acl_smtp_auth", statement).start();
        refused(&exim_log_in(&exim).await, class, words);
        refused(&submit(&in_the_clear(&exim, Some("canary"))).await, class, words);
    }
    // The look-up behind the authenticator fails for now: that says nothing of the password.
    let exim = Exim::builder().login("${lookup{$auth2}lsearch{/missing}{yes}{no}}").start();
    refused(&exim_log_in(&exim).await, Class::Transient, "435 Unable to authenticate at present");
}

async fn exim_log_in(exim: &Exim) -> Answer {
    let answer = in_the_clear(exim, Some("canary")).log_in(AT).await;
    check(&answer);
    answer
}

#[tokio::test]
async fn its_limits_are_rates() {
    let statement =
        "defer ratelimit = 1.5 / 1h / strict / $sender_address\n message = 450 4.2.1 $sender_rate in $sender_rate_period: too fast";
    let exim = Exim::builder().at(Stage::Mail, statement).start();
    let submitter = in_the_clear(&exim, None);
    delivered(&exim, &submit(&submitter).await);
    refused(&submit(&submitter).await, Class::Rate, "450 4.2.1 2.0 in 1h: too fast");
    let exim = Exim::builder().setting("smtp_accept_max = 1\nsmtp_accept_max_per_host = 1").start();
    let _held = greeted(exim.port());
    refused(&submit(&in_the_clear(&exim, None)).await, Class::Rate, "421 Too many concurrent SMTP connections");
}

/// A connection that the server has greeted: whoever came before may not be gone for it yet.
fn greeted(port: u16) -> std::net::TcpStream {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut banner = [0; 3];
        std::io::Read::read_exact(&mut stream, &mut banner).unwrap();
        if &banner == b"220" {
            return stream;
        }
        assert!(std::time::Instant::now() < deadline, "no greeting");
    }
}
