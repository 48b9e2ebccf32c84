//! PagerDuty: webhooks V3, one event a post, signed over the body. There is no stamp, but each event says when it was.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::Value;

use super::{Deed, Reply, Said};
use crate::edge::post::Post;
use crate::edge::post::proof::Mac;
use crate::model::At;

/// Signatures that are looked at: there are two while a secret is replaced.
const SIGNATURES: usize = 8;

/// A webhook subscription with this secret.
#[derive(Debug)]
pub(super) struct PagerDuty(Mac);

impl PagerDuty {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Mac::sha256(secret))
    }
}

impl Reply for PagerDuty {
    fn is_genuine(&self, post: &Post<'_>) -> bool {
        let tags = post.header("x-pagerduty-signature").split(',').take(SIGNATURES).filter_map(|tag| tag.trim().strip_prefix("v1="));
        let signed = |tag: &str| HEXLOWER_PERMISSIVE.decode(tag.as_bytes()).is_ok_and(|tag| self.0.made(&[post.body], &tag));
        tags.into_iter().any(signed)
    }

    fn words(&self, post: &Post<'_>) -> Option<Vec<Said>> {
        let whole: Value = serde_json::from_slice(post.body).ok()?;
        let event = whole.get("event").filter(|event| event.is_object())?;
        let text = |at: &str| event.pointer(at).and_then(Value::as_str);
        let by_a_person = text("/agent/type").is_some_and(|kind| kind.starts_with("user"));
        // What we pass on ourselves comes back as the integration's.
        let by_us = text("/agent/type").is_some_and(|kind| kind.contains("integration"));
        let deed = match text("/event_type")? {
            "incident.acknowledged" if !by_us => Deed::Acknowledged,
            "incident.unacknowledged" => Deed::TookBack,
            // What we resolve ourselves is told of, too; and what PagerDuty resolves for its age is not over.
            "incident.resolved" if by_a_person => Deed::Resolved,
            _ => return Some(Vec::new()),
        };
        let Some(key) = text("/data/incident_key") else { return Some(Vec::new()) };
        let said = Said {
            key: key.to_owned(),
            deed,
            by: text("/agent/summary").unwrap_or_default().to_owned(),
            at: text("/occurred_at").and_then(At::from_rfc3339),
            answer_at: None,
        };
        Some(vec![said])
    }
}
