//! SMTP servers that are slow, broken or hostile.

use std::time::Instant;

use super::fake::{Fake, Step, say, up_to_data};
use super::*;

async fn against(steps: Vec<Step>, tls: Tls) -> (Answer, String, Duration) {
    let fake = Fake::new(steps);
    let begun = Instant::now();
    let answer = submit(&smtp(fake.port(), tls, None, Wire::default()).within(SHORT)).await;
    (answer, fake.heard().await.remove(0), begun.elapsed())
}

fn then(mut steps: Vec<Step>, more: impl IntoIterator<Item = Step>) -> Vec<Step> {
    steps.extend(more);
    steps
}

const END: &[u8] = b"\r\n.\r\n";

#[tokio::test]
async fn a_server_that_takes_it_is_told_all_that_belongs_to_it() {
    let steps = then(up_to_data(), [Step::Until(END), say("250 2.0.0 Ok: queued as ABC123\r\n"), Step::Line, say("221 bye\r\n")]);
    let (answer, heard, _) = against(steps, Tls::None).await;
    assert_eq!(answer.outcome, Outcome::Accepted);
    assert_eq!(answer.reply.as_deref(), Some("250 2.0.0 Ok: queued as ABC123"));
    assert_eq!(answer.message_id.as_deref(), Some("ABC123"));
    assert!(heard.starts_with("EHLO watcher.example\r\nMAIL FROM:<no-reply@example.com>"), "{heard}");
    assert!(heard.ends_with("\r\n.\r\nQUIT\r\n"), "{heard}");
    assert!(heard.contains("Message-ID: <0123456789abcdef.mailcanary@example.com>\r\n"), "{heard}");
    assert!(heard.contains("Date: Mon, 08 Aug 2022 19:30:00 +0000\r\n"), "{heard}");
}

#[tokio::test]
async fn silence_after_the_dot_is_an_unknown_fate_and_nothing_is_sent_again() {
    let (answer, heard, took) = against(then(up_to_data(), [Step::Until(END), Step::Stall]), Tls::None).await;
    assert_eq!(answer.outcome, Outcome::Unknown);
    assert!(answer.reply.as_deref().unwrap().contains("after the message: no answer within 2 s"), "{answer:?}");
    assert_eq!(heard.matches("DATA\r\n").count(), 1);
    assert!(took < SHORT * 3, "{took:?}");
}

#[tokio::test]
async fn whatever_is_no_answer_after_the_dot_is_an_unknown_fate() {
    let ends = [vec![], vec![Step::Reset], vec![say("HTTP/1.1 200 OK\r\n\r\n")], vec![say("354 more\r\n")], vec![say("250-never\r\n")]];
    for end in ends {
        let (answer, ..) = against(then(then(up_to_data(), [Step::Until(END)]), end.clone()), Tls::None).await;
        assert_eq!(answer.outcome, Outcome::Unknown, "{end:?} {answer:?}");
    }
    let (answer, ..) = against(then(up_to_data(), [Step::Until(END), Step::Flood(10 << 20)]), Tls::None).await;
    assert_eq!(answer.outcome, Outcome::Unknown, "{answer:?}");
}

#[tokio::test]
async fn a_refusal_after_the_dot_is_a_refusal() {
    let steps = then(up_to_data(), [Step::Until(END), say("554-Message rejected:\r\n554 Sending paused for this account.\r\n")]);
    let (answer, ..) = against(steps, Tls::None).await;
    refused(&answer, Class::Suspended, "554-Message rejected:\n554 Sending paused for this account.");
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_message_is_never_an_acceptance() {
    let (answer, ..) = against(then(up_to_data(), [Step::Reset]), Tls::None).await;
    assert!(matches!(answer.outcome, Outcome::Refused(Class::Network) | Outcome::Unknown), "{answer:?}");
}

#[tokio::test]
async fn what_fails_before_the_message_is_refused() {
    let greeted = || vec![say("220 fake\r\n"), Step::Line];
    let cases = [
        (vec![Step::Stall], Class::Network, "waiting for the greeting: no answer within 2 s"),
        (vec![], Class::Network, "waiting for the greeting: the server closed the connection"),
        (vec![Step::Reset], Class::Network, "reset"),
        (vec![say("HTTP/1.1 400 Bad Request\r\n")], Class::Unknown, "does not speak SMTP: `HTTP/1.1 400"),
        (vec![say("\x16\x03\x01\u{1b}[31m\r\n")], Class::Unknown, "does not speak SMTP"),
        (vec![say("554 5.7.1 listed at bl.example\r\n")], Class::Policy, "554 5.7.1 listed"),
        (vec![say("421 too many connections\r\n")], Class::Rate, "421"),
        (greeted(), Class::Network, "EHLO: the server closed"),
        (then(greeted(), [Step::Stall]), Class::Network, "EHLO: no answer"),
        (
            then(greeted(), [say("250- \r\n250-\t\r\n250 \r\n"), Step::Line, say("552 account has been suspended\r\n")]),
            Class::Suspended,
            "552 account",
        ),
        (then(greeted(), [say("250 x\r\n"), Step::Line, say("354 what\r\n")]), Class::Unknown, "354 what"),
    ];
    for (steps, class, words) in cases {
        let (answer, ..) = against(steps, Tls::None).await;
        refused(&answer, class, words);
    }
}

#[tokio::test]
async fn endless_replies_are_cut_off_early() {
    for flood in [Step::Flood(10 << 20), Step::Repeat("250-x\r\n", 10 << 20), Step::Repeat("250-\u{fffd}\u{0}\r\n", 10 << 20)] {
        let (answer, _, took) = against(vec![say("220 fake\r\n"), Step::Line, flood], Tls::None).await;
        refused(&answer, Class::Unknown, "longer than 64 KiB");
        assert!(took < SHORT, "{took:?}");
    }
}

#[tokio::test]
async fn long_and_foreign_words_are_kept_cut_and_clean() {
    let long = format!("550 {}\u{1b}]0;owned\u{7}\r\n", "ü".repeat(5000));
    let (answer, ..) = against(vec![say("220 x\r\n"), Step::Line, say(&long)], Tls::None).await;
    refused(&answer, Class::Permanent, "550 üü");
    let latin = b"550-\xfcberlastet\r\n550 bitte warten\r\n".to_vec();
    let (answer, ..) = against(vec![say("220 x\r\n"), Step::Line, Step::Say(latin)], Tls::None).await;
    refused(&answer, Class::Permanent, "550-\u{fffd}berlastet\n550 bitte warten");
}

#[tokio::test]
async fn without_starttls_nothing_goes_out_in_the_clear() {
    let steps = vec![say("220 x\r\n"), Step::Line, say("250-x\r\n250 AUTH PLAIN\r\n"), Step::Stall];
    let (answer, heard, _) = against(steps, Tls::StartTls).await;
    refused(&answer, Class::Tls, "does not offer STARTTLS");
    assert_eq!(heard, "EHLO watcher.example\r\nQUIT\r\n");
    let steps = vec![say("220 x\r\n"), Step::Line, say("250 STARTTLS\r\n"), Step::Line, say("454 4.7.0 not now\r\n"), Step::Stall];
    let (answer, heard, _) = against(steps, Tls::StartTls).await;
    refused(&answer, Class::Tls, "454 4.7.0 not now");
    assert_eq!(heard, "EHLO watcher.example\r\nSTARTTLS\r\nQUIT\r\n");
}

#[tokio::test]
async fn what_is_slipped_in_before_the_handshake_is_refused() {
    let slipped = say("220 go\r\n250 and this, too\r\n");
    let (answer, ..) =
        against(vec![say("220 x\r\n"), Step::Line, say("250 STARTTLS\r\n"), Step::Line, slipped, Step::Stall], Tls::StartTls).await;
    refused(&answer, Class::Tls, "spoke between STARTTLS and the handshake");
}

#[tokio::test]
async fn no_tls_where_it_should_be() {
    let (answer, ..) = against(vec![say("220 x\r\n"), Step::Stall], Tls::Implicit).await;
    refused(&answer, Class::Tls, "TLS with `localhost`: the other side does not speak TLS there");
}

async fn logging_in(offer: &str, steps: Vec<Step>) -> (Answer, String) {
    let begin = vec![say("220 x\r\n"), Step::Line, say(offer)];
    let fake = Fake::new(then(begin, steps));
    let answer = smtp(fake.port(), Tls::None, Some("canary"), Wire::default()).within(SHORT).log_in(AT).await;
    check(&answer);
    (answer, fake.heard().await.remove(0))
}

#[tokio::test]
async fn a_password_that_the_server_repeats_is_not_kept() {
    let plain = data_encoding::BASE64.encode(format!("\0canary\0{PASSWORD}").as_bytes());
    let echo = format!("500 what is AUTH PLAIN {plain} and {PASSWORD}?\r\n");
    let (answer, heard) = logging_in("250 AUTH PLAIN LOGIN\r\n", vec![Step::Line, say(&echo)]).await;
    refused(&answer, Class::Permanent, "500 what is AUTH PLAIN *** and ***?");
    assert!(heard.contains(&format!("AUTH PLAIN {plain}\r\n")), "{heard}");
}

#[tokio::test]
async fn login_works_in_every_language_and_in_old_spelling() {
    let steps = vec![
        Step::Line,
        say("334 QmVudXR6ZXI=\r\n"),
        Step::Line,
        say("334 S2VubndvcnQ=\r\n"),
        Step::Line,
        say("235 ok\r\n"),
        Step::Line,
        say("221 bye\r\n"),
    ];
    let (answer, heard) = logging_in("250-x\r\n250 auth=LOGIN\r\n", steps).await;
    assert_eq!(answer.outcome, Outcome::Accepted);
    let encoded = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    assert!(heard.ends_with(&format!("AUTH LOGIN\r\n{}\r\n{}\r\nQUIT\r\n", encoded("canary"), encoded(PASSWORD))), "{heard}");
}

#[tokio::test]
async fn without_a_known_mechanism_the_password_stays_here() {
    let (answer, heard) = logging_in("250 AUTH CRAM-MD5 XPLAIN\r\n", vec![Step::Stall]).await;
    refused(&answer, Class::Auth, "neither AUTH PLAIN nor LOGIN\n250 AUTH CRAM-MD5 XPLAIN");
    assert_eq!(heard, "EHLO watcher.example\r\nQUIT\r\n");
}
