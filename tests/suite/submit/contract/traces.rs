//! What became of a mail: what each provider is asked, as its documents describe it, and what each answer means.

use std::time::Duration;

use mailcanary::edge::submit::{After, Finding};
use mailcanary::model::Fate;

use super::*;

const SEED: &str = "i@example.org";
const ID: &str = "14c5d75ce93.dfd-1";

/// Every kind that can be asked.
const ASKED: [&str; 11] =
    ["mandrill", "sendgrid", "postmark", "mailgun", "ses", "sparkpost", "resend", "brevo", "mailjet", "mailersend", "azure"];

/// Asks after a mail; what is found, and what the server was asked as `METHOD path?query`.
async fn traced(kind: &str, told: Vec<Told>) -> (Finding, Vec<String>) {
    let desk = Desk::new(told).await;
    let after = After { message_id: Some(ID), recipient: SEED, sent_at: AT };
    let found = at(kind, desk.port, "").trace(after, AT).await.unwrap();
    let asked = desk.asked(|_| ());
    for asked in &asked {
        proves_itself(kind, asked);
    }
    assert!(!format!("{found:?}").contains(&secret_of("KEY")), "{found:?}");
    let line =
        |a: &Asked| if a.query.is_empty() { format!("{} {}", a.method, a.path) } else { format!("{} {}?{}", a.method, a.path, a.query) };
    (found, asked.iter().map(line).collect())
}

/// Each question says who asks, in the provider's own way.
fn proves_itself(kind: &str, asked: &Asked) {
    let key = secret_of("KEY");
    match kind {
        "mandrill" => assert_eq!(asked.json()["key"], key),
        "sendgrid" | "resend" | "mailersend" => asked.is_bearer(&key),
        "postmark" => assert_eq!(asked.header("x-postmark-server-token"), key),
        "mailgun" => asked.is_basic("api", &key),
        "mailjet" => asked.is_basic("public", &key),
        "sparkpost" => assert_eq!(asked.header("authorization"), key),
        "brevo" => assert_eq!(asked.header("api-key"), key),
        "ses" => assert!(asked.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")),
        _ => assert!(asked.header("authorization").starts_with("HMAC-SHA256 ")),
    }
}

fn ok(body: Value) -> Told {
    Told::new(200, body.to_string())
}

fn no_such(body: Value) -> Told {
    Told::new(404, body.to_string())
}

/// The answers in turn come to this, after these questions.
async fn comes_to(kind: &str, told: Vec<Told>, fate: Fate, words: &str, asked: &[&str]) {
    let bodies = format!("{told:?}");
    let (found, lines) = traced(kind, told).await;
    assert_eq!(found.fate, fate, "{kind}: {found:?} of {bodies}");
    assert!(found.words.contains(words), "{kind}: {found:?}");
    assert_eq!(lines, asked, "{kind}");
}

#[tokio::test]
async fn mandrill_is_asked_for_the_message_and_its_denylist() {
    let info = "POST /api/1.0/messages/info";
    let both = [info, "POST /api/1.0/rejects/list"];
    let event = |diag: &str| ok(json!({ "_id": ID, "state": "sent", "smtp_events": [{ "ts": 1, "type": "sent", "diag": diag }] }));
    comes_to("mandrill", vec![event("250 2.0.0 OK")], Fate::HandedOff, "250 2.0.0 OK", &[info]).await;
    comes_to("mandrill", vec![event("421 4.7.0 later")], Fate::Deferred, "421 4.7.0 later", &[info]).await;
    let bounced =
        ok(json!({ "_id": ID, "state": "bounced", "smtp_events": [{ "ts": 1, "type": "bounced", "diag": "550 5.1.1 no such user" }] }));
    comes_to("mandrill", vec![bounced], Fate::Bounced, "550 5.1.1", &[info]).await;
    let stuck = ok(json!({ "_id": ID, "state": "queued", "smtp_events": [] }));
    comes_to("mandrill", vec![stuck.clone(), ok(json!([]))], Fate::Stuck, "queued", &both).await;
    let listed =
        ok(json!([{ "email": "I@example.org", "reason": "hard-bounce", "detail": "550 mailbox does not exist", "expired": false }]));
    comes_to("mandrill", vec![stuck, listed], Fate::Suppressed, "550 mailbox does not exist", &both).await;
    // Errors of this API had HTTP 500 for years, this one too.
    let unknown =
        Told::new(500, json!({ "status": "error", "code": 11, "name": "Unknown_Message", "message": "No message exists" }).to_string());
    comes_to("mandrill", vec![unknown, ok(json!([]))], Fate::Vanished, "no events", &both).await;
}

#[tokio::test]
async fn sendgrid_is_asked_for_the_activity_and_each_list() {
    let seed = "i%40example.org";
    let activity = format!("GET /v3/messages?limit=1&query=msg_id%20LIKE%20%22{ID}%25%22");
    let lists =
        ["suppression/bounces", "suppression/spam_reports", "suppression/invalid_emails", "asm/suppressions/global", "suppression/blocks"];
    let details = format!("GET /v3/messages/{ID}.filter");
    let all: Vec<String> = std::iter::once(activity).chain(lists.iter().map(|list| format!("GET /v3/{list}/{seed}"))).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let status = |status: &str| ok(json!({ "messages": [{ "msg_id": format!("{ID}.filter"), "to_email": SEED, "status": status }] }));
    let empty = || ok(json!([]));
    comes_to("sendgrid", vec![status("delivered")], Fate::HandedOff, "delivered", &all[..1]).await;
    let bounce = ok(json!([{ "created": 1, "email": SEED, "reason": "550 5.1.1 unknown", "status": "5.1.1" }]));
    let with_details: Vec<&str> = [&all[..1], &[details.as_str()], &all[1..]].concat();
    let events = |event: &str, reason: &str| {
        ok(json!({ "msg_id": ID, "status": "x", "events": [{ "event_name": "processed" }, { "event_name": event, "reason": reason }] }))
    };
    let silent = || events("processed", "");
    comes_to("sendgrid", vec![status("not_delivered"), silent(), bounce], Fate::Suppressed, "550 5.1.1 unknown", &with_details[..3]).await;
    let none = || vec![empty(), empty(), empty(), ok(json!({})), empty()];
    comes_to("sendgrid", [vec![status("processed"), silent()], none()].concat(), Fate::Stuck, "processed", &with_details).await;
    // The message's own events have the receiver's words.
    for (event, words, fate) in [
        ("deferred", "421 4.7.0 come back later", Fate::Deferred),
        ("bounced", "550 5.7.1 blocked", Fate::Bounced),
        ("dropped", "Bounced Address", Fate::Suppressed),
        ("delivered", "", Fate::HandedOff),
    ] {
        comes_to("sendgrid", vec![status("processed"), events(event, words)], fate, words, &with_details[..2]).await;
    }
    // So have the blocks, if they are about this mail.
    let block = |created: i64| ok(json!([{ "created": created, "email": SEED, "reason": "554 5.7.1 listed", "status": "5.7.1" }]));
    let sent_at = AT.as_ms() / 1000;
    let to_blocks = |block: Told| [vec![ok(json!({ "messages": [] }))], none()[..4].to_vec(), vec![block]].concat();
    comes_to("sendgrid", to_blocks(block(sent_at + 3)), Fate::Bounced, "554 5.7.1 listed", &all).await;
    comes_to("sendgrid", to_blocks(block(sent_at - 86_400)), Fate::Vanished, "", &all).await;
    comes_to("sendgrid", [vec![ok(json!({ "messages": [] }))], none()].concat(), Fate::Vanished, "", &all).await;
    // The activity is an add-on: without it the lists tell all the same.
    let forbidden = || Told::new(403, json!({ "errors": [{ "message": "access forbidden" }] }).to_string());
    comes_to("sendgrid", [vec![forbidden()], none()].concat(), Fate::Blind, "HTTP 403: access forbidden", &all).await;
    let global = vec![forbidden(), empty(), empty(), empty(), ok(json!({ "recipient_email": SEED }))];
    comes_to("sendgrid", global, Fate::Suppressed, "global", &all[..5]).await;
}

#[tokio::test]
async fn postmark_and_mailgun_are_asked_for_events_and_suppressions() {
    let details = format!("GET /messages/outbound/{ID}/details");
    let dump = "GET /message-streams/outbound/suppressions/dump?EmailAddress=i%40example.org";
    let event = |kind: &str, words: &str| {
        ok(json!({ "MessageID": ID, "Status": "Sent", "MessageEvents": [{ "Type": kind, "Details": { "DeliveryMessage": words } }] }))
    };
    for (kind, fate) in [("Delivered", Fate::HandedOff), ("Transient", Fate::Deferred), ("Bounced", Fate::Bounced)] {
        comes_to("postmark", vec![event(kind, "the receiver's words")], fate, "the receiver's words", &[&details]).await;
    }
    let queued = ok(json!({ "MessageID": ID, "Status": "Queued", "MessageEvents": [] }));
    comes_to("postmark", vec![queued, ok(json!({ "Suppressions": [] }))], Fate::Stuck, "Queued", &[&details, dump]).await;
    let listed = ok(json!({ "Suppressions": [{ "EmailAddress": SEED, "SuppressionReason": "HardBounce", "Origin": "Recipient" }] }));
    let gone = Told::new(422, json!({ "ErrorCode": 701, "Message": "This message does not exist" }).to_string());
    comes_to("postmark", vec![gone, listed], Fate::Suppressed, "HardBounce", &[&details, dump]).await;

    let events = format!("GET /v3/mg.example.com/events?message-id={ID}&limit=25");
    let lists = ["bounces", "complaints", "unsubscribes"].map(|list| format!("GET /v3/mg.example.com/{list}/i%40example.org"));
    let all: Vec<&str> = std::iter::once(&events).chain(&lists).map(String::as_str).collect();
    let accepted = json!({ "event": "accepted" });
    let failed = |severity: &str, reason: &str, code: u16| {
        ok(
            json!({ "items": [{ "event": "failed", "severity": severity, "reason": reason, "delivery-status": { "code": code, "message": "words" } }, accepted] }),
        )
    };
    comes_to("mailgun", vec![failed("permanent", "suppress-bounce", 605)], Fate::Suppressed, "suppress-bounce", &all[..1]).await;
    comes_to("mailgun", vec![failed("permanent", "bounce", 550)], Fate::Bounced, "550 words", &all[..1]).await;
    let none = || no_such(json!({ "message": "Address not found in bounces table" }));
    let tested = ok(json!({ "items": [{ "event": "delivered", "flags": { "is-test-mode": true } }] }));
    comes_to("mailgun", vec![tested, none(), none(), none()], Fate::Stuck, "nothing is really sent", &all).await;
    comes_to("mailgun", vec![failed("temporary", "generic", 421)], Fate::Deferred, "421 words", &all[..1]).await;
    comes_to("mailgun", vec![ok(json!({ "items": [accepted] })), none(), none(), none()], Fate::Stuck, "accepted", &all).await;
    let complained = ok(json!({ "address": SEED, "created_at": "Fri, 21 Oct 2011 11:02:55 GMT" }));
    comes_to("mailgun", vec![ok(json!({ "items": [] })), none(), complained], Fate::Suppressed, "2011", &all[..3]).await;
}

#[tokio::test]
async fn ses_sparkpost_and_azure_are_asked_in_their_ways() {
    let (insights, seed) = (format!("GET /v2/email/insights/{ID}/"), "GET /v2/email/suppression/addresses/i%40example.org");
    let event = |event: Value| ok(json!({ "MessageId": ID, "Insights": [{ "Destination": SEED, "Events": [{ "Type": "SEND" }, event] }] }));
    comes_to("ses", vec![event(json!({ "Type": "DELIVERY" }))], Fate::HandedOff, "DELIVERY", &[&insights]).await;
    let bounce = |sub: &str| {
        event(
            json!({ "Type": "BOUNCE", "Details": { "Bounce": { "BounceType": "PERMANENT", "BounceSubType": sub, "DiagnosticCode": "550 5.1.1" } } }),
        )
    };
    comes_to("ses", vec![bounce("General")], Fate::Bounced, "550 5.1.1", &[&insights]).await;
    comes_to("ses", vec![bounce("OnAccountSuppressionList")], Fate::Suppressed, "OnAccountSuppressionList", &[&insights]).await;
    let none = || no_such(json!({ "message": "not there" })).with("x-amzn-errortype", "NotFoundException");
    comes_to("ses", vec![none(), none()], Fate::Vanished, "no events", &[&insights, seed]).await;
    let listed = ok(json!({ "SuppressedDestination": { "EmailAddress": SEED, "Reason": "BOUNCE", "LastUpdateTime": 1_659_900_000.5 } }));
    comes_to("ses", vec![none(), listed], Fate::Suppressed, "BOUNCE", &[&insights, seed]).await;

    let (events, list) = (format!("GET /api/v1/events/message?transmissions={ID}"), "GET /api/v1/suppression-list/i%40example.org");
    let one = |kind: &str, reason: &str| ok(json!({ "results": [{ "type": "injection" }, { "type": kind, "raw_reason": reason }] }));
    let suppressed = "554 5.7.1 recipient address was suppressed due to customer policy";
    comes_to("sparkpost", vec![one("policy_rejection", suppressed)], Fate::Suppressed, suppressed, &[&events]).await;
    comes_to("sparkpost", vec![one("bounce", "550 no")], Fate::Bounced, "550 no", &[&events]).await;
    comes_to("sparkpost", vec![one("delay", "451 later")], Fate::Deferred, "451 later", &[&events]).await;
    let listed = ok(json!({ "results": [{ "recipient": SEED, "type": "transactional", "source": "Bounce Rule" }] }));
    comes_to("sparkpost", vec![ok(json!({ "results": [] })), listed], Fate::Suppressed, "Bounce Rule", &[&events, list]).await;

    let operation = format!("GET /emails/operations/{ID}?api-version=2023-03-31");
    let state = |state: &str, code: &str| ok(json!({ "id": ID, "status": state, "error": { "code": code, "message": "why" } }));
    comes_to("azure", vec![state("Failed", "EmailDroppedAllRecipientsSuppressed")], Fate::Suppressed, "Suppressed", &[&operation]).await;
    comes_to("azure", vec![state("Failed", "Other")], Fate::Bounced, "why", &[&operation]).await;
    comes_to("azure", vec![state("Running", "")], Fate::Stuck, "Running", &[&operation]).await;
    comes_to("azure", vec![state("Succeeded", "")], Fate::HandedOff, "handed out", &[&operation]).await;
}

#[tokio::test]
async fn resend_brevo_mailjet_and_mailersend_are_asked_in_their_ways() {
    for (event, fate) in
        [("sent", Fate::Stuck), ("delivered", Fate::HandedOff), ("delivery_delayed", Fate::Deferred), ("suppressed", Fate::Suppressed)]
    {
        comes_to("resend", vec![ok(json!({ "id": ID, "last_event": event }))], fate, event, &[&format!("GET /emails/{ID}")]).await;
    }
    let restricted = Told::new(401, json!({ "statusCode": 401, "name": "restricted_api_key", "message": "only send" }).to_string());
    comes_to("resend", vec![restricted], Fate::Blind, "restricted_api_key", &[&format!("GET /emails/{ID}")]).await;

    let events = format!("GET /v3/smtp/statistics/events?limit=50&messageId=%3C{ID}%3E");
    let blocked = "GET /v3/smtp/blockedContacts?limit=100&offset=0";
    let event = |event: &str| ok(json!({ "events": [{ "event": "requests" }, { "event": event, "reason": "the reason" }] }));
    comes_to("brevo", vec![event("hardBounces")], Fate::Bounced, "the reason", &[&events]).await;
    comes_to("brevo", vec![event("blocked")], Fate::Suppressed, "the reason", &[&events]).await;
    comes_to("brevo", vec![ok(json!({})), ok(json!({ "count": 0 }))], Fate::Vanished, "", &[&events, blocked]).await;
    let contact = ok(json!({ "count": 1, "contacts": [{ "email": SEED, "reason": { "code": "hardBounce", "message": "gone" } }] }));
    comes_to("brevo", vec![ok(json!({})), contact], Fate::Suppressed, "hardBounce gone", &[&events, blocked]).await;

    let (history, message) = (format!("GET /v3/REST/messagehistory/{ID}"), format!("GET /v3/REST/message/{ID}"));
    let one = |event: &str, state: &str| ok(json!({ "Count": 1, "Data": [{ "EventType": event, "State": state, "Comment": "" }] }));
    comes_to("mailjet", vec![one("blocked", "preblocked")], Fate::Suppressed, "preblocked", &[&history]).await;
    comes_to("mailjet", vec![one("bounce", "user unknown")], Fate::Bounced, "user unknown", &[&history]).await;
    let queued = ok(json!({ "Count": 1, "Data": [{ "Status": "queued" }] }));
    comes_to("mailjet", vec![ok(json!({ "Count": 0, "Data": [] })), queued], Fate::Stuck, "queued", &[&history, &message]).await;

    let first = format!("GET /v1/messages/{ID}");
    let status = |status: &str| ok(json!({ "data": { "id": ID, "emails": [{ "id": "x", "status": status }] } }));
    comes_to("mailersend", vec![status("hard_bounced")], Fate::Bounced, "hard_bounced", &[&first]).await;
    let listed = ok(json!({ "data": [{ "id": "y", "reason": "unknown user", "recipient": { "email": SEED } }] }));
    let list = "GET /v1/suppressions/hard-bounces?limit=100&page=1";
    comes_to("mailersend", vec![status("queued"), listed], Fate::Suppressed, "unknown user", &[&first, list]).await;
}

#[tokio::test]
async fn long_lists_are_read_page_by_page_up_to_a_bound() {
    let strangers =
        |list: &str, one: fn(String) -> Value| ok(json!({ list: (0..100).map(|n| one(format!("{n}@example.net"))).collect::<Vec<_>>() }));
    let contacts = || strangers("contacts", |email| json!({ "email": email }));
    let mine = ok(json!({ "contacts": [{ "email": SEED, "reason": { "code": "hardBounce" } }] }));
    let events = format!("GET /v3/smtp/statistics/events?limit=50&messageId=%3C{ID}%3E");
    let page = |n: usize| format!("GET /v3/smtp/blockedContacts?limit=100&offset={}", n * 100);
    let pages: Vec<String> = std::iter::once(events).chain((0..5).map(page)).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let none = || ok(json!({}));
    comes_to("brevo", vec![none(), contacts(), contacts(), mine], Fate::Suppressed, "hardBounce", &pages[..4]).await;
    let many = [vec![none()], std::iter::repeat_with(contacts).take(5).collect()].concat();
    comes_to("brevo", many, Fate::Vanished, "longer than the 500 entries", &pages).await;
    comes_to("brevo", vec![none(), contacts(), ok(json!({ "contacts": [] }))], Fate::Vanished, "no events", &pages[..3]).await;

    let data = || strangers("data", |email| json!({ "recipient": { "email": email } }));
    let gone = ok(json!({ "data": { "id": ID, "emails": [{ "id": "x", "status": "queued" }] } }));
    let mine = ok(json!({ "data": [{ "pattern": SEED, "reason": "by hand" }] }));
    let end = || ok(json!({ "data": [] }));
    let list = |name: &str, n: usize| format!("GET /v1/suppressions/{name}?limit=100&page={n}");
    let asked =
        [format!("GET /v1/messages/{ID}"), list("hard-bounces", 1), list("hard-bounces", 2), list("blocklist", 1), list("blocklist", 2)];
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    comes_to("mailersend", vec![gone, data(), end(), data(), mine], Fate::Suppressed, "by hand", &asked).await;
}

#[tokio::test]
async fn what_is_no_answer_makes_nobody_suppressed_or_delivered() {
    let html = |status| Told::new(status, "<html>Suppressed delivered bounced</html>").with("content-type", "text/html");
    let hostile = || {
        vec![
            html(200),
            html(403),
            html(404),
            Told::new(200, "not JSON"),
            Told::new(200, ""),
            Told::new(200, "null"),
            Told::new(200, "[1, \"delivered\", null]"),
            Told::new(
                200,
                "{\"results\": 7, \"items\": \"x\", \"events\": {}, \"Data\": null, \"messages\": [[]], \"data\": {\"emails\": 1}, \"state\": 5, \"status\": [], \"last_event\": 3, \"MessageEvents\": 1, \"Insights\": \"\"}",
            ),
            Told::new(200, "{\"state\":\"sent\",\"smtp_events\":[{\"diag\":\"250"),
            Told::new(200, format!("[\"{}\"]", "x".repeat(200_000))),
            Told::new(429, json!({ "message": "slow down" }).to_string()).with("retry-after", "30"),
            Told::new(401, json!({ "message": "who are you?" }).to_string()),
            Told::new(503, ""),
            Told::new(302, "").with("location", "http://127.0.0.1:9/"),
        ]
    };
    for kind in ASKED {
        for told in hostile() {
            let desk = Desk::new(std::iter::repeat_n(told.clone(), 8)).await;
            let after = After { message_id: Some(ID), recipient: SEED, sent_at: AT };
            let found = at(kind, desk.port, "").trace(after, AT).await.unwrap();
            let shown: String = told.body.chars().take(60).collect();
            assert_eq!(found.fate, Fate::Blind, "{kind}: {} {shown}: {found:?}", told.status);
            assert!(found.words.len() <= 1024 && found.words.contains(&format!("HTTP {}", told.status)), "{kind}: {found:?}");
        }
    }
}

#[tokio::test]
async fn who_cannot_be_asked_or_reached_says_so() {
    let after = After { message_id: Some(ID), recipient: SEED, sent_at: AT };
    assert_eq!(at("gmail", 9, "").trace(after, AT).await, None);
    let port = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    for kind in ASKED {
        let found = at(kind, port, "").within(Duration::from_secs(5)).trace(after, AT).await.unwrap();
        assert_eq!(found.fate, Fate::Blind, "{kind}: {found:?}");
    }
}
