//! The token: `mc-` and the base32 of id, time of issue and a signature, in lower case.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::{At, CanaryId};

/// What a token begins with, in any case.
pub(super) const PREFIX: &[u8] = b"mc-";
/// Letters and digits behind the prefix: 22 bytes in base32.
pub(super) const BODY_LEN: usize = 36;
/// Length of a token in characters.
pub const TOKEN_LEN: usize = PREFIX.len() + BODY_LEN;

/// Tells these signatures from any others that may ever be made with the same key.
const DOMAIN: &[u8] = b"mailcanary token v1\0";
/// 80 bits: a guess in a mailbox is right once in 10²⁴, and each guess is a mail that we count as forged.
const TAG_LEN: usize = 10;

/// What a probe's ids begin with. Its upper half is empty, which no route's is; the rest keeps what somebody made up from meaning a probe by
/// accident.
const PROBE: u64 = 0xa7;
/// Bits of a probe's id behind [`PROBE`].
const PROBE_BITS: u32 = 24;

/// The secret of an installation: who holds it can make its canaries. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key with these bytes. They must come from a good random source.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes: only for the file that it is kept in.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A started signature. HMAC pads short keys with zeros to the hash's block (RFC 2104), which is done here so that nothing can fail.
    fn mac(&self) -> Hmac<Sha256> {
        let mut block = [0; 64];
        for (padded, byte) in block.iter_mut().zip(self.0) {
            *padded = byte;
        }
        Hmac::new(&block.into()).chain_update(DOMAIN)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The token of `canary`, issued at `at`: 39 characters. The time is kept to the second, from 1970 to 2106.
#[must_use]
pub fn token(key: &Key, canary: CanaryId, at: At) -> String {
    let id = canary.bits().to_be_bytes();
    let secs = u32::try_from(at.as_ms().div_euclid(1000).max(0)).unwrap_or(u32::MAX).to_be_bytes();
    let tag = key.mac().chain_update(id).chain_update(secs).finalize().into_bytes();
    let bytes: Vec<u8> = id.into_iter().chain(secs).chain(tag.into_iter().take(TAG_LEN)).collect();
    format!("mc-{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
}

/// The id of a canary that is sent by hand and belongs to no route; the lower bits of `random` tell it from others.
#[must_use]
pub fn probe_id(random: u32) -> CanaryId {
    CanaryId::from_bits(PROBE << PROBE_BITS | u64::from(random & 0x00ff_ffff))
}

/// Whether a canary is a probe's. Anybody can make a token that says so; it is evidence of nothing, since no route waits for such an id.
#[must_use]
pub const fn is_probe(canary: CanaryId) -> bool {
    canary.bits() >> PROBE_BITS == PROBE
}

/// The canary that `body` says it was issued for, whoever made it.
pub(super) fn claimed(body: &[u8]) -> Option<CanaryId> {
    let bytes = BASE32_NOPAD.decode(&body.to_ascii_uppercase()).ok()?;
    bytes.first_chunk::<8>().map(|id| CanaryId::from_bits(u64::from_be_bytes(*id)))
}

/// The canary that `body`, what stands behind the prefix, was issued for; nothing if it is not of our making. Takes the same time
/// wherever the signature differs.
pub(super) fn verify(key: &Key, body: &[u8]) -> Option<(CanaryId, At)> {
    let bytes = BASE32_NOPAD.decode(&body.to_ascii_uppercase()).ok()?;
    let (id, rest) = bytes.split_first_chunk::<8>()?;
    let (secs, tag) = rest.split_first_chunk::<4>()?;
    if tag.len() != TAG_LEN {
        return None;
    }
    key.mac().chain_update(id).chain_update(secs).verify_truncated_left(tag).ok()?;
    let issued = i64::from(u32::from_be_bytes(*secs)).saturating_mul(1000);
    Some((CanaryId::from_bits(u64::from_be_bytes(*id)), At::from_ms(issued)))
}

/// `text` with `mc-***` in place of every token, of whoever. They stand in subjects, addresses, links and ids, in any case.
#[must_use]
pub fn without_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while let Some(c) = left.chars().next() {
        let token = left.get(..TOKEN_LEN).filter(|token| is_token(token));
        let taken = match token {
            Some(token) => {
                out.push_str("mc-***");
                token.len()
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        left = left.get(taken..).unwrap_or_default();
    }
    out
}

fn is_token(text: &str) -> bool {
    let (begin, body) = text.split_at_checked(PREFIX.len()).unwrap_or_default();
    begin.as_bytes().eq_ignore_ascii_case(PREFIX) && body.bytes().all(|b| b.is_ascii_alphabetic() || (b'2'..=b'7').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key::new([7; 32]);

    #[test]
    fn a_token_says_whose_and_when() {
        let at = At::from_ms(1_659_987_012_345);
        let token = token(&KEY, CanaryId::from_bits(0x0123_4567_89ab_cdef), at);
        assert_eq!(token, "mc-aerukz4jvpg66yxrmrcfbtpar32ozm4hxmqq");
        assert_eq!(token.len(), TOKEN_LEN);
        let found = verify(&KEY, &token.as_bytes()[3..]);
        assert_eq!(found, Some((CanaryId::from_bits(0x0123_4567_89ab_cdef), At::from_ms(1_659_987_012_000))));
    }

    #[test]
    fn the_signature_is_plain_hmac() {
        // openssl: printf 'mailcanary token v1\0' and the 12 bytes of id and time | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…
        let tag = KEY.mac().chain_update([0; 12]).finalize().into_bytes();
        assert_eq!(data_encoding::HEXLOWER.encode(&tag[..10]), "2ae71df55f2eb7b2f94c");
    }

    #[test]
    fn another_key_or_any_changed_bit_does_not_verify() {
        let token = token(&KEY, CanaryId::from_bits(42), At::from_ms(1_000_000));
        let body = &token.as_bytes()[3..];
        assert_eq!(verify(&Key::new([8; 32]), body), None);
        for at in 0..body.len() {
            for other in b"abcdefghijklmnopqrstuvwxyz234567" {
                let mut changed = body.to_vec();
                if changed[at] != *other {
                    changed[at] = *other;
                    assert_eq!(verify(&KEY, &changed), None, "{at} {other}");
                }
            }
        }
    }

    #[test]
    fn times_outside_the_range_are_its_ends() {
        for (ms, secs) in [(-5, 0), (i64::MAX, i64::from(u32::MAX))] {
            let token = token(&KEY, CanaryId::from_bits(1), At::from_ms(ms));
            assert_eq!(verify(&KEY, &token.as_bytes()[3..]).unwrap().1, At::from_ms(secs * 1000));
        }
    }

    #[test]
    fn a_probe_is_known_by_its_id_and_little_else_looks_like_one() {
        let id = probe_id(0xdead_beef);
        assert!(is_probe(id) && id.bits() >> 32 == 0);
        let text = token(&KEY, id, At::from_ms(0));
        assert_eq!(claimed(&text.as_bytes()[3..]), Some(id));
        for other in [0, 7, 0xffff_ffff, 0xa7_0000, 0x0000_0001_a700_0000, u64::MAX] {
            assert!(!is_probe(CanaryId::from_bits(other)), "{other:x}");
        }
    }

    #[test]
    fn a_key_cannot_be_printed() {
        assert_eq!(format!("{:?}", Key::new([0x41; 32])), "***");
    }
}
