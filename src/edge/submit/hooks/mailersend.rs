//! MailerSend: one event a post, its body signed. Nothing of ours comes back but the id of the mail.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::Value;

use super::{Report, Webhook, list};
use crate::edge::post::Post;
use crate::edge::post::proof::Mac;
use crate::edge::submit::api::trace::{text, words};
use crate::model::Fate;

/// A webhook that is signed by this key.
#[derive(Debug)]
pub(super) struct MailerSend(Mac);

impl MailerSend {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Mac::sha256(secret))
    }
}

impl Webhook for MailerSend {
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let tag = HEXLOWER_PERMISSIVE.decode(post.header("signature").trim().as_bytes());
        tag.is_ok_and(|tag| self.0.made(&[post.body], &tag))
    }

    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>> {
        list(post.body)
    }

    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>> {
        let kind = text(event, "/type").strip_prefix("activity.")?;
        let fate = match kind {
            "sent" => Fate::Stuck,
            "deferred" => Fate::Deferred,
            "delivered" | "spam_complaint" => Fate::HandedOff,
            "soft_bounced" | "hard_bounced" | "rejected" => Fate::Bounced,
            "suppressed" => Fate::Suppressed,
            _ => return None,
        };
        let words = words(event, &["/data/type", "/data/morph/reason", "/data/morph/readable_reason"]);
        let words = if words.is_empty() { kind.to_owned() } else { words };
        Some(Report { fate, words, message_id: text(event, "/data/email/message/id"), token: "" })
    }
}
