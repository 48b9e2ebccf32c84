//! What happened, in order.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::bits::{capital, foreign, time, tone};
use super::super::prose;
use crate::model::dossier::{Dossier, Told, Trace};
use crate::model::{At, Change, Culprit, Fate, Severity, Verdict};
use crate::watchdog::{IncidentView, View};

/// Entries, the newest.
const LISTED: usize = 200;
/// Bytes of a text.
const WORDS: usize = 600;

/// One entry.
struct Entry {
    at: At,
    tone: Verdict,
    what: String,
    /// Foreign text.
    words: Option<String>,
}

/// The timeline: of the ledger, or of what the view still has.
pub(super) fn timeline(view: &View, incident: &IncidentView, dossier: Option<&Dossier>) -> Markup {
    let mut entries = dossier.map_or_else(Vec::new, |dossier| told(dossier, &incident.culprit));
    if dossier.is_none_or(|dossier| dossier.notices.is_empty()) {
        entries.extend(remembered(incident));
    }
    entries.sort_by_key(|entry| entry.at);
    let left = entries.len().saturating_sub(LISTED);
    html! {
        @if left > 0 { p.dim { (left) " older entries are in the evidence" } }
        ol.time {
            @for entry in entries.iter().skip(left) {
                li class=(entry.tone.as_str()) {
                    p { strong { (foreign(&entry.what, 300)) } " " span.small { (time(entry.at, view.at)) } }
                    @if let Some(words) = &entry.words { p { (prose(words, WORDS)) } }
                }
            }
            @if incident.resolved_at.is_none() { li { p { "Still open" } } }
        }
    }
}

fn entry(at: At, tone: Verdict, what: impl Into<String>, words: Option<&String>) -> Entry {
    Entry { at, tone, what: what.into(), words: words.cloned() }
}

fn told(dossier: &Dossier, culprit: &Culprit) -> Vec<Entry> {
    let mut entries = Vec::new();
    // What fails beside it is of other incidents.
    let is_mine = |names: &[String; 3]| super::route(names).is_some_and(|route| culprit.covers(&route));
    let mine = dossier.routes.iter().filter(|(route, _)| is_mine(route));
    let first = mine.filter_map(|(route, tally)| Some((tally.first_bad?, route))).min();
    entries.extend(
        first.map(|(at, route)| {
            entry(at, Verdict::Unknown, format!("The first canary that failed was sent over {}", route.join("/")), None)
        }),
    );
    let mut loudest: Option<Severity> = None;
    for told in &dossier.notices {
        let notice = &told.notice;
        let what = match notice.change {
            Change::Opened => format!("Opened: {}", notice.severity.as_str()),
            Change::Updated if loudest.is_some_and(|before| notice.severity > before) => format!("Louder: {}", notice.severity.as_str()),
            Change::Updated => "Updated".to_owned(),
            Change::Reminder => "Reminder".to_owned(),
            Change::Acknowledged => "Acknowledged, passed on".to_owned(),
            Change::Resolved => "Over".to_owned(),
        };
        loudest = loudest.max(Some(notice.severity));
        let colour = if notice.change == Change::Resolved { Verdict::Delivering } else { tone(notice.severity) };
        entries.push(entry(told.at, colour, format!("{what}{}", whom(told)), Some(&notice.summary)));
        for (sink, outcome, since) in told.sinks.iter().filter(|(_, outcome, _)| !matches!(outcome.as_str(), "pending" | "delivered")) {
            entries.push(entry(*since, Verdict::Degraded, format!("{sink} was not told: {outcome}"), None));
        }
    }
    for said in &dossier.words {
        entries.push(entry(said.at, Verdict::Unknown, format!("{} by {}", capital(&said.said), said.who), said.note.as_ref()));
    }
    for change in &dossier.sight {
        let whose = change.inbox.as_ref().map_or_else(|| "The watcher".to_owned(), |inbox| format!("Inbox {inbox}"));
        let colour = if matches!(change.what.as_str(), "sight" | "connected") { Verdict::Unknown } else { Verdict::Degraded };
        entries.push(entry(change.at, colour, format!("{whose}: {}", change.what), change.why.as_ref()));
    }
    let others: BTreeSet<&str> = dossier.canaries.iter().filter(|c| !is_mine(&c.route)).map(|c| c.canary.as_str()).collect();
    entries.extend(traced(dossier.traces.iter().filter(|trace| !others.contains(trace.canary.as_str()))));
    for (at, version) in &dossier.starts {
        entries.push(entry(*at, Verdict::Unknown, format!("mailcanary {version} was started"), None));
    }
    entries
}

/// What providers said became of canaries: what they said alike stands once, where they said it first.
fn traced<'t>(traces: impl Iterator<Item = &'t Trace>) -> Vec<Entry> {
    let mut alike: Vec<(&Trace, usize)> = Vec::new();
    for trace in traces {
        match alike.iter_mut().find(|(first, _)| first.fate == trace.fate && first.words == trace.words) {
            Some((_, more)) => *more += 1,
            None => alike.push((trace, 0)),
        }
    }
    let one = |(first, more): (&Trace, usize)| {
        let others = if more > 0 { format!(" and {more} more") } else { String::new() };
        let known: Option<&str> = Fate::ALL.into_iter().find(|fate| fate.as_str() == first.fate).map(Fate::in_words);
        let fate = known.unwrap_or(&first.fate);
        entry(first.at, Verdict::Unknown, format!("The provider on canary {}{others}: {fate}", first.canary), first.words.as_ref())
    };
    alike.into_iter().map(one).collect()
}

/// To whom a notice went, and to whom it is on its way. Who was not told has an entry of its own.
fn whom(told: &Told) -> String {
    let those = |word: &str, wanted: &str| {
        let names: Vec<&str> = told.sinks.iter().filter(|(_, outcome, _)| outcome == wanted).map(|(sink, ..)| sink.as_str()).collect();
        if names.is_empty() { String::new() } else { format!(", {word} {}", names.join(", ")) }
    };
    let kept_back = told.notice.evidence.get("kept_back").and_then(serde_json::Value::as_str);
    match (told.sinks.is_empty(), kept_back) {
        (false, _) => format!("{}{}", those("told to", "delivered"), those("on its way to", "pending")),
        (true, Some(by)) => format!(", told nobody: kept back by {by}"),
        (true, None) if told.notice.change == Change::Resolved => ", told nobody: nobody had heard of it".to_owned(),
        (true, None) => ", told nobody: no sink takes it, or not at this hour".to_owned(),
    }
}

/// What is known without the ledger.
fn remembered(incident: &IncidentView) -> Vec<Entry> {
    let mut entries = vec![entry(incident.opened_at, tone(incident.severity), "Opened", None)];
    for (what, word) in [("Acknowledged", &incident.acknowledged), ("Closed", &incident.closed)] {
        entries.extend(word.iter().map(|word| entry(word.at, Verdict::Unknown, format!("{what} by {}", word.by), word.note.as_ref())));
    }
    entries.extend(incident.resolved_at.map(|at| entry(at, Verdict::Delivering, "Over", Some(&incident.last.summary))));
    entries
}
