//! Alerts that call somebody.

use super::super::super::metrics::names;
use super::recording::{BY, OBJECTIVE, missed};
use super::{Alert, alert, up_for};

/// How many times faster than the objective allows mail is missed.
pub(super) fn burn(window: &str) -> String {
    format!("{} / on () group_left () (1 - {OBJECTIVE})", missed(window))
}

/// So many were missed that it is no single canary of a slow route.
pub(super) fn more_than_two(window: &str) -> String {
    format!("sum by ({BY}) (increase({}{{outcome=\"missed\"}}[{window}])) > 2.5", names::CANARIES_DECIDED_TOTAL)
}

#[expect(clippy::too_many_lines, reason = "a list: each entry stands for itself")]
pub(super) fn alerts() -> Vec<Alert> {
    let next = names::NEXT_WAKE_TIMESTAMP_SECONDS;
    let sum = |metric, outcome: &str| format!("sum by (instance, job) (increase({metric}{outcome}[30m]))");
    vec![
        Alert {
            edge: None,
            ..alert(
                "MailcanaryAbsent",
                "5m",
                names::BUILD_INFO.to_owned(),
                "",
                "No mailcanary is scraped",
                "Prometheus has no series of any mailcanary: nobody watches whether mail arrives. Look at the scrape configuration and at the daemon.",
            )
        },
        alert(
            "MailcanaryDown",
            "5m",
            "up{job=~\"mailcanary.*\"}".to_owned(),
            "== 0",
            "mailcanary on {{ $labels.instance }} does not answer",
            "It is down, cannot be reached, or its loop hangs: then a scrape fails after 5 s. Nobody watches mail meanwhile; its log says more.",
        ),
        alert(
            "MailcanaryIncident",
            "0s",
            names::INCIDENT_SEVERITY.to_owned(),
            "== 3",
            "{{ $labels.kind }}: {{ $labels.culprit }}",
            "The watchdog has an open incident that pages. Its status page has the evidence and the next step. For those who are not paged by the watchdog itself.",
        )
        .linked(),
        alert(
            "MailcanaryLedgerNotWritable",
            "2m",
            names::LEDGER_WRITABLE.to_owned(),
            "== 0",
            "mailcanary on {{ $labels.instance }} cannot write its ledger",
            "Nothing is sent or judged until it can: a full disk, lost rights, or another program that holds a lock.",
        ),
        alert(
            "MailcanaryStandsStill",
            "2m",
            format!("clamp_min(timestamp({next}) - ({next} > 0), 0)"),
            "> 300",
            "The schedule of mailcanary on {{ $labels.instance }} is {{ $value | humanizeDuration }} late",
            "It answers, but what was due has not been done. Look at its log; restart it.",
        ),
        alert(
            "MailcanaryNothingArrives",
            "5m",
            sum(names::CANARIES_ARRIVED_TOTAL, ""),
            "== 0",
            "No canary of mailcanary on {{ $labels.instance }} has arrived for half an hour",
            "Providers took canaries and none came, over any route. If there is no incident, the watchdog itself is wrong.",
        )
        // Of less than half an hour that was scraped, or that it ran, nothing follows for half an hour.
        .but_if(format!(
            "{} > 5\nand sum by (instance, job) ({} offset 30m) >= 0\nand {}",
            sum(names::CANARIES_SUBMITTED_TOTAL, "{outcome=\"accepted\"}"),
            names::CANARIES_ARRIVED_TOTAL,
            up_for(1800)
        )),
        alert(
            "MailcanaryNoticesStuck",
            "5m",
            format!("min_over_time({}[10m])", names::NOTICES_PENDING),
            "> 0",
            "Sink {{ $labels.sink }} has not taken a notice of mailcanary for ten minutes",
            "What the watchdog has to say is not heard there. Look at the sink and at the status page: an incident may be open.",
        ),
        alert(
            "MailcanaryServiceLevelBurnsFast",
            "2m",
            burn("1h"),
            "> 14.4",
            "Mail of {{ $labels.stream }} through {{ $labels.provider }} is missed {{ $value | humanize }} times faster than allowed",
            "At this rate 2 % of the budget of 28 days went in an hour. The dashboard mailcanary / Service level shows since when.",
        )
        .but_if(format!("({}) > 14.4\nand {}", burn("5m"), more_than_two("1h"))),
    ]
}
