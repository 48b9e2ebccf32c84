//! What comes and goes: until when it stays one incident, and whether mail is delivered meanwhile.

use super::beside;
use super::evidence::{self, Tally};
use super::flight::RouteState;
use super::judge::Finding;
use super::outbox::{Incident, is_drill};
use super::plan::Plan;
use super::state::State;
use super::view::IncidentView;
use crate::model::{At, Culprit, IncidentId, Kind, Span};

/// What comes back so soon after it was resolved flaps: it stays one incident until it has been well for twice as long as it was between, and
/// at least for as long as this, so that no third one can be its return.
const FLAPS_WITHIN: Span = Span::from_secs(900);
/// What began so lately may be told of a part of it first.
const YOUNG: Span = Span::from_secs(300);

/// Until when an incident that flaps stays open after its alarm is over; `None`: it does not flap.
pub(super) fn settles_at(plan: &Plan, state: &State, open: &Incident) -> Option<At> {
    let between = back_after(state, &open.shown.culprit, open.shown.kind, open.shown.opened_at)?;
    let calmed = calmed_at(plan, state, open)?;
    Some(calmed.plus(between.scaled(2, 1).max(FLAPS_WITHIN)))
}

/// When its alarm was over, or that of a part of it; what is refused needs none, and is over with the last that was.
fn calmed_at(plan: &Plan, state: &State, open: &Incident) -> Option<At> {
    let shown = &open.shown;
    let suspect = plan.suspect(&shown.culprit)?;
    let around = plan.suspects.get(suspect)?.routes.iter().filter_map(|slot| plan.routes.get(*slot)).flat_map(|r| &r.suspects);
    let parts = around.filter_map(|s| state.standings.get(*s)).filter(|s| s.calmed_at.is_some() && is_part(&s.culprit, &shown.culprit));
    let own = state.standings.get(suspect);
    let alarm = parts.chain(own).filter_map(|s| s.calmed_at).filter(|at| *at > shown.opened_at).max();
    if shown.kind != Kind::Refused || open.is_of_seed() {
        return alarm;
    }
    let mine = || plan.suspects.get(suspect).into_iter().flat_map(|s| &s.routes).filter_map(|slot| state.routes.get(*slot));
    if mine().any(|r| r.refusal.is_some()) {
        return alarm;
    }
    let refused = mine().filter_map(|r| r.canaries.iter().rev().find(|c| c.refused())).map(|c| c.sent_at()).max();
    alarm.max(refused.map(|at| at.max(shown.opened_at)))
}

/// How long after its last incident was resolved a culprit fails again in the same way, if that is soon. A drill was no failure.
pub(super) fn back_after(state: &State, culprit: &Culprit, kind: Kind, opened_at: At) -> Option<Span> {
    before(state, culprit, kind, opened_at).map(|(_, between)| between)
}

/// The last incident of which one that is opened now is the return, and how long ago it was resolved.
fn before<'s>(state: &'s State, culprit: &Culprit, kind: Kind, opened_at: At) -> Option<(&'s Incident, Span)> {
    // What an inbox shows alone through one provider is not what was dark for all.
    let is_its = |whole: &Culprit| culprit == whole || is_part(culprit, whole) && !matches!(whole, Culprit::Inbox(_));
    let failed = |i: &Incident| is_alike(i.shown.kind, kind) && is_its(&i.shown.culprit) && i.shown.closed.is_none();
    // Few that are remembered have ended, and a thousand may be open.
    let ended = state.incidents.values().filter_map(|i| Some((i, i.shown.resolved_at.filter(|at| *at <= opened_at)?)));
    let mine = ended.filter(|(i, _)| failed(i) && !is_drill(&i.shown.last));
    let (last, resolved_at) = mine.max_by_key(|(_, at)| *at)?;
    let between = opened_at.since(resolved_at);
    (between < FLAPS_WITHIN).then_some((last, between))
}

/// That an open incident flaps, how often it has failed and since when; `None`: it does not.
pub(super) fn said(state: &State, shown: &IncidentView) -> Option<String> {
    let mine = state.incidents.get(&shown.incident)?;
    let (mut times, mut since) = (1 + mine.returns, shown.opened_at);
    let mut next = before(state, &shown.culprit, shown.kind, since);
    next?;
    while let Some((earlier, _)) = next.filter(|(earlier, _)| earlier.shown.opened_at < since) {
        times += 1 + earlier.returns;
        since = earlier.shown.opened_at;
        next = before(state, &shown.culprit, shown.kind, since);
    }
    Some(format!("it flaps: {times} times since {}, delivering in between", since.second()))
}

impl State {
    /// An alarm begins: if its incident is open still, for it flaps, it has come back.
    pub(super) fn note_return(&mut self, plan: &Plan, culprit: &Culprit) {
        let calmed_at = |whole: &Culprit| plan.suspect(whole).and_then(|s| self.standings.get(s)?.calmed_at);
        // What shows in one part after the other comes back once.
        let is_first = |whole: &Culprit| self.alarms.iter().filter(|a| is_part(&a.culprit, whole)).count() < 2;
        let back = |i: &&Incident| {
            let shown = &i.shown;
            let is_mine = shown.kind.is_delivery() && is_part(culprit, &shown.culprit) && is_first(&shown.culprit);
            is_mine && calmed_at(&shown.culprit).is_some_and(|at| at > shown.opened_at)
        };
        let back: Vec<IncidentId> = self.open().filter(back).map(|i| i.shown.incident).collect();
        for id in back {
            self.incidents.entry(id).and_modify(|known| known.returns = known.returns.saturating_add(1));
        }
    }
}

/// Whether everything failed, that was over, and is open only until it is certain that it does not come back: what fails now, and delivered
/// since, is another. What is refused has no alarm by which it would be known to be over.
pub(super) fn is_another(plan: &Plan, state: &State, wider: &Incident, finding: &Finding) -> bool {
    let alarmed = || state.alarms.iter().any(|a| a.culprit == wider.shown.culprit);
    let delivered = |slot: &usize| state.routes.get(*slot).is_some_and(|r| r.good_sent_at.is_some_and(|at| at >= wider.shown.opened_at));
    let was_all = wider.shown.culprit == Culprit::Watcher {};
    let is_over = || wider.shown.kind != Kind::Refused && settles_at(plan, state, wider).is_some() && !alarmed();
    finding.alarm && was_all && is_over() && finding.routes.iter().any(delivered)
}

/// Whether what fails is what flaps, and has come back: it shows in a part first. What fails there alone for longer is that part.
pub(super) fn is_back(plan: &Plan, state: &State, wider: &Incident, finding: &Finding, now: At) -> bool {
    let young = || state.alarms.iter().any(|a| a.culprit == finding.culprit && now.since(a.since) < YOUNG);
    finding.alarm && is_part(&finding.culprit, &wider.shown.culprit) && young() && settles_at(plan, state, wider).is_some()
}

/// Whether this is a provider or an inbox, or a part of it, that is `whole` or a part of that.
fn is_part(part: &Culprit, whole: &Culprit) -> bool {
    let ((provider, stream, inbox), mine) = (whole.parts(), part.parts());
    let within = || {
        let pairs = [(provider, mine.0), (stream, mine.1), (inbox, mine.2)];
        pairs.iter().all(|(whole, part)| whole.is_none() || whole == part)
    };
    part == whole || *whole != (Culprit::Watcher {}) && within()
}

/// Whether mail arrives again though the incident is open: it came and went before, or little of what was refused has been sent since, or
/// nothing is missing any more of what an alarm was about. Nobody is reminded of it meanwhile, and nobody else is called.
pub(super) fn is_calm(plan: &Plan, state: &State, open: &Incident) -> bool {
    let shown = &open.shown;
    let alarm = state.alarms.iter().find(|a| a.culprit == shown.culprit);
    let may_be = match (alarm, shown.kind) {
        (Some(alarm), Kind::Stopped | Kind::Loss) => alarm.first_arrival.is_some(),
        (None, Kind::Refused) => true,
        (Some(_), _) => false,
        (None, _) => settles_at(plan, state, open).is_some(),
    };
    if !shown.kind.is_delivery() || open.is_of_seed() || !may_be {
        return false;
    }
    // Looked up, and not searched for: a thousand may be open.
    let mine: Vec<usize> = match plan.suspect(&shown.culprit).and_then(|s| plan.suspects.get(s)) {
        Some(suspect) => suspect.routes.clone(),
        None => (0..state.routes.len()).filter(|slot| state.routes.get(*slot).is_some_and(|r| shown.culprit.covers(&r.route))).collect(),
    };
    let telling = beside::telling(plan, state, &shown.culprit, &mine);
    let routes = |slots: &[usize]| -> Vec<&RouteState> { slots.iter().filter_map(|slot| state.routes.get(*slot)).collect() };
    let (mine, own) = (routes(&mine), routes(&telling));
    // What overlaps with it fails with it.
    let covers = |culprit: &Culprit| *culprit != shown.culprit && own.iter().any(|r| culprit.covers(&r.route));
    let arrives = || own.iter().any(|r| r.good_sent_at.is_some_and(|at| at >= shown.opened_at));
    mine.iter().all(|r| r.refusal.is_none())
        && !state.alarms.iter().any(|a| covers(&a.culprit))
        && arrives()
        && (alarm.is_none() || misses_nothing(plan, state, &telling, shown.opened_at))
}

/// Whether all that was sent lately over these routes has arrived, and something over each.
fn misses_nothing(plan: &Plan, state: &State, slots: &[usize], since: At) -> bool {
    let tallies = slots.iter().map(|slot| (evidence::tally(plan, state, *slot), evidence::shows(state, *slot)));
    let live: Vec<(Tally, bool)> = tallies.filter(|(t, _)| t.live).collect();
    let arrives = |t: &Tally| t.row == 0 && t.good_sent_at.is_some_and(|at| at >= since);
    let showing = || live.iter().filter(|(_, shows)| *shows).map(|(t, _)| t.clone()).collect::<Vec<_>>();
    live.iter().all(|(t, _)| arrives(t)) && evidence::lost_of(&showing()).0 == 0
}

/// Whether one failure may show as either kind. What is refused, and what lies in Junk, is not what comes late or never.
fn is_alike(before: Kind, now: Kind) -> bool {
    let missing = |kind| matches!(kind, Kind::Stopped | Kind::Loss | Kind::Slow);
    before == now && now.is_delivery() || missing(before) && missing(now)
}
