//! What a route's own canaries show while a failure covers it: whether it has a part in that failure, or is only named with its culprit.

use super::canary::Canary;
use super::evidence::Tally;
use super::flight::RouteState;
use crate::model::{At, Own};

/// So many in a row that are overdue are no accident of a route that loses some.
const ROW: u64 = 3;
/// So many tell that nothing arrives, where nothing has since the failure began.
const FEW: u64 = 2;
/// Of so many of the newest arrivals most must have been late.
const NEWEST: usize = 5;

/// How it does since `since`, and why: a few words that stand alone. `slow`: what covers it is a delay.
pub(super) fn of_route(known: Option<&RouteState>, tally: &Tally, since: At, slow: bool) -> (Own, String) {
    let settled = || tally.settled.iter().filter(|(sent_at, _)| *sent_at >= since);
    let (all, came) = (settled().count(), settled().filter(|(_, arrived)| *arrived).count());
    let missing = all - came;
    // What is late is missing for as long as it is on its way.
    if let Some(late) = known.filter(|_| slow).and_then(|route| late(route, tally, since)) {
        return (Own::Late, late);
    }
    if tally.row >= ROW || (tally.row >= FEW && came == 0) {
        let (row, begun) = (tally.row, tally.row_since.unwrap_or(since));
        return match tally.row_class {
            Some(class) => (Own::Nothing, format!("nothing gets through since {begun}: the newest {row} canaries were refused ({class})")),
            None => (Own::Nothing, format!("nothing arrives since {begun}: {row} canaries in a row are missing")),
        };
    }
    if missing > 0 {
        return (Own::Missing, format!("{missing} of {all} canaries that were sent since {since} are missing"));
    }
    if tally.junked {
        let (junk, arrived) = tally.in_junk;
        return (Own::Junk, format!("{junk} of the newest {arrived} canaries that arrived lie in junk"));
    }
    match all {
        0 => (Own::Unknown, format!("nothing is known yet of what was sent since {since}")),
        1 => (Own::Delivering, format!("the one canary that was sent since {since} arrived")),
        _ => (Own::Delivering, format!("all {all} canaries that were sent since {since} arrived")),
    }
}

/// That mail comes and takes long, if it does: most of the newest that came did, and none has passed its deadline since.
fn late(route: &RouteState, tally: &Tally, since: At) -> Option<String> {
    let usual = tally.usual?;
    if route.canaries.iter().rev().take_while(|canary| !canary.has_arrived()).any(Canary::is_lost) {
        return None;
    }
    let came = route.canaries.iter().rev().filter(|canary| canary.sent_at() >= since).filter_map(Canary::latency);
    let late = came.take(NEWEST).filter(|took| *took > usual).count();
    (late * 2 > NEWEST)
        .then(|| format!("{late} of the newest {NEWEST} canaries took longer than {usual}, within which nearly all came before"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, Span};

    /// Newest first: whether each arrived, one a minute, the oldest at nought.
    fn told(arrived: &[bool], row_class: Option<Class>, since_secs: u64) -> (Own, String) {
        let at = |place: usize| At::from_ms(0).plus(Span::from_secs(60 * (arrived.len() - 1 - place) as u64));
        let row = arrived.iter().take_while(|arrived| !**arrived).count();
        let settled = arrived.iter().enumerate().map(|(place, arrived)| (at(place), *arrived)).collect();
        let row_since = (row > 0).then(|| at(row - 1));
        let tally = Tally { settled, row: row as u64, row_since, row_class, ..Tally::default() };
        of_route(None, &tally, At::from_ms(0).plus(Span::from_secs(since_secs)), false)
    }

    #[test]
    fn a_route_answers_for_itself() {
        let own = |arrived: &[bool], since| told(arrived, None, since).0;
        assert_eq!(own(&[true; 40], 600), Own::Delivering);
        assert_eq!(own(&[false, false, false, true], 0), Own::Nothing);
        assert_eq!(own(&[false, false, true, true], 120), Own::Nothing, "nothing has come since it began");
        assert_eq!(own(&[false, false, true, true], 0), Own::Missing, "some has");
        assert_eq!(own(&[true, false, true], 0), Own::Missing);
        assert_eq!(own(&[true, true, true, false], 60), Own::Delivering, "what was missing before is of another failure");
        assert_eq!(own(&[true; 3], 600), Own::Unknown, "nothing was sent since");
        assert_eq!(own(&[], 0), Own::Unknown);
        assert!(told(&[false; 4], Some(Class::Auth), 0).1.ends_with("the newest 4 canaries were refused (auth)"));
        assert!(
            told(&[true; 40], None, 0).1.starts_with("all 40 canaries that were sent since 1970-01-01T"),
            "{:?}",
            told(&[true; 40], None, 0)
        );
    }
}
