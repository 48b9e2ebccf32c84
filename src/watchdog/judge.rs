//! The judge: what is wrong, how loud, and whose fault it is. A pure function of the state and the time.
//!
//! Three sources: alarms (the evidence of silence and latency, weighed over the matrix), refusals that speak for themselves, and mail that
//! lands in Junk. A page from an alarm waits for the hold that was learnt; the verdict does not.

use std::collections::BTreeSet;

use super::alarm::{self, Alarm};
use super::barred;
use super::beside;
use super::common::{self, Common};
use super::evidence::{self, Tally};
use super::hold::{self, Sort};
use super::hypothesis::LOSSES;
use super::index::Index;
use super::junk;
use super::lookup::Lookup;
use super::plan::{Plan, Suspect};
use super::sorting;
use super::state::State;
use crate::model::{At, Class, Culprit, Kind, Name, Route, Severity, Span};

/// Mail that misses its deadline in this share pages; less of it warns.
const MATTERS: f64 = 0.2;
/// Evidence so many nats below the threshold pages nobody any more.
const FADED: f64 = 4.0;
/// Delays by which the hypotheses shift, as factors.
const FACTORS: [f64; 3] = [6.0, 12.0, 30.0];
/// With less chance than this of any delay the evidence tells nothing of how late mail is.
const TOLD_BY: f64 = 0.05;
/// Of fewer canaries nobody speaks of a share.
const A_SHARE: u64 = 3;

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
    /// Whether it comes from an alarm, which says itself when it is over.
    pub(super) alarm: bool,
    /// The share of mail that is lost, or the factor by which it is slower.
    pub(super) size: f64,
}

impl Finding {
    /// Whether it is about a seed that a provider does not write to, and not about mail.
    pub(super) fn is_of_seed(&self) -> bool {
        !self.alarm && matches!(self.class, Some(Class::Suppressed | Class::Recipient))
    }

    /// Whether whose fault it is stands in the provider's own words, and needs no weighing.
    pub(super) fn is_said(&self) -> bool {
        let its_own = matches!(self.culprit, Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..));
        self.kind == Kind::Refused && !self.alarm && its_own && self.class.is_some_and(Class::speaks_for_itself)
    }
}

/// All that is wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Assessment {
    pub(super) findings: Vec<Finding>,
    /// When a page has waited long enough.
    pub(super) again_at: Option<At>,
}

/// Weighs everything.
pub(super) fn assess(plan: &Plan, state: &State, ix: &Index, now: At) -> Assessment {
    let mut assessment = Assessment::default();
    if state.alarms.is_empty() && ix.refused.is_empty() && ix.suppressed.is_empty() && ix.junky.is_empty() {
        return assessment;
    }
    let mut findings = refusals(plan, state, ix);
    match common::to_all(plan, state, ix, now) {
        Common::To(refused) => findings.push(of_all(refused)),
        Common::Doubtful(until) => assessment.again_at = Some(until),
        Common::None => {
            for alarm in state.alarms.iter().filter(|a| a.told || state.cut_off_since.is_none()) {
                let (finding, page_at) = alarmed(plan, state, alarm, now);
                assessment.again_at = [assessment.again_at, page_at].into_iter().flatten().min();
                findings.extend(finding);
            }
        }
    }
    let (mut findings, doubtful) = barred::at_doors(plan, state, ix, findings, now);
    assessment.again_at = [assessment.again_at, doubtful].into_iter().flatten().min();
    findings.extend(junk::found(plan, state, ix));
    findings.extend(seeds(plan, state, ix));
    for finding in &mut findings {
        finding.severity = finding.severity.min(plan.loudest(&finding.culprit, &finding.routes));
    }
    assessment.findings = loudest_of_each(findings);
    assessment
}

/// What every provider refuses alike is no provider's doing.
fn of_all(refused: common::Refused) -> Finding {
    let kind = if refused.class == Class::Network { Kind::Stopped } else { Kind::Refused };
    let (culprit, class, routes) = (Culprit::Watcher {}, Some(refused.class), refused.routes);
    Finding { culprit, kind, severity: Severity::Page, class, routes, also: Vec::new(), alarm: false, size: 1.0 }
}

/// What an alarm amounts to, once its page has waited long enough; otherwise until when it waits.
fn alarmed(plan: &Plan, state: &State, alarm: &Alarm, now: At) -> (Option<Finding>, Option<At>) {
    let Some(index) = plan.suspect(&alarm.culprit) else { return (None, None) };
    let (Some(suspect), Some(standing)) = (plan.suspects.get(index), state.standings.get(index)) else { return (None, None) };
    let [_, rest @ ..] = standing.chances();
    let (losses, delays) = rest.split_at(3);
    let (mut kind, size, mattering) = match alarm.sort {
        Sort::Stop => (Kind::Stopped, 1.0, 1.0),
        Sort::Loss => {
            let share = mean(losses, LOSSES.iter().skip(1));
            (Kind::Loss, share, share)
        }
        Sort::Slow => match sorting::times_as_late(plan, state, alarm).filter(|_| delays.iter().sum::<f64>() < TOLD_BY) {
            // Where the evidence since it began is of something else, what comes by now tells how late mail is.
            Some(times) => (Kind::Slow, times, late(plan, state, suspect, &[1.0], &[times])),
            None => (Kind::Slow, mean(delays, FACTORS.iter()), late(plan, state, suspect, delays, &FACTORS)),
        },
    };
    let telling = beside::telling(plan, state, &alarm.culprit, &suspect.routes);
    let routes: Vec<usize> = telling.into_iter().filter(|slot| evidence::shows(state, *slot)).collect();
    let known = state.open_delivery(&alarm.culprit);
    let matters = if mattering >= MATTERS { Severity::Page } else { Severity::Warn };
    let mut severity = matters.min(plan.loudest(&alarm.culprit, &routes));
    let mut again_at = None;
    let paged = known.is_some_and(|i| i.shown.severity == Severity::Page);
    if (severity == Severity::Page && !paged) || !alarm.told {
        let from =
            if severity == Severity::Page { hold::over_at(plan, state, alarm, now) } else { hold::known_at(plan, state, alarm, now) };
        // What was held until it had faded again is over, or as good as that.
        let faded = alarm::odds(plan, state, index) < plan.ln_alarm - FADED;
        if from > now || faded {
            let due = Some(from).filter(|at| *at > now);
            if !alarm.told {
                return (None, due);
            }
            // Who was warned is paged when the hold is over.
            (severity, again_at) = (Severity::Warn, due);
        }
    }
    // What was missing has come, or was refused by somebody else's doing that is over: there is nothing to tell of any more.
    if known.is_none() && has_all(plan, state, alarm, &routes) {
        return (None, None);
    }
    let class = common_refusal(plan, state, &alarm.culprit, &routes);
    if kind == Kind::Stopped && class.is_some() {
        kind = Kind::Refused;
    }
    let (culprit, also) = (alarm.culprit.clone(), suspect.also.clone());
    (Some(Finding { culprit, kind, severity, class, routes, also, alarm: true, size }), again_at)
}

/// Whether nothing is missing of what these routes were sent, or too little is known to speak of a share. Where mail arrives again only what is overdue is missing.
fn has_all(plan: &Plan, state: &State, alarm: &Alarm, routes: &[usize]) -> bool {
    let mut tallies = routes.iter().map(|slot| evidence::tally(plan, state, *slot));
    match alarm.sort {
        Sort::Stop if alarm.first_arrival.is_some() => tallies.all(|t| t.row == 0),
        Sort::Stop => tallies.all(|t| t.row + t.silent == 0),
        Sort::Loss => {
            let (lost, judged) = evidence::lost_of(&tallies.collect::<Vec<_>>());
            lost == 0 || judged < A_SHARE
        }
        Sort::Slow => false,
    }
}

/// The class of the newest refusal, if all that is missing was refused, on every route that shows anything: it never left. That an inbox is
/// what refuses, the silence of another route contradicts: who is silent took the mail in.
fn common_refusal(plan: &Plan, state: &State, culprit: &Culprit, routes: &[usize]) -> Option<Class> {
    let speaks = |t: &Tally| t.row > 0 || (t.silent > 0 && matches!(culprit, Culprit::Inbox(_)));
    let tallies = routes.iter().filter(|slot| evidence::is_live(plan, state, **slot)).map(|slot| evidence::tally(plan, state, *slot));
    let mut rows = tallies.filter(speaks);
    let first = rows.next()?.row_class?;
    let all = rows.all(|t| t.row_class.is_some());
    (all && (*culprit != Culprit::Watcher {} || each_refuses(plan, state, routes))).then_some(first)
}

/// Whether each provider of these routes refuses mail over one of them: what one refuses is no refusal of all.
fn each_refuses(plan: &Plan, state: &State, routes: &[usize]) -> bool {
    let provider = |slot: &usize| plan.routes.get(*slot).map(|r| &r.route.provider);
    let live = || routes.iter().filter(|slot| evidence::is_live(plan, state, **slot));
    let refuses = |slot: &&usize| evidence::tally(plan, state, **slot).row_class.is_some();
    let refusing: BTreeSet<&Name> = live().filter(refuses).filter_map(provider).collect();
    live().filter_map(provider).all(|name| refusing.contains(name))
}

fn mean<'v>(weights: &[f64], values: impl Iterator<Item = &'v f64>) -> f64 {
    let total: f64 = weights.iter().sum();
    weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>() / total.max(1e-12)
}

/// The share of mail that a delay makes miss its deadline.
fn late(plan: &Plan, state: &State, suspect: &Suspect, chances: &[f64], factors: &[f64]) -> f64 {
    let Some((planned, route)) = suspect.routes.first().and_then(|slot| Some((plan.routes.get(*slot)?, state.routes.get(*slot)?))) else {
        return 0.0;
    };
    let on_time = |factor: &f64| Span::from_ms((planned.deadline.as_ms() as f64 / factor) as u64);
    let shares: Vec<f64> = factors.iter().map(|f| route.survival.at(on_time(f)) - route.survival.at(planned.deadline)).collect();
    mean(chances, shares.iter())
}

/// Refusals that speak for themselves: one answer is enough.
fn refusals(plan: &Plan, state: &State, ix: &Index) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut of: Option<&Name> = None;
    for slot in &ix.refused {
        let (Some(planned), Some(class)) = (plan.routes.get(*slot), state.routes.get(*slot).and_then(|r| r.refusal)) else { continue };
        let route = &planned.route;
        if !class.speaks_for_itself() {
            continue;
        }
        // Routes are sorted by their provider.
        match found.last_mut().filter(|_| of == Some(&route.provider)) {
            Some(same) => same.routes.push(*slot),
            None => {
                let (culprit, severity) = (Culprit::Provider(route.provider.clone()), Severity::Page);
                let also = names_beside(plan, &culprit);
                let class = Some(class);
                of = Some(&route.provider);
                found.push(Finding { culprit, kind: Kind::Refused, severity, class, routes: vec![*slot], also, alarm: false, size: 1.0 });
            }
        }
    }
    found
}

/// Seeds that a provider does not write to: no outage, and told once for all streams of the provider to the inbox.
fn seeds(plan: &Plan, state: &State, ix: &Index) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let says_so = |slot: &usize| state.routes.get(*slot).is_some_and(super::flight::RouteState::is_suppressed);
    let slots: BTreeSet<usize> = ix.refused.iter().copied().filter(says_so).chain(ix.suppressed.iter().copied()).collect();
    for slot in slots {
        let (Some(planned), Some(known)) = (plan.routes.get(slot), state.routes.get(slot)) else { continue };
        if !state.sees(&planned.route.inbox) {
            continue;
        }
        let class = known.refusal.filter(|c| *c == Class::Recipient).or(Some(Class::Suppressed));
        let alike = |r: &Route| r.provider == planned.route.provider && r.inbox == planned.route.inbox;
        let same = found.iter_mut().find(|f| f.routes.iter().any(|s| plan.routes.get(*s).is_some_and(|r| alike(&r.route))));
        match same {
            Some(same) => same.routes.push(slot),
            None => {
                let told = state
                    .open()
                    .find(|i| i.is_of_seed() && plan.routes.iter().any(|r| alike(&r.route) && i.shown.culprit.covers(&r.route)));
                let Route { provider, stream, inbox } = planned.route.clone();
                let culprit = told.map_or(Culprit::Route(provider, stream, inbox), |i| i.shown.culprit.clone());
                let (kind, severity, routes) = (Kind::Refused, Severity::Warn, vec![slot]);
                found.push(Finding { culprit, kind, severity, class, routes, also: Vec::new(), alarm: false, size: 1.0 });
            }
        }
    }
    found
}

fn names_beside(plan: &Plan, culprit: &Culprit) -> Vec<Culprit> {
    let Some(suspect) = plan.suspect(culprit).and_then(|s| plan.suspects.get(s)) else { return Vec::new() };
    std::iter::once(&suspect.culprit).chain(&suspect.also).filter(|c| *c != culprit).cloned().collect()
}

/// The delivery kinds share one incident for each culprit: the loudest finding speaks, and of equals the first.
fn loudest_of_each(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut loudest: Lookup<&Culprit, (usize, Severity)> = Lookup::with_room(findings.len());
    for (place, finding) in findings.iter().enumerate() {
        let known = loudest.or_insert_with(&finding.culprit, || (place, finding.severity));
        if finding.severity > known.1 {
            *known = (place, finding.severity);
        }
    }
    if loudest.len() < findings.len() {
        let speaks = |(place, finding): (usize, &Finding)| loudest.get(&finding.culprit).is_some_and(|(loudest, _)| *loudest == place);
        let speaking: Vec<bool> = findings.iter().enumerate().map(speaks).collect();
        let mut speaking = speaking.into_iter();
        findings.retain(|_| speaking.next().unwrap_or(false));
    }
    findings
}

/// Inboxes in which something may be overdue by the clock, but not yet by what was read of them.
pub(super) fn unread(plan: &Plan, state: &State, ix: &Index, now: At) -> Vec<Name> {
    let mut look: Vec<Name> = Vec::new();
    let looks = ix.looks.range(..=(now, usize::MAX, u32::MAX)).map(|(_, slot, _)| std::slice::from_ref(slot));
    let checks = ix.checks.range(..=(now, usize::MAX)).filter_map(|(_, suspect)| Some(plan.suspects.get(*suspect)?.routes.as_slice()));
    for route in looks.chain(checks).flatten().filter_map(|slot| state.routes.get(*slot)).filter(|r| !r.flying.is_empty()) {
        let name = &route.route.inbox;
        let behind = state.inboxes.get(name).and_then(|i| state.horizon(i)).is_none_or(|h| h < now);
        if behind && state.sees(name) && !look.contains(name) {
            look.push(name.clone());
        }
    }
    look
}
