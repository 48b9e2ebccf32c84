//! SendGrid's signed event webhook: a list of events, signed with a key on P-256 together with its stamp.

use data_encoding::BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use super::{Report, Webhook, list};
use crate::config::PublicKey;
use crate::edge::post::Post;
use crate::edge::post::proof::is_fresh;
use crate::edge::submit::api::trace::{text, words};
use crate::model::{Fate, Span};

/// What other receivers allow it.
const OLDEST: Span = Span::from_secs(300);

/// A webhook that is signed by the other half of this key.
#[derive(Debug)]
pub(super) struct SendGrid(UnparsedPublicKey<Vec<u8>>);

impl SendGrid {
    pub(super) fn new(key: &PublicKey) -> Self {
        Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.point().to_vec()))
    }
}

impl Webhook for SendGrid {
    /// The stamp, then the body.
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let stamp = post.header("x-twilio-email-event-webhook-timestamp");
        let signature = BASE64.decode(post.header("x-twilio-email-event-webhook-signature").as_bytes());
        let signed = [stamp.as_bytes(), post.body].concat();
        is_fresh(stamp, post.at, OLDEST) && signature.is_ok_and(|signature| self.0.verify(&signed, &signature).is_ok())
    }

    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>> {
        list(post.body)
    }

    /// `custom_args` stand beside the event's own fields.
    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>> {
        let fate = match text(event, "/event") {
            "processed" => Fate::Stuck,
            "deferred" => Fate::Deferred,
            "delivered" | "spamreport" => Fate::HandedOff,
            "dropped" if is_suppressed(text(event, "/reason")) => Fate::Suppressed,
            "bounce" | "blocked" | "dropped" => Fate::Bounced,
            _ => return None,
        };
        let words = words(event, &["/event", "/status", "/reason", "/response"]);
        Some(Report { fate, words, message_id: text(event, "/sg_message_id"), token: text(event, "/token") })
    }
}

/// Whether a mail was dropped for its recipient, and not for its content or the account.
fn is_suppressed(reason: &str) -> bool {
    let addresses = ["Bounced Address", "Unsubscribed Address", "Spam Reporting Address", "Invalid Address"];
    reason == "Invalid" || addresses.iter().any(|address| reason.starts_with(address))
}
