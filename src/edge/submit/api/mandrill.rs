//! Mailchimp Transactional (Mandrill), API 1.x.
//!
//! The key goes into the body of each request and nowhere else. A suspended account answers 200: only `queued_reason` tells. For years
//! every error came with HTTP 500: they go by name and words.

use serde_json::{Value, json};

use super::account::Account;
use super::letter::{Letter, TAG};
use super::trace::{self, Question, Said, Traces};
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, MandrillSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate, Outcome, Sign};

/// A Mandrill account.
#[derive(Debug)]
pub(in crate::edge::submit) struct Mandrill {
    account: Account,
    subaccount: Option<String>,
}

impl Service for Mandrill {
    type Settings = MandrillSettings;

    fn new(_from: &Mailbox, settings: &MandrillSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        // A bare host gets the path that the API has had from the start.
        let bare = settings.base_url.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
        let base_url = format!("{}{}", settings.base_url, if bare { "/api/1.0" } else { "" });
        let account = Account::new(&base_url, &settings.api_key, &settings.templates, secrets)?;
        Ok(Self { account, subaccount: settings.subaccount.clone() })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let mut message = json!({
            "from_email": letter.from.address,
            "from_name": letter.from.name,
            "to": [{ "email": mail.to, "type": "to" }],
            "subject": mail.subject,
            "headers": letter.headers(),
            "tags": [TAG],
            "metadata": { "canary": letter.canary, "token": mail.token },
            "subaccount": self.subaccount,
            "track_opens": false,
            "track_clicks": false,
            "auto_text": false,
            "preserve_recipients": false,
        });
        let mut body = json!({ "key": self.account.key(), "async": false });
        let template = letter.template(&self.account.templates);
        if let Some(message) = message.as_object_mut() {
            match &template {
                Some(filled) => {
                    message.insert("global_merge_vars".to_owned(), filled.pairs("name", "content"));
                }
                None => message.extend([("text".to_owned(), json!(mail.text)), ("html".to_owned(), json!(mail.html))]),
            }
        }
        if let Some(body) = body.as_object_mut() {
            body.insert("message".to_owned(), message);
            if let Some(filled) = &template {
                body.extend([("template_name".to_owned(), json!(filled.id)), ("template_content".to_owned(), json!([]))]);
            }
        }
        Call::json(if template.is_some() { "/messages/send-template" } else { "/messages/send" }, body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        let fate = reply.json.as_ref()?.as_array()?.first()?;
        Some(Verdict { outcome: of_fate(fate), message_id: reply.id_at("/0/_id") })
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let status = reply.text_at("/status");
        match (&reply.json, status.as_deref()) {
            (Some(Value::Object(_)), Some("error")) => Some(of_complaint(reply)),
            // Under load the front layer throttles with a bare 403.
            (None, _) if reply.status == 403 => Some(Class::Rate),
            _ => None,
        }
    }

    fn hint(&self, reply: &Reply, _class: Class) -> Option<&'static str> {
        let on_trial = reply.text.contains("test-mode-limit");
        on_trial.then_some("this key is one for tests, which really sends nothing: configure a live key")
    }

    fn ping(&self) -> Call {
        Call::json("/users/ping2", json!({ "key": self.account.key() }))
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::json("/users/info", json!({ "key": self.account.key() })))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        let backlog = reply.figure_at("/backlog").map(|waiting| Sign::Backlog { waiting });
        let reputation = reply.figure_at("/reputation").map(|percent| Sign::Reputation { percent });
        backlog.into_iter().chain(reputation).collect()
    }

    fn let_in(&self, reply: &Reply) -> bool {
        reply.status == 200 && reply.json.is_some() && reply.text.contains("PONG!")
    }
}

/// A key of a restricted kind needs `messages/info` and `rejects/list`.
impl Traces for Mandrill {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let key = self.account.key();
        let info = after.message_id.map(|id| Question::of_mail(Call::json("/messages/info", json!({ "key": key, "id": id })), info));
        let rejects = Call::json("/rejects/list", json!({ "key": key, "email": after.recipient, "include_expired": false }));
        info.into_iter().chain([Question::of_seed(rejects, rejects_list)]).collect()
    }
}

fn info(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    let info = reply.json.as_ref()?;
    if trace::text(info, "/name") == "Unknown_Message" {
        // Not before it was indexed.
        return Some(Said::Nothing);
    }
    let state = trace::text(info, "/state");
    let replies = info.pointer("/smtp_events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let told =
        trace::events(replies, |event| Some((trace::by_reply(trace::text(event, "/diag"))?, trace::text(event, "/diag").to_owned())));
    let words = trace::words(info, &["/state", "/bounce_description", "/diag", "/reject/reason", "/reject_reason"]);
    match (state, told) {
        _ if !reply.is_success() => None,
        (_, Said::Sure(fate, diag)) => Some(Said::Sure(fate, diag)),
        ("bounced" | "soft-bounced", _) => Some(Said::Sure(Fate::Bounced, words)),
        ("rejected", _) => {
            let reason = ["/reject/reason", "/reject_reason"].map(|at| trace::text(info, at)).concat();
            Some(if is_suppressed(&reason) { Said::Sure(Fate::Suppressed, words) } else { Said::Perhaps(Fate::Bounced, words) })
        }
        ("deferred", _) => Some(Said::Sure(Fate::Deferred, words)),
        ("sent", _) => Some(Said::Perhaps(Fate::Stuck, "sent, but no reply of the receiver's is known".to_owned())),
        ("queued" | "scheduled" | "sending", _) => Some(Said::Perhaps(Fate::Stuck, words)),
        _ => None,
    }
}

fn rejects_list(reply: &Reply, after: &After<'_>) -> Option<Said> {
    Some(trace::listed(trace::list(reply, "")?, after, "/email", &["/reason", "/detail"]))
}

fn of_fate(fate: &Value) -> Outcome {
    let text = |key: &str| fate.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("status") {
        "sent" | "scheduled" => Outcome::Accepted,
        "queued" => held(text("queued_reason")).map_or(Outcome::Accepted, Outcome::Refused),
        "rejected" => Outcome::Refused(rejected(text("reject_reason"))),
        "invalid" => Outcome::Refused(Class::Recipient),
        // A word that is not known yet says nothing of the mail.
        _ => Outcome::Unknown,
    }
}

/// Why a queued mail will not leave: the account, not the load.
fn held(reason: &str) -> Option<Class> {
    let any = |signs: &[&str]| signs.iter().any(|sign| reason.contains(sign));
    if any(&["suspended", "paused", "review", "disabled"]) {
        Some(Class::Suspended)
    } else if any(&["quota", "limit", "exhausted", "payment"]) {
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
        other => words::class(other).unwrap_or(Class::Permanent),
    }
}

/// Whether a mail was rejected for its recipient, whom mail is not sent to.
pub(in crate::edge::submit) fn is_suppressed(reason: &str) -> bool {
    rejected(reason) == Class::Suppressed
}

/// By the error's name, then by its words.
fn of_complaint(reply: &Reply) -> Class {
    let (name, message) = (reply.text_at("/name").unwrap_or_default(), reply.text_at("/message").unwrap_or_default());
    match name.as_str() {
        "Invalid_Key" => return Class::Auth,
        "PaymentRequired" => return Class::Quota,
        "Unknown_Subaccount" | "Unknown_Template" => return Class::Permanent,
        "ServiceUnavailable" => return Class::Transient,
        _ => {}
    }
    let lower = message.to_ascii_lowercase();
    match (name.as_str(), reply.status) {
        ("ValidationError", _) if lower.contains("from_email") => Class::Sender,
        ("ValidationError", _) if lower.contains("key value") => Class::Auth,
        _ => words::class(&message).unwrap_or_else(|| match (name.as_str(), reply.status) {
            (_, 429) => Class::Rate,
            ("ValidationError", _) => Class::Permanent,
            (_, 401) => Class::Auth,
            (_, 402) => Class::Quota,
            ("GeneralError", _) => Class::Transient,
            _ if matches!(reply.text_at("/code").as_deref(), Some("5" | "12")) => Class::Permanent,
            (_, 500..) => Class::Transient,
            _ => Class::Permanent,
        }),
    }
}

#[cfg(test)]
mod tests;
