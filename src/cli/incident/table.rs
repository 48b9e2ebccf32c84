//! What `silence`, `identity` and `dns` print for people. All that is foreign is cleaned of control characters.

use std::fmt::Write as _;

use serde_json::Value;

use crate::model::{At, hides};

/// All silences, and maintenance that comes back every week.
pub(super) fn silences(answer: &Value) -> String {
    let list = |key: &str, line: fn(&Value) -> String| -> Vec<String> {
        answer.get(key).and_then(Value::as_array).map(|all| all.iter().map(line).collect()).unwrap_or_default()
    };
    let all: Vec<String> = list("silences", silenced).into_iter().chain(list("maintenance", maintained)).collect();
    if all.is_empty() { "nothing is silenced".to_owned() } else { all.join("\n") }
}

/// One window of maintenance.
fn maintained(window: &Value) -> String {
    let field = |key: &str| window.get(key).map(said).unwrap_or_default();
    let time = |key: &str, word: &str| {
        let at = window.get(key).and_then(Value::as_str).map(moment);
        at.map_or_else(String::new, |at| format!(", {word} {at}"))
    };
    let when = format!("{}{}{}", field("every"), time("now_until", "now until"), time("next", "next at"));
    format!("maintenance {}, {}: {when}, by {}: {}", field("name"), field("which"), field("by"), field("reason"))
}

/// One silence.
pub(super) fn silenced(silence: &Value) -> String {
    let time = |key: &str| silence.get(key).and_then(Value::as_str).map(moment).unwrap_or_default();
    let field = |key: &str| silence.get(key).map(said).unwrap_or_default();
    let which: Vec<String> = match silence.get("which") {
        Some(Value::Object(which)) => which.iter().map(|(key, value)| format!("{} {}", clean(key), said(value))).collect(),
        _ => Vec::new(),
    };
    let which = if which.is_empty() { "everything".to_owned() } else { which.join(", ") };
    format!("{:>5}  {which}: from {} until {}, by {}: {}", field("silence"), time("from"), time("until"), field("by"), field("reason"))
}

/// An instant as people read it.
fn moment(text: &str) -> String {
    At::from_rfc3339(text).map_or_else(|| clean(text), At::second)
}

/// A value as a person would write it.
pub(super) fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| clean(&value.to_string()), clean)
}

/// Nothing in it moves the cursor, changes colours or turns the direction of writing.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || hides(c) { ' ' } else { c }).collect()
}

/// What the mail of each provider and stream looks like.
pub(super) fn identities(answer: &Value) -> String {
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let all = list(answer, "identities");
    if all.is_empty() {
        return "no mail was looked at yet".to_owned();
    }
    let mut text = String::new();
    for identity in all {
        let field = |key: &str| identity.get(key).map(said).unwrap_or_default();
        let known = if field("known") == "true" { "" } else { " (still being learnt)" };
        let _ = writeln!(text, "{}/{}{known}", field("provider"), field("stream"));
        for value in list(&identity, "values") {
            let of = |key: &str| value.get(key).map(said).unwrap_or_default();
            let word = if of("foreign") == "true" {
                "FOREIGN"
            } else if of("approved") == "true" {
                "approved"
            } else {
                ""
            };
            let _ = writeln!(text, "  {:<13} {:<40} {word:<8} since {}", of("part"), of("value"), moment(&of("since")));
        }
        for check in list(&identity, "checks") {
            let of = |key: &str| check.get(key).map(said).unwrap_or_default();
            let by = if of("by_receiver") == "true" { " by the receiver" } else { "" };
            let state = match (of("sound").as_str(), check.get("broken_since").is_some_and(Value::is_string)) {
                (_, true) => format!("BROKEN since {}: {}", moment(&of("broken_since")), of("why")),
                ("true", false) => "holds".to_owned(),
                _ if of("why").is_empty() => "not known to hold".to_owned(),
                _ => format!("not known to hold: {}", of("why")),
            };
            let _ = writeln!(text, "  {:<13} in {}{by}: {state}", of("method"), of("inbox"));
        }
    }
    text.trim_end().to_owned()
}

/// What a record includes that is another than before, and the hosts that it does not let pass.
fn inside(record: &Value, text: &mut String) {
    let list = |key: &str| record.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for one in list("includes").iter().filter(|one| one.get("before").is_some_and(Value::is_string)) {
        let of = |key: &str| one.get(key).map(said).filter(|text| !text.is_empty()).unwrap_or_else(|| "nothing".to_owned());
        let _ = writeln!(
            text,
            "         it rests on {}\n           before: {}\n           now:    {}",
            of("domain"),
            of("before"),
            of("value")
        );
    }
    for host in list("addresses").iter().filter(|host| host.get("passes") == Some(&Value::Bool(false))) {
        let _ = writeln!(text, "         does not let {} pass, from where mail comes", host.get("address").map(said).unwrap_or_default());
    }
}

/// What the DNS says; what has changed first.
pub(super) fn dns(answer: &Value) -> String {
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all = list(answer, "records");
    if all.is_empty() {
        return "nothing is watched, or nothing was asked yet".to_owned();
    }
    all.sort_by_key(|record| !record.get("severity").is_some_and(Value::is_string));
    let mut text = String::new();
    for record in all {
        let of = |key: &str| record.get(key).filter(|value| !value.is_null()).map(said);
        let grade = of("grade").unwrap_or_else(|| if of("refused").as_deref() == Some("true") { "refuses" } else { "unknown" }.to_owned());
        let _ = writeln!(
            text,
            "{:<8} {}",
            if grade == "broken" && of("topic").as_deref() == Some("listed") { "LISTED" } else { &grade },
            of("subject").unwrap_or_default()
        );
        if let (Some(severity), Some(before), Some(since)) = (of("severity"), of("before"), of("changed_at").as_deref().map(moment)) {
            let nothing = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
            let now = nothing(of("value").unwrap_or_default());
            let _ = writeln!(
                text,
                "         CHANGED ({severity}) since {since}\n           before: {}\n           now:    {now}",
                nothing(before)
            );
        }
        for note in list(&record, "notes") {
            let _ = writeln!(text, "         {}", said(&note));
        }
        inside(&record, &mut text);
        if let Some(silence) = record.get("unanswered").filter(|value| value.is_object()) {
            let of = |key: &str| silence.get(key).map(said).unwrap_or_default();
            let _ = writeln!(text, "         not answered since {}: {}", moment(&of("since")), of("why"));
        }
    }
    text.trim_end().to_owned()
}
