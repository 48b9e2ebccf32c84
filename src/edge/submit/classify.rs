//! What an SMTP reply says of a refusal: pure functions, the first rule that fits wins.
//!
//! The first digit of a code decides whether to try again; the text decides the reason, since providers use codes loosely: a `451` for
//! credits that are used up, a `421` for a domain that may not send at all.

use super::api::{class, is_used_up, mailersend};
use crate::model::Class;

/// How far a submission had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The server's first line.
    Banner,
    /// `EHLO`.
    Hello,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`, before the message.
    Data,
    /// The answer to the whole message.
    EndOfData,
}

/// The enhanced code of a reply (RFC 3463).
type Enhanced = (u16, u16, u16);

/// A reply as the rules see it.
struct Case<'a> {
    phase: Phase,
    code: u16,
    enhanced: Option<Enhanced>,
    /// The text in lower case.
    text: &'a str,
    /// What the words alone say, in whatever language: the rules that all providers share.
    said: Option<Class>,
}

/// Whether a rule fits.
type Rule = fn(&Case<'_>) -> bool;

/// The class of a refusal with `code` and `text`, the lines of the reply joined.
pub(super) fn classify(phase: Phase, code: u16, text: &str) -> Class {
    let text = text.to_ascii_lowercase();
    let case = Case { phase, code, enhanced: enhanced(code, &text), text: &text, said: class(&plain(&text)) };
    if let Some(class) = mailersend::by_code(&text) {
        return class;
    }
    let rules: [(Class, Rule); 13] = [
        (Class::Unknown, |case| !(400..700).contains(&case.code)),
        (Class::Tls, |case| case.phase == Phase::StartTls),
        (Class::Policy, trial),
        (Class::Auth, auth),
        (Class::Rate, again_later),
        (Class::Suspended, suspended),
        (Class::Rate, rate),
        (Class::Quota, quota),
        (Class::Sender, sender),
        (Class::Suppressed, suppressed),
        (Class::Recipient, recipient),
        (Class::Auth, no_right),
        (Class::Policy, policy),
    ];
    let fits = rules.into_iter().find(|(_, rule)| rule(&case)).map(|(class, _)| class);
    fits.unwrap_or(if code < 500 { Class::Transient } else { Class::Permanent })
}

/// The text of a reply without the codes, which are no words, and without addresses, which may hold any.
fn plain(text: &str) -> String {
    let words = |line: &str| {
        let line = line.get(4..).unwrap_or_default();
        line.split_whitespace().filter(|word| !word.contains('@') && !word.starts_with("http")).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).collect::<Vec<_>>().join(" ")
}

impl Case<'_> {
    fn any(&self, signs: &[&str]) -> bool {
        signs.iter().any(|sign| self.text.contains(sign))
    }

    /// One of `words` as a whole word: `greylisted` is not `listed`, and `temporary` holds no `rate`.
    fn word(&self, words: &[&str]) -> bool {
        self.text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
    }

    /// Subject and detail of the enhanced code.
    fn detail(&self) -> Option<(u16, u16)> {
        self.enhanced.map(|(_, subject, detail)| (subject, detail))
    }

    /// The mail, or the address that it is from, is refused by a receiver's rules, whatever it says of senders and accounts.
    fn of_policy(&self) -> bool {
        matches!(self.detail(), Some((7, 20..=29 | 509 | 515)))
    }

    /// The reply speaks of the recipient's mailbox, not of the account that sends.
    fn of_mailbox(&self) -> bool {
        let coded = matches!(self.detail(), Some((1, 1 | 2 | 3 | 6 | 10) | (2, _)));
        let said = self.any(&["mailbox", "recipient address rejected", "user unknown", "no such user", "email account that you tried"]);
        self.phase == Phase::Rcpt && (coded || said)
    }
}

fn auth(case: &Case<'_>) -> bool {
    if case.phase != Phase::Auth {
        return case.code == 530 || case.any(&["unauthenticated senders not allowed", "authentication required"]);
    }
    if case.code == 432 && case.any(&["concurren", "too many"]) {
        return false;
    }
    // The log-in as such is switched off, and not the account.
    if case.any(&["smtpclientauthentication"]) {
        return true;
    }
    let about_account = case.any(&["credits", "quota", "suspend", "disabled", "blocked", "deactivat", "paused", "not yet activated"]);
    let coded = matches!(case.code, 432 | 502 | 504 | 525 | 530 | 534 | 535 | 538) || matches!(case.detail(), Some((7, 8 | 9 | 13)));
    let account = about_account || matches!(case.said, Some(Class::Suspended | Class::Quota));
    !account && (coded || case.any(&["authentication not enabled"]))
}

/// Whoever is known all the same, and may not do this.
fn no_right(case: &Case<'_>) -> bool {
    case.code >= 500 && case.any(&["is not authorized to perform", "client was not authenticated", "client not authenticated"])
}

/// A sandbox, or an account on trial, writes to those alone whom its owner has named.
fn trial(case: &Case<'_>) -> bool {
    case.said == Some(Class::Policy) && case.any(&["authorized recipients", "test purposes", "sandbox"])
}

/// Mailgun refuses domains that are too fast in the words that it has for those that may not send at all.
fn again_later(case: &Case<'_>) -> bool {
    case.any(&["limit exceeded"]) && case.any(&["try again after"])
}

fn suspended(case: &Case<'_>) -> bool {
    let said = case.any(&["suspend", "disabled", "deactivat", "paused", "blocked account", "account blocked", "account has been blocked"]);
    let told = said || case.said == Some(Class::Suspended);
    (told || case.phase == Phase::Auth && case.any(&["blocked"])) && !case.of_mailbox() && !case.of_policy()
}

fn rate(case: &Case<'_>) -> bool {
    match (case.code, case.detail()) {
        (452, Some((5, 3))) | (450, Some((2, 1))) | (_, Some((7, 28))) => true,
        (432, _) => case.any(&["concurren", "too many"]),
        (454, _) => case.any(&["throttling"]),
        (421, _) if is_used_up(&plain(case.text)) => false,
        (421, _) => case.any(&["limit", "too many"]) || case.word(&["rate", "rates"]),
        // A limit that comes and goes with the minute.
        (..500, _) if case.phase != Phase::Auth && !case.of_mailbox() => {
            case.said == Some(Class::Rate)
                || case.any(&["rate limit", "message rate", "sending rate"])
                || case.said == Some(Class::Quota) && !is_used_up(&plain(case.text)) && !case.any(&["quota", "credit"])
        }
        _ => false,
    }
}

fn quota(case: &Case<'_>) -> bool {
    // x.2.2 is the recipient's full mailbox, which is "over quota" too.
    if case.detail() == Some((2, 2)) || case.of_mailbox() {
        return false;
    }
    let period = case.any(&["daily", "monthly", "per day", "per month", "a day", "a month"]);
    case.code == 550 && case.detail() == Some((4, 5))
        || case.any(&["credits", "quota", "plan limit"])
        || case.said == Some(Class::Quota)
        || period && case.any(&["limit exceeded", "limit reached", "limit has been", "exceeded the limit", "limit is exceeded"])
}

fn sender(case: &Case<'_>) -> bool {
    // Postfix holds what it has against the sender back until RCPT.
    let phase = matches!(case.phase, Phase::Mail | Phase::Rcpt | Phase::Data | Phase::EndOfData);
    let said = case.any(&[
        "not verified",
        "sender identity",
        "sender verify failed",
        "unconfigured sending domain",
        "unverified sending domain",
        "not owned",
        "send as this sender",
        "sendasdenied",
    ]);
    let of_rules = case.of_policy() || case.word(&["dkim", "spf", "dmarc"]);
    let told = case.said == Some(Class::Sender) && !case.of_mailbox() && !of_rules;
    phase && case.code >= 500 && (case.detail() == Some((1, 8)) || said || told)
}

fn suppressed(case: &Case<'_>) -> bool {
    (605..=607).contains(&case.code) || case.any(&["suppress", "inactive recipient", "previously bounced"])
}

fn recipient(case: &Case<'_>) -> bool {
    let coded = case.code == 551 || matches!(case.detail(), Some((1, 1 | 2 | 3 | 6 | 10) | (2, 1 | 2 | 4)));
    let said = case.any(&[
        "user unknown",
        "no such user",
        "unknown user",
        "invalid recipient",
        "unrouteable address",
        "mailbox unavailable",
        "mailbox not found",
    ]);
    let told = case.said == Some(Class::Recipient) && !case.of_policy();
    case.phase == Phase::Rcpt && case.code >= 500 && (coded || said || told)
        // Some look at the address when they have the whole mail.
        || matches!(case.phase, Phase::Data | Phase::EndOfData)
            && case.code >= 500
            && (told || matches!(case.detail(), Some((1, 1 | 2 | 3 | 6 | 10) | (2, 2))))
}

fn policy(case: &Case<'_>) -> bool {
    let said = case.any(&["spam", "blacklist", "blocklist", "reputation", "relay not permitted"])
        || case.word(&["blocked", "listed", "dmarc", "spf", "dkim"]);
    case.code >= 500 && (said || matches!(case.detail(), Some((7, _)))) || case.code != 421 && said
}

/// The first enhanced code in `text`, unless its class says the opposite of `code`.
fn enhanced(code: u16, text: &str) -> Option<Enhanced> {
    let found = text.split(|c: char| c.is_whitespace() || c == '-').find_map(|word| {
        let mut parts = word.split('.').map(|part| part.parse::<u16>().ok().filter(|_| part.len() <= 3));
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(class @ (2 | 4 | 5))), Some(Some(subject)), Some(Some(detail)), None) => Some((class, subject, detail)),
            _ => None,
        }
    });
    found.filter(|(class, _, _)| (*class == 2) == (200..300).contains(&code))
}

#[cfg(test)]
mod tests;
