//! Azure Communication Services, e-mail.
//!
//! Requests are signed by HMAC over verb, path, date, host and the body's hash. A mail that is taken is worked on behind its 202: the
//! operation says a moment later whether it was handed out.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::account::Account;
use super::letter::Letter;
use super::said::said;
use super::trace::{self, Question, Said, Traces, escaped};
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{AzureSettings, Mailbox, Templates};
use crate::edge::submit::{After, Secrets, SetUpError};
use crate::model::{At, Class, Fate};

/// Of 2023, which every resource still speaks.
const VERSION: &str = "api-version=2023-03-31";
/// An operation that nobody began: whoever may ask is told that it is not there.
const NOBODYS: &str = "00000000-0000-8000-8000-000000000000";

/// An e-mail resource.
#[derive(Debug)]
pub(in crate::edge::submit) struct Azure {
    /// The key is in base64, as it is handed out.
    account: Account,
}

impl Service for Azure {
    type Settings = AzureSettings;
    const TIMED: bool = true;

    fn new(_from: &Mailbox, settings: &AzureSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Ok(Self { account: Account::new(&settings.base_url, &settings.access_key, &Templates::default(), secrets)? })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn authorised(&self, call: Call, at: At) -> Call {
        let date = chrono::DateTime::from_timestamp_millis(at.as_ms()).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let hash = BASE64.encode(&Sha256::digest(call.body()));
        let url = call.url(&self.account.base_url);
        let bare = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
        let to_sign = format!("{}\n/{path}\n{date};{host};{hash}", call.method());
        // A key that is no base64 signs as it is, and is refused in the provider's words.
        let key = BASE64.decode(self.account.key().trim().as_bytes()).unwrap_or_else(|_| self.account.key().as_bytes().to_vec());
        let signature = Hmac::<Sha256>::new_from_slice(&key).map(|hmac| BASE64.encode(&hmac.chain_update(to_sign).finalize().into_bytes()));
        let proof = format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={}", signature.unwrap_or_default());
        call.header("x-ms-date", &date).header("x-ms-content-sha256", &hash).header("authorization", &proof)
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let body = json!({
            "senderAddress": letter.from.address,
            "recipients": { "to": [{ "address": mail.to }] },
            "content": { "subject": mail.subject, "plainText": mail.text, "html": mail.html },
            "headers": letter.headers(),
            "userEngagementTrackingDisabled": true,
        });
        Call::json(format!("/emails:send?{VERSION}"), body).header("operation-id", &letter.uuid())
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        let id = reply.id_at("/id");
        match reply.text_at("/status")?.as_str() {
            "NotStarted" | "Running" | "Succeeded" => Some(Verdict::accepted(Some(id?))),
            "Failed" | "Canceled" => {
                let class = by_code(reply).or_else(|| words::class(&said(reply)));
                Some(Verdict::refused(class.unwrap_or(Class::Permanent)))
            }
            _ => None,
        }
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        by_code(reply).filter(|_| !reply.is_success())
    }

    fn unfinished(&self, taken: &Reply) -> Option<Call> {
        let running = matches!(taken.text_at("/status")?.as_str(), "NotStarted" | "Running");
        running.then(|| taken.id_at("/id")).flatten().map(|id| Call::get(format!("/emails/operations/{id}?{VERSION}")))
    }

    fn ping(&self) -> Call {
        Call::get(format!("/emails/operations/{NOBODYS}?{VERSION}"))
    }

    fn let_in(&self, reply: &Reply) -> bool {
        reply.status == 404 && reply.json.is_some() && reply.text_at("/error/code").as_deref() != Some("DomainNotLinked")
    }
}

/// The access key may read it. What the receiver said is not told.
impl Traces for Azure {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let path = |id| format!("/emails/operations/{}?{VERSION}", escaped(id));
        after.message_id.map(|id| Question::of_mail(Call::get(path(id)), operation)).into_iter().collect()
    }
}

fn operation(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    let status = reply.text_at("/status").filter(|_| reply.is_success())?;
    let error = reply.json.as_ref().map(|json| trace::words(json, &["/status", "/error/code", "/error/message"])).unwrap_or_default();
    Some(match status.as_str() {
        "NotStarted" | "Running" => Said::Perhaps(Fate::Stuck, status),
        "Succeeded" => Said::Sure(Fate::HandedOff, "Succeeded: handed out for delivery; what the receiver said is not told".to_owned()),
        "Failed" | "Canceled" if by_code(reply) == Some(Class::Suppressed) => Said::Sure(Fate::Suppressed, error),
        "Failed" | "Canceled" => Said::Sure(Fate::Bounced, error),
        _ => return None,
    })
}

fn by_code(reply: &Reply) -> Option<Class> {
    let code = reply.text_at("/error/code")?;
    Some(match code.as_str() {
        "Denied" | "Unauthorized" | "Forbidden" => Class::Auth,
        "DomainNotLinked" | "InvalidSenderUserName" | "SenderNotFound" => Class::Sender,
        "TooManyRequests" => Class::Rate,
        "EmailDroppedAllRecipientsSuppressed" => Class::Suppressed,
        "EmailDroppedInvalidRecipients" | "InvalidRecipients" => Class::Recipient,
        _ => return None,
    })
}
