//! Reading a real Dovecot.

mod checklist;
mod cyrus;
mod jmap;
mod large;
mod maildir;
mod mx;
mod oauth;
mod rig;
mod tabs;

use std::time::Duration;

use mailcanary::canary::token;
use mailcanary::config::{Secret, Tls};
use mailcanary::edge::inbox::{Credentials, Pace, Report, log_in};
use mailcanary::model::{CanaryId, Class, Placement};
use mailcanary::run;
use tokio::time::Instant;

use crate::support::certs::Authority;
use crate::support::dovecot::{Dovecot, PASSWORD, Settings};
pub use rig::{Rig, brisk, inbox_at, key, mail, mail_from, wall};

fn rig(dovecot: &Dovecot) -> rig::Plan {
    Rig::new(inbox_at(dovecot.imap, Tls::None))
}

#[tokio::test]
async fn a_canary_is_seen_in_inbox_and_in_junk() {
    let dovecot = Dovecot::run(&Settings { sieve: true, ..Settings::default() });
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    let before = wall();
    dovecot.deliver(&mail(1));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(1), Placement::Inbox));
    assert!(seen.arrived_at.as_ms() / 1000 >= before.as_ms() / 1000 && seen.arrived_at <= seen.seen_at, "{seen:?}");
    assert!(seen.received_top.is_some_and(|at| at.as_ms() / 1000 >= before.as_ms() / 1000), "{seen:?}");
    assert!(seen.copy.starts_with("INBOX/") && seen.copy.ends_with("/1"), "{seen:?}");

    dovecot.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(2), Placement::Junk));
    assert!(seen.copy.starts_with("Junk/"), "{seen:?}");
}

#[tokio::test]
async fn a_token_in_the_body_alone_is_enough_and_a_forged_one_is_told() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.deliver("Subject: nothing to see\n\nplain talk\n");
    dovecot.deliver(&format!("Subject: hello\n\nYour code: {}\n", token(&key(), CanaryId::from_bits(3), wall())));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(3));
    let stranger = mailcanary::canary::Key::new([9; 32]);
    dovecot.deliver(&format!("Subject: {}\n\nhi\n", token(&stranger, CanaryId::from_bits(4), wall())));
    assert_eq!(rig.next_but_reads().await, Report::Forged);
    // Whoever quotes one has not sent it: in an answer, and in words of somebody else's.
    let quoted = token(&key(), CanaryId::from_bits(5), wall());
    dovecot.deliver(&format!("From: ada@quoting.example\nSubject: Re: Reset [{quoted}]\nIn-Reply-To: <1@example.com>\n\n> {quoted}\n"));
    dovecot.deliver(&format!("From: ada@quoting.example\nSubject: see below\n\n> {quoted}\n"));
    dovecot.deliver(&mail(6));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(6));
}

#[tokio::test]
async fn a_bounce_is_neither_an_arrival_nor_a_forgery() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    let kind = "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"b\"\n";
    for quoted in
        [token(&key(), CanaryId::from_bits(1), wall()), token(&mailcanary::canary::Key::new([9; 32]), CanaryId::from_bits(2), wall())]
    {
        dovecot.deliver(&format!(
            "Subject: Undelivered: Reset your password {quoted}\n{kind}\n--b\n\nnobody there\n--b\nContent-Type: text/rfc822-headers\n\nX-Mailcanary: {quoted}\n--b--\n"
        ));
    }
    dovecot.deliver(&mail(3));
    let Report::Sighted { canary, .. } = rig.next_but_reads().await else { panic!("something else was told") };
    assert_eq!(canary.bits(), 3);
}

#[tokio::test]
async fn with_idle_a_canary_is_seen_at_once() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch_at(Pace::default());
    rig.expect_sight().await;
    let mut lags = Vec::new();
    for n in 1..=15 {
        rig.hint(true, 0);
        // As if it took some time on its way.
        tokio::time::sleep(Duration::from_millis(n * 100)).await;
        dovecot.deliver(&mail(n));
        let stored = Instant::now();
        rig.sighting().await;
        lags.push(stored.elapsed().as_millis());
        rig.hint(false, 0);
    }
    dovecot.deliver(&mail(99));
    let stored = Instant::now();
    rig.sighting().await;
    println!("nobody waited for it: {} ms, of which Dovecot keeps it to itself for 500", stored.elapsed().as_millis());
    lags.sort_unstable();
    println!("from stored to reported, in ms: median {}, all {lags:?}", lags[lags.len() / 2]);
    assert!(lags[0] < 5000, "{lags:?}");
}

#[tokio::test]
async fn mail_that_came_while_the_reader_was_down_is_told_with_its_own_time() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut first = rig(&dovecot).watch();
    first.expect_sight().await;
    dovecot.deliver(&mail(1));
    first.sighting().await;
    let cursor = first.look().await;
    drop(first);
    dovecot.drop_file("INBOX", "1.M1.host", &mail(2), Duration::from_secs(3600));
    dovecot.drop_file("Junk", "1.M2.host", &mail(3), Duration::from_secs(7200));

    let mut again = rig(&dovecot).with_cursor(&cursor).watch();
    let (a, b) = (again.sighting().await, again.sighting().await);
    let (inbox, junk) = if a.placement == Placement::Inbox { (a, b) } else { (b, a) };
    assert_eq!((inbox.canary.bits(), junk.canary.bits()), (2, 3));
    for (seen, secs) in [(inbox, 3600), (junk, 7200)] {
        let age = seen.seen_at.since(seen.arrived_at).as_ms() / 1000;
        assert!((secs..secs + 30).contains(&age), "{age}");
    }
    again.expect_sight().await;
}

#[tokio::test]
async fn old_mail_is_not_read_at_the_first_start() {
    let dovecot = Dovecot::run(&Settings::default());
    for n in 0..2000 {
        dovecot.drop_file("INBOX", &format!("{n}.M{n}.host"), &mail(1000 + n), Duration::from_secs(86_400));
    }
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.deliver(&mail(1));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(1));
}

#[tokio::test]
async fn many_messages_since_the_last_run_are_read_in_parts() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut first = rig(&dovecot).watch();
    first.expect_sight().await;
    let cursor = first.look().await;
    drop(first);
    for n in 0..400 {
        dovecot.drop_file("INBOX", &format!("{n}.M{n}.host"), &mail(n), Duration::from_secs(60));
    }
    let mut again = rig(&dovecot).with_cursor(&cursor).watch();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        seen.insert(again.sighting().await.canary.bits());
    }
    assert_eq!(seen.len(), 400);
}

#[tokio::test]
async fn nothing_in_the_mailbox_is_changed() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.deliver(&mail(1));
    rig.sighting().await;
    rig.look().await;
    let flags = dovecot.doveadm(&["fetch", "-u", crate::support::dovecot::USER, "flags", "mailbox", "INBOX", "all"]);
    assert!(flags.contains("\\Recent") && !flags.contains("\\Seen"), "{flags}");
}

#[tokio::test]
async fn a_folder_made_anew_is_read_anew() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.drop_file("Junk", "1.M1.host", &mail(1), Duration::ZERO);
    let first = rig.sighting().await;
    let user = crate::support::dovecot::USER;
    dovecot.doveadm(&["mailbox", "delete", "-u", user, "Junk"]);
    dovecot.doveadm(&["mailbox", "create", "-u", user, "Junk"]);
    dovecot.drop_file("Junk", "1.M2.host", &mail(2), Duration::ZERO);
    let second = rig.sighting().await;
    assert_eq!((second.canary.bits(), second.placement), (2, Placement::Junk));
    let validity = |copy: &str| copy.split('/').nth(1).unwrap().to_owned();
    assert_ne!(validity(&first.copy), validity(&second.copy));
}

#[tokio::test]
async fn a_junk_folder_in_any_language_and_one_that_comes_later_are_read() {
    let settings = Settings { junk: vec![("Unerwünscht".to_owned(), false)], ..Settings::default() };
    let dovecot = Dovecot::run(&settings);
    let mut german = rig(&dovecot).watch();
    german.expect_sight().await;
    dovecot.drop_file("Unerw&APw-nscht", "1.M1.host", &mail(1), Duration::ZERO);
    assert_eq!(german.sighting().await.placement, Placement::Junk);
    drop(german);

    let dovecot = Dovecot::run(&Settings { junk: Vec::new(), ..Settings::default() });
    let mut later = rig(&dovecot).watch();
    later.expect_sight().await;
    dovecot.drop_file("Spam", "1.M1.host", &mail(2), Duration::ZERO);
    dovecot.doveadm(&["mailbox", "list", "-u", crate::support::dovecot::USER]);
    later.look().await;
    let seen = later.sighted.pop().unwrap();
    assert_eq!((seen.canary.bits(), seen.placement), (2, Placement::Junk));
}

#[tokio::test]
async fn a_wrong_password_is_blindness_and_is_not_tried_again_soon() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).with_password("wrong").watch_at(Pace {
        auth: Duration::from_secs(3600),
        auth_max: Duration::from_secs(3600),
        ..brisk()
    });
    let (class, why) = rig.blindness().await;
    assert_eq!(class, Class::Auth);
    assert!(why.starts_with("LOGIN was refused: [AUTHENTICATIONFAILED]"), "{why}");
    rig.hint(true, 7);
    assert!(tokio::time::timeout(Duration::from_secs(2), rig.reports.recv()).await.is_err());
    assert_eq!(dovecot.log().matches("auth failed").count(), 1, "one attempt: {}", dovecot.log());
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back() {
    let mut dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.stop();
    // There may be the server's own words first, as it goes; then nobody answers.
    while rig.blindness().await.0 != Class::Network {}
    dovecot.start();
    dovecot.deliver(&mail(5));
    assert_eq!(rig.sighting().await.canary.bits(), 5);
    rig.expect_sight().await;
}

#[tokio::test]
async fn both_ways_into_tls_work_and_a_wrong_certificate_does_not() {
    let authority = Authority::new();
    let good = authority.issue(&["localhost"]);
    let settings = Settings { tls: Some((good.cert, good.key)), tls_only: true, ..Settings::default() };
    let dovecot = Dovecot::run(&settings);
    for (port, tls) in [(dovecot.imap, Tls::StartTls), (dovecot.imaps, Tls::Implicit)] {
        let mut rig = Rig::new(inbox_at(port, tls)).trusting(&authority.file()).watch();
        rig.expect_sight().await;
    }
    let mut stranger = Rig::new(inbox_at(dovecot.imaps, Tls::Implicit)).watch();
    let (class, why) = stranger.blindness().await;
    assert_eq!((class, why.as_str()), (Class::Tls, "TLS with `localhost`: certificate from an unknown authority"));
    drop(stranger);

    let plain = Dovecot::run(&Settings::default());
    let mut rig = Rig::new(inbox_at(plain.imap, Tls::StartTls)).trusting(&authority.file()).watch();
    let (class, why) = rig.blindness().await;
    assert_eq!((class, why.as_str()), (Class::Tls, "the server does not offer STARTTLS"));
}

#[tokio::test]
async fn own_canaries_are_deleted_on_request_and_nothing_else() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut inbox = inbox_at(dovecot.imap, Tls::None);
    inbox.delete = true;
    let pace = Pace { delete_after: Duration::ZERO, delete_every: Duration::from_millis(100), ..brisk() };
    let mut rig = Rig::new(inbox).watch_at(pace);
    rig.expect_sight().await;
    dovecot.deliver("Subject: from a friend\n\nhello\n");
    dovecot.deliver(&mail(1));
    rig.sighting().await;
    let count = || {
        let out = dovecot.doveadm(&["fetch", "-u", crate::support::dovecot::USER, "hdr.subject", "mailbox", "INBOX", "all"]);
        (out.matches("friend").count(), out.matches("mc-").count())
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while count() != (1, 0) {
        assert!(Instant::now() < deadline, "{:?}", count());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_waits_to_be_deleted_outlives_a_restart() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut inbox = inbox_at(dovecot.imap, Tls::None);
    inbox.delete = true;
    dovecot.deliver(&mail(100));
    let slow = Pace { delete_after: Duration::from_secs(3600), delete_every: Duration::from_millis(50), ..brisk() };
    let mut first = Rig::new(inbox.clone()).with_cursor(r#"{"v":1,"folders":{},"clean":{}}"#).watch_at(slow);
    first.expect_sight().await;
    for n in 0..60 {
        dovecot.deliver(&mail(n));
    }
    dovecot.deliver("Subject: from a friend\n\nhello\n");
    let mut cursor = first.look().await;
    while first.sighted.len() < 60 {
        cursor = first.look().await;
    }
    drop(first);
    let quick = Pace { delete_after: Duration::ZERO, delete_every: Duration::from_millis(100), ..brisk() };
    let mut second = Rig::new(inbox).with_cursor(&cursor).watch_at(quick);
    second.expect_sight().await;
    let count = || {
        let out = dovecot.doveadm(&["fetch", "-u", crate::support::dovecot::USER, "hdr.subject", "mailbox", "INBOX", "all"]);
        (out.matches("friend").count(), out.matches("mc-").count())
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while count() != (1, 0) {
        assert!(Instant::now() < deadline, "{:?}", count());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn one_session_is_enough_where_the_server_bears_no_two() {
    let dovecot = Dovecot::run(&Settings { sieve: true, max_connections: 1, ..Settings::default() });
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.deliver(&mail(1));
    assert_eq!(rig.sighting().await.placement, Placement::Inbox);
    dovecot.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    assert_eq!(rig.sighting().await.placement, Placement::Junk);
    rig.look().await;
}

#[tokio::test]
async fn a_session_that_is_stopped_without_a_word_is_replaced() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    rig.look().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while dovecot.sessions().len() < 2 {
        assert!(Instant::now() < deadline, "two sessions");
        rig.look().await;
    }
    let stopped = dovecot.sessions();
    for pid in &stopped {
        assert!(std::process::Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());
    }
    rig.hint(true, 1000);
    dovecot.deliver(&mail(1));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
    for pid in &stopped {
        let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
}

#[tokio::test]
async fn a_full_mailbox_takes_no_mail_and_is_still_read() {
    let dovecot = Dovecot::run(&Settings { quota: Some("4k".to_owned()), ..Settings::default() });
    let mut rig = rig(&dovecot).watch();
    rig.expect_sight().await;
    dovecot.deliver(&mail(1));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
    let reply = dovecot.try_deliver(&format!("{}{}", mail(2), "x".repeat(8000)));
    assert!(reply.contains("4.2.2") || reply.contains("5.2.2"), "{reply}");
    rig.look().await;
}

#[tokio::test]
async fn a_login_tells_what_would_be_read() {
    let dovecot = Dovecot::run(&Settings::default());
    let inbox = inbox_at(dovecot.imap, Tls::None);
    let dialer = mailcanary::edge::dial::Dialer::new(&inbox.wire).unwrap();
    let (password, now) = (|text: &str| Credentials::Password(Secret::new(text.to_owned())), run::clock());
    let login = log_in(&inbox, &password(PASSWORD), &dialer, &now).await.unwrap();
    assert_eq!(login.folders, [("INBOX".to_owned(), Placement::Inbox), ("Junk".to_owned(), Placement::Junk)]);
    assert!(login.capabilities.contains(&"IDLE"));
    let refused = log_in(&inbox, &password("wrong"), &dialer, &now).await.unwrap_err();
    assert_eq!(refused.class, Class::Auth);
}
