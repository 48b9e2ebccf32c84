//! The fields of a header, whatever is wrong with it: one pass over the bytes, nothing copied.

use std::borrow::Cow;

/// Bytes of one field that are looked at: RFC 5322 knows no end, and what people write has one.
const MOST: usize = 16 * 1024;

/// The fields of the header that `message` begins with: name and value as they stand, folds and line ends included; the value cut to 16 KiB.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = message;
    // What has no name is no field: the `From ` line of an mbox, or nonsense.
    std::iter::from_fn(move || std::iter::from_fn(|| next(&mut rest)).find_map(named))
}

/// Name and value of a field as it stands, the value cut to 16 KiB.
pub(in crate::canary) fn named(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let (name, value) = field.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    Some((name.trim_ascii(), value.get(..MOST).unwrap_or(value)))
}

/// The next field with its folds; none at the empty line that ends the header, where `rest` stays.
pub(in crate::canary) fn next<'x>(rest: &mut &'x [u8]) -> Option<&'x [u8]> {
    let whole = *rest;
    let mut end = 0;
    loop {
        let left = whole.get(end..).unwrap_or_default();
        let length = left.iter().position(|byte| *byte == b'\n').map_or(left.len(), |at| at.saturating_add(1));
        let line = left.get(..length).unwrap_or_default();
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if line.is_empty() || (end > 0 && !folded) || (end == 0 && line.trim_ascii_end().is_empty()) {
            break;
        }
        end = end.saturating_add(length);
    }
    let (field, after) = whole.split_at_checked(end)?;
    *rest = after;
    (!field.is_empty()).then_some(field)
}

/// A value on one line, with single spaces; what is no text is shown as such.
pub(in crate::canary) fn unfolded(value: &[u8]) -> String {
    let text: Cow<'_, str> = String::from_utf8_lossy(value);
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_anything() {
        let read = |text: &[u8]| fields(text).map(|(n, v)| (String::from_utf8_lossy(n).into_owned(), unfolded(v))).collect::<Vec<_>>();
        let pairs = |all: &[(&str, &str)]| all.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
        assert_eq!(read(b"From x@y Mon Aug  8\r\nA: 1\r\n\t2\r\n  3\r\nb :x\n\nC: body"), pairs(&[("A", "1 2 3"), ("b", "x")]));
        assert_eq!(read(b"A: \0\xff\x1b[2J"), pairs(&[("A", "\u{fffd} [2J")]));
        assert_eq!(read(b" folded\r\nA:1"), pairs(&[("A", "1")]));
        assert!(read(b"").is_empty() && read(b"\r\nA: 1").is_empty() && read(b"nothing").is_empty());
    }
}
