//! Brevo, API v3.
//!
//! HTML is required, headers are written This-Way, and the idempotency key is one of them. 401 is also what callers hear from addresses that
//! the account does not know.

use serde_json::json;

use super::account::Account;
use super::letter::{Filled, Letter, TAG};
use super::signs::figure;
use super::trace::{self, PAGE, Question, Said, Traces, escaped};
use super::{Call, Reply, Service, Verdict, words};
use crate::config::{BrevoSettings, Mailbox};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate, Sign};

/// A Brevo account.
#[derive(Debug)]
pub(in crate::edge::submit) struct Brevo(Account);

impl Service for Brevo {
    type Settings = BrevoSettings;

    fn new(_from: &Mailbox, settings: &BrevoSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Account::new(&settings.base_url, &settings.api_key, &settings.templates, secrets).map(Self)
    }

    fn account(&self) -> &Account {
        &self.0
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.header("api-key", self.0.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let template = letter.template(&self.0.templates);
        let plain = |text| if template.is_some() { None } else { Some(text) };
        let mut headers = letter.headers();
        headers.insert("idempotencyKey".to_owned(), json!(letter.uuid()));
        headers.insert("X-Mailin-custom".to_owned(), json!(mail.token));
        let body = json!({
            "sender": { "email": letter.from.address, "name": letter.from.name },
            "to": [{ "email": mail.to }],
            "subject": mail.subject,
            "textContent": plain(&mail.text),
            "htmlContent": plain(&mail.html),
            "templateId": template.as_ref().map(Filled::number),
            "params": template.as_ref().map(|filled| &filled.variables),
            "headers": headers,
            "tags": [TAG],
        });
        Call::json("/v3/smtp/email", body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        reply.id_at("/messageId").map(|id| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let message = reply.text_at("/message").unwrap_or_default();
        let by_words = || words::class(&message);
        match reply.text_at("/code")?.as_str() {
            "not_enough_credits" => Some(Class::Quota),
            "account_under_validation" => Some(Class::Suspended),
            "unauthorized" => by_words().filter(|class| *class == Class::Suspended).or(Some(Class::Auth)),
            "permission_denied" => by_words().or(Some(Class::Auth)),
            "invalid_parameter" | "missing_parameter" | "out_of_range" | "bad_request" | "unprocessable_entity" | "not_acceptable" => {
                by_words().or(Some(Class::Permanent))
            }
            "document_not_found" | "method_not_allowed" | "duplicate_parameter" => Some(Class::Permanent),
            _ => None,
        }
    }

    fn ping(&self) -> Call {
        Call::get("/v3/account")
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::get("/v3/account"))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        let plans = reply.json.as_ref().and_then(|json| json.get("plan")?.as_array());
        let of_mail = plans.into_iter().flatten().filter(|plan| plan.get("type").is_some_and(|kind| *kind != "sms"));
        let credits: Vec<u64> = of_mail.filter_map(|plan| figure(plan.get("credits")?)).collect();
        let remaining = credits.iter().fold(0_u64, |sum, credits| sum.saturating_add(*credits));
        if credits.is_empty() { Vec::new() } else { vec![Sign::Quota { remaining, limit: None, renews_at: None }] }
    }
}

/// The key may read both.
impl Traces for Brevo {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let path = |id: &str| format!("/v3/smtp/statistics/events?limit=50&messageId={}", escaped(&format!("<{id}>")));
        let mail = after.message_id.map(|id| Question::of_mail(Call::get(path(id)), happened));
        // The newest first.
        let page = |number: usize| Call::get(format!("/v3/smtp/blockedContacts?limit={PAGE}&offset={}", number * PAGE));
        let next = move |reply: &Reply, asked: usize| trace::is_full(reply, "/contacts").then(|| page(asked));
        let list = Question::of_seed(page(0), blocked);
        mail.into_iter().chain([list.going_on(next)]).collect()
    }
}

fn happened(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    let empty = reply.is_success() && reply.json.as_ref()?.as_object()?.is_empty();
    let events = if empty { &[][..] } else { trace::list(reply, "/events")? };
    Some(trace::events(events, |event| {
        let words = trace::words(event, &["/event", "/reason"]);
        let fate = match trace::text(event, "/event") {
            "blocked" | "unsubscribed" | "spam" => Fate::Suppressed,
            "hardBounces" | "softBounces" | "bounces" | "invalid" | "error" => Fate::Bounced,
            "deferred" => Fate::Deferred,
            "delivered" | "opened" | "loadedByProxy" | "clicks" => Fate::HandedOff,
            "requests" => Fate::Stuck,
            _ => return None,
        };
        Some((fate, words))
    }))
}

fn blocked(reply: &Reply, after: &After<'_>) -> Option<Said> {
    let none = reply.is_success() && reply.text_at("/count").as_deref() == Some("0");
    let contacts = if none { &[][..] } else { trace::list(reply, "/contacts")? };
    Some(trace::listed(contacts, after, "/email", &["/reason/code", "/reason/message", "/blockedAt"]))
}
