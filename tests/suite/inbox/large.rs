//! Mail that is large, by its header or by its text, in each kind of inbox: a canary is known behind whatever stands before its field, and of
//! all other mail the beginning of the text is read, and it is said that this is not all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use mailcanary::config::{Inbox, InboxKind, MaildirSettings, MxSettings};
use mailcanary::edge::inbox::Wanted;

use super::rig::{inbox_of, mail_with};
use super::*;
use crate::support::dovecot::USER;
use crate::support::fake_jmap::{FakeJmap, Odd};
use crate::support::free_port::free_port;

/// What is larger than 256 KiB, in lines of a header.
fn filler(lines: usize) -> String {
    format!("X-Pad: {}\n", "x".repeat(900)).repeat(lines)
}

/// A canary behind 400 KiB of other fields, mail of 1.5 MiB, and mail whose header is as long.
fn mails() -> [String; 3] {
    let text = "Write to spy@arxxwalls.example.\n";
    let attached = format!("{}\n", "y".repeat(900)).repeat(1700);
    let others = "From: Eve <eve@spam.example>\nSubject: nothing\nMIME-Version: 1.0\nContent-Type: text/plain\n";
    [
        mail_with(1, &filler(450)),
        format!("{others}\n{text}{attached}"),
        format!("{}{others}Reply-To: spy@arxxwalls.example\n\n{text}", filler(1700)),
    ]
}

fn wanting() -> Wanted {
    Wanted { messages: Some(Arc::new(|_| true)), strangers: true }
}

/// What is told of all three.
async fn are_read(rig: &mut Rig) {
    let mut canaries = 0;
    let mut strangers = Vec::new();
    while canaries < 2 || strangers.len() < 2 {
        match rig.next_but_reads().await {
            Report::Sighted { canary, .. } => {
                assert_eq!(canary, CanaryId::from_bits(1));
                canaries += 1;
            }
            Report::Mail { message, cut, .. } => {
                let message = String::from_utf8(message).unwrap();
                assert!(cut && message.contains("Click here.") && message.len() <= 256 * 1024, "{}", message.len());
                canaries += 1;
            }
            Report::Stranger { message, cut, .. } => strangers.push((String::from_utf8(message).unwrap(), cut)),
            Report::Receipt(receipt) => drop(receipt.take().map(|done| done.send(()))),
            other => panic!("{other:?}"),
        }
    }
    for (message, cut) in &strangers {
        assert!(*cut && message.len() <= 256 * 1024 && message.contains("eve@spam.example"), "{cut}: {}", message.len());
        let (header, text) = message.replace('\r', "").split_once("\n\n").map(|(h, t)| (h.to_owned(), t.to_owned())).unwrap();
        assert!(text.starts_with("Write to spy@arxxwalls.example."), "{}", text.get(..80).unwrap_or(&text));
        assert_eq!(header.contains("Reply-To: spy@arxxwalls.example"), header.contains("X-Pad") || text.len() < 100, "{}", header.len());
    }
}

#[tokio::test]
async fn over_imap() {
    let dovecot = Dovecot::run(&Settings::default());
    let mut rig = rig(&dovecot).wanting(wanting()).watch();
    rig.expect_sight().await;
    mails().iter().for_each(|mail| dovecot.deliver(mail));
    are_read(&mut rig).await;
}

#[tokio::test]
async fn in_a_maildir() {
    let dovecot = Dovecot::run(&Settings::default());
    dovecot.deliver("Subject: makes the folders\n\nhello\n");
    let kind = InboxKind::Maildir(MaildirSettings { path: dovecot.home().join("Maildir"), junk: None });
    let mut rig = Rig::new(inbox_of(kind, USER)).wanting(wanting()).watch();
    rig.expect_sight().await;
    mails().iter().for_each(|mail| dovecot.deliver(mail));
    are_read(&mut rig).await;
}

#[tokio::test]
async fn over_jmap() {
    let fake = FakeJmap::run(|_| Odd::Usual).await;
    let mut rig = Rig::new(jmap::inbox(&fake.base)).wanting(wanting()).watch();
    rig.expect_sight().await;
    for (n, mail) in mails().iter().enumerate() {
        fake.put(&format!("m{n}"), "in", mail);
    }
    are_read(&mut rig).await;
}

#[tokio::test]
async fn at_our_own_mail_server() {
    let port = free_port();
    let settings = MxSettings { listen: ([127, 0, 0, 1], port).into(), host: "mx.test.example".to_owned(), certificate: None };
    let inbox: Inbox = inbox_of(InboxKind::Smtp(settings), USER);
    let mut rig = Rig::new(inbox).wanting(wanting()).watch();
    rig.expect_sight().await;
    let sending = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
        let mut say = |said: &str, wanted: &str| {
            let mut answer = String::new();
            if !said.is_empty() {
                lines.get_mut().write_all(format!("{said}\r\n").as_bytes()).unwrap();
            }
            while answer.lines().last().is_none_or(|line| line.as_bytes().get(3) != Some(&b' ')) {
                assert!(lines.read_line(&mut answer).unwrap() > 0, "{answer}");
            }
            assert!(answer.starts_with(wanted), "{answer}");
        };
        say("", "220");
        say("HELO client.test.example", "250");
        for mail in mails() {
            say("MAIL FROM:<a@sender.example>", "250");
            say(&format!("RCPT TO:<{USER}>"), "250");
            say("DATA", "354");
            say(&format!("{}\r\n.", mail.replace('\n', "\r\n")), "250");
        }
    });
    are_read(&mut rig).await;
    drop(sending);
}
