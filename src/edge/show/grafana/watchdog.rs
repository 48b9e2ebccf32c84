//! Who watches the watchdog: whether it works, tells, and is heard.

use super::super::metrics::names;
use super::board::Board;
use super::paint::{self, GREEN, ORANGE, RED};
use super::panel::Panel;
use super::query::{self, ALL};

/// Prometheus' own word on whether a target answers.
const UP: &str = "up{instance=~\"$instance\"}";
/// And how long that took.
const SCRAPE: &str = "scrape_duration_seconds{instance=~\"$instance\"}";

/// The rows about the watchdog itself.
pub(super) fn rows(board: Board) -> Board {
    board.row("The watchdog itself", health()).row("Who hears it", telling()).row("What it costs", process())
}

fn health() -> Vec<Panel> {
    let min = |metric| format!("min by (instance) ({})", ALL.of(metric, ""));
    let next = ALL.of(names::NEXT_WAKE_TIMESTAMP_SECONDS, "");
    vec![
        Panel::states(
            "What must hold",
            "The watchdog answers, can write its ledger, has a network, runs the newest configuration, and its heartbeats are not kept back.",
            paint::HOLDS,
        )
            .over_time(&format!("min by (instance) ({UP})"), "answers {{instance}}")
            .over_time(&min(names::LEDGER_WRITABLE), "ledger {{instance}}")
            .over_time(&format!("1 - max by (instance) ({})", ALL.of(names::WATCHER_CUT_OFF, "")), "network {{instance}}")
            .over_time(&min(names::CONFIG_LAST_RELOAD_SUCCESSFUL), "configuration {{instance}}")
            .over_time(&format!("1 - max by (heartbeat) ({})", ALL.of(names::HEARTBEAT_HELD, "")), "heartbeat {{heartbeat}}")
            .size(12, 8),
        Panel::lines(
            "The schedule is late by",
            "How long the next thing to do was overdue when it was looked at. Over a minute: the loop stands still, or the host is too busy.",
            "s",
        )
            .over_time(&format!("max by (instance) (clamp_min(timestamp({next}) - ({next} > 0), 0))"), "{{instance}}")
            .ruled(&[(60.0, ORANGE)])
            .size(6, 8),
        Panel::lines(
            "It answers within",
            "How long a scrape takes. Every scrape asks the loop, so this is how busy it is; from 5 s on it fails.",
            "s",
        )
            .over_time(&format!("max by (instance) ({SCRAPE})"), "{{instance}}")
            .ruled(&[(5.0, RED)])
            .size(6, 8),
    ]
}

fn telling() -> Vec<Panel> {
    let beat = query::age(ALL, names::HEARTBEAT_LAST_SUCCESS_TIMESTAMP_SECONDS, "heartbeat");
    let failed = query::grown(ALL, names::HEARTBEAT_FAILURES_TOTAL, "", "heartbeat", "$__rate_interval");
    let notices = query::grown(ALL, names::NOTICES_TOTAL, "", "sink, outcome", "$__rate_interval");
    let hooks = query::grown(ALL, names::HOOK_REQUESTS_TOTAL, "", "provider, outcome", "$__rate_interval");
    let (posts, replies) = (
        query::grown(ALL, names::SINK_REPLY_REQUESTS_TOTAL, "", "sink, outcome", "$__rate_interval"),
        query::grown(ALL, names::SINK_REPLIES_TOTAL, "", "sink, outcome", "$__rate_interval"),
    );
    vec![
        Panel::bars("Notices, by how they ended", "Notices that each sink took, refused, or that were given up.", "short")
            .over_time(&notices, "{{sink}} {{outcome}}")
            .size(12, 8),
        Panel::lines("Notices on their way", "What a sink has not taken yet. A line that stays up is a page that nobody has got.", "short")
            .over_time(&format!("sum by (sink) ({})", ALL.of(names::NOTICES_PENDING, "")), "{{sink}}")
            .size(12, 8),
        Panel::lines("Heartbeats: since the last", "How long ago the other side took the last beat.", "s")
            .over_time(&beat, "{{heartbeat}}")
            .no_value("no heartbeat is configured")
            .size(8, 7),
        Panel::bars("Heartbeats that were not taken", "Beats that the other side refused or did not answer.", "short")
            .over_time(&failed, "{{heartbeat}}")
            .no_value("no heartbeat is configured")
            .size(8, 7),
        Panel::bars("Webhooks taken in", "Posts of providers that tell by themselves what became of mail, by outcome.", "short")
            .over_time(&hooks, "{{provider}} {{outcome}}")
            .no_value("no provider has a webhook")
            .size(8, 7),
        Panel::bars("Posts back from sinks", "Posts of pagers and chats that tell who acknowledged what, by outcome.", "short")
            .over_time(&posts, "{{sink}} {{outcome}}")
            .no_value("no sink has acknowledgements")
            .size(12, 7),
        Panel::bars(
            "What they said",
            "What those posts were about: an open incident, nothing of use, or an incident that is over or not ours.",
            "short",
        )
        .over_time(&replies, "{{sink}} {{outcome}}")
        .no_value("no sink has acknowledgements")
        .size(12, 7),
        Panel::gauges("Sinks, tried last", "How long ago each sink got a test notice. Sinks with `try_at`.", "s")
            .at_the_end(&query::age(ALL, names::SINK_TRIAL_TIMESTAMP_SECONDS, "sink"), "{{sink}}")
            .steps(GREEN, &[(691_200.0, ORANGE)])
            .decimals(0)
            .no_value("no sink is tried")
            .size(8, 5),
        Panel::states("Sinks took their test notice", "Whether the last trial of each sink was taken. Sinks with `try_at`.", paint::HOLDS)
            .over_time(&format!("min by (sink) ({})", ALL.of(names::SINK_TRIAL_SUCCESS, "")), "{{sink}}")
            .no_value("no sink is tried")
            .size(8, 5),
        Panel::stat(
            "Last drill: page after",
            "How long it took in the last drill until a sink had the page, the first and each; -1 if it did not take it, or before the first drill.",
            "s",
        )
        .at_the_end(&format!("max({})", ALL.of(names::DRILL_LAST_PAGE_SECONDS, "")), "page")
        .at_the_end(&format!("max by (sink) ({})", ALL.of(names::DRILL_LAST_SINK_SECONDS, "")), "{{sink}}")
        .words(&[(-1, "no page yet", ORANGE)])
        .steps(GREEN, &[(900.0, ORANGE)])
        .decimals(0)
        .size(8, 5),
    ]
}

fn process() -> Vec<Panel> {
    let legs = format!("histogram_quantile(0.95, sum by (le, leg) (increase({}[$window])))", ALL.buckets(names::LEG_DURATION_SECONDS));
    let cpu = format!("sum by (instance) (rate({}[$__rate_interval]))", ALL.of(names::PROCESS_CPU_SECONDS_TOTAL, ""));
    let memory = format!("max by (instance) ({})", ALL.of(names::PROCESS_RESIDENT_MEMORY_BYTES, ""));
    let submissions = format!("max by (instance) ({})", ALL.of(names::SUBMISSIONS_IN_PROGRESS, ""));
    let files = format!("max by (instance) ({} / {})", ALL.of(names::PROCESS_OPEN_FDS, ""), ALL.of(names::PROCESS_MAX_FDS, ""));
    vec![
        Panel::lines(
            "Legs: 95 in 100 take at most",
            "Connecting, TLS, log-in, handing over, delivery, and how long after its arrival mail is seen.",
            "s",
        )
        .over_time(&legs, "{{leg}}")
        .logarithmic()
        .size(12, 7),
        Panel::lines(
            "Being handed over",
            "Canaries that are being handed over to their providers. From 1024 on, routes wait: the host or a provider does not keep up.",
            "short",
        )
        .over_time(&submissions, "{{instance}}")
        .ruled(&[(1024.0, ORANGE)])
        .size(12, 7),
        Panel::lines("Memory", "Resident memory of the process.", "bytes").over_time(&memory, "{{instance}}").size(8, 7),
        Panel::lines("CPU", "Seconds of CPU time a second, as a share of one core.", "percentunit")
            .over_time(&cpu, "{{instance}}")
            .size(8, 7),
        Panel::lines("File descriptors", "Of those that the process may have, the share that is open.", "percentunit")
            .over_time(&files, "{{instance}}")
            .ruled(&[(0.8, ORANGE)])
            .size(8, 7),
    ]
}
