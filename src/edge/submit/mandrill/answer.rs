//! What an answer of the API means: pure functions.

use serde::Deserialize;
use serde_json::Value;

use crate::edge::submit::classify::by_words;
use crate::model::{Class, Outcome};

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) status: u16,
    pub(super) text: String,
    /// Nothing is missing at the end.
    pub(super) whole: bool,
}

impl Body {
    /// For the person who reads the evidence.
    pub(super) fn words(&self) -> String {
        let cut = if self.whole { "" } else { "\n(the answer was cut off)" };
        format!("HTTP {}\n{}{cut}", self.status, self.text)
    }
}

/// What became of one recipient's mail.
#[derive(Debug, Deserialize)]
struct Fate {
    status: String,
    #[serde(default, rename = "_id")]
    id: Option<String>,
    #[serde(default)]
    reject_reason: Option<String>,
    #[serde(default)]
    queued_reason: Option<String>,
}

/// An error, which comes with any HTTP status.
#[derive(Debug, Deserialize)]
struct Complaint {
    #[serde(default)]
    code: Option<i64>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
}

/// The outcome of `/messages/send` and the message's id.
pub(super) fn judge(body: &Body) -> (Outcome, Option<String>) {
    if let Ok(fates) = serde_json::from_str::<Vec<Fate>>(&body.text)
        && let Some(fate) = fates.into_iter().next()
    {
        let id = fate.id.clone().filter(|id| !id.is_empty() && id.len() <= 200 && id.bytes().all(|byte| byte.is_ascii_graphic()));
        return (of_fate(&fate), id);
    }
    (refusal(body).map_or(Outcome::Unknown, Outcome::Refused), None)
}

/// The outcome of `/users/ping2`.
pub(super) fn judge_ping(body: &Body) -> (Outcome, Option<String>) {
    let pong = body.status == 200 && serde_json::from_str::<Value>(&body.text).is_ok() && body.text.contains("PONG!");
    if pong {
        return (Outcome::Accepted, None);
    }
    (Outcome::Refused(refusal(body).unwrap_or(Class::Unknown)), None)
}

/// The outcome of `/users/info`.
pub(super) fn judge_info(body: &Body) -> (Outcome, Option<String>) {
    let told = serde_json::from_str::<Value>(&body.text).is_ok_and(|info| info.get("reputation").is_some());
    (if body.status == 200 && told { Outcome::Accepted } else { Outcome::Unknown }, None)
}

fn of_fate(fate: &Fate) -> Outcome {
    match fate.status.as_str() {
        "sent" | "scheduled" => Outcome::Accepted,
        "queued" => fate.queued_reason.as_deref().and_then(held).map_or(Outcome::Accepted, Outcome::Refused),
        "rejected" => Outcome::Refused(rejected(fate.reject_reason.as_deref().unwrap_or_default())),
        "invalid" => Outcome::Refused(Class::Recipient),
        // A word that is not known yet says nothing of the mail.
        _ => Outcome::Unknown,
    }
}

/// Why a queued mail will not leave: the account, not the load.
fn held(reason: &str) -> Option<Class> {
    let any = |signs: &[&str]| signs.iter().any(|sign| reason.contains(sign));
    if any(&["suspended", "paused"]) {
        Some(Class::Suspended)
    } else if any(&["quota", "limit", "exhausted"]) {
        Some(Class::Quota)
    } else {
        None
    }
}

fn rejected(reason: &str) -> Class {
    match reason {
        "hard-bounce" | "soft-bounce" | "spam" | "unsub" | "custom" => Class::Suppressed,
        "invalid-sender" | "unsigned" => Class::Sender,
        "invalid" => Class::Recipient,
        "test-mode-limit" => Class::Quota,
        "rule" => Class::Policy,
        _ => Class::Permanent,
    }
}

/// The class of an answer that is no list of recipients; nothing if the mail may be on its way all the same.
fn refusal(body: &Body) -> Option<Class> {
    let complaint =
        serde_json::from_str::<Value>(&body.text).ok().filter(|value| value.get("status").is_some_and(|status| status == "error"));
    if let Some(complaint) = complaint.and_then(|value| serde_json::from_value::<Complaint>(value).ok()) {
        return Some(of_complaint(body.status, &complaint));
    }
    match body.status {
        // Under load the front layer throttles with a bare 403.
        403 | 429 => Some(Class::Rate),
        401 => Some(Class::Auth),
        402 => Some(Class::Quota),
        // A gateway that lost the answer says nothing of what it had passed on.
        502 | 504 | 0..=299 => None,
        408 | 500.. => Some(Class::Transient),
        _ => Some(Class::Permanent),
    }
}

/// By the error's name, then by its words: for years every error came with HTTP 500.
fn of_complaint(status: u16, complaint: &Complaint) -> Class {
    let message = complaint.message.to_ascii_lowercase();
    match complaint.name.as_str() {
        "Invalid_Key" => return Class::Auth,
        "PaymentRequired" => return Class::Quota,
        "Unknown_Subaccount" | "Unknown_Template" => return Class::Permanent,
        "ServiceUnavailable" => return Class::Transient,
        _ => {}
    }
    if let Some(class) = by_words(&message) {
        return class;
    }
    match (complaint.name.as_str(), status) {
        (_, 429) => Class::Rate,
        ("ValidationError", _) if message.contains("key") => Class::Auth,
        ("ValidationError", _) if message.contains("from_email") || message.contains("sender") => Class::Sender,
        ("ValidationError", _) => Class::Permanent,
        (_, 401) => Class::Auth,
        (_, 402) => Class::Quota,
        ("GeneralError", _) => Class::Transient,
        _ if matches!(complaint.code, Some(5 | 12)) => Class::Permanent,
        (_, 500..) => Class::Transient,
        _ => Class::Permanent,
    }
}

#[cfg(test)]
mod tests;
