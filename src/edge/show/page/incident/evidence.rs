//! The proof as it was told: whatever it holds, whoever wrote it.

use maud::{Markup, html};
use serde_json::Value;

use super::super::bits::{foreign, time};
use super::ROOT;
use crate::model::{At, CanaryId};

/// Bytes of one piece of evidence that are shown, and pieces. A provider's reply is kept to 4 KiB.
const PIECE: usize = 8192;
const PIECES: usize = 60;

/// Numbers from here on, under a key that tells of time, are milliseconds since 1970 (2001 and later).
const FIRST_MS: i64 = 1_000_000_000_000;

/// What has a place of its own on the page.
const ELSEWHERE: [&str; 9] =
    ["at", "first_bad", "last_good", "certainty", "rivals", "cannot_be_told_apart", "reply", "provider_says", "next_step"];

/// All of it that stands nowhere else on the page.
pub(super) fn evidence(evidence: &Value, now: At) -> Markup {
    let Value::Object(map) = evidence else { return piece("", evidence, now) };
    let rest: Vec<(&String, &Value)> =
        map.iter().filter(|(key, value)| !(ELSEWHERE.contains(&key.as_str()) || is_nothing(value))).collect();
    html! {
        @if rest.is_empty() { p.dim { "Nothing but what stands above." } }
        dl.facts {
            @for (key, value) in rest.iter().take(PIECES) {
                dt { (foreign(&key.replace('_', " "), 200)) }
                dd { (piece(key, value, now)) }
            }
        }
        @if rest.len() > PIECES { p.dim { "and " (rest.len() - PIECES) " more" } }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn piece(key: &str, value: &Value, now: At) -> Markup {
    let tells_time = ["at", "since", "until", "from", "to"].iter().any(|word| key == *word || key.ends_with(&format!("_{word}")));
    match value {
        Value::String(said) if tells_time => match At::from_rfc3339(said) {
            Some(at) => time(at, now),
            None => foreign(said, PIECE),
        },
        Value::String(said) if said.contains('\n') => html! { pre { (foreign(said, PIECE)) } },
        Value::String(said) => foreign(said, PIECE),
        Value::Number(number) => match number.as_i64() {
            Some(ms) if tells_time && ms >= FIRST_MS => time(At::from_ms(ms), now),
            Some(_) | None => html! { (number) },
        },
        Value::Null => html! { span.dim { "none" } },
        Value::Bool(yes) => html! { (if *yes { "yes" } else { "no" }) },
        Value::Array(all) if all.iter().all(Value::is_string) => {
            html! { ul.plain { @for one in all.iter().filter_map(Value::as_str).take(PIECES) { li { (foreign(one, PIECE)) } } } }
        }
        Value::Array(_) | Value::Object(_) => {
            html! { pre { (foreign(&serde_json::to_string_pretty(value).unwrap_or_default(), PIECE)) } }
        }
    }
}

/// A canary that evidence names: when it was sent, and a way to its page.
pub(super) fn canary(found: &Value, now: At) -> Markup {
    let id = found.get("canary").and_then(Value::as_str).and_then(|text| text.parse::<CanaryId>().ok());
    let sent = found.get("sent_at").and_then(Value::as_str).and_then(At::from_rfc3339);
    html! {
        @if let Some(at) = sent { "sent " (time(at, now)) " " }
        @if let Some(id) = id { a href=(format!("{ROOT}canaries/{id}")) { (id) } }
    }
}

/// What a provider said of one canary.
pub(super) fn said(said: &Value, now: At) -> Markup {
    let part = |key: &str| said.get(key).and_then(Value::as_str);
    html! {
        p {
            "Of " (canary(said, now)) ": " strong { (foreign(part("fate").unwrap_or("unknown"), 40)) }
            @if let Some(at) = part("said_at").and_then(At::from_rfc3339) { ", said " (time(at, now)) }
        }
        @if let Some(words) = part("words") { pre { (foreign(words, 4096)) } }
    }
}
