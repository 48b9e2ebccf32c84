//! Mail that takes a little longer than it did is nobody's outage.

use mailcanary::model::{Change, Kind, Placement, Route, Severity, Span};

use super::world::{Fate, World, settings};

/// Mail of which half takes so many seconds, and one in a hundred four times as long.
fn takes(median: f64, n: u64) -> Span {
    let some = ((n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 + 0.5) / (1_u64 << 24) as f64;
    Span::from_ms((median * 1000.0 * (some / (1.0 - some)).powf(0.3)) as u64)
}

/// An hour and a half of health, then as much of mail over such routes that takes longer by a factor.
fn slower(by: f64, which: fn(&Route) -> bool) -> World {
    let mut w = World::new(settings(3, 1, 4, Span::from_secs(60)));
    let from = w.now.plus(Span::from_secs(5400));
    w.rules.insert(
        0,
        Box::new(move |route, sent, n| {
            let median = if sent >= from && which(route) { 4.0 * by } else { 4.0 };
            Some(Fate::Arrives(takes(median, n), Placement::Inbox))
        }),
    );
    w.run(Span::from_secs(8_100));
    w
}

const WHOSE: [fn(&Route) -> bool; 3] = [|_| true, |r| r.provider.as_str() == "p0", |r| r.inbox.as_str() == "i0"];

#[test]
fn twice_or_three_times_as_long_calls_nobody() {
    for (whose, by) in WHOSE.into_iter().flat_map(|whose| [(whose, 2.0), (whose, 3.0)]) {
        let w = slower(by, whose);
        let paged: Vec<_> = w.notices.iter().filter(|(_, n)| n.severity == Severity::Page).collect();
        assert!(paged.is_empty(), "by {by}: {paged:#?}");
    }
}

#[test]
fn ten_or_thirty_times_as_long_is_one_page_that_stays_what_it_is() {
    for (whose, by) in WHOSE.into_iter().flat_map(|whose| [(whose, 10.0), (whose, 30.0)]) {
        let w = slower(by, whose);
        let told: Vec<_> = w.notices.iter().map(|(at, n)| (*at, n.change, n.kind, n.summary.clone())).collect();
        assert_eq!((w.opened().len(), w.opened()[0].severity), (1, Severity::Page), "by {by}: {told:#?}");
        let last = w.notices.last().map(|(_, n)| n.kind);
        assert!(last == Some(Kind::Slow) && w.told(Change::Updated) <= 3, "by {by}: {told:#?}");
    }
}
