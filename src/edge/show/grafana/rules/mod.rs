//! Rules for those who alert from Prometheus.
//!
//! The watchdog pages by itself; these rules see what it cannot: that it is gone, stands still, or is not heard. An alert keeps its figure
//! apart from the edge, so that a test can hold that the figure is there while all is well.

mod info;
mod page;
mod recording;
mod warn;

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::super::metrics::names;

pub(super) use recording::{DECIDED, TOOK};
pub use recording::{Group, Recording, recordings};

/// The group of all alerts.
const ALERTS: &str = "mailcanary-alerts";

/// Alerts for which the runbook of a kind of incident has what to do.
const RUNBOOKS: [(&str, &[&str]); 8] = [
    ("stopped", &["MailcanaryNothingArrives", "MailcanaryRouteSilent"]),
    ("junked", &["MailcanaryJunk"]),
    ("blind", &["MailcanaryInboxBlind", "MailcanaryInboxStale"]),
    ("cut_off", &["MailcanaryCutOff"]),
    ("dns", &["MailcanaryDnsChanged", "MailcanaryDnsUnanswered"]),
    ("listed", &["MailcanaryListed", "MailcanaryBlocklistRefuses"]),
    ("early_sign", &["MailcanaryQuotaLow", "MailcanaryAccountUnreadable"]),
    (
        "sink",
        &[
            "MailcanaryNoticesStuck",
            "MailcanaryNoticesRefused",
            "MailcanaryNoticesDropped",
            "MailcanarySinkTrialFailed",
            "MailcanarySinkTrialOld",
        ],
    ),
];

/// The process has run for so long that what should have happened has.
fn up_for(secs: u32) -> String {
    format!("on (instance, job) (time() - {} > {secs})", names::PROCESS_START_TIME_SECONDS)
}

/// How loud an alert is: the label `severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody is called.
    Page,
    /// Somebody looks today.
    Warn,
    /// Somebody looks this week.
    Info,
}

impl Severity {
    /// The value of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

/// One alert.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// The figure.
    pub value: String,
    /// The edge, as `> 300`; none: it fires while the figure is absent.
    pub edge: Option<&'static str>,
    /// What must be there, too.
    pub guard: Option<String>,
    /// How long it must last.
    pub lasts: &'static str,
    /// How loud it is.
    pub severity: Severity,
    /// What happened, in a line.
    pub summary: &'static str,
    /// What it means and what to do.
    pub description: &'static str,
    /// It is about an open incident, whose page it links to.
    pub of_incident: bool,
}

impl Alert {
    /// The whole expression.
    #[must_use]
    pub fn expr(&self) -> String {
        let Some(edge) = self.edge else { return format!("absent({})", self.value) };
        let guard = self.guard.as_ref().map_or_else(String::new, |guard| format!("\nand {guard}"));
        format!("({}) {edge}{guard}", self.value)
    }
}

/// An alert without a guard.
fn alert(
    name: &'static str,
    lasts: &'static str,
    value: String,
    edge: &'static str,
    summary: &'static str,
    description: &'static str,
) -> Alert {
    Alert { name, value, edge: Some(edge), guard: None, lasts, severity: Severity::Info, summary, description, of_incident: false }
}

impl Alert {
    fn but_if(mut self, guard: String) -> Self {
        self.guard = Some(guard);
        self
    }

    const fn linked(mut self) -> Self {
        self.of_incident = true;
        self
    }

    const fn graded(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// Every alert, the loudest first.
#[must_use]
pub fn alerts() -> Vec<Alert> {
    let graded = |alerts: Vec<Alert>, severity| alerts.into_iter().map(move |alert| alert.graded(severity));
    graded(page::alerts(), Severity::Page)
        .chain(graded(warn::alerts(), Severity::Warn))
        .chain(graded(info::alerts(), Severity::Info))
        .collect()
}

/// The file for Prometheus' `rule_files`.
pub(super) fn text() -> String {
    let mut text = String::from(
        "# Recording and alerting rules for mailcanary: `mailcanary print alert-rules`. Scrape it as a job whose name begins with `mailcanary`.\n\
         # The label `severity` is page, warn or info. The objective of the service level is one rule: mailcanary:objective:ratio.\n\
         groups:\n",
    );
    for group in Group::ALL {
        let interval = group.interval().map_or_else(String::new, |interval| format!("    interval: {interval}\n"));
        let _ = write!(text, "  - name: {}\n{interval}    rules:\n", group.name());
        for recording in recordings().iter().filter(|recording| recording.group == group) {
            let _ = write!(text, "      - record: {}\n        expr: |-\n{}", recording.name, indented(&recording.expr));
        }
    }
    let _ = write!(text, "  - name: {ALERTS}\n    rules:\n");
    for alert in alerts() {
        let (name, lasts, severity) = (alert.name, alert.lasts, alert.severity.as_str());
        let _ = write!(text, "      - alert: {name}\n        expr: |-\n{}        for: {lasts}\n", indented(&alert.expr()));
        let _ = write!(text, "        labels:\n          severity: {severity}\n        annotations:\n");
        for (key, words) in annotations(&alert) {
            let _ = writeln!(text, "          {key}: {}", quoted(&words));
        }
    }
    text
}

/// What a notice about an alert says.
fn annotations(alert: &Alert) -> Vec<(&'static str, String)> {
    let mut all = vec![("summary", alert.summary.to_owned()), ("description", alert.description.to_owned())];
    if alert.of_incident {
        all.push(("url", page_of_incident()));
        all.push(("runbook_url", format!("{}/runbooks/{{{{ $labels.kind }}}}", status_page())));
    } else {
        all.push(("runbook_url", format!("{}/runbooks/{}", last_status_page(alert), runbook(alert.name))));
    }
    all
}

/// The same as values: the groups of recording rules, and that of the alerts.
pub(super) fn groups() -> [Vec<Value>; 2] {
    let recorded = |group: Group| {
        let mine = recordings().into_iter().filter(move |recording| recording.group == group);
        let rules: Vec<Value> = mine.map(|rule| json!({ "record": rule.name, "expr": rule.expr })).collect();
        let mut made = json!({ "name": group.name(), "rules": rules });
        if let (Some(interval), Some(object)) = (group.interval(), made.as_object_mut()) {
            object.insert("interval".to_owned(), interval.into());
        }
        made
    };
    let alert = |alert: &Alert| {
        let words: Map<String, Value> = annotations(alert).into_iter().map(|(key, words)| (key.to_owned(), words.into())).collect();
        json!({
            "alert": alert.name, "expr": alert.expr(), "for": alert.lasts, "labels": { "severity": alert.severity.as_str() }, "annotations": words,
        })
    };
    let alerts: Vec<Value> = alerts().iter().map(alert).collect();
    [Group::ALL.map(recorded).to_vec(), vec![json!({ "name": ALERTS, "rules": alerts })]]
}

/// The address that the watchdog says its pages are reached by, as a template.
fn status_page() -> String {
    let info = names::STATUS_PAGE_INFO;
    format!("{{{{ with printf \"{info}{{instance=%q}}\" $labels.instance | query }}}}{{{{ . | first | label \"url\" }}}}{{{{ end }}}}")
}

/// The same as it was told last: it may be that which is down. Where no daemon is named, any.
fn last_status_page(alert: &Alert) -> String {
    let info = names::STATUS_PAGE_INFO;
    let of = |query: &str| format!("{{{{ with {query} }}}}{{{{ . | first | label \"url\" }}}}{{{{ end }}}}");
    match alert.edge {
        Some(_) => of(&format!("printf \"last_over_time({info}{{instance=%q}}[1d])\" $labels.instance | query")),
        None => of(&format!("query \"last_over_time({info}[1d])\"")),
    }
}

/// What to do: the runbook of the kind of incident that it is like, or its own section.
fn runbook(name: &str) -> String {
    let alike = RUNBOOKS.iter().find(|(_, alerts)| alerts.contains(&name)).map(|(kind, _)| (*kind).to_owned());
    alike.unwrap_or_else(|| format!("alerts#{}", name.to_lowercase()))
}

/// The page of an incident, by its number.
fn page_of_incident() -> String {
    let (page, number) = (status_page(), names::INCIDENT_NUMBER);
    format!(
        "{page}/incidents/{{{{ with printf \"{number}{{instance=%q,kind=%q,culprit=%q}}\" $labels.instance $labels.kind $labels.culprit | query }}}}\
         {{{{ . | first | value }}}}{{{{ end }}}}"
    )
}

fn indented(expr: &str) -> String {
    expr.lines().map(|line| format!("          {line}\n")).collect()
}

/// A text in single quotes, where YAML reads nothing into it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
