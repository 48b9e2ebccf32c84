//! What to mend first, where the words of a refusal tell more than its class: the person who reads it has been woken by it. Pure.

use super::words::{Words, clock, trial};
use crate::model::Class;

/// Whether words fit a hint.
type Fits = fn(&Words) -> bool;

/// For refusals of each of these classes, the first that fits.
const HINTS: [(&[Class], Fits, &str); 14] = [
    (&[Class::Auth], clock, "the provider says that this host's clock is wrong: mend the clock, not the key"),
    (
        &[Class::Auth, Class::Policy],
        address,
        "let this host's address into the list of those that the account may be used from (allowed or authorised IPs): the key may be good",
    ),
    (
        &[Class::Auth],
        |words| words.any(&["application specific password", "app password"]),
        "make an app password for this account and configure that: its own password is not taken",
    ),
    (
        &[Class::Auth, Class::Suspended],
        switched_off,
        "switch the API, or the log-in over SMTP, on for this account or project in the provider's console: the key may be good",
    ),
    (&[Class::Auth], right, "give the key the right to send, in the provider's console: it is known, and lacks what the reply names"),
    (
        &[Class::Auth],
        |words| words.word(&["expired"]) && words.any(&["revoked", "invalid", "may be"]) && !words.any(&["invalid grant"]),
        "see whether the key or token was revoked, has expired or lost its rights, and configure a new one: the provider does not say which",
    ),
    (
        &[Class::Auth],
        |words| words.word(&["expired", "abgelaufen", "caducado", "caducada", "expire"]),
        "make a new key, token or secret and configure it: this one has expired",
    ),
    (
        &[Class::Auth],
        |words| words.any(&["invalid grant"]) || words.word(&["revoked"]),
        "make a new key or token and configure it: this one has been revoked",
    ),
    (
        &[Class::Policy],
        trial,
        "the domain is a sandbox's, or the account on trial: add the seed to the recipients that it may write to, or use a domain and a plan of your own",
    ),
    (
        &[Class::Quota],
        |words| {
            words.any(&[
                "payment", "invoice", "unpaid", "past due", "overdue", "billing", "zahlung", "rechnung", "factura", "facture", "paiement",
            ])
        },
        "pay what is open in the provider's console: it sends nothing before",
    ),
    (
        &[Class::Policy],
        |words| words.word(&["spf", "dkim", "dmarc"]),
        "look at the sender's SPF, DKIM and DMARC records: the mail is refused for them",
    ),
    (
        &[Class::Policy],
        |words| words.any(&["blocklist", "blacklist", "blocked using", "listed", "reputation", "spamhaus"]),
        "look the address that sends up in the blocklist that the reply names, and ask for its removal",
    ),
    (
        &[Class::Permanent, Class::Transient, Class::Unknown],
        |words| words.any(&["template"]),
        "look at the stored template in the provider's console: it is not there, or cannot be filled",
    ),
    (
        &[Class::Permanent],
        |words| {
            words.any(&[
                "no route",
                "cannot post",
                "route not found",
                "path not found",
                "unknown path",
                "no such endpoint",
                "unknown endpoint",
            ])
        },
        "the API knows no such path: see to `base_url` and the region",
    ),
];

/// The first hint for a refusal of `class` in these words.
pub(in crate::edge::submit) fn hint(class: Class, text: &str) -> Option<&'static str> {
    let words = Words::new(text);
    HINTS.into_iter().find(|(classes, fits, _)| classes.contains(&class) && fits(&words)).map(|(_, _, hint)| hint)
}

/// The address that calls is not let in.
fn address(words: &Words) -> bool {
    let ip = words.any(&["ip address", "ip adresse", "direccion ip", "adresse ip", "client host"]) || words.word(&["ip", "ips"]);
    let how = words.any(&[
        "allow",
        "whitelist",
        "authoriz",
        "authoris",
        "unrecogni",
        "not verified",
        "denied",
        "not permitted",
        "restrict",
        "autoriz",
        "autoris",
        "nicht erlaubt",
        "zugelassen",
    ]);
    ip && how
}

/// The API or the log-in as such is off.
fn switched_off(words: &Words) -> bool {
    let what = words.any(&["api", "smtpclientauthentication", "smtp auth", "smtp access", "mail service", "basic authentication"]);
    let how =
        words.any(&["not enabled", "disabled", "not been used", "switched off", "turned off", "not activated", "accessnotconfigured"]);
    what && how && !words.any(&["api key", "apikey"])
}

/// A key that is known lacks a right.
fn right(words: &Words) -> bool {
    // Who shows a wrong key is known to nobody, and who acts for somebody lacks no right of their own.
    let unknown = words.any(&["wrong credentials", "invalid credentials", "bad credentials", "delegation denied"]);
    !unknown
        && words.any(&[
            "permission",
            "scope",
            "not authorized to perform",
            "insufficient",
            "access denied",
            "accessdenied",
            "restricted api key",
            "does not have access",
            "not have the right",
            "privilege",
            "access forbidden",
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_refusal_say_what_to_mend() {
        let cases = [
            (Class::Auth, "IP not authorized", "this host's address"),
            (Class::Auth, "We have detected you are using an unrecognised IP address 192.0.2.1.", "this host's address"),
            (Class::Auth, "525 5.7.1 Unauthorized IP address", "this host's address"),
            (Class::Auth, "The IP address is not on the allowlist #MS40305", "this host's address"),
            (Class::Auth, "Gmail API has not been used in project 1 before or it is disabled. Enable it by visiting", "switch the API"),
            (
                Class::Auth,
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
                "switch the API",
            ),
            (Class::Auth, "534-5.7.9 Application-specific password required", "app password"),
            (Class::Auth, "User: arn:aws:iam::1:user/x is not authorized to perform: ses:SendEmail", "give the key the right"),
            (Class::Auth, "Request had insufficient authentication scopes.", "give the key the right"),
            (Class::Auth, "The security token included in the request is expired", "has expired"),
            (Class::Auth, "invalid_grant: Token has been revoked", "revoked"),
            (Class::Auth, "The provided authorization grant is invalid, expired, or revoked", "does not say which"),
            (Class::Auth, "The x-ms-date header is not within 5 minutes of the server's time", "mend the clock"),
            (Class::Quota, "We were unable to process your last payment", "pay what is open"),
            (Class::Policy, "Please add your own domain or add the address to authorized recipients", "add the seed"),
            (Class::Policy, "550-5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", "DMARC"),
            (Class::Permanent, "Template not found", "stored template"),
        ];
        for (class, text, expected) in cases {
            let hint = hint(class, text);
            assert!(hint.is_some_and(|hint| hint.contains(expected)), "{text}: {hint:?}");
        }
        for (class, text) in [
            (Class::Auth, "Key not found"),
            (Class::Auth, "Permission denied, wrong credentials"),
            (Class::Auth, "unauthorized"),
            (Class::Auth, "535 5.7.8 Authentication failed"),
            (Class::Suspended, "Your account has been suspended"),
            (Class::Suspended, "This API key has been disabled"),
            (Class::Transient, "503 try later"),
        ] {
            assert_eq!(hint(class, text), None, "{text}");
        }
    }
}
