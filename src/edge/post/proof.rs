//! How a post proves who it is from: keyed hashes, stamps, passwords. All comparisons take the same time wherever they fail.

use std::fmt;

use ring::hmac;

use crate::model::{At, Span};

/// How far ahead of ours a sender's clock may be.
const AHEAD: Span = Span::from_secs(300);

/// A keyed hash that shows who wrote something. Prints without its key.
#[derive(Clone, Debug)]
pub(crate) struct Mac(hmac::Key);

impl Mac {
    /// HMAC-SHA256.
    pub(crate) fn sha256(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// HMAC-SHA1, where a provider has nothing else. What breaks SHA-1 does not break this use of it (RFC 6151, 2.3, of MD5 even).
    pub(crate) fn sha1(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret))
    }

    /// Whether `tag` is that of the parts together.
    pub(crate) fn made(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        hmac::verify(&self.0, &parts.concat(), tag).is_ok()
    }
}

/// A password that is compared by its hash: neither its length nor its letters show in the time that takes. Prints as `***`.
#[derive(Clone)]
pub(crate) struct Password {
    mac: Mac,
    tag: hmac::Tag,
}

impl Password {
    pub(crate) fn new(password: &[u8]) -> Self {
        let mac = Mac::sha256(b"mailcanary password v1");
        let tag = hmac::sign(&mac.0, password);
        Self { mac, tag }
    }

    pub(crate) fn is(&self, given: &[u8]) -> bool {
        self.mac.made(&[given], self.tag.as_ref())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether a stamp in seconds since 1970 is no older than `oldest`, and not of the future.
pub(crate) fn is_fresh(stamp: &str, at: At, oldest: Span) -> bool {
    let Some(stamp) = stamp.parse::<i64>().ok().and_then(|secs| secs.checked_mul(1000)).map(At::from_ms) else { return false };
    at.since(stamp) <= oldest && stamp.since(at) <= AHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_two_ends() {
        let (at, hour) = (At::from_ms(1_600_000_000_999), Span::from_secs(3600));
        for (stamp, fresh) in [
            ("1600000000", true),
            ("1599996401", true),
            ("1599996399", false),
            ("1600000300", true),
            ("1600000302", false),
            ("-1", false),
            ("9223372036854775807", false),
            ("1600000000.5", false),
            ("", false),
        ] {
            assert_eq!(is_fresh(stamp, at, hour), fresh, "{stamp}");
        }
    }

    #[test]
    fn a_password_is_the_whole_of_it() {
        let password = Password::new(b"user:secret");
        assert!(password.is(b"user:secret"));
        for other in [&b"user:secret\0"[..], b"user:secre", b"", b"user:Secret"] {
            assert!(!password.is(other));
        }
        assert_eq!(format!("{password:?}"), "***");
    }
}
