//! How it is going.

use schemars::JsonSchema;
use serde::Serialize;

use super::word::time;
use super::{Time, Verdict};
use crate::edge::show::{health, page};
use crate::model::{self, Loaded};
use crate::watchdog::View;

/// How it is going, in one sentence and in numbers.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Status {
    as_of: Time,
    /// The installation's name.
    instance: String,
    /// Of mailcanary.
    version: &'static str,
    /// Where people reach the status page.
    url: Option<String>,
    /// Since when is counted.
    began_at: Time,
    /// The worst of what is known.
    tone: Verdict,
    /// The same for people.
    sentence: String,
    /// The schedule runs, and every inbox was tried once.
    ready: bool,
    /// Why it is not.
    not_ready: Option<String>,
    /// What keeps the watchdog itself from working.
    trouble: Option<String>,
    /// Since when the watcher has had no network.
    cut_off_since: Option<Time>,
    /// What is waited for next.
    next: Option<Next>,
    /// The evidence at which a verdict changes.
    suspicion_threshold_nats: f64,
    /// Canaries that are being handed over to their providers.
    submissions_in_progress: u64,
    routes: Tally,
    open_incidents: Open,
}

/// What is waited for next, for people.
#[derive(Debug, Serialize, JsonSchema)]
struct Next {
    at: Time,
    what: String,
}

/// Routes, by verdict.
#[derive(Debug, Serialize, JsonSchema)]
struct Tally {
    delivering: usize,
    degraded: usize,
    stopped: usize,
    unknown: usize,
}

/// Open incidents, by severity.
#[derive(Debug, Serialize, JsonSchema)]
struct Open {
    page: usize,
    warn: usize,
    info: usize,
}

/// How the running configuration stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Configuration {
    as_of: Time,
    /// When it was taken over.
    loaded_at: Option<Time>,
    /// The newest try to take over another one, if that was refused.
    refused: Option<Refused>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Refused {
    at: Time,
    /// Every complaint. Holds no secret.
    complaints: Vec<String>,
}

impl Status {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let (tone, sentence) = page::sentence(view);
        let not_ready = health::ready(view).err();
        let routes = |wanted| view.routes.iter().filter(|route| route.verdict == wanted).count();
        let open = |wanted| view.incidents.iter().filter(|i| i.resolved_at.is_none() && i.severity == wanted).count();
        Self {
            as_of: view.at.into(),
            instance: view.instance.clone(),
            version: env!("CARGO_PKG_VERSION"),
            url: view.url.clone(),
            began_at: view.began.into(),
            tone: tone.into(),
            sentence,
            ready: not_ready.is_none(),
            not_ready,
            trouble: view.trouble.clone(),
            cut_off_since: time(view.cut_off_since),
            next: view.next.as_ref().map(|(at, what)| Next { at: (*at).into(), what: what.clone() }),
            suspicion_threshold_nats: view.suspicion_threshold,
            submissions_in_progress: view.submissions,
            routes: Tally {
                delivering: routes(model::Verdict::Delivering),
                degraded: routes(model::Verdict::Degraded),
                stopped: routes(model::Verdict::Stopped),
                unknown: routes(model::Verdict::Unknown),
            },
            open_incidents: Open {
                page: open(model::Severity::Page),
                warn: open(model::Severity::Warn),
                info: open(model::Severity::Info),
            },
        }
    }
}

impl Configuration {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let Loaded { at, file: _, refused } = &view.configuration;
        let refused = refused.as_ref().map(|refused| Refused { at: refused.at.into(), complaints: refused.complaints.clone() });
        Self { as_of: view.at.into(), loaded_at: time(*at), refused }
    }
}
