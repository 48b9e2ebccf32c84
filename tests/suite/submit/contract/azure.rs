//! Azure Communication Services; the signature is computed here by the published steps.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::*;

fn signature(asked: &Asked) {
    let (date, hash) = (asked.header("x-ms-date"), asked.header("x-ms-content-sha256"));
    assert_eq!(date, "Mon, 08 Aug 2022 19:30:00 GMT", "the time that was handed in");
    assert_eq!(hash, BASE64.encode(&Sha256::digest(&asked.body)));
    let to_sign = format!("{}\n{}?{}\n{date};{};{hash}", asked.method, asked.path, asked.query, asked.header("host"));
    let key = BASE64.decode(secret_of("KEY").as_bytes()).unwrap();
    let signature = BASE64.encode(&Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(to_sign).finalize().into_bytes());
    let expected = format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}");
    assert_eq!(asked.header("authorization"), expected);
}

fn strict(asked: &Asked) {
    assert!(asked.query.starts_with("api-version=20"), "{}", asked.query);
    signature(asked);
    if asked.method == "GET" {
        assert_eq!(asked.path, "/emails/operations/8540c0de-899f-5cce-acb5-3ec493af3800");
        return;
    }
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/emails:send"));
    let operation = asked.header("operation-id");
    let shape: Vec<usize> = operation.split('-').map(str::len).collect();
    assert_eq!(shape, [8, 4, 4, 4, 12], "{operation}");
    let (body, mail) = (asked.json(), mail());
    has_keys(&body, &["senderAddress", "recipients", "content", "headers", "userEngagementTrackingDisabled"]);
    assert_eq!((&body["senderAddress"], &body["userEngagementTrackingDisabled"]), (&json!(FROM), &json!(true)));
    assert_eq!(body["recipients"], json!({ "to": [{ "address": mail.to }] }));
    assert_eq!(body["content"], json!({ "subject": mail.subject, "plainText": mail.text, "html": mail.html }));
    assert_eq!(body["headers"], headers());
}

const ID: &str = "8540c0de-899f-5cce-acb5-3ec493af3800";

fn operation(status: u16, state: &str, error: Value) -> Told {
    Told::new(status, json!({ "id": ID, "status": state, "error": error }).to_string()).with("retry-after", "0")
}

/// Hands a canary over; the operation goes through these answers.
async fn through(answers: Vec<Told>) -> Answer {
    let count = answers.len();
    let desk = Desk::new(answers).await;
    let answer = submit(&at("azure", desk.port, "")).await;
    assert_eq!(desk.asked(strict).len(), count);
    answer
}

#[tokio::test]
async fn a_canary_is_sent_and_asked_after_as_documented() {
    let running = || operation(202, "Running", Value::Null);
    let asked = |state: &str| operation(200, state, Value::Null);
    for states in [
        vec![running(), asked("Succeeded")],
        vec![running(), asked("NotStarted"), asked("Running"), asked("Succeeded")],
        vec![running(), asked("Running"), asked("Running"), asked("Running")],
        vec![running(), Told::new(500, "")],
        vec![operation(202, "Succeeded", Value::Null)],
    ] {
        let answer = through(states).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some(ID)), "{answer:?}");
    }
}

#[tokio::test]
async fn an_operation_that_fails_is_a_refusal() {
    let cases = [
        ("EmailDroppedAllRecipientsSuppressed", "All recipients are suppressed", Class::Suppressed),
        ("EmailDropped", "The sender domain is not verified", Class::Sender),
        ("Whatever", "Something", Class::Permanent),
    ];
    for (code, message, class) in cases {
        let failed = operation(200, "Failed", json!({ "code": code, "message": message }));
        let answer = through(vec![operation(202, "Running", Value::Null), failed]).await;
        assert_eq!(answer.outcome, Outcome::Refused(class), "{answer:?}");
        assert!(answer.reply.unwrap().contains(message));
    }
    let answer = through(vec![operation(202, "Running", Value::Null), operation(200, "Canceled", Value::Null)]).await;
    assert_eq!(answer.outcome, Outcome::Refused(Class::Permanent));
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |code: &str, message: &str| json!({ "error": { "code": code, "message": message } });
    means(
        "azure",
        vec![
            no(401, error("Denied", "Denied by the resource provider."), Class::Auth),
            no(404, error("DomainNotLinked", "The specified sender domain has not been linked."), Class::Sender),
            no(400, error("InvalidSenderUserName", "x"), Class::Sender),
            no(400, error("BadRequest", "Request body validation error."), Class::Permanent),
            no(429, error("TooManyRequests", "x"), Class::Rate),
            no(403, error("ResourceDisabled", "The resource has been suspended"), Class::Suspended),
            no(500, error("InternalServerError", "x"), Class::Transient),
            (Told::new(202, "{}"), Outcome::Unknown),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_from_a_key_that_is() {
    let denied = |date: &str| Told::new(401, r#"{"error":{"code":"Denied","message":"x"}}"#).with("date", date);
    let (answer, _) = sent("azure", "", denied("Mon, 08 Aug 2022 19:10:00 GMT"), strict).await;
    refused(&answer, Class::Auth, "clock is 20m ahead of the provider's");
    let (answer, _) = sent("azure", "", denied("Mon, 08 Aug 2022 19:30:01 GMT"), strict).await;
    refused(&answer, Class::Auth, "it is the key");
}
