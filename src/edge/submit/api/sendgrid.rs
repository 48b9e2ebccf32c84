//! SendGrid, API v3.
//!
//! A message that is taken has an empty 202, with its id in a header. Accounts that are suspended go on being answered so: their mail is held
//! and expires, and only the inbox tells.

use serde_json::json;

use super::account::Account;
use super::call::plausible_id;
use super::letter::{Letter, TAG};
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, SendGridSettings};
use crate::edge::submit::{Secrets, SetUpError};
use crate::model::{At, Class, Sign};

/// A SendGrid account.
#[derive(Debug)]
pub(in crate::edge::submit) struct SendGrid(Account);

impl Service for SendGrid {
    type Settings = SendGridSettings;

    fn new(_from: &Mailbox, settings: &SendGridSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
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
        let content = json!([{ "type": "text/plain", "value": mail.text }, { "type": "text/html", "value": mail.html }]);
        let body = json!({
            "personalizations": [{
                "to": [{ "email": mail.to }],
                "dynamic_template_data": template.as_ref().map(|filled| &filled.variables),
            }],
            "from": { "email": letter.from.address, "name": letter.from.name },
            "subject": mail.subject,
            "content": if template.is_some() { None } else { Some(content) },
            "template_id": template.as_ref().map(|filled| filled.id),
            "headers": letter.headers(),
            "categories": [TAG],
            "custom_args": { "canary": letter.canary, "token": mail.token },
            "tracking_settings": {
                "click_tracking": { "enable": false, "enable_text": false },
                "open_tracking": { "enable": false },
                "subscription_tracking": { "enable": false },
            },
        });
        Call::json("/v3/mail/send", body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        let id = reply.header("x-message-id").and_then(plausible_id);
        let nothing_else = reply.whole && reply.text.trim().is_empty();
        (reply.status == 202 && (id.is_some() || nothing_else)).then(|| Verdict::accepted(id))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        // What a locked account is told.
        reply.text.contains("not authorized to access SendGrid").then_some(Class::Suspended)
    }

    fn ping(&self) -> Call {
        Call::get("/v3/scopes")
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::get("/v3/user/credits"))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        let remaining = reply.figure_at("/remain");
        remaining.map(|remaining| Sign::Quota { remaining, limit: reply.figure_at("/total") }).into_iter().collect()
    }
}
