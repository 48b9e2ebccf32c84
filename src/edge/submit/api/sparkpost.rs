//! SparkPost (Bird), API v1.
//!
//! A 200 may have rejected every recipient: the counts tell. 420 is a quota, 429 the rate.

use serde_json::json;

use super::account::Account;
use super::letter::{Letter, TAG};
use super::said::said;
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, SparkPostSettings};
use crate::edge::submit::{Secrets, SetUpError};
use crate::model::{At, Class, Sign};

/// A SparkPost account.
#[derive(Debug)]
pub(in crate::edge::submit) struct SparkPost(Account);

impl Service for SparkPost {
    type Settings = SparkPostSettings;

    fn new(_from: &Mailbox, settings: &SparkPostSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Account::new(&settings.base_url, &settings.api_key, &settings.templates, secrets).map(Self)
    }

    fn account(&self) -> &Account {
        &self.0
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.header("authorization", self.0.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let template = letter.template(&self.0.templates);
        let content = match &template {
            Some(filled) => json!({ "template_id": filled.id }),
            None => json!({
                "from": { "email": letter.from.address, "name": letter.from.name },
                "subject": mail.subject,
                "text": mail.text,
                "html": mail.html,
                "headers": letter.headers(),
            }),
        };
        let body = json!({
            "recipients": [{ "address": { "email": mail.to } }],
            "content": content,
            "options": { "transactional": true, "open_tracking": false, "click_tracking": false },
            "metadata": { "canary": letter.canary, "token": mail.token },
            "substitution_data": template.as_ref().map(|filled| &filled.variables),
            "campaign_id": TAG,
        });
        Call::json("/api/v1/transmissions", body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        let count = |name: &str| reply.json.as_ref()?.pointer(name)?.as_u64();
        let (accepted, rejected) = (count("/results/total_accepted_recipients"), count("/results/total_rejected_recipients"));
        if accepted == Some(0) || rejected.is_some_and(|rejected| rejected > 0) {
            return Some(Verdict::refused(words::class(&said(reply)).unwrap_or(Class::Recipient)));
        }
        reply.id_at("/results/id").map(|id| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        match reply.text_at("/errors/0/code").as_deref() {
            Some("7001") => Some(Class::Sender),
            Some("2101" | "2102") => Some(Class::Quota),
            _ if reply.status == 420 => Some(Class::Quota),
            _ => None,
        }
    }

    fn hint(&self, _reply: &Reply, class: Class) -> Option<&'static str> {
        (class == Class::Auth).then_some("accounts of one region are unknown in the other: see to `region` too")
    }

    fn ping(&self) -> Call {
        Call::get("/api/v1/account")
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::get("/api/v1/account"))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        let status = reply.text_at("/results/status");
        let why = reply.text_at("/results/status_reason_category").map_or_else(String::new, |why| format!(", {why}"));
        let standing = status.map(|status| Sign::Standing { good: status == "active", word: format!("{status}{why}") });
        standing.into_iter().collect()
    }
}
