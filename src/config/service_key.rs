//! What a Google service account signs with: the key file, in JSON, that Google gives it.

use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign;
use serde::Deserialize;
use serde_json::json;

use super::Secret;

/// The key of a service account. Prints without it.
#[derive(Clone)]
pub struct ServiceKey {
    email: String,
    id: Option<String>,
    key: Arc<dyn sign::SigningKey>,
}

/// Why a secret is no key of a service account. Never shows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceKeyError {
    /// Not a key file.
    #[error("it is not the JSON key file of a service account: `client_email` and `private_key` are wanted")]
    File,
    /// `private_key` is no private key.
    #[error("`private_key` is not a private key in PEM form")]
    Pem,
    /// `private_key` is a key of another kind.
    #[error("`private_key` is not an RSA key")]
    Rsa,
}

/// What is needed of a key file.
#[derive(Deserialize)]
struct File {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
}

impl ServiceKey {
    /// The key that `secret` holds.
    ///
    /// # Errors
    /// [`ServiceKeyError`].
    pub fn new(secret: &Secret) -> Result<Self, ServiceKeyError> {
        let file: File = serde_json::from_str(secret.expose()).or(Err(ServiceKeyError::File))?;
        let der = PrivateKeyDer::from_pem_slice(file.private_key.as_bytes()).or(Err(ServiceKeyError::Pem))?;
        let key = rustls::crypto::ring::sign::any_supported_type(&der).or(Err(ServiceKeyError::Pem))?;
        let key = Self { email: file.client_email, id: file.private_key_id, key };
        key.signed(b"").ok_or(ServiceKeyError::Rsa)?;
        Ok(key)
    }

    /// Its word that it may have `scope` in the name of `user`, for `audience`, from `issued_secs` on for an hour (RFC 7523): a JWT signed by
    /// RS256. Empty if it cannot sign, which was tried at the start.
    #[must_use]
    pub fn assertion(&self, user: &str, scope: &str, audience: &str, issued_secs: i64) -> String {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.id });
        let expires = issued_secs.saturating_add(3600);
        let claims = json!({ "iss": self.email, "sub": user, "scope": scope, "aud": audience, "iat": issued_secs, "exp": expires });
        let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let said = format!("{}.{}", part(header), part(claims));
        self.signed(said.as_bytes()).map_or_else(String::new, |signature| format!("{said}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    fn signed(&self, said: &[u8]) -> Option<Vec<u8>> {
        self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?.sign(said).ok()
    }
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceKey").field("email", &self.email).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_file_is_refused_and_not_shown() {
        let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let file = |key: &str| json!({ "client_email": "a@b.example", "private_key": key }).to_string();
        let cases = [
            ("hunter2".to_owned(), ServiceKeyError::File),
            (r#"{"type":"authorized_user","refresh_token":"hunter2"}"#.to_owned(), ServiceKeyError::File),
            (file("hunter2"), ServiceKeyError::Pem),
            (file("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), ServiceKeyError::Pem),
            (file(&elliptic), ServiceKeyError::Rsa),
        ];
        for (text, expected) in cases {
            let error = ServiceKey::new(&Secret::new(text.clone())).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
