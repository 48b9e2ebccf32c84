//! SendGrid, API v3.
//!
//! A message that is taken has an empty 202, with its id in a header. Accounts that are suspended go on being answered so: their mail is held
//! and expires, and only the inbox tells.

use serde_json::{Value, json};

use super::account::Account;
use super::call::plausible_id;
use super::letter::{Letter, TAG};
use super::trace::{self, Question, Said, Traces, escaped};
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, SendGridSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate, Sign};

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
        let locked = ["not authorized to access SendGrid", "user is not authorized to send mail"];
        locked.iter().any(|words| reply.text.contains(words)).then_some(Class::Suspended)
    }

    fn pretends(&self, reply: &Reply) -> bool {
        // A mail that is valid, and in the sandbox mode not queued. One that is queued has a 202.
        reply.status == 200 && reply.whole && reply.text.trim().is_empty()
    }

    fn ping(&self) -> Call {
        Call::get("/v3/scopes")
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::get("/v3/user/credits"))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        let of = |remaining| Sign::Quota { remaining, limit: reply.figure_at("/total"), renews_at: reply.instant_at("/next_reset") };
        reply.figure_at("/remain").map(of).into_iter().collect()
    }
}

/// A key needs `messages.read` (with the add-on for the e-mail activity) and `suppression.read`.
impl Traces for SendGrid {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let seed = escaped(after.recipient);
        let activity = after.message_id.map(|id| {
            let query = escaped(&format!("msg_id LIKE \"{id}%\""));
            Question::of_mail(Call::get(format!("/v3/messages?limit=1&query={query}")), activity).going_on(details)
        });
        let of_seed = |path: &str| Question::of_seed(Call::get(format!("{path}/{seed}")), listed);
        let lists = ["bounces", "spam_reports", "invalid_emails"].map(|list| of_seed(&format!("/v3/suppression/{list}")));
        let global = Question::of_seed(Call::get(format!("/v3/asm/suppressions/global/{seed}")), unsubscribed);
        // Who stands here is written to all the same: it says why a mail came back.
        let blocks = Question::of_seed(Call::get(format!("/v3/suppression/blocks/{seed}")), blocked);
        activity.into_iter().chain(lists).chain([global, blocks]).collect()
    }
}

fn activity(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    if let Some(events) = trace::list(reply, "/events") {
        return Some(trace::events(events, happened));
    }
    let Some(message) = trace::list(reply, "/messages")?.first() else { return Some(Said::Nothing) };
    let status = trace::text(message, "/status");
    match status {
        "delivered" => Some(Said::Sure(Fate::HandedOff, status.to_owned())),
        "processed" => Some(Said::Perhaps(Fate::Stuck, status.to_owned())),
        // Why, its events and the lists know.
        "not_delivered" => Some(Said::Perhaps(Fate::Bounced, status.to_owned())),
        _ => None,
    }
}

/// Of a mail that is found and not delivered, its events are asked for: they hold the receiver's words.
fn details(reply: &Reply, _asked: usize) -> Option<Call> {
    let message = trace::list(reply, "/messages")?.first()?;
    let id = plausible_id(trace::text(message, "/msg_id"))?;
    Some(Call::get(format!("/v3/messages/{}", escaped(&id))))
}

fn happened(event: &Value) -> Option<(Fate, String)> {
    let words = trace::words(event, &["/event_name", "/reason", "/server_response", "/mta_response"]);
    let fate = match trace::text(event, "/event_name") {
        "delivered" | "open" | "click" => Fate::HandedOff,
        "deferred" => Fate::Deferred,
        "bounced" | "bounce" | "blocked" => Fate::Bounced,
        "dropped" | "drop" => Fate::Suppressed,
        "processed" | "received" => Fate::Stuck,
        _ => return None,
    };
    Some((fate, words))
}

/// The entry says why mail came back, if it is younger than this mail.
fn blocked(reply: &Reply, after: &After<'_>) -> Option<Said> {
    let entries = trace::list(reply, "")?;
    let since = after.sent_at.as_ms() / 1000 - 60;
    let mine = |entry: &&Value| {
        let created = entry.pointer("/created").and_then(Value::as_i64);
        trace::text(entry, "/email").eq_ignore_ascii_case(after.recipient) && created.is_some_and(|created| created >= since)
    };
    let words = |entry: &Value| Said::Sure(Fate::Bounced, trace::words(entry, &["/status", "/reason"]));
    Some(entries.iter().find(mine).map_or(Said::Nothing, words))
}

fn listed(reply: &Reply, after: &After<'_>) -> Option<Said> {
    Some(trace::listed(trace::list(reply, "")?, after, "/email", &["/status", "/reason"]))
}

fn unsubscribed(reply: &Reply, after: &After<'_>) -> Option<Said> {
    let answer = reply.json.as_ref().filter(|json| reply.is_success() && json.is_object())?;
    let mine = trace::text(answer, "/recipient_email").eq_ignore_ascii_case(after.recipient);
    Some(if mine { Said::Sure(Fate::Suppressed, "on the list of global unsubscribes".to_owned()) } else { Said::Nothing })
}
