//! Mailchimp Transactional (Mandrill): a form with a list of events, signed together with the address that it is posted to.

use data_encoding::BASE64;
use serde_json::Value;
use url::form_urlencoded;

use super::{Report, Webhook, list};
use crate::edge::post::Post;
use crate::edge::post::proof::Mac;
use crate::edge::submit::api::mandrill::is_suppressed;
use crate::edge::submit::api::trace::{by_reply, text, words};
use crate::model::Fate;

/// The field with the events.
const EVENTS: &str = "mandrill_events";

/// A webhook at an address.
#[derive(Debug)]
pub(super) struct Mandrill {
    mac: Mac,
    url: String,
}

impl Mandrill {
    pub(super) fn new(secret: &[u8], url: String) -> Self {
        Self { mac: Mac::sha1(secret), url }
    }
}

impl Webhook for Mandrill {
    /// The address, then every field's name and value in the order of the names.
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let mut fields: Vec<_> = form_urlencoded::parse(post.body).collect();
        // The post that tries a new address has no events, and is signed by a key that everybody has: nothing follows from it.
        if matches!(&*fields, [(name, events)] if name == EVENTS && events.trim() == "[]") {
            return true;
        }
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        let signed = fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let parts: Vec<&[u8]> = std::iter::once(self.url.as_bytes()).chain(signed).collect();
        BASE64.decode(post.header("x-mandrill-signature").as_bytes()).is_ok_and(|tag| self.mac.made(&parts, &tag))
    }

    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>> {
        let (_, events) = form_urlencoded::parse(post.body).find(|(name, _)| name == EVENTS)?;
        list(events.as_bytes())
    }

    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>> {
        let replies = event.pointer("/msg/smtp_events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let diag = replies.iter().map(|reply| text(reply, "/diag")).rfind(|diag| by_reply(diag).is_some()).unwrap_or_default();
        let reason = ["/msg/reject/reason", "/msg/reject_reason", "/msg/reject"].map(|at| text(event, at)).concat();
        let kind = text(event, "/event");
        let fate = match kind {
            "delivered" | "spam" => Fate::HandedOff,
            "send" => by_reply(diag).unwrap_or(Fate::Stuck),
            "deferral" => Fate::Deferred,
            "reject" if is_suppressed(&reason) => Fate::Suppressed,
            "hard_bounce" | "soft_bounce" | "reject" => Fate::Bounced,
            _ => return None,
        };
        let told = words(event, &["/event", "/msg/diag", "/msg/bounce_description"]);
        Some(Report {
            fate,
            words: [told.as_str(), reason.as_str(), if told.contains(diag) { "" } else { diag }].join(" "),
            message_id: [text(event, "/_id"), text(event, "/msg/_id")].into_iter().find(|id| !id.is_empty()).unwrap_or_default(),
            token: text(event, "/msg/metadata/token"),
        })
    }
}
