//! Alerts that somebody looks at this week.

use super::super::super::metrics::names;
use super::page::{burn, more_than_two};
use super::{Alert, alert};

#[expect(clippy::too_many_lines, reason = "a list: each entry stands for itself")]
pub(super) fn alerts() -> Vec<Alert> {
    let copies = |metric| format!("sum by (instance, job, inbox) (increase({metric}[6h]))");
    vec![
        alert(
            "MailcanaryIncidentInforms",
            "15m",
            names::INCIDENT_SEVERITY.to_owned(),
            "== 1",
            "{{ $labels.kind }}: {{ $labels.culprit }}",
            "The watchdog has an open incident that neither pages nor warns.",
        )
        .linked(),
        alert(
            "MailcanaryServiceLevelBurns",
            "1h",
            burn("3d"),
            "> 1",
            "Mail of {{ $labels.stream }} through {{ $labels.provider }} will break its promise at this rate",
            "Over three days more was missed than the objective allows.",
        )
        .but_if(format!("({}) > 1\nand {}", burn("6h"), more_than_two("3d"))),
        alert(
            "MailcanaryNoticesDropped",
            "0s",
            format!("increase({}{{outcome=\"dropped\"}}[1h])", names::NOTICES_TOTAL),
            "> 0",
            "Notices for sink {{ $labels.sink }} were given up",
            "They were too old, or overtaken by what happened next.",
        ),
        alert(
            "MailcanaryAccountUnreadable",
            "2h",
            names::ACCOUNT_READABLE.to_owned(),
            "== 0",
            "{{ $labels.provider }} does not say how the account stands",
            "There are no early signs of it. The key may lack the right to read them; the status page has the provider's words.",
        ),
        alert(
            "MailcanaryBlocklistRefuses",
            "0s",
            format!("increase({}{{outcome=\"refused\"}}[6h])", names::DNS_QUESTIONS_TOTAL),
            "> 0",
            "A blocklist does not answer the resolver of mailcanary on {{ $labels.instance }}",
            "It says nothing of listings meanwhile. Most lists refuse public resolvers: ask by one of your own, or with a key of the list.",
        ),
        alert(
            "MailcanaryProviderBudgetNearlySpent",
            "1h",
            format!("{} / {}", names::PROVIDER_BUDGET_SPENT, names::PROVIDER_BUDGET_LIMIT),
            "> 0.95",
            "Provider {{ $labels.provider }} has used {{ $value | humanizePercentage }} of its canaries for 24 hours",
            "Routine canaries wait when it is used up, and detection is slower. Raise canaries_per_day or lower the cadence.",
        ),
        alert(
            "MailcanaryInboxBudgetNearlySpent",
            "1h",
            format!("{} / {}", names::INBOX_BUDGET_SPENT, names::INBOX_BUDGET_LIMIT),
            "> 0.95",
            "Inbox {{ $labels.inbox }} has got {{ $value | humanizePercentage }} of its canaries for 24 hours",
            "Routine canaries wait when it is used up, and detection is slower. Raise canaries_per_day or lower the cadence.",
        ),
        alert(
            "MailcanaryDuplicates",
            "15m",
            format!("{}\n/ ({} > 0)", copies(names::CANARIES_DUPLICATE_TOTAL), copies(names::CANARIES_ARRIVED_TOTAL)),
            "> 0.05",
            "Inbox {{ $labels.inbox }} gets {{ $value | humanizePercentage }} of its mail twice",
            "Somebody on the way sends again what has arrived: your users get it twice, too.",
        ),
        alert(
            "MailcanaryReplayed",
            "0s",
            format!("increase({}[1h])", names::CANARIES_REPLAYED_TOTAL),
            "> 0",
            "Inbox {{ $labels.inbox }} got a canary that is not its own",
            "A forward, a shared inbox, or mail that came after it was forgotten.",
        ),
        alert(
            "MailcanaryWebhookRefused",
            "0s",
            format!("increase({}{{outcome=\"refused\"}}[1h])", names::HOOK_REQUESTS_TOTAL),
            "> 10",
            "Posts to the webhook of {{ $labels.provider }} are not signed by it",
            "Its key was changed, or somebody tries the address.",
        ),
        alert(
            "MailcanarySinkTrialOld",
            "1h",
            format!("time() - ({} > 0)", names::SINK_TRIAL_TIMESTAMP_SECONDS),
            "> 691200",
            "Sink {{ $labels.sink }} was last tried {{ $value | humanizeDuration }} ago",
            "Its `try_at` comes every week at least.",
        ),
        alert(
            "MailcanaryVersionsDiffer",
            "1d",
            format!("count(count by (version) ({}))", names::BUILD_INFO),
            "> 1",
            "{{ $value }} versions of mailcanary run",
            "An installation was left behind by an update.",
        ),
    ]
}
