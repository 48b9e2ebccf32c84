//! Calls of methods, and their answers (RFC 8620, 3).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::trouble::{Trouble, plain};
use super::session::{CORE, MAIL, Session};
use super::wire::Wire;
use crate::model::Class;

/// A server and the account there.
pub(super) struct Api<'a> {
    /// Whoever sends requests.
    pub(super) wire: &'a Wire,
    /// Where everything is.
    pub(super) session: &'a Session,
}

/// One call: the method, and its arguments but for the account.
pub(super) type Call = (&'static str, Value);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answers {
    method_responses: Vec<(String, Value, String)>,
    session_state: Option<String>,
}

/// Why a method did nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    /// Its word.
    pub(super) r#type: String,
    description: String,
}

impl Failure {
    /// What it means for the session.
    pub(super) fn into_trouble(self, what: &'static str) -> Trouble {
        let class = match self.r#type.as_str() {
            "accountNotFound" | "accountNotSupportedByMethod" | "accountReadOnly" | "forbidden" => Class::Auth,
            "serverUnavailable" | "serverFail" | "serverPartialFail" => Class::Transient,
            "rateLimit" | "tooManyRequests" => Class::Rate,
            _ => Class::Permanent,
        };
        let words = if self.description.is_empty() { self.r#type } else { format!("{}: {}", self.r#type, self.description) };
        Trouble::Answered { what, class, text: plain(&words), after: None }
    }
}

impl Api<'_> {
    /// Calls `calls`, in as few requests as the server bears; what each answered, in their order.
    pub(super) async fn call(&self, calls: Vec<Call>) -> Result<Vec<Result<Value, Failure>>, Trouble> {
        let mut answers = Vec::with_capacity(calls.len());
        for some in calls.chunks(self.session.calls_most.max(1)) {
            answers.extend(self.request(some).await?);
        }
        Ok(answers)
    }

    /// Calls one method, and reads what it answers.
    pub(super) async fn one<T: DeserializeOwned>(&self, what: &'static str, arguments: Value) -> Result<Result<T, Failure>, Trouble> {
        let answer = self.call(vec![(what, arguments)]).await?.pop().ok_or(Trouble::Garbled { what })?;
        answer.map(|value| read(what, value)).map_or_else(|failure| Ok(Err(failure)), |read| read.map(Ok))
    }

    async fn request(&self, calls: &[Call]) -> Result<Vec<Result<Value, Failure>>, Trouble> {
        let what = calls.first().map_or("a request", |(what, _)| what);
        let written: Vec<Value> = calls.iter().enumerate().map(|(n, call)| self.written(n, call)).collect();
        let body = json!({ "using": [CORE, MAIL], "methodCalls": written }).to_string();
        let bytes = self.wire.post(what, &self.session.api, body.as_bytes()).await?;
        let answers: Answers = read_text(what, &bytes)?;
        self.session.note(answers.session_state);
        let mut responses = answers.method_responses.into_iter();
        let mut found = Vec::with_capacity(calls.len());
        for (n, (name, _)) in calls.iter().enumerate() {
            let id = n.to_string();
            let Some((method, value, _)) = responses.find(|(_, _, of)| *of == id) else { return Err(Trouble::Garbled { what: name }) };
            found.push(match method.as_str() {
                "error" => Err(serde_json::from_value(value).unwrap_or_default()),
                method if method == *name => Ok(value),
                _ => return Err(Trouble::Garbled { what: name }),
            });
        }
        Ok(found)
    }

    fn written(&self, n: usize, (name, arguments): &Call) -> Value {
        let mut arguments = arguments.clone();
        if let Value::Object(arguments) = &mut arguments {
            arguments.insert("accountId".to_owned(), Value::String(self.session.account.clone()));
        }
        json!([name, arguments, n.to_string()])
    }
}

/// What an answer says.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, value: Value) -> Result<T, Trouble> {
    serde_json::from_value(value).or(Err(Trouble::Garbled { what }))
}

fn read_text<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).or(Err(Trouble::Garbled { what }))
}
