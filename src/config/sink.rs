//! The kinds of sink: what each needs, declared once. Reading, secrets and words in texts follow from the declaration.

use super::kinds::kinds;
use super::value::origin;
use super::{Mailbox, SecretRef, SmtpSettings};
use crate::model::Span;

kinds! {
    /// What a sink is: one variant a kind.
    SinkKind in "sink";
    /// Every instance of a Prometheus Alertmanager.
    Alertmanager(AlertmanagerSettings) = "alertmanager" {
        /// Base URLs without a slash at their end. `http://` only to loopback.
        urls: Vec<String>,
    }
    /// A signed webhook after the Standard Webhooks specification.
    Webhook(WebhookSettings) = "webhook" {
        /// Where to. `http://` only to loopback.
        url: String,
        /// `whsec_…`; absent: unsigned.
        secret: Option<SecretRef>,
    }
    /// PagerDuty, Events API v2.
    PagerDuty(PagerDutySettings) = "pagerduty" {
        /// The integration key of a service.
        routing_key: SecretRef,
        /// The secret by which it signs who has acknowledged; absent: nobody is heard.
        acknowledgements: Option<SecretRef>,
        /// Base URL, without a slash at its end.
        base_url: String,
    }
    /// Opsgenie.
    Opsgenie(OpsgenieSettings) = "opsgenie" {
        /// The key of an API integration.
        api_key: SecretRef,
        /// Base URL, without a slash at its end.
        base_url: String,
    }
    /// Jira Service Management, by the same API.
    Jira(JiraSettings) = "jira" {
        /// The key of an API integration.
        api_key: SecretRef,
        /// Base URL, without a slash at its end.
        base_url: String,
    }
    /// Grafana IRM and OnCall, by an integration of the kind "formatted webhook".
    Grafana(GrafanaSettings) = "grafana" {
        /// The integration's URL, which is its secret.
        url: SecretRef,
    }
    /// Slack, by an incoming webhook.
    Slack(SlackSettings) = "slack" {
        /// The webhook's URL, which is its secret.
        url: SecretRef,
        /// The secret by which it signs who has acknowledged; absent: nobody is heard.
        acknowledgements: Option<SecretRef>,
    }
    /// Slack, by a bot that keeps one message an incident.
    SlackBot(SlackBotSettings) = "slack-bot" {
        /// The bot's token, `xoxb-…`.
        token: SecretRef,
        /// The secret by which it signs who has acknowledged; absent: nobody is heard.
        acknowledgements: Option<SecretRef>,
        /// The channel's id.
        channel: String,
        /// Base URL, without a slash at its end.
        base_url: String,
    }
    /// Discord, by a webhook.
    Discord(DiscordSettings) = "discord" {
        /// The webhook's URL, which is its secret.
        url: SecretRef,
    }
    /// Microsoft Teams, by a workflow.
    Teams(TeamsSettings) = "teams" {
        /// The workflow's URL, which is its secret.
        url: SecretRef,
    }
    /// Telegram, by a bot.
    Telegram(TelegramSettings) = "telegram" {
        /// The bot's token.
        token: SecretRef,
        /// The chat: a number, or `@name` of a public channel.
        chat: String,
        /// The topic in a group with topics.
        topic: Option<u32>,
        /// Base URL, without a slash at its end.
        base_url: String,
    }
    /// ntfy.
    Ntfy(NtfySettings) = "ntfy" {
        /// The topic, which on a public server is a secret.
        topic: SecretRef,
        /// An access token, `tk_…`.
        token: Option<SecretRef>,
        /// The server's URL, without a slash at its end.
        base_url: String,
    }
    /// A program of one's own.
    Command(CommandSettings) = "command" {
        /// The program by its whole path, and its arguments; placeholders are filled in.
        argv: Vec<String>,
        /// How long it may take.
        timeout: Span,
    }
    /// E-mail, through a provider that is not watched.
    Email(EmailSettings) = "email" {
        /// Who it is from.
        from: Mailbox,
        /// Who it is for.
        to: String,
        /// The server that takes it.
        smtp: SmtpSettings,
    }
    /// Notifications on the desktop of whoever runs mailcanary.
    Desktop(DesktopSettings) = "desktop" {}
}

impl SinkKind {
    /// Where the secret is by which it signs who has acknowledged an incident there, if it is to be heard.
    #[must_use]
    pub const fn acknowledgements(&self) -> Option<&SecretRef> {
        match self {
            Self::PagerDuty(settings) => settings.acknowledgements.as_ref(),
            Self::Slack(settings) => settings.acknowledgements.as_ref(),
            Self::SlackBot(settings) => settings.acknowledgements.as_ref(),
            Self::Alertmanager(_)
            | Self::Webhook(_)
            | Self::Opsgenie(_)
            | Self::Jira(_)
            | Self::Grafana(_)
            | Self::Discord(_)
            | Self::Teams(_)
            | Self::Telegram(_)
            | Self::Ntfy(_)
            | Self::Command(_)
            | Self::Email(_)
            | Self::Desktop(_) => None,
        }
    }

    /// Whether it keeps itself who has seen an incident, so that it is told when somebody says so elsewhere.
    #[must_use]
    pub const fn keeps_acknowledgements(&self) -> bool {
        matches!(self, Self::PagerDuty(_) | Self::Opsgenie(_) | Self::Jira(_) | Self::SlackBot(_))
    }

    /// Whether it can be told who has seen an incident, without calling anybody: it keeps no acknowledgements itself, and is no pager.
    #[must_use]
    pub const fn hears_who_has_it(&self) -> bool {
        !self.keeps_acknowledgements() && !matches!(self, Self::Alertmanager(_) | Self::Grafana(_))
    }

    /// Whether it is told the state of all incidents again and again, and not one message a notice.
    #[must_use]
    pub const fn takes_state(&self) -> bool {
        matches!(self, Self::Alertmanager(_))
    }

    /// Whether it shows what was said there only when it is told of it.
    #[must_use]
    pub const fn shows_what_it_is_told(&self) -> bool {
        matches!(self, Self::SlackBot(_))
    }

    /// Where it is, as far as that is no secret.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Alertmanager(settings) => settings.urls.join(", "),
            // The path of a webhook is often its secret.
            Self::Webhook(settings) => origin(&settings.url),
            Self::PagerDuty(PagerDutySettings { base_url, .. })
            | Self::Opsgenie(OpsgenieSettings { base_url, .. })
            | Self::Jira(JiraSettings { base_url, .. })
            | Self::Ntfy(NtfySettings { base_url, .. }) => base_url.clone(),
            Self::Grafana(GrafanaSettings { url })
            | Self::Slack(SlackSettings { url, .. })
            | Self::Discord(DiscordSettings { url })
            | Self::Teams(TeamsSettings { url }) => format!("the address in {url}"),
            Self::SlackBot(settings) => format!("{}, channel {}", settings.base_url, settings.channel),
            Self::Telegram(settings) => format!("{}, chat {}", settings.base_url, settings.chat),
            Self::Command(settings) => settings.argv.first().cloned().unwrap_or_default(),
            Self::Email(settings) => format!("to {} through {}:{}", settings.to, settings.smtp.host, settings.smtp.port),
            Self::Desktop(_) => "the session's notifications".to_owned(),
        }
    }
}
