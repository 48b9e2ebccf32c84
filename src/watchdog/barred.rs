//! Refusals that may be an inbox's doing and not a provider's: a full mailbox, a filter, an address that is gone. Whoever is refused at one
//! inbox and taken at the others is well; and an inbox at which everybody is refused is one failure, not one for each provider.

use std::collections::BTreeSet;

use super::common;
use super::flight::RouteState;
use super::index::Index;
use super::judge::Finding;
use super::lookup::Lookup;
use super::plan::{Plan, RoutePlan, Suspect};
use super::state::State;
use crate::model::{At, Class, Culprit, Kind, Name, Outcome, Route, Span};

/// An answer takes no longer than this.
const GRACE: Span = Span::from_secs(30);

/// Whether a refusal of this class may depend on who it is written to. Of an account it does not.
const fn may_be_of_inbox(class: Class) -> bool {
    match class {
        Class::Policy | Class::Permanent | Class::Transient | Class::Rate | Class::Unknown => true,
        Class::Suspended | Class::Auth | Class::Quota | Class::Sender => false,
        Class::Network | Class::Tls | Class::Suppressed | Class::Recipient => false,
    }
}

/// Where the refusals at one inbox come from.
#[derive(Clone, Copy)]
enum Door {
    /// Every provider is refused here, and taken elsewhere.
    Shut,
    /// Not known before this.
    Doubtful(At),
    /// Only some are refused here, and taken elsewhere.
    Ajar,
    /// It is no matter of this inbox.
    Open,
}

/// The findings, with those refusals that are an inbox's doing under its name; and when more will be known.
pub(super) fn at_doors(plan: &Plan, state: &State, ix: &Index, findings: Vec<Finding>, now: At) -> (Vec<Finding>, Option<At>) {
    if ix.refused.is_empty() {
        return (findings, None);
    }
    let (mut kept, mut shut, mut again_at) = (Vec::new(), Vec::<Finding>::new(), None::<At>);
    // The same for all who are refused there.
    let mut doors: Lookup<&Name, Door> = Lookup::with_room(0);
    for mut finding in findings {
        shut.extend(leave_at_doors(plan, state, &mut finding));
        if finding.routes.is_empty() {
            continue;
        }
        if let Some(suspect) = known_part(plan, state, &finding) {
            named(plan, &mut finding, suspect);
            kept.push(finding);
            continue;
        }
        // What else is open of the same name is another failure.
        let known = |finding: &Finding| state.open_delivery(&finding.culprit).is_some_and(|i| i.shown.kind == Kind::Refused);
        let Some(inbox) = the_inbox(plan, &finding) else {
            match of_stream(plan, state, ix, &finding, now).filter(|_| !finding.alarm && !known(&finding)) {
                Some(Stream::Doubtful(until)) => sooner(&mut again_at, until),
                Some(Stream::Only(suspect)) => {
                    named(plan, &mut finding, suspect);
                    kept.push(finding);
                }
                None => kept.push(finding),
            }
            continue;
        };
        match *doors.or_insert_with(inbox, || door(plan, state, ix, inbox, now)) {
            Door::Shut => shut.push(Finding { culprit: Culprit::Inbox(inbox.clone()), also: Vec::new(), alarm: false, ..finding }),
            Door::Doubtful(until) if !finding.alarm && !known(&finding) => sooner(&mut again_at, until),
            Door::Ajar if !finding.alarm && !known(&finding) => {
                narrow(plan, &mut finding);
                kept.push(finding);
            }
            Door::Doubtful(_) | Door::Ajar | Door::Open => kept.push(finding),
        }
    }
    kept.extend(joined(shut));
    (kept, again_at)
}

/// One finding for each inbox.
fn joined(findings: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in findings {
        match all.iter_mut().find(|f| f.culprit == finding.culprit) {
            Some(same) => {
                same.severity = same.severity.max(finding.severity);
                same.routes.extend(finding.routes);
            }
            None => all.push(finding),
        }
    }
    for finding in &mut all {
        finding.routes.sort_unstable();
        finding.routes.dedup();
    }
    all
}

/// Takes out of a provider's refusals those at inboxes that are known to refuse everybody: the rest is what it is to answer for.
fn leave_at_doors(plan: &Plan, state: &State, finding: &mut Finding) -> Vec<Finding> {
    let its_own = matches!(finding.culprit, Culprit::Provider(_)) && !finding.alarm;
    let class = finding.class.filter(|class| may_be_of_inbox(*class));
    if !its_own || class.is_none() || finding.kind != Kind::Refused {
        return Vec::new();
    }
    let at = |slot: &usize| plan.routes.get(*slot).map(|r| &r.route.inbox);
    let (left, own): (Vec<usize>, Vec<usize>) = finding.routes.iter().partition(|slot| at(slot).is_some_and(|inbox| is_shut(state, inbox)));
    let inboxes: BTreeSet<&Name> = left.iter().filter_map(at).collect();
    // Whether one door is shut still is looked at below.
    if inboxes.is_empty() || own.is_empty() && inboxes.len() < 2 {
        return Vec::new();
    }
    finding.routes = own;
    let one = |inbox: &Name| {
        let routes = left.iter().copied().filter(|slot| at(slot) == Some(inbox)).collect();
        Finding { culprit: Culprit::Inbox(inbox.clone()), also: Vec::new(), routes, ..finding.clone() }
    };
    inboxes.into_iter().map(one).collect()
}

/// The stream or route that was told to be refused, if what a provider refuses is all of its own: what is left of it is not more.
fn known_part(plan: &Plan, state: &State, finding: &Finding) -> Option<usize> {
    let is_part = |culprit: &Culprit| matches!(culprit, Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..));
    let covers = |culprit: &Culprit| finding.routes.iter().all(|slot| plan.routes.get(*slot).is_some_and(|r| culprit.covers(&r.route)));
    let refused = state.open().filter(|i| i.shown.kind == Kind::Refused && !i.is_of_seed()).map(|i| &i.shown.culprit);
    let mut known = refused.filter(|culprit| is_part(culprit) && covers(culprit));
    let may_be_part = finding.class.is_some_and(may_be_of_inbox) && !finding.alarm;
    let is_whole = matches!(finding.culprit, Culprit::Provider(_)) && finding.kind == Kind::Refused && may_be_part;
    plan.suspect(known.next().filter(|_| is_whole)?)
}

/// Whether an inbox was told to refuse everybody.
fn is_shut(state: &State, inbox: &Name) -> bool {
    state.open_delivery(&Culprit::Inbox(inbox.clone())).is_some_and(|i| i.shown.kind == Kind::Refused)
}

/// The only inbox at which a refusal shows, if it may be that inbox's.
fn the_inbox<'p>(plan: &'p Plan, finding: &Finding) -> Option<&'p Name> {
    if plan.inboxes.len().max(plan.providers.len()) < 2 || finding.kind != Kind::Refused || !finding.class.is_some_and(may_be_of_inbox) {
        return None;
    }
    let mut at = finding.routes.iter().filter_map(|slot| plan.routes.get(*slot)).map(|r| &r.route.inbox);
    let first = at.next()?;
    (at.all(|other| other == first) && !matches!(finding.culprit, Culprit::Watcher {} | Culprit::Inbox(_))).then_some(first)
}

fn door(plan: &Plan, state: &State, ix: &Index, inbox: &Name, now: At) -> Door {
    let refusal = |slot: usize| state.routes.get(slot).and_then(|r| r.refusal).filter(|class| may_be_of_inbox(*class));
    let here = |r: &RoutePlan| r.route.inbox == *inbox;
    // Whose account is refused is refused here, too, and tells nothing of the door.
    let barred = |r: &RouteState| r.refusal.is_some_and(|class| !may_be_of_inbox(class));
    let live = |slot: usize| state.routes.get(slot).is_some_and(|r| r.serial > 0 && !r.is_suppressed() && !barred(r));
    let column: Vec<(usize, &RoutePlan)> = plan.routes.iter().enumerate().filter(|(slot, r)| here(r) && live(*slot)).collect();
    let refused: Vec<(usize, &RoutePlan)> = column.iter().copied().filter(|(slot, _)| ix.refused.contains(slot)).collect();
    let first = |slot: usize| common::row(state, slot, refusal(slot)?).map(|(.., at)| at);
    // Until nobody has been refused for a while the door is as it was.
    if is_shut(state, inbox) && column.iter().all(|(slot, r)| refused_since(state, *slot, now.minus(r.every.scaled(2, 1)))) {
        return Door::Shut;
    }
    let Some(since) = refused.iter().filter_map(|(slot, _)| first(*slot)).min() else { return Door::Open };
    let refusing = of_providers(&refused);
    let answers = |provider: &Name| elsewhere(plan, state, provider, inbox, since);
    let is_only = plan.inboxes.len() < 2;
    // Where there is no other inbox, the first provider that is refused is as good as known.
    if is_only && refusing.len() < 2 {
        return Door::Open;
    }
    // Who is refused elsewhere, too, has a failure of its own, and tells nothing of this door.
    let tells = |p: &&Name| !answers(p).contains(&false);
    let (column, refused): (Vec<_>, Vec<_>) = (telling(column, tells), telling(refused, tells));
    let (providers, refusing) = (of_providers(&column), of_providers(&refused));
    if refusing.is_empty() {
        return Door::Open;
    }
    if let Some(provider) = refusing.iter().find(|p| !is_only && answers(p).is_empty()) {
        let until = awaited(plan, state, ix, since, now, |r| r.provider == **provider && r.inbox != *inbox);
        return until.map_or(Door::Open, Door::Doubtful);
    }
    let taken = column.iter().any(|(slot, _)| !ix.refused.contains(slot) && answered_since(state, *slot, since).contains(&true));
    if refused.len() == column.len() || (refusing == providers && !taken) {
        return if providers.len() > 1 { Door::Shut } else { Door::Ajar };
    }
    let until = awaited(plan, state, ix, since, now, |r| r.inbox == *inbox && !refusing.contains(&r.provider)).filter(|_| !taken);
    until.map_or(Door::Ajar, Door::Doubtful)
}

/// Those routes of which the provider tells anything.
fn telling(routes: Vec<(usize, &RoutePlan)>, tells: impl Fn(&&Name) -> bool) -> Vec<(usize, &RoutePlan)> {
    routes.into_iter().filter(|(_, r)| tells(&&r.route.provider)).collect()
}

fn of_providers<'p>(routes: &[(usize, &'p RoutePlan)]) -> BTreeSet<&'p Name> {
    routes.iter().map(|(_, r)| &r.route.provider).collect()
}

/// How a provider's canaries to other inboxes were answered that were sent since: taken, or not. Where everybody is refused tells nothing.
fn elsewhere(plan: &Plan, state: &State, provider: &Name, inbox: &Name, since: At) -> BTreeSet<bool> {
    let tells = |r: &Route| r.inbox != *inbox && !is_shut(state, &r.inbox);
    let mine = plan.of_provider(provider).filter(|slot| plan.routes.get(*slot).is_some_and(|r| tells(&r.route)));
    mine.flat_map(|slot| answered_since(state, slot, since)).collect()
}

/// Until when the next answer to a canary over such routes is waited for, if one is to come within a round.
fn awaited(plan: &Plan, state: &State, ix: &Index, since: At, now: At, over: impl Fn(&Route) -> bool) -> Option<At> {
    let is_over = |slot: usize| plan.routes.get(slot).filter(|r| over(&r.route));
    let routes = (0..plan.routes.len()).filter(|slot| is_over(*slot).is_some()).filter_map(|slot| state.routes.get(slot));
    let asked = routes.flat_map(|r| r.canaries.iter().rev().take_while(|c| c.sent_at() >= since)).filter(|c| c.outcome().is_none());
    let answers = asked.map(|c| c.sent_at().plus(GRACE)).filter(|at| *at > now).min();
    let next = || ix.due.iter().find_map(|(at, slot)| is_over(*slot).map(|r| (*at, r.every)));
    answers.or_else(|| next().filter(|(at, every)| *at <= since.plus(*every)).map(|(at, _)| at.max(now).plus(GRACE)))
}

fn refused_since(state: &State, slot: usize, since: At) -> bool {
    let mut sent = state.routes.get(slot).into_iter().flat_map(|r| r.canaries.iter().rev().take_while(|c| c.sent_at() >= since));
    sent.any(super::canary::Canary::refused)
}

fn answered_since(state: &State, slot: usize, since: At) -> BTreeSet<bool> {
    let sent = state.routes.get(slot).into_iter().flat_map(|r| r.canaries.iter().rev().take_while(|c| c.sent_at() >= since));
    let said = sent.filter_map(|c| match c.outcome()? {
        Outcome::Accepted => Some(true),
        Outcome::Refused(Class::Suppressed | Class::Recipient) | Outcome::Unknown => None,
        Outcome::Refused(_) => Some(false),
    });
    said.collect()
}

/// Named by no more than what shows it: the provider is well elsewhere. Of several streams that are refused the first is named.
fn narrow(plan: &Plan, finding: &mut Finding) {
    let Some(first) = finding.routes.first().and_then(|slot| plan.routes.get(*slot)) else { return };
    let is_more = |culprit: &Culprit| plan.inboxes.len() > 1 && matches!(culprit, Culprit::Provider(_) | Culprit::Watcher {});
    let all = |suspect: &Suspect| finding.routes.iter().all(|slot| suspect.routes.contains(slot)) && !is_more(&suspect.culprit);
    let one = |suspect: &Suspect| suspect.routes.len() == 1;
    let is_any = first.suspects.iter().filter_map(|s| plan.suspects.get(*s)).any(all);
    let covers = |s: &usize| plan.suspects.get(*s).is_some_and(|suspect| if is_any { all(suspect) } else { one(suspect) });
    let size = |s: &usize| plan.suspects.get(*s).map_or(usize::MAX, |suspect| suspect.routes.len());
    if let Some(smallest) = first.suspects.iter().copied().filter(covers).min_by_key(size) {
        named(plan, finding, smallest);
    }
}

fn named(plan: &Plan, finding: &mut Finding, suspect: usize) {
    if let Some(suspect) = plan.suspects.get(suspect).filter(|s| s.culprit != Culprit::Watcher {}) {
        (finding.culprit, finding.also) = (suspect.culprit.clone(), suspect.also.clone());
    }
}

fn sooner(again_at: &mut Option<At>, until: At) {
    *again_at = Some(again_at.map_or(until, |at| at.min(until)));
}

/// Whose refusals those of one stream are.
enum Stream {
    /// The provider takes its other streams.
    Only(usize),
    Doubtful(At),
}

/// Where all that a provider refuses is of one stream: whether its others are taken.
fn of_stream(plan: &Plan, state: &State, ix: &Index, finding: &Finding, now: At) -> Option<Stream> {
    let Culprit::Provider(provider) = &finding.culprit else { return None };
    if finding.kind != Kind::Refused || !finding.class.is_some_and(may_be_of_inbox) {
        return None;
    }
    let mut streams = finding.routes.iter().filter_map(|slot| plan.routes.get(*slot)).map(|r| &r.route.stream);
    let stream = streams.next().filter(|first| streams.all(|s| s == *first))?;
    let suspect = plan.suspect(&Culprit::Stream(provider.clone(), stream.clone()))?;
    let since = |slot: &usize| common::row(state, *slot, state.routes.get(*slot)?.refusal?).map(|(.., at)| at);
    let since = finding.routes.iter().filter_map(since).min()?;
    let beside = |r: &Route| r.provider == *provider && r.stream != *stream;
    let others = plan.of_provider(provider).filter(|slot| plan.routes.get(*slot).is_some_and(|r| beside(&r.route)));
    let said: BTreeSet<bool> = others.flat_map(|slot| answered_since(state, slot, since)).collect();
    match (said.contains(&true), said.contains(&false)) {
        (_, true) => None,
        (true, false) => Some(Stream::Only(suspect)),
        (false, false) => awaited(plan, state, ix, since, now, beside).map(Stream::Doubtful),
    }
}
