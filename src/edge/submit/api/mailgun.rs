//! Mailgun, API v3.
//!
//! The request is a form. A path that is wrong is answered with a friendly 200, so only an id is acceptance. Domains that may not send at
//! all are refused in the words that it has for those that are too fast.

use serde_json::Value;

use super::account::Account;
use super::call::basic;
use super::letter::{Letter, TAG};
use super::said::said;
use super::trace::{self, Question, Said, Traces, escaped};
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, MailgunSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate};

/// Who every key is shown by.
const USER: &str = "api";

/// A domain at Mailgun.
#[derive(Debug)]
pub(in crate::edge::submit) struct Mailgun {
    account: Account,
    domain: String,
}

impl Mailgun {
    fn path(&self) -> String {
        format!("/v3/{}/messages", self.domain)
    }
}

impl Service for Mailgun {
    type Settings = MailgunSettings;

    fn new(from: &Mailbox, settings: &MailgunSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let domain = settings.domain.clone().unwrap_or_else(|| from.domain().to_owned());
        Ok(Self { account: Account::new(&settings.base_url, &settings.api_key, &settings.templates, secrets)?, domain })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn secrets(&self) -> Vec<String> {
        vec![basic(USER, self.account.key()), self.account.key().to_owned()]
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.basic(USER, self.account.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let (from, canary) = (letter.sender_text(), letter.canary.to_string());
        let headers: Vec<_> = mail.headers.iter().map(|(name, value)| (format!("h:{name}"), value)).collect();
        let mut fields = vec![
            ("from", from.as_str()),
            ("to", &mail.to),
            ("subject", &mail.subject),
            ("o:tag", TAG),
            ("o:tracking", "no"),
            ("o:tracking-clicks", "no"),
            ("o:tracking-opens", "no"),
            ("v:canary", &canary),
            ("v:token", &mail.token),
        ];
        fields.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let template = letter.template(&self.account.templates);
        // Texts by text: there is a JSON of it.
        let variables = template.as_ref().and_then(|filled| serde_json::to_string(&filled.variables).ok()).unwrap_or_default();
        match &template {
            Some(filled) => fields.extend([("template", filled.id), ("t:variables", &variables)]),
            None => fields.extend([("text", mail.text.as_str()), ("html", &mail.html)]),
        }
        Call::form(self.path(), &fields)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        if reply.text.contains("Mailgun Magnificent API") {
            return Some(Verdict::refused(Class::Permanent));
        }
        reply.id_at("/id").map(|id| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let said = said(reply).to_ascii_lowercase();
        if reply.is_success() || !said.contains("not allowed to send") {
            return None;
        }
        // Why stands behind the colon: by its words, unless they are only that it is not allowed.
        let why = said.split_once("not allowed to send").map_or("", |(_, why)| why);
        let fast = why.contains("limit exceeded") && !words::is_used_up(why);
        let sender = ["unverified", "verify your domain", "dns"].iter().any(|sign| why.contains(sign));
        let by_words = words::class(why).filter(|class| matches!(class, Class::Quota | Class::Policy | Class::Rate));
        Some(if fast {
            Class::Rate
        } else if sender {
            Class::Sender
        } else {
            by_words.unwrap_or(Class::Suspended)
        })
    }

    fn hint(&self, reply: &Reply, class: Class) -> Option<&'static str> {
        match (class, reply.status) {
            (Class::Permanent, 200) => Some("this is what Mailgun answers at a path that it does not know: see to `base_url` and `domain`"),
            (Class::Auth, 401) => {
                Some("see whether the key was changed or revoked, and see to `region`: keys of one region are unknown in the other")
            }
            (Class::Sender, 404) => Some("see to `domain` and `region`: domains of one region are unknown in the other"),
            _ => None,
        }
    }

    fn ping(&self) -> Call {
        // A key that may only send is let in nowhere else. Nothing can be sent to nobody.
        Call::form(self.path(), &[("o:tag", TAG)])
    }

    fn let_in(&self, reply: &Reply) -> bool {
        let said = said(reply).to_ascii_lowercase();
        reply.status == 400 && (said.contains("parameter") || said.contains("missing") || said.contains("required"))
    }
}

/// A key of the account: one that may only send reads nothing.
impl Traces for Mailgun {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let (domain, seed) = (&self.domain, escaped(after.recipient));
        let path = |id| format!("/v3/{domain}/events?message-id={}&limit=25", escaped(id));
        let lists = ["bounces", "complaints", "unsubscribes"].map(|list| format!("/v3/{domain}/{list}/{seed}"));
        let mail = after.message_id.map(|id| Question::of_mail(Call::get(path(id)), happened));
        mail.into_iter().chain(lists.map(|path| Question::of_seed(Call::get(path), listed))).collect()
    }
}

fn happened(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    Some(trace::events(trace::list(reply, "/items")?, of_event))
}

/// What an event says of a mail; nothing if it says nothing of what became of it.
pub(in crate::edge::submit) fn of_event(event: &Value) -> Option<(Fate, String)> {
    let status = ["/reason", "/delivery-status/code", "/delivery-status/message", "/delivery-status/description", "/reject/reason"];
    let words = trace::words(event, &status);
    let code = event.pointer("/delivery-status/code").and_then(Value::as_u64);
    if event.pointer("/flags/is-test-mode").and_then(Value::as_bool) == Some(true) {
        return Some((Fate::Stuck, "taken in test mode: nothing is really sent".to_owned()));
    }
    let fate = match (trace::text(event, "/event"), trace::text(event, "/severity")) {
        ("failed", _) if trace::text(event, "/reason").starts_with("suppress-") || matches!(code, Some(605..=607)) => Fate::Suppressed,
        ("failed", "temporary") => Fate::Deferred,
        ("failed" | "rejected", _) => Fate::Bounced,
        ("delivered" | "complained", _) => Fate::HandedOff,
        ("accepted" | "stored", _) => return Some((Fate::Stuck, "accepted".to_owned())),
        _ => return None,
    };
    Some((fate, words))
}

fn listed(reply: &Reply, after: &After<'_>) -> Option<Said> {
    let entry = reply.json.as_ref().filter(|_| reply.is_success())?;
    let mine = trace::text(entry, "/address").eq_ignore_ascii_case(after.recipient);
    mine.then(|| trace::suppressed(entry, &["/code", "/error", "/created_at"]))
}
