//! A signed webhook after the Standard Webhooks specification 1.0: one POST a notice.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::caller::Caller;
use super::{Attempt, Channel, Origin, Outgoing, SinkError, Tools, fit};
use crate::config::{SigningKey, WebhookSettings};
use crate::model::{At, Notice, NoticeId};

/// The specification asks for less than 20 kB; the envelope and every field but the evidence need under 3 kB of it.
const BODY_LIMIT: usize = 20_000;
const EVIDENCE_LIMIT: usize = 16_000;
const SUMMARY_LIMIT: usize = 300;

/// One receiver.
pub struct Webhook {
    caller: Caller,
    url: Url,
    key: Option<SigningKey>,
    ident: String,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    data: &'a Notice,
}

impl Webhook {
    /// A receiver at its URL; without a secret nothing is signed.
    ///
    /// # Errors
    /// [`SinkError`] if the URL or the secret cannot be used.
    pub(super) fn new(settings: &WebhookSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let url = tools.url(&settings.url)?;
        let secret = settings.secret.as_ref().map(|at| tools.secret(at)).transpose()?;
        let key = secret.as_ref().map(SigningKey::new).transpose().map_err(|error| SinkError::Secret(tools.name.clone(), error))?;
        Ok(Self { caller: Caller::of_url(tools.http()?, &url), url, key, ident: ident(tools.origin) })
    }

    /// The `webhook-id` of a notice: the same at every attempt, after a restart too; no other notice has it. Without a full stop.
    #[must_use]
    pub fn id(&self, notice: NoticeId) -> String {
        format!("msg_{}_{notice}", self.ident)
    }

    /// The body for `notice`, made at `at`: the same bytes each time.
    #[must_use]
    pub fn body(notice: &Notice, at: At) -> Vec<u8> {
        let kind = format!("incident.{}", notice.change.as_str());
        let bytes = |data: &Notice| serde_json::to_vec(&Body { kind: kind.clone(), timestamp: at.rfc3339(), data }).unwrap_or_default();
        let whole = bytes(notice);
        if whole.len() < BODY_LIMIT {
            return whole;
        }
        let evidence = fit::evidence(&notice.evidence, EVIDENCE_LIMIT);
        bytes(&Notice { evidence, summary: fit::cut(&notice.summary, SUMMARY_LIMIT), ..notice.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let id = self.id(out.notice.notice);
        let stamp = now.as_ms().div_euclid(1000);
        let body = Self::body(&out.notice, out.at);
        let mut request = self.caller.post_bytes(self.url.clone(), body.clone());
        request = request.header("webhook-id", &id).header("webhook-timestamp", stamp);
        if let Some(signature) = self.key.as_ref().and_then(|key| sign(key, &id, stamp, &body)) {
            request = request.header("webhook-signature", signature);
        }
        match self.caller.send_only(request).await {
            // Nothing follows from what it says, and it may be anything.
            Ok(answer) => self.caller.judge(&answer, "", now),
            Err(attempt) => attempt,
        }
    }
}

impl Channel for Webhook {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// The body is signed, has its own time, and a repeat is known by its id.
    fn is_exact(&self) -> bool {
        true
    }
}

/// Names are free text and may hold a full stop: the id takes a hash of them.
fn ident(origin: &Origin) -> String {
    let mut hash = Sha256::new();
    for part in [&origin.instance, &origin.installation] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(hash.finalize().get(..8).unwrap_or_default())
}

fn sign(key: &SigningKey, id: &str, stamp: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
    mac.update(format!("{id}.{stamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::model::{Change, Culprit, IncidentId, Kind, Name, Severity};
    use serde_json::json;

    fn notice(evidence: serde_json::Value) -> Notice {
        Notice {
            notice: NoticeId(7),
            incident: IncidentId(3),
            change: Change::Opened,
            kind: Kind::Stopped,
            severity: Severity::Page,
            culprit: Culprit::Provider(Name::new("mailchimp").unwrap()),
            summary: "mailchimp: nothing arrives".to_owned(),
            evidence,
        }
    }

    /// The example of the specification's own libraries.
    #[test]
    fn signs_as_the_specification_does() {
        let key = SigningKey::new(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned())).unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn ids_differ_by_ledger_and_hold_no_full_stop() {
        let origin = |instance: &str, installation: &str| Origin {
            instance: instance.to_owned(),
            installation: installation.to_owned(),
            public_url: None,
            own_url: None,
            runbooks: None,
        };
        let one = ident(&origin("mx.example.net", "a"));
        assert!(!one.contains('.'));
        assert_ne!(one, ident(&origin("mx.example.net", "b")));
        assert_ne!(ident(&origin("ab", "c")), ident(&origin("a", "bc")));
    }

    #[test]
    fn bodies_are_the_notice_and_stay_small() {
        let at = At::from_ms(1_659_987_000_000);
        let body: serde_json::Value = serde_json::from_slice(&Webhook::body(&notice(json!({"sent": 9})), at)).unwrap();
        assert_eq!(body["type"], "incident.opened");
        assert_eq!(body["timestamp"], "2022-08-08T19:30:00.000Z");
        assert_eq!(body["data"], serde_json::to_value(notice(json!({"sent": 9}))).unwrap());

        let mut large = notice(json!({"reply": "ä".repeat(90_000), "sent": 9}));
        large.summary = "\u{1}".repeat(50_000);
        let bytes = Webhook::body(&large, at);
        assert!(bytes.len() < BODY_LIMIT, "{}", bytes.len());
        assert_eq!(bytes, Webhook::body(&large, at));
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["data"]["evidence"]["sent"], 9);
    }
}
