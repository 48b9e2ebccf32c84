//! The forms in which others repeat a secret.

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Of a shorter secret only itself is looked for: its other forms may stand in any text.
const SHORTEST: usize = 5;
/// A shorter piece of base64 may be a word.
const PIECE: usize = 6;
/// What a URL bears as it is (RFC 3986 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `secret` in every form in which a text may hold it: as it is, percent-encoded, in hex, and in base64 and base64url wherever it may stand in
/// what was encoded. The longest first, so that none leaves a part of another.
#[must_use]
pub fn forms(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    if secret.len() >= SHORTEST {
        let bytes = secret.as_bytes();
        let encoded = utf8_percent_encode(secret, RESERVED).to_string();
        all.extend([HEXLOWER.encode(bytes), HEXUPPER.encode(bytes), encoded.replace("%20", "+"), encoded]);
        for before in 0..3 {
            // The first and the last character depend on what stands beside it.
            let (from, to) = ((before * 8_usize).div_ceil(6), (before + bytes.len()) * 8 / 6);
            let shifted: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
            let pieces = [BASE64.encode(&shifted), BASE64URL.encode(&shifted)];
            all.extend(pieces.iter().filter_map(|piece| piece.get(from..to)).filter(|piece| piece.len() >= PIECE).map(str::to_owned));
        }
    }
    all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_was_encoded() {
        let secret = "hunter2/?~geheim";
        let gone = |text: &str| forms(secret).iter().fold(text.to_owned(), |text, form| text.replace(form, "***"));
        for before in ["", "a", "ab", "user:", "user\0x\0"] {
            for after in ["", "z", "zz", "@host"] {
                let whole = format!("{before}{secret}{after}");
                for text in [BASE64.encode(whole.as_bytes()), BASE64URL.encode(whole.as_bytes()), HEXLOWER.encode(whole.as_bytes())] {
                    let left = gone(&text);
                    assert!(left.contains("***") && left.len() < text.len() - secret.len(), "{text}: {left}");
                }
            }
        }
        assert_eq!(gone("a hunter2/?~geheim b"), "a *** b");
        assert_eq!(gone("k=hunter2%2F%3F~geheim&c=1"), "k=***&c=1");
        assert_eq!(forms("abc"), ["abc"]);
    }
}
