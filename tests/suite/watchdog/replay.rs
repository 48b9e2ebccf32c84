//! A restart is a replay: at every boundary of a recorded run the rest of the run is the same.

use mailcanary::model::{Class, Placement, Span};
use mailcanary::watchdog::{Event, Watchdog};

use super::world::{Fate, World, name, settings};

/// A run with everything in it: a stop, a blind inbox, a refusal, a sleep, a recovery, held mail.
fn eventful() -> World {
    let mut w = World::new(settings(2, 1, 2, Span::from_secs(20)));
    w.run(Span::from_secs(400));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(Span::from_secs(300));
    w.feed(Event::Blind { inbox: name("i1"), class: Some(Class::Network), why: None });
    w.run(Span::from_secs(400));
    w.feed(Event::Sight { inbox: name("i1") });
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(Span::from_secs(90));
    w.sleep(Span::from_secs(200));
    w.heal(w.now);
    w.run(Span::from_secs(200));
    w.from(w.now, |r, _| r.inbox.as_str() == "i0", Fate::Arrives(Span::from_secs(4), Placement::Junk));
    w.run(Span::from_secs(200));
    w
}

/// Whether all of a run is there again after its records were replayed.
pub fn holds(w: &World) {
    let replayed = Watchdog::replay(&w.settings, None, &w.records).unwrap();
    assert_eq!(replayed.checkpoint().unwrap(), w.dog.checkpoint().unwrap());
    assert_eq!(replayed.wake_at(), w.dog.wake_at());
}

#[test]
fn replaying_the_records_gives_the_same_state_at_every_boundary() {
    let w = eventful();
    assert!(w.notices.len() >= 4, "the run is eventful: {}", w.notices.len());
    let mut live = Watchdog::new(&w.settings);
    let (mut before, mut text) = (0, None::<String>);
    for (index, (at, event, upto, step)) in w.steps.iter().enumerate() {
        let again = live.step(*at, event.clone()).unwrap();
        assert_eq!(again, *step, "the same input gives the same output (step {index})");
        // What was replayed up to the boundary before, and the records since; and now and then all of it from the beginning.
        let whole = index % 64 == 0 || index + 1 == w.steps.len();
        if *upto == before && !whole {
            continue;
        }
        let replayed = if whole {
            Watchdog::replay(&w.settings, None, &w.records[..*upto]).unwrap()
        } else {
            Watchdog::replay(&w.settings, text.as_deref(), &w.records[before..*upto]).unwrap()
        };
        let replayed_text = replayed.checkpoint().unwrap();
        assert_eq!(replayed_text, live.checkpoint().unwrap(), "after step {index}");
        assert_eq!(replayed.wake_at(), live.wake_at(), "after step {index}");
        (before, text) = (*upto, Some(replayed_text));
    }
}

/// What was told of a stop, a sleep and a refusal, and when; inboxes are read every five seconds.
fn told(together: bool) -> (Vec<String>, World) {
    let mut w = World::new(settings(3, 2, 3, Span::from_secs(20)));
    (w.together, w.polled) = (together, Some(Span::from_secs(5)));
    w.run(Span::from_secs(600));
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Swallowed);
    w.run(Span::from_secs(120));
    w.sleep(Span::from_secs(100));
    w.run(Span::from_secs(300));
    w.from(w.now, |r, _| r.provider.as_str() == "p0", Fate::Refused(Class::Suspended));
    w.run(Span::from_secs(60));
    w.heal(w.now);
    w.run(Span::from_secs(900));
    let said = w.notices.iter().map(|(at, n)| format!("{at:?} {} {:?} {:?} {:?}", n.incident, n.change, n.kind, n.culprit)).collect();
    (said, w)
}

#[test]
fn what_comes_together_is_concluded_once_and_alike() {
    let ((one_by_one, alone), (together, w)) = (told(false), told(true));
    let (events, concluded) = (w.bunches.iter().sum::<usize>(), w.bunches.len());
    assert!(alone.bunches.is_empty() && events > concluded, "{events} events in {concluded} bunches");
    // Three inboxes are read at once, each of six routes; each canary's answer comes alone.
    let large = w.bunches.iter().filter(|n| **n >= 5).count();
    assert!(large > 50, "{large} of {concluded}");
    assert!(one_by_one.len() >= 4, "{one_by_one:#?}");
    assert_eq!(one_by_one, together);
    holds(&w);
}

#[test]
fn a_checkpoint_and_the_tail_equal_the_full_replay() {
    let w = eventful();
    let full = Watchdog::replay(&w.settings, None, &w.records).unwrap().checkpoint().unwrap();
    for at in (0..w.records.len()).step_by(17) {
        let half = Watchdog::replay(&w.settings, None, &w.records[..at]).unwrap().checkpoint().unwrap();
        let whole = Watchdog::replay(&w.settings, Some(&half), &w.records[at..]).unwrap();
        assert_eq!(whole.checkpoint().unwrap(), full, "checkpoint after {at} records");
    }
}

#[test]
fn the_rest_of_the_run_is_the_same_after_a_restart() {
    let w = eventful();
    for cut in (1..w.steps.len()).step_by(23) {
        let mut resumed = Watchdog::replay(&w.settings, None, &w.records[..w.steps[cut - 1].2]).unwrap();
        for (at, event, _, step) in &w.steps[cut..] {
            assert_eq!(resumed.step(*at, event.clone()).unwrap(), *step, "restarted after step {}", cut - 1);
        }
    }
}

#[test]
fn records_survive_the_way_through_text() {
    let w = eventful();
    for record in &w.records {
        let text = serde_json::to_string(record).unwrap();
        assert_eq!(serde_json::from_str::<mailcanary::watchdog::Record>(&text).unwrap(), *record, "{text}");
    }
}
