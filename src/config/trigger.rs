//! `[provider.NAME.http-trigger]`: the request that makes the user's own application send its mail, and what that mail looks like.

use std::collections::BTreeMap;

use super::SecretRef;
use crate::model::Name;

/// What a placeholder stands for: `{address}` the recipient, `{token}` the canary's token, `{stream}` its stream, `{canary}` its id.
pub(super) const PLACEHOLDERS: [&str; 4] = ["address", "token", "stream", "canary"];

/// One request, and the mail that it makes an application send.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerSettings {
    /// `GET`, `POST`, `PUT` or `PATCH`.
    pub method: &'static str,
    /// Where to, with placeholders behind the host. `http://` only to loopback.
    pub url: String,
    /// Headers, by their names.
    pub headers: BTreeMap<String, Header>,
    /// What is sent along.
    pub payload: Payload,
    /// Statuses that mean that the flow did its part: each from one to another, both included.
    pub expect: Vec<(u16, u16)>,
    /// Texts that mean failure whatever the status says.
    pub failure_texts: Vec<String>,
    /// What the mail looks like.
    pub mail: Look,
    /// The streams whose mail it makes. Never empty in checked settings.
    pub streams: Vec<Name>,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// A text with placeholders.
    Text(String),
    /// A secret: the whole value.
    Secret(SecretRef),
}

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// Nothing.
    #[default]
    Nothing,
    /// The fields of a form, with placeholders.
    Form(BTreeMap<String, String>),
    /// A text with placeholders, of the type that the headers say or `application/json`.
    Text(String),
}

/// What the application's mail looks like besides its sender. In patterns `*` stands for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The pattern of its subject.
    pub subject: Option<String>,
    /// A pattern of something in its text.
    pub text: Option<String>,
    /// The host that at least one of its links leads to.
    pub link_host: Option<String>,
}

impl TriggerSettings {
    /// Every text with placeholders.
    pub(super) fn texts(&self) -> Vec<&str> {
        let headers = self.headers.values().filter_map(|header| match header {
            Header::Text(text) => Some(text.as_str()),
            Header::Secret(_) => None,
        });
        let payload: Vec<&str> = match &self.payload {
            Payload::Nothing => Vec::new(),
            Payload::Form(fields) => fields.values().map(String::as_str).collect(),
            Payload::Text(text) => vec![text],
        };
        std::iter::once(self.url.as_str()).chain(headers).chain(payload).collect()
    }

    /// Whether the request says this anywhere.
    pub(super) fn says(&self, placeholder: &str) -> bool {
        self.texts().into_iter().any(|text| placeholders(text).any(|name| name == placeholder))
    }

    /// The secrets in its headers.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &SecretRef)> {
        let mut secrets = Vec::new();
        for header in self.headers.values() {
            if let Header::Secret(at) = header {
                secrets.push(("headers", at));
            }
        }
        secrets
    }

    /// Where it goes, without what may be private.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.method, self.url.split('?').next().unwrap_or_default())
    }
}

/// Every `{word}` in `text`.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let word = |piece: &str| piece.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).filter(move |name| word(name))
}

/// `text` with what `value` knows in place of its placeholders; other braces stay as they are.
#[must_use]
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        rest = match after.split_once('}').and_then(|(name, behind)| Some((value(name)?, behind))) {
            Some((value, behind)) => {
                out.push_str(&value);
                behind
            }
            None => {
                out.push('{');
                after
            }
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_placeholders_are_filled_and_only_once() {
        let value = |name: &str| PLACEHOLDERS.contains(&name).then(|| format!("<{name}{{token}}>"));
        assert_eq!(fill(r#"{"email": "{address}", "q": "{ok}"}"#, value), r#"{"email": "<address{token}>", "q": "{ok}"}"#);
        assert_eq!(fill("{{token}} {", value), "{<token{token}>} {");
        assert_eq!(placeholders(r#"{"a": "{address}", "q": "{ ok } {tokn}"}"#).collect::<Vec<_>>(), ["address", "tokn"]);
    }
}
