//! Texts by the columns that they take.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::model::hides;

/// Marks on one character that are shown. More are a pile that spills over other lines.
const MARKS: usize = 4;

/// Columns by which what follows a first line stands further in.
const FURTHER: usize = 2;

/// `text` in one line that cannot move the cursor, change colours, or turn or hide other text: such characters are shown by their numbers.
pub(in crate::cli) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0_usize;
    for c in text.trim_end().chars() {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if c.is_control() || hides(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c if marks <= MARKS => shown.push(c),
            _ => {}
        }
    }
    shown
}

/// Columns that `text` takes.
pub(in crate::cli) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `most` columns; what is left out is an ellipsis.
pub(in crate::cli) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    if most == 0 {
        return String::new();
    }
    let (mut kept, _) = split(text, most - 1);
    kept.push('…');
    kept
}

/// The most of `text` that fits into `most` columns, and the rest.
fn split(text: &str, most: usize) -> (String, &str) {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if taken + wide > most {
            let (kept, rest) = text.split_at_checked(at).unwrap_or((text, ""));
            return (kept.to_owned(), rest);
        }
        taken += wide;
    }
    (text.to_owned(), "")
}

/// A line of ours in lines that fit: what follows the first stands further in. Of several lines each; endless where nobody looks.
pub(in crate::cli) fn fold(text: &str, most: Option<usize>) -> Vec<String> {
    let one = |line: &str| {
        let Some(most) = most.filter(|most| width(line) > *most) else { return vec![line.to_owned()] };
        let indent = line.len() - line.trim_start().len();
        let parts = wrap(line.trim_start(), most.saturating_sub(indent + FURTHER));
        let at =
            |(place, part): (usize, String)| format!("{:ahead$}{part}", "", ahead = if place == 0 { indent } else { indent + FURTHER });
        parts.into_iter().enumerate().map(at).collect()
    };
    text.lines().flat_map(one).collect()
}

/// `text` in lines of at most `most` columns: broken at spaces, or after a `/`, or where there is no place otherwise.
pub(in crate::cli) fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines = vec![String::new()];
    for word in words(text) {
        let word = word.as_str();
        let taken = lines.last().map_or(0, |line| width(line));
        if taken > 0 && taken + width(word.trim_end()) > most {
            lines.push(String::new());
        }
        let mut rest = word;
        while width(rest.trim_end()) > most {
            let (kept, left) = split(rest, most);
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(&kept),
                _ => lines.push(kept),
            }
            lines.push(String::new());
            rest = left;
        }
        let fresh = lines.len() > 1 && lines.last().is_some_and(String::is_empty);
        if let Some(line) = lines.last_mut() {
            line.push_str(if fresh { rest.trim_start() } else { rest });
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

/// Pieces after each of which a line may end.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut ended = false;
    for c in text.chars() {
        if ended && c != ' ' {
            words.push(String::new());
        }
        ended = matches!(c, ' ' | '/');
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_harmless() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c\nd\u{9b}2J\r\n"), "a\\u{1b}[31mb\\u{202e}c d\\u{9b}2J");
        assert_eq!(visible("مرحبا 世界 é"), "مرحبا 世界 é");
        assert_eq!(visible(&format!("a{}b", "\u{301}".repeat(500))).chars().count(), 2 + MARKS);
    }

    #[test]
    fn columns_are_counted_not_bytes() {
        assert_eq!((width("世界"), width("é"), width("e\u{301}")), (4, 1, 1));
        assert_eq!(cut("世界世界", 5), "世界…");
        assert_eq!(cut("世界世界", 4), "世…");
        assert_eq!((cut("abc", 3).as_str(), cut("abcd", 3).as_str(), cut("abc", 0).as_str()), ("abc", "ab…", ""));
    }

    #[test]
    fn no_line_is_longer_than_it_may_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("provider/stream/inbox", 16), ["provider/stream/", "inbox"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("  kept indent", 80), ["  kept indent"]);
        for most in 2..30 {
            for text in ["世界 世界世界世界 a/b/c", "a  b   c", "x/yyyyyyyyyyyyyyyyyyyyyyyyy z", "abcdefghijklmnop qrstuvwxyz"] {
                let lines = wrap(text, most);
                assert!(lines.iter().all(|line| width(line) <= most), "{most} {lines:?}");
                let bare = |text: &str| text.replace(' ', "");
                assert_eq!(bare(&lines.concat()), bare(text));
            }
        }
    }
}
