//! Draws the [`View`] from the state.

use std::collections::{BTreeMap, BTreeSet};

use super::alarm;
use super::canary::Canary;
use super::count::Histogram;
use super::event::Delivery;
use super::evidence;
use super::flight::RouteState;
use super::outbox::Incident;
use super::people;
use super::plan::Plan;
use super::portrait;
use super::state::State;
use super::verdict::{self, Presents};
use super::view::{CanaryView, InboxView, IncidentView, PartyView, RouteCounts, RouteView, Traffic, View};
use super::zone;
use crate::model::past::Became;
use crate::model::{At, CanaryId, Culprit, Leg, Loaded, Name, Outcome};

/// Canaries listed for each route, besides those that incidents name.
const LISTED: usize = 50;

/// Everything that is shown, at `now`.
pub(super) fn draw(plan: &Plan, state: &State, presents: &Presents, now: At, next: Option<(At, String)>) -> View {
    let mut named = BTreeSet::new();
    state.incidents.values().for_each(|incident| name_canaries(&incident.shown.last.evidence, &mut named));
    presents.values().for_each(|present| name_canaries(&present.evidence, &mut named));
    let routes: Vec<RouteView> = (0..plan.routes.len()).filter_map(|slot| route(plan, state, presents, slot, &named)).collect();
    let party = |culprit: Culprit, name: &Name| party(plan, state, presents, &routes, &culprit, name, now);
    let mut streams: Vec<(Name, Name)> = plan.routes.iter().map(|r| (r.route.provider.clone(), r.route.stream.clone())).collect();
    streams.sort();
    streams.dedup();
    let present = |i: &Incident| {
        let present = presents.get(&i.shown.incident).cloned();
        let delivers = present.as_ref().is_some_and(|present| present.delivers);
        let silenced_until = state.silenced_until(plan, i.shown.kind, &i.shown.culprit, now);
        IncidentView { present, delivers, silenced_until, ..i.shown.clone() }
    };
    let mut open: Vec<IncidentView> = state.open().map(present).collect();
    let mut ended: Vec<IncidentView> =
        state.incidents.values().filter(|i| i.shown.resolved_at.is_some()).map(|i| i.shown.clone()).collect();
    open.sort_by_key(|i| std::cmp::Reverse(i.incident));
    ended.sort_by_key(|i| std::cmp::Reverse(i.resolved_at));
    open.extend(ended);
    View {
        at: now,
        instance: plan.instance.clone(),
        url: plan.url.clone(),
        began: state.began.map_or(now, |b| b.at),
        cut_off_since: state.cut_off_since,
        trouble: None,
        next,
        suspicion_threshold: plan.threshold,
        providers: plan.providers.iter().map(|p| party(Culprit::Provider(p.clone()), p)).collect(),
        accounts: state.accounts(plan),
        streams: streams.into_iter().map(|(p, s)| (p.clone(), party(Culprit::Stream(p, s.clone()), &s))).collect(),
        inboxes: plan.inboxes.iter().map(|name| inbox(plan, state, name, party(Culprit::Inbox(name.clone()), name))).collect(),
        routes,
        identities: portrait::identities(plan, state),
        dns: zone::shown(plan, state),
        strangers: portrait::strangers(plan, state),
        silences: state.silences.iter().filter(|s| s.until > now).cloned().collect(),
        maintenance: people::maintenance(plan, now),
        trials: state.tried_sinks(plan),
        refusing: state.refusing_sinks(plan),
        drill: state.drill_view(),
        drilled: state.drilled_view(),
        incidents: open,
        notices: notices(plan, state),
        submissions: 0,
        unexamined: 0,
        notices_pending: plan
            .sinks
            .keys()
            .map(|sink| {
                let pending = state.outbox.values().filter(|p| p.sinks.contains(sink)).count();
                (sink.clone(), u64::try_from(pending).unwrap_or(u64::MAX))
            })
            .collect(),
        hooks: BTreeMap::new(),
        replies: BTreeMap::new(),
        heartbeats: BTreeMap::new(),
        configuration: Loaded::default(),
        travels: state.travelled(plan),
        legs: Leg::ALL.iter().map(|leg| (*leg, state.legs.get(leg).cloned().unwrap_or_default())).collect(),
    }
}

fn notices(plan: &Plan, state: &State) -> BTreeMap<(Name, Delivery), u64> {
    let all = plan.sinks.keys().flat_map(|sink| Delivery::ALL.map(|end| ((sink.clone(), end), 0)));
    let mut counts: BTreeMap<(Name, Delivery), u64> = all.collect();
    for (sink, end, count) in &state.delivered {
        if let Some(shown) = counts.get_mut(&(sink.clone(), *end)) {
            *shown = *count;
        }
    }
    counts
}

/// The canaries that `evidence` names.
fn name_canaries(evidence: &serde_json::Value, named: &mut BTreeSet<CanaryId>) {
    match evidence {
        serde_json::Value::String(text) => named.extend(text.parse::<CanaryId>()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| name_canaries(item, named)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| name_canaries(field, named)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// The newest canaries of a route, then older ones that `named` has and that are still remembered.
fn recent(route: &RouteState, named: &BTreeSet<CanaryId>) -> Vec<CanaryView> {
    let older = route.canaries.len().saturating_sub(LISTED);
    let oldest = route.canaries.get(older).map(|c| route.id(c.serial));
    let further = named.iter().rev().filter(|id| oldest.is_some_and(|oldest| **id < oldest)).filter_map(|id| route.find(*id));
    route.canaries.iter().rev().take(LISTED).chain(further).map(|c| canary(route, c)).collect()
}

fn route(plan: &Plan, state: &State, presents: &Presents, slot: usize, named: &BTreeSet<CanaryId>) -> Option<RouteView> {
    let planned = plan.routes.get(slot)?;
    let route = &planned.route;
    let known = state.routes.get(slot);
    let tally = evidence::tally(plan, state, slot);
    let verdict::OfRoute { verdict, reason, own, own_reason, incident } = verdict::of_route(state, presents, route, &tally, known);
    // Of all suspects that cover it the odds of the likeliest, on the scale of a route that is alone.
    let odds = planned.suspects.iter().map(|s| alarm::odds(plan, state, *s)).fold(f64::NEG_INFINITY, f64::max);
    Some(RouteView {
        route: route.clone(),
        verdict,
        reason,
        own,
        own_reason,
        incident,
        suspicion: (odds - plan.ln_alarm + plan.threshold).max(0.0),
        deadline: planned.deadline,
        in_flight: known.map_or(0, |r| u64::try_from(r.in_flight().count()).unwrap_or(u64::MAX)),
        last_arrival: known.and_then(|r| r.last_arrival),
        recent: known.map_or_else(Vec::new, |r| recent(r, named)),
        counts: known.map_or_else(RouteCounts::default, |r| r.counts.clone()),
        latency: known.map_or_else(Histogram::default, |r| r.latency.clone()),
    })
}

fn party(plan: &Plan, state: &State, presents: &Presents, routes: &[RouteView], culprit: &Culprit, name: &Name, now: At) -> PartyView {
    let mine: Vec<&RouteView> = routes.iter().filter(|r| culprit.covers(&r.route)).collect();
    let (verdict, reason) = verdict::of_party(state, presents, &mine, culprit);
    let traffic = traffic(plan, state, &mine, culprit, now);
    let held =
        traffic.held_until.map_or_else(String::new, |until| format!("; the provider wants no mail before {until}, and is sent none"));
    PartyView { name: name.clone(), verdict, reason: reason + &held, traffic }
}

fn traffic(plan: &Plan, state: &State, mine: &[&RouteView], culprit: &Culprit, now: At) -> Traffic {
    let planned: Vec<_> = mine.iter().filter_map(|r| plan.find(&r.route).and_then(|slot| plan.routes.get(slot))).collect();
    let provider = if let Culprit::Provider(name) | Culprit::Stream(name, _) = culprit { Some(name) } else { None };
    Traffic {
        standby: !planned.is_empty() && planned.iter().all(|r| r.standby),
        every: planned.iter().map(|r| r.every).min().unwrap_or_default(),
        last_sent: mine.iter().filter_map(|r| r.recent.first()).map(|c| c.sent_at).max(),
        last_arrival: mine.iter().filter_map(|r| r.last_arrival).max(),
        budget: plan.limits.cap(culprit).map(|cap| (cap, state.spent.of(culprit, state.at))),
        held_until: provider.and_then(|name| state.held_until(name, now)),
    }
}

fn inbox(plan: &Plan, state: &State, name: &Name, party: PartyView) -> InboxView {
    let known = state.inboxes.get(name);
    InboxView {
        name: party.name,
        verdict: party.verdict,
        reason: party.reason,
        sight: known.and_then(|i| i.sight),
        horizon: known.and_then(|i| state.horizon(i)),
        forged: known.map_or(0, |i| i.forged),
        replayed: known.map_or(0, |i| i.replayed),
        budget: party.traffic.budget,
        expires: plan.expires.get(name).copied(),
    }
}

fn canary(route: &RouteState, canary: &Canary) -> CanaryView {
    let state = match (canary.placement(), canary.outcome()) {
        (Some(placement), _) => {
            let late = if canary.is_lost() { ", after its deadline" } else { "" };
            format!("arrived in {} ({}){late}", canary.latency().unwrap_or_default(), placement.as_str())
        }
        (None, Some(Outcome::Refused(class))) => format!("refused: {class}"),
        (None, _) if canary.is_lost() => "lost".to_owned(),
        (None, _) if canary.is_forgotten() => "its fate is unknown".to_owned(),
        (None, Some(Outcome::Accepted)) => "accepted, in flight".to_owned(),
        (None, Some(Outcome::Unknown)) => "perhaps in flight: cut off while it was handed over".to_owned(),
        (None, None) => "being handed over".to_owned(),
    };
    let mismatch =
        route.canaries.mismatch(canary).map_or_else(String::new, |why| format!("; a mail with its token is not as expected: {why}"));
    let said = route.canaries.trace(canary).and_then(|trace| trace.said.as_ref()).map_or_else(String::new, |said| {
        let words = said.words.as_ref().map_or_else(String::new, |words| format!(": {words}"));
        format!("; the provider says: {}{words}", said.fate.in_words())
    });
    CanaryView {
        canary: route.id(canary.serial),
        sent_at: canary.sent_at(),
        became: became(canary),
        latency: canary.latency(),
        placement: canary.placement(),
        state: state + &mismatch + &said,
    }
}

fn became(canary: &Canary) -> Became {
    match canary.outcome() {
        _ if canary.has_arrived() => {
            if canary.is_lost() {
                Became::Late
            } else {
                Became::Arrived
            }
        }
        Some(Outcome::Refused(_)) => Became::Refused,
        _ if canary.is_lost() => Became::Lost,
        _ if canary.is_forgotten() => Became::Forgotten,
        Some(Outcome::Accepted | Outcome::Unknown) | None => Became::InFlight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canaries_are_named_anywhere_in_evidence() {
        let mut named = BTreeSet::new();
        name_canaries(&json!({"first_bad": {"canary": "00000001000000ff"}, "n": 1, "list": ["0000000200000001", "no"]}), &mut named);
        assert_eq!(named.into_iter().map(CanaryId::bits).collect::<Vec<_>>(), [0x1_0000_00ff, 0x2_0000_0001]);
    }
}
