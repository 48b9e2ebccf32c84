//! Dashboards for Grafana, and rules for Prometheus.
//!
//! Written here and nowhere else: panels and rules name metrics by the constants of the catalogue, so that a metric that is renamed is
//! renamed in them, too. The folder `dashboards/` holds what comes out, and a test holds that against this.

mod accounts;
mod board;
mod dns;
mod inbox;
mod mail;
mod mixin;
mod overview;
mod paint;
mod panel;
mod provider;
mod query;
mod rules;
mod service;
mod shared;
mod watchdog;

pub use rules::{Alert, Group, Recording, Severity, alerts, recordings};

/// Every dashboard: the name of its file, and its JSON.
#[must_use]
pub fn dashboards() -> Vec<(String, String)> {
    [overview::board(), provider::board(), inbox::board(), service::board()].into_iter().map(board::Board::file).collect()
}

/// The rules, recording and alerting, as Prometheus reads them.
#[must_use]
pub fn alert_rules() -> String {
    rules::text()
}

/// Both as a library in jsonnet, which stands beside them.
#[must_use]
pub fn mixin() -> String {
    mixin::text()
}
