//! DKIM keys (RFC 6376).

use std::fmt;

use data_encoding::BASE64;
use futures::future::try_join_all;

use super::{LookUpError, Resolver, shown, tags};
use crate::config::ProviderKind;

/// RFC 8301 3.2: RSA keys under 1024 bits are not valid. Such a key is encoded in 162 bytes.
const RSA_LEAST: usize = 160;

/// The keys that a domain signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// Every selector that was asked for, with its key.
    pub keys: Vec<(String, DkimKey)>,
}

/// What stands under one selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DkimKey {
    /// A public key; its kind and its size in bytes as encoded.
    Key {
        /// `rsa` or `ed25519`.
        kind: String,
        /// The encoded key's size.
        bytes: usize,
    },
    /// A key that was withdrawn (`p=` is empty).
    Revoked,
    /// A record that is no key.
    Broken(String),
    /// Nothing.
    Absent,
}

impl Dkim {
    /// Whether there is a key that receivers use under at least one selector.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.keys.iter().any(|(_, key)| matches!(key, DkimKey::Key { kind, bytes } if kind != "rsa" || *bytes >= RSA_LEAST))
    }
}

impl fmt::Display for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found: Vec<_> =
            self.keys.iter().filter(|(_, key)| *key != DkimKey::Absent).map(|(s, key)| format!("`{}`: {key}", shown(s))).collect();
        if found.is_empty() {
            let tried: Vec<_> = self.keys.iter().map(|(s, _)| shown(s)).collect();
            return write!(f, "no DKIM key under the selectors {}", tried.join(", "));
        }
        write!(f, "DKIM {}", found.join("; "))
    }
}

impl fmt::Display for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { kind, bytes } if kind == "rsa" && *bytes < RSA_LEAST => {
                f.write_str("rsa key of less than 1024 bits, which receivers ignore")
            }
            Self::Key { kind, .. } => write!(f, "{} key", shown(kind)),
            Self::Revoked => f.write_str("a key that was withdrawn"),
            Self::Broken(text) => write!(f, "not a key: `{}`", shown(text)),
            Self::Absent => f.write_str("no key"),
        }
    }
}

/// The selectors that a kind of provider usually has its customers publish. For a relay that may be anybody's, the best known.
#[must_use]
pub const fn usual_selectors(kind: &ProviderKind) -> &'static [&'static str] {
    match kind {
        ProviderKind::Mandrill(_) => &["mte1", "mte2", "mandrill", "k1", "k2", "k3"],
        ProviderKind::SendGrid(_) => &["s1", "s2", "m1", "smtpapi"],
        ProviderKind::Postmark(_) => &["pm", "pm-bounces"],
        ProviderKind::Mailgun(_) => &["mg", "mailo", "k1", "pic", "smtp", "krs", "pdk1", "pdk2"],
        ProviderKind::SparkPost(_) => &["scph0316", "scph1122", "scph0922"],
        ProviderKind::Resend(_) => &["resend"],
        ProviderKind::Brevo(_) => &["brevo1", "brevo2", "mail"],
        ProviderKind::Mailjet(_) => &["mailjet"],
        ProviderKind::MailerSend(_) => &["mlsend", "mlsend2"],
        ProviderKind::Azure(_) => &["selector1-azurecomm-prod-net", "selector2-azurecomm-prod-net"],
        ProviderKind::Gmail(_) => &["google"],
        // Amazon SES gives each domain three random ones.
        ProviderKind::Ses(_) | ProviderKind::Smtp(_) | ProviderKind::HttpTrigger(_) => &[
            "default",
            "dkim",
            "mail",
            "google",
            "selector1",
            "selector2",
            "s1",
            "s2",
            "k1",
            "k2",
            "k3",
            "mte1",
            "mte2",
            "mandrill",
            "mg",
            "smtp",
            "pm",
            "mailjet",
            "fm1",
            "fm2",
            "fm3",
        ],
    }
}

pub(super) async fn find(resolver: &Resolver, domain: &str, selectors: &[&str]) -> Result<Dkim, LookUpError> {
    let asked = selectors.iter().map(|selector| async move {
        let texts = resolver.texts("DKIM", &format!("{selector}._domainkey.{domain}")).await?;
        Ok(((*selector).to_owned(), read(texts)))
    });
    try_join_all(asked).await.map(|keys| Dkim { keys })
}

/// The key among a name's texts.
fn read(texts: Vec<String>) -> DkimKey {
    let Some(text) = texts.iter().find(|t| tags(t).any(|(tag, _)| tag == "p")) else {
        return texts.into_iter().next().map_or(DkimKey::Absent, DkimKey::Broken);
    };
    let tag = |name: &str| tags(text).find(|(tag, _)| *tag == name).map(|(_, value)| value);
    // RFC 6376 3.6.1: white space inside of the key is ignored; `v`, if there, is `DKIM1`.
    let encoded: String = tag("p").unwrap_or_default().split_ascii_whitespace().collect();
    if tag("v").is_some_and(|version| version != "DKIM1") {
        return DkimKey::Broken(text.clone());
    }
    if encoded.is_empty() {
        return DkimKey::Revoked;
    }
    match BASE64.decode(encoded.as_bytes()) {
        Ok(key) => DkimKey::Key { kind: tag("k").unwrap_or("rsa").to_owned(), bytes: key.len() },
        Err(_) => DkimKey::Broken(text.clone()),
    }
}
