//! Mailgun: one event a post. Its signature stands in the body and covers a stamp and a random text, and not the event.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use serde_json::Value;

use super::{Report, Webhook};
use crate::edge::post::Post;
use crate::edge::post::proof::{Mac, is_fresh};
use crate::edge::submit::api::mailgun::of_event;
use crate::edge::submit::api::trace::text;
use crate::model::Span;

/// It tries again for hours, and does not say that it signs anew.
const OLDEST: Span = Span::from_secs(3600);

/// A webhook that is signed by the account's key.
#[derive(Debug)]
pub(super) struct Mailgun(Mac);

#[derive(Deserialize)]
struct Signed {
    signature: Signature,
}

#[derive(Deserialize)]
struct Signature {
    timestamp: Value,
    token: String,
    signature: String,
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "event-data")]
    event: Value,
}

impl Mailgun {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Mac::sha256(secret))
    }
}

impl Webhook for Mailgun {
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let Ok(Signed { signature }) = serde_json::from_slice(post.body) else { return false };
        let stamp = signature.timestamp.as_str().map_or_else(|| signature.timestamp.to_string(), str::to_owned);
        let tag = HEXLOWER_PERMISSIVE.decode(signature.signature.as_bytes());
        is_fresh(&stamp, post.at, OLDEST) && tag.is_ok_and(|tag| self.0.made(&[stamp.as_bytes(), signature.token.as_bytes()], &tag))
    }

    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>> {
        let told: Told = serde_json::from_slice(post.body).ok()?;
        told.event.is_object().then(|| vec![told.event])
    }

    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>> {
        let (fate, words) = of_event(event)?;
        let message_id = text(event, "/message/headers/message-id");
        Some(Report { fate, words, message_id, token: text(event, "/user-variables/token") })
    }
}
