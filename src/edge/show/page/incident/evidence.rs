//! The proof as it was told: whatever it holds, whoever wrote it.

use maud::{Markup, html};
use serde_json::Value;

use super::super::super::facts::{Said, facts};
use super::super::bits::{foreign, time};
use super::super::prose;
use super::ROOT;
use crate::model::{At, CanaryId, Fate, Kind};

/// Bytes of one piece of evidence that are shown, and pieces. A provider's reply is kept to 4 KiB.
const PIECE: usize = 8192;
const PIECES: usize = 60;

/// What has a place of its own on the page.
const ELSEWHERE: [&str; 10] =
    ["since", "first_bad", "last_good", "certainty", "rivals", "cannot_be_told_apart", "reply", "provider_says", "next_step", "caution"];

/// All of it that stands nowhere else on the page.
pub(super) fn evidence(kind: Kind, evidence: &Value, now: At) -> Markup {
    let rest = facts(kind, evidence, &ELSEWHERE);
    html! {
        @if rest.is_empty() { p.dim { "Nothing but what stands above." } }
        dl.facts {
            @for fact in rest.iter().take(PIECES) {
                dt { (foreign(&fact.name, 200)) }
                dd { (piece(&fact.said, now)) }
            }
        }
        @if rest.len() > PIECES { p.dim { "and " (rest.len() - PIECES) " more" } }
    }
}

fn piece(said: &Said, now: At) -> Markup {
    match said {
        Said::Words(words) => prose(words, PIECE),
        Said::Quoted(words) => html! { pre { (foreign(words, PIECE)) } },
        Said::Instant(at) => time(*at, now),
        Said::Canary(id, sent) => named(*id, *sent, now),
        Said::List(all) => html! { ul.plain { @for one in all { li { (foreign(one, PIECE)) } } } },
        Said::Rows(all) => html! {
            ul.plain.rows { @for row in all {
                li { @for (place, (name, said)) in row.iter().enumerate() {
                    @if place > 0 { ", " }
                    span.dim { (foreign(name, 200)) } " " (piece(said, now))
                } }
            } }
        },
    }
}

fn named(id: Option<CanaryId>, sent: Option<At>, now: At) -> Markup {
    html! {
        @if let Some(at) = sent { "sent " (time(at, now)) " " }
        @if let Some(id) = id { a href=(format!("{ROOT}canaries/{id}")) { (id) } }
    }
}

/// A canary that evidence names: when it was sent, and a way to its page.
pub(super) fn canary(found: &Value, now: At) -> Markup {
    let part = |key: &str| found.get(key).and_then(Value::as_str);
    named(part("canary").and_then(|text| text.parse().ok()), part("sent_at").and_then(At::from_rfc3339), now)
}

/// What a provider said of one canary.
pub(super) fn said(said: &Value, now: At) -> Markup {
    let part = |key: &str| said.get(key).and_then(Value::as_str);
    let fate = part("fate").unwrap_or("unknown");
    let known: Option<&str> = Fate::ALL.into_iter().find(|known| known.as_str() == fate).map(Fate::in_words);
    let fate = known.unwrap_or(fate);
    html! {
        p {
            "Of the canary " (canary(said, now)) ": " strong { (foreign(fate, 60)) }
            @if let Some(at) = part("said_at").and_then(At::from_rfc3339) { ", said " (time(at, now)) }
        }
        @if let Some(words) = part("words") { pre { (foreign(words, 4096)) } }
    }
}
