//! One mail on its way, and the headers that servers put on it.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use mail_parser::MessageParser;
use tokio::sync::OwnedSemaphorePermit;

use crate::model::At;

/// The largest message that anybody takes, in bytes.
pub(super) const MAX_MESSAGE: usize = 1 << 20;

/// One mail to one recipient.
#[derive(Debug)]
pub(super) struct Mail {
    /// The provider's id for it.
    pub(super) id: String,
    /// The host that hands it over.
    pub(super) from_host: String,
    /// Envelope sender; empty for none.
    pub(super) sender: String,
    /// Envelope recipient.
    pub(super) recipient: String,
    /// Header and body.
    pub(super) bytes: Vec<u8>,
    /// Which of its provider's mails it is.
    pub(super) number: u64,
    /// Whether it lands in Junk.
    pub(super) junk: bool,
    /// Whether the inbox already made it wait.
    pub(super) delayed: bool,
    /// Its share of the world's memory, given back when the mail is gone.
    pub(super) _room: OwnedSemaphorePermit,
}

/// An instant as headers have it: `Mon, 8 Aug 2022 19:30:00 +0000`. 1970 for instants beyond the calendar.
pub(super) fn header_date(at: At) -> String {
    DateTime::<Utc>::from_timestamp_millis(at.as_ms()).unwrap_or(DateTime::UNIX_EPOCH).to_rfc2822()
}

/// `text` as part of a header line: without control characters, and not longer than 256 characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}

/// What a submission server adds to `message` when its writer did not: `Date` and `Message-ID`.
pub(super) fn missing_headers(message: &[u8], id: &str, host: &str, at: At) -> String {
    let parsed = MessageParser::default().parse_headers(message);
    let has = |name: &'static str| parsed.as_ref().is_some_and(|m| m.header(name).is_some());
    let mut added = String::new();
    if !has("Message-ID") {
        added.push_str(&format!("Message-ID: <{id}@{host}>\r\n"));
    }
    if !has("Date") {
        added.push_str(&format!("Date: {}\r\n", header_date(at)));
    }
    added
}

/// The address that a host of the world has in mail: one of 198.51.100.0/24, which RFC 5737 keeps for such things. So mail passes between public
/// addresses, as real mail does, though all of it is on loopback.
pub(super) fn address_of(host: &str) -> Ipv4Addr {
    let sum = host.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Ipv4Addr::new(198, 51, 100, sum.clamp(1, 254))
}

/// The line of one hop.
pub(super) fn received(from: &str, by: &str, with: &str, id: &str, recipient: &str, at: At) -> String {
    let (from, by, recipient) = (plain(from), plain(by), plain(recipient));
    format!("Received: from {from} by {by} (mailcanary sandbox)\r\n\twith {with} id {id} for <{recipient}>;\r\n\t{}\r\n", header_date(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_added() {
        let at = At::from_ms(1_659_987_000_000);
        let added = missing_headers(b"message-id: <own@example.com>\r\nSubject: x\r\n\r\nbody", "7", "a.test", at);
        assert_eq!(added, "Date: Mon, 8 Aug 2022 19:30:00 +0000\r\n");
        let added = missing_headers(b"Subject: x\r\n\r\nMessage-ID: <body@example.com>", "7", "a.test", at);
        assert!(added.starts_with("Message-ID: <7@a.test>\r\nDate: "), "{added}");
    }

    #[test]
    fn a_hop_cannot_be_used_to_smuggle_headers() {
        let line = received("a\r\nX-Evil: 1", "b", "ESMTPA", "7", "c@d\nX-Evil: 2", At::from_ms(0));
        assert!(!line.contains("\nX-Evil"), "{line}");
    }
}
