//! The facts of a page: what of the evidence fits a phone's screen, the most telling first.

use serde_json::Value;

use super::{Outgoing, fit};
use crate::model::{Change, Culprit, Span, certain};

/// Bytes of a fact.
const VALUE: usize = 240;
/// Bytes of what to do: it may hold a command that is to be copied whole.
const STEP: usize = 600;
/// What it is called.
pub(super) const NEXT: &str = "Next";
/// More facts are noise at night.
pub(super) const FACTS: usize = 7;
/// What is left out where there are more, in this order: all the others are as many as fit.
const SPARED: [&str; 3] = ["Others", "Mail", "Open too"];
/// Of those that it may be instead, so many are named.
const RIVALS: usize = 2;
/// Streams that are named.
const STREAMS: usize = 4;

/// A name and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The most telling facts of the evidence, the most telling first.
pub(super) fn facts(out: &Outgoing) -> Vec<Fact> {
    let evidence = &out.notice.evidence;
    let fact = |name: &'static str, value: Option<String>| {
        let value = fit::line(&value?, if name == NEXT { STEP } else { VALUE });
        // What the sentence says already is not said again.
        (!value.is_empty() && !out.notice.summary.contains(&value)).then_some(Fact { name, value })
    };
    let opened = || Some(moment(&out.opened_at.rfc3339()));
    if out.notice.change == Change::Resolved {
        let lasted = out.at.since(out.opened_at);
        let lasted = if lasted < Span::from_secs(1) { "less than 1s".to_owned() } else { lasted.to_string() };
        return [fact("Opened", opened()), fact("Lasted", Some(lasted))].into_iter().flatten().collect();
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let part = |name: &str| evidence.get(name).unwrap_or(&Value::Null);
    let (counted, figures) = how_many(evidence);
    let all = [
        // What is found later than it began says itself since when it is.
        fact("Since", onset(part("first_bad"), part("last_good")).or_else(|| part("since").as_str().map(moment)).or_else(opened)),
        fact("Seen", seen(part("acknowledged"))),
        fact(counted, figures),
        fact("Mail", mail(out, part("streams"))),
        fact("Said", text(part("reply"))),
        fact("Why", text(part("why"))),
        fact("Open too", open_too(part("open_too"))),
        fact("Others", text(part("others"))),
        fact(NEXT, text(part("next_step"))),
        fact(
            "Certainty",
            part("certainty").as_f64().map(|sure| certain(sure) + &instead(part("rivals"))).or_else(|| text(part("certain_by"))),
        ),
    ];
    let mut all: Vec<Fact> = all.into_iter().flatten().collect();
    // Whoever wakes up to it needs the next step more than who else is well; the page has it all.
    for less in SPARED {
        if all.len() > FACTS {
            all.retain(|fact| fact.name != less);
        }
    }
    all
}

/// How many of how many since when, and what to call it.
fn how_many(evidence: &Value) -> (&'static str, Option<String>) {
    let part = |name: &str| evidence.get(name).unwrap_or(&Value::Null);
    let inboxes = part("inboxes").as_array().map_or(0, Vec::len);
    let into = if inboxes == 0 { String::new() } else { format!(", {inboxes} {}", if inboxes == 1 { "inbox" } else { "inboxes" }) };
    let figures = part("how_many");
    if let (Some(count), Some(of)) = (figures.get("count").and_then(Value::as_u64), figures.get("of").and_then(Value::as_u64)) {
        let canaries = if of == 1 { "canary" } else { "canaries" };
        let since = figures.get("since").and_then(Value::as_str).map(moment);
        let of = match (since, figures.get("what").and_then(Value::as_str)) {
            (Some(since), _) => format!("{of} {canaries} sent since {since}"),
            (None, Some("in_junk")) => format!("the newest {of} that arrived"),
            (None, _) => format!("{of} {canaries}"),
        };
        let name = match figures.get("what").and_then(Value::as_str) {
            Some("late") => "Late",
            Some("refused") => "Refused",
            Some("in_junk") => "In junk",
            _ => "Missing",
        };
        return (name, Some(format!("{count} of {of}{into}")));
    }
    // An earlier version counted otherwise. Of what has only just stopped few are missing for good.
    let not_arrived = part("not_arrived").as_u64().unwrap_or_default();
    let missing = part("of").as_u64().filter(|of| *of > 0).zip(part("missing").as_u64());
    let missing = missing.filter(|(of, missing)| *missing >= not_arrived && missing <= of);
    ("Missing", missing.map(|(of, missing)| format!("{missing} of the last {of} canaries{into}")))
}

/// The first bad canary and the last good one: when each was sent, and how long ago that is.
fn onset(first_bad: &Value, last_good: &Value) -> Option<String> {
    let when = |canary: &Value| {
        let age = canary.get("age").and_then(Value::as_str)?;
        Some((moment(canary.get("sent_at")?.as_str()?), age.to_owned()))
    };
    let ago = |age: String| if age.ends_with("ms") { "just now".to_owned() } else { format!("{age} ago") };
    let (bad, age) = when(first_bad)?;
    let named = first_bad.get("canary").and_then(Value::as_str).map_or_else(String::new, |id| format!(", canary {id}"));
    let good = when(last_good).map_or_else(String::new, |(good, age)| format!("; last good {good} ({})", ago(age)));
    Some(format!("{bad} ({}{named}){good}", ago(age)))
}

/// Who has acknowledged it, and when.
fn seen(word: &Value) -> Option<String> {
    let text = |part: &str| word.get(part).and_then(Value::as_str);
    Some(format!("by {}, {}", text("by")?, moment(text("at")?)))
}

/// What else is open of the same provider or inbox.
fn open_too(all: &Value) -> Option<String> {
    Some(all.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "))
}

/// Whose fault it may be instead.
fn instead(rivals: &Value) -> String {
    let names: Vec<&str> = rivals.as_array().into_iter().flatten().filter_map(Value::as_str).take(RIVALS).collect();
    if names.is_empty() { String::new() } else { format!("; it may be {} instead", names.join(" or ")) }
}

/// Which streams of mail it touches, where the title does not say.
fn mail(out: &Outgoing, streams: &Value) -> Option<String> {
    if matches!(out.notice.culprit, Culprit::Stream(..) | Culprit::Route(..)) {
        return None;
    }
    let all: Vec<&str> = streams.as_array()?.iter().filter_map(Value::as_str).collect();
    let more = if all.len() > STREAMS { format!(" and {} more", all.len() - STREAMS) } else { String::new() };
    Some(format!("{}{more}", all.iter().take(STREAMS).copied().collect::<Vec<_>>().join(", ")))
}

/// `2022-08-08T19:30:00.000Z` for people.
fn moment(rfc3339: &str) -> String {
    match rfc3339.get(..19).and_then(|whole| whole.split_once('T')) {
        Some((date, time)) => format!("{date} {time} UTC"),
        None => rfc3339.to_owned(),
    }
}
