//! `identity`: what the mail of each provider looks like, and what of it is right.

use std::path::Path;
use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};

use super::args::{Anew, Approval, Identity, Right};
use super::daemon::ask;
use super::table::{clean, identities};
use super::{fit, tell};
use crate::cli::out::Out;
use crate::cli::{FAILED, WRONG, daemon_folder};

/// Where a value is said to be right.
const APPROVE: &str = "/api/v1/identities/approve";

/// What is asked for.
pub(super) fn execute(command: &Identity) -> ExitCode {
    match command {
        Identity::List(place) => tell(place, Method::GET, "/api/v1/identities", None, |answer| fit(&identities(answer))),
        Identity::Approve(approval) => approve(approval),
        Identity::Forget(Right { provider, stream, part, value, place, who }) => {
            let body = json!({ "provider": provider, "stream": stream, "part": part, "value": value, "by": who.by });
            tell(place, Method::POST, "/api/v1/identities/forget", Some(&body), |_| {
                format!("{part} {value} is right no more in {provider}/{stream}")
            })
        }
        Identity::Relearn(Anew { provider, stream, place, who }) => {
            let body = json!({ "provider": provider, "stream": stream, "by": who.by });
            tell(place, Method::POST, "/api/v1/identities/relearn", Some(&body), |_| {
                format!("the mail of {provider}/{stream} is learnt anew from its next ten canaries")
            })
        }
    }
}

fn approve(approval: &Approval) -> ExitCode {
    let Approval { provider, stream, part, value, incident, place, who } = approval;
    if let Some(incident) = incident {
        return approve_all(approval, *incident);
    }
    let body = json!({ "provider": provider, "stream": stream, "part": part, "value": value, "by": who.by });
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let text = format!("{} {} is right in {}/{}", said(part), said(value), said(provider), said(stream));
    tell(place, Method::POST, APPROVE, Some(&body), |_| text.clone())
}

/// Approves all that an incident shows, a value after the other; says which could not be.
fn approve_all(approval: &Approval, incident: u64) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some(folder) = daemon_folder(&approval.place.config, &mut err) else { return ExitCode::from(WRONG) };
    let (all, mut refused) = match all_of(&folder, incident) {
        Ok(found) => found,
        Err(why) => {
            err.line(format_args!("error: {why}"));
            return ExitCode::from(FAILED);
        }
    };
    let mut done = Vec::new();
    for mut body in all {
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(clean).unwrap_or_default();
        let (whose, what) = (format!("{}/{}", text("provider"), text("stream")), format!("{} {}", text("part"), text("value")));
        if let Some(fields) = body.as_object_mut() {
            fields.insert("by".to_owned(), json!(approval.who.by));
        }
        match ask(&folder, Method::POST, APPROVE, Some(&body)) {
            Ok(_) => {
                if !approval.place.json {
                    out.line(format_args!("{what} is right in {whose}"));
                }
                done.push(body);
            }
            Err(why) => refused.push(format!("{what} in {whose}: {why}")),
        }
    }
    if approval.place.json {
        out.line(json!({ "approved": done, "refused": refused }));
    }
    refused.iter().for_each(|why| err.line(format_args!("error: {why}")));
    out.finish(if refused.is_empty() { 0 } else { FAILED })
}

/// All that an incident shows as foreign, and in words what of it nobody can approve. What has come since and is not told yet is not approved
/// unseen.
fn all_of(folder: &Path, incident: u64) -> Result<(Vec<Value>, Vec<String>), String> {
    let shown = ask(folder, Method::GET, &format!("/api/v1/incidents/{incident}"), None)?;
    if shown.get("kind").and_then(Value::as_str) != Some("identity") {
        return Err(format!("incident {incident} is about no identity: `mailcanary incident list` shows which are"));
    }
    let rows = |key: &str| shown.get("evidence").and_then(|evidence| evidence.get(key)?.as_array()).cloned().unwrap_or_default();
    let (recurring, nowhere): (Vec<Value>, Vec<Value>) = rows("recurring").into_iter().partition(|row| of_stream(row).is_some());
    let whose = shown.pointer("/culprit/provider").cloned().unwrap_or_default();
    let of = |value: &Value, key: &str| value.get(key).cloned().unwrap_or_default();
    let right = |value: &Value| {
        let provider = value.get("provider").unwrap_or(&whose);
        json!({ "provider": provider, "stream": of(value, "stream"), "part": of(value, "part"), "value": of(value, "new") })
    };
    let mut all: Vec<Value> = Vec::new();
    for value in rows("values").iter().chain(&recurring).map(right) {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    if let Some(inbox) = shown.pointer("/culprit/inbox") {
        let known = ask(folder, Method::GET, "/api/v1/identities", None)?;
        all.extend(the_same_at(inbox, &known, &all));
    }
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(clean).unwrap_or_default();
    let why = "stands in recurring mail that came through no provider whose canaries are known: close the incident if it is right";
    let mut refused: Vec<String> = nowhere.iter().map(|row| format!("{} {} {why}", text(row, "part"), text(row, "new"))).collect();
    refused.dedup();
    if all.is_empty() && refused.is_empty() { Err(format!("incident {incident} names no value")) } else { Ok((all, refused)) }
}

/// The stream in whose mail a value is said to be right.
fn of_stream(row: &Value) -> Option<&str> {
    row.get("stream").and_then(Value::as_str)
}

/// What an inbox does to all mail stands in that of others, too: the same values there.
fn the_same_at(inbox: &Value, known: &Value, told: &[Value]) -> Vec<Value> {
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |from: &Value, key: &str| from.get(key).cloned().unwrap_or_default();
    let mut more = Vec::new();
    for identity in list(known, "identities") {
        for value in list(&identity, "values") {
            let stands_there = of(&value, "foreign") == json!(true) && list(&value, "inboxes") == [inbox.clone()];
            let is_one = |one: &Value| ["part", "value"].iter().all(|key| one.get(key) == value.get(key));
            let body = json!({
                "provider": of(&identity, "provider"), "stream": of(&identity, "stream"), "part": of(&value, "part"), "value": of(&value, "value"),
            });
            if stands_there && told.iter().any(is_one) && !told.contains(&body) {
                more.push(body);
            }
        }
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_of_other_providers_at_the_inbox_is_right_too() {
        let value = |value: &str, foreign: bool, inboxes: &[&str]| json!({ "part": "content", "value": value, "foreign": foreign, "inboxes": inboxes });
        let of = |provider: &str, values: Vec<Value>| json!({ "provider": provider, "stream": "s", "values": values });
        let known = json!({ "identities": [
            of("a", vec![value("subject-changed", true, &["x"])]),
            of("b", vec![value("subject-changed", true, &["x"]), value("html-cut", true, &["x"])]),
            of("c", vec![value("subject-changed", false, &[])]),
            of("d", vec![value("subject-changed", true, &["x", "y"])]),
        ] });
        let told = |provider: &str| json!({ "provider": provider, "stream": "s", "part": "content", "value": "subject-changed" });
        assert_eq!(the_same_at(&json!("x"), &known, &[told("a")]), [told("b")]);
    }
}
