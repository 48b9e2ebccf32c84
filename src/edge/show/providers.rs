//! `GET /api/v1/providers`: which provider is healthy, for an application's own failover.

use serde::Serialize;

use crate::model::{Name, Verdict};
use crate::watchdog::View;

/// The answer.
#[derive(Serialize)]
pub(super) struct Providers<'a> {
    as_of: String,
    providers: Vec<Provider<'a>>,
}

#[derive(Serialize)]
struct Provider<'a> {
    name: &'a Name,
    /// False while mail through it is known to be lost, late or in the wrong place. What we cannot see is no reason to leave a provider.
    healthy: bool,
    verdict: Verdict,
    reason: &'a str,
}

impl<'a> Providers<'a> {
    pub(super) fn new(view: &'a View) -> Self {
        let healthy = |verdict| matches!(verdict, Verdict::Delivering | Verdict::Unknown);
        let provider = |party: &'a crate::watchdog::PartyView| Provider {
            name: &party.name,
            healthy: healthy(party.verdict),
            verdict: party.verdict,
            reason: &party.reason,
        };
        Self { as_of: view.at.rfc3339(), providers: view.providers.iter().map(provider).collect() }
    }
}
