//! E-mail, by a real Postfix.

use mail_parser::MessageParser;
use mailcanary::config::{EmailSettings, Mailbox, Proof, SmtpLogin, SmtpSettings, Tls};

use super::*;
use crate::support::alertmanager::free_port;
use crate::support::postfix::{Postfix, Stage};

fn mail(port: u16, password: Option<&str>) -> SinkKind {
    let login = password.map(|password| SmtpLogin { user: "watch".to_owned(), proof: Proof::Password(at(password)) });
    let smtp = SmtpSettings { host: "127.0.0.1".to_owned(), port, tls: Tls::None, login, hello: None };
    let from = Mailbox { name: Some("Wächter".to_owned()), address: "watch@example.org".to_owned() };
    SinkKind::Email(EmailSettings { from, to: "oncall@inbox.example".to_owned(), smtp })
}

#[tokio::test]
async fn an_incident_is_a_thread_of_plain_mails() {
    let postfix = Postfix::builder().login("watch", "hunter2", "PLAIN").start();
    let mut worker = Worker::start(sink(mail(postfix.port(), Some("hunter2"))), Vec::new());
    for (id, change) in [(1, Change::Opened), (2, Change::Resolved)] {
        worker.send(out(id, 3, change)).await;
        assert_eq!(worker.ended().await, (id, Delivery::Delivered));
        postfix.wait_for_mails(id as usize);
    }
    worker.close().await;
    let mails = postfix.wait_for_mails(2);
    let parsed: Vec<_> = mails.iter().map(|mail| MessageParser::default().parse(mail.as_bytes()).unwrap()).collect();
    let subjects: Vec<&str> = parsed.iter().map(|mail| mail.subject().unwrap()).collect();
    assert!(subjects.contains(&"PAGE: provider mailchimp, stopped") && subjects.contains(&"RESOLVED: provider mailchimp, stopped"));
    assert_eq!(parsed[0].references(), parsed[1].references());
    assert_ne!(parsed[0].message_id(), parsed[1].message_id());
    for mail in &parsed {
        assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Wächter"));
        assert_eq!(mail.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
        let text = mail.body_text(0).unwrap();
        assert!(
            text.starts_with("mailchimp: none of 9 canaries arrived <in any inbox>")
                && text.contains("\nhttp://canary.example/incidents/3")
        );
    }
}

#[tokio::test]
async fn what_attackers_write_is_no_header_and_no_recipient() {
    let postfix = Postfix::builder().start();
    let sink = sink(mail(postfix.port(), None));
    assert_eq!(deliver(&sink, &nasty(Change::Opened)).await, Attempt::Delivered);
    // The same notice again is the same mail.
    assert_eq!(deliver(&sink, &nasty(Change::Opened)).await, Attempt::Delivered);
    let mails = postfix.wait_for_mails(2);
    let ids: Vec<String> = mails
        .iter()
        .map(|mail| {
            let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
            assert!(parsed.bcc().is_none() && parsed.cc().is_none());
            assert!(!parsed.body_text(0).unwrap().contains(['\u{1b}', '\u{202e}', '\0']));
            parsed.message_id().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert!(!postfix.log().contains("evil.example"));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let later = Postfix::builder().refuse(Stage::Rcpt, "450 4.2.1 later").start();
    let attempt = deliver(&sink(mail(later.port(), None)), &out(1, 3, Change::Opened)).await;
    assert!(matches!(attempt, Attempt::Retry { unclear: false, .. }), "{attempt:?}");
    let never = Postfix::builder().refuse(Stage::EndOfData, "554 5.6.0 not in this form").start();
    let attempt = deliver(&sink(mail(never.port(), None)), &out(1, 3, Change::Opened)).await;
    assert!(matches!(attempt, Attempt::Refused { .. } | Attempt::Doubtful { .. }), "{attempt:?}");
    let closed = Postfix::builder().login("watch", "hunter2", "PLAIN").start();
    let attempt = deliver(&sink(mail(closed.port(), Some("hunter3"))), &out(1, 3, Change::Opened)).await;
    assert!(matches!(&attempt, Attempt::Doubtful { why } if why.starts_with("refused (auth)") && !why.contains("hunter3")), "{attempt:?}");
    let attempt = deliver(&sink(mail(free_port(), None)), &out(1, 3, Change::Opened)).await;
    assert!(matches!(attempt, Attempt::Retry { unclear: false, .. }), "{attempt:?}");
}
