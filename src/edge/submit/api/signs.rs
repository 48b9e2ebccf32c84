//! Early signs: how the provider says that the account stands. Sends nothing.

use serde_json::Value;

use super::call::{Cut, Reply};
use super::{Api, Service, Verdict, Visit, general, judge_ping};
use crate::edge::submit::{Answer, Unread};
use crate::model::{At, Class, Outcome, Sign};

/// What is kept of a provider's word for a status.
const WORD: usize = 200;

impl<S: Service> Api<S> {
    /// What the provider says of the account; nothing if it has no such question.
    pub(in crate::edge::submit) async fn signs(&self, at: At) -> Option<Result<Vec<Sign>, Unread>> {
        let question = self.service.standing()?;
        let mut visit = Visit::new(self, at);
        let asked = match visit.authenticate().await {
            Ok(()) => visit.ask(question).await,
            Err(cut) => Err(cut),
        };
        Some(visit.told(&asked))
    }

    /// Logs in, and asks how the account stands; once, if that is one question.
    pub(in crate::edge::submit) async fn look(&self, at: At) -> (Answer, Option<Result<Vec<Sign>, Unread>>) {
        if self.service.standing().is_none_or(|question| question != self.service.ping()) {
            let answer = self.log_in(at).await;
            let signs = if answer.outcome == Outcome::Accepted { self.signs(at).await } else { None };
            return (answer, signs);
        }
        let mut visit = Visit::new(self, at);
        let asked = match visit.authenticate().await {
            Ok(()) => visit.ask(self.service.ping()).await,
            Err(cut) => Err(cut),
        };
        let signs = visit.told(&asked);
        let judged = self.judged(&asked, |reply| judge_ping(&self.service, reply));
        let is_in = judged.verdict.outcome == Outcome::Accepted;
        (visit.answer(judged), is_in.then_some(signs))
    }
}

impl<S: Service> Visit<'_, S> {
    /// What an answer, or its absence, says of the account.
    fn told(&self, asked: &Result<Reply, Cut>) -> Result<Vec<Sign>, Unread> {
        let (class, words) = match asked {
            Ok(reply) => match read(&self.api.service, reply) {
                Ok(signs) => return Ok(signs.into_iter().map(|sign| self.fit(sign)).collect()),
                Err(class) => (class, self.api.explained(reply, Verdict::refused(class)).words),
            },
            Err(Cut { outcome: Outcome::Refused(class), words, .. }) => (*class, words.clone()),
            Err(Cut { words, .. }) => (Class::Unknown, words.clone()),
        };
        Err(Unread { class, why: self.clean(&words), retry_after: self.retry_after })
    }

    /// A sign whose words may be kept.
    fn fit(&self, sign: Sign) -> Sign {
        match sign {
            Sign::Standing { state, word } => {
                let word = self.clean(&word.replace('\n', " "));
                let word = word.get(..word.floor_char_boundary(WORD)).unwrap_or_default().to_owned();
                Sign::Standing { state, word }
            }
            Sign::Quota { .. } | Sign::Backlog { .. } | Sign::Reputation { .. } => sign,
        }
    }
}

/// The signs in an answer, or what kind of refusal it is.
fn read<S: Service>(service: &S, reply: &Reply) -> Result<Vec<Sign>, Class> {
    let signs = if reply.is_success() { service.signs(reply) } else { Vec::new() };
    if signs.is_empty() { Err(service.refused(reply).or_else(|| general(reply)).unwrap_or(Class::Unknown)) } else { Ok(signs) }
}

impl Reply {
    /// An instant in its JSON, by pointer: RFC 3339, or a day, which begins at midnight in UTC.
    pub(super) fn instant_at(&self, pointer: &str) -> Option<At> {
        let text = self.text_at(pointer)?;
        At::from_rfc3339(&text).or_else(|| At::from_rfc3339(&format!("{text}T00:00:00Z")))
    }

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
