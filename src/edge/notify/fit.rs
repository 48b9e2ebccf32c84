//! Making texts and evidence fit where they go.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Evidence nested deeper than this is cut.
const DEEPEST: usize = 6;

/// `text` with at most `bytes` bytes, cut at a character, with `…` in place of the rest.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let room = bytes.saturating_sub('…'.len_utf8());
    let mut kept = text.get(..text.floor_char_boundary(room)).unwrap_or_default().to_owned();
    kept.push('…');
    kept
}

/// What a character from outside becomes: controls and exotic line breaks a space; what is invisible, or turns the direction of writing
/// around, nothing.
pub(super) fn tame(c: char) -> Option<char> {
    match c {
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => Some(c),
    }
}

/// `text` without tags, in which chats have their mentions and links: templates that are not ours put it anywhere.
pub(super) fn untagged(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›")
}

/// `text` as one line of at most `bytes` bytes: [tame], runs of white space one space.
pub(super) fn line(text: &str, bytes: usize) -> String {
    cut(&one_line(text), bytes)
}

fn one_line(text: &str) -> String {
    let spaced: String = text.chars().filter_map(tame).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` as lines of at most `bytes` bytes in all: line breaks stay, no two empty lines in a row.
pub(super) fn lines(text: &str, bytes: usize) -> String {
    let mut kept: Vec<String> = text.lines().map(one_line).collect();
    kept.dedup_by(|a, b| a.is_empty() && b.is_empty());
    cut(kept.join("\n").trim(), bytes)
}

/// What a sink's limit counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    /// Bytes of UTF-8.
    Byte,
    /// Characters.
    Char,
    /// Units of UTF-16.
    Wide,
}

impl Unit {
    /// How long `text` is.
    pub(super) fn of(self, text: &str) -> usize {
        match self {
            Self::Byte => text.len(),
            Self::Char => text.chars().count(),
            Self::Wide => text.encode_utf16().count(),
        }
    }
}

/// `text` with `escape` in place of the characters that it knows, at most `most` long, cut between whole escapes with `…` in place of the
/// rest.
pub(super) fn escaped(text: &str, most: usize, unit: Unit, escape: impl Fn(char) -> Option<&'static str>) -> String {
    let (mut out, mut length, mut fits) = (String::new(), 0, 0);
    let mut one = [0; 4];
    for c in text.chars() {
        let piece = escape(c).unwrap_or_else(|| c.encode_utf8(&mut one));
        length += unit.of(piece);
        if length > most {
            out.truncate(fits);
            out.push('…');
            return out;
        }
        out.push_str(piece);
        if length + unit.of("…") <= most {
            fits = out.len();
        }
    }
    out
}

/// `text`, at most `most` long.
pub(super) fn within(text: &str, most: usize, unit: Unit) -> String {
    escaped(text, most, unit, |_| None)
}

/// `text` in which nothing is a link, a mention, a tag or a bot's command any more: a word joiner, which nobody sees, breaks what receivers
/// look for.
pub(super) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let next = chars.peek().copied().unwrap_or(' ');
        let breaks = match c {
            '@' | '#' => !next.is_whitespace(),
            ':' => next == '/' || before.is_alphanumeric() && next.is_alphabetic(),
            '.' => before.is_alphanumeric() && next.is_alphabetic(),
            '/' => before.is_whitespace() && next.is_alphanumeric(),
            _ => false,
        };
        if breaks {
            out.push(JOINER);
        }
        before = c;
    }
    out
}

/// `text` in pieces, and of each whether it is a command that stood between backticks, of characters that mean nothing within code: it is
/// copied, and nothing in it may be broken.
pub(super) fn pieces(text: &str) -> Vec<(bool, String)> {
    let parts: Vec<&str> = text.split('`').collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._/:=+,-".contains(c);
    let of = |(place, part): (usize, &&str)| match place % 2 {
        0 => (false, (*part).to_owned()),
        _ if place + 1 == parts.len() => (false, format!("`{part}")),
        _ => match part.contains(' ') && part.chars().all(plain) {
            true => (true, (*part).to_owned()),
            false => (false, format!("`{part}`")),
        },
    };
    parts.iter().enumerate().map(of).filter(|(_, piece)| !piece.is_empty()).collect()
}

/// Nobody sees it, and no word breaks at it.
pub(super) const JOINER: char = '\u{2060}';

/// A key of at most `most` bytes: a longer one ends in a hash of itself.
pub(super) fn key(key: &str, most: usize) -> String {
    if key.len() <= most {
        return key.to_owned();
    }
    let hash = HEXLOWER.encode(Sha256::digest(key).get(..16).unwrap_or_default());
    let room = most.saturating_sub(hash.len());
    format!("{}{hash}", key.get(..key.floor_char_boundary(room)).unwrap_or_default())
}

/// `evidence` as JSON of at most `bytes` bytes. Long texts go first, then long lists and objects; what was cut says so with a key `cut`.
pub(super) fn evidence(evidence: &Value, bytes: usize) -> Value {
    let fits = |value: &Value| value.to_string().len() <= bytes;
    if fits(evidence) {
        return evidence.clone();
    }
    let steps = [(4096, 100), (1024, 50), (1024, 20), (256, 20), (256, 8), (64, 8), (32, 4)];
    let kept = steps.iter().map(|(text, many)| marked(shrunk(evidence, *text, *many, DEEPEST))).find(fits);
    kept.unwrap_or_else(|| marked(Value::Object(Map::new())))
}

fn marked(value: Value) -> Value {
    let mut map = match value {
        Value::Object(map) => map,
        Value::Null => Map::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => Map::from_iter([("value".to_owned(), other)]),
    };
    map.insert("cut".to_owned(), Value::Bool(true));
    Value::Object(map)
}

fn shrunk(value: &Value, text: usize, many: usize, depth: usize) -> Value {
    match value {
        Value::String(whole) => Value::String(cut(whole, text)),
        Value::Array(_) | Value::Object(_) if depth == 0 => Value::String("…".to_owned()),
        Value::Array(items) => items.iter().take(many).map(|item| shrunk(item, text, many, depth - 1)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().take(many).map(|(key, item)| (cut(key, text), shrunk(item, text, many, depth - 1))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("ääää", 7), "ää…");
        assert_eq!(cut("😀😀", 6), "…");
        assert_eq!(line("a\r\nb\u{1b}[31m  c", 100), "a b [31m c");
    }

    #[test]
    fn what_cannot_be_seen_goes() {
        assert_eq!(line("a\u{202e}b\u{200b}c\u{2028}d\u{e0041}e", 100), "abc de");
        assert_eq!(lines("a\u{1b}[2J\r\n\n\n\nb \u{7} c\n", 100), "a [2J\n\nb c");
    }

    #[test]
    fn escapes_are_never_cut_in_two() {
        let amp = |c: char| (c == '&').then_some("&amp;");
        assert_eq!(escaped("a&b", 100, Unit::Char, amp), "a&amp;b");
        assert_eq!(escaped("a&b", 7, Unit::Char, amp), "a&amp;b");
        assert_eq!(escaped("a&&b", 7, Unit::Char, amp), "a&amp;…");
        assert_eq!(escaped("&&", 5, Unit::Char, amp), "…");
        assert_eq!(within("😀😀😀", 5, Unit::Wide), "😀😀…");
        assert_eq!(within("ääää", 7, Unit::Byte), "ää…");
        for most in 1..20 {
            assert!(Unit::Wide.of(&escaped("a&😀ä&&", most, Unit::Wide, amp)) <= most);
        }
    }

    #[test]
    fn nothing_is_a_link_or_a_mention() {
        assert_eq!(inert("at 19:30, 3.5 times; a, b"), "at 19:30, 3.5 times; a, b");
        for (text, broken) in [
            ("@everyone", "@everyone"),
            ("see https://evil.example/x", "https://"),
            ("see evil.example", "evil.example"),
            ("#general", "#general"),
            ("/start", "/start"),
            ("mailto:me@evil.example", "mailto:me"),
        ] {
            assert!(!inert(text).contains(broken), "{text}");
            assert_eq!(inert(text).replace(JOINER, ""), text);
        }
    }

    #[test]
    fn commands_are_told_from_what_is_only_quoted() {
        let found = pieces("try `dig TXT <b>`, see `x` and `a @b`");
        assert_eq!(found.iter().filter(|(code, _)| *code).count(), 0, "{found:?}");
        let found = pieces("try `dig TXT example.com`, `mailcanary check --live` and `a b");
        let expected = [
            (false, "try "),
            (true, "dig TXT example.com"),
            (false, ", "),
            (true, "mailcanary check --live"),
            (false, " and "),
            (false, "`a b"),
        ];
        assert_eq!(found, expected.map(|(code, piece)| (code, piece.to_owned())));
    }

    #[test]
    fn long_keys_stay_apart() {
        let (one, other) = (key(&format!("{}1", "k".repeat(300)), 255), key(&format!("{}2", "k".repeat(300)), 255));
        assert!(one.len() == 255 && other.len() == 255 && one != other);
        assert_eq!(key("short", 255), "short");
    }

    #[test]
    fn evidence_keeps_its_shape_and_loses_its_length() {
        let small = json!({"sent": 9, "arrived": 0});
        assert_eq!(evidence(&small, 1000), small);
        let long = json!({"arrived": 0, "reply": "\u{0}".repeat(30_000), "recent": vec!["550 5.7.1 no"; 5000]});
        let kept = evidence(&long, 16_000);
        assert!(kept.to_string().len() <= 16_000);
        assert_eq!(kept["arrived"], 0);
        assert_eq!(kept["cut"], true);
        assert!(kept["reply"].as_str().unwrap().ends_with('…'));
        assert!(!kept["recent"].as_array().unwrap().is_empty());
    }

    #[test]
    fn nothing_is_too_large() {
        let mut deep = json!("x".repeat(500));
        for n in 0..100 {
            deep = json!({ "k".repeat(100 + n): deep, "other": "y".repeat(9000) });
        }
        assert!(evidence(&deep, 500).to_string().len() <= 500);
        let wide: Map<String, Value> = (0..5000).map(|n| (format!("{n}{}", "k".repeat(50)), json!(1.5))).collect();
        assert!(evidence(&Value::Object(wide), 300).to_string().len() <= 300);
        assert_eq!(evidence(&json!(vec!["a"; 500]), 20), json!({"cut": true}));
    }
}
