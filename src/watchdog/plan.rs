//! What is to be watched, drawn from the settings once: the routes, their groups, and their places in the cadence.

mod suspects;

use std::collections::{BTreeMap, BTreeSet};

use super::audience::{Listener, listeners};
use super::budget::Limits;
use super::lookup::Lookup;
use super::subjects::Zones;
use super::survival::Prior;
use super::telling::{Telling, tells};
use super::trial::Trying;
use suspects::{days_between_failures, suspects};

use crate::config::{Drill, ExpectedMail, Http, Inbox, Maintenance, Provider, Settings, Signs, Sink};
use crate::model::{At, Culprit, Name, Route, Severity, Span, is_for_everybody, registrable};

/// A culprit of more routes than this has canaries in flight at any time.
const WIDE: usize = 64;
/// Levels at which suspicion asks for more, in nats, of a route that is alone.
const ASKS: [f64; 4] = [2.8, 3.8, 4.6, 5.2];
/// The same in a matrix: four suspects and more share each canary, and routes beside it are heard without being asked.
const ASKS_OF_MANY: [f64; 4] = [4.0, 5.0, 5.5, 6.0];
/// A canary is sent up to this share of a route's place in the round later, so that no two installations beat in time.
const JITTER_DIVISOR: u64 = 4;
/// Nats above the nominal threshold.
const MARGIN: f64 = 0.3;

/// The settings as the stages need them. Holds no state.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) instance: String,
    /// Where people reach the status page.
    pub(super) url: Option<String>,
    /// The time between two routine canaries of a route; where they differ, the shortest.
    pub(super) every: Span,
    pub(super) blind_after: Span,
    pub(super) cut_off_after: Span,
    /// The first reminder of a page; zero: none.
    pub(super) remind_after: Span,
    /// A page waits so long at least, and at most.
    pub(super) hold: (Span, Span),
    /// Sorted.
    pub(super) routes: Vec<RoutePlan>,
    pub(super) providers: BTreeSet<Name>,
    /// Of these, the ones that are no stand-bys.
    in_use: BTreeSet<Name>,
    pub(super) inboxes: BTreeSet<Name>,
    to_inbox: BTreeMap<Name, Vec<usize>>,
    /// The server that each is read at.
    pub(super) servers: BTreeMap<Name, String>,
    /// The address in From that each provider is configured with, in small letters.
    pub(super) senders: BTreeMap<Name, String>,
    /// Whose the domain of each inbox is, where that is not everybody's.
    pub(super) receivers: BTreeMap<Name, String>,
    /// What mail may come, in words.
    pub(super) rules: BTreeSet<String>,
    /// Whose mail of which stream has words that are written here.
    pub(super) written: BTreeSet<(Name, Name)>,
    /// The kind of each provider.
    pub(super) kinds: BTreeMap<Name, &'static str>,
    pub(super) sinks: BTreeMap<Name, Listener>,
    /// Those that are tried now and then.
    pub(super) tries: BTreeMap<Name, Trying>,
    pub(super) maintenance: BTreeMap<Name, Maintenance>,
    pub(super) drills: BTreeMap<Name, Drill>,
    /// Who may be to blame, the most general first; of several that cover the same routes only the first stands here.
    pub(super) suspects: Vec<Suspect>,
    by_culprit: Lookup<Culprit, usize>,
    /// The largest of their weights, as a logarithm.
    pub(super) heavy: f64,
    /// What is believed of latencies before anything is known.
    pub(super) prior: Prior,
    /// The odds of any failure, as a logarithm, at which the verdict changes.
    pub(super) ln_alarm: f64,
    /// The same as evidence against one route, were it alone.
    pub(super) threshold: f64,
    pub(super) false_pages: f64,
    /// Extra canaries, as a share of the routine ones.
    pub(super) confirmations: f64,
    /// Routine canaries a second.
    pub(super) routine: f64,
    pub(super) limits: Limits,
    pub(super) tells: BTreeMap<Name, Telling>,
    /// Whether any provider is asked what became of canaries.
    pub(super) traces_any: bool,
    /// How each provider is asked how its account stands: those that are.
    pub(super) signs: BTreeMap<Name, Signs>,
    /// When what each inbox is logged in to with ends, if that is known.
    pub(super) expires: BTreeMap<Name, At>,
    /// Whose records are watched in the DNS.
    pub(super) zones: Zones,
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
    /// The time between two of its routine canaries.
    pub(super) every: Span,
    /// Its provider is kept warm for a failover.
    pub(super) standby: bool,
    /// An incident of its stream alone is never louder.
    severity: Severity,
    /// Its place in the cadence: how long after the start of each round it is due.
    pub(super) phase: Span,
    /// A canary is sent so much later at most.
    pub(super) jitter: Span,
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
    /// It has routes of stand-by providers alone: nobody is got out of bed for it.
    pub(super) standby: bool,
    /// The loudest that any of its streams may be.
    severity: Severity,
}

impl Suspect {
    /// Whether it is weighed at ticks, and not at every event.
    pub(super) fn is_wide(&self) -> bool {
        self.routes.len() > WIDE
    }

    /// How suspicious a level is: where many canaries are in flight at any time, that alone lifts it.
    pub(super) fn excess(&self, level: f32) -> f64 {
        f64::from(level) - crowd(self.routes.len())
    }
}

/// The nats by which so many routes lift a level that nothing is behind.
fn crowd(routes: usize) -> f64 {
    (routes as f64 / WIDE as f64).ln().max(0.0)
}

impl Plan {
    pub(super) fn new(settings: &Settings) -> Self {
        let providers: BTreeSet<Name> = settings.routes.iter().map(|r| r.provider.clone()).collect();
        let inboxes: BTreeSet<Name> = settings.routes.iter().map(|r| r.inbox.clone()).collect();
        let mut routes = planned_routes(settings, &providers, &inboxes);
        let mut suspects = suspects(&routes, &providers, &inboxes);
        let routine: f64 = routes.iter().map(|r| a_second(r.every)).sum();
        let mut failures_a_day = 0.0;
        for (index, suspect) in suspects.iter_mut().enumerate() {
            let days = days_between_failures(&suspect.culprit);
            failures_a_day += 1.0 / days;
            let own: f64 = suspect.routes.iter().filter_map(|slot| routes.get(*slot)).map(|r| a_second(r.every)).sum();
            suspect.ln_weight = -(own * 86_400.0 * days).ln();
            for route in &suspect.routes {
                if let Some(route) = routes.get_mut(*route) {
                    route.suspects.push(index);
                }
            }
        }
        let mut to_inbox: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
        routes.iter().enumerate().for_each(|(slot, r)| to_inbox.entry(r.route.inbox.clone()).or_default().push(slot));
        let names = |(index, suspect): (usize, &Suspect)| {
            let all: Vec<Culprit> = std::iter::once(&suspect.culprit).chain(&suspect.also).cloned().collect();
            all.into_iter().map(move |culprit| (culprit, index))
        };
        let by_culprit = suspects.iter().enumerate().flat_map(names).collect();
        let (false_pages, confirmations) = (settings.watch.false_pages_per_year.max(1e-9), settings.watch.confirmations);
        // Asking again jumps over plateaus of the evidence, so that a little more costs nothing then.
        let margin = if confirmations > 0.0 { MARGIN } else { 0.0 } + (1.0 + confirmations).ln();
        let asks = if routes.len() > 1 { ASKS_OF_MANY } else { ASKS };
        let every = routes.iter().map(|r| r.every).min().unwrap_or(settings.watch.every);
        Self {
            instance: settings.watch.instance.clone(),
            url: settings.http.as_ref().and_then(Http::url),
            every,
            blind_after: settings.watch.blind_after,
            cut_off_after: settings.watch.cut_off_after,
            remind_after: settings.watch.remind_after,
            hold: (settings.watch.hold_at_least, settings.watch.hold_at_most),
            in_use: routes.iter().filter(|r| !r.standby).map(|r| r.route.provider.clone()).collect(),
            servers: settings.inboxes.iter().map(|(name, inbox)| (name.clone(), inbox.kind.server())).collect(),
            senders: settings.providers.iter().map(|(name, p)| (name.clone(), p.from.address.to_ascii_lowercase())).collect(),
            receivers: receivers(settings),
            rules: settings.expected_mail.iter().map(ExpectedMail::words).collect(),
            kinds: settings.providers.iter().map(|(name, p)| (name.clone(), p.kind.as_str())).collect(),
            written: written(settings),
            sinks: listeners(settings, &routes),
            tries: tries(settings),
            maintenance: settings.maintenance.clone(),
            drills: settings.drills.clone(),
            routes,
            providers,
            inboxes,
            to_inbox,
            heavy: suspects.iter().map(|s| s.ln_weight).fold(f64::NEG_INFINITY, f64::max),
            suspects,
            by_culprit,
            prior: Prior::untaught(),
            ln_alarm: (failures_a_day * 365.25 / false_pages).ln() + margin,
            threshold: (routine * 86_400.0 * 365.25 / false_pages).ln() + margin,
            false_pages,
            confirmations,
            routine,
            limits: Limits::of(settings),
            traces_any: tells(settings).values().any(|telling| telling.asked),
            tells: tells(settings),
            signs: signs(settings),
            expires: expires(settings),
            zones: Zones::of(settings),
            asks,
            grain: Span::from_ms((every.as_ms() / 240).clamp(20, 1000)),
        }
    }

    /// Whether a suspect asks for confirmations at this level.
    pub(super) fn asks_for_any(&self, suspect: &Suspect, level: f32) -> bool {
        let [least, ..] = self.asks;
        suspect.excess(level) >= least
    }

    /// A suspect that asks for none has a level below this.
    pub(super) fn asks_above(&self) -> f64 {
        let [least, ..] = self.asks;
        least + crowd(self.routes.len())
    }

    /// Where `route` stands in [`Plan::routes`].
    pub(super) fn find(&self, route: &Route) -> Option<usize> {
        self.routes.binary_search_by(|r| r.route.cmp(route)).ok()
    }

    /// Where the routes of `provider` stand in [`Plan::routes`].
    pub(super) fn of_provider(&self, provider: &Name) -> std::ops::Range<usize> {
        let first = self.routes.partition_point(|r| r.route.provider < *provider);
        let rest = self.routes.get(first..).unwrap_or_default();
        first..first + rest.partition_point(|r| r.route.provider == *provider)
    }

    /// Where `culprit` stands in [`Plan::suspects`], by any of its names.
    pub(super) fn suspect(&self, culprit: &Culprit) -> Option<usize> {
        self.by_culprit.get(culprit).copied()
    }

    /// The routes to an inbox.
    pub(super) fn routes_to(&self, inbox: &Name) -> &[usize] {
        self.to_inbox.get(inbox).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing that is in use fails with `culprit`, as far as it shows on these routes: a stand-by alone pages nobody.
    pub(super) fn spares(&self, culprit: &Culprit, routes: &[usize]) -> bool {
        self.is_spared(self.suspect(culprit).and_then(|s| self.suspects.get(s)), routes)
    }

    fn is_spared(&self, suspect: Option<&Suspect>, routes: &[usize]) -> bool {
        let on_standby = |slot: &usize| self.routes.get(*slot).is_some_and(|r| r.standby);
        suspect.is_some_and(|s| s.standby) || (!routes.is_empty() && routes.iter().all(on_standby))
    }

    /// The most that a failure of `culprit` can be, as far as it shows on these routes: what its streams are worth, and of stand-bys alone
    /// a warning.
    pub(super) fn loudest(&self, culprit: &Culprit, routes: &[usize]) -> Severity {
        let suspect = self.suspect(culprit).and_then(|s| self.suspects.get(s));
        let of_streams = suspect.map_or(Severity::Page, |s| s.severity);
        if self.is_spared(suspect, routes) { of_streams.min(Severity::Warn) } else { of_streams }
    }

    /// Providers that must all find no network before the watcher has none. A stand-by tries too seldom to be waited for, where two
    /// others tell.
    pub(super) fn providers_that_tell(&self) -> BTreeSet<&Name> {
        let in_use: BTreeSet<&Name> = self.in_use.iter().collect();
        if in_use.len() > 1 { in_use } else { self.providers.iter().collect() }
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
            Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Inbox(_) | Culprit::Path(..) | Culprit::Route(..) => {
                self.suspect(culprit).is_some() || self.routes.iter().any(|r| culprit.covers(&r.route))
            }
        }
    }
}

/// Every route, in its place in the cadence.
fn planned_routes(settings: &Settings, providers: &BTreeSet<Name>, inboxes: &BTreeSet<Name>) -> Vec<RoutePlan> {
    let deadline = |route: &Route| settings.streams.get(&route.stream).map_or(Span::from_secs(900), |s| s.deadline);
    let planned = |route: &Route| RoutePlan {
        route: route.clone(),
        deadline: deadline(route),
        every: settings.every(route),
        standby: settings.is_standby(route),
        severity: settings.streams.get(&route.stream).map_or(Severity::Page, |s| s.severity),
        phase: Span::ZERO,
        jitter: Span::ZERO,
        inbox_at: inboxes.iter().position(|n| *n == route.inbox).unwrap_or(0),
        suspects: Vec::new(),
    };
    let mut routes: Vec<RoutePlan> = settings.routes.iter().map(planned).collect();
    routes.sort_by(|a, b| a.route.cmp(&b.route));
    set_phases(&mut routes, providers, inboxes);
    routes
}

/// Whose the domains of inboxes are.
fn receivers(settings: &Settings) -> BTreeMap<Name, String> {
    let theirs = settings.inboxes.iter().filter(|(_, inbox)| !is_for_everybody(inbox.domain()));
    theirs.map(|(name, inbox)| (name.clone(), registrable(inbox.domain()).to_owned())).collect()
}

/// The sinks that are tried in hours of theirs.
fn tries(settings: &Settings) -> BTreeMap<Name, Trying> {
    let of = |(name, sink): (&Name, &Sink)| Some((name.clone(), Trying::new(sink.try_at.clone()?)));
    settings.sinks.iter().filter_map(of).collect()
}

/// How each provider that canaries are sent through is asked how its account stands, if it is.
fn signs(settings: &Settings) -> BTreeMap<Name, Signs> {
    let used = |name: &Name| settings.routes.iter().any(|route| route.provider == *name);
    let of = |(name, p): (&Name, &Provider)| {
        (p.kind.has_signs() && p.duty.signs.asked && used(name)).then(|| (name.clone(), p.duty.signs.clone()))
    };
    settings.providers.iter().filter_map(of).collect()
}

/// When what each watched inbox is logged in to with ends.
fn expires(settings: &Settings) -> BTreeMap<Name, At> {
    let used = |name: &Name| settings.routes.iter().any(|route| route.inbox == *name);
    let of = |(name, inbox): (&Name, &Inbox)| inbox.kind.expires().filter(|_| used(name)).map(|at| (name.clone(), at));
    settings.inboxes.iter().filter_map(of).collect()
}

/// Canaries a second of a route.
fn a_second(every: Span) -> f64 {
    1.0 / every.as_secs_f64().max(0.001)
}

/// Spreads the routes evenly over a round. Neighbours in time differ in provider and, where there is more than one, in inbox:
/// the matrix is walked along its diagonals. Routes of another cadence have rounds of their own, half a step beside the others.
fn set_phases(routes: &mut [RoutePlan], providers: &BTreeSet<Name>, inboxes: &BTreeSet<Name>) {
    let place = |set: &BTreeSet<Name>, name: &Name| set.iter().position(|n| n == name).unwrap_or(0);
    let width = inboxes.len().max(1);
    let mut order: Vec<(Span, Name, usize, usize, usize)> = routes
        .iter()
        .enumerate()
        .map(|(index, r)| {
            let p = place(providers, &r.route.provider);
            let i = place(inboxes, &r.route.inbox);
            (r.every, r.route.stream.clone(), (i + width - p % width) % width, p, index)
        })
        .collect();
    order.sort();
    let mut beside = Span::ZERO;
    for alike in order.chunk_by(|a, b| a.0 == b.0) {
        let count = u64::try_from(alike.len()).unwrap_or(1);
        for (place, (every, _, _, _, index)) in (0_u64..).zip(alike) {
            if let Some(route) = routes.get_mut(*index) {
                route.phase = beside + every.scaled(place, count);
                route.jitter = every.scaled(1, count.saturating_mul(JITTER_DIVISOR));
            }
        }
        if let Some((every, ..)) = alike.first().filter(|_| beside == Span::ZERO) {
            beside = every.scaled(1, count.saturating_mul(2));
        }
    }
}

/// Whose mail of which stream has words that are written here.
fn written(settings: &Settings) -> BTreeSet<(Name, Name)> {
    let is_ours = |route: &&Route| settings.providers.get(&route.provider).is_some_and(|p| p.is_written_here(&route.stream));
    settings.routes.iter().filter(is_ours).map(|route| (route.provider.clone(), route.stream.clone())).collect()
}
