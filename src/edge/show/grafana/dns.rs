//! What the DNS says: records that do not work, changes that nobody approved, listings, and how asking goes.

use super::super::metrics::names;
use super::board::Board;
use super::paint::{ORANGE, RED};
use super::panel::Panel;
use super::query::{self, ALL, CHOSEN};

/// A row of it.
pub(super) fn row(board: Board) -> Board {
    let all = |metric, filter, by: &str| format!("max by ({by}) ({})", ALL.of(metric, filter));
    let asked = query::grown(ALL, names::DNS_QUESTIONS_TOTAL, "", "outcome", "$__rate_interval");
    board.row(
        "DNS and reputation",
        vec![
            Panel::lines(
                "Records that do not work",
                "Absent or broken, by what they are about; what was never there counts, too.",
                "short",
            )
            .over_time(&all(names::DNS_RECORDS, "grade=~\"absent|broken\", topic!=\"listed\"", "topic, grade"), "{{topic}} {{grade}}")
            .size(8, 7),
            Panel::lines("Changes", "Records that have changed, and that nobody has approved.", "short")
                .over_time(&all(names::DNS_CHANGES, "", "topic, severity"), "{{topic}} {{severity}}")
                .ruled(&[(1.0, ORANGE)])
                .size(8, 7),
            Panel::lines("Listings", "Sending addresses and domains that stand on a blocklist.", "short")
                .over_time(&format!("max by (provider) ({})", CHOSEN.of(names::LISTED, "")), "{{provider}}")
                .ruled(&[(1.0, ORANGE)])
                .size(8, 7),
            Panel::lines("SPF look-ups", "What the SPF records of a provider's mail cost at most; more than 10 are an error.", "short")
                .over_time(&format!("max by (provider) ({})", CHOSEN.of(names::DNS_SPF_LOOKUPS, "")), "{{provider}}")
                .ruled(&[(9.0, ORANGE), (11.0, RED)])
                .size(12, 7),
            Panel::bars("Questions", "Failed ones are ours: no name server answered.", "short")
                .over_time(&asked, "{{outcome}}")
                .size(12, 7),
        ],
    )
}
