//! One provider.

use super::super::metrics::names;
use super::board::Board;
use super::paint::{self, GREEN, ORANGE, RED};
use super::panel::Panel;
use super::query::{self, CHOSEN};
use super::{accounts, mail, shared};

/// Its own incidents, and those of its streams and routes.
const WHOSE: &str = "culprit=~`provider:${provider:regex}|(stream|path|route):${provider:regex}/.*`";

pub(super) fn board() -> Board {
    let board = Board::new(
        "mailcanary-provider",
        "mailcanary / Provider",
        "One provider: whether it delivers, to whom, how fast, and what it says of itself.",
        "now-6h",
    )
    .about(WHOSE)
    .one("provider", "Provider", names::PROVIDER_VERDICT)
    .several("stream", "Stream", names::STREAM_VERDICT)
    .several("inbox", "Inbox", names::INBOX_VERDICT);
    let board = shared::windowed(board).row("Now", now()).row("Verdicts", verdicts());
    let board = shared::legs(shared::delivery(board, "inbox"), "inbox", ("leg=\"transit\"", "Transit, by inbox"));
    mail::of_provider(accounts::row(shared::evidence(board, "stream, inbox"))).row("What it took", traffic())
}

fn now() -> Vec<Panel> {
    vec![
        Panel::stat("Verdict", "The verdict of the provider.", "none")
            .at_the_end(&query::verdict(CHOSEN, names::PROVIDER_VERDICT, "provider"), "{{provider}}")
            .words(paint::VERDICTS)
            .leads("Its status page", "${url}/providers/${provider}"),
        Panel::stat("Account", "What the provider says of the account.", "none")
            .at_the_end(&query::standing(CHOSEN), "{{provider}}")
            .words(paint::STANDINGS)
            .no_value("not asked"),
        shared::in_time(),
        shared::slowest(),
        shared::newest(),
        shared::budget(names::PROVIDER_BUDGET_SPENT, names::PROVIDER_BUDGET_LIMIT),
    ]
}

fn verdicts() -> Vec<Panel> {
    let panel = shared::matrix("Inbox × stream", "The verdict of each of its routes.", "inbox", "stream");
    vec![
        shared::names_of_rows(panel, "inbox", "stream", "This inbox", shared::TO_INBOX).size(10, 9),
        Panel::states("Routes over time", "The verdict of each of its routes.", paint::VERDICTS)
            .over_time(&query::verdict(CHOSEN, names::ROUTE_VERDICT, "stream, inbox"), "{{stream}} / {{inbox}}")
            .size(14, 9),
        shared::open_incidents(WHOSE).size(24, 6),
    ]
}

fn traffic() -> Vec<Panel> {
    let submitted = query::grown(CHOSEN, names::CANARIES_SUBMITTED_TOTAL, "", "outcome", "$__rate_interval");
    let hooks = query::grown(CHOSEN, names::HOOK_EVENTS_TOTAL, "", "outcome", "$__rate_interval");
    vec![
        Panel::bars(
            "Canaries handed over",
            "Submissions by outcome: accepted, refused, or unknown (cut off after the data went out).",
            "short",
        )
        .over_time(&submitted, "{{outcome}}")
        .size(8, 8),
        Panel::gauges("Newest arrival", "How long ago the newest canary arrived in each inbox.", "s")
            .at_the_end(&query::age(CHOSEN, names::LAST_ARRIVAL_TIMESTAMP_SECONDS, "inbox"), "{{inbox}}")
            .steps(GREEN, &[(300.0, ORANGE), (900.0, RED)])
            .decimals(0)
            .no_value("none yet")
            .size(8, 8),
        Panel::bars(
            "Events of its webhook",
            "What the provider told by itself: findings about canaries, opens and clicks (mute), other mail (foreign).",
            "short",
        )
        .over_time(&hooks, "{{outcome}}")
        .no_value("it has no webhook")
        .size(8, 8),
    ]
}
