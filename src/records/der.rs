//! As much of DER (X.690) as tells the size of an RSA key.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The bits of the modulus of an RSA key, written as `SubjectPublicKeyInfo` (RFC 5280) or as `RSAPublicKey` (RFC 8017). `None`: it is neither.
pub(super) fn rsa_bits(key: &[u8]) -> Option<u32> {
    let (whole, _) = element(key, SEQUENCE)?;
    let numbers = match element(whole, SEQUENCE) {
        // The algorithm stands first, then the key in a string of bits, of which none is unused.
        Some((_, rest)) => {
            let (bits, _) = element(rest, BIT_STRING)?;
            let (numbers, _) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
            numbers
        }
        None => whole,
    };
    let (modulus, rest) = element(numbers, INTEGER)?;
    element(rest, INTEGER)?;
    let from = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(from..)?;
    let first = significant.first()?;
    u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(first.leading_zeros())
}

/// The content of the element of this tag that `bytes` begin with, and what stands behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first().filter(|_| *first == tag)?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x0f))?;
            (digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
