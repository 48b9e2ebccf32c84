//! What more than one dashboard shows.

use serde_json::json;

use super::super::metrics::names;
use super::board::Board;
use super::paint::{self, GREEN, ORANGE, RED, YELLOW};
use super::panel::Panel;
use super::query::{self, ALL, CHOSEN};

/// What counters are averaged over: the variable at the head.
pub(super) const WINDOW: &str = "$window";
/// To the drill-down of the provider in this column.
pub(super) const TO_PROVIDER: &str =
    "/d/mailcanary-provider?${__url_time_range}&${datasource:queryparam}&${instance:queryparam}&var-provider=";
/// To that of an inbox.
pub(super) const TO_INBOX: &str = "/d/mailcanary-inbox?${__url_time_range}&${datasource:queryparam}&${instance:queryparam}&var-inbox=";

/// The choice of what is averaged over. A canary a minute makes figures over less than some minutes jump.
pub(super) fn windowed(board: Board) -> Board {
    board.listed("window", "Averaged over", &[("15 min", "15m"), ("5 min", "5m"), ("1 h", "1h"), ("6 h", "6h"), ("1 d", "1d")])
}

/// A square for each pair of two labels, in the colour of its worst verdict.
pub(super) fn matrix(title: &'static str, description: &'static str, rows: &str, columns: &str) -> Panel {
    let by = format!("{rows}, {columns}");
    let mut panel = Panel::table(title, description, "none");
    // Several fit a phone.
    panel.set_custom("minWidth", json!(70));
    panel
        .in_rows(&query::verdict(CHOSEN, names::ROUTE_VERDICT, &by))
        .words(paint::VERDICTS)
        .painted()
        .no_value("no route")
        .then("groupingToMatrix", &json!({ "rowField": rows, "columnField": columns, "valueField": "Value", "emptyValue": "null" }))
        .then("sortBy", &json!({ "fields": {}, "sort": [{ "field": format!("{rows}\\{columns}"), "desc": false }] }))
}

/// What the first column of a matrix looks like: names, and where they lead.
pub(super) fn names_of_rows(panel: Panel, rows: &str, columns: &str, title: &str, url: &str) -> Panel {
    let link = json!([{ "title": title, "url": format!("{url}${{__value.text:percentencode}}"), "targetBlank": false }]);
    panel.column(
        &format!("{rows}\\{columns}"),
        &[("custom.cellOptions", json!({ "type": "auto" })), ("links", link), ("custom.width", json!(130)), ("mappings", json!([]))],
    )
}

/// Every canary by how long it took.
pub(super) fn heat() -> Panel {
    let heat = format!("sum by (le) (increase({}[$__rate_interval]))", CHOSEN.buckets(names::DELIVERY_LATENCY_SECONDS));
    Panel::heat(
        "Time to arrival",
        "Each canary from its sending to its arrival, by the receiver's clock. A band that moves up is mail that slows down; a band that ends is mail that stopped.",
        &heat,
    )
}

/// The share that does not come.
pub(super) fn lost(by: &'static str) -> Panel {
    Panel::lines(
        "Lost",
        "Of the canaries whose fate was learnt, the share whose deadline passed. It rises a deadline after the mail stops: suspicion rises first.",
        "percentunit",
    )
    .over_time(&query::loss(CHOSEN, by, WINDOW), &format!("{{{{{by}}}}}"))
    .at_most(1.0)
    .ruled(&[(0.01, ORANGE), (0.2, RED)])
    .no_value("nothing was due")
}

/// Half of the mail, and nearly all of it.
fn quantiles(by: &'static str) -> Panel {
    let (slowest, median) = (query::quantile(CHOSEN, "0.95", by, WINDOW), query::quantile(CHOSEN, "0.5", by, WINDOW));
    Panel::lines(
        "Half, and 95 in 100, arrive within",
        "The median and the 95th percentile of the time to arrival, from the buckets of the histogram: as exact as those.",
        "s",
    )
    .over_time(&median, &format!("{{{{{by}}}}} half"))
    .over_time(&slowest, &format!("{{{{{by}}}}} 95 %"))
    .logarithmic()
    .no_value("nothing arrived")
}

fn junk(by: &'static str) -> Panel {
    Panel::lines("In Junk", "Of the canaries that arrived, the share that the receiver filed as junk.", "percentunit")
        .over_time(&query::junk(CHOSEN, by, WINDOW), &format!("{{{{{by}}}}}"))
        .at_most(1.0)
        .ruled(&[(0.05, ORANGE), (0.2, RED)])
        .no_value("nothing arrived")
}

fn refused() -> Panel {
    Panel::bars(
        "Refused, by class",
        "Submissions that the chosen providers refused, of any stream and for any inbox. What each class asks of you: docs/providers.md.",
        "short",
    )
    .over_time(&query::grown(CHOSEN, names::CANARIES_REFUSED_TOTAL, "", "class", "$__rate_interval"), "{{class}}")
    .no_value("none refused")
}

/// How long mail takes and what does not come, each by `by`.
pub(super) fn delivery(board: Board, by: &'static str) -> Board {
    board
        .row("How long mail takes", vec![heat().size(12, 9), quantiles(by).size(12, 9)])
        .row("What does not come", vec![lost(by).size(8, 8), junk(by).size(8, 8), refused().size(8, 8)])
}

/// The same without what stands further up already.
pub(super) fn slower(board: Board, by: &'static str) -> Board {
    board.row("Slow, in Junk, refused", vec![quantiles(by).size(8, 8), junk(by).size(8, 8), refused().size(8, 8)])
}

/// On which leg of its way mail waits: of all that are chosen, and the leg that is chosen by `by`.
pub(super) fn legs(board: Board, by: &'static str, apart: (&'static str, &'static str)) -> Board {
    let (leg, title) = apart;
    let legend = format!("{{{{{by}}}}}");
    let each = format!("histogram_quantile(0.9, sum by (le, {by}) (increase({}[{WINDOW}])))", CHOSEN.buckets_like(names::LEG_SECONDS, leg));
    board.row(
        "Where mail waits",
        vec![
            Panel::lines(
                "The legs of the way: 90 in 100 take no longer",
                "Submission: until it is accepted. Provider: until its last host wrote it down. Transit: until the receiver's first did. Receiver: until it arrived. Observation: until it was seen. A clock that is always off is reckoned with.",
                "s",
            )
            .over_time(&query::quantile_of(CHOSEN, names::LEG_SECONDS, "0.9", "leg", WINDOW), "{{leg}}")
            .logarithmic()
            .no_value("nothing arrived")
            .size(12, 8),
            Panel::lines(title, "The 90th percentile of this leg alone, side by side.", "s")
                .over_time(&each, &legend)
                .logarithmic()
                .no_value("nothing arrived")
                .size(12, 8),
        ],
    )
}

/// What rises before a verdict changes.
pub(super) fn evidence(board: Board, by: &'static str) -> Board {
    let legend = by.split(", ").map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" / ");
    board.row(
        "What the judge thinks",
        vec![
            Panel::lines(
                "Suspicion, as a share of its threshold",
                "The evidence against each route, of the 15 with the most. At 100 % the verdict changes; extra canaries are sent before that, to know sooner.",
                "percentunit",
            )
            .over_time(&query::most(&query::suspicion(CHOSEN, by)), &legend)
            .ruled(&[(1.0, RED)])
            .size(12, 8),
            Panel::lines(
                "On their way",
                "Canaries that are neither here nor given up, where there are most of them: 15 lines at a time. A line that only rises is mail that does not come.",
                "short",
            )
            .over_time(&query::most(&format!("sum by ({by}) ({})", CHOSEN.of(names::CANARIES_IN_FLIGHT, ""))), &legend)
            .size(12, 8),
        ],
    )
}

/// The share of canaries within their deadline, as one figure.
pub(super) fn in_time() -> Panel {
    Panel::stat(
        "In time",
        "Of the canaries whose fate was learnt, the share that arrived within the deadline, outside Junk.",
        "percentunit",
    )
    .at_the_end(&query::decided(CHOSEN, "in_time", "", WINDOW), "in time")
    .steps(RED, &[(0.9, ORANGE), (0.99, GREEN)])
    .decimals(1)
    .no_value("none due")
}

/// The 95th percentile, as one figure.
pub(super) fn slowest() -> Panel {
    Panel::stat("95 in 100 arrive within", "The 95th percentile of the time from sending to arrival.", "s")
        .at_the_end(&query::quantile(CHOSEN, "0.95", "", WINDOW), "95 %")
        .steps(GREEN, &[(60.0, YELLOW), (300.0, ORANGE), (900.0, RED)])
        .decimals(0)
        .no_value("none arrived")
}

/// The age of the newest arrival, as one figure.
pub(super) fn newest() -> Panel {
    Panel::stat("Newest arrival", "How long ago the newest canary arrived, by the receiver's clock.", "s")
        .at_the_end(&query::age(CHOSEN, names::LAST_ARRIVAL_TIMESTAMP_SECONDS, ""), "ago")
        .steps(GREEN, &[(300.0, ORANGE), (900.0, RED)])
        .decimals(0)
        .no_value("none yet")
}

/// How much of a cap for 24 hours is used up.
pub(super) fn budget(spent: &str, limit: &str) -> Panel {
    Panel::stat(
        "Budget used",
        "Canaries of the last 24 hours, as a share of `canaries_per_day`. At 100 % routine canaries wait.",
        "percentunit",
    )
    .at_the_end(&format!("max({} / {})", CHOSEN.of(spent, ""), CHOSEN.of(limit, "")), "used")
    .steps(GREEN, &[(0.9, ORANGE), (1.0, RED)])
    .decimals(0)
    .no_value("no budget")
}

/// Each with its number, which leads to its page: from the daemon's own address if it says one. `whose`: a matcher of culprits, or all.
pub(super) fn open_incidents(whose: &str) -> Panel {
    let of = |metric| ALL.of(metric, whose);
    let by = "instance, kind, culprit";
    let joined = format!("{} * on (instance, job) group_left (url) {}", of(names::INCIDENT_NUMBER), ALL.of(names::STATUS_PAGE_INFO, ""));
    let number = format!("max by ({by}, url) ({joined} or on (instance, job, kind, culprit) {})", of(names::INCIDENT_NUMBER));
    let link = json!([{ "title": "What is known of it", "url": "${__data.fields.url}/incidents/${__value.raw}", "targetBlank": true }]);
    let order = json!({ "Value #B": 0, "culprit": 1, "kind": 2, "Value #C": 3, "Value #A": 4 });
    Panel::table(
        "Open incidents",
        "What is open, how loud, whose fault it is, and since when. The number leads to the incident's page, with its evidence.",
        "none",
    )
    .in_rows(&number)
    .in_rows(&format!("max by ({by}) ({})", of(names::INCIDENT_SEVERITY)))
    .in_rows(&format!("time() - max by ({by}) ({})", of(names::INCIDENT_OPENED_TIMESTAMP_SECONDS)))
    .no_value("none is open")
    .then("merge", &json!({}))
    .then(
        "organize",
        &json!({
            "excludeByName": { "Time": true, "instance": true }, "includeByName": {}, "indexByName": order,
            "renameByName": { "Value #A": "Incident", "Value #B": "Severity", "Value #C": "For", "kind": "Kind", "culprit": "Culprit" },
        }),
    )
    .then("sortBy", &json!({ "fields": {}, "sort": [{ "field": "Severity", "desc": true }] }))
    .column(
        "Severity",
        &[
            ("mappings", paint::mappings(paint::SEVERITIES)),
            ("custom.cellOptions", json!({ "type": "color-background", "mode": "basic" })),
            ("custom.width", json!(80)),
        ],
    )
    .column("Incident", &[("links", link), ("decimals", json!(0)), ("custom.width", json!(80)), ("custom.align", json!("right"))])
    .column("For", &[("unit", json!("s")), ("decimals", json!(0)), ("custom.width", json!(90))])
    .column("url", &[("custom.hidden", json!(true))])
    .size(10, 9)
}
