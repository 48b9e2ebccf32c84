//! What a promise is held against: each canary is counted once, in time or missed.

use mailcanary::model::{Class, Placement, Span};
use mailcanary::watchdog::RouteCounts;

use super::world::{Fate, START, World, name, settings};

const MINUTE: Span = Span::from_secs(60);

/// What is counted of a provider that does this with all its mail for three hours, beside one that is well.
fn counted(fate: Fate) -> RouteCounts {
    let mut w = World::new(settings(2, 1, 1, MINUTE));
    w.from(START, |r, _| r.provider.as_str() == "p0", fate);
    w.run(Span::from_secs(3 * 3600));
    let routes = w.dog.view(w.now).routes;
    let of = |provider: &str| routes.iter().find(|r| r.route.provider == name(provider)).unwrap().counts.clone();
    let well = of("p1");
    assert!(well.in_time > 100 && well.in_time == well.arrived[&Placement::Inbox] && well.missed == 0, "{well:?}");
    of("p0")
}

#[test]
fn what_is_lost_or_late_is_missed_once() {
    let lost = counted(Fate::Swallowed);
    assert!(lost.missed > 100 && lost.missed == lost.lost && lost.in_time == 0, "{lost:?}");
    let late = counted(Fate::Arrives(MINUTE.scaled(20, 1), Placement::Inbox));
    assert!(late.late > 100 && late.missed == late.lost && late.in_time == 0, "{late:?}");
}

#[test]
fn what_lies_in_junk_is_missed_and_in_another_folder_is_not() {
    let junk = counted(Fate::Arrives(Span::from_secs(3), Placement::Junk));
    assert!(junk.missed > 100 && junk.missed == junk.arrived[&Placement::Junk] && junk.in_time == 0, "{junk:?}");
    let other = counted(Fate::Arrives(Span::from_secs(3), Placement::Other));
    assert!(other.in_time > 100 && other.in_time == other.arrived[&Placement::Other] && other.missed == 0, "{other:?}");
}

#[test]
fn a_refusal_is_missed_unless_it_is_the_seeds_own() {
    let refused = counted(Fate::Refused(Class::Suspended));
    assert!(refused.missed > 100 && refused.missed == refused.refused[&Class::Suspended] && refused.in_time == 0, "{refused:?}");
    let suppressed = counted(Fate::Refused(Class::Suppressed));
    assert!(suppressed.refused[&Class::Suppressed] > 100 && (suppressed.missed, suppressed.in_time) == (0, 0), "{suppressed:?}");
}
