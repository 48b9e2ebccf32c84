//! What a provider's webhook proves itself by, where that is no secret; and which providers have one.

use std::fmt;

use data_encoding::BASE64;

use super::ProviderKind;

/// What stands before the point in a public key on P-256 in DER (RFC 5480): both lengths, the two algorithms, no unused bits.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: a mark and two coordinates.
const POINT: usize = 65;

/// A public key on the curve P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; POINT]);

/// A text that is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a public key on the curve P-256, in base64")]
pub struct PublicKeyError;

impl PublicKey {
    /// The key that `text` holds: base64 of its DER form, as consoles show it.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn new(text: &str) -> Result<Self, PublicKeyError> {
        let der = BASE64.decode(text.trim().as_bytes()).or(Err(PublicKeyError))?;
        let point: [u8; POINT] = der.strip_prefix(&HEAD).and_then(|point| point.try_into().ok()).ok_or(PublicKeyError)?;
        if point.first() == Some(&4) { Ok(Self(point)) } else { Err(PublicKeyError) }
    }

    /// Its point, uncompressed.
    #[must_use]
    pub const fn point(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey")
    }
}

impl ProviderKind {
    /// The key of the settings by which its webhook proves itself, if the provider has one and it is set.
    #[must_use]
    pub const fn hook_key(&self) -> Option<&'static str> {
        let is_set = match self {
            Self::Mandrill(settings) => settings.webhook_secret.is_some(),
            Self::Postmark(settings) => settings.webhook_secret.is_some(),
            Self::Mailgun(settings) => settings.webhook_secret.is_some(),
            Self::Resend(settings) => settings.webhook_secret.is_some(),
            Self::MailerSend(settings) => settings.webhook_secret.is_some(),
            Self::SendGrid(settings) if settings.webhook_public_key.is_some() => return Some("webhook_public_key"),
            Self::SendGrid(_)
            | Self::Ses(_)
            | Self::SparkPost(_)
            | Self::Brevo(_)
            | Self::Mailjet(_)
            | Self::Azure(_)
            | Self::Gmail(_)
            | Self::Smtp(_)
            | Self::HttpTrigger(_) => false,
        };
        if is_set { Some("webhook_secret") } else { None }
    }

    /// Whether it tells by its webhook what became of mails.
    #[must_use]
    pub const fn is_hooked(&self) -> bool {
        self.hook_key().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_on_p256_are_taken() {
        // The example of SendGrid's own libraries.
        let key =
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
        assert_eq!(PublicKey::new(&format!(" {key}\n")).unwrap().point().len(), POINT);
        // Another curve (secp256k1), another algorithm (Ed25519), cut, no base64, nothing.
        let others = [
            "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
            key.trim_end_matches('='),
            "-----BEGIN PUBLIC KEY-----",
            "",
        ];
        for other in others {
            assert_eq!(PublicKey::new(other), Err(PublicKeyError), "{other}");
        }
    }
}
