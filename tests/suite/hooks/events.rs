//! Events as each provider's documents show them, and what they mean.

use mailcanary::model::Fate;
use serde_json::{Value, json};

use super::sign::Signer;
use super::*;

/// A bounce of the mail with this id, with this token if the kind gives it back.
pub fn bounced(kind: &str, token: &str, id: &str) -> Value {
    let why = "550 5.1.1 no such user";
    match kind {
        "mandrill" => mandrill("hard_bounce", token, id, json!({ "state": "bounced", "bounce_description": "bad_mailbox", "diag": why })),
        "sendgrid" => sendgrid("bounce", token, id, json!({ "reason": why, "status": "5.1.1", "type": "bounce" })),
        "postmark" => postmark("Bounce", token, id, json!({ "Type": "HardBounce", "TypeCode": 1, "Details": why, "Inactive": true })),
        "mailgun" => {
            let status = json!({ "code": 550, "message": "5.1.1 no such user", "description": "", "attempt-no": 1 });
            let words = json!({ "severity": "permanent", "reason": why, "delivery-status": status });
            mailgun("failed", token, id, words)
        }
        "resend" => resend("bounced", token, id, json!({ "bounce": { "type": "Permanent", "subType": "General", "message": why } })),
        _ => mailersend("hard_bounced", id, json!({ "object": "recipient_bounce", "reason": why })),
    }
}

/// An event of somebody's mail.
pub fn foreign(kind: &str) -> Value {
    bounced(kind, "", "a-customers-mail")
}

/// An event that says nothing of what became of a mail.
pub fn mute(kind: &str) -> Value {
    match kind {
        "mandrill" => mandrill("open", &our_token(), ID, json!({})),
        "sendgrid" => sendgrid("open", &our_token(), ID, json!({})),
        "postmark" => postmark("Open", &our_token(), ID, json!({})),
        "mailgun" => mailgun("opened", &our_token(), ID, json!({})),
        "resend" => resend("opened", &our_token(), ID, json!({})),
        _ => mailersend("opened", ID, Value::Null),
    }
}

/// `base` and `more` in one object.
fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

fn mandrill(event: &str, token: &str, id: &str, msg: Value) -> Value {
    let base =
        json!({ "_id": id, "ts": NOW, "email": "seed@example.org", "metadata": { "token": token }, "smtp_events": [], "reject": null });
    json!({ "event": event, "_id": id, "ts": NOW, "msg": with(base, msg) })
}

fn sendgrid(event: &str, token: &str, id: &str, more: Value) -> Value {
    let base = json!({ "email": "seed@example.org", "event": event, "sg_event_id": "x", "sg_message_id": id, "timestamp": NOW });
    with(if token.is_empty() { base } else { with(base, json!({ "token": token })) }, more)
}

fn postmark(record: &str, token: &str, id: &str, more: Value) -> Value {
    with(json!({ "RecordType": record, "MessageID": id, "Metadata": { "token": token }, "Tag": "mailcanary" }), more)
}

fn mailgun(event: &str, token: &str, id: &str, more: Value) -> Value {
    let message = json!({ "headers": { "message-id": id } });
    with(json!({ "event": event, "timestamp": 1.5, "user-variables": { "token": token }, "message": message }), more)
}

fn resend(event: &str, token: &str, id: &str, more: Value) -> Value {
    let data = with(json!({ "email_id": id, "to": ["seed@example.org"], "tags": { "source": "mailcanary", "token": token } }), more);
    json!({ "type": format!("email.{event}"), "created_at": "2020-09-14T19:41:42Z", "data": data })
}

fn mailersend(event: &str, id: &str, morph: Value) -> Value {
    let email = json!({ "object": "email", "id": "e", "status": event, "message": { "object": "message", "id": id } });
    let data = json!({ "object": "activity", "id": "a", "type": event, "email": email, "morph": morph });
    json!({ "type": format!("activity.{event}"), "domain_id": "d", "data": data })
}

/// Each of these events comes to this, in words with these in them.
async fn mean(kind: &'static str, cases: Vec<(Value, Fate, &str)>) {
    let signer = Signer::new(kind);
    let rig = Rig::new(&signer).await;
    rig.hooks.learn(&name("p"), ID, CANARY);
    for (event, expected, words) in cases {
        assert_eq!(rig.post(signer.post(std::slice::from_ref(&event), NOW)).await, 200, "{event}");
        let told = rig.told();
        let [(_, fate, said)] = &*told else { panic!("{event}: {told:?}") };
        assert_eq!(*fate, expected, "{event}");
        assert!(said.contains(words), "{event}: {said}");
    }
}

#[tokio::test]
async fn mandrill_says() {
    let event = |event: &str, msg: Value| mandrill(event, "", ID, msg);
    let reply =
        |diag: &str| json!({ "smtp_events": [{ "ts": 1, "type": "sent", "diag": "421 wait" }, { "ts": 2, "type": "sent", "diag": diag }] });
    mean(
        "mandrill",
        vec![
            (event("send", reply("250 2.0.0 OK")), Fate::HandedOff, "250 2.0.0 OK"),
            (event("send", json!({ "state": "sent" })), Fate::Stuck, "send"),
            (event("delivered", reply("250 OK")), Fate::HandedOff, "250 OK"),
            (event("deferral", reply("450 4.2.1 later")), Fate::Deferred, "450 4.2.1 later"),
            (
                event("soft_bounce", json!({ "diag": "452 4.2.2 full", "bounce_description": "mailbox_full" })),
                Fate::Bounced,
                "452 4.2.2 full mailbox_full",
            ),
            (event("spam", json!({})), Fate::HandedOff, "spam"),
            (event("reject", json!({ "state": "rejected", "reject": { "reason": "hard-bounce" } })), Fate::Suppressed, "hard-bounce"),
            (event("reject", json!({ "state": "rejected", "reject": "unsigned" })), Fate::Bounced, "unsigned"),
        ],
    )
    .await;
}

#[tokio::test]
async fn sendgrid_says() {
    let event = |event: &str, more: Value| sendgrid(event, "", ID, more);
    mean(
        "sendgrid",
        vec![
            (event("processed", json!({})), Fate::Stuck, "processed"),
            (event("deferred", json!({ "response": "400 try again later", "attempt": "5" })), Fate::Deferred, "400 try again later"),
            (event("delivered", json!({ "response": "250 OK" })), Fate::HandedOff, "250 OK"),
            (event("bounce", json!({ "reason": "550 listed", "status": "5.7.1", "type": "blocked" })), Fate::Bounced, "5.7.1 550 listed"),
            (event("dropped", json!({ "reason": "Bounced Address", "status": "5.0.0" })), Fate::Suppressed, "Bounced Address"),
            (event("dropped", json!({ "reason": "Spam Reporting Address" })), Fate::Suppressed, "Spam Reporting Address"),
            (event("dropped", json!({ "reason": "Spam Content" })), Fate::Bounced, "Spam Content"),
            (event("dropped", json!({ "reason": "Invalid SMTPAPI header" })), Fate::Bounced, "Invalid SMTPAPI"),
            (event("spamreport", json!({})), Fate::HandedOff, "spamreport"),
        ],
    )
    .await;
}

#[tokio::test]
async fn postmark_says() {
    let bounce = |kind: &str, details: &str| postmark("Bounce", "", ID, json!({ "Type": kind, "Details": details }));
    mean(
        "postmark",
        vec![
            (postmark("Delivery", "", ID, json!({ "Details": "Test: 250 OK", "DeliveredAt": "2020" })), Fate::HandedOff, "250 OK"),
            (bounce("Transient", "421 later"), Fate::Deferred, "421 later"),
            (bounce("SoftBounce", "mailbox full"), Fate::Bounced, "SoftBounce mailbox full"),
            (bounce("SpamNotification", "554 spam"), Fate::Bounced, "554 spam"),
            (bounce("SMTPApiError", "406 inactive recipient"), Fate::Suppressed, "inactive"),
            (postmark("SpamComplaint", "", ID, json!({ "Type": "SpamComplaint" })), Fate::HandedOff, "SpamComplaint"),
        ],
    )
    .await;
}

#[tokio::test]
async fn mailgun_says() {
    let event = |event: &str, more: Value| mailgun(event, "", ID, more);
    let failed = |severity: &str, reason: &str, code: u16| {
        event("failed", json!({ "severity": severity, "reason": reason, "delivery-status": { "code": code, "message": "words" } }))
    };
    mean(
        "mailgun",
        vec![
            (event("accepted", json!({})), Fate::Stuck, "accepted"),
            (event("delivered", json!({ "delivery-status": { "code": 250, "message": "OK" } })), Fate::HandedOff, "250 OK"),
            (failed("temporary", "generic", 421), Fate::Deferred, "421 words"),
            (failed("permanent", "bounce", 550), Fate::Bounced, "550 words"),
            (failed("permanent", "suppress-bounce", 605), Fate::Suppressed, "suppress-bounce"),
            (event("rejected", json!({ "reject": { "reason": "domain disabled" } })), Fate::Bounced, "domain disabled"),
            (event("complained", json!({})), Fate::HandedOff, ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn resend_says() {
    let event = |event: &str, more: Value| resend(event, "", ID, more);
    let as_list = json!({ "tags": [{ "name": "token", "value": our_token() }], "email_id": "unknown" });
    mean(
        "resend",
        vec![
            (event("sent", json!({})), Fate::Stuck, "sent"),
            (event("delivered", json!({})), Fate::HandedOff, "delivered"),
            (event("delivery_delayed", json!({})), Fate::Deferred, "delivery_delayed"),
            (event("failed", json!({ "failed": { "reason": "reached_daily_quota" } })), Fate::Bounced, "reached_daily_quota"),
            (event("suppressed", json!({ "suppressed": { "message": "on the list" } })), Fate::Suppressed, "on the list"),
            (event("bounced", json!({ "bounce": { "subType": "Suppressed", "message": "why" } })), Fate::Suppressed, "why"),
            (event("complained", json!({})), Fate::HandedOff, "complained"),
            (event("bounced", as_list), Fate::Bounced, "bounced"),
        ],
    )
    .await;
}

#[tokio::test]
async fn mailersend_says() {
    let event = |event: &str, reason: &str| mailersend(event, ID, json!({ "object": "recipient_bounce", "reason": reason }));
    mean(
        "mailersend",
        vec![
            (mailersend("sent", ID, Value::Null), Fate::Stuck, "sent"),
            (mailersend("delivered", ID, Value::Null), Fate::HandedOff, "delivered"),
            (event("deferred", "421 later"), Fate::Deferred, "421 later"),
            (event("soft_bounced", "Host or domain name not found"), Fate::Bounced, "Host or domain name not found"),
            (mailersend("spam_complaint", ID, Value::Null), Fate::HandedOff, "spam_complaint"),
        ],
    )
    .await;
}

/// While a secret is replaced there are two signatures; the names of the specification are as good as the older ones.
#[tokio::test]
async fn resend_signs_twice_and_under_other_names() {
    let signer = Signer::new("resend");
    let rig = Rig::new(&signer).await;
    let mut post = signer.post(&[mute("resend")], NOW);
    for (name, value) in &mut post.headers {
        match *name {
            "svix-id" => *name = "webhook-id",
            "svix-timestamp" => *name = "webhook-timestamp",
            "svix-signature" => (*name, *value) = ("webhook-signature", format!("v1a,AAAA v1,AAAA {value}")),
            _ => {}
        }
    }
    assert_eq!(rig.post(post.clone()).await, 200);
    post.headers.last_mut().unwrap().1 = "v1,AAAA ".repeat(100);
    assert_eq!(rig.post(post).await, 401);
}

/// The example that SendGrid's own libraries are tested with: its key, its signature, its body to the last byte.
#[tokio::test]
async fn the_example_of_sendgrid_is_genuine() {
    let key =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    let body = "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\
        \"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-\
        756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";
    let signature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
    let rig = Rig::new(&Signer::published(key)).await;
    rig.hooks.learn(&name("p"), "LRzXl_NHStOGhQ4kofSm_A", CANARY);
    let headers =
        vec![("x-twilio-email-event-webhook-signature", signature.to_owned()), ("x-twilio-email-event-webhook-timestamp", NOW.to_string())];
    let post = Post { headers, body: body.as_bytes().to_vec() };
    assert_eq!(rig.post(post.clone()).await, 200);
    assert_eq!(rig.told(), [(CANARY, Fate::Suppressed, "dropped Bounced Address".to_owned())]);
    // Without the line end it is another body.
    assert_eq!(rig.post(Post { body: body.trim_end().as_bytes().to_vec(), ..post }).await, 401);
}
