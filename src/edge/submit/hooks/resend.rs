//! Resend: one event a post, signed after the Standard Webhooks specification under its older names (Svix).

use data_encoding::BASE64;
use serde_json::Value;

use super::{Report, Webhook, list};
use crate::config::SigningKey;
use crate::edge::post::Post;
use crate::edge::post::proof::{Mac, is_fresh};
use crate::edge::submit::api::resend::fate;
use crate::edge::submit::api::trace::{text, words};
use crate::model::{Fate, Span};

/// The tolerance of the specification's own libraries.
const OLDEST: Span = Span::from_secs(300);
/// Signatures that are looked at: there are two while a secret is replaced.
const SIGNATURES: usize = 8;

/// A webhook that is signed by this key.
#[derive(Debug)]
pub(super) struct Resend(Mac);

impl Resend {
    pub(super) fn new(key: &SigningKey) -> Self {
        Self(Mac::sha256(key.expose()))
    }
}

impl Webhook for Resend {
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let either = |name: &str| {
            let old = post.header(&format!("svix-{name}"));
            if old.is_empty() { post.header(&format!("webhook-{name}")) } else { old }
        };
        let (id, stamp) = (either("id"), either("timestamp"));
        let tags = either("signature").split(' ').take(SIGNATURES).filter_map(|signature| signature.strip_prefix("v1,"));
        let parts = [id.as_bytes(), b".", stamp.as_bytes(), b".", post.body];
        let signed = |tag: &str| BASE64.decode(tag.as_bytes()).is_ok_and(|tag| self.0.made(&parts, &tag));
        !id.is_empty() && is_fresh(stamp, post.at, OLDEST) && tags.into_iter().any(signed)
    }

    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>> {
        list(post.body)
    }

    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>> {
        let kind = text(event, "/type").strip_prefix("email.")?;
        let why = ["/data/bounce/type", "/data/bounce/subType", "/data/bounce/message", "/data/failed/reason", "/data/suppressed/message"];
        // It is told that a mail was opened; that says nothing of the way that it took.
        let fate = fate(kind).filter(|_| !matches!(kind, "opened" | "clicked"))?;
        let by_list = ["/data/bounce/type", "/data/bounce/subType"].iter().any(|at| text(event, at).contains("Suppress"));
        Some(Report {
            fate: if fate == Fate::Bounced && by_list { Fate::Suppressed } else { fate },
            words: format!("{kind} {}", words(event, &why)),
            message_id: text(event, "/data/email_id"),
            token: tag(event.pointer("/data/tags"), "token"),
        })
    }
}

/// A tag of a mail: they come as an object, and were sent as a list.
fn tag<'e>(tags: Option<&'e Value>, name: &str) -> &'e str {
    let value = match tags {
        Some(Value::Object(tags)) => tags.get(name),
        Some(Value::Array(tags)) => tags.iter().find(|tag| text(tag, "/name") == name).and_then(|tag| tag.get("value")),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => None,
    };
    value.and_then(Value::as_str).unwrap_or_default()
}
