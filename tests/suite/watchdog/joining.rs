//! Other settings beside the same state: routes that join have canaries of their own, those that stay go on, those that go are let go.

use std::collections::BTreeMap;

use mailcanary::model::{Placement, Route, Span};
use mailcanary::watchdog::Watchdog;

use super::world::{World, settings};

/// The same state with other settings, as a restart or a reload has it.
fn exchange(w: &mut World, providers: usize, streams: usize) {
    w.settings = settings(providers, streams, 2, Span::from_secs(60));
    w.dog = Watchdog::replay(&w.settings, Some(&w.dog.checkpoint().unwrap()), []).unwrap();
}

fn arrived(w: &World) -> BTreeMap<Route, u64> {
    let count = |r: &mailcanary::watchdog::RouteView| r.counts.arrived.get(&Placement::Inbox).copied().unwrap_or_default();
    w.dog.view(w.now).routes.iter().map(|r| (r.route.clone(), count(r))).collect()
}

#[test]
fn routes_that_join_and_leave_disturb_nobody() {
    let mut w = World::new(settings(1, 1, 2, Span::from_secs(60)));
    w.run(Span::from_secs(1830));
    let before = arrived(&w);
    assert!(before.len() == 2 && before.values().all(|n| *n >= 28), "{before:?}");
    exchange(&mut w, 2, 2);
    let joined_at = w.now;
    w.run(Span::from_secs(1830));
    let after = arrived(&w);
    assert!(after.len() == 8 && after.values().all(|n| *n >= 28), "{after:?}");
    assert!(before.iter().all(|(route, n)| after[route] >= n + 28), "those that stay go on: {before:?} {after:?}");
    let mut keys: Vec<u64> = w.sent.iter().map(|(_, canary, _)| canary.bits() >> 32).collect();
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() == 8 && keys[0] != 0, "each route counts for itself: {keys:?}");
    // No burst: what came due before a route was there is not caught up with.
    let first: Vec<_> = w.sent.iter().filter(|(at, ..)| at.since(joined_at) < Span::from_secs(5) && *at >= joined_at).collect();
    assert!(first.len() < 4, "{first:?}");
    // Canaries of routes that go are answered and sighted after they have gone: each is taken in.
    exchange(&mut w, 1, 1);
    w.run(Span::from_secs(600));
    assert_eq!(arrived(&w).len(), 2);
    assert!(w.notices.is_empty(), "{:?}", w.notices);
}
