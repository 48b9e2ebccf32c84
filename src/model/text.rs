//! Characters that foreign text may not bring along unseen.

/// Whether a character turns or hides text (bidirectional overrides, zero width, tags): in a mail they are there to deceive.
#[must_use]
pub const fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}
