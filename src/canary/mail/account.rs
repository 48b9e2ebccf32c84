//! By what a provider tells its customers apart in the mail that it sends: what of it all our canaries share is our account's.

use std::net::IpAddr;

use super::head::Head;
use super::marks::list;
use super::names::{cut, is_made, printable};

/// Fields that name the customer, or one list of his, as a whole.
const WHOLE: [&str; 4] = ["x-mc-user", "x-mandrill-user", "x-mailin-client", "list-id"];
/// A field of pieces, of which the last is the provider's (Gmail's feedback loop).
const PIECES: &str = "feedback-id";
/// Pieces of a field that are looked at.
const EACH: usize = 8;
/// Values of one mail, and bytes of each.
const MOST: usize = 16;
const BYTES: usize = 120;

/// Whether a field may name the customer.
pub(super) fn is_field(name: &[u8]) -> bool {
    WHOLE.iter().chain([&PIECES]).any(|field| name.eq_ignore_ascii_case(field.as_bytes()))
}

/// What this header has of it, each behind a word for where it stands: `x-mc-user 5f0c`, `feedback-id/1 30123456`. A piece counts only where it
/// looks made for one customer, and is none of an address of the inbox's own.
pub(super) fn values(head: &Head, own: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (name, value) in &head.account {
        if name == PIECES {
            let all: Vec<&str> = value.split(':').map(str::trim).collect();
            let pieces = all.iter().take(all.len().saturating_sub(1)).enumerate().take(EACH);
            found.extend(pieces.filter(|(_, piece)| is_telling(piece, own)).map(|(place, piece)| word(&format!("{name}/{place}"), piece)));
        } else if name == "list-id" {
            found.extend(list(name, value).iter().map(|id| word(name, id)));
        } else {
            found.push(word(name, value));
        }
    }
    // `bounce-md_30123456.4f…@mandrillapp.com`, `bounces+1234567-9a…@sendgrid.net`: the customer's number stands in the address itself.
    let local = head.return_path.as_deref().and_then(|path| path.rsplit_once('@')).map_or("", |(local, _)| local);
    let pieces = local.split(|c: char| !c.is_alphanumeric()).enumerate().take(EACH);
    found.extend(pieces.filter(|(_, piece)| is_telling(piece, own)).map(|(place, piece)| word(&format!("return-path/{place}"), piece)));
    found.retain(|word| word.split_once(' ').is_some_and(|(_, value)| value.chars().any(char::is_alphanumeric)));
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found
}

fn is_telling(piece: &str, own: &[&str]) -> bool {
    let made = piece.split(|c: char| !c.is_alphanumeric()).any(is_made);
    made && piece.parse::<IpAddr>().is_err() && own.iter().all(|address| !address.to_lowercase().contains(&piece.to_lowercase()))
}

fn word(place: &str, value: &str) -> String {
    cut(&format!("{place} {}", printable(&super::super::without_tokens(value))), BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_customer_is_told_from_what_names_the_mail_or_the_provider() {
        let mail = "Return-Path: <bounce-md_30123456.62f1.v1-seed1234@mandrillapp.com>\r\nFeedback-ID: 192.0.2.7:30123456:c.99887766:us10:mc\r\n\
            X-MC-User: 5F0c\r\nList-Id: News <abc.list-id.mcsv.net>\r\nX-Mailer: MailChimp\r\n\r\n";
        let found = values(&Head::read(mail.as_bytes()), &["seed1234@example.net"]);
        let expected = [
            "feedback-id/1 30123456",
            "feedback-id/2 c.99887766",
            "list-id abc.list-id.mcsv.net",
            "return-path/2 30123456",
            "x-mc-user 5f0c",
        ];
        assert_eq!(found, expected);
        let hostile = format!("X-MC-User: \u{1b}[2J{}\r\nFeedback-ID: {}\r\n", "x".repeat(9000), "12345678:".repeat(900));
        let found = values(&Head::read(hostile.as_bytes()), &[]);
        assert!(found.len() <= MOST && found.iter().all(|value| value.len() <= BYTES && !value.contains('\u{1b}')), "{found:?}");
        assert!(values(&Head::read(b"X-MC-User: \r\nFeedback-ID: :::\r\nReturn-Path: <>\r\n"), &[]).is_empty());
    }
}
