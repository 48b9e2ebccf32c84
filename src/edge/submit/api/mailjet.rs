//! Mailjet, Send API v3.1.
//!
//! Errors stand at the top or with the one message. A key that is suspended and one that is wrong share the 401.

use serde_json::json;

use super::account::Account;
use super::call::basic;
use super::letter::{Filled, Letter, TAG};
use super::trace::{self, Question, Said, Traces, escaped};
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, MailjetSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate};

/// A Mailjet account.
#[derive(Debug)]
pub(in crate::edge::submit) struct Mailjet {
    account: Account,
    /// The half of the key that is no secret.
    public: String,
}

impl Service for Mailjet {
    type Settings = MailjetSettings;

    fn new(_from: &Mailbox, settings: &MailjetSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let account = Account::new(&settings.base_url, &settings.secret_key, &settings.templates, secrets)?;
        Ok(Self { account, public: settings.api_key.clone() })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn secrets(&self) -> Vec<String> {
        vec![basic(&self.public, self.account.key()), self.account.key().to_owned()]
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.basic(&self.public, self.account.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let template = letter.template(&self.account.templates);
        let plain = |text| if template.is_some() { None } else { Some(text) };
        let message = json!({
            "From": { "Email": letter.from.address, "Name": letter.from.name },
            "To": [{ "Email": mail.to }],
            "Subject": mail.subject,
            "TextPart": plain(&mail.text),
            "HTMLPart": plain(&mail.html),
            "TemplateID": template.as_ref().map(Filled::number),
            "TemplateLanguage": template.as_ref().map(|_| true),
            "Variables": template.as_ref().map(|filled| &filled.variables),
            "Headers": letter.headers(),
            "CustomID": mail.token,
            "EventPayload": mail.token,
            "CustomCampaign": TAG,
            "TrackOpens": "disabled",
            "TrackClicks": "disabled",
        });
        Call::json("/v3.1/send", json!({ "Messages": [message], "SandboxMode": false }))
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        let status = reply.text_at("/Messages/0/Status")?;
        let id = ["/Messages/0/To/0/MessageID", "/Messages/0/To/0/MessageUUID"].iter().find_map(|at| reply.id_at(at));
        status.eq_ignore_ascii_case("success").then(|| Verdict::accepted(id))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let code = ["/ErrorCode", "/Messages/0/Errors/0/ErrorCode"].iter().find_map(|at| reply.text_at(at));
        match code.as_deref() {
            Some("mj-0001") => Some(Class::Suspended),
            Some("mj-0015" | "send-0006") => Some(Class::Auth),
            Some("send-0007" | "send-0008") => Some(Class::Sender),
            Some("send-0099") => Some(Class::Quota),
            Some("mj-0002" | "mj-0011" | "send-0003" | "send-0010" | "send-0011" | "send-0015") => Some(Class::Permanent),
            // The status of the one message, behind whatever status the request had.
            Some(_) => super::words::class(&super::said::said(reply)).or_else(|| reply.is_success().then_some(Class::Permanent)),
            None if reply.text_at("/Messages/0/Status").is_some_and(|status| status.eq_ignore_ascii_case("error")) => {
                super::words::class(&super::said::said(reply)).or(Some(Class::Permanent))
            }
            None => None,
        }
    }

    fn ping(&self) -> Call {
        Call::get("/v3/REST/sender?Limit=1")
    }
}

/// The key may read both.
impl Traces for Mailjet {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let Some(id) = after.message_id.map(escaped) else { return Vec::new() };
        let ask = |what: &str, reads| Question::of_mail(Call::get(format!("/v3/REST/{what}/{id}")), reads);
        vec![ask("messagehistory", history), ask("message", status)]
    }
}

fn history(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    Some(trace::events(trace::list(reply, "/Data")?, |event| {
        let words = trace::words(event, &["/EventType", "/State", "/Comment"]);
        Some((of_event(trace::text(event, "/EventType"), &words)?, words))
    }))
}

fn status(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    Some(trace::events(trace::list(reply, "/Data")?, |message| {
        let status = trace::text(message, "/Status");
        Some((of_event(status, status)?, status.to_owned()))
    }))
}

fn of_event(event: &str, words: &str) -> Option<Fate> {
    Some(match event {
        "blocked" if ["preblocked", "blacklisted", "unsub"].iter().any(|sign| words.contains(sign)) => Fate::Suppressed,
        "blocked" | "bounce" | "hardbounced" | "softbounced" => Fate::Bounced,
        "spam" | "unsub" => Fate::Suppressed,
        "deferred" => Fate::Deferred,
        "sent" | "opened" | "open" | "clicked" | "click" => Fate::HandedOff,
        "queued" | "unknown" => Fate::Stuck,
        _ => return None,
    })
}
