//! The keys of sinks.

use super::general::{DAY, INBOXES, SECOND, STREAMS};
use super::senders::{base_url, secret};
use super::{Key, Kind, Need};

/// Severities, and the words of what is told; every kind that writes texts has them.
pub(super) static SINK: &[Key] = &[
    Key {
        name: "severities",
        kind: Kind::Words(&["page", "warn", "info"]),
        need: Need::Default("[\"page\", \"warn\", \"info\"]"),
        example: "[\"page\"]",
        doc: "What it takes: \"page\" (somebody has to get up), \"warn\" (working hours), \"info\" (some time).",
    },
    Key {
        name: "kinds",
        kind: Kind::Words(KINDS),
        need: Need::Absent("every kind"),
        example: "[\"stopped\", \"refused\"]",
        doc: "The kinds of failure that it takes.",
    },
    Key {
        name: "provider",
        kind: Kind::Patterns,
        need: Need::Absent("every provider"),
        example: "[\"mailchimp\", \"relay*\"]",
        doc: "It takes what touches these providers, by name or with `*` for any characters; one or a list. What is wider, as a failure of an inbox or of everything, touches them too.",
    },
    STREAMS,
    INBOXES,
    Key {
        name: "hours",
        kind: Kind::Hours,
        need: Need::Absent("at any hour"),
        example: "[\"Mon-Fri 08:00-18:00\", \"Sat 10:00-14:00\"]",
        doc: "When it takes what is new to it. What was opened at another hour, is still open then and was not acknowledged is told when these hours begin; updates and the end of what it has heard of always are.",
    },
    Key {
        name: "timezone",
        kind: Kind::Zone,
        need: Need::Default("\"UTC\""),
        example: "\"Europe/Berlin\"",
        doc: "By whose clock `hours` and `try_at` are meant.",
    },
    Key {
        name: "after",
        kind: Kind::Duration(SECOND, 7 * DAY),
        need: Need::Absent("it is told at once"),
        example: "\"10m\"",
        doc: "Escalation: it is called only if an incident was paged for so long ago, is still open, and nobody has acknowledged it. From 1s to 7d.",
    },
    Key {
        name: "try_at",
        kind: Kind::Hours,
        need: Need::Absent("it is tried by `check --live` alone"),
        example: "\"Mon 10:00-11:00\"",
        doc: "It is tried once in these hours, each time they come: with a test notice that says so, in the quietest severity that it takes. One that is not taken is told of to the other sinks.",
    },
    Key {
        name: "shares_path",
        kind: Kind::Flag,
        need: Need::Default("false"),
        example: "true",
        doc: "It is meant that its own path goes through a watched provider or inbox, or through what is of the same house. Otherwise that is refused: what fails would take its own alarm with it.",
    },
];

/// What an e-mail sink has besides the keys of an SMTP provider.
pub(super) static MAIL_HOST: &[Key] = &[Key {
    name: "host",
    kind: Kind::Host,
    need: Need::Required,
    example: "\"mail.example.org\"",
    doc: "Host name or address of a server that no watched provider runs.",
}];

/// Every kind of failure, as in `model::Kind`; a test of the configuration holds them together.
pub(super) const KINDS: &[&str] = &[
    "stopped",
    "loss",
    "slow",
    "junked",
    "refused",
    "blind",
    "cut_off",
    "identity",
    "unexpected_mail",
    "authentication",
    "dns",
    "listed",
    "early_sign",
];

pub(super) static TEXTS: &[Key] = &[
    Key {
        name: "title",
        kind: Kind::Text(2000),
        need: Need::Absent("the severity, the culprit and the kind, as in \"PAGE: provider mailchimp, stopped\""),
        example: "\"[{{ severity }}] {{ culprit }}: {{ kind }}\"",
        doc: "A template of the title (Jinja), tried at every start. It has title, text, change, kind, severity, culprit, incident, instance, link, runbook, opened_at, at, facts (a list of name and value) and evidence.",
    },
    Key {
        name: "text",
        kind: Kind::Text(8000),
        need: Need::Absent("the summary and up to seven facts"),
        example: "\"{{ text }} ({{ incident }})\"",
        doc: "A template of what stands below the title, in place of summary and facts.",
    },
];

pub(super) static ALERTMANAGER: &[Key] = &[Key {
    name: "urls",
    kind: Kind::Urls,
    need: Need::Required,
    example: "[\"http://127.0.0.1:9093\"]",
    doc: "Every instance of the cluster. `http://` only on loopback.",
}];

pub(super) static WEBHOOK: &[Key] = &[
    Key {
        name: "url",
        kind: Kind::Url { base: false },
        need: Need::Required,
        example: "\"https://hooks.example.net/mail\"",
        doc: "Where to. `http://` only on loopback.",
    },
    Key {
        name: "secret",
        kind: Kind::Secret,
        need: Need::Absent("unsigned, with a warning"),
        example: "{ credential = \"hook\" }",
        doc: "The signing secret, `whsec_` and base64.",
    },
];

/// Who has acknowledged an incident at PagerDuty or in Slack.
const fn acknowledgements(doc: &'static str) -> Key {
    let example = "{ credential = \"acknowledgements\" }";
    Key { name: "acknowledgements", kind: Kind::Secret, need: Need::Absent("who acknowledges there is not heard here"), example, doc }
}

const BY_BUTTON: Key = acknowledgements(
    "The signing secret of the Slack app. Its messages then have a button that acknowledges; the app's interactivity has the request URL /hooks/sinks/NAME.",
);

pub(super) static PAGERDUTY: &[Key] = &[
    secret("routing_key", "{ credential = \"pagerduty\" }", "The integration key of a service with an Events API v2 integration."),
    acknowledgements(
        "The secret of a webhook subscription (V3) that posts to /hooks/sinks/NAME: who acknowledges, takes back or resolves an incident at PagerDuty does so here, too.",
    ),
    base_url("\"https://events.pagerduty.com\""),
];

pub(super) static OPSGENIE: &[Key] = &[
    secret("api_key", "{ credential = \"opsgenie\" }", "The key of an integration of the kind API, which may create alerts."),
    base_url("\"https://api.opsgenie.com\""),
];

pub(super) static JIRA: &[Key] = &[
    secret("api_key", "{ credential = \"jira\" }", "The key of an integration of the kind API, which may create alerts."),
    base_url("\"https://api.atlassian.com/jsm/ops/integration\""),
];

pub(super) static GRAFANA: &[Key] = &[secret(
    "url",
    "{ credential = \"grafana-url\" }",
    "Where the URL of an integration of the kind \"Formatted webhook\" is. Whoever knows it may raise alerts.",
)];

pub(super) static SLACK: &[Key] = &[
    secret("url", "{ credential = \"slack-url\" }", "Where the incoming webhook's URL is. Whoever knows it may write into the channel."),
    BY_BUTTON,
];

pub(super) static SLACK_BOT: &[Key] = &[
    secret("token", "{ credential = \"slack-token\" }", "The bot's token, `xoxb-…`, with the scope `chat:write`."),
    BY_BUTTON,
    Key {
        name: "channel",
        kind: Kind::Label,
        need: Need::Required,
        example: "\"C0123456789\"",
        doc: "The channel's id, at the end of its details; a name would not let messages be changed. Invite the bot there.",
    },
    base_url("\"https://slack.com/api\""),
];

pub(super) static DISCORD: &[Key] =
    &[secret("url", "{ credential = \"discord-url\" }", "Where the webhook's URL is. Whoever knows it may write into the channel.")];

pub(super) static TEAMS: &[Key] = &[secret(
    "url",
    "{ credential = \"teams-url\" }",
    "Where the URL of a workflow \"Post to a channel when a webhook request is received\" is. Whoever knows it may write there.",
)];

pub(super) static TELEGRAM: &[Key] = &[
    secret("token", "{ credential = \"telegram\" }", "The bot's token, from @BotFather."),
    Key {
        name: "chat",
        kind: Kind::Label,
        need: Need::Required,
        example: "\"-1001234567890\"",
        doc: "The chat's number in quotes, or @name of a public channel. The bot must be a member.",
    },
    Key {
        name: "topic",
        kind: Kind::Count(2_147_483_647),
        need: Need::Absent("the group's general topic"),
        example: "7",
        doc: "The number of a topic, in groups that have topics.",
    },
    base_url("\"https://api.telegram.org\""),
];

pub(super) static NTFY: &[Key] = &[
    secret(
        "topic",
        "{ credential = \"ntfy-topic\" }",
        "Where the topic's name is: on a public server whoever knows it reads along, so take a long random one.",
    ),
    Key {
        name: "token",
        kind: Kind::Secret,
        need: Need::Absent("no log-in"),
        example: "{ credential = \"ntfy-token\" }",
        doc: "An access token, `tk_…`, for topics that are protected.",
    },
    base_url("\"https://ntfy.sh\""),
];

pub(super) static COMMAND: &[Key] = &[
    Key {
        name: "argv",
        kind: Kind::Argv,
        need: Need::Required,
        example: "[\"/usr/local/bin/wake-me\", \"{severity}\", \"{title}\"]",
        doc: "The program by its whole path and its arguments. No shell is in between. {key}, {change}, {severity}, {title}, {text}, {link} and {runbook} are filled in, each within its argument; the whole notice stands as JSON on standard input.",
    },
    Key {
        name: "timeout",
        kind: Kind::Duration(100, 600_000),
        need: Need::Default("\"30s\""),
        example: "\"10s\"",
        doc: "After this it is killed with all that it started, and tried again.",
    },
];

pub(super) static EMAIL: &[Key] = &[
    Key { name: "from", kind: Kind::Mailbox, need: Need::Required, example: "\"mailcanary <watch@example.org>\"", doc: "Who it is from." },
    Key {
        name: "to",
        kind: Kind::Address,
        need: Need::Required,
        example: "\"oncall@example.org\"",
        doc: "Who it is for: one address, which may be a list's.",
    },
];

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_of_failure_can_be_chosen() {
        assert_eq!(super::KINDS, crate::model::Kind::ALL.map(crate::model::Kind::as_str));
    }
}
