//! Early signs: how the provider says that the account stands. Asks once, and sends nothing.

use serde_json::Value;

use super::call::{Cut, Reply};
use super::{Api, Service, Verdict, Visit, general};
use crate::edge::submit::Unread;
use crate::model::{At, Class, Outcome, Sign};

impl<S: Service> Api<S> {
    /// What the provider says of the account; nothing if it has no such question.
    pub(in crate::edge::submit) async fn signs(&self, at: At) -> Option<Result<Vec<Sign>, Unread>> {
        let question = self.service.standing()?;
        let mut visit = Visit::new(self, at);
        let asked = match visit.authenticate().await {
            Ok(()) => visit.ask(question).await,
            Err(cut) => Err(cut),
        };
        let (class, words) = match asked {
            Ok(reply) => match read(&self.service, &reply) {
                Ok(signs) => return Some(Ok(signs)),
                Err(class) => (class, reply.words(&self.lead(&reply, Outcome::Refused(class)))),
            },
            Err(Cut { outcome: Outcome::Refused(class), words }) => (class, words),
            Err(Cut { words, .. }) => (Class::Unknown, words),
        };
        let why = visit.answer(Verdict::refused(class), &words).reply.unwrap_or_default();
        Some(Err(Unread { class, why }))
    }
}

/// The signs in an answer, or what kind of refusal it is.
fn read<S: Service>(service: &S, reply: &Reply) -> Result<Vec<Sign>, Class> {
    let signs = if reply.is_success() { service.signs(reply) } else { Vec::new() };
    if signs.is_empty() { Err(service.refused(reply).or_else(|| general(reply)).unwrap_or(Class::Unknown)) } else { Ok(signs) }
}

impl Reply {
    /// A figure in its JSON, by pointer: no less than nothing, without its fraction; also one that is written as a text.
    pub(super) fn figure_at(&self, pointer: &str) -> Option<u64> {
        figure(self.json.as_ref()?.pointer(pointer)?)
    }
}

/// A figure: no less than nothing, without its fraction.
pub(super) fn figure(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|n| n.is_finite() && *n >= 0.0).map(|n| n as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_a_figure_is_one() {
        for (value, expected) in [
            (json!(12), Some(12)),
            (json!(12.9), Some(12)),
            (json!("40"), Some(40)),
            (json!(0), Some(0)),
            (json!(1e300), Some(u64::MAX)),
            (json!(-1), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!("many"), None),
            (json!([12]), None),
            (json!(true), None),
            (json!(null), None),
        ] {
            assert_eq!(figure(&value), expected, "{value}");
        }
    }
}
