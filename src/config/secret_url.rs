//! A web address that is a secret: whoever knows it may write there.

use std::fmt;

use url::Url;

use super::Secret;
use super::value::is_loopback_url;

/// An address that opens a door. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

/// Why a secret is no address. Never shows any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretUrlError {
    /// No `https://` at its beginning, or no host.
    #[error("it does not begin with https:// and a host")]
    NoUrl,
    /// In the clear to another machine.
    #[error("it begins with http://, which would send it in the clear; that is for this machine alone")]
    Clear,
    /// With a user name or a password.
    #[error("it has a user name or password in it")]
    User,
}

impl SecretUrl {
    /// The address that `secret` holds.
    ///
    /// # Errors
    /// [`SecretUrlError`].
    pub fn new(secret: &Secret) -> Result<Self, SecretUrlError> {
        let url = Url::parse(secret.expose().trim()).or(Err(SecretUrlError::NoUrl))?;
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none_or(str::is_empty) {
            return Err(SecretUrlError::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SecretUrlError::User);
        }
        if url.scheme() == "http" && !is_loopback_url(&url) { Err(SecretUrlError::Clear) } else { Ok(Self(url)) }
    }

    /// The address itself: only for the wire.
    #[must_use]
    pub const fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_keep_their_secret_pass() {
        let error = |text: &str| SecretUrl::new(&Secret::new(text.to_owned())).unwrap_err();
        for bad in ["hunter2", "ftp://hunter2.example/", "https://", "//hooks.example/hunter2", "mailto:hunter2@example.com"] {
            assert_eq!(error(bad), SecretUrlError::NoUrl, "{bad}");
        }
        assert_eq!(error("http://hooks.example/hunter2"), SecretUrlError::Clear);
        assert_eq!(error("https://a:hunter2@hooks.example/"), SecretUrlError::User);
        for good in ["https://hooks.example/hunter2\n", "http://127.0.0.1:1/hunter2", "https://x.example/?sig=hunter2"] {
            assert_eq!(format!("{:?}", SecretUrl::new(&Secret::new(good.to_owned())).unwrap()), "***");
        }
    }
}
