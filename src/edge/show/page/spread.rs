//! How latencies are spread. What never came counts as longer than everything; what is on its way, as longer than it has been away.

use crate::model::past::{Became, Point};
use crate::model::{At, Placement, Span, Verdict};
use crate::watchdog::count::BUCKETS_MS;
use crate::watchdog::{RouteView, View};

/// How long a share of the mail took at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Took {
    /// This long.
    Within(Span),
    /// Less than that share has come.
    NotReached,
}

/// The shares that are told: half, nine in ten, ninety-nine in a hundred.
const SHARES: [f64; 3] = [0.5, 0.9, 0.99];
/// Their names.
pub(super) const NAMES: [&str; 3] = ["median", "90th", "99th"];
/// What a share of what is left may differ by from one that is told, and be it: floating point.
const SAME: f64 = 1e-9;
/// Nothing is out for long before this.
const SOON: Span = Span::from_secs(5);
/// Arrivals since mail was last missing that tell how it goes now.
const ENOUGH: usize = 5;

/// Of what took as long, what counts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// It is on its way no longer than mail is as a rule.
    AsEver,
    /// It came.
    Came,
    /// It was away for so long, and has not come.
    Away,
}

/// What became of the canaries of one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// All.
    pub(super) sent: usize,
    /// That never came, and are not expected.
    pub(super) lost: usize,
    /// That were not taken.
    pub(super) refused: usize,
    /// That came after their deadline.
    pub(super) late: usize,
    /// That lay in Junk.
    pub(super) junk: usize,
    /// That are on their way.
    pub(super) in_flight: usize,
    /// For each share, if anything is known.
    pub(super) took: Option<[Took; 3]>,
}

impl Spread {
    /// Of these canaries. `seen`: up to when all is known that lay in their inbox; what came later is no sign.
    pub(super) fn of<'p>(points: impl IntoIterator<Item = (&'p Point, At)>) -> Self {
        let mut spread = Self::default();
        let (mut came, mut away, mut gone) = (Vec::new(), Vec::<Span>::new(), 0);
        for (point, seen) in points {
            spread.sent += 1;
            spread.junk += usize::from(point.placement == Some(Placement::Junk));
            match point.became {
                Became::InFlight => spread.in_flight += 1,
                Became::Arrived => {}
                Became::Late => spread.late += 1,
                Became::Lost => spread.lost += 1,
                Became::Refused => spread.refused += 1,
                Became::Forgotten => continue,
            }
            match (point.latency, point.became) {
                (Some(latency), _) => came.push(latency),
                (None, Became::Lost | Became::Refused) => gone += 1,
                (None, Became::InFlight) => away.push(seen.since(point.sent_at)),
                (None, Became::Arrived | Became::Late | Became::Forgotten) => {}
            }
        }
        // What is not out for much longer than the slowest that came is on its way as ever, and does not put the slowest in doubt.
        let slowest = came.iter().max().copied().unwrap_or_default();
        let patience = slowest.scaled(2, 1).max(SOON);
        let away: Vec<(Span, Order)> =
            away.into_iter().map(|age| if age <= patience { (age.min(slowest), Order::AsEver) } else { (age, Order::Away) }).collect();
        spread.took = (!came.is_empty() || gone > 0).then(|| quantiles(&came, &away, gone));
        spread
    }

    /// What is not as it should be, in words; nothing if all is.
    pub(super) fn troubles(&self) -> String {
        let counts = [(self.lost, "lost"), (self.refused, "refused"), (self.late, "late"), (self.junk, "in junk")];
        let told: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        told.join(", ")
    }
}

/// By Kaplan and Meier (1958): what is on its way counts among those that could still come for as long as it was away, and says nothing of
/// later. `gone`: how many never come.
fn quantiles(came: &[Span], away: &[(Span, Order)], gone: usize) -> [Took; 3] {
    let mut all: Vec<(Span, Order)> = came.iter().map(|span| (*span, Order::Came)).chain(away.iter().copied()).collect();
    all.sort_unstable();
    let (mut left, mut share) = (all.len() + gone, 1.0);
    let mut took = [Took::NotReached; 3];
    for (span, order) in all {
        if order == Order::Came {
            share *= 1.0 - 1.0 / left.max(1) as f64;
            for (told, wanted) in took.iter_mut().zip(SHARES) {
                if *told == Took::NotReached && share <= 1.0 - wanted + SAME {
                    *told = Took::Within(span);
                }
            }
        }
        left -= 1;
    }
    took
}

/// What nearly all that ever came over a route took at most, as finely as it is counted; nothing if too little came.
pub(super) fn usual(route: &RouteView) -> Option<Span> {
    let count = route.latency.count();
    let mut within = 0_u64;
    let bound = route.latency.buckets.iter().zip(BUCKETS_MS).find(|(bucket, _)| {
        within = within.saturating_add(**bucket);
        within.saturating_mul(100) >= count.saturating_mul(99)
    });
    bound.filter(|_| count >= ENOUGH as u64).map(|(_, ms)| Span::from_ms(ms))
}

/// Up to when it is known what has come over a route.
pub(super) fn seen(view: &View, route: &RouteView) -> At {
    let inbox = view.inboxes.iter().find(|inbox| inbox.name == route.route.inbox);
    inbox.and_then(|inbox| inbox.horizon).unwrap_or_default().min(view.at)
}

/// Those of a route's newest canaries, newest first, that tell how long its mail takes now: all, or of a route that delivers again, and of
/// which much is missing, those that were sent since.
pub(super) fn telling<'p>(view: &View, route: &RouteView, points: &'p [Point]) -> Vec<(&'p Point, At)> {
    let seen = seen(view, route);
    let all = || points.iter().map(|point| (point, seen));
    let is_missing = |point: &Point| matches!(point.became, Became::Lost | Became::Refused);
    let since = points.iter().position(is_missing).unwrap_or(points.len());
    let is_reached = || Spread::of(all()).took.is_none_or(|took| !took.contains(&Took::NotReached));
    let arrived = points.iter().take(since).filter(|point| point.latency.is_some()).count();
    if route.verdict != Verdict::Delivering || arrived < ENOUGH || is_reached() { all().collect() } else { all().take(since).collect() }
}

/// Cuts the time between two instants into at most `most` equal stretches, and says of each what became of what was sent in it.
pub(super) fn stretches(points: &[Point], [from, to]: [At; 2], seen: At, most: u64) -> Vec<([At; 2], Spread)> {
    let step = Span::from_ms(to.since(from).as_ms().div_ceil(most.max(1)).max(1));
    let mut parts: Vec<Vec<&Point>> = Vec::new();
    for point in points.iter().filter(|p| p.sent_at >= from && p.sent_at < to) {
        let place = usize::try_from(point.sent_at.since(from).as_ms() / step.as_ms()).unwrap_or(usize::MAX);
        if parts.len() <= place {
            parts.resize(place + 1, Vec::new());
        }
        if let Some(part) = parts.get_mut(place) {
            part.push(point);
        }
    }
    let mut begin = from;
    let one = |part: Vec<&Point>| {
        let ends = [begin, begin.plus(step).min(to)];
        begin = begin.plus(step);
        (ends, Spread::of(part.into_iter().map(|point| (point, seen))))
    };
    parts.into_iter().map(one).filter(|(_, spread)| spread.sent > 0).collect()
}

/// As people read it. Receivers tell the time of arrival to the second: nothing finer is claimed.
pub(super) fn said(took: Took) -> String {
    match took {
        Took::Within(span) if span < Span::from_secs(1) => "<1s".to_owned(),
        Took::Within(span) => Span::from_secs((span.as_ms() + 500) / 1000).to_string(),
        Took::NotReached => "not reached".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CanaryId;

    fn point(n: u64, became: Became, secs: Option<u64>) -> Point {
        let placement = secs.map(|_| Placement::Inbox);
        Point {
            canary: CanaryId::from_bits(n),
            sent_at: At::from_ms(0).plus(Span::from_secs(n)),
            became,
            latency: secs.map(Span::from_secs),
            placement,
        }
    }

    fn of(points: &[Point], seen: u64) -> Spread {
        Spread::of(points.iter().map(|point| (point, At::from_ms(0).plus(Span::from_secs(seen)))))
    }

    const fn within(secs: u64) -> Took {
        Took::Within(Span::from_secs(secs))
    }

    #[test]
    fn what_never_came_is_longer_than_everything() {
        let mut points: Vec<Point> = (1..=89).map(|n| point(n, Became::Arrived, Some(n))).collect();
        points.extend((90..=100).map(|n| point(n, if n % 2 == 0 { Became::Lost } else { Became::Refused }, None)));
        points.push(point(101, Became::InFlight, None));
        points.push(point(102, Became::Forgotten, None));
        let spread = of(&points, 101);
        assert_eq!(spread.took, Some([within(50), Took::NotReached, Took::NotReached]));
        assert_eq!((spread.sent, spread.lost, spread.refused, spread.in_flight), (102, 6, 5, 1));
        assert_eq!(spread.troubles(), "6 lost, 5 refused");
        assert_eq!(of(&points[..89], 101).took, Some([within(45), within(81), within(89)]));
        assert_eq!(of(&points[100..], 900).took, None, "nothing is known of what is on its way");
    }

    #[test]
    fn what_is_overdue_counts_for_as_long_as_it_was_away() {
        let mut points: Vec<Point> = (0..470).map(|n| point(n, Became::Arrived, Some(1))).collect();
        points.extend((470..500).map(|n| point(n, Became::InFlight, None)));
        assert_eq!(of(&points, 800).took, Some([within(1), within(1), Took::NotReached]), "30 of 500 are missing");
        assert_eq!(of(&points, 470).took, Some([within(1); 3]), "an inbox that was not read since proves nothing");
        // Nor one that is on its way, where all is there within the step of the receiver's clock.
        let mut quick: Vec<Point> = (0..60).map(|n| point(n, Became::Arrived, Some(0))).collect();
        quick.push(point(60, Became::InFlight, None));
        assert_eq!(of(&quick, 62).took, Some([within(0); 3]));
        // What was sent a moment ago does not make the rest look slow.
        let mut points: Vec<Point> = (1..=100).map(|n| point(n, Became::Arrived, Some(n))).collect();
        points.extend((0..9).map(|_| point(200, Became::InFlight, None)));
        assert_eq!(of(&points, 200).took, of(&points[..100], 200).took);
        // Nor does what is out for as long as the slowest was; much longer is another matter.
        points.truncate(102);
        assert_eq!(of(&points, 350).took.map(|[.., most]| most), Some(within(100)));
        assert_eq!(of(&points, 450).took.map(|[half, _, most]| (half, most)), Some((within(51), Took::NotReached)));
    }

    #[test]
    fn stretches_leave_nothing_out_and_nothing_twice() {
        let points: Vec<Point> = (0..100).rev().map(|n| point(n, Became::Arrived, Some(1))).collect();
        let ends = [At::from_ms(0), At::from_ms(100_000)];
        let cut = stretches(&points, ends, ends[1], 7);
        assert_eq!(cut.iter().map(|(_, spread)| spread.sent).sum::<usize>(), 100);
        assert!(cut.len() == 7 && cut.windows(2).all(|w| w[0].0[1] == w[1].0[0]) && cut[6].0[1] == ends[1]);
        assert_eq!(stretches(&points, [ends[0], ends[0]], ends[1], 7), []);
    }
}
