//! Plays a scenario many times: with its failures, and for quiet years.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::figures::{Healthy, Learnt, Run};
use super::scenario::Scenario;
use super::trouble::Trouble;
use super::world::{Flight, Observing, START, Seen, Watching, World};
use crate::model::{At, Change, Culprit, IncidentId, Kind, Notice, Severity, Span};
use crate::sandbox::chance::Chance;

/// Runs that share what was learnt before them.
const SHARED: u64 = 10;
/// Of how many routes it is kept what was learnt, where no failure says which.
const ROUTES_SHOWN: usize = 16;
/// Blame is looked at this long after the first notice.
const SOON: Span = Span::from_secs(30);
/// A quarter of a year.
const QUARTER: Span = Span::from_secs(91 * 86_400 + 27_000);
/// A year, in seconds.
const YEAR_SECS: f64 = 365.25 * 86_400.0;

/// In so many pieces a quiet year is played and told of: one takes as long as a few runs.
const PIECES: u64 = 100;

/// Told of how far it is: what is done, of how much.
pub type Progress<'p> = &'p (dyn Fn(u64, u64) + Sync);

/// Everything that was played.
#[derive(Debug, Default)]
pub struct Study<O> {
    /// Each run with the failures, and the canaries that were sent since it began to fail… and before.
    pub runs: Vec<(Run, Story)>,
    /// The quiet years together.
    pub healthy: Healthy,
    /// What each quiet year's observer saw.
    pub observers: Vec<O>,
    /// What each watcher had learnt before the failures, of the routes that they touch; or without failures, when its quiet year was over.
    pub learnt: Vec<Learnt>,
}

/// What somebody else could have decided by.
#[derive(Clone, Debug)]
pub struct Story {
    /// Every canary, in the order of sending.
    pub flights: Vec<Flight>,
    /// When the first failure began.
    pub onset: At,
    /// When it was not watched any more.
    pub end: At,
}

/// Plays all of it, on all processors. `watcher` makes a new one, by its seed.
pub fn study<W, O>(
    scenario: &Scenario,
    watcher: &(dyn Fn() -> W + Sync),
    observer: &(dyn Fn() -> O + Sync),
    progress: Progress<'_>,
) -> Study<O>
where
    W: Watching + Clone + Send,
    O: Observing + Send,
{
    let (batches, parts) = (scenario.batches(), scenario.parts());
    let jobs = scenario.runs.quiet + batches;
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let told = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, parts);
    let touched = scenario.touched();
    let watched = if touched.is_empty() { (0..scenario.routes.len()).take(ROUTES_SHOWN).collect() } else { touched };
    let found: Mutex<Vec<Part<O>>> = Mutex::new(Vec::new());
    let work = || {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            // Quiet years take longest: they come first.
            let result = match job.checked_sub(scenario.runs.quiet) {
                None => {
                    let (healthy, world) = quiet_year(scenario, job, watcher(), observer(), &told);
                    let learnt = if batches == 0 { world.learnt(&watched) } else { Vec::new() };
                    (Found::Quiet(healthy, world.observer), learnt)
                }
                Some(batch) => {
                    let (runs, learnt) = batch_of(scenario, batch, watcher(), &watched);
                    told();
                    (Found::Runs(runs), learnt)
                }
            };
            if let Ok(mut found) = found.lock() {
                found.push((job, result));
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(job, _)| *job);
    let mut study = Study { runs: Vec::new(), healthy: Healthy::default(), observers: Vec::new(), learnt: Vec::new() };
    for (_, (part, learnt)) in found {
        study.learnt.extend(learnt);
        match part {
            Found::Quiet(healthy, observer) => {
                study.healthy = study.healthy.and(healthy);
                study.observers.push(observer);
            }
            Found::Runs(runs) => study.runs.extend(runs),
        }
    }
    study
}

impl Scenario {
    /// In how many parts it is played; each is told to [`Progress`].
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.batches() + self.runs.quiet * PIECES
    }

    fn batches(&self) -> u64 {
        if self.failures.is_empty() { 0 } else { self.runs.count.div_ceil(SHARED) }
    }
}

/// Its number, what was found, and what the watcher had learnt.
type Part<O> = (u64, (Found<O>, Vec<Learnt>));

enum Found<O> {
    Quiet(Healthy, O),
    Runs(Vec<(Run, Story)>),
}

/// One quiet year from a cold start.
pub fn quiet<W: Watching, O: Observing>(scenario: &Scenario, number: u64, watcher: W, observer: O) -> (Healthy, World<W, O>) {
    quiet_year(scenario, number, watcher, observer, &|| {})
}

/// The same, which is told of piece by piece.
fn quiet_year<W: Watching, O: Observing>(
    scenario: &Scenario,
    number: u64,
    watcher: W,
    observer: O,
    told: &dyn Fn(),
) -> (Healthy, World<W, O>) {
    let seed = Chance::of(scenario.runs.seed, "quiet", number, "seed").bits();
    let mut world = World::new(scenario.routes.clone(), scenario.climate.clone(), seed, watcher, observer);
    let end = START.plus(scenario.runs.quiet_lasts);
    let mut healthy = Healthy { years: scenario.runs.quiet_lasts.as_secs_f64() / YEAR_SECS, ..Healthy::default() };
    let quarter = START.plus(QUARTER).min(end);
    for piece in 1..=PIECES {
        let until = START.plus(scenario.runs.quiet_lasts.scaled(piece, PIECES));
        if world.now() < quarter && until >= quarter {
            world.run_until(quarter);
            healthy.pages_in_first_quarter = pages(&world.seen.notices).count() as u64;
        }
        world.run_until(until.min(end));
        told();
    }
    let Seen { notices, routine, confirmations, events } = std::mem::take(&mut world.seen);
    healthy.pages = pages(&notices).count() as u64;
    healthy.incidents = notices.iter().filter(|(_, n)| n.change == Change::Opened).count() as u64;
    (healthy.routine, healthy.confirmations, healthy.events) = (routine, confirmations, events);
    (healthy, world)
}

/// Runs that share what was learnt before them.
fn batch_of<W: Watching + Clone>(
    scenario: &Scenario,
    batch: u64,
    watcher: W,
    watched: &BTreeSet<usize>,
) -> (Vec<(Run, Story)>, Vec<Learnt>) {
    let seed = Chance::of(scenario.runs.seed, "batch", batch, "seed").bits();
    let mut world = World::new(scenario.routes.clone(), scenario.climate.clone(), seed, watcher, Vec::<Flight>::new());
    world.run_until(START.plus(scenario.runs.learn));
    let first = batch * SHARED;
    let runs = (first..(first + SHARED).min(scenario.runs.count)).map(|number| run(&world, scenario, number)).collect();
    (runs, world.learnt(watched))
}

/// One run: the world goes on from here, and the failures begin.
pub fn run<W: Watching + Clone>(learnt: &World<W, Vec<Flight>>, scenario: &Scenario, number: u64) -> (Run, Story) {
    let mut chance = Chance::of(scenario.runs.seed, "run", number, "onset");
    let mut world = learnt.clone();
    world.reseed(chance.bits());
    let onset = world.now().plus(Span::from_ms((scenario.every.as_ms() as f64 * chance.unit()) as u64));
    world.run_until(onset);
    let spoilt = !open(&world.seen.notices, onset).is_empty();
    world.seen = Seen::default();
    let mut last = onset;
    for failure in &scenario.failures {
        let from = onset.plus(failure.after);
        let until = from.plus(failure.lasts);
        last = last.max(until);
        world.trouble(Trouble { from, until, harm: failure.harm.clone() });
    }
    let end = last.plus(scenario.runs.watch);
    world.run_until(end);
    let notices = std::mem::take(&mut world.seen.notices);
    let told = notices.iter().find(|(_, n)| is_of_delivery(n.kind) && n.change != Change::Resolved).map(|(at, _)| *at);
    let paged = pages(&notices).next().map(|(at, _)| *at);
    let soon = told.map(|at| at.plus(SOON));
    let begun = |at: At| scenario.failures.iter().filter(move |f| f.harm.is_of_mail() && onset.plus(f.after) <= at);
    let right = |at: At| {
        let blamed = open(&notices, at);
        let expected: Vec<Culprit> = begun(at).map(|f| f.harm.culprit()).collect();
        let same = |a: &Culprit, b: &Culprit| scenario.routes.iter().all(|r| a.covers(r) == b.covers(r));
        blamed.iter().all(|(b, _)| expected.iter().any(|e| same(e, b))) && expected.iter().all(|e| blamed.iter().any(|(b, _)| same(e, b)))
    };
    let resolved = notices.iter().map(|(at, _)| *at).chain([last]).find(|at| *at >= last && open(&notices, *at).is_empty());
    let failing = |at: &At| *at < last;
    let resolved_early =
        notices.iter().filter(|(at, n)| failing(at) && n.change == Change::Resolved).any(|(at, _)| open(&notices, *at).is_empty());
    let run = Run {
        told_after: told.map(|at| at.since(onset)),
        paged_after: paged.map(|at| at.since(onset)),
        right_at_once: told.is_some_and(right),
        right_soon: soon.is_some_and(right),
        blamed: soon.map_or_else(Vec::new, |at| open(&notices, at)),
        pages: pages(&notices).count() as u64,
        resolved_after: resolved.map(|at| at.since(last)),
        resolved_early,
        spoilt,
        extra: (world.seen.confirmations, world.seen.confirmations + world.seen.routine),
    };
    (run, Story { flights: world.observer, onset, end })
}

fn is_of_delivery(kind: Kind) -> bool {
    kind.is_delivery()
}

/// Notices by which somebody is paged: an incident becomes a page.
fn pages(notices: &[(At, Notice)]) -> impl Iterator<Item = &(At, Notice)> {
    let mut paging: Vec<IncidentId> = Vec::new();
    notices.iter().filter(move |(_, n)| {
        if n.change == Change::Resolved || n.severity != Severity::Page {
            paging.retain(|id| n.change != Change::Resolved || *id != n.incident);
            return false;
        }
        let first = !paging.contains(&n.incident);
        if first {
            paging.push(n.incident);
        }
        first
    })
}

/// Whom the open incidents about delivery blame at `at`.
fn open(notices: &[(At, Notice)], at: At) -> Vec<(Culprit, Kind)> {
    let mut open: Vec<(IncidentId, Culprit, Kind)> = Vec::new();
    for (_, notice) in notices.iter().take_while(|(told, _)| *told <= at).filter(|(_, n)| is_of_delivery(n.kind)) {
        open.retain(|(id, ..)| *id != notice.incident);
        if notice.change != Change::Resolved {
            open.push((notice.incident, notice.culprit.clone(), notice.kind));
        }
    }
    let mut blamed: Vec<(Culprit, Kind)> = open.into_iter().map(|(_, culprit, kind)| (culprit, kind)).collect();
    blamed.sort();
    blamed
}
