//! Posts as each provider makes them, signed by other code than that which checks them: OpenSSL, and a key pair of another library.

use std::io::Write;
use std::process::{Command, Stdio};

use data_encoding::{BASE64, HEXLOWER};
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use serde_json::{Value, json};

/// Every kind that has a webhook.
pub const KINDS: [&str; 6] = ["mandrill", "sendgrid", "postmark", "mailgun", "resend", "mailersend"];
/// Kinds whose signatures have a stamp.
pub const STAMPED: [&str; 3] = ["sendgrid", "mailgun", "resend"];
/// The host's address as others know it.
pub const PUBLIC_URL: &str = "https://canary.example/below";
/// The secrets of webhooks: the form of Resend's is prescribed, and Postmark's is a log-in.
pub fn secret(kind: &str) -> String {
    match kind {
        "resend" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
        "postmark" => "hook:s3cret:Pässword".to_owned(),
        other => format!("s3cret key of {other}"),
    }
}

/// A post.
#[derive(Clone, Debug)]
pub struct Post {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Post {
    pub fn without_headers(mut self) -> Self {
        self.headers.retain(|(name, _)| *name == "content-type");
        self
    }
}

/// Who signs.
pub struct Signer {
    pub kind: &'static str,
    secret: String,
    pair: KeyPair,
    published: Option<&'static str>,
}

impl Signer {
    pub fn new(kind: &'static str) -> Self {
        Self { kind, secret: secret(kind), pair: KeyPair::generate().unwrap(), published: None }
    }

    /// The same kind with another secret.
    pub fn stranger(kind: &'static str) -> Self {
        let secret = if kind == "resend" { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned() } else { "another:secret".to_owned() };
        Self { secret, ..Self::new(kind) }
    }

    /// SendGrid, as somebody whose public key alone is known.
    pub fn published(key: &'static str) -> Self {
        Self { published: Some(key), ..Self::new("sendgrid") }
    }

    /// What the console shows of the key pair.
    pub fn public_key(&self) -> String {
        self.published.map_or_else(|| BASE64.encode(&self.pair.subject_public_key_info()), str::to_owned)
    }

    /// A post of these events at this second. Kinds that send one event in a post send the first.
    pub fn post(&self, events: &[Value], secs: i64) -> Post {
        let one = events.first().cloned().unwrap_or(Value::Null);
        let body = match self.kind {
            "mandrill" | "sendgrid" => json!(events),
            "mailgun" => {
                let token = "a5d1f3c0b7";
                let tag = HEXLOWER.encode(&hmac("sha256", self.secret.as_bytes(), format!("{secs}{token}").as_bytes()));
                json!({ "signature": { "timestamp": secs.to_string(), "token": token, "signature": tag }, "event-data": one })
            }
            _ => one,
        };
        self.raw(body.to_string().as_bytes(), secs)
    }

    /// A post of these very bytes: for Mandrill as the one field of its form; Mailgun's must hold their signature.
    pub fn raw(&self, bytes: &[u8], secs: i64) -> Post {
        let key = self.secret.as_bytes();
        let mut body = bytes.to_vec();
        let json = ("content-type", "application/json".to_owned());
        let headers = match self.kind {
            "mandrill" => {
                let text = String::from_utf8_lossy(bytes);
                body = url::form_urlencoded::Serializer::new(String::new()).append_pair("mandrill_events", &text).finish().into_bytes();
                let signed = format!("{PUBLIC_URL}/hooks/pmandrill_events{text}");
                let tag = BASE64.encode(&hmac("sha1", key, signed.as_bytes()));
                vec![("content-type", "application/x-www-form-urlencoded".to_owned()), ("x-mandrill-signature", tag)]
            }
            "sendgrid" => {
                let tag = BASE64.encode(&self.pair.sign(&[secs.to_string().as_bytes(), bytes].concat()).unwrap());
                let stamp = ("x-twilio-email-event-webhook-timestamp", secs.to_string());
                vec![json, stamp, ("x-twilio-email-event-webhook-signature", tag)]
            }
            "postmark" => vec![json, ("authorization", format!("Basic {}", BASE64.encode(key)))],
            "mailgun" => vec![json],
            "resend" => {
                let id = "msg_2b5g";
                let key = BASE64.decode(self.secret.trim_start_matches("whsec_").as_bytes()).unwrap();
                let tag = BASE64.encode(&hmac("sha256", &key, &[format!("{id}.{secs}.").as_bytes(), bytes].concat()));
                vec![json, ("svix-id", id.to_owned()), ("svix-timestamp", secs.to_string()), ("svix-signature", format!("v1,{tag}"))]
            }
            _ => vec![json, ("signature", HEXLOWER.encode(&hmac("sha256", key, bytes)))],
        };
        Post { headers, body }
    }
}

/// HMAC by OpenSSL.
pub fn hmac(hash: &str, key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = format!("hexkey:{}", HEXLOWER.encode(key));
    let mut openssl = Command::new("openssl")
        .args(["dgst", &format!("-{hash}"), "-mac", "HMAC", "-macopt", &key, "-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(text).unwrap();
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.len() >= 20);
    output.stdout
}
