//! One alert: what stands in its labels and what in its annotations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::{Origin, fit};
use crate::model::{At, Culprit, Notice};

/// The `alertname` of every alert: routes and inhibitions match the other labels.
const ALERT_NAME: &str = "MailcanaryIncident";
const EVIDENCE_LIMIT: usize = 4096;
const SUMMARY_LIMIT: usize = 1024;

/// One alert as Alertmanager knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its identity: `alertname`, `instance`, `incident`, `severity`, `culprit`, and `provider`, `stream`, `inbox` as far as the culprit has them.
    pub labels: BTreeMap<&'static str, String>,
    /// Everything that moves: `summary`, `description`, `kind`, `evidence`, `key` and, if there are any, `link` and `runbook_url`.
    pub annotations: BTreeMap<&'static str, String>,
    /// When the incident was opened.
    pub starts_at: At,
    /// When it ended. `None` while it fires.
    pub ended: Option<At>,
    /// The incident's page.
    pub link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Post<'a> {
    labels: &'a BTreeMap<&'static str, String>,
    annotations: &'a BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

impl Alert {
    /// The alert that `notice` calls for.
    #[must_use]
    pub fn new(origin: &Origin, notice: &Notice, opened_at: At, ended: Option<At>) -> Self {
        let link = origin.link(notice);
        let mut annotations = BTreeMap::from([
            ("summary", fit::cut(&plain(&notice.summary), SUMMARY_LIMIT)),
            ("description", description(notice, opened_at, ended)),
            ("kind", notice.kind.as_str().to_owned()),
            ("evidence", plain(&fit::evidence(&notice.evidence, EVIDENCE_LIMIT).to_string())),
            ("key", origin.key(notice)),
        ]);
        if let Some(link) = &link {
            annotations.insert("link", link.clone());
        }
        if let Some(runbook) = origin.runbook(notice) {
            annotations.insert("runbook_url", runbook);
        }
        Self { labels: labels(origin, notice), annotations, starts_at: opened_at, ended, link }
    }

    /// The JSON array to post. What fires ends at `ends_at` unless it is sent again before.
    #[must_use]
    pub fn post(alerts: &[Self], ends_at: At) -> Vec<u8> {
        let posts: Vec<Post<'_>> = alerts
            .iter()
            .map(|alert| Post {
                labels: &alert.labels,
                annotations: &alert.annotations,
                starts_at: alert.starts_at.rfc3339(),
                ends_at: alert.ended.unwrap_or(ends_at).max(alert.starts_at).rfc3339(),
                generator_url: alert.link.as_deref(),
            })
            .collect();
        serde_json::to_vec(&posts).unwrap_or_default()
    }
}

/// What others write as one line, in which nothing is hidden, and nothing is a tag, a link or a mention. JSON stays JSON.
fn plain(text: &str) -> String {
    fit::untagged(&fit::inert(&fit::line(text, usize::MAX)))
}

fn labels(origin: &Origin, notice: &Notice) -> BTreeMap<&'static str, String> {
    let mut labels = BTreeMap::from([
        ("alertname", ALERT_NAME.to_owned()),
        ("instance", origin.instance.clone()),
        ("incident", notice.incident.to_string()),
        ("severity", notice.severity.as_str().to_owned()),
        ("culprit", notice.culprit.to_string()),
    ]);
    let mut named = |label, name: &crate::model::Name| labels.insert(label, name.to_string());
    match &notice.culprit {
        Culprit::Provider(p) => _ = named("provider", p),
        Culprit::Stream(p, s) => _ = (named("provider", p), named("stream", s)),
        Culprit::Inbox(i) => _ = named("inbox", i),
        Culprit::Path(p, i) => _ = (named("provider", p), named("inbox", i)),
        Culprit::Route(p, s, i) => _ = (named("provider", p), named("stream", s), named("inbox", i)),
        Culprit::Watcher {} => {}
    }
    labels
}

fn description(notice: &Notice, opened_at: At, ended: Option<At>) -> String {
    let (kind, culprit) = (notice.kind.as_str(), &notice.culprit);
    let end = ended.map_or_else(String::new, |at| format!(", over at {at} after {}", at.since(opened_at)));
    format!("incident {}: {kind}, {culprit}, since {opened_at}{end}", notice.incident)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::super::nasty;
    use super::*;

    #[test]
    fn nothing_from_outside_is_hidden_or_a_link() {
        for out in nasty::all() {
            let alert = Alert::new(&nasty::origin(), &out.notice, out.opened_at, None);
            for (name, text) in alert.annotations.iter().filter(|(name, _)| !matches!(**name, "link" | "runbook_url")) {
                nasty::assert_plain(text);
                assert!(!text.contains(['<', '>']) && !text.contains("https://") && !text.contains("evil.example"), "{name}: {text}");
            }
            assert!(alert.annotations["summary"].len() <= SUMMARY_LIMIT);
            let evidence: Value = serde_json::from_str(&alert.annotations["evidence"]).unwrap();
            nasty::texts(&evidence).into_iter().for_each(|text| assert!(text.len() <= 4 * EVIDENCE_LIMIT));
        }
    }
}
