//! Gmail API, v1.
//!
//! The whole message is sent, as over SMTP. Access tokens come from a refresh token, or from where something else keeps one fresh.

use data_encoding::BASE64URL;
use serde_json::json;

use super::account::Account;
use super::letter::Letter;
use super::said::said;
use super::trace::Traces;
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{GmailSettings, Mailbox};
use crate::edge::submit::message;
use crate::edge::submit::oauth::Tokens;
use crate::edge::submit::{Secrets, SetUpError};
use crate::model::{At, Class};

/// A Google account.
#[derive(Debug)]
pub(in crate::edge::submit) struct Gmail(Account);

impl Service for Gmail {
    type Settings = GmailSettings;

    fn new(from: &Mailbox, settings: &GmailSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        message::address(&from.address).or(Err(SetUpError::From(from.address.clone())))?;
        Ok(Self(Account::with_tokens(&settings.base_url, Tokens::new(&settings.oauth, secrets, &from.address)?)))
    }

    fn account(&self) -> &Account {
        &self.0
    }

    fn authorised(&self, call: Call, _at: At) -> Call {
        call
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        // Both addresses were checked with the configuration; an empty message would be refused in the provider's words.
        let built = message::build(letter.from, letter.mail, letter.canary, letter.at).map(|(_, message)| message).unwrap_or_default();
        Call::json("/gmail/v1/users/me/messages/send", json!({ "raw": BASE64URL.encode(&built) }))
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        reply.id_at("/id").map(|id| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let reason = ["/error/errors/0/reason", "/error/details/0/reason", "/error/status"].iter().find_map(|at| reply.text_at(at))?;
        Some(match reason.as_str() {
            "authError"
            | "UNAUTHENTICATED"
            | "insufficientPermissions"
            | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            | "accessNotConfigured"
            | "SERVICE_DISABLED" => Class::Auth,
            "dailyLimitExceeded" | "quotaExceeded" => Class::Quota,
            "userRateLimitExceeded" | "rateLimitExceeded" | "RATE_LIMIT_EXCEEDED" => daily(reply).unwrap_or(Class::Rate),
            "domainPolicy" => Class::Policy,
            // Mail is switched off for this account.
            "failedPrecondition" | "FAILED_PRECONDITION" if is_bare(reply) => Class::Auth,
            "failedPrecondition" | "FAILED_PRECONDITION" => words::class(&said(reply)).unwrap_or(Class::Suspended),
            "backendError" | "UNAVAILABLE" | "INTERNAL" => Class::Transient,
            _ => return None,
        })
    }

    fn hint(&self, reply: &Reply, _class: Class) -> Option<&'static str> {
        let nobody =
            "see for whom mail is sent: a service account has no mailbox of its own, and needs `acts_for` and domain-wide delegation";
        (is_bare(reply) || said(reply).contains("Delegation denied")).then_some(nobody)
    }

    fn ping(&self) -> Call {
        Call::get("/gmail/v1/users/me/profile")
    }

    fn let_in(&self, reply: &Reply) -> bool {
        // A token that may only send, which is enough.
        let said = said(reply);
        reply.status == 403 && (said.contains("insufficientPermissions") || said.contains("SCOPE_INSUFFICIENT"))
    }
}

/// Google tells nothing of a mail but that it has it.
impl Traces for Gmail {}

/// The day's allowance, which Google words as a rate.
fn daily(reply: &Reply) -> Option<Class> {
    let said = said(reply).to_ascii_lowercase();
    ["daily", "sending limit", "mail sending", "limit for sending mail"].iter().any(|sign| said.contains(sign)).then_some(Class::Quota)
}

/// All that it says of who acts for nobody: a service account has no mailbox of its own.
fn is_bare(reply: &Reply) -> bool {
    said(reply).contains("Precondition check failed")
}
