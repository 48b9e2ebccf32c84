//! A canary in the shapes that providers want it in. Pure.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::canary::Composed;
use crate::config::{Mailbox, Templates};
use crate::model::{At, CanaryId};

/// What marks canaries in the provider's own statistics.
pub(super) const TAG: &str = "mailcanary";
/// RFC 2047, 2: an encoded word has at most 75 characters; so many bytes fit in base64.
const ENCODED_WORD: usize = 45;

/// One canary, and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(in crate::edge::submit) struct Letter<'a> {
    pub(super) mail: &'a Composed,
    pub(super) canary: CanaryId,
    pub(super) from: &'a Mailbox,
    pub(super) at: At,
}

/// A stored template, and what it is filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filled<'t> {
    pub(super) id: &'t str,
    pub(super) variables: BTreeMap<String, String>,
}

impl Filled<'_> {
    /// The template's number, or its name where it has none.
    pub(super) fn number(&self) -> Value {
        self.id.parse::<u64>().map_or_else(|_| json!(self.id), |number| json!(number))
    }

    /// As `[{ name: …, content: … }]`.
    pub(super) fn pairs(&self, name: &str, content: &str) -> Value {
        self.variables.iter().map(|(key, value)| json!({ name: key, content: value })).collect()
    }
}

impl<'a> Letter<'a> {
    /// The stored template that it is to be made from, if its stream has one.
    pub(super) fn template<'t>(&self, templates: &'t Templates) -> Option<Filled<'t>> {
        let id = templates.of(self.mail.stream.as_str())?;
        let (token, subject) = (&self.mail.token, &self.mail.subject);
        let filled = |text: &String| text.replace("{token}", token).replace("{subject}", subject);
        let mut variables = BTreeMap::from([("token".to_owned(), token.clone()), ("subject".to_owned(), subject.clone())]);
        variables.extend(templates.variables.iter().map(|(name, text)| (name.clone(), filled(text))));
        Some(Filled { id, variables })
    }

    /// Its headers as `{ NAME: VALUE }`.
    pub(super) fn headers(&self) -> Map<String, Value> {
        self.mail.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    }

    /// Its headers as a list of objects with these two keys.
    pub(super) fn header_list(&self, name_key: &str, value_key: &str) -> Value {
        self.mail.headers.iter().map(|(name, value)| json!({ name_key: name, value_key: value })).collect()
    }

    /// The sender as `"Name" <address>`, the name as it is.
    pub(super) fn sender_text(&self) -> String {
        let quoted = |name: &String| format!("\"{}\" <{}>", name.replace('\\', "\\\\").replace('"', "\\\""), self.from.address);
        self.from.name.as_ref().map_or_else(|| self.from.address.clone(), quoted)
    }

    /// The same in ASCII, after RFC 2047.
    pub(super) fn sender_ascii(&self) -> String {
        let Some(name) = self.from.name.as_ref().filter(|name| !name.is_ascii()) else { return self.sender_text() };
        let mut words = vec![String::new()];
        for c in name.chars() {
            if let Some(last) = words.last_mut().filter(|last| last.len().saturating_add(c.len_utf8()) <= ENCODED_WORD) {
                last.push(c);
            } else {
                words.push(c.to_string());
            }
        }
        let encoded: Vec<_> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes()))).collect();
        format!("{} <{}>", encoded.join(" "), self.from.address)
    }

    /// A UUID that is this canary's for ever: what is sent twice is known as one.
    pub(super) fn uuid(&self) -> String {
        let hash = Sha256::digest(self.mail.token.as_bytes());
        let mut bits = hash.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        // RFC 9562, 5.8: version 8, variant 10.
        bits = bits & !(0xf << 76) | 0x8 << 76;
        bits = bits & !(0x3 << 62) | 0x2 << 62;
        let hex = format!("{bits:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}
