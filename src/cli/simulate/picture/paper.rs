//! What goes onto the paper: coordinates, and texts that were written elsewhere.

/// A coordinate; a tenth of a pixel is finer than any screen shows.
pub(super) fn px(place: f64) -> String {
    let place = if place.is_finite() { place } else { 0.0 };
    format!("{}", (place * 10.0).round() / 10.0 + 0.0)
}

/// A text as it can stand in XML 1.0: without the characters that no document may have, and no longer than this. Markup is escaped
/// where it is written.
pub(super) fn plain(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    let mut plain: String = text.chars().map(clean).take(most).collect();
    if text.chars().nth(most).is_some() {
        plain.pop();
        plain.push('…');
    }
    plain
}

/// In lines of at most so many characters, broken at spaces; a longer word is cut.
pub(super) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = plain(word, most);
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= most) {
            Some(line) => {
                line.push(' ');
                line.push_str(&word);
            }
            None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_numbers() {
        assert_eq!([1.0, 0.25, -0.01, f64::NAN, f64::INFINITY].map(px), ["1", "0.3", "0", "0", "0"]);
    }

    #[test]
    fn texts_fit_and_can_stand_in_a_document() {
        assert_eq!(plain("a\u{0}b\u{1b}\u{fffe}", 10), "a\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(plain("abcdef", 4), "abc…");
        assert_eq!(wrapped("one two three four", 8), ["one two", "three", "four"]);
        assert_eq!(wrapped("incomprehensible", 8), ["incompr…"]);
    }
}
