//! What does not belong into other hands: secrets, the tokens of canaries, and, if wished, addresses.

use serde_json::Value;

use crate::canary::without_tokens;
use crate::config::{Secret, forms};

/// A shorter secret would be found in every text.
const SHORTEST: usize = 5;
/// What stands in the place of what is taken out.
const GONE: &str = "***";
/// Whose ids look like addresses and are none.
const IDS: [&str; 1] = ["message_id"];

/// What is taken out.
pub(super) struct Scrub {
    /// The longest first, so that none leaves a part of another.
    secrets: Vec<String>,
    addresses: bool,
}

impl Scrub {
    pub(super) fn new(secrets: &[Secret], addresses: bool) -> Self {
        let texts = secrets.iter().map(|secret| secret.expose().trim()).filter(|secret| secret.len() >= SHORTEST);
        let mut secrets: Vec<String> = texts.flat_map(forms).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, addresses }
    }

    /// Takes it out of every text in `value`.
    pub(super) fn value(&self, value: &mut Value) {
        self.below(value, self.addresses);
    }

    fn below(&self, value: &mut Value, addresses: bool) {
        match value {
            Value::String(text) => *text = self.text(text, addresses),
            Value::Array(all) => all.iter_mut().for_each(|one| self.below(one, addresses)),
            Value::Object(all) => {
                all.iter_mut().for_each(|(key, one)| self.below(one, addresses && !IDS.contains(&key.as_str())));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&self, text: &str, addresses: bool) -> String {
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, GONE));
        let text = without_tokens(&text);
        if addresses { ["@", "%40"].iter().fold(text, |text, at| without_locals(&text, at)) } else { text }
    }
}

/// `text` with what stands before each `at` taken out, as far as it can be part of an address.
fn without_locals(text: &str, at: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split(at).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            out.push_str(part);
            break;
        }
        let kept = match part.strip_suffix('"') {
            // A quoted local part may hold anything.
            Some(quoted) => quoted.rfind('"').unwrap_or(part.len()),
            None => {
                part.rfind(ends_local).map_or(0, |end| end + part.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8))
            }
        };
        out.push_str(part.get(..kept).unwrap_or_default());
        if kept < part.len() {
            out.push_str(GONE);
        }
        out.push_str(at);
    }
    out
}

fn ends_local(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "<>()[],;:\"\\".contains(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_tokens_and_addresses_go() {
        let secrets = ["hunter2", "hunter2-and-more\n", "abc"].map(|secret| Secret::new(secret.to_owned()));
        let token = format!("MC-{}", "a2".repeat(18));
        let foreign = json!({
            "reply": format!("no hunter2-and-more, hunter2; ä{token}ä abc"),
            "deep": [{ "to": format!("<seed+{token}@gmail.com>, \"a b\"@x.example ü@y.example seed%40z.example @all a@b@c") }],
            "message_id": "1@example.net", "number": 5,
        });
        let mut kept = foreign.clone();
        Scrub::new(&secrets, false).value(&mut kept);
        assert_eq!(kept["reply"], "no ***, ***; ämc-***ä abc");
        // A server may repeat what it was sent as it was sent.
        let mut encoded = json!("no AHVzZXIAaHVudGVyMi1hbmQtbW9yZQ== and hunter2-and-more");
        Scrub::new(&secrets, false).value(&mut encoded);
        assert!(!encoded.to_string().contains("aHVudGVy") && encoded.as_str().unwrap().ends_with("and ***"), "{encoded}");
        assert!(kept["deep"][0]["to"].as_str().unwrap().starts_with("<seed+mc-***@gmail.com>"), "{kept}");
        let mut redacted = foreign;
        Scrub::new(&secrets, true).value(&mut redacted);
        let to = "<***@gmail.com>, ***@x.example ***@y.example ***%40z.example @all ***@***@c";
        assert_eq!(
            (&redacted["deep"][0]["to"], &redacted["message_id"], &redacted["number"]),
            (&json!(to), &json!("1@example.net"), &json!(5))
        );
    }
}
