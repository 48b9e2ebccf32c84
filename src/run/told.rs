//! What is told of incidents, in the log: whoever reads the journal need not have been paged.

use crate::model::{Change, Name, Notice, Severity, on_a_line};
use crate::watchdog::{Fact, Record};

/// Says what these records tell of incidents. A move that calls nobody is said quietly.
pub(super) fn log(records: &[Record]) {
    for record in records {
        if let Fact::Told { notice, sinks, silenced, late: false } = &record.fact {
            line(notice, &to_whom(sinks, *silenced));
        }
    }
}

fn line(notice: &Notice, told: &str) {
    let (incident, change, kind, severity) = (notice.incident.0, notice.change.as_str(), notice.kind.as_str(), notice.severity.as_str());
    let (culprit, summary) = (notice.culprit.to_string(), on_a_line(&notice.summary));
    let is_news = matches!(notice.change, Change::Opened | Change::Updated);
    macro_rules! say {
        ($level:ident) => {
            tracing::$level!(
                incident,
                change,
                kind,
                severity,
                culprit,
                told,
                "incident {incident} {change}, {severity}, {kind}: {summary}; {told}"
            )
        };
    }
    // Errors are the watchdog's own: what it watches only warns.
    if is_news && notice.severity > Severity::Info { say!(warn) } else { say!(info) }
}

fn to_whom(sinks: &[Name], silenced: bool) -> String {
    if silenced {
        return "silenced".to_owned();
    }
    let names: Vec<&str> = sinks.iter().map(Name::as_str).collect();
    if names.is_empty() { "goes to nobody".to_owned() } else { format!("goes to {}", names.join(", ")) }
}
