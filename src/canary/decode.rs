//! What a message may be hiding a token behind, undone: quoted-printable, base64, encoded words, tags, entities, folds.
//!
//! None of this follows the structure of a message: it works as well where a provider broke it, or where the body was cut. Everything is
//! one pass over its input and gives no more than it was given.

use data_encoding::BASE64_NOPAD;
use mail_parser::{HeaderName, HeaderValue, MessageParser};

/// The values of all headers with their encoded words (RFC 2047) decoded, one a line.
pub(super) fn headers(message: &[u8]) -> Vec<u8> {
    // A parser that was told of no header at all falls back to the library's own choice.
    let parser = MessageParser::new().header_text(HeaderName::Subject).default_header_text();
    // Nor does it see a header block that ends without a blank line.
    let closed = [message, b"\r\n\r\n"].concat();
    let mut text = Vec::new();
    for header in parser.parse_headers(&closed).iter().flat_map(|parsed| parsed.headers()) {
        if let HeaderValue::Text(value) = &header.value {
            text.extend_from_slice(value.as_bytes());
            text.push(b'\n');
        }
    }
    text
}

/// Quoted-printable undone, wherever it stands: soft line breaks vanish, `=2D` becomes `-`.
pub(super) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'=' {
            if let Some(after) = soft_break(tail) {
                rest = after;
                continue;
            }
            if let Some((decoded, after)) = hex_pair(tail) {
                out.push(decoded);
                rest = after;
                continue;
            }
        }
        out.push(byte);
    }
    out
}

/// What follows the line break that `text` begins with, blanks before it allowed.
fn soft_break(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    // RFC 2045 allows blanks that a gateway added; a line has at most 998 characters (RFC 5322).
    for _ in 0..998 {
        match rest.split_first()? {
            (b' ' | b'\t' | b'\r', tail) => rest = tail,
            (b'\n', tail) => return Some(tail),
            _ => return None,
        }
    }
    None
}

fn hex_pair(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

/// Every run of lines that looks like base64, decoded, one after the other.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut run = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let bare = line.iter().rposition(|byte| *byte != b'=').map_or(&[][..], |last| line.get(..=last).unwrap_or_default());
        let fits = bare.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        if fits {
            run.extend_from_slice(bare);
        }
        if !fits || bare.len() < line.len() || line.is_empty() {
            flush(&mut run, &mut out);
        }
    }
    flush(&mut run, &mut out);
    out
}

/// Decodes `run` onto `out` and empties it. A run that was cut loses at most its last two bytes.
fn flush(run: &mut Vec<u8>, out: &mut Vec<u8>) {
    let decoded = BASE64_NOPAD.decode(run).or_else(|_| {
        run.truncate(run.len() & !3);
        BASE64_NOPAD.decode(run)
    });
    if let Ok(decoded) = decoded
        && !decoded.is_empty()
    {
        out.extend_from_slice(&decoded);
        out.push(b'\n');
    }
    run.clear();
}

/// Tags gone, numeric entities and percent-encoding undone.
pub(super) fn markup(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'<' if tail.first().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?')) => {
                // An unclosed tag hides the rest of this view only; the text before tags are stripped is searched too.
                rest = tail.iter().position(|byte| *byte == b'>').and_then(|end| tail.get(end.saturating_add(1)..)).unwrap_or_default();
            }
            b'&' => match entity(tail) {
                Some((decoded, after)) => {
                    out.push(decoded);
                    rest = after;
                }
                None => out.push(byte),
            },
            b'%' => match hex_pair(tail) {
                Some((decoded, after)) => {
                    out.push(decoded);
                    rest = after;
                }
                None => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

/// The ASCII character of the numeric entity behind an `&`, with what follows it: `#45;`, `#x2D;`, `#0000045;`.
fn entity(text: &[u8]) -> Option<(u8, &[u8])> {
    // No browser needs more digits than these, and a longer search would not be one pass.
    let end = text.iter().take(12).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(text.get(..end)?).ok()?.strip_prefix('#')?;
    let number = match name.strip_prefix(['x', 'X']) {
        Some(hex) => u8::from_str_radix(hex, 16).ok()?,
        None => name.parse().ok()?,
    };
    Some((number, text.get(end.saturating_add(1)..)?))
}

/// Nothing but the visible ASCII: what a fold, a blank, a zero-width space or the seam of two encoded words tore apart comes together.
pub(super) fn squeezed(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii_graphic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cover_is_undone() {
        assert_eq!(quoted_printable(b"a=2Db=\r\nc= \t\r\nd=zz=\ne="), b"a-bcd=zze=");
        assert_eq!(markup(b"a<b>b</b><wbr>c&#45;&#x2d;&#0045;%2D d < e &amp; <!-- x -->f"), b"abc---- d < e &amp; f");
        assert_eq!(squeezed("a\r\n b\tc\u{200b}d".as_bytes()), b"abcd");
        assert_eq!(headers(b"Subject: =?utf-8?Q?a-?=\r\n =?UTF-8?B?Yi1j?=\r\nX-Y: d\r\n e\r\n\r\nbody"), b"a-b-c\nd e\n");
        assert_eq!(headers(b"Subject: =?utf-8?Q?cut=2D?="), b"cut-\n", "without an end");
    }

    #[test]
    fn base64_is_found_between_other_lines() {
        assert_eq!(base64(b"Header: x\r\n\r\naGVsbG8g\r\nd29ybGQ=\r\n--end--\r\n"), b"hello world\n");
        assert_eq!(base64(b"\naGVsbG8gd29ybGQ\n"), b"hello world\n");
        assert_eq!(base64(b"\naGVsbG8gd29yb"), b"hello wor\n", "cut in the middle");
        assert_eq!(base64(b"Zm9v\r\n\r\nYmFy\r\n"), b"foo\nbar\n", "two parts");
    }

    #[test]
    fn unclosed_things_end_with_the_text() {
        for text in [&b"<b"[..], b"&#", b"%", b"%4", b"=", b"=4", b"&#999;", b"&#x;", b"<", b"& ;"] {
            let _ = (markup(text), quoted_printable(text), base64(text), headers(text));
        }
        assert_eq!(markup(b"a &#999; b %4"), b"a &#999; b %4");
    }
}
