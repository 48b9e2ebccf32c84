//! Slack: the button below a message. A form with one field, signed together with a stamp.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Deed, Reply, Said};
use crate::edge::post::Post;
use crate::edge::post::proof::{Mac, is_fresh};
use crate::model::{At, Span};

/// Its documents: "if the timestamp is more than five minutes from local time, it could be a replay attack".
const OLDEST: Span = Span::from_secs(300);
/// Tells our button from those of others in the same app.
const ACTION: &str = "mailcanary_acknowledge";

/// An app with this signing secret.
#[derive(Debug)]
pub(super) struct Slack(Mac);

impl Slack {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Mac::sha256(secret))
    }
}

/// The button that acknowledges the incident of `key`.
pub(in crate::edge::notify) fn button(key: &str) -> Value {
    let text = json!({ "type": "plain_text", "emoji": false, "text": "Acknowledge" });
    json!({ "type": "actions", "elements": [{ "type": "button", "action_id": ACTION, "text": text, "value": key }] })
}

impl Reply for Slack {
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let (stamp, signature) = (post.header("x-slack-request-timestamp"), post.header("x-slack-signature"));
        let parts = [b"v0:", stamp.as_bytes(), b":", post.body];
        let signed = |tag: &str| HEXLOWER_PERMISSIVE.decode(tag.as_bytes()).is_ok_and(|tag| self.0.made(&parts, &tag));
        is_fresh(stamp, post.at, OLDEST) && signature.strip_prefix("v0=").is_some_and(signed)
    }

    fn words(&self, post: &Post<'_>) -> Option<Vec<Said>> {
        let (_, payload) = form_urlencoded::parse(post.body).find(|(name, _)| name == "payload")?;
        let whole: Value = serde_json::from_str(&payload).ok()?;
        let actions = whole.as_object()?.get("actions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let person = || ["/user/name", "/user/username", "/user/id"].iter().find_map(|at| whole.pointer(at).and_then(Value::as_str));
        let said = |action: &Value| {
            let text = |name: &str| action.get(name).and_then(Value::as_str);
            let key = text("value").filter(|_| text("action_id") == Some(ACTION))?.to_owned();
            let (by, answer_at) =
                (person().unwrap_or_default().to_owned(), whole.get("response_url").and_then(Value::as_str).map(str::to_owned));
            Some(Said { key, deed: Deed::Acknowledged, by, at: text("action_ts").and_then(stamp), answer_at })
        };
        Some(actions.iter().filter_map(said).collect())
    }
}

/// Seconds and a fraction.
fn stamp(text: &str) -> Option<At> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    secs.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(thousandths).map(At::from_ms)
}
