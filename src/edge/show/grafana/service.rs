//! The service level: what was promised, what was kept, and figures for a claim.

use serde_json::json;

use super::super::metrics::names;
use super::board::Board;
use super::paint::{GREEN, ORANGE, RED};
use super::panel::Panel;
use super::query::{self, CHOSEN};

/// What a panel of 28 days says where it has nothing to show: they are recorded by the rules.
const NONE: &str = "none due, or no rules";

pub(super) fn board() -> Board {
    let goals = [("99 %", "0.99"), ("95 %", "0.95"), ("99.5 %", "0.995"), ("99.9 %", "0.999")];
    Board::new(
        "mailcanary-service",
        "mailcanary / Service level",
        "The share of each stream's mail within its deadline over 28 days, how fast the rest of the budget burns, and figures for a claim. 28 days are read from recording rules (`mailcanary print alert-rules`).",
        "now-28d",
    )
    .refreshed("5m")
    .several("provider", "Provider", names::PROVIDER_VERDICT)
    .several("stream", "Stream", names::STREAM_VERDICT)
    .several("inbox", "Inbox", names::INBOX_VERDICT)
    .listed("objective", "Objective", &goals)
    .row("28 days", now())
    .row("Who kept it", kept())
    .row("How fast the budget burns", burning())
    .row("For the claim", vec![claim()])
}

/// What is left of the mail that may be missed: 1 at first, below 0 when the promise is broken.
fn left(by: &str) -> String {
    format!("1 - ({}) / (1 - $objective)", query::share_of_month(CHOSEN, "missed", by))
}

/// How many times faster than the promise allows mail is missed.
fn burn(window: &str) -> String {
    format!("({}) / (1 - $objective)", query::decided(CHOSEN, "missed", "provider, stream", window))
}

fn now() -> Vec<Panel> {
    let count = |outcome: &str| query::month(CHOSEN, outcome, "");
    vec![
        Panel::stat("In time", "Of all canaries of 28 days, the share that arrived within the deadline, outside Junk.", "percentunit")
            .at_the_end(&query::share_of_month(CHOSEN, "in_time", ""), "in time")
            .steps(RED, &[(0.95, ORANGE), (0.99, GREEN)])
            .decimals(2)
            .no_value(NONE),
        Panel::stat(
            "Budget left",
            "What is left of the mail that the objective allows to be missed. Below 0 the promise is broken.",
            "percentunit",
        )
        .at_the_end(&left(""), "left")
        .steps(RED, &[(0.0, ORANGE), (0.25, GREEN)])
        .decimals(0)
        .no_value(NONE),
        Panel::neutral("Missed", "Canaries that were lost, late, in Junk, or refused.", "short")
            .at_the_end(&count("outcome=\"missed\""), "missed")
            .decimals(0)
            .no_value(NONE),
        Panel::neutral("Measured", "Canaries whose fate was learnt: what the share is a share of.", "short")
            .at_the_end(&count(""), "measured")
            .decimals(0)
            .no_value(NONE),
        Panel::neutral(
            "95 in 100 arrive within",
            "The 95th percentile of the time from sending to arrival, over the 28 days whose hours are recorded.",
            "s",
        )
        .at_the_end(&query::quantile_of_month(CHOSEN, "0.95"), "95 %")
        .decimals(0)
        .no_value("none, or no rules"),
        Panel::neutral(
            "99 in 100 arrive within",
            "The 99th percentile of the time from sending to arrival, over the 28 days whose hours are recorded.",
            "s",
        )
        .at_the_end(&query::quantile_of_month(CHOSEN, "0.99"), "99 %")
        .decimals(0)
        .no_value("none, or no rules"),
    ]
}

fn kept() -> Vec<Panel> {
    let by_stream = query::share_of_month(CHOSEN, "in_time", "stream");
    let by_both = query::share_of_month(CHOSEN, "in_time", "provider, stream");
    let first = json!({ "type": "auto" });
    vec![
        Panel::gauges(
            "Each stream, in time",
            "Of each stream's canaries of 28 days, over all providers, the share within the deadline.",
            "percentunit",
        )
        .at_the_end(&by_stream, "{{stream}}")
        .at_least(0.9)
        .at_most(1.0)
        .steps(RED, &[(0.95, ORANGE), (0.99, GREEN)])
        .decimals(2)
        .no_value(NONE)
        .size(8, 8),
        Panel::table("Provider × stream, in time", "The same for each provider: who kept the promise and who did not.", "percentunit")
            .in_rows(&by_both)
            .painted()
            .steps(RED, &[(0.95, ORANGE), (0.99, GREEN)])
            .decimals(2)
            .no_value(NONE)
            .then(
                "groupingToMatrix",
                &json!({ "rowField": "provider", "columnField": "stream", "valueField": "Value", "emptyValue": "null" }),
            )
            .column("provider\\stream", &[("custom.cellOptions", first), ("custom.width", json!(130))])
            .size(16, 8),
    ]
}

fn burning() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Burn rate over 1 hour",
            "1: the objective is just kept. 14.4 for an hour burns 2 % of the budget of 28 days, and pages (MailcanaryServiceLevelBurnsFast).",
            "suffix: ×",
        )
        .over_time(&burn("1h"), "{{provider}} / {{stream}}")
        .ruled(&[(1.0, ORANGE), (14.4, RED)])
        .no_value("none due")
        .size(12, 8),
        Panel::lines(
            "Burn rate over 6 hours",
            "6 for six hours burns 5 % of the budget, and warns (MailcanaryServiceLevelBurnsSlowly).",
            "suffix: ×",
        )
            .over_time(&burn("6h"), "{{provider}} / {{stream}}")
            .ruled(&[(1.0, ORANGE), (6.0, RED)])
            .no_value("none due")
            .size(12, 8),
        Panel::lines("Budget left over time", "What was left of the budget of the 28 days before each moment, since the rules record it.", "percentunit")
            .over_time(&left("provider, stream"), "{{provider}} / {{stream}}")
            .at_most(1.0)
            .ruled(&[(0.0, RED)])
            .no_value(NONE)
            .size(24, 8),
    ]
}

/// A line a day: Inspect → Data saves it as CSV.
fn claim() -> Panel {
    let by = "provider, stream";
    let day = |more| query::grown(CHOSEN, names::CANARIES_DECIDED_TOTAL, more, by, "1d");
    Panel::table(
        "Each day, by provider and stream",
        "Figures for a claim against a provider's service level: the panel's menu, Inspect → Data, saves them as CSV. The proof for each incident: `mailcanary incident evidence`.",
        "short",
    )
    .in_rows_over_time(&day(""), "1d")
    .in_rows_over_time(&day("outcome=\"missed\""), "1d")
    .in_rows_over_time(&query::decided(CHOSEN, "in_time", by, "1d"), "1d")
    .decimals(0)
    .no_value("none due")
    .then("merge", &json!({}))
    .then(
        "organize",
        &json!({
            "excludeByName": {}, "includeByName": {}, "indexByName": { "Time": 0, "provider": 1, "stream": 2 },
            "renameByName": {
                "Time": "Day up to", "provider": "Provider", "stream": "Stream", "Value #A": "Measured", "Value #B": "Missed", "Value #C": "In time",
            },
        }),
    )
    .then("sortBy", &json!({ "fields": {}, "sort": [{ "field": "Day up to", "desc": true }] }))
    .column("In time", &[("unit", json!("percentunit")), ("decimals", json!(2))])
    .column("Day up to", &[("custom.minWidth", json!(150))])
    .size(24, 12)
}
