//! What an answer says: its texts, the shortest of them, and remarks that belie an acceptance. Pure.

use serde_json::Value;

use super::call::Reply;
use super::words;
use crate::model::Class;

/// Keys of what an answer remarks, besides what it is.
const REMARKS: [&str; 8] = ["message", "status", "reason", "warning", "warnings", "error", "errors", "detail"];

/// What an answer remarks, and whether it calls something an error that is there.
fn remarks(reply: &Reply) -> Option<(String, bool)> {
    let json = reply.json.as_ref()?.as_object()?;
    let mut remarks = String::new();
    let remarking = json.iter().filter(|(key, _)| REMARKS.contains(&key.to_ascii_lowercase().as_str()));
    remarking.for_each(|(_, value)| collect(value, &mut remarks));
    let failed = json.iter().any(|(key, value)| matches!(key.to_ascii_lowercase().as_str(), "error" | "errors") && is_there(value));
    Some((remarks, failed))
}

fn is_there(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.iter().any(is_there),
        Value::Object(map) => map.values().any(is_there),
    }
}

/// The class of a 2xx that says that the mail will not go out: by what it remarks, and by what it calls an error. Without an error, an
/// acceptance is doubted only for what happens to accounts that go on answering.
pub(super) fn remarked(reply: &Reply, not_accepted: bool) -> Option<Class> {
    let (remarks, failed) = remarks(reply)?;
    let failed = failed || not_accepted && (remarks.to_lowercase().contains("error") || reply.text_at("/ErrorCode").is_some());
    let class = words::class(&remarks);
    class.or(failed.then_some(Class::Permanent)).filter(|_| failed || class.is_some_and(is_grave))
}

/// Whether an answer says that the mail was only looked at: a key for tests, a sandbox.
pub(super) fn pretends(reply: &Reply) -> bool {
    const SIGNS: [&str; 9] = [
        "test job accepted",
        "test mode",
        "testmode",
        "sandbox mode",
        "not actually sent",
        "not really sent",
        "no email was sent",
        "dry run",
        "simulat",
    ];
    let said = remarks(reply).map(|(remarks, _)| remarks.to_lowercase().replace(['-', '_'], " ")).unwrap_or_default();
    SIGNS.iter().any(|sign| said.contains(sign))
}

/// Nothing goes out, whatever else is answered.
const fn is_grave(class: Class) -> bool {
    matches!(class, Class::Suspended | Class::Quota | Class::Suppressed)
}

/// Keys whose values tell what is wrong, in lower case and without `_`.
const TELLING: [&str; 17] = [
    "errors",
    "type",
    "code",
    "errorcode",
    "name",
    "status",
    "reason",
    "rejectreason",
    "queuedreason",
    "error",
    "message",
    "errormessage",
    "errordescription",
    "description",
    "detail",
    "reasons",
    "title",
];

/// What a JSON answer says in short, in the order in which it says it; at most 300 characters.
pub(in crate::edge::submit) fn headline(reply: &Reply) -> Option<String> {
    fn telling(value: &Value, tells: bool, out: &mut Vec<String>) {
        match value {
            Value::String(text) if tells && !text.starts_with("http") && !out.contains(text) => out.push(text.clone()),
            Value::Number(number) if tells => out.push(number.to_string()),
            Value::Array(list) => list.iter().for_each(|one| telling(one, tells, out)),
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                telling(value, TELLING.contains(&key.to_ascii_lowercase().replace('_', "").as_str()), out);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found: Vec<String> = reply.header("x-amzn-errortype").map(str::to_owned).into_iter().collect();
    telling(reply.json.as_ref()?, false, &mut found);
    let line = found.join(", ").replace(['\n', '\r'], " ");
    (!line.is_empty()).then(|| line.chars().take(300).collect())
}

/// The texts in a JSON answer, without addresses of documentation; else the answer itself.
pub(super) fn said(reply: &Reply) -> String {
    let Some(json) = &reply.json else { return reply.text.clone() };
    let mut out = String::new();
    collect(json, &mut out);
    out
}

fn collect(value: &Value, out: &mut String) {
    match value {
        Value::String(text) if !text.starts_with("http") => {
            out.push_str(text);
            out.push('\n');
        }
        Value::Array(list) => list.iter().for_each(|one| collect(one, out)),
        Value::Object(map) => map.values().for_each(|one| collect(one, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::At;

    #[test]
    fn what_tells_most_is_said_in_short() {
        let line = |text: &str| headline(&Reply::new(400, http::HeaderMap::new(), text.to_owned(), true, At::from_ms(0)));
        let queued =
            r#"[{"email":"seed+mc-x@example.org","status":"queued","_id":"a","reject_reason":null,"queued_reason":"account-suspended"}]"#;
        assert_eq!(line(queued).as_deref(), Some("account-suspended, queued"));
        let several = r#"{"errors":[{"message":"m","field":"from","help":"http://x"},{"message":"m"}],"ErrorCode":405,"id":"x"}"#;
        assert_eq!(line(several).as_deref(), Some("405, m"));
        assert_eq!((line("<html>"), line("{}"), line("[1]")), (None, None, None));
        assert_eq!(line(&format!(r#"{{"message":"{}"}}"#, "ü".repeat(999))).map(|line| line.chars().count()), Some(300));
    }
}
