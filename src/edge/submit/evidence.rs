//! The provider's own words, made safe to keep: bounded, without control characters, without secrets.

use crate::config::forms;

/// What is kept of an answer.
pub(super) const MAX_EVIDENCE: usize = 4096;

/// `text` with every secret as `***`, control characters other than line breaks as `\u{fffd}`, line ends as `\n`, and no more than 4 KiB.
pub(super) fn evidence(text: &str, secrets: &[&str]) -> String {
    let mut clean = text.replace("\r\n", "\n");
    // A server may quote the command that it did not like, or the key that it does not know. Very short ones would tear ordinary words.
    let mut all: Vec<String> = secrets.iter().filter(|secret| secret.len() >= 4).flat_map(|secret| forms(secret)).collect();
    // One may be a part of another.
    all.sort_by_key(|form| std::cmp::Reverse(form.len()));
    for form in all {
        clean = clean.replace(&form, "***");
    }
    // Direction marks turn a line around for its reader: they go with the control characters.
    let hostile =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    clean = clean.chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect();
    let clean = clean.trim();
    clean.get(..clean.floor_char_boundary(MAX_EVIDENCE)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_and_nothing_secret_is_kept() {
        assert_eq!(evidence("550-a\r\n550 b\r\n", &[]), "550-a\n550 b");
        assert_eq!(evidence("500 what is AUTH PLAIN AGEAcGFzcw==?", &["AGEAcGFzcw==", "pw"]), "500 what is AUTH PLAIN ***?");
        assert_eq!(
            evidence("no key aHVudGVyMi1rZXk=, hunter2%2Dkey or 68756e746572322d6b6579", &["hunter2-key"]),
            "no key ***k=, hunter2%2Dkey or ***"
        );
        assert_eq!(evidence("\u{1b}[31mred\u{0}\u{202e}", &[]), "\u{fffd}[31mred\u{fffd}\u{fffd}");
    }

    #[test]
    fn it_is_cut_between_characters() {
        let long = evidence(&"ü".repeat(5000), &[]);
        assert_eq!((long.len(), long.chars().all(|c| c == 'ü')), (4096, true));
        let odd = evidence(&format!("a{}", "ü".repeat(5000)), &[]);
        assert_eq!(odd.len(), 4095);
    }
}
