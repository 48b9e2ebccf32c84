//! What the loop asks of the watchdog besides its view: what of a canary or an inbox is still waited for.

use super::{Watchdog, canary};
use crate::model::{CanaryId, Name, Topic};

impl Watchdog {
    /// Canaries that were recorded and never answered: after a restart their fate is unknown.
    #[must_use]
    pub fn unanswered(&self) -> Vec<CanaryId> {
        let open = |c: &&canary::Canary| c.outcome().is_none() && c.in_flight() && !c.is_set_aside();
        self.state.routes.iter().flat_map(|r| r.canaries.iter().filter(open).map(|c| r.id(c.serial))).collect()
    }

    /// Where the reader of an inbox stood.
    #[must_use]
    pub fn cursor(&self, inbox: &Name) -> Option<&str> {
        self.state.inboxes.get(inbox)?.cursor.as_deref()
    }

    /// Whether this canary was called lost.
    #[must_use]
    pub fn has_missed(&self, canary: CanaryId) -> bool {
        self.state.canary(&self.ix, canary).is_some_and(|(_, canary)| canary.is_lost())
    }

    /// Canaries that have not arrived, each with its provider and its provider's id for it, where one tells by itself what became of them.
    pub fn message_ids(&self) -> impl Iterator<Item = (&Name, &str, CanaryId)> {
        let hooked = self.state.routes.iter().filter(|r| self.plan.is_hooked(&r.route.provider));
        hooked
            .flat_map(move |r| r.canaries.iter().filter_map(move |c| Some((&r.route.provider, r.canaries.message_id(c)?, r.id(c.serial)))))
    }

    /// Where mail for domains goes, as their MX records are written down.
    pub fn exchangers(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_mx = self.state.dns.subjects.iter().filter(|(subject, _)| subject.topic == Topic::Mx);
        of_mx.filter_map(|(subject, known)| Some((subject.name.as_str(), known.usual.as_ref()?.text.as_str())))
    }

    /// Whether canaries to this inbox are on their way.
    #[must_use]
    pub fn expects(&self, inbox: &Name) -> bool {
        let mut routes = self.plan.routes_to(inbox).iter().filter_map(|slot| self.state.routes.get(*slot));
        routes.any(|r| r.in_flight().next().is_some())
    }
}
