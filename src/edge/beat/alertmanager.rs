//! Prometheus Alertmanager: an alert `Watchdog` that fires for as long as it is sent again.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use futures::future::BoxFuture;

use super::{BeatError, Proof, Service, Tools};
use crate::config::AlertmanagerBeat;
use crate::edge::notify::{Alert, Attempt, Instances};
use crate::model::{At, Span};

/// So many beats in a row may be lost before the alert ends, as Prometheus has it.
const BEATS: u64 = 4;

/// The alert, at all instances.
#[derive(Debug)]
pub(super) struct Watchdog {
    instances: Instances,
    every: Span,
    labels: BTreeMap<&'static str, String>,
    summary: String,
    /// When this process first sent it.
    began: OnceLock<At>,
}

impl Watchdog {
    pub(super) fn new(settings: &AlertmanagerBeat, every: Span, tools: &Tools<'_>) -> Result<Self, BeatError> {
        let instances = Instances::new(&settings.urls, &tools.http()?).map_err(|why| BeatError::Url(tools.name.clone(), why))?;
        let labels = BTreeMap::from([
            ("alertname", "Watchdog".to_owned()),
            ("instance", tools.instance.to_owned()),
            ("job", "mailcanary".to_owned()),
            ("severity", "none".to_owned()),
        ]);
        let summary = format!("{} works. This alert always fires; that it ends is the alarm.", tools.words());
        Ok(Self { instances, every, labels, summary, began: OnceLock::new() })
    }

    async fn post(&self, proof: &Proof, now: At) -> Attempt {
        let annotations = BTreeMap::from([
            ("summary", self.summary.clone()),
            ("description", format!("ledger written {}, inbox read {}", proof.written, proof.read)),
        ]);
        let starts_at = *self.began.get_or_init(|| proof.at);
        let alert = Alert { labels: self.labels.clone(), annotations, starts_at, ended: None, link: None };
        // Counted from the proof: a beat that is late does not make the alert outlive its cycle.
        let ends_at = proof.at.plus(self.every.scaled(BEATS, 1));
        self.instances.push_all(Alert::post(&[alert], ends_at), now).await
    }
}

impl Service for Watchdog {
    fn beat<'a>(&'a self, proof: &'a Proof, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.post(proof, now))
    }
}
