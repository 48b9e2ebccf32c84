//! MailerSend, API v1.
//!
//! A 202 may say that the recipient is suppressed, or that sending is paused. Codes stand as `#MSxxxxx` at the end of the text.

use serde_json::json;

use super::account::Account;
use super::call::plausible_id;
use super::letter::{Letter, TAG};
use super::trace::{self, PAGE, Question, Said, Traces, escaped};
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, MailerSendSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate, Sign};

/// A MailerSend account.
#[derive(Debug)]
pub(in crate::edge::submit) struct MailerSend {
    account: Account,
    /// Whether the plan allows headers.
    headers: bool,
}

impl Service for MailerSend {
    type Settings = MailerSendSettings;

    fn new(_from: &Mailbox, settings: &MailerSendSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let account = Account::new(&settings.base_url, &settings.api_key, &settings.templates, secrets)?;
        Ok(Self { account, headers: settings.headers })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.bearer(self.account.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let template = letter.template(&self.account.templates);
        let plain = |text| if template.is_some() { None } else { Some(text) };
        let body = json!({
            "from": { "email": letter.from.address, "name": letter.from.name },
            "to": [{ "email": mail.to }],
            "subject": mail.subject,
            "text": plain(&mail.text),
            "html": plain(&mail.html),
            "template_id": template.as_ref().map(|filled| filled.id),
            "personalization": template.as_ref().map(|filled| json!([{ "email": mail.to, "data": filled.variables }])),
            "tags": [TAG],
            "settings": { "track_clicks": false, "track_opens": false, "track_content": false },
            "headers": self.headers.then(|| letter.header_list("name", "value")),
        });
        Call::json("/v1/email", body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        let id = reply.header("x-message-id").and_then(plausible_id)?;
        (reply.status == 202).then(|| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        // A 202 like any other, but for what it says of the one recipient, or of sending altogether.
        if reply.text.contains("ALL_SUPPRESSED") || reply.text.contains("SOME_SUPPRESSED") {
            return Some(Class::Suppressed);
        }
        if reply.header("x-send-paused").is_some_and(|paused| paused.trim().eq_ignore_ascii_case("true")) {
            return Some(Class::Suspended);
        }
        by_code(&reply.text)
    }

    fn hint(&self, reply: &Reply, _class: Class) -> Option<&'static str> {
        let headers = self.headers && reply.status == 422 && reply.text.to_ascii_lowercase().contains("header");
        headers.then_some("only the higher plans allow headers: leave `headers` out")
    }

    fn ping(&self) -> Call {
        Call::get("/v1/api-quota")
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::get("/v1/api-quota"))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        // Of requests to the API, each canary among them.
        let remaining = reply.figure_at("/remaining").or_else(|| reply.header("x-apiquota-remaining")?.trim().parse().ok());
        let of = |remaining| Sign::Quota { remaining, limit: reply.figure_at("/quota"), renews_at: reply.instant_at("/reset") };
        remaining.map(of).into_iter().collect()
    }
}

/// By the code at the end of a text, which is the same over SMTP.
pub(in crate::edge::submit) fn by_code(text: &str) -> Option<Class> {
    let at = text.to_ascii_lowercase().find("#ms")?;
    match text.get(at..)?.get(3..8)? {
        "40302" | "40303" | "40304" => Some(Class::Suspended),
        "40301" | "40305" => Some(Class::Auth),
        "42207" | "42209" => Some(Class::Sender),
        "42204" | "42222" | "42225" | "42901" => Some(Class::Quota),
        "42903" => Some(Class::Rate),
        _ => None,
    }
}

/// A token needs to read messages and recipients.
impl Traces for MailerSend {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let mail = after.message_id.map(|id| Question::of_mail(Call::get(format!("/v1/messages/{}", escaped(id))), status));
        let lists = ["hard-bounces", "blocklist", "spam-complaints", "unsubscribes", "on-hold-list"];
        mail.into_iter().chain(lists.map(on_list)).collect()
    }
}

/// The question whether the seed stands on a list.
fn on_list(list: &'static str) -> Question {
    let page = move |number: usize| Call::get(format!("/v1/suppressions/{list}?limit={PAGE}&page={number}"));
    let next = move |reply: &Reply, asked: usize| trace::is_full(reply, "/data").then(|| page(asked + 1));
    Question::of_seed(page(1), suppressions).going_on(next)
}

fn status(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    Some(trace::events(trace::list(reply, "/data/emails")?, |email| {
        let status = trace::text(email, "/status");
        let fate = match status {
            "delivered" | "opened" | "clicked" | "junk" => Fate::HandedOff,
            "soft_bounced" | "hard_bounced" | "rejected" => Fate::Bounced,
            "suppressed" | "unsubscribed" | "spam_complaint" => Fate::Suppressed,
            "deferred" => Fate::Deferred,
            "queued" | "processing" | "sent" => Fate::Stuck,
            _ => return None,
        };
        Some((fate, status.to_owned()))
    }))
}

fn suppressions(reply: &Reply, after: &After<'_>) -> Option<Said> {
    let entries = trace::list(reply, "/data")?;
    let by = |address: &str| trace::listed(entries, after, address, &["/reason", "/created_at"]);
    let by_recipient = by("/recipient/email");
    Some(if by_recipient == Said::Nothing { by("/pattern") } else { by_recipient })
}
