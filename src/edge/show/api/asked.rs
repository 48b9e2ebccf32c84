//! A request, taken apart and held against what its operation wants.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::super::problem::{PROBLEM_JSON, Problem};
use super::form::{LIMIT, number};
use super::operation::{Operation, Parameter, path_parameter};
use crate::model::Name;

/// The path below the API's root, without the escapes of its segments; nothing if that is no text.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/').map(|part| percent_decode_str(part).decode_utf8().ok().map(|text| text.into_owned())).collect()
}

/// What was asked. Everything in it has the form that the document says.
#[derive(Debug, Default)]
pub(super) struct Asked {
    path: BTreeMap<&'static str, String>,
    query: BTreeMap<&'static str, String>,
    pub(super) body: Bytes,
    /// The user who asks, if it is one.
    pub(super) user: Option<String>,
}

impl Asked {
    /// The parameters of the path; nothing if it is another operation's.
    pub(super) fn at(operation: &Operation, segments: &[String]) -> Option<Self> {
        let template = operation.path.trim_start_matches('/').split('/');
        if template.clone().count() != segments.len() {
            return None;
        }
        let mut asked = Self::default();
        for (wanted, given) in template.zip(segments) {
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => _ = asked.path.insert(name, given.clone()),
                None if wanted == given => {}
                None => return None,
            }
        }
        Some(asked)
    }

    /// Whether everything in the path has its form; what has not is nowhere.
    pub(super) fn check_path(&self) -> Result<(), Problem> {
        let odd = self.path.iter().find(|(name, text)| !path_parameter(name).form.fits(text));
        odd.map_or(Ok(()), |(name, _)| Err(Problem::nothing(format!("there is no such `{name}`"))))
    }

    /// Takes the query in: each parameter once, and only those that there are.
    pub(super) fn take_query(&mut self, query: Option<&str>, known: &'static [Parameter]) -> Result<(), Problem> {
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (unescaped(name)?, unescaped(value)?);
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
                let there = if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", names.join(", ")) };
                return Err(Problem::unfit(format!("a parameter of the query is not known: {there}")));
            };
            if !parameter.form.fits(&value) {
                return Err(Problem::unfit(format!("`{}` should be {}", parameter.name, parameter.form.in_words())));
            }
            if self.query.insert(parameter.name, value).is_some() {
                return Err(Problem::unfit(format!("`{}` stands there twice", parameter.name)));
            }
        }
        Ok(())
    }

    /// A parameter of the path.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A parameter of the path that is a number.
    pub(super) fn path_number(&self, name: &str) -> u64 {
        number(self.path(name)).unwrap_or_default()
    }

    /// A parameter of the query, if it is there.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Whether a name fits the parameter of the query, if that is there.
    pub(super) fn wants(&self, parameter: &str, name: &Name) -> bool {
        self.query(parameter).is_none_or(|wanted| wanted == name.as_str())
    }

    /// Entries of a page.
    pub(super) fn limit(&self) -> usize {
        self.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(LIMIT.1)
    }

    /// The body, as JSON of this type.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| Problem::unfit(format!("the body is not as it should be: {error}")))
    }
}

/// A part of a query without its escapes.
fn unescaped(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned());
    decoded.or(Err(Problem::unfit("the query is not UTF-8")))
}

/// Whether the asker takes an answer of this type. An `Accept` that cannot be read takes everything.
pub(super) fn accepts(headers: &HeaderMap, media: &str) -> Result<(), Problem> {
    let ranges: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
    let (kind, _) = media.split_once('/').unwrap_or_default();
    let taken = |range: &&str| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| {
            let quality = part.strip_prefix("q=").or(part.strip_prefix("Q="));
            quality.and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0)
        });
        let meant = name == media || name == "*/*" || name == "*" || name.is_empty() || !name.contains('/');
        !refused && (meant || name == format!("{kind}/*"))
    };
    if ranges.is_empty() || ranges.iter().any(taken) {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::NOT_ACCEPTABLE, format!("this is answered as {media}; problems as {PROBLEM_JSON}")))
    }
}

/// Whether a body says that it is JSON, or says nothing.
pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (first, more) = (types.next(), types.next());
    let said = first.map(|value| value.to_str().unwrap_or("?").split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if more.is_none() && said.as_deref().is_none_or(|said| said == "application/json") {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as `Content-Type: application/json`"))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_accepted_is_what_is_answered() {
        let asks = |text: &'static str| accepts(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(text))]), "application/json");
        for good in ["*/*", "application/json", "text/html, */*;q=0.1", "application/*", "", "odd", "APPLICATION/JSON; charset=utf-8"] {
            assert!(asks(good).is_ok(), "{good}");
        }
        for bad in ["text/html", "application/xml", "application/json;q=0", "text/event-stream"] {
            assert_eq!(asks(bad).unwrap_err().status(), 406, "{bad}");
        }
        assert!(accepts(&HeaderMap::new(), "application/json").is_ok());
    }

    #[test]
    fn a_path_is_text_or_nothing() {
        assert_eq!(segments("a/b%2Fc/%C3%A4"), Some(vec!["a".to_owned(), "b/c".to_owned(), "ä".to_owned()]));
        assert_eq!(segments("a/%FF"), None);
        assert_eq!(segments(""), Some(vec![String::new()]));
    }
}
