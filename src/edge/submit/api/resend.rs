//! Resend.
//!
//! Has an idempotency key. Rate and quota share a status, and differ by name.

use serde_json::json;

use super::account::Account;
use super::letter::{Letter, TAG};
use super::trace::{Question, Said, Traces, escaped};
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, ResendSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate};

/// A Resend team.
#[derive(Debug)]
pub(in crate::edge::submit) struct Resend(Account);

impl Service for Resend {
    type Settings = ResendSettings;

    fn new(_from: &Mailbox, settings: &ResendSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Account::new(&settings.base_url, &settings.api_key, &settings.templates, secrets).map(Self)
    }

    fn account(&self) -> &Account {
        &self.0
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.bearer(self.0.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let template = letter.template(&self.0.templates);
        let plain = |text| if template.is_some() { None } else { Some(text) };
        let body = json!({
            "from": letter.sender_text(),
            "to": [mail.to],
            "subject": mail.subject,
            "text": plain(&mail.text),
            "html": plain(&mail.html),
            "template": template.as_ref().map(|filled| json!({ "id": filled.id, "variables": filled.variables })),
            "headers": letter.headers(),
            "tags": [{ "name": "source", "value": TAG }, { "name": "token", "value": mail.token }],
        });
        Call::json("/emails", body).header("idempotency-key", &mail.token)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        reply.id_at("/id").map(|id| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        Some(match reply.text_at("/name")?.as_str() {
            "missing_api_key" | "invalid_api_key" | "restricted_api_key" | "invalid_permission" | "invalid_access" => Class::Auth,
            "suspended_api_key" => Class::Suspended,
            "rate_limit_exceeded" => Class::Rate,
            "daily_quota_exceeded" | "monthly_quota_exceeded" => Class::Quota,
            "invalid_from_address" => Class::Sender,
            "security_error" => Class::Policy,
            // A domain that is not verified may write to the account's own address alone.
            "validation_error" if reply.status == 403 => Class::Sender,
            "concurrent_idempotent_requests" | "application_error" | "service_unavailable" | "internal_server_error" => Class::Transient,
            "missing_required_field" | "invalid_idempotent_request" | "invalid_idempotency_key" | "method_not_allowed" => Class::Permanent,
            _ => return None,
        })
    }

    fn ping(&self) -> Call {
        Call::get("/domains")
    }

    fn let_in(&self, reply: &Reply) -> bool {
        // A key that may only send, which is enough.
        reply.text_at("/name").as_deref() == Some("restricted_api_key")
    }
}

/// A key with full access: one that may only send reads nothing.
impl Traces for Resend {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let mail = after.message_id.map(|id| Question::of_mail(Call::get(format!("/emails/{}", escaped(id))), last_event));
        mail.into_iter().collect()
    }
}

fn last_event(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    let event = reply.text_at("/last_event").filter(|_| reply.is_success())?;
    Some(Said::Sure(fate(&event)?, event))
}

/// What an event says of a mail.
pub(in crate::edge::submit) fn fate(event: &str) -> Option<Fate> {
    Some(match event {
        "queued" | "scheduled" | "sent" => Fate::Stuck,
        "delivered" | "opened" | "clicked" | "complained" => Fate::HandedOff,
        "delivery_delayed" => Fate::Deferred,
        "bounced" | "failed" | "canceled" => Fate::Bounced,
        "suppressed" => Fate::Suppressed,
        _ => return None,
    })
}
