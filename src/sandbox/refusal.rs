//! How real providers say no, for each class of refusal.

use serde_json::{Value, json};

use crate::model::Class;

/// When in a submission the answer falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Auth,
    Mail,
    Rcpt,
    /// At the end of the data.
    Message,
}

/// The refusal over SMTP: when, and the whole line. Words as SendGrid, smtp2go, Mailgun, Google and Postfix have them.
pub(super) const fn smtp(class: Class) -> (Phase, &'static str) {
    match class {
        Class::Auth => (Phase::Auth, "535 5.7.8 Authentication failed: Bad username / password"),
        Class::Suspended => (Phase::Mail, "552 5.7.0 Your account has been suspended, please contact support"),
        Class::Quota => (Phase::Auth, "451 Authentication failed: Maximum credits exceeded"),
        Class::Rate => (Phase::Mail, "450 4.2.1 Too many messages, slow down"),
        Class::Sender => (Phase::Mail, "550 5.7.1 The from address does not match a verified Sender Identity"),
        Class::Suppressed => (Phase::Rcpt, "550 5.7.1 Not delivering to previously bounced address"),
        Class::Recipient => (Phase::Rcpt, "550 5.1.1 The email account that you tried to reach does not exist"),
        Class::Policy => (Phase::Message, "554 5.7.1 Message rejected as spam by content scanner"),
        Class::Transient => (Phase::Message, "451 4.3.0 Temporary server error, please try again later"),
        Class::Permanent => (Phase::Message, "554 5.6.0 Message content cannot be processed"),
        // No server says these of itself; what is no answer at all fits both least badly.
        Class::Unknown | Class::Network | Class::Tls => (Phase::Mail, "<html>\u{fffd} this is not the service that you were looking for"),
    }
}

/// A refusal over Mandrill's API.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ApiRefusal {
    /// This status, and this error object.
    Error(u16, Value),
    /// This status, and a body that is no JSON.
    Bare(u16, &'static str),
    /// Status 200, and these fields for every recipient besides `email` and `_id`.
    EachRecipient(Value),
}

/// Mandrill's error object.
pub(super) fn error(status: u16, code: i32, name: &str, message: &str) -> ApiRefusal {
    ApiRefusal::Error(status, json!({ "status": "error", "code": code, "name": name, "message": message }))
}

/// The refusal over Mandrill's API. The published shapes are used as far as they go; a key that was right answers as the API did for years,
/// with status 500.
pub(super) fn mandrill(class: Class) -> ApiRefusal {
    let rejected =
        |reason: &str| ApiRefusal::EachRecipient(json!({ "status": "rejected", "reject_reason": reason, "queued_reason": null }));
    match class {
        Class::Auth => error(500, -1, "Invalid_Key", "Invalid API key"),
        Class::Suspended => error(500, -99, "GeneralError", "This account has been suspended"),
        Class::Quota => ApiRefusal::EachRecipient(json!({
            "status": "queued", "reject_reason": null, "queued_reason": "monthly-limit-reached"
        })),
        Class::Rate => ApiRefusal::Bare(429, ""),
        Class::Sender => rejected("unsigned"),
        Class::Suppressed => rejected("hard-bounce"),
        Class::Recipient => ApiRefusal::EachRecipient(json!({ "status": "invalid", "reject_reason": "invalid", "queued_reason": null })),
        Class::Policy => rejected("rule"),
        Class::Transient => error(503, -100, "ServiceUnavailable", "The subsystem providing this API call is down for maintenance"),
        Class::Permanent => error(400, -2, "ValidationError", "Validation error: {\"message\":\"cannot be sent\"}"),
        Class::Unknown | Class::Network | Class::Tls => ApiRefusal::Bare(200, "<html><body>Welcome to the captive portal</body></html>"),
    }
}
