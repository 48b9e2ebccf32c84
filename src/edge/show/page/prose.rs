//! Sentences of our own as HTML: what stands in backticks is code, and an instant is one word that people can read.

use maud::{Markup, html};

use super::bits::clock;
use super::text;
use crate::model::At;

/// A sentence of ours, in which others may have had a word: nothing in it is markup but what is made here.
pub(super) fn prose(sentence: &str, limit: usize) -> Markup {
    let plain = text::plain(sentence, limit);
    let parts: Vec<&str> = plain.split('`').collect();
    // A backtick without another is one.
    let whole = parts.len() % 2 == 1;
    html! {
        bdi {
            @for (place, part) in parts.iter().enumerate() {
                @if place % 2 == 0 { (timed(part)) }
                @else if whole || place + 1 < parts.len() { code { bdi { (part) } } }
                @else { "`" (timed(part)) }
            }
        }
    }
}

/// Words, the instants among them as people read them.
fn timed(words: &str) -> Markup {
    html! {
        @for word in words.split_inclusive(char::is_whitespace) {
            @let bare = word.trim_end_matches(|c: char| c.is_whitespace() || ",;:.)".contains(c));
            @match instant(bare) {
                Some(at) => { time datetime=(at) { (clock(at)) } (word.get(bare.len()..).unwrap_or_default()) }
                None => { (word) }
            }
        }
    }
}

fn instant(word: &str) -> Option<At> {
    (word.len() >= 20 && word.contains('T')).then(|| At::from_rfc3339(word)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_instants_are_read() {
        let said = |text: &str| prose(text, 200).into_string();
        assert_eq!(said("provider `a` stopped"), "<bdi>provider <code><bdi>a</bdi></code> stopped</bdi>");
        assert_eq!(
            said("blind since 2022-08-08T19:30:00Z: refused"),
            "<bdi>blind since <time datetime=\"2022-08-08T19:30:00.000Z\">2022-08-08 19:30:00 UTC</time>: refused</bdi>"
        );
        assert_eq!(said("one ` alone"), "<bdi>one ` alone</bdi>");
        assert_eq!(said("`<b>` & `x"), "<bdi><code><bdi>&lt;b&gt;</bdi></code> &amp; `x</bdi>");
        assert_eq!(said(""), "<bdi></bdi>");
    }
}
