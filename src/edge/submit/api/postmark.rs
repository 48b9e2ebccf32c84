//! Postmark.
//!
//! The body's `ErrorCode` decides: it looks like HTTP statuses and means other things. A recipient that is suppressed is told of, with a 422
//! or behind a 200.

use serde_json::json;

use super::account::Account;
use super::letter::{Letter, TAG};
use super::trace::{self, Question, Said, Traces, escaped};
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, PostmarkSettings};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate};

/// A Postmark server.
#[derive(Debug)]
pub(in crate::edge::submit) struct Postmark {
    account: Account,
    message_stream: String,
}

impl Service for Postmark {
    type Settings = PostmarkSettings;

    fn new(_from: &Mailbox, settings: &PostmarkSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let account = Account::new(&settings.base_url, &settings.api_key, &settings.templates, secrets)?;
        Ok(Self { account, message_stream: settings.message_stream.clone() })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call.header("x-postmark-server-token", self.account.key())
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let mut body = json!({
            "From": letter.sender_text(),
            "To": mail.to,
            "Headers": letter.header_list("Name", "Value"),
            "Tag": TAG,
            "Metadata": { "canary": letter.canary, "token": mail.token },
            "MessageStream": self.message_stream,
            "TrackOpens": false,
            "TrackLinks": "None",
        });
        let template = letter.template(&self.account.templates);
        if let Some(body) = body.as_object_mut() {
            match &template {
                Some(filled) => {
                    let number = filled.number();
                    body.insert(if number.is_number() { "TemplateId" } else { "TemplateAlias" }.to_owned(), number);
                    body.insert("TemplateModel".to_owned(), json!(filled.variables));
                }
                None => {
                    let parts = [("Subject", &mail.subject), ("TextBody", &mail.text), ("HtmlBody", &mail.html)];
                    body.extend(parts.map(|(name, text)| (name.to_owned(), json!(text))));
                }
            }
        }
        Call::json(if template.is_some() { "/email/withTemplate" } else { "/email" }, body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        // "Delivery may be delayed" comes without an error code: it is queued all the same.
        let id = reply.id_at("/MessageID")?;
        Some(Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let message = reply.text_at("/Message").unwrap_or_default();
        if message.contains("will not deliver to") || message.contains("inactive") && reply.is_success() {
            return Some(Class::Suppressed);
        }
        match reply.text_at("/ErrorCode")?.parse().ok()? {
            0 => None,
            10 => Some(Class::Auth),
            100 => Some(Class::Transient),
            400 | 401 => Some(Class::Sender),
            405 => Some(Class::Quota),
            406 => Some(Class::Suppressed),
            // Before its approval an account may only write to itself.
            412 | 413 => Some(Class::Suspended),
            429 => Some(Class::Rate),
            411 | 1000..2000 => Some(Class::Permanent),
            300 if message.contains("'To'") => Some(Class::Recipient),
            _ => words::class(&message).or_else(|| reply.is_success().then_some(Class::Permanent)),
        }
    }

    fn pretends(&self, reply: &Reply) -> bool {
        // What the server is for, in the answer to a ping: the mail of a sandbox goes nowhere, and is told of as delivered.
        reply.text_at("/DeliveryType").is_some_and(|kind| kind.eq_ignore_ascii_case("sandbox"))
    }

    fn hint(&self, reply: &Reply, _class: Class) -> Option<&'static str> {
        match reply.text_at("/ErrorCode")?.parse().ok()? {
            412 => Some("until Postmark has approved the account, it takes only recipients of the sender's own domain"),
            1220..1300 => Some("see to `message_stream`: the server has no such stream, or it is archived or for other mail"),
            _ => None,
        }
    }

    fn ping(&self) -> Call {
        Call::get("/server")
    }
}

/// The server's token may read both.
impl Traces for Postmark {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let details =
            after.message_id.map(|id| Question::of_mail(Call::get(format!("/messages/outbound/{}/details", escaped(id))), details));
        let (stream, seed) = (escaped(&self.message_stream), escaped(after.recipient));
        let dump = Call::get(format!("/message-streams/{stream}/suppressions/dump?EmailAddress={seed}"));
        details.into_iter().chain([Question::of_seed(dump, suppressions)]).collect()
    }
}

fn details(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    // Error 701: there is no such message.
    if reply.status == 422 && reply.text_at("/ErrorCode").as_deref() == Some("701") {
        return Some(Said::Nothing);
    }
    let status = reply.text_at("/Status")?;
    let told = trace::events(trace::list(reply, "/MessageEvents")?, |event| {
        let words = trace::words(event, &["/Details/DeliveryMessage", "/Details/Summary", "/Details/DestinationServer"]);
        let fate = match trace::text(event, "/Type") {
            "Delivered" => Fate::HandedOff,
            "Transient" => Fate::Deferred,
            "Bounced" => Fate::Bounced,
            _ => return None,
        };
        Some((fate, words))
    });
    Some(if told == Said::Nothing { Said::Perhaps(Fate::Stuck, status) } else { told })
}

fn suppressions(reply: &Reply, after: &After<'_>) -> Option<Said> {
    Some(trace::listed(trace::list(reply, "/Suppressions")?, after, "/EmailAddress", &["/SuppressionReason", "/Origin", "/CreatedAt"]))
}
