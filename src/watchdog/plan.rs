//! What is to be watched, drawn from the settings once: the routes, their groups, and their places in the cadence.

use std::collections::{BTreeMap, BTreeSet};

use super::survival::Prior;
use crate::config::Settings;
use crate::model::{Culprit, Name, Route, Severity, Span};

/// A culprit of more routes than this has canaries in flight at any time.
const WIDE: usize = 64;
/// Levels at which suspicion asks for more, in nats, of a route that is alone.
const ASKS: [f64; 4] = [2.8, 3.8, 4.6, 5.2];
/// The same in a matrix: four suspects and more share each canary, and routes beside it are heard without being asked.
const ASKS_OF_MANY: [f64; 4] = [4.0, 5.0, 5.5, 6.0];
/// Nats above the nominal threshold.
const MARGIN: f64 = 0.3;

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
    by_culprit: BTreeMap<Culprit, usize>,
    /// What is believed of latencies before anything is known.
    pub(super) prior: Prior,
    /// The odds of any failure, as a logarithm, at which the verdict changes.
    pub(super) ln_alarm: f64,
    /// The same as evidence against one route, were it alone.
    pub(super) threshold: f64,
    pub(super) false_pages: f64,
    /// Extra canaries, as a share of the routine ones.
    pub(super) confirmations: f64,
    /// Levels of a suspect's evidence, in nats, at which more is asked for.
    pub(super) asks: [f64; 4],
    /// Canaries of one suspect sent within this time are one step of its evidence.
    pub(super) grain: Span,
}

/// One route.
#[derive(Clone, Debug)]
pub(super) struct RoutePlan {
    pub(super) route: Route,
    pub(super) deadline: Span,
    /// Its place in the cadence: how long after the start of each round it is due.
    pub(super) phase: Span,
    /// Where its inbox stands in [`Plan::inboxes`].
    pub(super) inbox_at: usize,
    /// Indices into [`Plan::suspects`] of all that cover it.
    pub(super) suspects: Vec<usize>,
}

/// One possible culprit, the routes that it covers, and by what other names it could go.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) culprit: Culprit,
    /// Indices into [`Plan::routes`], sorted.
    pub(super) routes: Vec<usize>,
    /// Culprits that cover exactly the same routes, so that no evidence can tell them apart.
    pub(super) also: Vec<Culprit>,
    /// The logarithm of the chance that it begins to fail between two of its own canaries.
    pub(super) ln_weight: f64,
}

impl Suspect {
    /// Whether it is weighed at ticks, and not at every event.
    pub(super) fn is_wide(&self) -> bool {
        self.routes.len() > WIDE
    }
}

impl Plan {
    pub(super) fn new(settings: &Settings) -> Self {
        let providers: BTreeSet<Name> = settings.routes.iter().map(|r| r.provider.clone()).collect();
        let inboxes: BTreeSet<Name> = settings.routes.iter().map(|r| r.inbox.clone()).collect();
        let deadline = |route: &Route| settings.streams.get(&route.stream).map_or(Span::from_secs(900), |s| s.deadline);
        let mut routes: Vec<RoutePlan> = settings
            .routes
            .iter()
            .map(|route| RoutePlan {
                route: route.clone(),
                deadline: deadline(route),
                phase: Span::ZERO,
                inbox_at: 0,
                suspects: Vec::new(),
            })
            .collect();
        routes.sort_by(|a, b| a.route.cmp(&b.route));
        set_phases(&mut routes, &providers, &inboxes, settings.watch.every);
        for route in &mut routes {
            route.inbox_at = inboxes.iter().position(|n| *n == route.route.inbox).unwrap_or(0);
        }
        let mut suspects = suspects(&routes, &providers, &inboxes);
        let every = settings.watch.every.as_secs_f64().max(0.001);
        let mut failures_a_day = 0.0;
        for (index, suspect) in suspects.iter_mut().enumerate() {
            let days = days_between_failures(&suspect.culprit);
            failures_a_day += 1.0 / days;
            suspect.ln_weight = (every / 86_400.0 / days / suspect.routes.len() as f64).ln();
            for route in &suspect.routes {
                if let Some(route) = routes.get_mut(*route) {
                    route.suspects.push(index);
                }
            }
        }
        let names = |(index, suspect): (usize, &Suspect)| {
            let all: Vec<Culprit> = std::iter::once(&suspect.culprit).chain(&suspect.also).cloned().collect();
            all.into_iter().map(move |culprit| (culprit, index))
        };
        let by_culprit = suspects.iter().enumerate().flat_map(names).collect();
        let (false_pages, confirmations) = (settings.watch.false_pages_per_year.max(1e-9), settings.watch.confirmations);
        // Asking again jumps over plateaus of the evidence, so that a little more costs nothing then.
        let margin = if confirmations > 0.0 { MARGIN } else { 0.0 } + (1.0 + confirmations).ln();
        let asks = if routes.len() > 1 { ASKS_OF_MANY } else { ASKS };
        let canaries_a_day = routes.len() as f64 * 86_400.0 / every;
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
            by_culprit,
            prior: Prior::untaught(),
            ln_alarm: (failures_a_day * 365.25 / false_pages).ln() + margin,
            threshold: (canaries_a_day * 365.25 / false_pages).ln() + margin,
            false_pages,
            confirmations,
            asks,
            grain: Span::from_ms((settings.watch.every.as_ms() / 240).clamp(20, 1000)),
        }
    }

    /// Where `route` stands in [`Plan::routes`].
    pub(super) fn find(&self, route: &Route) -> Option<usize> {
        self.routes.binary_search_by(|r| r.route.cmp(route)).ok()
    }

    /// Where `culprit` stands in [`Plan::suspects`], by any of its names.
    pub(super) fn suspect(&self, culprit: &Culprit) -> Option<usize> {
        self.by_culprit.get(culprit).copied()
    }

    /// Whether two suspects have a route in common.
    pub(super) fn overlap(&self, a: usize, b: usize) -> bool {
        let (Some(first), Some(second)) = (self.suspects.get(a), self.suspects.get(b)) else { return false };
        let (small, large) = if first.routes.len() <= second.routes.len() { (first, b) } else { (second, a) };
        small.routes.iter().filter_map(|r| self.routes.get(*r)).any(|r| r.suspects.contains(&large))
    }

    /// Whether every route of `small` is one of `large`.
    pub(super) fn within(&self, small: usize, large: usize) -> bool {
        self.suspects.get(small).is_some_and(|s| s.routes.iter().filter_map(|r| self.routes.get(*r)).all(|r| r.suspects.contains(&large)))
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
    let mut ranked: BTreeMap<(u8, Culprit), Vec<usize>> = BTreeMap::new();
    for (index, planned) in routes.iter().enumerate() {
        let Route { provider, stream, inbox } = planned.route.clone();
        let named = [
            Culprit::Provider(provider.clone()),
            Culprit::Inbox(inbox.clone()),
            Culprit::Stream(provider.clone(), stream.clone()),
            Culprit::Route(provider, stream, inbox),
        ];
        if providers.len() > 1 && inboxes.len() > 1 {
            ranked.entry((0, Culprit::Watcher {})).or_default().push(index);
        }
        for (rank, culprit) in (1_u8..).zip(named) {
            ranked.entry((rank, culprit)).or_default().push(index);
        }
    }
    let mut by_cover: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut kept: Vec<Suspect> = Vec::new();
    for ((_, culprit), cover) in ranked {
        if let Some(first) = by_cover.get(&cover).and_then(|at| kept.get_mut(*at)) {
            first.also.push(culprit);
        } else {
            by_cover.insert(cover.clone(), kept.len());
            kept.push(Suspect { culprit, routes: cover, also: Vec::new(), ln_weight: 0.0 });
        }
    }
    kept
}

/// How often each kind of culprit fails: a failure in so many days.
const fn days_between_failures(culprit: &Culprit) -> f64 {
    match culprit {
        Culprit::Watcher {} | Culprit::Provider(_) | Culprit::Inbox(_) => 60.0,
        Culprit::Stream(..) => 90.0,
        Culprit::Route(..) => 180.0,
    }
}
