//! What `incident list` and `incident show` print: a few lines for each, which fit. All that is foreign is cleaned of control characters.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::terminal::{Paper, Tone, cut, wrap};
use super::table::{clean, said};
use crate::edge::show::{Said, facts};
use crate::model::{At, Culprit, Kind, Span, what, whose};

/// Columns before what is told of an incident, and of a fact.
const INDENT: usize = 8;
const FACT: usize = 24;
/// No text is made narrower than this, whatever the terminal.
const LEAST: usize = 24;

/// What is open, then what ended.
pub(super) fn incidents(answer: &Value, now: Option<At>, paper: Paper) -> String {
    let all: Vec<&Value> = answer.get("incidents").and_then(Value::as_array).map(|all| all.iter().collect()).unwrap_or_default();
    if all.is_empty() {
        return "no incident is open, and none ended lately".to_owned();
    }
    all.into_iter().map(|one| head(one, now, paper)).collect::<Vec<_>>().join("\n")
}

/// One incident with its proof.
pub(super) fn incident(incident: &Value, now: Option<At>, paper: Paper) -> String {
    let mut text = head(incident, now, paper) + "\n";
    let mut fact = |name: &str, lines: Vec<String>| {
        let room = paper.width.map_or(usize::MAX, |width| width.saturating_sub(FACT).max(LEAST));
        for (place, line) in lines.iter().flat_map(|line| wrap(line, room)).enumerate() {
            let name = if place == 0 { cut(name, FACT - 3) } else { String::new() };
            let _ = write!(text, "\n  {name:<wide$}{line}", wide = FACT - 2);
        }
    };
    let instant = |key: &str| incident.get(key).and_then(Value::as_str).and_then(At::from_rfc3339);
    for (key, name) in [("since", "Began"), ("opened_at", "Opened"), ("resolved_at", "Ended")] {
        fact(name, instant(key).map(|at| moment(at, now)).into_iter().collect());
    }
    for (key, name) in [("acknowledged", "Acknowledged"), ("closed", "Closed")] {
        fact(name, incident.get(key).filter(|word| word.is_object()).map(word).into_iter().collect());
    }
    for also in incident.get("also").and_then(Value::as_array).into_iter().flatten() {
        fact("Seen, too", vec![word(also)]);
    }
    let kind = incident.get("kind").and_then(Value::as_str).and_then(Kind::from_word).unwrap_or(Kind::Stopped);
    // When it began stands above.
    for piece in incident.get("evidence").map(|evidence| facts(kind, evidence, &["since"])).unwrap_or_default() {
        fact(&clean(&piece.name), told(&piece.said, now));
    }
    text
}

/// Which it is and how it stands in one line, then its sentence.
fn head(incident: &Value, now: Option<At>, paper: Paper) -> String {
    let field = |key: &str| incident.get(key).map(said).unwrap_or_default();
    let severity = field("severity");
    let tone = match severity.as_str() {
        "page" => Tone::Bad,
        "warn" => Tone::Warn,
        _ => Tone::Plain,
    };
    let what = of_all(incident).unwrap_or_else(|| format!("{}: {}", culprit(incident.get("culprit")), field("kind").replace('_', " ")));
    let (first, rest) = (format!("{:>5} ", field("incident")), format!("{what}, {}", state(incident, now)));
    let room = paper.width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(LEAST));
    let mut text = String::new();
    for (place, line) in wrap(&format!("{severity:<4}  {rest}"), room.saturating_add(2)).iter().enumerate() {
        let painted = match line.strip_prefix(&severity).filter(|_| place == 0) {
            Some(after) => format!("{first}{}{}", paper.paint(&severity, tone), paper.paint(after, Tone::Strong)),
            None => format!("\n{:INDENT$}{}", "", paper.paint(line, Tone::Strong)),
        };
        text.push_str(&painted);
    }
    for line in wrap(&field("summary"), room) {
        let _ = write!(text, "\n{:INDENT$}{line}", "");
    }
    text
}

/// How it stands.
fn state(incident: &Value, now: Option<At>) -> String {
    let instant = |key: &str| incident.get(key).and_then(Value::as_str).and_then(At::from_rfc3339);
    let since = instant("since").or_else(|| instant("opened_at"));
    let lasts = |from: Option<At>, until: Option<At>| until.zip(from).map(|(until, from)| whole(until.since(from)));
    if let Some(ended) = instant("resolved_at") {
        let ago = now.map_or_else(String::new, |now| format!(", {} ago", whole(now.since(ended))));
        return format!("over after {}{ago}", lasts(since, Some(ended)).unwrap_or_default());
    }
    let age = lasts(instant("opened_at"), now).map_or_else(String::new, |age| format!(" for {age}"));
    let seen = incident.pointer("/acknowledged/by").map_or_else(String::new, |by| format!(", {} has seen it", said(by)));
    let silenced = instant("silenced_until").map_or_else(String::new, |at| format!(", silenced until {}", at.minute()));
    let delivers = if incident.get("delivers") == Some(&Value::Bool(true)) { ", at present delivering" } else { "" };
    format!("open{age}{seen}{silenced}{delivers}")
}

/// Nobody reads milliseconds here.
fn whole(span: Span) -> Span {
    Span::from_secs(span.as_ms() / 1000)
}

/// What concerns everything, or a sink, as the page of it says.
fn of_all(incident: &Value) -> Option<String> {
    let kind = incident.get("kind")?.as_str().and_then(Kind::from_word)?;
    let evidence = incident.get("evidence")?;
    let is_of_all = incident.get("culprit")?.get("watcher").is_some();
    let all = Culprit::Watcher {};
    is_of_all.then(|| format!("{}: {}", clean(&whose(&all, kind, evidence)), what(&all, kind, evidence)))
}

/// Whose it is, in words.
fn culprit(value: Option<&Value>) -> String {
    let Some((what, names)) = value.and_then(Value::as_object).and_then(|one| one.iter().next()) else { return "somebody".to_owned() };
    match names {
        Value::String(name) => format!("{} {}", clean(what), clean(name)),
        Value::Array(names) => format!("{} {}", clean(what), names.iter().map(said).collect::<Vec<_>>().join("/")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => clean(what),
    }
}

/// What a person said.
fn word(word: &Value) -> String {
    let part = |key: &str| word.get(key).filter(|part| part.is_string()).map(said);
    let at = word.get("at").and_then(Value::as_str).and_then(At::from_rfc3339).map_or_else(String::new, At::second);
    let note = part("note").map_or_else(String::new, |note| format!(": {note}"));
    format!("{at} by {}{note}", part("by").unwrap_or_default())
}

fn moment(at: At, now: Option<At>) -> String {
    let ago = now.filter(|now| *now >= at).map_or_else(String::new, |now| format!(" ({} ago)", whole(now.since(at))));
    format!("{}{ago}", at.second())
}

/// A piece of the proof, in lines.
fn told(piece: &Said, now: Option<At>) -> Vec<String> {
    match piece {
        Said::Words(words) => vec![clean(words)],
        Said::Quoted(words) => words.lines().map(clean).collect(),
        Said::Instant(at) => vec![moment(*at, now)],
        Said::Canary(..) => vec![clean(&piece.to_string())],
        Said::List(all) => all.iter().map(|one| clean(one)).collect(),
        Said::Rows(all) => {
            all.iter().map(|row| row.iter().map(|(name, said)| clean(&format!("{name} {said}"))).collect::<Vec<_>>().join(", ")).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::terminal::width;
    use super::*;

    fn outage() -> Value {
        json!({
            "incident": 7, "severity": "page", "kind": "cut_off", "culprit": { "stream": ["relay", "password-reset"] },
            "since": "2022-08-08T19:28:00.000Z", "opened_at": "2022-08-08T19:30:00.000Z", "resolved_at": null, "delivers": false,
            "summary": "nothing arrives\u{1b}[31m: as it is now, in a sentence that is longer than any terminal is wide, and names nobody at all",
            "last": { "summary": "as it was told last", "evidence": {} },
            "acknowledged": { "at": "2022-08-08T19:40:00.000Z", "by": "ada", "note": "calling" }, "also": [], "closed": null, "silenced_until": null,
            "evidence": { "since": "2022-08-08T19:28:00.000Z", "not_arrived": 4, "missing": 0, "nats": 20.0, "reply": "250 ok\nqueued", "routes": ["a/s/i"], "routes_count": 2 },
        })
    }

    #[test]
    fn it_fits_and_says_what_is_known_now_in_words() {
        let now = At::from_rfc3339("2022-08-08T19:50:00Z");
        for columns in [60, 80, 132] {
            let paper = Paper { terminal: true, colour: false, width: Some(columns) };
            let (list, shown) = (incidents(&json!({ "incidents": [outage(), outage()] }), now, paper), incident(&outage(), now, paper));
            for line in list.lines().chain(shown.lines()) {
                assert!(width(line) <= columns && !line.contains('\u{1b}'), "{columns}: {line}");
            }
            assert!(!list.contains("told last") && list.contains("as it is now"), "{list}");
        }
        let paper = Paper { terminal: false, colour: false, width: None };
        let shown = incident(&outage(), now, paper);
        for words in [
            "    7 page  stream relay/password-reset: cut off, open for 20m, ada has seen it\n        nothing arrives [31m: as",
            "\n  Began                 2022-08-08 19:28:00 UTC (22m ago)\n",
            "\n  Odds                  more than a million times likelier than health\n",
            "\n  The provider answered 250 ok\n                        queued\n",
            "\n  Routes                a/s/i\n                        and 1 more",
        ] {
            assert!(shown.contains(words), "{words} is not in\n{shown}");
        }
        assert!(!shown.contains("missing") && !shown.contains("nats"), "{shown}");
    }
    #[test]
    fn it_is_called_as_its_page_called_it() {
        let paper = Paper { terminal: false, colour: false, width: None };
        let called = |kind: &str, evidence: Value| {
            let mut one = outage();
            (one["kind"], one["culprit"], one["evidence"]) = (kind.into(), json!({ "watcher": {} }), evidence);
            head(&one, None, paper)
        };
        assert!(called("blind", json!({ "sink": "on\u{1b}call", "why": "answered 401" })).contains("sink on call: refuses notices, open"));
        assert!(called("stopped", json!({})).contains("all mail: stopped, open"));
        assert!(called("cut_off", json!({})).contains("the watcher: cut off, open"));
    }
}
