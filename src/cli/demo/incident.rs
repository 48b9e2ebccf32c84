//! An incident of the library, played in virtual time: what broke, and what would have been told.

use std::collections::BTreeMap;

use super::story::show_notice;
use super::{DemoError, line};
use crate::cli::simulate::Native;
use crate::config;
use crate::model::{At, Change, Notice, Severity};
use crate::sandbox::incidents::{self, Incident};
use crate::sandbox::simulate::Failure;

/// Everything that happens follows from it: the story is the same each time.
const SEED: u64 = 1;

/// Tells it. Says whether all was as expected.
pub(super) fn tell(name: &str) -> Result<bool, DemoError> {
    let incident = match incidents::find(name) {
        Some(Ok(incident)) => incident,
        Some(Err(error)) => return Err(DemoError::Library(error.to_string())),
        None => return Err(DemoError::Library(format!("`{name}` is not in it"))),
    };
    let checked = config::parse(&incident.configuration, "demo")
        .map_err(|complaints| DemoError::Configuration(super::stage::listing(&complaints)))?;
    let notices = incident.play(Native::new(&checked.settings), SEED);
    let known = incident.time.is_some();
    let when = if known { incident.begins().minute() } else { format!("{}, played from noon", incident.date) };
    line(format_args!("{} ({when})", incident.title));
    line(format_args!("  {}", incident.seen));
    line(format_args!("  source: {}", incident.source));
    line(format_args!(
        "  played in virtual time, a canary a minute over each of {} routes; no message leaves this process",
        incident.routes.len()
    ));
    line("");
    story(&incident, &notices);
    line("");
    summary(&incident, &notices);
    answer(&incident, &notices);
    let complaints = incident.complaints(&notices);
    complaints.iter().for_each(|complaint| line(format_args!("not as expected: {complaint}")));
    Ok(complaints.is_empty())
}

/// What broke and what was told, in the order of time.
fn story(incident: &Incident, notices: &[(At, Notice)]) {
    let begins = incident.begins();
    let say = |(at, words): (At, String)| line(format_args!("[{:>8}] {words}", at.since(begins).to_string()));
    let mut turns = turns(incident).into_iter().peekable();
    for (at, notice) in notices {
        while let Some(turn) = turns.next_if(|(turn, _)| turn <= at) {
            say(turn);
        }
        if notice.change == Change::Reminder {
            continue;
        }
        show_notice(&format!("[{}]", at.since(begins)), notice);
    }
    turns.for_each(say);
}

/// What breaks and what ends, each once. What ends as something else begins is said first.
fn turns(incident: &Incident) -> Vec<(At, String)> {
    let begins = incident.begins();
    let span = |failure: &Failure| (begins.plus(failure.after), begins.plus(failure.after).plus(failure.lasts));
    let lasting = incident.failures.iter().map(|(failure, say)| (span(failure), say)).filter(|((from, until), _)| until > from);
    let mut ends: BTreeMap<At, Vec<&str>> = BTreeMap::new();
    for ((_, until), say) in lasting {
        ends.entry(until).or_default().push(say);
    }
    let last = ends.keys().next_back().copied();
    let over = |(at, says): (At, Vec<&str>)| {
        let words = if Some(at) == last { "it is over".to_owned() } else { format!("this is over: {}", says.join("; ")) };
        (at, false, words)
    };
    let broken = incident.failures.iter().map(|(failure, say)| (span(failure).0, true, say.clone()));
    let mut all: Vec<(At, bool, String)> = ends.into_iter().map(over).chain(broken).collect();
    all.sort_by_key(|(at, begins, _)| (*at, *begins));
    all.into_iter().map(|(at, _, words)| (at, words)).collect()
}

/// Whether it was told before mail broke, of whom and in which words, where people ask that.
fn answer(incident: &Incident, notices: &[(At, Notice)]) {
    let Some(question) = &incident.asks else { return };
    let outage = incident.outage();
    let first = |severity: Severity| notices.iter().find(|(at, n)| *at < outage && n.severity == severity && n.change != Change::Resolved);
    line("");
    line(question);
    let told: Vec<&(At, Notice)> = [Severity::Warn, Severity::Page].into_iter().filter_map(first).collect();
    if told.is_empty() {
        line("No: nothing was told before that.");
    }
    for (at, notice) in told {
        let (how, before) = (if notice.severity == Severity::Page { "paged" } else { "warned" }, outage.since(*at));
        line(format_args!(
            "Yes, {how} on {} ({before} before), of {}, with these words: {}",
            at.minute(),
            super::whom(&notice.culprit),
            notice.summary
        ));
    }
}

fn summary(incident: &Incident, notices: &[(At, Notice)]) {
    for expected in &incident.expected {
        let begins = incident.begins().plus(expected.after());
        let first = notices.iter().find(|(at, n)| *at >= begins && n.culprit == expected.culprit && expected.kinds.contains(&n.kind));
        match first {
            Some((at, n)) => line(format_args!("{} of {}: told after {}", n.kind.as_str(), n.culprit, at.since(begins))),
            None => line(format_args!("{}: not told", expected.culprit)),
        }
    }
    let paged: std::collections::BTreeSet<_> =
        notices.iter().filter(|(_, n)| n.severity == Severity::Page).map(|(_, n)| n.incident).collect();
    line(format_args!("pages: {}", paged.len()));
}
