//! What each of the APIs says of mail that it took.

use mailcanary::model::Fate::{Blind, Bounced, Deferred, HandedOff, Stuck, Suppressed, Vanished};
use serde_json::{Value, json};

use super::{Answer, Asked, says};

/// The receiver's words where it puts mail off.
const LATER: &str = "451 4.7.1 come back later";
/// Where it refuses mail.
const NOBODY: &str = "550 5.1.1 no such user";
/// Where it takes mail.
const TAKEN: &str = "250 2.0.0 OK";

/// What a provider says of a mail, or of a seed; nothing if nobody documented such a question.
pub(super) fn told(asked: &Asked) -> Option<Answer> {
    match asked.kind.as_str() {
        "mandrill" => mandrill(asked),
        "sendgrid" => sendgrid(asked),
        "postmark" => postmark(asked),
        "mailgun" => mailgun(asked),
        "ses" => ses(asked),
        "sparkpost" => sparkpost(asked),
        "resend" => resend(asked),
        "brevo" => brevo(asked),
        "mailjet" => mailjet(asked),
        "mailersend" => mailersend(asked),
        "azure" => azure(asked),
        _ => None,
    }
}

/// The seed, where the query or the path names it.
fn seed(asked: &Asked) -> String {
    let end = asked.path.rsplit(['/', '=']).next().unwrap_or_default();
    url::form_urlencoded::parse(end.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn mandrill(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(500, &json!({ "status": "error", "code": -1, "name": "Invalid_Key", "message": "this key may not ask" })));
    }
    if asked.path == "api/1.0/rejects/list.json" || asked.path == "api/1.0/rejects/list" {
        let entry = json!({ "email": asked.body["email"], "reason": "hard-bounce", "detail": NOBODY, "expired": false });
        return Some(says(200, &if asked.fate == Suppressed { json!([entry]) } else { json!([]) }));
    }
    let (state, diag) = match asked.fate {
        Vanished => return Some(says(500, &json!({ "status": "error", "code": 11, "name": "Unknown_Message", "message": "No message" }))),
        Bounced => ("bounced", Some(NOBODY)),
        Deferred => ("sent", Some(LATER)),
        HandedOff => ("sent", Some(TAKEN)),
        Suppressed => ("rejected", None),
        Stuck | Blind => ("queued", None),
    };
    let events: Vec<_> = diag.iter().map(|diag| json!({ "ts": 1, "type": state, "diag": diag })).collect();
    (asked.path == "api/1.0/messages/info").then(|| says(200, &json!({ "_id": asked.id, "state": state, "smtp_events": events })))
}

fn sendgrid(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(403, &json!({ "errors": [{ "message": "access forbidden", "field": null, "help": null }] })));
    }
    if asked.path.starts_with("v3/suppression/") {
        let mine = asked.fate == Suppressed && asked.path.contains("/bounces/");
        let entry = json!({ "created": 1, "email": seed(asked), "reason": NOBODY, "status": "5.1.1" });
        return Some(says(200, &if mine { json!([entry]) } else { json!([]) }));
    }
    if asked.path.starts_with("v3/asm/suppressions/global/") {
        return Some(says(200, &json!({})));
    }
    let (status, event, reason) = match asked.fate {
        Deferred => ("processed", "deferred", LATER),
        HandedOff => ("delivered", "delivered", TAKEN),
        Bounced => ("not_delivered", "bounced", NOBODY),
        Vanished | Stuck | Suppressed | Blind => ("processed", "processed", ""),
    };
    if asked.path.starts_with("v3/messages?") {
        let found = json!({ "msg_id": format!("{}.filter0001", asked.id.clone()?), "to_email": "x", "status": status });
        return Some(says(200, &json!({ "messages": if asked.fate == Vanished { vec![] } else { vec![found] } })));
    }
    let events = json!([{ "event_name": "processed" }, { "event_name": event, "reason": reason }]);
    asked.path.starts_with("v3/messages/").then(|| says(200, &json!({ "msg_id": asked.id, "status": status, "events": events })))
}

fn postmark(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(401, &json!({ "ErrorCode": 10, "Message": "Bad or missing API token." })));
    }
    if asked.path.starts_with("message-streams/outbound/suppressions/dump?EmailAddress=") {
        let entry = json!({ "EmailAddress": seed(asked), "SuppressionReason": "HardBounce", "Origin": "Recipient" });
        return Some(says(200, &json!({ "Suppressions": if asked.fate == Suppressed { vec![entry] } else { vec![] } })));
    }
    let event = |kind: &str, words: &str| vec![json!({ "Type": kind, "Details": { "DeliveryMessage": words } })];
    let events = match asked.fate {
        Vanished => return Some(says(422, &json!({ "ErrorCode": 701, "Message": "This message does not exist." }))),
        Deferred => event("Transient", LATER),
        HandedOff => event("Delivered", TAKEN),
        Bounced => event("Bounced", NOBODY),
        Stuck | Suppressed | Blind => Vec::new(),
    };
    let details = json!({ "MessageID": asked.id, "Status": "Queued", "MessageEvents": events });
    (asked.path.starts_with("messages/outbound/") && asked.path.ends_with("/details")).then(|| says(200, &details))
}

fn mailgun(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(401, &json!({ "message": "Invalid private key" })));
    }
    if !asked.path.contains("/events?message-id=") {
        let list = ["/bounces/", "/complaints/", "/unsubscribes/"].iter().find(|list| asked.path.contains(**list))?;
        let entry = json!({ "address": seed(asked), "code": "550", "error": NOBODY, "created_at": "Fri, 21 Oct 2011 11:02:55 GMT" });
        let mine = asked.fate == Suppressed && *list == "/bounces/";
        return Some(if mine { says(200, &entry) } else { says(404, &json!({ "message": "Address not found in table" })) });
    }
    let failed = |severity: &str, code: u16, words: &str| json!({ "event": "failed", "severity": severity, "delivery-status": { "code": code, "message": words } });
    let accepted = json!({ "event": "accepted" });
    let items = match asked.fate {
        Vanished => vec![],
        Deferred => vec![failed("temporary", 451, LATER), accepted],
        HandedOff => vec![json!({ "event": "delivered", "delivery-status": { "code": 250, "message": "OK" } }), accepted],
        Bounced => vec![failed("permanent", 550, NOBODY), accepted],
        Stuck | Suppressed | Blind => vec![accepted],
    };
    Some(says(200, &json!({ "items": items, "paging": {} })))
}

fn ses(asked: &Asked) -> Option<Answer> {
    let error = |status: u16, name: &str| {
        let (status, mut headers, body) = says(status, &json!({ "message": "no" }));
        headers.insert("x-amzn-errortype", name.parse().unwrap());
        (status, headers, body)
    };
    if asked.fate == Blind {
        return Some(error(403, "AccessDeniedException"));
    }
    if asked.path.starts_with("v2/email/suppression/addresses/") {
        let entry =
            json!({ "SuppressedDestination": { "EmailAddress": seed(asked), "Reason": "BOUNCE", "LastUpdateTime": 1_659_900_000.5 } });
        return Some(if asked.fate == Suppressed { says(200, &entry) } else { error(404, "NotFoundException") });
    }
    let event = match asked.fate {
        Vanished => return Some(error(404, "NotFoundException")),
        Deferred => json!({ "Type": "DELIVERY_DELAY" }),
        HandedOff => json!({ "Type": "DELIVERY" }),
        Bounced => {
            json!({ "Type": "BOUNCE", "Details": { "Bounce": { "BounceType": "PERMANENT", "BounceSubType": "General", "DiagnosticCode": NOBODY } } })
        }
        Stuck | Suppressed | Blind => json!({ "Type": "SEND" }),
    };
    let insights = json!({ "MessageId": asked.id, "Insights": [{ "Destination": "x", "Events": [{ "Type": "SEND" }, event] }] });
    asked.path.starts_with("v2/email/insights/").then(|| says(200, &insights))
}

fn sparkpost(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(403, &json!({ "errors": [{ "message": "Forbidden." }] })));
    }
    if asked.path.starts_with("api/v1/suppression-list/") {
        let entry = json!({ "recipient": seed(asked), "type": "transactional", "source": "Bounce Rule" });
        let none = json!({ "errors": [{ "message": "Recipient could not be found" }] });
        return Some(if asked.fate == Suppressed { says(200, &json!({ "results": [entry] })) } else { says(404, &none) });
    }
    let event = match asked.fate {
        Vanished => return Some(says(200, &json!({ "results": [], "total_count": 0 }))),
        Deferred => json!({ "type": "delay", "raw_reason": LATER }),
        HandedOff => json!({ "type": "delivery" }),
        Bounced => json!({ "type": "bounce", "raw_reason": NOBODY }),
        Suppressed => {
            json!({ "type": "policy_rejection", "raw_reason": "554 5.7.1 recipient address was suppressed due to customer policy" })
        }
        Stuck | Blind => json!({ "type": "injection" }),
    };
    let events = json!({ "results": [{ "type": "injection" }, event], "total_count": 2 });
    asked.path.starts_with("api/v1/events/message?transmissions=").then(|| says(200, &events))
}

fn resend(asked: &Asked) -> Option<Answer> {
    let event = match asked.fate {
        Blind => return Some(says(401, &json!({ "statusCode": 401, "name": "restricted_api_key", "message": "only send" }))),
        Vanished => return Some(says(404, &json!({ "statusCode": 404, "name": "not_found", "message": "Email not found" }))),
        Stuck => "sent",
        Deferred => "delivery_delayed",
        HandedOff => "delivered",
        Bounced => "bounced",
        Suppressed => "suppressed",
    };
    asked.path.starts_with("emails/").then(|| says(200, &json!({ "object": "email", "id": asked.id, "last_event": event })))
}

fn brevo(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(401, &json!({ "code": "unauthorized", "message": "Key not found" })));
    }
    if asked.path.starts_with("v3/smtp/blockedContacts?") {
        return Some(says(200, &json!({ "count": 0, "contacts": [] })));
    }
    let (event, reason) = match asked.fate {
        Vanished => return Some(says(200, &json!({}))),
        Stuck | Blind => ("requests", ""),
        Deferred => ("deferred", LATER),
        HandedOff => ("delivered", ""),
        Bounced => ("hardBounces", NOBODY),
        Suppressed => ("blocked", "blocked : due to blacklist user"),
    };
    let events = json!({ "events": [{ "event": "requests" }, { "event": event, "reason": reason }] });
    asked.path.starts_with("v3/smtp/statistics/events?").then(|| says(200, &events))
}

fn mailjet(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(
            401,
            &json!({ "ErrorInfo": "", "ErrorMessage": "API key authentication/authorization failure.", "StatusCode": 401 }),
        ));
    }
    let data = |data: Value| Some(says(200, &json!({ "Count": 1, "Data": [data], "Total": 1 })));
    let none = || Some(says(404, &json!({ "ErrorInfo": "", "ErrorMessage": "Object not found", "StatusCode": 404 })));
    let event = |kind: &str, state: &str| data(json!({ "EventType": kind, "State": state, "Comment": "", "EventAt": 1 }));
    if asked.path.starts_with("v3/REST/messagehistory/") {
        return match asked.fate {
            Deferred => event("deferred", LATER),
            HandedOff => event("sent", ""),
            Bounced => event("bounce", "user unknown"),
            Suppressed => event("blocked", "preblocked"),
            Vanished | Stuck | Blind => none(),
        };
    }
    asked.path.starts_with("v3/REST/message/").then_some(())?;
    if asked.fate == Stuck { data(json!({ "ID": 1, "Status": "queued" })) } else { none() }
}

fn mailersend(asked: &Asked) -> Option<Answer> {
    if asked.fate == Blind {
        return Some(says(403, &json!({ "message": "This token lacks the scope. #MS40301" })));
    }
    if asked.path.starts_with("v1/suppressions/") {
        return Some(says(200, &json!({ "data": [] })));
    }
    let status = match asked.fate {
        Vanished => return Some(says(404, &json!({ "message": "Resource not found." }))),
        Stuck | Blind => "queued",
        Deferred => "deferred",
        HandedOff => "delivered",
        Bounced => "hard_bounced",
        Suppressed => "suppressed",
    };
    let message = json!({ "data": { "id": asked.id, "emails": [{ "id": "x", "status": status }] } });
    asked.path.starts_with("v1/messages/").then(|| says(200, &message))
}

fn azure(asked: &Asked) -> Option<Answer> {
    // Right behind the acceptance it is asked what came of it, and does not know yet.
    let state =
        |status: &str, code: &str| says(200, &json!({ "id": asked.id, "status": status, "error": { "code": code, "message": "why" } }));
    let answer = match asked.fate {
        Blind => says(401, &json!({ "error": { "code": "Denied", "message": "Denied by the resource provider." } })),
        Vanished => says(404, &json!({ "error": { "code": "NotFound", "message": "Operation not found" } })),
        HandedOff | Deferred | Bounced | Suppressed => state("Succeeded", ""),
        Stuck => state("Running", ""),
    };
    asked.path.starts_with("emails/operations/").then_some(answer)
}
