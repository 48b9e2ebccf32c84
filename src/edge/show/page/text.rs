//! Making text that others wrote fit to be shown. Escaping for HTML comes after, with the markup.

use std::fmt::Write as _;

use crate::model::hides;

/// `text` with at most about `limit` bytes. Line breaks and tabs stay; other control characters and those that turn or hide text (bidirectional
/// overrides, zero width) are shown by their numbers: in a mail they are there to deceive.
pub(super) fn plain(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for c in text.chars() {
        if shown.len() >= limit {
            shown.push('…');
            break;
        }
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' => {}
            c if c.is_control() || hides(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(plain("a\u{0}b\u{1b}[31m\u{202e}evil\u{85}\r\nnext", 200), "a\\u{0}b\\u{1b}[31m\\u{202e}evil\\u{85}\nnext");
        assert_eq!(plain("مرحبا ä", 200), "مرحبا ä");
    }

    #[test]
    fn length_is_bounded() {
        assert_eq!(plain(&"ä".repeat(1000), 10), "äääää…");
        assert!(plain(&"\u{0}".repeat(1000), 100).len() < 120);
    }
}
