//! `/metrics`: a [`View`] in the text format of Prometheus 0.0.4. Counters continue from the ledger, for that is what the view holds.

mod accounts;
mod catalogue;
mod configuration;
mod dns;
mod heartbeats;
mod hooks;
mod inboxes;
mod incidents;
mod mail;
pub(super) mod names;
mod process;
mod samples;
mod service;

use std::fmt::Write as _;

use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use accounts::ACCOUNTS;
use catalogue::{CATALOGUE, Family};
use configuration::CONFIGURATION;
use dns::DNS;
use heartbeats::HEARTBEATS;
use inboxes::INBOXES;
use incidents::INCIDENTS;
use mail::MAIL;
use samples::Samples;
use service::SERVICE;

use crate::watchdog::View;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric, from one view.
#[must_use]
pub fn render(view: &View) -> String {
    let process = process::read();
    let families: Vec<MetricFamily> = all()
        .filter_map(|family| {
            let mut samples = Samples::new(family.kind, family.labels);
            (family.fill)(&Source { view, process: &process }, &mut samples);
            samples.family(family.name, family.help)
        })
        .collect();
    TextEncoder::new().encode_to_string(&families).unwrap_or_default()
}

/// Every family, in the order of the page.
fn all() -> impl Iterator<Item = &'static Family> {
    CATALOGUE
        .iter()
        .chain(&INBOXES)
        .chain(&SERVICE)
        .chain(&INCIDENTS)
        .chain(&ACCOUNTS)
        .chain(&MAIL)
        .chain(&DNS)
        .chain(&HEARTBEATS)
        .chain(&CONFIGURATION)
}

/// The labels of a metric; none if there is no such metric.
pub(super) fn labels(name: &str) -> &'static [&'static str] {
    all().find(|family| family.name == name).map_or(&[], |family| family.labels)
}

/// Where samples come from.
struct Source<'a> {
    view: &'a View,
    process: &'a process::Process,
}

/// Every metric as a table in Markdown: the README holds it.
#[must_use]
pub fn reference() -> String {
    let mut table = String::from("| name | type | labels | unit | meaning |\n| --- | --- | --- | --- | --- |\n");
    for Family { name, kind, labels, unit, help, .. } in all() {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(table, "| `{name}` | {} | {} | {unit} | {help} |", kind.as_str(), labels.join(", "));
    }
    table
}
