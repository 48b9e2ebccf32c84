//! Whoever could be to blame, by the matrix.

use std::collections::{BTreeMap, BTreeSet};

use super::{RoutePlan, Suspect};
use crate::model::{Culprit, Name, Route, Severity};

/// Everything that could be to blame, by the order in which names are preferred. The watcher needs two of each to be told from the rest.
pub(super) fn suspects(routes: &[RoutePlan], providers: &BTreeSet<Name>, inboxes: &BTreeSet<Name>) -> Vec<Suspect> {
    let mut ranked: BTreeMap<(u8, Culprit), Vec<usize>> = BTreeMap::new();
    // The silence of stand-bys alone is no inbox's fault: nobody in use is there to tell.
    let in_use: BTreeSet<&Name> = routes.iter().filter(|r| !r.standby).map(|r| &r.route.inbox).collect();
    let told: BTreeSet<&Name> = if in_use.is_empty() { inboxes.iter().collect() } else { in_use };
    for (index, planned) in routes.iter().enumerate() {
        let Route { provider, stream, inbox } = planned.route.clone();
        let named = [
            Culprit::Provider(provider.clone()),
            Culprit::Inbox(inbox.clone()),
            Culprit::Stream(provider.clone(), stream.clone()),
            Culprit::Route(provider.clone(), stream, inbox.clone()),
            Culprit::Path(provider, inbox),
        ];
        if providers.len() > 1 && inboxes.len() > 1 {
            ranked.entry((0, Culprit::Watcher {})).or_default().push(index);
        }
        for (rank, culprit) in (1_u8..).zip(named) {
            if matches!(&culprit, Culprit::Inbox(name) if !told.contains(name)) {
                continue;
            }
            ranked.entry((rank, culprit)).or_default().push(index);
        }
    }
    let mut by_cover: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut kept: Vec<Suspect> = Vec::new();
    for ((_, culprit), cover) in ranked {
        if let Some(first) = by_cover.get(&cover).and_then(|at| kept.get_mut(*at)) {
            // A path of one route, or of all of an inbox's, is no name of its own.
            first.also.extend(Some(culprit).filter(|culprit| !matches!(culprit, Culprit::Path(..))));
        } else {
            by_cover.insert(cover.clone(), kept.len());
            let mine = || cover.iter().filter_map(|slot| routes.get(*slot));
            let (standby, severity) = (mine().all(|r| r.standby), mine().map(|r| r.severity).max().unwrap_or(Severity::Page));
            kept.push(Suspect { culprit, routes: cover, also: Vec::new(), ln_weight: 0.0, standby, severity });
        }
    }
    kept
}

/// How often each kind of culprit fails: a failure in so many days.
pub(super) const fn days_between_failures(culprit: &Culprit) -> f64 {
    match culprit {
        Culprit::Watcher {} | Culprit::Provider(_) | Culprit::Inbox(_) => 60.0,
        Culprit::Stream(..) => 90.0,
        Culprit::Path(..) | Culprit::Route(..) => 180.0,
    }
}
