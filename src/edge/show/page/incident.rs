//! `/incidents/ID`.

use maud::{Markup, html};
use serde_json::Value;

use super::{foreign, layout, severity, text, time};
use crate::model::At;
use crate::watchdog::{IncidentView, View};

/// Bytes of one piece of evidence that are shown, and pieces. A provider's reply is kept to 4 KiB.
const PIECE: usize = 8192;
const PIECES: usize = 60;

/// Numbers from here on, under a key that tells of time, are milliseconds since 1970 (2001 and later).
const FIRST_MS: i64 = 1_000_000_000_000;

/// One incident: its facts, then its evidence.
pub(in crate::edge::show) fn incident(view: &View, incident: &IncidentView) -> Markup {
    let body = html! {
        p { a href="../" { "← status" } }
        h1 { "Incident " (incident.incident) ": " (incident.culprit) }
        p.lead { (foreign(&incident.last.summary, 2000)) }
        dl {
            dt { "State" }
            dd { @if incident.resolved_at.is_some() { "over" } @else { strong { "open" } } " (last notice: " (incident.last.change.as_str()) ")" }
            dt { "Kind" } dd { (incident.kind.as_str()) }
            dt { "Severity" } dd { span class=(severity(incident.severity)) { (incident.severity.as_str()) } }
            dt { "Culprit" } dd { (incident.culprit) }
            dt { "Opened" } dd { (time(incident.opened_at, view.at)) }
            @if let Some(resolved) = incident.resolved_at { dt { "Ended" } dd { (time(resolved, view.at)) } }
            @for (what, word) in [("Seen by", &incident.acknowledged), ("Closed by", &incident.closed)] {
                @if let Some(said) = word {
                    dt { (what) }
                    dd {
                        (foreign(&said.by, 200)) ", " (time(said.at, view.at))
                        @if let Some(note) = &said.note { ": " (foreign(note, 1000)) }
                    }
                }
            }
            dt { @if incident.resolved_at.is_some() { "Lasted" } @else { "Has lasted" } } dd { (incident.age(view.at)) }
            dt { "Key" } dd { code { "mailcanary/" (text::plain(&view.instance, 300)) "/" (incident.incident) } }
        }
        (super::form::link(incident))
        h2 { "Evidence" }
        (evidence(&incident.last.evidence, view.at))
    };
    layout(&format!("Incident {}", incident.incident), None, &body)
}

fn evidence(evidence: &Value, now: At) -> Markup {
    let Value::Object(map) = evidence else { return piece("", evidence, now) };
    html! {
        @if map.is_empty() { p.dim { "None was given." } }
        dl {
            @for (key, value) in map.iter().take(PIECES) {
                dt { (foreign(key, 200)) }
                dd { (piece(key, value, now)) }
            }
        }
        @if map.len() > PIECES { p.dim { "and " (map.len() - PIECES) " more" } }
    }
}

fn piece(key: &str, value: &Value, now: At) -> Markup {
    let tells_time = ["at", "since", "until", "from", "to"].iter().any(|word| key == *word || key.ends_with(&format!("_{word}")));
    match value {
        Value::String(said) if said.len() < 80 && !said.contains('\n') => foreign(said, PIECE),
        Value::String(said) => html! { pre { (foreign(said, PIECE)) } },
        Value::Number(number) => match number.as_i64() {
            Some(ms) if tells_time && ms >= FIRST_MS => time(At::from_ms(ms), now),
            Some(_) | None => html! { (number) },
        },
        Value::Null => html! { span.dim { "none" } },
        Value::Bool(yes) => html! { (if *yes { "yes" } else { "no" }) },
        Value::Array(_) | Value::Object(_) => {
            html! { pre { (foreign(&serde_json::to_string_pretty(value).unwrap_or_default(), PIECE)) } }
        }
    }
}
