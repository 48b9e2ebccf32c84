//! How things are put in words wherever they are shown, and characters that foreign text may not bring along unseen.

/// A certainty in words: `97 %`, `more than 99.9 %`. Never whole: nobody is that sure.
#[must_use]
pub fn certain(sure: f64) -> String {
    let tenths = (sure.clamp(0.0, 1.0) * 1000.0).round();
    if tenths > 999.0 {
        return "more than 99.9 %".to_owned();
    }
    if tenths % 10.0 == 0.0 { format!("{:.0} %", tenths / 10.0) } else { format!("{:.1} %", tenths / 10.0) }
}

/// A count with its thousands apart: `10,000`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let apart = |(place, digit): (usize, char)| {
        let comma = (place > 0 && (digits.len() - place).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain(std::iter::once(digit))
    };
    digits.chars().enumerate().flat_map(apart).collect()
}

/// Whether a character turns or hides text (bidirectional overrides, zero width, tags): in a mail they are there to deceive.
#[must_use]
pub const fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Foreign text on one line, with nothing in it that hides, turns or commands: for a log.
#[must_use]
pub fn on_a_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || hides(c) { ' ' } else { c }).collect()
}

/// Foreign text in backticks. What would end the quotation, or cannot be seen, is put as something else: between its backticks nothing is
/// markup, in whatever a sentence is shown by.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("`{}`", inert(text))
}

/// A foreign value as it is typed into a shell. One that could end its quotation is not offered to be copied there: it is somebody else's.
#[must_use]
pub fn typed(value: &str) -> String {
    if value.contains(['\'', '`']) { "VALUE".to_owned() } else { format!("'{value}'") }
}

/// Foreign words in quotation marks, as somebody said them; inert in the same way.
#[must_use]
pub fn spoken(words: &str) -> String {
    format!("\"{}\"", inert(words).replace('"', "'"))
}

fn inert(text: &str) -> String {
    let safe = |c: char| match c {
        '`' => '\'',
        c if c.is_control() || hides(c) => '?',
        c => c,
    };
    text.chars().map(safe).collect()
}

/// An error with its causes: `what: why`.
#[must_use]
pub fn chained(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        let said = inner.to_string();
        // SQLite says what it says twice, the second time with its number.
        let numbered = said.strip_prefix("Error code ").and_then(|rest| rest.split_once(": "));
        if !numbered.is_some_and(|(_, words)| text.to_lowercase().ends_with(&words.to_lowercase())) {
            text += ": ";
            text += &said;
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_its_quotation() {
        assert_eq!(quoted("a` [b](c) *d* `e\u{202e}\n"), "`a' [b](c) *d* 'e??`");
        assert_eq!(spoken("no \"such\" `user`"), "\"no 'such' 'user'\"");
    }

    #[test]
    fn nobody_is_quite_sure() {
        let said = [0.0, 0.97, 0.9731, 0.999, 0.9994, 0.9995, 1.0, 7.0, f64::NAN].map(certain);
        assert_eq!(said[..5], ["0 %", "97 %", "97.3 %", "99.9 %", "99.9 %"]);
        assert!(said[5..8].iter().all(|words| words == "more than 99.9 %"), "{said:?}");
    }
}
