//! What an SMTP reply says of a refusal: pure functions, the first rule that fits wins.
//!
//! The first digit of a code decides whether to try again; the text decides the reason, since providers use codes loosely: a `451` for
//! credits that are used up, a `421` for a domain that may not send at all.

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
}

/// Whether a rule fits.
type Rule = fn(&Case<'_>) -> bool;

/// The class of a refusal with `code` and `text`, the lines of the reply joined.
pub(super) fn classify(phase: Phase, code: u16, text: &str) -> Class {
    let text = text.to_ascii_lowercase();
    let case = Case { phase, code, enhanced: enhanced(code, &text), text: &text };
    let rules: [(Class, Rule); 11] = [
        (Class::Unknown, |case| !(400..700).contains(&case.code)),
        (Class::Tls, |case| case.phase == Phase::StartTls),
        (Class::Auth, auth),
        (Class::Rate, again_later),
        (Class::Suspended, suspended),
        (Class::Rate, rate),
        (Class::Quota, quota),
        (Class::Sender, sender),
        (Class::Suppressed, suppressed),
        (Class::Recipient, recipient),
        (Class::Policy, policy),
    ];
    let fits = rules.into_iter().find(|(_, rule)| rule(&case)).map(|(class, _)| class);
    fits.unwrap_or(if code < 500 { Class::Transient } else { Class::Permanent })
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

    /// The reply speaks of the recipient's mailbox, not of the account that sends.
    fn of_mailbox(&self) -> bool {
        let coded = matches!(self.detail(), Some((1, 1 | 2 | 3 | 6 | 10) | (2, _)));
        self.phase == Phase::Rcpt && (coded || self.any(&["mailbox", "recipient address rejected", "user unknown", "no such user"]))
    }
}

fn auth(case: &Case<'_>) -> bool {
    if case.phase != Phase::Auth {
        return case.code == 530 || case.any(&["unauthenticated senders not allowed", "authentication required"]);
    }
    let about_account = case.any(&["credits", "quota", "suspend", "disabled", "blocked", "deactivat", "paused", "not yet activated"]);
    let coded = matches!(case.code, 432 | 502 | 504 | 525 | 530 | 534 | 535 | 538) || matches!(case.detail(), Some((7, 8 | 9 | 13)));
    !about_account && (coded || case.any(&["authentication not enabled"]))
}

/// Mailgun refuses domains that are too fast in the words that it has for those that may not send at all.
fn again_later(case: &Case<'_>) -> bool {
    case.any(&["limit exceeded"]) && case.any(&["try again after"]) || case.any(&["#ms42903"])
}

fn suspended(case: &Case<'_>) -> bool {
    let said = case.any(&[
        "suspend",
        "disabled",
        "deactivat",
        "paused",
        "blocked account",
        "account blocked",
        "account is blocked",
        "account has been blocked",
        "not allowed to send",
        "not yet activated",
        "#ms40302",
        "#ms40303",
        "#ms40304",
    ]);
    (said || case.phase == Phase::Auth && case.any(&["blocked"])) && !case.of_mailbox()
}

fn rate(case: &Case<'_>) -> bool {
    match (case.code, case.detail()) {
        (452, Some((5, 3))) | (450, Some((2, 1))) | (_, Some((7, 28))) => true,
        (454, _) => case.any(&["throttling"]),
        (421, _) => case.any(&["limit", "too many"]) || case.word(&["rate", "rates"]),
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
        || case.any(&["credits", "quota", "plan limit", "#ms42204", "#ms42222", "#ms42901"])
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
        "#ms42207",
    ]);
    phase && case.code >= 500 && (case.detail() == Some((1, 8)) || said)
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
    case.phase == Phase::Rcpt && case.code >= 500 && (coded || said)
        || case.phase == Phase::EndOfData && case.code >= 500 && case.detail() == Some((2, 2))
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
