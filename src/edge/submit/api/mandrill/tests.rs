//! Every answer of the API that is known, and its class.

use Class::{Auth, Permanent, Policy, Quota, Rate, Recipient, Sender, Suppressed, Suspended, Transient};
use Outcome::{Accepted, Refused, Unknown};

use super::*;
use crate::config::{Secret, SecretRef, Templates};

fn reply(status: u16, text: &str) -> Reply {
    Reply::new(status, http::HeaderMap::new(), text.to_owned(), true, At::from_ms(0))
}

fn service() -> Mandrill {
    let account = Account::new("", &SecretRef::Env("KEY".to_owned()), &Templates::default(), &|_| Some(Secret::new(String::new())));
    Mandrill { account: account.unwrap(), subaccount: None }
}

fn judge(reply: &Reply) -> (Outcome, Option<String>) {
    let verdict = super::super::judge(&service(), reply);
    (verdict.outcome, verdict.message_id)
}

fn answer(status: u16, text: &str) -> Outcome {
    judge(&reply(status, text)).0
}

#[test]
fn a_recipient_s_fate_decides_although_http_says_200() {
    let cases = [
        ("sent", "", Accepted),
        ("scheduled", "", Accepted),
        ("queued", "", Accepted),
        ("queued", "attachments", Accepted),
        ("queued", "multiple-recipients", Accepted),
        ("queued", "sending-backlogged", Accepted),
        ("queued", "account-suspended", Refused(Suspended)),
        ("queued", "sending-suspended", Refused(Suspended)),
        ("queued", "sending-paused", Refused(Suspended)),
        ("queued", "free-trial-sends-exhausted", Refused(Quota)),
        ("queued", "hourly-quota-exhausted", Refused(Quota)),
        ("queued", "monthly-limit-reached", Refused(Quota)),
        ("rejected", "hard-bounce", Refused(Suppressed)),
        ("rejected", "soft-bounce", Refused(Suppressed)),
        ("rejected", "spam", Refused(Suppressed)),
        ("rejected", "unsub", Refused(Suppressed)),
        ("rejected", "custom", Refused(Suppressed)),
        ("rejected", "invalid-sender", Refused(Sender)),
        ("rejected", "unsigned", Refused(Sender)),
        ("rejected", "invalid", Refused(Recipient)),
        ("rejected", "test-mode-limit", Refused(Quota)),
        ("rejected", "rule", Refused(Policy)),
        ("rejected", "", Refused(Permanent)),
        ("invalid", "", Refused(Recipient)),
        ("teleported", "", Unknown),
    ];
    for (status, reason, expected) in cases {
        let key = if status == "queued" { "queued_reason" } else { "reject_reason" };
        let body = format!(r#"[{{"email":"a@b.example","status":"{status}","_id":"abc123","{key}":"{reason}","new":[1]}}]"#);
        let (outcome, id) = judge(&reply(200, &body));
        assert_eq!((outcome, id.as_deref()), (expected, Some("abc123")), "{status} {reason}");
        let nulls = format!(r#"[{{"status":"{status}","_id":null,"reject_reason":null,"queued_reason":null}}]"#);
        assert_eq!(judge(&reply(200, &nulls)).1, None);
    }
}

#[test]
fn errors_go_by_name_and_words_whatever_the_http_status() {
    let cases = [
        ("Invalid_Key", -1, "Invalid API key", Auth),
        ("ValidationError", -1, "You must specify a key value", Auth),
        ("ValidationError", -2, "Validation error: {\"message\":{\"from_email\":\"An email address must contain a single @\"}}", Sender),
        ("ValidationError", -2, "Validation error: {\"message\":{\"to\":\"Please enter an array\"}}", Permanent),
        ("PaymentRequired", 10, "The requested feature requires payment.", Quota),
        ("Unknown_Subaccount", 12, "No subaccount exists with the id 'customer-123'", Permanent),
        ("Unknown_Template", 5, "No such template", Permanent),
        ("ServiceUnavailable", 3, "The subsystem responsible for this API call is down for maintenance", Transient),
        ("GeneralError", -99, "An unexpected error occurred processing the request.", Transient),
        ("GeneralError", -99, "Your account has been suspended", Suspended),
        ("GeneralError", -99, "Hourly quota used up", Quota),
        ("Anything", -1, "Too many requests", Rate),
    ];
    for (name, code, message, expected) in cases {
        let body = serde_json::json!({ "status": "error", "code": code, "name": name, "message": message }).to_string();
        for status in [200, 400, 500] {
            if (status, name) != (400, "Anything") {
                assert_eq!(answer(status, &body), Refused(expected), "{status} {body}");
            }
        }
    }
}

#[test]
fn what_is_no_json_goes_by_its_status() {
    let cases = [
        (200, "<html>Welcome</html>", Unknown),
        (200, "", Unknown),
        (200, "[]", Unknown),
        (200, "[{\"status\":\"se", Unknown),
        (200, "{\"status\":\"fine\"}", Unknown),
        (200, "[{\"status\":5}]", Unknown),
        (302, "", Refused(Permanent)),
        (401, "no", Refused(Auth)),
        (402, "", Refused(Quota)),
        (403, "<html>Forbidden</html>", Refused(Rate)),
        (403, "", Refused(Rate)),
        (404, "not here", Refused(Permanent)),
        (429, "", Refused(Rate)),
        (500, "<html>", Refused(Transient)),
        (502, "<html>Bad Gateway</html>", Unknown),
        (503, "<html>", Refused(Transient)),
        (504, "", Unknown),
    ];
    for (status, text, expected) in cases {
        assert_eq!(answer(status, text), expected, "{status} {text}");
    }
}

#[test]
fn a_ping_needs_its_pong() {
    let ping = |status, text: &str| super::super::judge_ping(&service(), &reply(status, text)).outcome;
    assert_eq!(ping(200, "{\"PING\":\"PONG!\"}"), Accepted);
    assert_eq!(ping(200, "\"PONG!\""), Accepted);
    assert_eq!(ping(200, "<html>PONG!</html>"), Refused(Class::Unknown));
    assert_eq!(ping(500, r#"{"status":"error","code":-1,"name":"Invalid_Key","message":"Invalid API key"}"#), Refused(Auth));
}
