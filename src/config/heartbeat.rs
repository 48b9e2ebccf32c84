//! The kinds of heartbeat: what each needs, declared once. Reading, secrets and words in texts follow from the declaration.

use super::SecretRef;
use super::kinds::kinds;

kinds! {
    /// Who watches the watchdog: one variant a kind.
    HeartbeatKind in "heartbeat";
    /// healthchecks.io, and whoever takes the same pings.
    Healthchecks(HealthchecksBeat) = "healthchecks" {
        /// The check's ping URL, which is its secret.
        url: SecretRef,
    }
    /// A push monitor of Uptime Kuma.
    Kuma(KumaBeat) = "kuma" {
        /// The monitor's push URL, which is its secret.
        url: SecretRef,
    }
    /// A heartbeat of Opsgenie.
    Opsgenie(OpsgenieBeat) = "opsgenie" {
        /// The heartbeat's name there.
        heartbeat: String,
        /// The key of an API integration.
        api_key: SecretRef,
        /// Base URL, without a slash at its end.
        base_url: String,
    }
    /// The heartbeat of an integration of Grafana OnCall or IRM.
    OnCall(OnCallBeat) = "oncall" {
        /// The integration's URL, with `heartbeat/` at its end or without, which is its secret.
        url: SecretRef,
    }
    /// An alert that always fires, at every instance of a Prometheus Alertmanager.
    Alertmanager(AlertmanagerBeat) = "alertmanager" {
        /// Base URLs without a slash at their end. `http://` only to loopback.
        urls: Vec<String>,
    }
}

impl HeartbeatKind {
    /// Where it is, as far as that is no secret.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Healthchecks(HealthchecksBeat { url }) | Self::Kuma(KumaBeat { url }) | Self::OnCall(OnCallBeat { url }) => {
                format!("the address in {url}")
            }
            Self::Opsgenie(settings) => format!("{}, heartbeat {}", settings.base_url, settings.heartbeat),
            Self::Alertmanager(settings) => settings.urls.join(", "),
        }
    }
}
