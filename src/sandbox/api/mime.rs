//! The body of `/messages/send`, and the mail that is made of it.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use serde::Deserialize;
use serde_json::Value;

use crate::model::At;

/// Headers that the fields of a message set, and its `headers` do not.
const OWN_HEADERS: [&str; 9] = ["from", "to", "cc", "bcc", "subject", "date", "message-id", "content-type", "content-transfer-encoding"];

/// What a call asks for.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) recipients: Vec<Recipient>,
    pub(super) asynchronous: bool,
    draft: Draft,
    from: Mailbox,
}

/// One of `to`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Recipient {
    pub(super) email: String,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Call {
    message: Draft,
    #[serde(default, rename = "async")]
    asynchronous: bool,
}

#[derive(Debug, Deserialize)]
struct Draft {
    from_email: String,
    from_name: Option<String>,
    #[serde(default)]
    to: Vec<Recipient>,
    #[serde(default)]
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
}

fn mailbox(name: Option<&str>, email: &str) -> Result<Mailbox, String> {
    let address: Address = email.parse().map_err(|_bad| format!("`{email}` is not a valid email address"))?;
    Ok(Mailbox::new(name.filter(|n| !n.is_empty()).map(str::to_owned), address))
}

impl Submission {
    /// Reads a call, or says in the API's manner what is wrong with it.
    pub(super) fn read(body: Value, most: usize) -> Result<Self, String> {
        let Call { mut message, asynchronous } = serde_json::from_value(body).map_err(|e| format!("Validation error: {e}"))?;
        let from = mailbox(message.from_name.as_deref(), &message.from_email)?;
        let recipients = std::mem::take(&mut message.to);
        if recipients.is_empty() || recipients.len() > most {
            return Err("Validation error: {\"message\":{\"to\":\"Please enter an array of recipients\"}}".to_owned());
        }
        for recipient in &recipients {
            mailbox(recipient.name.as_deref(), &recipient.email)?;
        }
        Ok(Self { recipients, asynchronous, draft: message, from })
    }

    /// The mail to one recipient, under an id. As Mandrill does it: with a Message-ID and a Date of its own.
    pub(super) fn message(&self, id: &str, recipient: &Recipient, at: At) -> Result<Vec<u8>, String> {
        let draft = &self.draft;
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_ms()).unwrap_or(0));
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(mailbox(recipient.name.as_deref(), &recipient.email)?)
            .subject(draft.subject.clone().unwrap_or_default())
            .message_id(Some(format!("<1.{id}@mandrillapp.test>")))
            .date(date)
            .raw_header(raw_header("X-Mandrill-User", "md_1")?)
            .raw_header(raw_header("Feedback-ID", &format!("1:1.{id}:md"))?);
        for (name, value) in draft.headers.iter().flatten() {
            if OWN_HEADERS.iter().all(|own| !own.eq_ignore_ascii_case(name)) {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                builder = builder.raw_header(raw_header(name, &value)?);
            }
        }
        let built = match (draft.text.clone(), draft.html.clone()) {
            (Some(text), Some(html)) => builder.multipart(MultiPart::alternative_plain_html(text, html)),
            (None, Some(html)) => builder.singlepart(SinglePart::html(html)),
            (text, None) => builder.singlepart(SinglePart::plain(text.unwrap_or_default())),
        };
        built.map(|message| message.formatted()).map_err(|e| e.to_string())
    }
}

fn raw_header(name: &str, value: &str) -> Result<HeaderValue, String> {
    let plain = name.bytes().all(|b| b.is_ascii_graphic() && b != b':') && !name.is_empty();
    let checked = if plain { HeaderName::new_from_ascii(name.to_owned()).ok() } else { None };
    checked.map(|name| HeaderValue::new(name, value.to_owned())).ok_or_else(|| format!("`{name}` is no header name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_kept_and_none_can_be_smuggled() {
        let call = serde_json::json!({ "message": {
            "from_email": "a@example.com", "to": [{ "email": "b@example.com" }], "subject": "Grüße\r\nX-Evil: 1", "text": "hi",
            "headers": { "X-Canary": "7\r\nX-Evil: 2", "Message-ID": "<mine@example.com>" },
        }});
        let submission = Submission::read(call, 10).unwrap();
        let message = submission.message("42", &submission.recipients[0], At::from_ms(1_659_987_000_000)).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&message).unwrap();
        assert_eq!(parsed.message_id(), Some("1.42@mandrillapp.test"));
        assert_eq!(parsed.header("X-Mandrill-User").and_then(|v| v.as_text()), Some("md_1"));
        assert!(parsed.header("X-Canary").is_some());
        assert!(parsed.header("X-Evil").is_none(), "{}", String::from_utf8_lossy(&message));
        assert_eq!(parsed.date().map(|d| d.to_rfc3339()).as_deref(), Some("2022-08-08T19:30:00Z"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let read = |body| Submission::read(body, 10).unwrap_err();
        assert!(read(serde_json::json!({})).contains("message"));
        let call = serde_json::json!({ "message": { "from_email": "nobody", "to": [] } });
        assert_eq!(read(call), "`nobody` is not a valid email address");
    }
}
