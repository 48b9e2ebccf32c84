//! Alerts that somebody looks at today.

use super::super::super::metrics::names;
use super::page::{burn, more_than_two};
use super::{Alert, alert, up_for};

/// A route.
const ROUTE: &str = "sum by (instance, job, provider, stream, inbox)";

pub(super) fn alerts() -> Vec<Alert> {
    [mail(), records(), inboxes(), people()].concat()
}

/// Of mail.
fn mail() -> Vec<Alert> {
    let route = |metric, outcome: &str| format!("{ROUTE} (increase({metric}{outcome}[2h]))");
    let arrived = |more: &str| format!("sum by (instance, job, provider, inbox) (increase({}{more}[6h]))", names::CANARIES_ARRIVED_TOTAL);
    let junk = arrived("{placement=\"junk\"}");
    vec![
        alert(
            "MailcanaryIncidentWarns",
            "5m",
            names::INCIDENT_SEVERITY.to_owned(),
            "== 2",
            "{{ $labels.kind }}: {{ $labels.culprit }}",
            "The watchdog has an open incident that warns. Its status page has the evidence and the next step.",
        )
        .linked(),
        alert(
            "MailcanaryServiceLevelBurnsSlowly",
            "15m",
            burn("6h"),
            "> 6",
            "Mail of {{ $labels.stream }} through {{ $labels.provider }} is missed {{ $value | humanize }} times faster than allowed",
            "At this rate 5 % of the budget of 28 days went in six hours.",
        )
        .but_if(format!("({}) > 6\nand {}", burn("30m"), more_than_two("6h"))),
        alert(
            "MailcanaryRouteSilent",
            "10m",
            route(names::CANARIES_ARRIVED_TOTAL, ""),
            "== 0",
            "Nothing has arrived over {{ $labels.provider }}/{{ $labels.stream }}/{{ $labels.inbox }} for two hours",
            "The provider took canaries and none came. If there is no incident of it, its inbox may be blind.",
        )
        // Of less than two hours that were scraped, or that it ran, nothing follows for two hours.
        .but_if(format!(
            "{} > 3\nand {ROUTE} ({} offset 2h) >= 0\nand {}",
            route(names::CANARIES_SUBMITTED_TOTAL, "{outcome=\"accepted\"}"),
            names::CANARIES_ARRIVED_TOTAL,
            up_for(7200)
        )),
        alert(
            "MailcanaryNothingSent",
            "15m",
            format!("sum by (instance, job) (increase({}[3h]))", names::CANARIES_SUBMITTED_TOTAL),
            "== 0",
            "mailcanary on {{ $labels.instance }} has sent nothing for three hours",
            "No submission ended, whatever way. Budgets may be used up, or the ledger cannot be written; its status page says what it waits for.",
        )
        .but_if(up_for(10_800)),
        alert(
            "MailcanaryJunk",
            "15m",
            format!("{junk}\n/ ({} > 0)", arrived("")),
            "> 0.2",
            "{{ $value | humanizePercentage }} of what {{ $labels.provider }} brings to {{ $labels.inbox }} lies in Junk",
            "Counted over six hours. Look at the authentication of the sender, and at what changed in the mail.",
        )
        .but_if(format!("{junk} > 2.5")),
        alert(
            "MailcanaryQuotaLow",
            "15m",
            format!("{} / ({} > 0)", names::ACCOUNT_QUOTA_REMAINING, names::ACCOUNT_QUOTA_LIMIT),
            "< 0.1",
            "{{ $labels.provider }} has {{ $value | humanizePercentage }} of its quota left",
            "Mail stops when it is used up, your users' as well.",
        ),
    ]
}

/// Of inboxes, and of the watchdog's own sight.
fn inboxes() -> Vec<Alert> {
    vec![
        alert(
            "MailcanaryInboxBlind",
            "15m",
            names::INBOX_SIGHT.to_owned(),
            "== 0",
            "Inbox {{ $labels.inbox }} cannot be read",
            "It proves nothing about delivery until it can. A password, a limit of its host, or the way there: the status page has its words.",
        ),
        alert(
            "MailcanaryInboxStale",
            "5m",
            format!("time() - ({} > 0)", names::INBOX_HORIZON_TIMESTAMP_SECONDS),
            "> 1800",
            "Inbox {{ $labels.inbox }} was last read whole {{ $value | humanizeDuration }} ago",
            "What came since then is not known. One of its folders may hang.",
        ),
        alert(
            "MailcanaryCredentialEnds",
            "1h",
            format!("{} - time()", names::CREDENTIAL_EXPIRY_TIMESTAMP_SECONDS),
            "< 1814400",
            "What inbox {{ $labels.inbox }} is logged in to with ends in {{ $value | humanizeDuration }}",
            "It is blind from then on. Make a new password, secret or refresh token, and write the day of its end as `expires`.",
        ),
        alert(
            "MailcanaryCutOff",
            "10m",
            names::WATCHER_CUT_OFF.to_owned(),
            "== 1",
            "mailcanary on {{ $labels.instance }} has no network",
            "It blames nobody meanwhile, and sees nothing.",
        ),
        alert(
            "MailcanaryForged",
            "0s",
            format!("increase({}[1h])", names::CANARIES_FORGED_TOTAL),
            "> 0",
            "Inbox {{ $labels.inbox }} got a canary that this installation did not make",
            "Somebody imitates canaries, or two installations share an inbox: give each its own.",
        ),
        alert(
            "MailcanaryRestartsOften",
            "0s",
            format!("changes({}[1h])", names::PROCESS_START_TIME_SECONDS),
            "> 3",
            "mailcanary on {{ $labels.instance }} was started {{ $value }} times within an hour",
            "Its log says why it ends.",
        ),
        alert(
            "MailcanaryFileDescriptors",
            "15m",
            format!("{} / {}", names::PROCESS_OPEN_FDS, names::PROCESS_MAX_FDS),
            "> 0.8",
            "mailcanary on {{ $labels.instance }} has {{ $value | humanizePercentage }} of its file descriptors open",
            "Raise the limit of the unit (LimitNOFILE).",
        ),
    ]
}

/// Of what stands in the DNS, and on blocklists.
fn records() -> Vec<Alert> {
    let asked = |outcome: &str| format!("sum by (instance, job) (increase({}{{outcome=\"{outcome}\"}}[30m]))", names::DNS_QUESTIONS_TOTAL);
    vec![
        alert(
            "MailcanaryDnsChanged",
            "5m",
            format!("sum by (instance, job, topic) ({}{{severity=~\"page|warn\",topic!=\"listed\"}})", names::DNS_CHANGES),
            "> 0",
            "{{ $value }} records of the kind {{ $labels.topic }} have changed for the worse",
            "Mail that depends on them fails sooner or later. The page /dns has before and after; what is meant is approved with `mailcanary dns approve`.",
        ),
        alert(
            "MailcanaryListed",
            "5m",
            names::LISTED.to_owned(),
            "> 0",
            "{{ $value }} addresses or domains of provider {{ $labels.provider }} stand on a blocklist",
            "Receivers that ask the list refuse its mail or file it into Junk. The page /dns says which list and why.",
        ),
        alert(
            "MailcanaryDnsUnanswered",
            "10m",
            asked("failed"),
            "> 0",
            "mailcanary on {{ $labels.instance }} gets no answer from any name server",
            "Records and blocklists are not watched meanwhile, and mail is not checked. See `[dns]` in the configuration.",
        )
        .but_if(format!("on (instance, job) {} == 0", asked("answered"))),
    ]
}

/// Of those who are to hear it.
fn people() -> Vec<Alert> {
    vec![
        alert(
            "MailcanaryHeartbeatHeld",
            "5m",
            names::HEARTBEAT_HELD.to_owned(),
            "== 1",
            "Heartbeat {{ $labels.heartbeat }} is kept back",
            "There was no full cycle: the schedule, the ledger or all inboxes stand still.",
        ),
        alert(
            "MailcanaryHeartbeatMissing",
            "0s",
            format!("time() - {}", names::HEARTBEAT_LAST_SUCCESS_TIMESTAMP_SECONDS),
            "> 1800",
            "Heartbeat {{ $labels.heartbeat }} was not taken for half an hour",
            "The other side refuses it or does not answer; the status page has its words.",
        )
        .but_if(up_for(1800)),
        alert(
            "MailcanaryConfigurationRefused",
            "5m",
            names::CONFIG_LAST_RELOAD_SUCCESSFUL.to_owned(),
            "== 0",
            "mailcanary on {{ $labels.instance }} runs an older configuration than the newest",
            "The newest was refused: its complaints stand in the log and on the status page.",
        ),
        alert(
            "MailcanaryNoticesRefused",
            "0s",
            format!("increase({}{{outcome=\"refused\"}}[1h])", names::NOTICES_TOTAL),
            "> 0",
            "Sink {{ $labels.sink }} refuses notices",
            "Whoever listens there hears nothing. Try it with `mailcanary check --live`.",
        ),
        alert(
            "MailcanarySinkTrialFailed",
            "5m",
            names::SINK_TRIAL_SUCCESS.to_owned(),
            "== 0",
            "Sink {{ $labels.sink }} did not take its test notice",
            "It would not take a page either.",
        )
        .but_if(format!("{} > 0", names::SINK_TRIAL_TIMESTAMP_SECONDS)),
        alert(
            "MailcanaryDrillPagedNobody",
            "0s",
            names::DRILL_LAST_PAGE_SECONDS.to_owned(),
            "== -1",
            "The last drill of mailcanary on {{ $labels.instance }} paged nobody",
            "No sink took its page: an outage would not have been heard of. `mailcanary drill` runs it again and shows what each sink does.",
        )
        .but_if(format!("{} > 0", names::DRILL_LAST_TIMESTAMP_SECONDS)),
    ]
}
