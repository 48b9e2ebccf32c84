//! The canary: recognised after whatever a provider may do to it, never mistaken, never like the one before.

mod compose;
mod expected;
mod key;
mod mail;
mod recognise;
mod relay;

use std::sync::Arc;

use mailcanary::canary::{Composed, Found, Key, Ours, compose};
use mailcanary::config::{Inbox, Mailbox, Settings, Stream};
use mailcanary::model::{At, CanaryId, Name, Severity, Span};

const KEY: Key = Key::new([0x5a; 32]);
const AT: At = At::from_ms(1_659_987_000_000);

fn inbox(plus_address: bool) -> Inbox {
    crate::support::inbox("seed7f3@inbox.example", plus_address)
}

fn composed(stream: &str, id: u64) -> Composed {
    let from = Mailbox { name: Some("Example <&> Co".to_owned()), address: "no-reply@example.com".to_owned() };
    let settings = Stream { subject: "Reset your password".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page };
    compose(&KEY, CanaryId::from_bits(id), AT, &Name::new(stream).unwrap(), &settings, &from, &inbox(false))
}

/// What is known of us by these settings.
fn ours(settings: &str) -> (Arc<Settings>, Ours) {
    let checked = mailcanary::config::parse(settings, "host").unwrap_or_else(|all| panic!("{all:?}"));
    let settings = Arc::new(checked.settings);
    (Arc::clone(&settings), Ours::new(settings))
}

/// Numbers that look random and are the same in every run.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

#[test]
fn a_bounce_that_quotes_a_canary_is_no_arrival() {
    let key = Key::new([3; 32]);
    let at = At::from_ms(1_700_000_000_000);
    let text = mailcanary::canary::token(&key, CanaryId::from_bits(7), at);
    let bounce = format!(
        "From: MAILER-DAEMON@example.net\r\nSubject: Undelivered Mail Returned to Sender\r\nContent-Type: multipart/report;\r\n report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Mailcanary: {text}\r\nSubject: Reset [{text}]\r\n--b--\r\n"
    );
    assert_eq!(mailcanary::canary::recognise(&key, bounce.as_bytes(), &|_, _| true), Found::Nothing);
    let quoting = bounce.replace("Returned to Sender", &format!("Returned to Sender: Reset [{text}]"));
    let header = quoting.split("\r\n\r\n").next().unwrap();
    for report in [quoting.clone(), format!("{header}\r\n\r\n"), header.to_owned(), quoting.replace("Content-Type:", "content-type :")] {
        assert_eq!(mailcanary::canary::recognise(&key, report.as_bytes(), &|_, _| true), Found::Nothing, "{report}");
    }
    let mail = bounce.replace("multipart/report", "multipart/mixed");
    assert!(matches!(mailcanary::canary::recognise(&key, mail.as_bytes(), &|_, _| true), Found::Ours { .. }));
}
