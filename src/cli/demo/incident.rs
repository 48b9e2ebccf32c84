//! An incident of the library, played in virtual time: what broke, and what would have been told.

use std::fmt::Display;

use super::story::show_notice;
use super::{DemoError, line};
use crate::cli::simulate::Native;
use crate::config;
use crate::model::{At, Change, Notice, Severity};
use crate::sandbox::incidents::{self, Incident};

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
    line(format_args!("{} ({})", incident.title, incident.date));
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
    let complaints = incident.complaints(&notices);
    complaints.iter().for_each(|complaint| line(format_args!("not as expected: {complaint}")));
    Ok(complaints.is_empty())
}

/// What broke and what was told, in the order of time.
fn story(incident: &Incident, notices: &[(At, Notice)]) {
    let begins = incident.begins();
    let mut broken: Vec<(At, &str, At)> = incident
        .failures
        .iter()
        .map(|(failure, say)| (begins.plus(failure.after), say.as_str(), begins.plus(failure.after).plus(failure.lasts)))
        .collect();
    broken.sort_unstable();
    let mut ends: Vec<At> = broken.iter().filter(|(from, _, until)| until > from).map(|(.., until)| *until).collect();
    ends.sort_unstable();
    let (mut broken, mut ends) = (broken.into_iter().peekable(), ends.into_iter().peekable());
    let say = |at: At, text: &dyn Display| line(format_args!("[{:>8}] {text}", at.since(begins).to_string()));
    for (at, notice) in notices {
        while let Some((from, words, _)) = broken.next_if(|(from, ..)| from <= at) {
            say(from, &words);
        }
        while let Some(end) = ends.next_if(|end| end <= at) {
            say(end, &"it is over");
        }
        if notice.change == Change::Reminder {
            continue;
        }
        show_notice(&format!("[{}]", at.since(begins)), notice);
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
