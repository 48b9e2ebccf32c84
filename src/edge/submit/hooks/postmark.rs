//! Postmark: one event a post, by who knows the user name and the password.

use data_encoding::BASE64;
use serde_json::Value;

use super::{Report, Webhook, list};
use crate::edge::post::Post;
use crate::edge::post::proof::Password;
use crate::edge::submit::api::trace::{text, words};
use crate::model::Fate;

/// A webhook that logs in.
#[derive(Debug)]
pub(super) struct Postmark(Password);

impl Postmark {
    /// `login` is `user:password`.
    pub(super) fn new(login: &[u8]) -> Self {
        Self(Password::new(login))
    }
}

impl Webhook for Postmark {
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let Some((scheme, login)) = post.header("authorization").split_once(' ') else { return false };
        scheme.eq_ignore_ascii_case("basic") && BASE64.decode(login.trim().as_bytes()).is_ok_and(|login| self.0.is(&login))
    }

    fn events(&self, post: &Post<'_>) -> Option<Vec<Value>> {
        list(post.body)
    }

    fn report<'e>(&self, event: &'e Value) -> Option<Report<'e>> {
        let words = words(event, &["/Type", "/Description", "/Details"]);
        let fate = match (text(event, "/RecordType"), text(event, "/Type")) {
            ("Delivery" | "SpamComplaint", _) | (_, "SpamComplaint") => Fate::HandedOff,
            ("Bounce", "Transient") => Fate::Deferred,
            // What is no bounce, though it is told as one.
            ("Bounce", "AutoResponder" | "Subscribe" | "Unsubscribe" | "AddressChange" | "OpenRelayTest" | "ChallengeVerification") => {
                return None;
            }
            ("Bounce", "SMTPApiError" | "ManuallyDeactivated") if words.to_ascii_lowercase().contains("inactive") => Fate::Suppressed,
            ("Bounce", _) => Fate::Bounced,
            _ => return None,
        };
        let words = if words.is_empty() { text(event, "/RecordType").to_owned() } else { words };
        Some(Report { fate, words, message_id: text(event, "/MessageID"), token: text(event, "/Metadata/token") })
    }
}
