//! The overview: what is well, what is not, and whether the watchdog is.

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
    // What is looked at first; of the rest each row is opened by who wants it.
    let board = shared::windowed(board)
        .folded_after(3)
        .row("Now", now())
        .row("How it goes", vec![shared::heat().size(14, 8), shared::lost("provider").size(10, 8)])
        .row("Verdicts", vec![matrix(), shared::open_incidents("")])
        .row("Verdicts over time", over_time());
    let board = shared::evidence(shared::slower(board, "provider"), "provider, inbox");
    watchdog::rows(dns::row(mail::row(accounts::row_with_log_ins(board))))
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
