//! The overview: what is well, what is not, and whether the watchdog is.

use serde_json::json;

use super::super::metrics::names;
use super::board::Board;
use super::paint::{self, GREEN, ORANGE, RED};
use super::panel::Panel;
use super::query::{self, ALL, CHOSEN};
use super::{accounts, dns, mail, shared, watchdog};

pub(super) fn board() -> Board {
    let board = Board::new(
        "mailcanary-overview",
        "mailcanary / Overview",
        "Which provider delivers to which inbox, how fast, and whether the watchdog itself is well.",
        "now-6h",
    )
    .several("provider", "Provider", names::PROVIDER_VERDICT)
    .several("stream", "Stream", names::STREAM_VERDICT)
    .several("inbox", "Inbox", names::INBOX_VERDICT);
    let board =
        shared::windowed(board).row("Now", now()).row("Verdicts", vec![matrix(), open_incidents()]).row("Verdicts over time", over_time());
    let board = shared::evidence(shared::delivery(board, "provider"), "provider, inbox");
    watchdog::rows(dns::row(mail::row(accounts::row(board))))
}

fn now() -> Vec<Panel> {
    vec![
        Panel::stat("Open incidents", "Failures that are going on, each of one culprit. Those of all providers and inboxes.", "short")
            .at_the_end(&format!("sum({})", ALL.of(names::INCIDENT_OPEN, "")), "open")
            .steps(GREEN, &[(1.0, RED)])
            .leads("Status page", "${url}/"),
        Panel::stat("Providers in trouble", "Providers whose verdict is degraded or stopped.", "short")
            .at_the_end(
                &format!("sum(max by (provider) ({}))", CHOSEN.of(names::PROVIDER_VERDICT, "verdict=~\"degraded|stopped\"")),
                "in trouble",
            )
            .steps(GREEN, &[(1.0, RED)]),
        Panel::stat("Inboxes in the dark", "Inboxes that cannot be read. They prove nothing: blind is not lost.", "short")
            .at_the_end(&format!("sum(1 - min by (inbox) ({}))", CHOSEN.of(names::INBOX_SIGHT, "")), "blind")
            .steps(GREEN, &[(1.0, ORANGE)]),
        shared::in_time(),
        shared::slowest(),
        shared::newest(),
    ]
}

fn matrix() -> Panel {
    let panel = shared::matrix(
        "Provider × inbox",
        "The verdict of each provider's way into each inbox; of several streams the worst. A row in red is a provider's fault, a column an inbox's.",
        "provider",
        "inbox",
    );
    shared::names_of_rows(panel, "provider", "inbox", "This provider", shared::TO_PROVIDER)
        .leads("This inbox", &format!("{}${{__field.name:percentencode}}", shared::TO_INBOX))
        .size(14, 9)
}

/// Each with its number, which leads to its page: from the daemon's own address if it says one.
fn open_incidents() -> Panel {
    let of = |metric| ALL.of(metric, "");
    let by = "instance, kind, culprit";
    let joined = format!("{} * on (instance, job) group_left (url) {}", of(names::INCIDENT_NUMBER), of(names::STATUS_PAGE_INFO));
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

fn over_time() -> Vec<Panel> {
    vec![
        Panel::states("Providers", "The verdict of each provider.", paint::VERDICTS)
            .over_time(&query::verdict(CHOSEN, names::PROVIDER_VERDICT, "provider"), "{{provider}}")
            .size(12, 7),
        Panel::states("Inboxes", "The verdict of each inbox: unknown while it cannot be read.", paint::VERDICTS)
            .over_time(&query::verdict(CHOSEN, names::INBOX_VERDICT, "inbox"), "{{inbox}}")
            .size(12, 7),
    ]
}
