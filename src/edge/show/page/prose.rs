//! Sentences of our own as HTML: what stands in backticks is code, and an instant is one word that people can read.

use maud::{Markup, html};

use super::bits::clock;
use super::text;
use crate::model::At;

/// Bytes of a word that is left out where it is cut; what is longer is cut itself.
const LONGEST: usize = 80;

/// A sentence of ours, in which others may have had a word: nothing in it is markup but what is made here.
pub(super) fn prose(sentence: &str, limit: usize) -> Markup {
    let plain = whole_words(text::plain(sentence, limit), sentence);
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

/// A sentence that was cut ends before the word that was, and no piece of code is cut in two: half a name or half an instant is none.
fn whole_words(mut plain: String, sentence: &str) -> String {
    if !plain.ends_with('…') || sentence.ends_with('…') {
        return plain;
    }
    plain.pop();
    // An end of the code that is open there would have come.
    let opens = |text: &str| text.matches('`').count() % 2 == 1;
    let code = plain.rfind('`').filter(|_| opens(&plain) && !opens(sentence));
    let word = plain.rfind(char::is_whitespace).filter(|_| code.is_none());
    let end = code.or(word).filter(|end| plain.len() - end < LONGEST || code.is_some()).unwrap_or(plain.len());
    plain.truncate(end);
    plain.truncate(plain.trim_end_matches(|c: char| c.is_whitespace() || ",;:(".contains(c)).len());
    plain.push('…');
    plain
}

/// Words, the instants among them as people read them.
fn timed(words: &str) -> Markup {
    html! {
        @for word in words.split_inclusive(char::is_whitespace) {
            @let bare = word.trim_end_matches(|c: char| c.is_whitespace() || ",;:.)…".contains(c));
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

    #[test]
    fn what_is_cut_ends_with_a_whole_word_and_no_open_code() {
        let cut = |text: &str, limit: usize| prose(text, limit).into_string();
        let sentence = "the route `mailchimp/password-reset/gmail-1` stopped at 2022-08-08T19:30:00Z, and more";
        assert_eq!(cut(sentence, 20), "<bdi>the route…</bdi>");
        assert_eq!(cut(sentence, 8), "<bdi>the…</bdi>");
        let code = "<code><bdi>mailchimp/password-reset/gmail-1</bdi></code>";
        assert_eq!(cut(sentence, 49), format!("<bdi>the route {code}…</bdi>"));
        assert_eq!(cut(sentence, 65), format!("<bdi>the route {code} stopped at…</bdi>"));
        assert_eq!(cut(&"x".repeat(300), 10), "<bdi>xxxxxxxxxx…</bdi>", "what is one word is cut");
        assert_eq!(cut("a ` alone and then some more", 14), "<bdi>a ` alone and…</bdi>");
        for limit in 0..sentence.len() {
            let shown = cut(sentence, limit);
            let instants = |text: &str| shown.matches(text).count();
            assert!(!shown.contains('`') && instants("2022-08-08T1") == instants("datetime=\"2022-08-08T1"), "{limit}: {shown}");
        }
    }
}
