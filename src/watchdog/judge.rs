//! The judge: what is wrong, and whose fault it is. A pure function of the state and the time.
//!
//! Every canary has a time of its own by which it should have come (its *patience*: three times what nearly all mail of the route takes).
//! What is older than that, by the inbox's horizon and never by the clock, is overdue. Overdue and refused canaries are counted in a row,
//! in the order of sending; rows are laid over the matrix, and the smallest set of culprits that explains them is named.

use super::evidence::{self, Tally};
use super::plan::{Plan, Suspect};
use super::state::State;
use crate::model::{At, Class, Culprit, Kind, Name, Severity, Span};

/// So many canaries in a row, pooled over a culprit's routes, are a stop. At the cadence and the losses of `Honest numbers` four in a
/// row come by chance less than once a year (0.2 % lost, 3 % greylisted: the best static rule measured has N = 4).
pub(super) const ENOUGH: u64 = 4;
/// So many of the last [`evidence::WINDOW`] are a loss: seven of twenty.
const LOSS_AT_LEAST: u64 = 7;
/// And this share of all that the culprit's routes sent lately, in per cent.
const LOSS_SHARE: u64 = 20;
/// A loss of this share pages instead of warning, in per cent.
const LOSS_PAGES: u64 = 50;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) culprit: Culprit,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    /// The class of a refusal.
    pub(super) class: Option<Class>,
    /// Routes that show it.
    pub(super) routes: Vec<usize>,
    /// Names that the same evidence would bear.
    pub(super) also: Vec<Culprit>,
}

/// All that is wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Assessment {
    pub(super) findings: Vec<Finding>,
    /// One for each route of the plan.
    pub(super) tallies: Vec<Tally>,
    /// The next instant at which time alone changes the picture, if inboxes have been read by then.
    pub(super) again_at: Option<At>,
    /// Inboxes in which something is overdue by the clock, but not yet by what was read of them.
    pub(super) look: Vec<Name>,
}

/// Weighs everything.
pub(super) fn assess(plan: &Plan, state: &State, now: At) -> Assessment {
    let tallies: Vec<Tally> = evidence::tally_all(plan, state);
    let mut findings = refusals(plan, &tallies);
    let dark = darkness(plan, state, &tallies, &findings);
    findings.extend(dark);
    findings.extend(drifts(plan, state, &tallies, Kind::Slow, |t| (t.slow, t.slow_perhaps)));
    findings.extend(drifts(plan, state, &tallies, Kind::Junked, |t| (t.junked, t.junked_perhaps)));
    let found = losses(plan, &tallies, &findings);
    findings.extend(found);
    findings = loudest_of_each(findings);
    let again_at = tallies.iter().filter_map(|t| t.overdue_at).filter(|at| *at > now).min();
    let mut look: Vec<Name> = Vec::new();
    for (tally, route) in tallies.iter().zip(&plan.routes) {
        let unread = tally.overdue_at.is_some_and(|at| at <= now);
        if unread && state.sees(&route.route.inbox) && !look.contains(&route.route.inbox) {
            look.push(route.route.inbox.clone());
        }
    }
    Assessment { findings, tallies, again_at, look }
}

/// Refusals that speak for themselves: one answer is enough.
fn refusals(plan: &Plan, tallies: &[Tally]) -> Vec<Finding> {
    let mut found = Vec::new();
    for suspect in plan.suspects.iter().filter(|s| names_provider(s).is_some()) {
        let routes: Vec<usize> =
            suspect.routes.iter().copied().filter(|i| tallies.get(*i).and_then(|t| t.refusal).is_some_and(speaks_for_itself)).collect();
        let class = routes.iter().filter_map(|i| tallies.get(*i)?.refusal).find(|c| speaks_for_itself(*c));
        if let (Some(class), Some(provider)) = (class, names_provider(suspect)) {
            let also = std::iter::once(&suspect.culprit).chain(&suspect.also).filter(|c| **c != provider).cloned().collect();
            found.push(Finding { culprit: provider, kind: Kind::Refused, severity: Severity::Page, class: Some(class), routes, also });
        }
    }
    for (index, (tally, route)) in tallies.iter().zip(&plan.routes).enumerate() {
        if let Some(class @ (Class::Suppressed | Class::Recipient)) = tally.refusal {
            let route = &route.route;
            let culprit = Culprit::Route(route.provider.clone(), route.stream.clone(), route.inbox.clone());
            let (kind, severity) = (Kind::Refused, Severity::Warn);
            found.push(Finding { culprit, kind, severity, class: Some(class), routes: vec![index], also: Vec::new() });
        }
    }
    found
}

/// The provider that this suspect is or could be: a refusal is always the provider's own word.
fn names_provider(suspect: &Suspect) -> Option<Culprit> {
    std::iter::once(&suspect.culprit).chain(&suspect.also).find(|c| matches!(c, Culprit::Provider(_))).cloned()
}

/// The account or the plan is the reason, or the provider's own rule: it will not pass by itself.
pub(super) const fn speaks_for_itself(class: Class) -> bool {
    matches!(class, Class::Suspended | Class::Auth | Class::Quota | Class::Sender | Class::Policy | Class::Permanent)
}

/// Where nothing arrives.
fn darkness(plan: &Plan, state: &State, tallies: &[Tally], refused: &[Finding]) -> Vec<Finding> {
    let said = |index: usize| refused.iter().any(|f| f.severity == Severity::Page && f.routes.contains(&index));
    let shows: Vec<bool> = tallies.iter().enumerate().map(|(i, t)| t.row > 0 && !t.warned && !said(i)).collect();
    let enough = |suspect: &Suspect, live: &[usize]| {
        let row: u64 = live.iter().filter_map(|i| tallies.get(*i)).map(|t| t.row).sum();
        row >= ENOUGH && (suspect.culprit != Culprit::Watcher {} || told_apart(plan, live))
    };
    if let Some(own) = no_network(plan, tallies, &shows) {
        return vec![own];
    }
    let found = explain(plan, tallies, &shows, enough);
    let mut findings: Vec<Finding> = Vec::new();
    for suspect in found {
        if !already_open(state, &suspect.culprit) && undecided(plan, tallies, suspect) {
            continue;
        }
        let mut finding = finding(suspect, Kind::Stopped, Severity::Page, &shows);
        let classes: Vec<Option<Class>> = finding.routes.iter().filter_map(|i| tallies.get(*i)).map(|t| t.row_class).collect();
        if let Some(Some(class)) = classes.first().copied().filter(|_| classes.iter().all(Option::is_some)) {
            finding.kind = Kind::Refused;
            finding.class = Some(class);
        }
        findings.push(finding);
    }
    findings
}

fn already_open(state: &State, culprit: &Culprit) -> bool {
    state.open_delivery(culprit).is_some()
}

/// Two providers and two inboxes among what could be seen: less does not tell the watcher from the rest.
fn told_apart(plan: &Plan, live: &[usize]) -> bool {
    let routes = || live.iter().filter_map(|i| plan.routes.get(*i)).map(|r| &r.route);
    let (first_provider, first_inbox) = (routes().next().map(|r| &r.provider), routes().next().map(|r| &r.inbox));
    routes().any(|r| Some(&r.provider) != first_provider) && routes().any(|r| Some(&r.inbox) != first_inbox)
}

/// Several providers and no connection to any of them: that is the watcher's network, however the matrix looks.
fn no_network(plan: &Plan, tallies: &[Tally], shows: &[bool]) -> Option<Finding> {
    let live: Vec<usize> = (0..tallies.len()).filter(|i| tallies.get(*i).is_some_and(|t| t.live)).collect();
    let row: u64 = live.iter().filter_map(|i| tallies.get(*i)).map(|t| t.row).sum();
    let none = live.iter().all(|i| tallies.get(*i).is_some_and(|t| t.refusal == Some(Class::Network)) && shows.get(*i) == Some(&true));
    (plan.providers.len() > 1 && none && row >= ENOUGH).then(|| Finding {
        culprit: Culprit::Watcher {},
        kind: Kind::Stopped,
        severity: Severity::Page,
        class: Some(Class::Network),
        routes: live,
        also: Vec::new(),
    })
}

/// Whether another route's next canary could still move the blame to somebody larger: one that neither arrived nor is overdue since this
/// began. Waits no longer than two rounds and twice the longest patience.
fn undecided(plan: &Plan, tallies: &[Tally], suspect: &Suspect) -> bool {
    let since = suspect.routes.iter().filter_map(|i| tallies.get(*i)?.row_since).min();
    let Some(since) = since else { return false };
    let patience = tallies.iter().map(|t| t.patience).max().unwrap_or(Span::ZERO);
    let limit = since.plus(plan.every.scaled(2, 1) + patience.scaled(2, 1));
    let horizon = tallies.iter().filter_map(|t| t.horizon).max().unwrap_or(since);
    if horizon >= limit {
        return false;
    }
    tallies.iter().enumerate().any(|(index, t)| {
        let outside = t.live && !suspect.routes.contains(&index);
        let healthy = t.good_sent_at.is_some_and(|at| at >= since);
        outside && !healthy && t.row < ENOUGH && (t.row > 0 || t.waiting)
    })
}

/// Where mail arrives, but not as it should. A route that leans the same way without being there yet keeps a new finding waiting: the
/// culprit may be larger.
fn drifts(plan: &Plan, state: &State, tallies: &[Tally], kind: Kind, of: fn(&Tally) -> (bool, bool)) -> Vec<Finding> {
    let shows: Vec<bool> = tallies.iter().map(|t| of(t).0).collect();
    let leaning =
        |suspect: &Suspect| tallies.iter().enumerate().any(|(i, t)| !suspect.routes.contains(&i) && t.live && of(t) == (false, true));
    explain(plan, tallies, &shows, |_, _| true)
        .into_iter()
        .filter(|s| already_open(state, &s.culprit) || !leaning(s))
        .map(|s| finding(s, kind, Severity::Warn, &shows))
        .collect()
}

/// A share is lost, but not all.
fn losses(plan: &Plan, tallies: &[Tally], found: &[Finding]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for suspect in &plan.suspects {
        let covered = |i: &usize| found.iter().chain(&findings).any(|f| f.kind != Kind::Junked && f.routes.contains(i));
        let live: Vec<usize> = suspect.routes.iter().copied().filter(|i| tallies.get(*i).is_some_and(|t| t.live)).collect();
        if live.is_empty() || live.iter().any(covered) {
            continue;
        }
        let of = |pick: fn(&Tally) -> u64| -> u64 { live.iter().filter_map(|i| tallies.get(*i)).map(pick).sum() };
        let (missing, judged) = (of(|t| t.missing), of(|t| t.judged));
        let touched = live.iter().filter(|i| tallies.get(**i).is_some_and(|t| t.missing > 0)).count();
        if missing < LOSS_AT_LEAST || missing * 100 < judged * LOSS_SHARE || touched * 2 < live.len() + usize::from(live.len() > 1) {
            continue;
        }
        let severity = if missing * 100 >= judged * LOSS_PAGES { Severity::Page } else { Severity::Warn };
        let shows: Vec<bool> = tallies.iter().map(|t| t.missing > 0).collect();
        findings.push(finding(suspect, Kind::Loss, severity, &shows));
    }
    findings
}

/// The fewest, most general suspects all of whose live routes show it, and for whom it is `enough`.
fn explain<'p>(plan: &'p Plan, tallies: &[Tally], shows: &[bool], enough: impl Fn(&Suspect, &[usize]) -> bool) -> Vec<&'p Suspect> {
    let mut explained = vec![false; shows.len()];
    let mut named = Vec::new();
    let is = |set: &[bool], i: usize| set.get(i).copied().unwrap_or(false);
    for suspect in &plan.suspects {
        let live: Vec<usize> = suspect.routes.iter().copied().filter(|i| tallies.get(*i).is_some_and(|t| t.live)).collect();
        let all = !live.is_empty() && live.iter().all(|i| is(shows, *i));
        let adds = live.iter().any(|i| !is(&explained, *i));
        if !all || !adds || !enough(suspect, &live) {
            continue;
        }
        for i in &live {
            if let Some(done) = explained.get_mut(*i) {
                *done = true;
            }
        }
        named.push(suspect);
    }
    named
}

fn finding(suspect: &Suspect, kind: Kind, severity: Severity, shows: &[bool]) -> Finding {
    let routes = suspect.routes.iter().copied().filter(|i| shows.get(*i).copied().unwrap_or(false)).collect();
    Finding { culprit: suspect.culprit.clone(), kind, severity, class: None, routes, also: suspect.also.clone() }
}

/// The delivery kinds share one incident for each culprit: the loudest finding speaks, and of equals the first.
fn loudest_of_each(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        match kept.iter_mut().find(|k| k.culprit == finding.culprit) {
            Some(same) if finding.severity > same.severity => *same = finding,
            Some(_) => {}
            None => kept.push(finding),
        }
    }
    kept
}
