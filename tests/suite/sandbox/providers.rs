//! What a submission gets for an answer.

use mailcanary::model::{Class, Placement};
use mailcanary::sandbox::Fault;
use serde_json::{Value, json};

use super::people::{call, letter, soon, submit, world};

/// The words of each class over SMTP.
#[tokio::test(flavor = "multi_thread")]
async fn smtp_refuses_in_the_words_of_real_providers() {
    let world = world();
    let relay = world.provider("relay").unwrap();
    let cases = [
        (Class::Auth, "535"),
        (Class::Suspended, "account has been suspended"),
        (Class::Quota, "451"),
        (Class::Rate, "4.2.1"),
        (Class::Sender, "550"),
        (Class::Suppressed, "previously bounced"),
        (Class::Recipient, "5.1.1"),
        (Class::Policy, "spam"),
        (Class::Transient, "451"),
        (Class::Permanent, "554"),
        (Class::Unknown, ""),
    ];
    for (n, (class, words)) in cases.into_iter().enumerate() {
        relay.set(Fault::Refuse(class)).unwrap();
        let refusal = submit(relay, "canary@box.test", "no").await.unwrap_err();
        assert!(refusal.contains(words), "{class}: {refusal}");
        assert_eq!(relay.counts().refused, n as u64 + 1, "{class}: {refusal}");
    }
    relay.clear();
    submit(relay, "canary@box.test", "yes").await.unwrap();
    assert_eq!(relay.counts().accepted, 1);
    assert!(relay.set(Fault::Refuse(Class::Tls)).is_err());
    assert!(relay.set(Fault::IdleDead).is_err());
}

/// The shapes of each class over the API.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_refuses_as_mandrill_does() {
    let world = world();
    let api = world.provider("mailchimp").unwrap();
    let cases = [
        (Class::Auth, 500, "/name", json!("Invalid_Key")),
        (Class::Suspended, 500, "/message", json!("This account has been suspended")),
        (Class::Quota, 200, "/0/queued_reason", json!("monthly-limit-reached")),
        (Class::Sender, 200, "/0/reject_reason", json!("unsigned")),
        (Class::Suppressed, 200, "/0/reject_reason", json!("hard-bounce")),
        (Class::Recipient, 200, "/0/status", json!("invalid")),
        (Class::Policy, 200, "/0/reject_reason", json!("rule")),
        (Class::Transient, 503, "/status", json!("error")),
        (Class::Permanent, 400, "/name", json!("ValidationError")),
    ];
    let body = letter(api, "canary@box.test", "no");
    for (class, status, place, value) in cases {
        api.set(Fault::Refuse(class)).unwrap();
        let (got, text) = call(api, "/messages/send", &body).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((got, answer.pointer(place)), (status, Some(&value)), "{class}: {text}");
    }
    api.set(Fault::Refuse(Class::Rate)).unwrap();
    assert_eq!(call(api, "/messages/send", &body).await.unwrap(), (429, String::new()));
    api.set(Fault::Refuse(Class::Unknown)).unwrap();
    assert!(call(api, "/messages/send", &body).await.unwrap().1.starts_with("<html>"));
    assert_eq!((api.counts().accepted, api.counts().refused), (0, 11));
    assert_eq!(world.under_way(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_as_mandrill_does() {
    let world = world();
    let (api, inbox) = (world.provider("mailchimp").unwrap(), world.inbox("box").unwrap());
    let key = json!({ "key": api.secret() });
    assert_eq!(call(api, "/users/ping2", &key).await.unwrap(), (200, r#"{"PING":"PONG!"}"#.to_owned()));
    let (status, text) = call(api, "/users/info.json", &key).await.unwrap();
    assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()["backlog"].as_u64()), (200, Some(0)));
    for call_name in ["/users/ping2.json", "/users/info", "/messages/send.json"] {
        let (status, text) = call(api, call_name, &json!({ "key": "wrong" })).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, answer["name"].as_str()), (401, Some("Invalid_Key")), "{call_name}");
    }
    let (status, text) = call(api, "/messages/send", &json!({ "key": api.secret(), "message": { "from_email": "x" } })).await.unwrap();
    assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()["name"].as_str()), (400, Some("ValidationError")));

    let (status, text) = call(api, "/messages/send", &letter(api, inbox.address(), "hello")).await.unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, answer[0]["status"].as_str(), answer[0]["email"].as_str()), (200, Some("sent"), Some(inbox.address())));
    soon(inbox.watch(), |c| c.delivered == 1).await;
    let mail = inbox.messages(Placement::Inbox).remove(0);
    let parsed = mail_parser::MessageParser::default().parse(&*mail.bytes).unwrap();
    assert_eq!(parsed.header("X-Canary").and_then(|v| v.as_text()), Some("7"));
    assert_eq!(parsed.header("X-Mandrill-User").and_then(|v| v.as_text()), Some("md_1"));
    assert!(parsed.message_id().unwrap().contains(answer[0]["_id"].as_str().unwrap()), "its own Message-ID");
    assert_eq!((parsed.body_text(0).as_deref(), parsed.body_html(0).as_deref()), (Some("text"), Some("<p>html</p>")));
    assert_eq!(parsed.received_all().count(), 2);
}

/// The incident of August 2022: the call succeeds, and what it says is all there is to see.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_accepts() {
    let world = world();
    let (api, relay, inbox) = (world.provider("mailchimp").unwrap(), world.provider("relay").unwrap(), world.inbox("box").unwrap());
    for (fault, reason) in [(Fault::Suspend, Some("account-suspended")), (Fault::SuspendSilently, None)] {
        api.set(fault).unwrap();
        let (status, text) = call(api, "/messages/send", &letter(api, inbox.address(), "held")).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, answer[0]["status"].as_str(), answer[0]["queued_reason"].as_str()), (200, Some("queued"), reason));
        assert_eq!(answer[0].get("queued_reason").is_some(), reason.is_some(), "before November 2022 there was no such field");
    }
    relay.set(Fault::Suspend).unwrap();
    assert!(submit(relay, inbox.address(), "held").await.unwrap().contains("queued as"));
    assert_eq!((api.counts().held, relay.counts().held, inbox.counts().delivered), (2, 1, 0));
    assert_eq!(relay.discard(), 1, "a deactivated account throws its queue away");
    assert_eq!(api.release(), 2);
    soon(inbox.watch(), |c| c.delivered == 2).await;
    submit(api, inbox.address(), "again").await.unwrap();
    soon(inbox.watch(), |c| c.delivered == 3).await;
}
