//! What an answer means whose code is not known: by its words, then by its status. Pure.
//!
//! Providers word the same thing in a dozen ways and invent more; a page that says `permanent` where the account is suspended costs the
//! person on call the time to read. The order of the rules is the order of how sure the words are.

mod abroad;
mod addresses;

pub(super) use self::addresses::trial;
use self::addresses::{recipient, sender, suppressed};
use super::call::Reply;
use super::said::said;
use crate::model::Class;

/// Words in lower case, without accents, `_` and `-` as spaces.
pub(super) struct Words(String);

/// Whether a rule fits.
type Rule = fn(&Words) -> bool;

const RULES: [(Class, Rule); 12] = [
    (Class::Rate, again_later),
    (Class::Suppressed, suppressed),
    (Class::Policy, trial),
    (Class::Auth, clock),
    (Class::Recipient, recipient),
    (Class::Suspended, suspended),
    (Class::Quota, used_up),
    (Class::Rate, rate),
    (Class::Quota, quota),
    (Class::Sender, sender),
    (Class::Auth, auth),
    (Class::Policy, policy),
];

/// The class of an answer by what it says; nothing if the mail may be on its way all the same.
pub(in crate::edge::submit) fn general(reply: &Reply) -> Option<Class> {
    // A page for people speaks of cookies and scripts, not of our account.
    let by_words = if reply.is_page() { None } else { class(&said(reply)) };
    let by_status = status(reply);
    match (by_words, by_status) {
        // A proxy speaks of itself.
        (_, Some(Class::Network)) => by_status,
        // A limit without a period, behind the status for too many requests.
        (Some(Class::Quota), Some(Class::Rate)) if !used_up(&Words::new(&said(reply))) => Some(Class::Rate),
        // What is behind a gateway may have been taken before the words were written.
        (Some(Class::Auth | Class::Policy), Some(Class::Transient)) => Some(Class::Transient),
        (Some(class), Some(_)) => Some(class),
        (Some(class), None) if !reply.is_success() && reply.json.is_some() => Some(class),
        (_, by_status) => by_status,
    }
}

/// The class that words alone give.
pub(in crate::edge::submit) fn class(text: &str) -> Option<Class> {
    let words = Words::new(text);
    RULES.into_iter().find(|(_, rule)| rule(&words)).map(|(class, _)| class)
}

/// By the status alone; nothing where it does not tell whether the mail was taken.
fn status(reply: &Reply) -> Option<Class> {
    Some(match reply.status {
        401 => Class::Auth,
        402 => Class::Quota,
        // Not the API: something in front of it that does not like this host.
        403 if reply.is_page() => Class::Policy,
        // A proxy on our side.
        407 => Class::Network,
        420 | 429 => Class::Rate,
        408 | 409 | 421 | 423 | 425 => Class::Transient,
        // A gateway that lost the answer says nothing of what it had passed on; the API's own words do.
        502 | 504 if reply.json.is_none() => return None,
        500.. => Class::Transient,
        300..500 => Class::Permanent,
        _ => return None,
    })
}

impl Words {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase().chars().map(abroad::fold).collect())
    }

    pub(super) fn any(&self, signs: &[&str]) -> bool {
        signs.iter().any(|sign| self.0.contains(sign))
    }

    /// One of `words` as a whole word.
    pub(super) fn word(&self, words: &[&str]) -> bool {
        self.0.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
    }

    /// The account or what it may do is spoken of.
    fn of_account(&self) -> bool {
        self.any(&[
            "account",
            "sending",
            "api access",
            "smtp access",
            "api key",
            "apikey",
            "subscription",
            "your domain",
            "workspace",
            "organi",
        ]) || self.word(&["user", "access", "key", "team", "domain", "server", "subaccount", "tenant", "credential"])
    }
}

/// Domains that are too fast are refused by some in the words that they have for those that may not send at all.
fn again_later(words: &Words) -> bool {
    words.any(&["limit exceeded"]) && words.any(&["try again after"])
}

/// Our clock, or the proof that was made by it, is what is wrong.
pub(super) fn clock(words: &Words) -> bool {
    let time = words.any(&[
        "timestamp",
        "time stamp",
        "x ms date",
        "x amz date",
        "date header",
        "request date",
        "request time",
        "system clock",
        "server time",
    ]);
    let off = words.any(&[
        "expired",
        "too old",
        "in the future",
        "too far",
        "outside",
        "within",
        "out of range",
        "differ",
        "not current",
        "invalid",
    ]);
    time && off
        || words.any(&[
            "skew",
            "signature expired",
            "signature not yet current",
            "request has expired",
            "requestexpired",
            "not yet valid",
            "clock is",
            "clocks",
        ])
}

/// States of an account, or of its right to send, in which it sends nothing.
const CLOSED: [&str; 15] = [
    "compromised",
    "locked",
    "blocked",
    "frozen",
    "restricted",
    "limited",
    "probation",
    "hold",
    "closed",
    "halted",
    "stopped",
    "revoked",
    "cancelled",
    "canceled",
    "pending",
];

fn suspended(words: &Words) -> bool {
    let plain = words.any(&[
        "suspend",
        "under review",
        "in review",
        "being reviewed",
        "manual review",
        "pending review",
        "pending approval",
        "pending activation",
        "awaiting approval",
        "under validation",
        "under investigation",
        "placed on hold",
        "put on hold",
        "not authorized to access sendgrid",
        "abnormal activity",
        "unusual activity",
        "suspicious activity",
        "unusual sending activity",
        "bad outbound sender",
        "tenant has exceeded threshold",
        "sending paused",
        "paused",
        "deactivated",
        "not activated",
        "not yet activated",
        "not been activated",
        "not been approved",
        "not approved",
        "terminated",
        "banned",
        "blocked account",
        "verify your account",
        "verify your email address",
        "activate your account",
    ]);
    // So are those told who are only too fast, or at the end of their plan.
    let vague = words.any(&["not allowed to send", "not permitted to send"]) && !words.any(&["to send as"]);
    let state =
        words.any(&["disabled", "deactivat", "inactive", "on hold", "shut down", "shutdown", "switched off", "turned off", "violat"])
            || words.word(&CLOSED) && words.any(&["account", "sending", "access", "subscription", "user is", "team"]);
    // An account whose requests are limited, or whose plan is at its end, is not a suspended one.
    let passing = rate(words) || used_up(words) || words.any(&["quota"]);
    let of_account = words.of_account() && !words.any(&["content", "tracking", "template is", "spam"]);
    plain || vague && !passing || state && !passing && of_account || abroad::suspended(words)
}

fn period(words: &Words) -> bool {
    words.any(&[
        "daily",
        "monthly",
        "per day",
        "per month",
        "a day",
        "a month",
        "24 hour",
        "24hour",
        "this month",
        "the month",
        "the day",
        "today",
        "billing period",
        "hourly quota",
    ])
}

/// The allowance of a day or a month, or what was paid for.
fn used_up(words: &Words) -> bool {
    let over = words.any(&["exceed", "reached", "exhausted", "used up", "too many", "more than", "quota", "no more"])
        || words.word(&["limit", "limits"]);
    let paid = words.any(&[
        "credits",
        "insufficient fund",
        "insufficient balance",
        "payment required",
        "requires payment",
        "last payment",
        "your payment",
        "payment failed",
        "payment method",
        "billing issue",
        "invoice",
        "unpaid",
        "past due",
        "overdue",
        "plan limit",
        "plan allows",
        "upgrade your plan",
        "trial has expired",
        "trial expired",
        "trial ended",
        "free trial",
    ]);
    period(words) && over || paid || abroad::used_up(words)
}

/// Whether words speak of such an allowance.
pub(in crate::edge::submit) fn is_used_up(text: &str) -> bool {
    used_up(&Words::new(text))
}

fn rate(words: &Words) -> bool {
    let plain = words.any(&[
        "too many requests",
        "too many attempts",
        "toomanyrequests",
        "rate limit",
        "ratelimit",
        "rate exceeded",
        "sending rate",
        "throttl",
        "slow down",
        "slowdown",
        "too quickly",
        "too fast",
        "per second",
        "per minute",
        "concurren",
    ]);
    plain || words.any(&["try again in", "retry after", "try again later"]) && words.any(&["too many", "limit"]) || abroad::rate(words)
}

fn quota(words: &Words) -> bool {
    let size = words.any(&["size", "too large", "too long", "attachment", "characters", "bytes", "length"]);
    let plain = words.any(&["quota", "credit", "sending limit", "billing", "allowance", "plan does not", "current plan"]);
    let limit = words.any(&["limit"]) && words.any(&["exceed", "reached", "over"]);
    !size && (plain || limit || words.any(&["exhausted", "balance"]) || abroad::quota(words))
}

fn auth(words: &Words) -> bool {
    let plain = words.any(&[
        "api key",
        "apikey",
        "api token",
        "access token",
        "access key",
        "unauthorized",
        "unauthorised",
        "unauthenticated",
        "authentication",
        "authorization",
        "not authorized",
        "not authorised",
        "credential",
        "access denied",
        "permission",
        "invalid token",
        "invalid key",
        "invalid grant",
        "invalid login",
        "signature",
        "forbidden",
        "ip address",
        "unauthorized ip",
        "unrecognised ip",
        "unrecognized ip",
        "allowlist",
        "whitelist",
    ]);
    plain || abroad::auth(words)
}

fn policy(words: &Words) -> bool {
    words.any(&["spam", "blacklist", "blocklist", "reputation", "phishing", "virus", "malware", "acceptable use", "content rejected"])
        || words.word(&["policy", "dmarc", "spf", "blocked", "prohibited"])
        || abroad::blocked(words)
}

#[cfg(test)]
mod tests;
