//! How a route, and who has a part in several, is doing, and why: what is shown, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::alarm::Alarm;
use super::count::{BUCKETS_MS, Histogram};
use super::evidence::Tally;
use super::explain;
use super::flight::RouteState;
use super::hold::Sort;
use super::outbox::Incident;
use super::own;
use super::state::State;
use super::view::{Present, RouteView};
use crate::model::{Class, Culprit, DeliveryKind, IncidentId, Kind, Own, Route, Span, Verdict};

/// What can be said of open incidents now.
pub(super) type Presents = BTreeMap<IncidentId, Present>;

/// Arrivals from which on it is said how long mail usually takes: before, it would be what was assumed of routes that nobody has seen.
const ENOUGH: u64 = 20;
/// Receivers stamp mail to the second: nothing finer is claimed.
const FINEST: Span = Span::from_secs(1);
/// How the reason of a route begins that has no part in the failure that covers it.
const DELIVERS: &str = "this route itself delivers";
/// Canaries sent so long before an alarm may have been its first victims.
const ONSET: Span = Span::from_secs(600);

/// What is shown of how a route is doing.
#[derive(Debug)]
pub(super) struct OfRoute {
    /// The worst of what covers it.
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    /// What it itself shows, and why that is said.
    pub(super) own: Own,
    pub(super) own_reason: String,
    /// The incident by which the verdict is as it is.
    pub(super) incident: Option<IncidentId>,
}

impl OfRoute {
    /// One that nothing covers: its verdict is its own.
    fn alone(verdict: Verdict, reason: String) -> Self {
        let own = match verdict {
            Verdict::Delivering => Own::Delivering,
            Verdict::Degraded => Own::Missing,
            Verdict::Stopped => Own::Nothing,
            Verdict::Unknown => Own::Unknown,
        };
        Self { verdict, own, own_reason: reason.clone(), reason, incident: None }
    }

    /// One that a failure covers. Where it has no part in that, its reason says so first.
    fn covered(verdict: Verdict, told: String, (own, own_reason): (Own, String), incident: Option<IncidentId>) -> Self {
        let reason = if own == Own::Delivering { format!("{DELIVERS}: {own_reason}; {told}") } else { told };
        Self { verdict, reason, own, own_reason, incident }
    }
}

/// How a route is doing.
pub(super) fn of_route(state: &State, presents: &Presents, route: &Route, tally: &Tally, known: Option<&RouteState>) -> OfRoute {
    let worst = state
        .open()
        .filter(|i| i.shown.kind.is_delivery() && !i.is_of_seed() && i.shown.culprit.covers(route))
        // Of what delivers again the canaries themselves tell how it is.
        .filter(|i| !delivers(state, presents, i))
        .max_by_key(|i| (i.shown.severity, i.shown.kind == Kind::Stopped));
    if state.cut_off_since.is_some() {
        return OfRoute::alone(Verdict::Unknown, "the watcher has no network".to_owned());
    }
    if let Some(blind) = state.inboxes.get(&route.inbox).and_then(|i| i.blind.as_ref()) {
        let why = blind.why.as_deref().unwrap_or("unreadable");
        return OfRoute::alone(Verdict::Unknown, format!("inbox `{}` cannot be read since {}: {why}", route.inbox, blind.since));
    }
    if let Some(incident) = worst {
        let verdict = if is_stopped_by(state, incident, tally) { Verdict::Stopped } else { Verdict::Degraded };
        let slow = incident.shown.kind == Kind::Slow;
        let itself = own::of_route(known, tally, incident.shown.since(), slow);
        return OfRoute::covered(verdict, told(presents, incident), itself, Some(incident.shown.incident));
    }
    if let Some(alarm) = state.alarms.iter().find(|a| a.culprit.covers(route)) {
        let stopped = alarm.sort == Sort::Stop && !delivers_since(tally, alarm);
        let verdict = if stopped { Verdict::Stopped } else { Verdict::Degraded };
        let (whose, since) = (explain::subject(&alarm.culprit), alarm.since);
        let told = format!("{whose} shows a failure since {since}; not long enough for a page");
        // What it was raised by was sent before it.
        let itself = own::of_route(known, tally, since.minus(ONSET), alarm.sort == Sort::Slow);
        return OfRoute::covered(verdict, told, itself, None);
    }
    if known.is_some_and(RouteState::is_suppressed) {
        let why =
            format!("provider `{}` does not write to the seed of inbox `{}`: what does not come says nothing", route.provider, route.inbox);
        return OfRoute::alone(Verdict::Unknown, why);
    }
    if known.is_none_or(|r| r.last_arrival.is_none()) {
        return OfRoute::alone(Verdict::Unknown, "no canary has arrived yet".to_owned());
    }
    let usual = known.and_then(|r| usual(&r.latency)).map_or_else(String::new, |u| format!("; nearly all take no longer than {u}"));
    match tally.row {
        0 => OfRoute::alone(Verdict::Delivering, format!("the newest canaries arrived{usual}")),
        1 => OfRoute::alone(Verdict::Delivering, format!("1 canary is overdue{usual}")),
        row => OfRoute::alone(Verdict::Degraded, format!("{row} canaries in a row are overdue{usual}")),
    }
}

/// Whether a route of an incident's culprit has stopped with it. What has stopped for all has stopped here too, however little was sent
/// over this route since, until mail that was sent since has arrived.
fn is_stopped_by(state: &State, incident: &Incident, tally: &Tally) -> bool {
    let shown = &incident.shown;
    let alarm = state.alarms.iter().find(|a| a.culprit == shown.culprit);
    let delivers = || match alarm {
        Some(alarm) => delivers_since(tally, alarm),
        None => tally.row == 0 && tally.good_sent_at.is_some_and(|at| at >= shown.opened_at),
    };
    match shown.kind.delivery() {
        Some(DeliveryKind::Stopped) => !delivers(),
        // Of a refusal that is not the whole account's the other routes need not know.
        Some(DeliveryKind::Refused) if alarm.is_some() || incident.is_of_account() => !delivers(),
        Some(DeliveryKind::Refused) => tally.row > 0,
        Some(DeliveryKind::Loss | DeliveryKind::Slow | DeliveryKind::Junked) | None => false,
    }
}

fn delivers_since(tally: &Tally, alarm: &Alarm) -> bool {
    tally.row == 0 && tally.good_sent_at.is_some_and(|at| at >= alarm.blamed_at)
}

/// Whether mail arrives again of which an incident is still open, and no alarm stands against its culprit.
fn delivers(state: &State, presents: &Presents, incident: &Incident) -> bool {
    let arrives = presents.get(&incident.shown.incident).is_some_and(|present| present.delivers);
    arrives && state.alarms.iter().all(|a| a.culprit != incident.shown.culprit)
}

fn told(presents: &Presents, incident: &Incident) -> String {
    let shown = &incident.shown;
    let summary = presents.get(&shown.incident).map_or(&shown.last.summary, |present| &present.summary);
    format!("incident {}: {summary}", shown.incident)
}

/// What 19 of 20 took at most, as measured, once there is enough of it.
fn usual(latency: &Histogram) -> Option<Span> {
    let count = latency.count();
    let mut within = 0_u64;
    let bound = latency.buckets.iter().zip(BUCKETS_MS).find(|(bucket, _)| {
        within = within.saturating_add(**bucket);
        within.saturating_mul(20) >= count.saturating_mul(19)
    });
    bound.filter(|_| count >= ENOUGH).map(|(_, ms)| Span::from_ms(ms).max(FINEST))
}

/// How a provider, a stream of one, or an inbox is doing, that has a part in the routes `mine`.
pub(super) fn of_party(state: &State, presents: &Presents, mine: &[&RouteView], culprit: &Culprit) -> (Verdict, String) {
    let all = |verdict: Verdict| !mine.is_empty() && mine.iter().all(|r| r.verdict == verdict);
    if all(Verdict::Unknown) {
        return (Verdict::Unknown, mine.first().map_or_else(String::new, |r| r.reason.clone()));
    }
    // What a whole provider does not deliver, none of its streams does.
    let whole = || if let Culprit::Stream(p, _) = culprit { state.open_delivery(&Culprit::Provider(p.clone())) } else { None };
    let open = state.open_delivery(culprit).or_else(whole);
    if let Some(incident) = open.filter(|i| !delivers(state, presents, i)) {
        let stopped = matches!(incident.shown.kind, Kind::Stopped | Kind::Refused);
        // Once what was sent since arrives everywhere it stands still no more.
        let stands = mine.iter().any(|r| r.verdict == Verdict::Stopped);
        let verdict = if stopped && stands { Verdict::Stopped } else { Verdict::Degraded };
        return (verdict, told(presents, incident));
    }
    let (verdict, reason) = by_routes(state, presents, mine, culprit);
    let calm = open.map_or_else(String::new, |incident| format!("; {}", told(presents, incident)));
    (verdict, reason + &calm)
}

/// The same by the verdicts of the routes alone.
fn by_routes(state: &State, presents: &Presents, mine: &[&RouteView], culprit: &Culprit) -> (Verdict, String) {
    let all = |verdict: Verdict| !mine.is_empty() && mine.iter().all(|r| r.verdict == verdict);
    let bad = || mine.iter().filter(|r| matches!(r.verdict, Verdict::Stopped | Verdict::Degraded));
    let others: Vec<&Culprit> = bad().filter_map(|r| other(state, presents, culprit, &r.route)).collect();
    let (bad, subject) = (bad().count(), explain::subject(culprit));
    let names: BTreeSet<String> = others.iter().map(|other| explain::subject(other)).collect();
    let names = names.into_iter().take(3).collect::<Vec<_>>().join(", ");
    if others.len() == mine.len() && !mine.is_empty() && matches!(culprit, Culprit::Inbox(_)) {
        return (Verdict::Unknown, format!("all mail to {subject} goes through {names}, whose failure it is"));
    }
    if all(Verdict::Stopped) {
        return (Verdict::Stopped, format!("all {} routes of {subject} are stopped", mine.len()));
    }
    if bad > others.len() || (bad == mine.len() && bad > 0) {
        return (Verdict::Degraded, format!("{bad} of {} routes of {subject} have trouble", mine.len()));
    }
    let well = mine.iter().filter(|r| r.verdict == Verdict::Delivering).count();
    let others = if bad == 0 { String::new() } else { format!("; the trouble of {bad} is that of {names}") };
    (Verdict::Delivering, format!("{well} of {} routes deliver{others}", mine.len()))
}

/// Whose failure the trouble of a route is, if that is known and it is not that of `culprit`, which has a part in it too: what a provider
/// loses is no inbox's doing, and what an inbox does not take is no provider's.
fn other<'s>(state: &'s State, presents: &Presents, culprit: &Culprit, route: &Route) -> Option<&'s Culprit> {
    let fails = |i: &&Incident| i.shown.kind.is_delivery() && !i.is_of_seed() && !delivers(state, presents, i);
    let incidents = state.open().filter(fails).map(|i| &i.shown.culprit);
    let mut blamed = incidents.chain(state.alarms.iter().map(|a| &a.culprit)).filter(|blamed| blamed.covers(route));
    let is_inbox = matches!(culprit, Culprit::Inbox(_));
    let beside = |blamed: &&Culprit| match blamed {
        Culprit::Provider(_) | Culprit::Stream(..) => is_inbox,
        Culprit::Inbox(_) => !is_inbox,
        Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => false,
    };
    let first = blamed.next().filter(beside)?;
    blamed.all(|next| beside(&next)).then_some(first)
}

impl Incident {
    /// Whether it is about a whole account, by the class of its refusal.
    fn is_of_account(&self) -> bool {
        matches!(self.class, Some(Class::Suspended | Class::Auth | Class::Quota))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_said_only_of_what_was_measured() {
        let mut latency = Histogram::default();
        for n in 1..=100 {
            latency.observe(if n % 25 == 0 { Span::from_secs(50) } else { Span::ZERO });
            assert_eq!(usual(&latency).is_some(), n >= 20, "{n}");
        }
        assert_eq!(usual(&latency), Some(FINEST), "no finer than receivers tell");
        (0..2000).for_each(|_| latency.observe(Span::from_ms(3500)));
        assert_eq!(usual(&latency), Some(Span::from_secs(4)));
        (0..9000).for_each(|_| latency.observe(Span::from_secs(200_000)));
        assert_eq!(usual(&latency), None, "longer than any bound");
    }
}
