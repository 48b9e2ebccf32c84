//! Submission: to a real Postfix, Exim and OpenSMTPD, and to servers that behave badly.

pub mod contract;
mod dial;
mod exim;
mod fake;
mod hostile;
mod mandrill;
mod opensmtpd;
mod pool;
mod postfix;

use std::time::Duration;

use mailcanary::canary::{Composed, Key, compose};
use mailcanary::config::{
    Budget, Duty, Mailbox, MandrillSettings, Proof, Provider, ProviderKind, Secret, SecretRef, SmtpLogin, SmtpSettings, Stream, Templates,
    Tls, Wire,
};
use mailcanary::edge::submit::{Answer, Submitter};
use mailcanary::model::{At, CanaryId, Class, Leg, Name, Outcome, Severity, Span};

use crate::support::certs::{Authority, Certificate};
use crate::support::inbox;

const KEY: Key = Key::new([0x5a; 32]);
const CANARY: CanaryId = CanaryId::from_bits(0x0123_4567_89ab_cdef);
const AT: At = At::from_ms(1_659_987_000_000);
const PASSWORD: &str = "s3cret-Pässword!";

fn mail() -> Composed {
    let stream =
        Stream { subject: "Réinitialisez votre mot de passe".to_owned(), deadline: Span::from_secs(900), severity: Severity::Page };
    compose(&KEY, CANARY, AT, &Name::new("password-reset").unwrap(), &stream, &from(), &inbox("seed@inbox.example", true))
}

fn from() -> Mailbox {
    Mailbox { name: Some("Exämple, Inc.".to_owned()), address: "no-reply@example.com".to_owned() }
}

fn secret_ref() -> SecretRef {
    SecretRef::Credential("password".to_owned())
}

fn submitter(kind: ProviderKind, wire: Wire) -> Submitter {
    let provider = Provider { from: from(), dkim_selectors: Vec::new(), budget: Budget::default(), duty: Duty::default(), kind, wire };
    let secrets = |at: &SecretRef| (*at == secret_ref()).then(|| Secret::new(PASSWORD.to_owned()));
    Submitter::new(&provider, &secrets).unwrap()
}

/// SMTP to `localhost`.
fn smtp(port: u16, tls: Tls, user: Option<&str>, wire: Wire) -> Submitter {
    let login = user.map(|user| SmtpLogin { user: user.to_owned(), proof: Proof::Password(secret_ref()) });
    let settings = SmtpSettings { host: "localhost".to_owned(), port, tls, login, hello: Some("watcher.example".to_owned()) };
    submitter(ProviderKind::Smtp(settings), Wire { family: mailcanary::config::Family::V4, ..wire })
}

fn mandrill(port: u16) -> Submitter {
    let base_url = format!("http://127.0.0.1:{port}/api/1.0");
    submitter(
        ProviderKind::Mandrill(MandrillSettings {
            api_key: secret_ref(),
            base_url,
            subaccount: Some("sub".to_owned()),
            webhook_secret: None,
            templates: Templates::default(),
        }),
        Wire::default(),
    )
}

/// Hands the one mail over, and checks what holds for every answer.
async fn submit(submitter: &Submitter) -> Answer {
    let answer = submitter.submit(&mail(), CANARY, AT).await;
    check(&answer);
    answer
}

fn check(answer: &Answer) {
    let printed = format!("{answer:?}");
    assert!(!printed.contains(PASSWORD) && !printed.contains("s3cret"), "{printed}");
    let reply = answer.reply.as_deref().unwrap_or_default();
    assert!(reply.len() <= 4096 && !reply.contains(|c: char| c.is_control() && c != '\n'), "{reply:?}");
}

/// Only this authority is believed.
fn trusting(authority: &Authority) -> Wire {
    Wire { ca_file: Some(authority.file()), ..Wire::default() }
}

/// Certificates that must not be taken from `localhost` by who trusts one authority and no stranger, and what is wrong with each.
fn wrong_certificates(authority: &Authority, stranger: &Authority) -> [(Certificate, &'static str); 3] {
    [
        (authority.issue_expired(&["localhost"]), "certificate expired"),
        (authority.issue(&["mail.example.net"]), "certificate is for another name"),
        (stranger.issue(&["localhost"]), "certificate from an unknown authority"),
    ]
}

#[track_caller]
fn refused(answer: &Answer, class: Class, words: &str) {
    assert_eq!(answer.outcome, Outcome::Refused(class), "{answer:?}");
    let reply = answer.reply.as_deref().unwrap();
    assert!(reply.contains(words), "`{words}` is not in {reply}");
    assert_eq!(answer.message_id, None);
}

const SHORT: Duration = Duration::from_secs(2);
