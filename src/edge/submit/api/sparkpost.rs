//! SparkPost (Bird), API v1.
//!
//! A 200 may have rejected every recipient: the counts tell. 420 is a quota, 429 the rate.

use serde_json::json;

use super::account::Account;
use super::letter::{Letter, TAG};
use super::said::said;
use super::trace::{self, Question, Said, Traces, escaped};
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, SparkPostSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate, Sign, Standing};

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

    fn hint(&self, reply: &Reply, class: Class) -> Option<&'static str> {
        match (class, reply.status) {
            (Class::Auth, 403) => Some(
                "give the key the right to make transmissions, and see from which addresses it may be used: it is known, and may not do this",
            ),
            (Class::Auth, _) => {
                Some("see whether the key was changed or revoked, and see to `region`: accounts of one region are unknown in the other")
            }
            _ => None,
        }
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
        let state = |status: &str| match status {
            "active" => Standing::Good,
            "suspended" | "terminated" | "cancelled" | "blocked" => Standing::Stopped,
            _ => Standing::Warned,
        };
        let standing = status.map(|status| Sign::Standing { state: state(&status), word: format!("{status}{why}") });
        standing.into_iter().collect()
    }
}

/// A key needs to read message events and the suppression list.
impl Traces for SparkPost {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let path = |id| format!("/api/v1/events/message?transmissions={}", escaped(id));
        let mail = after.message_id.map(|id| Question::of_mail(Call::get(path(id)), happened));
        let seed = Call::get(format!("/api/v1/suppression-list/{}", escaped(after.recipient)));
        mail.into_iter().chain([Question::of_seed(seed, suppressions)]).collect()
    }
}

fn happened(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    Some(trace::events(trace::list(reply, "/results")?, |event| {
        let kind = trace::text(event, "/type");
        let reason = ["/raw_reason", "/reason"].iter().map(|at| trace::text(event, at)).find(|text| !text.is_empty()).unwrap_or(kind);
        let fate = match kind {
            "policy_rejection" | "generation_rejection" | "bounce" if reason.contains("suppress") => Fate::Suppressed,
            "policy_rejection" | "generation_rejection" | "generation_failure" | "bounce" | "out_of_band" => Fate::Bounced,
            "delivery" | "spam_complaint" | "open" | "click" => Fate::HandedOff,
            "delay" => Fate::Deferred,
            "injection" => Fate::Stuck,
            _ => return None,
        };
        Some((fate, reason.to_owned()))
    }))
}

fn suppressions(reply: &Reply, after: &After<'_>) -> Option<Said> {
    Some(trace::listed(trace::list(reply, "/results")?, after, "/recipient", &["/type", "/source", "/description"]))
}
