//! The bundle for people, in Markdown. Everything that is not our own word stands between backticks, where nothing formats, links or
//! mentions anybody, on one line and without characters that hide or turn text.

use std::fmt::Write as _;

use serde_json::Value;

use crate::model::{At, hides};

/// Characters of one foreign text; the whole stands in the JSON beside.
const MOST: usize = 2000;
/// What is said of a mail that was not read to its end.
const CUT: &str = "not read to its end: what stands further behind was not looked at";
/// Facts of the evidence that have a place of their own, or are for machines.
const ELSEWHERE: [&str; 9] = ["at", "called_late", "routes", "since", "first_bad", "last_good", "reply", "provider_says", "next_step"];
/// Figures of the last notice: those of the whole time stand in the tables.
const FIGURES: [&str; 6] = ["not_arrived", "missing", "of", "how_many", "inboxes", "routes_count"];
/// The states of canaries, in the order of the table.
const STATES: [&str; 7] = ["arrived", "in junk", "late", "lost", "refused", "in flight", "forgotten"];

/// The whole text.
pub(super) fn draw(bundle: &Value) -> String {
    let now = time(bundle.get("written_at"));
    let mut text = String::new();
    let to = &mut text;
    let _ = writeln!(to, "# Incident {}: {}, {}\n", field(bundle, "incident"), culprit(bundle), field(bundle, "kind"));
    let _ = writeln!(
        to,
        "Written {} by mailcanary {} on {}. Times are UTC.\n",
        field(bundle, "written_at"),
        field(bundle, "mailcanary"),
        field(bundle, "instance")
    );
    what_failed(to, bundle, now);
    words(to, bundle);
    routes(to, bundle, "What failed, by route", true);
    routes(to, bundle, "What the others show", false);
    canaries(to, ("Canaries that did not simply arrive", list(bundle, "canaries").filter(|canary| is_blamed(canary))));
    canaries(to, ("The same over other routes", list(bundle, "canaries").filter(|canary| !is_blamed(canary))));
    canaries(to, ("The mails in which it was seen first", list(bundle, "first_mails")));
    headers(to, bundle);
    timeline(to, bundle, now);
    told(to, bundle);
    let _ = writeln!(to, "## What is not here\n");
    list(bundle, "left_out").for_each(|left| item(to, "", &value(left)));
    text
}

fn what_failed(to: &mut String, bundle: &Value, now: Option<At>) {
    let _ = writeln!(to, "## What failed\n");
    let over = bundle.get("resolved_at").is_some_and(Value::is_string);
    item(to, "Severity: ", &field(bundle, "severity"));
    item(to, "Began: ", &moment(bundle.get("began_at"), now));
    item(to, "Opened: ", &moment(bundle.get("opened_at"), now));
    if over {
        item(to, "Over: ", &moment(bundle.get("resolved_at"), now));
    }
    item(to, if over { "Lasted: " } else { "Has lasted: " }, &field(bundle, "lasted"));
    let Some(Value::Object(evidence)) = bundle.get("evidence") else { return };
    for (name, key) in [("First bad: ", "first_bad"), ("Last good: ", "last_good")] {
        if let Some(found) = evidence.get(key).filter(|found| found.is_object()) {
            let canary = value(found.get("canary").unwrap_or(&Value::Null));
            item(to, name, &format!("sent {}, canary {canary}", moment(found.get("sent_at"), now)));
        }
    }
    item(to, "In one sentence: ", &field(bundle, "summary"));
    item(to, "In all: ", &in_all(bundle));
    let has_place = |key: &str| ELSEWHERE.contains(&key) || FIGURES.contains(&key);
    for (key, fact) in evidence.iter().filter(|(key, fact)| !has_place(key) && !is_nothing(fact)) {
        item(to, &format!("{}: ", code(key)), &value(fact));
    }
    if let Some(next) = evidence.get("next_step") {
        item(to, "Next: ", &value(next));
    }
    to.push('\n');
}

/// What became of all canaries over the routes that are to blame.
fn in_all(bundle: &Value) -> String {
    let mine: Vec<&Value> = list(bundle, "routes").filter(|route| is_blamed(route)).collect();
    let sum = |at: &str| mine.iter().filter_map(|route| route.pointer(at).and_then(Value::as_u64)).sum::<u64>();
    let became: Vec<String> = STATES
        .iter()
        .map(|state| (state, sum(&format!("/states/{state}"))))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    format!(
        "of {} canaries over {} routes {}",
        sum("/sent"),
        mine.len(),
        if became.is_empty() { "none".to_owned() } else { became.join(", ") }
    )
}

/// What the provider itself said.
fn words(to: &mut String, bundle: &Value) {
    let reply = bundle.pointer("/evidence/reply").filter(|reply| !is_nothing(reply));
    let says: Vec<&Value> = bundle.pointer("/evidence/provider_says").and_then(Value::as_array).into_iter().flatten().collect();
    if reply.is_none() && says.is_empty() {
        return;
    }
    let _ = writeln!(to, "## The provider's own words\n");
    reply.into_iter().for_each(|reply| item(to, "It answered: ", &value(reply)));
    for said in says {
        item(
            to,
            "",
            &format!("of canary {}, {}: {}: {}", field(said, "canary"), field(said, "said_at"), field(said, "fate"), field(said, "words")),
        );
    }
    to.push('\n');
}

fn routes(to: &mut String, bundle: &Value, title: &str, blamed: bool) {
    let mine: Vec<&Value> = list(bundle, "routes").filter(|route| is_blamed(route) == blamed).collect();
    if mine.is_empty() {
        return;
    }
    let _ = writeln!(to, "## {title}\n\n| route | sent | {} | last good | first bad |", STATES.join(" | "));
    let _ = writeln!(to, "| --- | --- | {}--- | --- |", "--- | ".repeat(STATES.len()));
    for route in mine {
        let count = |state: &str| route.pointer(&format!("/states/{state}")).and_then(Value::as_u64).unwrap_or_default().to_string();
        let counts = STATES.map(count).join(" | ");
        let cells = ["route", "sent"].map(|key| field(route, key).replace('|', "\\|")).join(" | ");
        let _ = writeln!(to, "| {cells} | {counts} | {} | {} |", field(route, "last_good"), field(route, "first_bad"));
    }
    to.push('\n');
}

fn canaries<'v>(to: &mut String, (title, mine): (&str, impl Iterator<Item = &'v Value>)) {
    let mine: Vec<&Value> = mine.collect();
    if mine.is_empty() {
        return;
    }
    let _ = writeln!(to, "## {title}\n");
    for canary in mine {
        let head = ["canary", "route", "sent_at", "state"].map(|key| field(canary, key));
        let [id, route, sent, state] = head;
        let mut line = format!("{id} over {route}, sent {sent}: {state}");
        for (name, key) in [
            ("answer", "outcome"),
            ("class", "class"),
            ("at", "answered_at"),
            ("the provider's id", "message_id"),
            ("reply", "reply"),
            ("deadline passed", "lost_at"),
            ("arrived", "arrived_at"),
            ("in", "placement"),
        ] {
            if canary.get(key).is_some_and(|found| !is_nothing(found)) {
                let _ = write!(line, "; {name} {}", field(canary, key));
            }
        }
        for said in list(canary, "provider_says") {
            let _ = write!(line, "; the provider, {}: {}: {}", field(said, "at"), field(said, "fate"), field(said, "words"));
        }
        item(to, "", &line);
        list(canary, "hops").for_each(|found| item(to, "", &format!("{id}, {}", hop(found))));
        if is_cut(canary) {
            item(to, "", &format!("{id}, {CUT}"));
        }
    }
    to.push('\n');
}

/// What stood in headers, each in a fence that nothing in it can end.
fn headers(to: &mut String, bundle: &Value) {
    if list(bundle, "headers").next().is_none() {
        return;
    }
    let _ = writeln!(to, "## Headers of mails that arrived\n");
    for header in list(bundle, "headers") {
        let [id, route, sent, state, arrived, place] =
            ["canary", "route", "sent_at", "state", "arrived_at", "placement"].map(|key| field(header, key));
        let _ = writeln!(to, "Canary {id} over {route}, sent {sent}: {state}, {arrived}, in {place}:\n");
        fenced(to, header.get("text").and_then(Value::as_str).unwrap_or_default());
        found(to, header.get("mail").unwrap_or(&Value::Null));
    }
}

/// What was found in a mail: its hops in the order of travel, its checks, and what it says of itself.
fn found(to: &mut String, mail: &Value) {
    list(mail, "hops").for_each(|found| item(to, "", &hop(found)));
    if is_cut(mail) {
        item(to, "", CUT);
    }
    for check in list(mail, "checks") {
        let [method, finding, by, why] = ["method", "finding", "by", "why"].map(|key| field(check, key));
        item(to, "", &format!("check {method}: {finding}, by {by}: {why}"));
    }
    for mark in list(mail, "marks") {
        item(to, "", &format!("{}: {}", field(mark, "part"), field(mark, "value")));
    }
    if is_cut(mail) || list(mail, "hops").chain(list(mail, "checks")).chain(list(mail, "marks")).next().is_some() {
        to.push('\n');
    }
}

/// Whether a mail was not read to its end.
fn is_cut(mail: &Value) -> bool {
    mail.get("cut").and_then(Value::as_bool).unwrap_or_default()
}

/// One host of a mail's way in a line.
fn hop(hop: &Value) -> String {
    let [at, took, by, from, address, side] = ["at", "took", "by", "from", "address", "side"].map(|key| field(hop, key));
    let behind =
        hop.get("behind").filter(|behind| !is_nothing(behind)).map_or_else(String::new, |b| format!("; its clock is {} behind", value(b)));
    format!("hop at {at}, after {took}: {by} from {from}, {address} (side: {side}){behind}")
}

fn fenced(to: &mut String, text: &str) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let tame = |c: char| if c.is_control() || hides(c) { ' ' } else { c };
    let _ = writeln!(to, "{fence}");
    for line in text.lines() {
        to.extend(line.chars().map(tame));
        to.push('\n');
    }
    let _ = writeln!(to, "{fence}\n");
}

fn timeline(to: &mut String, bundle: &Value, now: Option<At>) {
    let _ = writeln!(to, "## Timeline\n");
    for entry in list(bundle, "timeline") {
        let words = entry.get("words").map_or_else(String::new, |words| format!(": {}", value(words)));
        item(to, "", &format!("{}, {}{words}", moment(entry.get("at"), now), field(entry, "what")));
    }
    to.push('\n');
}

fn told(to: &mut String, bundle: &Value) {
    let _ = writeln!(to, "## Who was told\n");
    for notice in list(bundle, "notices") {
        let one = |sink: &Value| format!("{} {}, {}", field(sink, "sink"), field(sink, "outcome"), field(sink, "since"));
        let sinks: Vec<String> = list(notice, "sinks").map(one).collect();
        let sinks = if sinks.is_empty() { "nobody".to_owned() } else { sinks.join("; ") };
        item(to, "", &format!("notice {}, {}, {}: {sinks}", field(notice, "notice"), field(notice, "change"), field(notice, "severity")));
    }
    to.push('\n');
}

fn item(to: &mut String, name: &str, text: &str) {
    let _ = writeln!(to, "- {name}{text}");
}

fn list<'v>(from: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    from.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn is_blamed(route: &Value) -> bool {
    route.get("blamed") == Some(&Value::Bool(true))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The culprit as `provider:a`, from its object.
fn culprit(bundle: &Value) -> String {
    let culprit = bundle.get("culprit").cloned().unwrap_or_default();
    serde_json::from_value::<crate::model::Culprit>(culprit).map_or_else(|_| code("unknown"), |culprit| code(&culprit.to_string()))
}

fn time(from: Option<&Value>) -> Option<At> {
    from.and_then(Value::as_str).and_then(At::from_rfc3339)
}

/// An instant and how long ago it was.
fn moment(from: Option<&Value>, now: Option<At>) -> String {
    let ago = time(from).zip(now).map_or_else(String::new, |(at, now)| format!(" ({} ago)", now.since(at)));
    format!("{}{ago}", from.map_or_else(|| "–".to_owned(), value))
}

fn field(from: &Value, key: &str) -> String {
    from.get(key).map_or_else(|| "–".to_owned(), value)
}

/// A value as a code span, for whoever wrote it; numbers need none.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => code(text),
        Value::Array(all) if all.iter().all(Value::is_string) => code(&all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        Value::Array(_) | Value::Object(_) => code(&value.to_string()),
    }
}

/// `text` as a code span, which nothing in it can end.
fn code(text: &str) -> String {
    let tame = |c: char| if c.is_control() || hides(c) { ' ' } else { c };
    let spaced: String = text.chars().map(tame).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(MOST).collect();
    let more = if cut.len() < line.len() { "…" } else { "" };
    if cut.is_empty() {
        return "–".to_owned();
    }
    let longest = cut.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let room = if longest > 0 { " " } else { "" };
    format!("{fence}{room}{cut}{more}{room}{fence}")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn nothing_ends_a_code_span_from_within() {
        assert_eq!(code("a\r\n# head\n\n<b>x</b> [y](https://evil.example)"), "`a # head <b>x</b> [y](https://evil.example)`");
        assert_eq!(code("`x` ```y"), "```` `x` ```y ````");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code(" \u{1b}[31m\u{202e}a\u{200b}\u{85}b "), "`[31m a b`");
        assert_eq!(code("\u{feff}"), "–");
        assert_eq!(code(&"ä".repeat(3000)).chars().count(), 2000 + 3);
    }
}
