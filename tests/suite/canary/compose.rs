//! What a canary looks like.

use std::collections::BTreeSet;

use mailcanary::canary::{Found, TOKEN_LEN, compose, recognise, token};
use mailcanary::config::{Mailbox, Stream};
use mailcanary::model::{CanaryId, Name, Severity, Span};

use super::{AT, KEY, Rng, composed, inbox};

#[test]
fn the_token_stands_everywhere() {
    let token = token(&KEY, CanaryId::from_bits(7), AT);
    let mail = composed("password-reset", 7);
    assert_eq!(mail.subject, format!("Reset your password [{token}]"));
    assert!(mail.headers.contains(&("X-Mailcanary".to_owned(), token.clone())));
    assert!(mail.headers.contains(&("Auto-Submitted".to_owned(), "auto-generated".to_owned())));
    assert!(mail.headers.contains(&("X-Auto-Response-Suppress".to_owned(), "All".to_owned())));
    assert!(mail.text.contains(&format!("https://example.com/account/password/{token}")));
    assert!(mail.html.contains(&format!("href=\"https://example.com/account/password/{token}\"")));
    assert!(mail.html.contains("Example &lt;&amp;&gt; Co"), "{}", mail.html);
    assert_eq!(mail.to, "seed7f3@inbox.example");
    for place in [&mail.subject, &mail.text, &mail.html] {
        assert!(matches!(recognise(&KEY, place.as_bytes(), &|_, _| true), Found::Ours { .. }));
    }
}

#[test]
fn the_plus_address_carries_it_where_it_has_room() {
    let from = Mailbox { name: None, address: "no-reply@example.com".to_owned() };
    let stream = Stream { subject: "Hello\r\nBcc: x".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page };
    let mut inbox = inbox(true);
    let token = token(&KEY, CanaryId::from_bits(7), AT);
    let write = |inbox: &_| compose(&KEY, CanaryId::from_bits(7), AT, &Name::new("any").unwrap(), &stream, &from, inbox);
    assert_eq!(write(&inbox).to, format!("seed7f3+{token}@inbox.example"));
    assert!(!write(&inbox).subject.contains(['\r', '\n']));
    inbox.address = format!("{}@inbox.example", "x".repeat(64 - TOKEN_LEN - 1));
    assert!(write(&inbox).to.contains(&token));
    inbox.address = format!("{}@inbox.example", "x".repeat(64 - TOKEN_LEN));
    assert_eq!(write(&inbox).to, inbox.address, "no local part beyond 64 characters");
}

#[test]
fn each_day_has_its_address_in_turn() {
    let from = Mailbox { name: None, address: "no-reply@example.com".to_owned() };
    let stream = Stream { subject: "Hello".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page };
    let mut inbox = inbox(false);
    inbox.aliases = vec!["b@inbox.example".to_owned(), "c@inbox.example".to_owned()];
    let to = |day: i64| {
        let at = AT.plus(Span::from_secs(day.unsigned_abs() * 86_400));
        compose(&KEY, CanaryId::from_bits(7), at, &Name::new("any").unwrap(), &stream, &from, &inbox).to
    };
    let week: Vec<String> = (0..6).map(to).collect();
    assert_eq!(week[..3], week[3..], "in turn");
    let mut all = week[..3].to_vec();
    all.sort();
    assert_eq!(all, ["b@inbox.example", "c@inbox.example", "seed7f3@inbox.example"]);
}

#[test]
fn the_words_fit_the_stream() {
    let cases = [
        ("password-reset", "/account/password/"),
        ("sign-up-confirmation", "/account/confirm/"),
        ("welcome", "/account/confirm/"),
        ("product-alert", "/alerts/"),
        ("invoice", "/orders/"),
        ("login-code", "/sign-in/"),
        ("newsletter", "/account/messages/"),
    ];
    for (stream, path) in cases {
        assert!(composed(stream, 1).text.contains(path), "{stream}");
    }
}

#[test]
fn every_canary_says_that_it_is_one() {
    for id in 0..200 {
        let mail = composed("password-reset", id);
        for body in [&mail.text, &mail.html] {
            assert!(body.contains("utomated test message"), "{body}");
        }
    }
}

/// The text without what is in every canary another one anyway: the token and all digits.
fn words(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter(|word| !word.contains("mc-") && !word.contains(|c: char| c.is_ascii_digit()));
    words.map(str::to_owned).collect()
}

/// The share of three-word runs that two texts have in common.
fn likeness(a: &str, b: &str) -> f64 {
    let runs = |text| words(text).windows(3).map(<[String]>::to_vec).collect::<BTreeSet<_>>();
    let (a, b) = (runs(a), runs(b));
    a.intersection(&b).count() as f64 / a.union(&b).count() as f64
}

#[test]
fn a_hundred_bodies_are_pairwise_different_without_token_and_numbers() {
    for stream in ["password-reset", "sign-up", "alert", "receipt", "login-code", "other"] {
        let bodies: Vec<_> = (0..100).map(|id| composed(stream, id)).collect();
        let texts: BTreeSet<_> = bodies.iter().map(|mail| words(&mail.text)).collect();
        let htmls: BTreeSet<_> = bodies.iter().map(|mail| words(&mail.html)).collect();
        assert_eq!((texts.len(), htmls.len()), (100, 100), "{stream}");
    }
}

#[test]
fn consecutive_bodies_are_never_nearly_identical() {
    let mut random = Rng(1);
    let mut likenesses = Vec::new();
    for _ in 0..500 {
        let id = random.next();
        // Ids may be counted up or drawn at random.
        for next in [id.wrapping_add(1), random.next()] {
            likenesses.push(likeness(&composed("password-reset", id).text, &composed("password-reset", next).text));
        }
    }
    let most = likenesses.iter().copied().fold(0.0, f64::max);
    let mean = likenesses.iter().sum::<f64>() / likenesses.len() as f64;
    assert!(most < 0.75 && mean < 0.25, "most alike {most}, on average {mean}");
}
