//! What signs webhooks: a secret in the form of the Standard Webhooks specification, `whsec_` and base64.

use std::fmt;

use data_encoding::BASE64_NOPAD;

use super::Secret;

/// Bytes of a key that signs: the specification takes 24 to 64.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that signs. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

/// Why a secret cannot sign. Never shows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Not in the form that the specification gives secrets.
    #[error(
        "the secret does not start with `whsec_`; it is `whsec_` and then base64, for instance from `echo whsec_$(openssl rand -base64 32)`"
    )]
    Plain,
    /// Bytes that are no base64.
    #[error("what follows `whsec_` in the secret is not base64")]
    Base64,
    /// Too short or too long.
    #[error("the secret has {0} bytes after decoding; it takes 24 to 64")]
    Length(usize),
}

impl SigningKey {
    /// The key that `secret` holds.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn new(secret: &Secret) -> Result<Self, SigningKeyError> {
        let text = secret.expose().trim().strip_prefix("whsec_").ok_or(SigningKeyError::Plain)?;
        let key = BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).or(Err(SigningKeyError::Base64))?;
        if LENGTHS.contains(&key.len()) { Ok(Self(key)) } else { Err(SigningKeyError::Length(key.len())) }
    }

    /// Its bytes: only for signing.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    #[test]
    fn secrets_of_another_shape_are_refused_and_not_shown() {
        let key = |text: &str| SigningKey::new(&Secret::new(text.to_owned()));
        let error = |text: &str| key(text).unwrap_err().to_string();
        assert!(error("hunter2").contains("openssl rand -base64 32"));
        assert!(!error("hunter2").contains("hunter2"));
        assert_eq!(error("whsec_!!!"), "what follows `whsec_` in the secret is not base64");
        assert_eq!(error("whsec_c2hvcnQ="), "the secret has 5 bytes after decoding; it takes 24 to 64");
        assert!(error(&format!("whsec_{}", BASE64.encode(&[1; 65]))).contains("65 bytes"));
        let good = key(&format!("whsec_{}\n", BASE64.encode(&[1; 64]))).unwrap();
        assert_eq!((good.expose().len(), format!("{good:?}").as_str()), (64, "***"));
    }
}
