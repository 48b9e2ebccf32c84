//! Every provider's HTTP API against a server that follows its documents: what is sent, and what each answer means.
//!
//! Written from what the providers document, not from the client: signatures are computed here anew.

mod answers;
mod azure;
mod brevo;
pub mod desk;
mod everywhere;
mod gmail;
mod hints;
mod http_trigger;
mod mailersend;
mod mailgun;
mod mailjet;
mod mandrill;
mod postmark;
mod resend;
mod sasl;
mod sendgrid;
pub(crate) mod service_account;
mod ses;
mod signs;
mod sparkpost;
mod traces;
mod xoauth2;

use desk::{Asked, Desk, Strict, Told};
use mailcanary::config;
use serde_json::{Value, json};

use super::*;

pub const FROM: &str = "no-reply@example.com";
pub const NAME: &str = "Exämple, \"Inc.\"";

/// What each provider needs besides its `base_url`.
pub const KINDS: [(&str, &str); 12] = [
    ("mandrill", "api_key = { env = \"KEY\" }"),
    ("sendgrid", "api_key = { env = \"KEY\" }"),
    ("postmark", "api_key = { env = \"KEY\" }"),
    ("mailgun", "api_key = { env = \"KEY\" }\ndomain = \"mg.example.com\""),
    ("ses", "access_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = { env = \"KEY\" }\nregion = \"eu-west-1\""),
    ("sparkpost", "api_key = { env = \"KEY\" }"),
    ("resend", "api_key = { env = \"KEY\" }"),
    ("brevo", "api_key = { env = \"KEY\" }"),
    ("mailjet", "api_key = \"public\"\nsecret_key = { env = \"KEY\" }"),
    ("mailersend", "api_key = { env = \"KEY\" }"),
    ("azure", "access_key = { env = \"KEY\" }"),
    ("gmail", "access_token = { env = \"KEY\" }"),
];

/// The secret that each `{ env = "NAME" }` stands for.
pub fn secret_of(name: &str) -> String {
    BASE64.encode(format!("secret of {name}").as_bytes())
}

/// A provider of `kind`, as a configuration makes it.
pub fn provider(kind: &str, keys: &str) -> Submitter {
    let text = format!(
        "[stream.password-reset]\n[provider.p.{kind}]\nfrom = '{NAME} <{FROM}>'\n{keys}\n[inbox.i.imap]\naddress = \"i@example.org\"\nhost = \"h.example\"\nusername = \"u\"\npassword = {{ env = \"I\" }}\n"
    );
    let settings = config::parse(&text, "watch-1").unwrap_or_else(|complaints| panic!("{complaints:?}")).settings;
    let secrets = |at: &SecretRef| match at {
        SecretRef::Env(name) => Some(Secret::new(secret_of(name))),
        _ => None,
    };
    Submitter::new(&settings.providers["p"], &secrets).unwrap()
}

/// The usual one of `kind`, with more keys, at a server.
pub fn at(kind: &str, port: u16, more: &str) -> Submitter {
    let keys = KINDS.iter().find(|(known, _)| *known == kind).unwrap().1;
    provider(kind, &format!("{keys}\nbase_url = \"http://127.0.0.1:{port}\"\n{more}"))
}

/// Hands the one mail over; the server answers `told`, and what it was asked is held against `strict`.
pub async fn sent(kind: &str, more: &str, told: Told, strict: Strict) -> (Answer, Asked) {
    let desk = Desk::new([told]).await;
    let answer = submit(&at(kind, desk.port, more)).await;
    let mut asked = desk.asked(strict);
    assert_eq!(asked.len(), 1);
    let printed = format!("{answer:?}");
    assert!(!printed.contains(&secret_of("KEY")), "{printed}");
    (answer, asked.remove(0))
}

/// Each answer with what it means.
pub async fn means(kind: &str, cases: Vec<(Told, Outcome)>) {
    let desk = Desk::new(cases.iter().map(|(told, _)| told.clone())).await;
    let submitter = at(kind, desk.port, "");
    let mut wrong = Vec::new();
    for (told, expected) in cases {
        let answer = submit(&submitter).await;
        if answer.outcome != expected {
            wrong.push(format!("{} {}: {:?}, not {expected:?}", told.status, told.body, answer.outcome));
        }
        if expected != Outcome::Accepted {
            assert_eq!(answer.message_id, None, "{answer:?}");
        }
        assert!(answer.reply.unwrap().starts_with(&format!("HTTP {}", told.status)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    desk.asked(|_| ());
}

pub fn refusal(status: u16, body: impl Into<String>, class: Class) -> (Told, Outcome) {
    (Told::new(status, body), Outcome::Refused(class))
}

/// The same, of a JSON value.
pub fn no(status: u16, body: Value, class: Class) -> (Told, Outcome) {
    refusal(status, body.to_string(), class)
}

/// The headers of a canary, by name.
pub fn headers() -> Value {
    Value::Object(mail().headers.into_iter().map(|(name, value)| (name, json!(value))).collect())
}

/// The same as a list.
pub fn header_list(name_key: &str, value_key: &str) -> Value {
    mail().headers.into_iter().map(|(name, value)| json!({ name_key: name, value_key: value })).collect()
}

/// The keys of an object, which must be these and no others.
#[track_caller]
pub fn has_keys(value: &Value, keys: &[&str]) {
    let mut found: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut keys = keys.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys, "{value}");
}

/// A template with a variable of its own.
pub const TEMPLATE: &str = "templates = { password-reset = \"TEMPLATE\" }\nvariables = { reset_url = \"https://example.com/{token}\" }";

/// What such a template is filled with.
pub fn filled() -> Value {
    let mail = mail();
    json!({ "token": mail.token, "subject": mail.subject, "reset_url": format!("https://example.com/{}", mail.token) })
}

use data_encoding::BASE64;
