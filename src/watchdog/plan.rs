//! What is to be watched, drawn from the settings once: the routes, their groups, and their places in the cadence.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Settings;
use crate::model::{Culprit, Name, Route, Severity, Span};

/// The settings as the stages need them. Holds no state.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) instance: String,
    pub(super) every: Span,
    pub(super) blind_after: Span,
    pub(super) cut_off_after: Span,
    /// Sorted.
    pub(super) routes: Vec<RoutePlan>,
    pub(super) providers: BTreeSet<Name>,
    pub(super) inboxes: BTreeSet<Name>,
    pub(super) sinks: BTreeMap<Name, Vec<Severity>>,
    /// Who may be to blame, the most general first; of several that cover the same routes only the first stands here.
    pub(super) suspects: Vec<Suspect>,
}

/// One route.
#[derive(Clone, Debug)]
pub(super) struct RoutePlan {
    pub(super) route: Route,
    pub(super) deadline: Span,
    /// Its place in the cadence: how long after the start of each round it is due.
    pub(super) phase: Span,
}

/// One possible culprit, the routes that it covers, and by what other names it could go.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) culprit: Culprit,
    /// Indices into [`Plan::routes`], sorted.
    pub(super) routes: Vec<usize>,
    /// Culprits that cover exactly the same routes, so that no evidence can tell them apart.
    pub(super) also: Vec<Culprit>,
}

impl Plan {
    pub(super) fn new(settings: &Settings) -> Self {
        let providers: BTreeSet<Name> = settings.routes.iter().map(|r| r.provider.clone()).collect();
        let inboxes: BTreeSet<Name> = settings.routes.iter().map(|r| r.inbox.clone()).collect();
        let deadline = |route: &Route| settings.streams.get(&route.stream).map_or(Span::from_secs(900), |s| s.deadline);
        let mut routes: Vec<RoutePlan> =
            settings.routes.iter().map(|route| RoutePlan { route: route.clone(), deadline: deadline(route), phase: Span::ZERO }).collect();
        routes.sort_by(|a, b| a.route.cmp(&b.route));
        set_phases(&mut routes, &providers, &inboxes, settings.watch.every);
        let suspects = suspects(&routes, &providers, &inboxes);
        Self {
            instance: settings.watch.instance.clone(),
            every: settings.watch.every,
            blind_after: settings.watch.blind_after,
            cut_off_after: settings.watch.cut_off_after,
            routes,
            providers,
            inboxes,
            sinks: settings.sinks.iter().map(|(name, sink)| (name.clone(), sink.severities.clone())).collect(),
            suspects,
        }
    }

    /// Where `route` stands in [`Plan::routes`].
    pub(super) fn find(&self, route: &Route) -> Option<usize> {
        self.routes.binary_search_by(|r| r.route.cmp(route)).ok()
    }

    /// Whether `culprit` still has anything to do with what is watched.
    pub(super) fn knows(&self, culprit: &Culprit) -> bool {
        match culprit {
            Culprit::Watcher {} => true,
            Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Inbox(_) | Culprit::Route(..) => {
                self.routes.iter().any(|r| culprit.covers(&r.route))
            }
        }
    }
}

/// Spreads the routes evenly over a round. Neighbours in time differ in provider and, where there is more than one, in inbox:
/// the matrix is walked along its diagonals.
fn set_phases(routes: &mut [RoutePlan], providers: &BTreeSet<Name>, inboxes: &BTreeSet<Name>, every: Span) {
    let place = |set: &BTreeSet<Name>, name: &Name| set.iter().position(|n| n == name).unwrap_or(0);
    let width = inboxes.len().max(1);
    let mut order: Vec<(Name, usize, usize, usize)> = routes
        .iter()
        .enumerate()
        .map(|(index, r)| {
            let p = place(providers, &r.route.provider);
            let i = place(inboxes, &r.route.inbox);
            (r.route.stream.clone(), (i + width - p % width) % width, p, index)
        })
        .collect();
    order.sort();
    let count = u64::try_from(order.len()).unwrap_or(1);
    for (place, (_, _, _, index)) in (0_u64..).zip(order) {
        if let Some(route) = routes.get_mut(index) {
            route.phase = every.scaled(place, count);
        }
    }
}

/// Everything that could be to blame, by the order in which names are preferred. The watcher needs two of each to be told from the rest.
fn suspects(routes: &[RoutePlan], providers: &BTreeSet<Name>, inboxes: &BTreeSet<Name>) -> Vec<Suspect> {
    let mut all: Vec<Culprit> = Vec::new();
    if providers.len() > 1 && inboxes.len() > 1 {
        all.push(Culprit::Watcher {});
    }
    all.extend(providers.iter().cloned().map(Culprit::Provider));
    all.extend(inboxes.iter().cloned().map(Culprit::Inbox));
    let streams: BTreeSet<(Name, Name)> = routes.iter().map(|r| (r.route.provider.clone(), r.route.stream.clone())).collect();
    all.extend(streams.into_iter().map(|(p, s)| Culprit::Stream(p, s)));
    all.extend(routes.iter().map(|r| Culprit::Route(r.route.provider.clone(), r.route.stream.clone(), r.route.inbox.clone())));
    let mut by_cover: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut kept: Vec<Suspect> = Vec::new();
    for culprit in all {
        let cover: Vec<usize> = routes.iter().enumerate().filter(|(_, r)| culprit.covers(&r.route)).map(|(i, _)| i).collect();
        if let Some(first) = by_cover.get(&cover).and_then(|at| kept.get_mut(*at)) {
            first.also.push(culprit);
        } else {
            by_cover.insert(cover.clone(), kept.len());
            kept.push(Suspect { culprit, routes: cover, also: Vec::new() });
        }
    }
    kept
}
