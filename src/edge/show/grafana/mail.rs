//! What the mail itself says: whose it is, whether its checks hold, what nobody sent.

use super::super::metrics::names;
use super::board::Board;
use super::paint::ORANGE;
use super::panel::Panel;
use super::query::{self, CHOSEN};

/// A row of it, for one provider: what its mail says, and where it stands on lists.
pub(super) fn of_provider(board: Board) -> Board {
    let listed = Panel::lines("Listings", "Its sending addresses and domains that stand on a blocklist.", "short")
        .over_time(&format!("max by (provider) ({})", CHOSEN.of(names::LISTED, "")), "{{provider}}")
        .ruled(&[(1.0, ORANGE)])
        .size(8, 7);
    board.row("What its mail says", own().into_iter().chain([listed]).collect())
}

/// A row of it.
pub(super) fn row(board: Board) -> Board {
    let strange = query::grown(CHOSEN, names::STRANGE_MAILS_TOTAL, "", "inbox, claim", "$__rate_interval");
    let unexamined = query::grown(CHOSEN, names::MAILS_UNEXAMINED_TOTAL, "", "instance", "$__rate_interval");
    let about = "By what it has to do with us; spam is `nothing`. And canaries whose mail was not looked at, in a flood.";
    let others = Panel::bars("Mail that is no canary", about, "short")
        .over_time(&strange, "{{inbox}} {{claim}}")
        .over_time(&unexamined, "not looked at")
        .size(8, 7);
    board.row("What the mail says", own().into_iter().chain([others]).collect())
}

/// What stands in a provider's own mail.
fn own() -> Vec<Panel> {
    let max = |metric| format!("max by (provider, stream) ({})", CHOSEN.of(metric, ""));
    vec![
        Panel::lines(
            "Foreign values",
            "Values in a provider's mail that have not stood there before: addresses, domains, networks, links.",
            "short",
        )
        .over_time(&max(names::FOREIGN_VALUES), "{{provider}} {{stream}}")
        .ruled(&[(1.0, ORANGE)])
        .size(8, 7),
        Panel::lines("Broken checks", "SPF, DKIM, DMARC and ARC that have held and do not any more, at each inbox.", "short")
            .over_time(&max(names::CHECKS_BROKEN), "{{provider}} {{stream}}")
            .ruled(&[(1.0, ORANGE)])
            .size(8, 7),
    ]
}
