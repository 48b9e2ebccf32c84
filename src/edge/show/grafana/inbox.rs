//! One inbox.

use super::super::metrics::names;
use super::board::Board;
use super::paint::{self, GREEN, ORANGE, RED};
use super::panel::Panel;
use super::query::{self, CHOSEN};
use super::shared;

/// Its own incidents, those of routes into it, and what providers and the watcher do everywhere; not what other inboxes do.
const WHOSE: &str = "culprit=~`inbox:${inbox:regex}|(path|route):.*/${inbox:regex}|(provider|stream|watcher).*`";

pub(super) fn board() -> Board {
    let board = Board::new(
        "mailcanary-inbox",
        "mailcanary / Inbox",
        "One inbox: whether it can be read, who delivers to it, how fast, and where the mail lies.",
        "now-6h",
    )
    .about(WHOSE)
    .one("inbox", "Inbox", names::INBOX_VERDICT)
    .several("provider", "Provider", names::PROVIDER_VERDICT)
    .several("stream", "Stream", names::STREAM_VERDICT);
    let board = shared::windowed(board).row("Now", now()).row("Verdicts", verdicts());
    let board = shared::legs(shared::delivery(board, "provider"), "provider", ("leg=\"receiver\"", "At the receiver, by provider"));
    shared::evidence(board, "provider, stream").row("What lies in it", contents())
}

fn now() -> Vec<Panel> {
    let ends = format!("min({} - time())", CHOSEN.of(names::CREDENTIAL_EXPIRY_TIMESTAMP_SECONDS, ""));
    let horizon = query::age(CHOSEN, names::INBOX_HORIZON_TIMESTAMP_SECONDS, "");
    vec![
        Panel::stat("Verdict", "The verdict of the inbox.", "none")
            .at_the_end(&query::verdict(CHOSEN, names::INBOX_VERDICT, "inbox"), "{{inbox}}")
            .words(paint::VERDICTS)
            .leads("Its status page", "${url}/inboxes/${inbox}"),
        Panel::stat(
            "Known up to",
            "How long ago the last complete reading of all its folders began: what came since then is not known.",
            "s",
        )
        .at_the_end(&horizon, "ago")
        .steps(GREEN, &[(300.0, ORANGE), (900.0, RED)])
        .decimals(0)
        .no_value("not read yet"),
        shared::in_time().size(3, 4),
        shared::slowest().size(3, 4),
        shared::newest().size(3, 4),
        Panel::stat(
            "Log-in ends in",
            "When the password, secret or token that it is logged in to with ends, where `expires` says so.",
            "s",
        )
        .at_the_end(&ends, "left")
        .steps(RED, &[(604_800.0, ORANGE), (1_814_400.0, GREEN)])
        .decimals(0)
        .no_value("no end is known")
        .size(4, 4),
        shared::budget(names::INBOX_BUDGET_SPENT, names::INBOX_BUDGET_LIMIT).size(3, 4),
    ]
}

fn verdicts() -> Vec<Panel> {
    let panel = shared::matrix("Provider × stream", "The verdict of each route into it.", "provider", "stream");
    let sight = format!("min by (inbox) ({})", CHOSEN.of(names::INBOX_SIGHT, ""));
    vec![
        shared::names_of_rows(panel, "provider", "stream", "This provider", shared::TO_PROVIDER).size(10, 9),
        Panel::states("Routes over time", "The verdict of each route into it.", paint::VERDICTS)
            .over_time(&query::verdict(CHOSEN, names::ROUTE_VERDICT, "provider, stream"), "{{provider}} / {{stream}}")
            .size(14, 9),
        shared::open_incidents(WHOSE).size(24, 6),
        Panel::states("Can be read", "Whether we can see into it.", paint::HOLDS).over_time(&sight, "{{inbox}}").size(24, 4),
    ]
}

fn contents() -> Vec<Panel> {
    let arrived = query::grown(CHOSEN, names::CANARIES_ARRIVED_TOTAL, "", "placement", "$__rate_interval");
    let odd = |metric| query::grown(CHOSEN, metric, "", "inbox", "$__rate_interval");
    vec![
        Panel::bars("Arrivals, by where they lie", "First arrivals: in the inbox, in Junk, or in another folder.", "short")
            .over_time(&arrived, "{{placement}}")
            .size(8, 8),
        Panel::gauges("Newest arrival", "How long ago the newest canary of each provider arrived.", "s")
            .at_the_end(&query::age(CHOSEN, names::LAST_ARRIVAL_TIMESTAMP_SECONDS, "provider"), "{{provider}}")
            .steps(GREEN, &[(300.0, ORANGE), (900.0, RED)])
            .decimals(0)
            .no_value("none yet")
            .size(8, 8),
        Panel::bars(
            "Odd mail",
            "Second copies, canaries of another inbox, tokens that nobody here made, and mails that do not look as they should.",
            "short",
        )
        .over_time(&odd(names::CANARIES_DUPLICATE_TOTAL), "second copies")
        .over_time(&odd(names::CANARIES_REPLAYED_TOTAL), "replayed")
        .over_time(&odd(names::CANARIES_FORGED_TOTAL), "forged")
        .over_time(&odd(names::CANARIES_MISMATCHED_TOTAL), "not as expected")
        .size(8, 8),
    ]
}
