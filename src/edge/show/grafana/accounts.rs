//! Early signs: what providers say of the account before mail stops.

use super::super::metrics::names;
use super::board::Board;
use super::paint::{self, GREEN, ORANGE, RED};
use super::panel::Panel;
use super::query::{self, CHOSEN};

/// A row of them, with what inboxes are logged in to with: that ends, too.
pub(super) fn row_with_log_ins(board: Board) -> Board {
    let ends = format!("min by (inbox) ({} - time())", CHOSEN.of(names::CREDENTIAL_EXPIRY_TIMESTAMP_SECONDS, ""));
    let ends = Panel::gauges("Log-ins end in", "When the password, secret or token of each inbox ends, where `expires` says so.", "s")
        .at_the_end(&ends, "{{inbox}}")
        .steps(RED, &[(604_800.0, ORANGE), (1_814_400.0, GREEN)])
        .decimals(0)
        .no_value("no end is known")
        .size(24, 5);
    board.row("Early signs", signs().into_iter().chain([ends]).collect())
}

/// A row of them.
pub(super) fn row(board: Board) -> Board {
    board.row("Early signs", signs())
}

fn signs() -> Vec<Panel> {
    let max = |metric| format!("max by (provider) ({})", CHOSEN.of(metric, ""));
    let left = format!(
        "min by (provider) ({} / ({} > 0))",
        CHOSEN.of(names::ACCOUNT_QUOTA_REMAINING, ""),
        CHOSEN.of(names::ACCOUNT_QUOTA_LIMIT, "")
    );
    vec![
        Panel::states(
            "Standing of the account",
            "What each provider says of the account. Only providers that are asked.",
            paint::STANDINGS,
        )
        .over_time(&query::standing(CHOSEN), "{{provider}}")
        .no_value("no provider is asked")
        .size(12, 7),
        Panel::lines("Held back by the provider", "Mails that the provider has taken and not sent on. Where it says so.", "short")
            .over_time(&max(names::ACCOUNT_BACKLOG), "{{provider}}")
            .no_value("no provider says")
            .size(12, 7),
        Panel::lines("Quota that is left", "What is left of the quota. Where the provider says so.", "percentunit")
            .over_time(&left, "{{provider}}")
            .at_most(1.0)
            .ruled(&[(0.1, ORANGE)])
            .no_value("no provider says")
            .size(8, 7),
        Panel::lines("Reputation", "The reputation of the account, of 100. Where the provider says so.", "percent")
            .over_time(&max(names::ACCOUNT_REPUTATION), "{{provider}}")
            .at_most(100.0)
            .no_value("no provider says")
            .size(8, 7),
        Panel::gauges("Last said", "How long ago each provider last said how the account stands.", "s")
            .at_the_end(&query::age(CHOSEN, names::ACCOUNT_READ_TIMESTAMP_SECONDS, "provider"), "{{provider}}")
            .steps(GREEN, &[(3600.0, ORANGE), (21_600.0, RED)])
            .decimals(0)
            .no_value("no provider has been asked")
            .size(8, 7),
    ]
}
