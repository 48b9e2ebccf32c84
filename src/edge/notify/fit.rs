//! Making texts and evidence fit where they go.

use serde_json::{Map, Value};

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

/// `text` as one line for a log: control characters become spaces, runs of white space one.
pub(super) fn line(text: &str, bytes: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    cut(&words.join(" "), bytes)
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
