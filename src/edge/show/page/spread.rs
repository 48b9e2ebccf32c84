//! How latencies are spread: quantiles in which what never came counts as longer than everything.

use crate::model::past::{Became, Point};
use crate::model::{At, Placement, Span};

/// How long a share of the mail took at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Took {
    /// This long.
    Within(Span),
    /// So much of it never came that there is no such time.
    Never,
}

/// The shares that are told: half, nine in ten, ninety-nine in a hundred; in thousandths.
const SHARES: [usize; 3] = [500, 900, 990];
/// Their names.
pub(super) const NAMES: [&str; 3] = ["median", "90th", "99th"];

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
    /// Of these canaries.
    pub(super) fn of<'p>(points: impl IntoIterator<Item = &'p Point>) -> Self {
        let mut spread = Self::default();
        let mut all = Vec::new();
        for point in points {
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
                (Some(latency), _) => all.push(Took::Within(latency)),
                (None, Became::Lost | Became::Refused) => all.push(Took::Never),
                (None, Became::InFlight | Became::Arrived | Became::Late | Became::Forgotten) => {}
            }
        }
        all.sort_unstable();
        let [half, nine, most] = SHARES.map(|share| all.get((all.len() * share).div_ceil(1000).saturating_sub(1)).copied());
        spread.took = half.zip(nine).zip(most).map(|((half, nine), most)| [half, nine, most]);
        spread
    }

    /// What is not as it should be, in words; nothing if all is.
    pub(super) fn troubles(&self) -> String {
        let counts = [(self.lost, "lost"), (self.refused, "refused"), (self.late, "late"), (self.junk, "in junk")];
        let told: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        told.join(", ")
    }
}

/// Cuts the time between two instants into at most `most` equal stretches, and says of each what became of what was sent in it.
pub(super) fn stretches(points: &[Point], [from, to]: [At; 2], most: u64) -> Vec<([At; 2], Spread)> {
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
        (ends, Spread::of(part))
    };
    parts.into_iter().map(one).filter(|(_, spread)| spread.sent > 0).collect()
}

/// As people read it. Receivers tell the time of arrival to the second: nothing finer is claimed.
pub(super) fn said(took: Took) -> String {
    match took {
        Took::Within(span) if span < Span::from_secs(1) => "<1s".to_owned(),
        Took::Within(span) => Span::from_secs((span.as_ms() + 500) / 1000).to_string(),
        Took::Never => "never".to_owned(),
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

    #[test]
    fn what_never_came_is_longer_than_everything() {
        let mut points: Vec<Point> = (1..=89).map(|n| point(n, Became::Arrived, Some(n))).collect();
        points.extend((90..=100).map(|n| point(n, if n % 2 == 0 { Became::Lost } else { Became::Refused }, None)));
        points.push(point(101, Became::InFlight, None));
        points.push(point(102, Became::Forgotten, None));
        let spread = Spread::of(&points);
        let within = |secs| Took::Within(Span::from_secs(secs));
        assert_eq!(spread.took, Some([within(50), Took::Never, Took::Never]));
        assert_eq!((spread.sent, spread.lost, spread.refused, spread.in_flight), (102, 6, 5, 1));
        assert_eq!(spread.troubles(), "6 lost, 5 refused");
        assert_eq!(Spread::of(&points[..89]).took, Some([within(45), within(81), within(89)]));
        assert_eq!(Spread::of(&points[100..]).took, None, "nothing is known of what is on its way");
    }

    #[test]
    fn stretches_leave_nothing_out_and_nothing_twice() {
        let points: Vec<Point> = (0..100).rev().map(|n| point(n, Became::Arrived, Some(1))).collect();
        let ends = [At::from_ms(0), At::from_ms(100_000)];
        let cut = stretches(&points, ends, 7);
        assert_eq!(cut.iter().map(|(_, spread)| spread.sent).sum::<usize>(), 100);
        assert!(cut.len() == 7 && cut.windows(2).all(|w| w[0].0[1] == w[1].0[0]) && cut[6].0[1] == ends[1]);
        assert_eq!(stretches(&points, [ends[0], ends[0]], 7), []);
    }
}
