//! Colours, always with a word beside: whoever cannot tell red from green reads it.

use serde_json::{Value, json};

pub(super) const GREEN: &str = "green";
pub(super) const YELLOW: &str = "yellow";
pub(super) const ORANGE: &str = "orange";
pub(super) const RED: &str = "red";
pub(super) const BLUE: &str = "blue";
pub(super) const GREY: &str = "#8e8e8e";

/// Words for figures: what [`super::query::verdict`] gives.
pub(super) const VERDICTS: &[(i32, &str, &str)] =
    &[(0, "delivering", GREEN), (1, "unknown", GREY), (2, "degraded", ORANGE), (3, "stopped", RED)];
/// What [`super::query::standing`] gives.
pub(super) const STANDINGS: &[(i32, &str, &str)] = &[(0, "good", GREEN), (1, "not said", GREY), (2, "warned", ORANGE), (3, "stopped", RED)];
/// How loud an incident is.
pub(super) const SEVERITIES: &[(i32, &str, &str)] = &[(1, "info", BLUE), (2, "warn", ORANGE), (3, "page", RED)];
/// What must hold.
pub(super) const HOLDS: &[(i32, &str, &str)] = &[(0, "no", RED), (1, "yes", GREEN)];

/// Words and colours for figures, as Grafana wants them.
pub(super) fn mappings(words: &[(i32, &str, &str)]) -> Value {
    let options: serde_json::Map<String, Value> = words
        .iter()
        .enumerate()
        .map(|(index, (figure, text, colour))| (figure.to_string(), json!({ "text": text, "color": colour, "index": index })))
        .collect();
    json!([{ "type": "value", "options": options }])
}

/// The first colour from the beginning, each other one from its figure on.
pub(super) fn steps(first: &str, others: &[(f64, &str)]) -> Vec<Value> {
    let others = others.iter().map(|(from, colour)| json!({ "value": from, "color": colour }));
    std::iter::once(json!({ "value": null, "color": first })).chain(others).collect()
}
