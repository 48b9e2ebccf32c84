//! The queue, in time: order, back-off, what is dropped.

use std::sync::Arc;

use super::*;
use crate::model::{Culprit, Kind, Notice, Severity, Span};

const RETRY: Attempt = Attempt::Retry { after: None, why: String::new(), unclear: false };
const BROKEN: Attempt = Attempt::Retry { after: None, why: String::new(), unclear: true };

fn at(ms: i64) -> At {
    At::from_ms(ms)
}

fn out(id: u64, incident: u64, change: Change) -> Outgoing {
    let notice = Notice {
        notice: NoticeId(id),
        incident: IncidentId(incident),
        change,
        kind: Kind::Stopped,
        severity: Severity::Page,
        culprit: Culprit::Watcher {},
        summary: String::new(),
        evidence: serde_json::Value::Null,
    };
    Outgoing { notice: notice.into(), opened_at: at(0), at: at(1000), perhaps_told: false }
}

fn queue() -> Queue {
    Queue::new(Pace::default(), 42, at(0))
}

fn started(queue: &mut Queue, now: i64) -> Option<u64> {
    queue.start(at(now)).map(|out| out.notice.notice.0)
}

#[test]
fn notices_of_one_incident_keep_their_order_and_others_do_not_wait() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    queue.push(out(2, 1, Change::Updated), at(1000));
    queue.push(out(3, 2, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    assert_eq!(started(&mut queue, 1000), Some(3));
    assert_eq!(started(&mut queue, 1000), None, "2 waits for 1");
    queue.finished(NoticeId(1), &BROKEN, at(1000));
    queue.finished(NoticeId(3), &Attempt::Delivered, at(1000));
    assert_eq!(started(&mut queue, 1000), None, "1 backs off, and 2 still waits for it");
    let wake = queue.wake_at().unwrap();
    assert!(wake > at(1000) && wake <= at(2000), "{wake}");
    assert_eq!(queue.start(wake).unwrap().notice.notice, NoticeId(1));
    queue.finished(NoticeId(1), &Attempt::Refused { why: String::new() }, wake);
    assert_eq!(queue.start(wake), None, "a restart would begin with 1 again");
    queue.written(NoticeId(1));
    assert_eq!(queue.start(wake).unwrap().notice.notice, NoticeId(2));
    assert_eq!(queue.take_ended(), [(NoticeId(3), Delivery::Delivered), (NoticeId(1), Delivery::Refused)]);
}

#[test]
fn back_off_grows_to_its_cap_and_is_scattered() {
    let pace = Pace::default();
    let waits = |salt| (1..40).map(|n| pace.back_off(n, pace.cap, salt).as_ms()).collect::<Vec<_>>();
    assert!(waits(7).iter().all(|ms| (200..=300_000).contains(ms)));
    assert!(waits(7).iter().any(|ms| *ms > 60_000));
    assert_ne!(waits(7), waits(8));
    assert_eq!(waits(7), waits(7));
    assert!(pace.back_off(1, pace.cap, 3) <= Span::from_secs(1));
}

#[test]
fn a_refusal_of_a_receiver_that_is_being_replaced_is_final_only_after_minutes() {
    let doubtful = Attempt::Doubtful { why: "answered 404".to_owned() };
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(0));
    let (mut tries, mut now) = (0, 0);
    while !queue.is_empty() {
        now = queue.wake_at().unwrap().as_ms().max(now);
        assert_eq!(started(&mut queue, now), Some(1));
        tries += 1;
        queue.finished(NoticeId(1), &doubtful, at(now));
    }
    assert_eq!((tries, now), (6, 605_000));
    assert_eq!(queue.take_ended(), [(NoticeId(1), Delivery::Refused)]);

    queue.push(out(2, 2, Change::Opened), at(now));
    assert_eq!(started(&mut queue, now), Some(2));
    queue.finished(NoticeId(2), &doubtful, at(now));
    assert_eq!(started(&mut queue, now + 5000), Some(2));
    queue.finished(NoticeId(2), &Attempt::Delivered, at(now + 5000));
    assert_eq!(queue.take_ended(), [(NoticeId(2), Delivery::Delivered)]);
}

#[test]
fn a_wait_that_the_sink_asks_for_holds_for_all() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.finished(NoticeId(1), &Attempt::Retry { after: Some(Span::from_secs(90)), why: String::new(), unclear: false }, at(1000));
    queue.push(out(2, 2, Change::Opened), at(2000));
    assert_eq!(started(&mut queue, 90_999), None);
    assert_eq!(queue.wake_at(), Some(at(91_000)));
    assert_eq!(started(&mut queue, 91_000), Some(2), "what was never tried goes first");
}

#[test]
fn a_clock_set_back_does_not_stop_the_queue() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(9_000_000));
    assert_eq!(started(&mut queue, 9_000_000), Some(1));
    queue.finished(NoticeId(1), &Attempt::Retry { after: Some(Span::from_secs(90)), why: String::new(), unclear: false }, at(9_000_000));
    assert_eq!(started(&mut queue, 5_000_000), Some(1));
}

#[test]
fn a_recovery_that_overtakes_an_unsent_page_drops_both() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.push(out(2, 1, Change::Updated), at(1500));
    queue.push(out(3, 1, Change::Resolved), at(2000));
    assert_eq!(queue.take_ended(), [(NoticeId(2), Delivery::Dropped)], "what is being tried has to end first");
    queue.finished(NoticeId(1), &RETRY, at(2000));
    assert_eq!(queue.take_ended(), [(NoticeId(1), Delivery::Dropped), (NoticeId(3), Delivery::Dropped)]);
    assert!(queue.is_empty() && queue.wake_at().is_none());
}

#[test]
fn a_recovery_follows_a_page_that_may_have_arrived() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.finished(NoticeId(1), &BROKEN, at(1000));
    queue.push(out(2, 1, Change::Resolved), at(2000));
    assert_eq!(queue.take_ended(), [(NoticeId(1), Delivery::Dropped)], "nobody is called when it is over");
    queue.written(NoticeId(1));
    assert_eq!(started(&mut queue, 2000), Some(2), "who may have heard of it hears of its end");

    let mut restarted = Queue::new(Pace::default(), 42, at(5000));
    restarted.push(out(1, 1, Change::Opened), at(5000));
    restarted.push(out(2, 1, Change::Resolved), at(5000));
    assert_eq!(restarted.len(), 2, "what an earlier process died with is told again, once, under its id");
    assert_eq!(started(&mut restarted, 5000), Some(1));
    restarted.finished(NoticeId(1), &BROKEN, at(5000));
    assert_eq!(restarted.take_ended(), [(NoticeId(1), Delivery::Dropped)]);
    restarted.written(NoticeId(1));
    assert_eq!(started(&mut restarted, 5000), Some(2), "an earlier process may have sent it");

    let mut known = Queue::new(Pace::default(), 42, at(0));
    known.push(out(5, 1, Change::Updated), at(5000));
    known.push(out(6, 1, Change::Resolved), at(5000));
    assert_eq!(known.take_ended(), [(NoticeId(5), Delivery::Dropped)]);
    assert_eq!(started(&mut known, 5000), None, "a restart would tell 5 again, after 6");
    known.written(NoticeId(5));
    assert_eq!(started(&mut known, 5000), Some(6), "the sink knows of the incident");
}

#[test]
fn who_refuses_the_beginning_hears_of_no_end() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    queue.push(out(4, 2, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.push(out(2, 1, Change::Updated), at(1000));
    queue.push(out(3, 1, Change::Resolved), at(1000));
    queue.finished(NoticeId(1), &Attempt::Refused { why: String::new() }, at(1000));
    let dropped = [2, 3].map(|id| (NoticeId(id), Delivery::Dropped));
    assert_eq!(queue.take_ended(), [dropped[0], (NoticeId(1), Delivery::Refused), dropped[1]]);
    assert_eq!(started(&mut queue, 1000), Some(4), "other incidents go on");
}

#[test]
fn what_only_asks_for_somebody_is_dropped_when_somebody_has_seen_it() {
    let mut queue = queue();
    for (id, change) in [(1, Change::Updated), (2, Change::Reminder), (3, Change::Opened)] {
        let mut out = out(id, 1, change);
        if change == Change::Opened {
            Arc::make_mut(&mut out.notice).evidence = serde_json::json!({ "escalation": {} });
        }
        queue.push(out, at(1000));
    }
    queue.push(out(4, 2, Change::Reminder), at(1000));
    queue.seen(IncidentId(1));
    assert_eq!(queue.take_ended(), [2, 3].map(|id| (NoticeId(id), Delivery::Dropped)));
    assert_eq!(queue.len(), 2);
}

#[test]
fn what_is_told_instead_of_a_page_is_dropped_as_what_it_was() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.finished(NoticeId(1), &RETRY, at(1000));
    queue.push(out(2, 1, Change::Reminder), at(1000));
    queue.seen(IncidentId(1));
    assert_eq!(queue.take_ended(), [1, 2].map(|id| (NoticeId(id), Delivery::Dropped)), "who took it would never hear of the end");
}

#[test]
fn what_may_have_been_told_is_repeated_once_soon_and_then_seldom_and_says_so() {
    // To a sink that knows a repeat for what it is, it costs nothing.
    for repeats in [true, false] {
        let mut queue = queue().repeating(repeats);
        queue.push(out(1, 1, Change::Opened), at(1000));
        let (mut tried, mut now) = (Vec::new(), at(1000));
        while tried.len() < 5 {
            now = now.max(queue.wake_at().unwrap());
            let out = queue.start(now).unwrap();
            tried.push((now.as_ms() / 1000, out.perhaps_told));
            queue.finished(NoticeId(1), &BROKEN, now);
        }
        let told: Vec<bool> = tried.iter().map(|(_, perhaps)| *perhaps).collect();
        assert_eq!(told, [false, true, true, true, true]);
        let waits: Vec<i64> = tried.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        if repeats {
            assert!(waits[0] <= 2 && waits[1..] == [600, 1200, 2400], "{waits:?}");
        } else {
            assert!(waits.iter().all(|wait| *wait < 20), "{waits:?}");
        }
    }
}

#[test]
fn reminders_do_not_pile_up() {
    let mut queue = queue();
    for id in 1..50 {
        queue.push(out(id, 1, if id == 1 { Change::Opened } else { Change::Reminder }), at(1000));
    }
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.take_ended().len(), 47);
    (1..50).for_each(|id| queue.written(NoticeId(id)));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.finished(NoticeId(1), &RETRY, at(1000));
    queue.written(NoticeId(1));
    let told = queue.start(at(9000)).unwrap().notice;
    assert_eq!((told.notice, told.change), (NoticeId(49), Change::Opened), "the newest, as what it is to who has heard nothing");
}

#[test]
fn who_comes_back_hears_one_message_of_what_goes_on() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.push(out(2, 1, Change::Updated), at(1000));
    queue.finished(NoticeId(1), &RETRY, at(1000));
    assert_eq!(queue.take_ended(), [(NoticeId(1), Delivery::Dropped)]);
    queue.written(NoticeId(1));
    assert_eq!(started(&mut queue, 1000), None, "it is tried when the other would have been");
    let mut quiet = out(3, 1, Change::Updated);
    Arc::make_mut(&mut quiet.notice).evidence = serde_json::json!({ "quiet": true });
    queue.push(quiet, at(1500));
    assert_eq!(queue.take_ended(), [(NoticeId(2), Delivery::Dropped)]);
    queue.written(NoticeId(2));
    let told = queue.start(at(9000)).unwrap().notice;
    assert_eq!((told.notice, told.change, told.evidence.get("quiet")), (NoticeId(3), Change::Opened, None));
    // Who refuses even that hears of no end.
    queue.push(out(4, 1, Change::Resolved), at(9000));
    queue.finished(NoticeId(3), &Attempt::Refused { why: String::new() }, at(9000));
    assert_eq!(queue.take_ended(), [(NoticeId(3), Delivery::Refused), (NoticeId(4), Delivery::Dropped)]);

    // What may have been told stays what it was, and nobody is called for what only went on.
    queue.push(out(5, 2, Change::Opened), at(9000));
    assert_eq!(started(&mut queue, 9000), Some(5));
    queue.finished(NoticeId(5), &BROKEN, at(9000));
    queue.push(out(6, 2, Change::Reminder), at(9000));
    assert_eq!(queue.take_ended(), []);
}

#[test]
fn what_calls_anew_is_not_told_quietly_when_it_was_late() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Updated), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.finished(NoticeId(1), &RETRY, at(1000));
    queue.push(out(2, 1, Change::Reminder), at(1000));
    queue.written(NoticeId(1));
    let told = queue.start(at(9000)).unwrap().notice;
    assert_eq!((told.notice, told.change), (NoticeId(2), Change::Updated));
}

#[test]
fn an_old_recovery_is_given_up_and_an_open_incident_never() {
    let mut queue = Queue::new(Pace::default(), 42, at(5000));
    queue.push(out(1, 1, Change::Opened), at(5000));
    queue.push(out(2, 1, Change::Resolved), at(5000));
    queue.push(out(3, 2, Change::Opened), at(5000));
    assert_eq!(started(&mut queue, 1000 + 86_400_000), Some(3));
    assert_eq!(queue.take_ended(), [(NoticeId(1), Delivery::Dropped), (NoticeId(2), Delivery::Dropped)], "the page when it was over");
}

#[test]
fn a_page_that_fails_while_it_ends_is_not_told_afterwards() {
    for (attempt, told) in [(RETRY, None), (BROKEN, Some(2))] {
        let mut queue = queue();
        queue.push(out(1, 1, Change::Opened), at(1000));
        assert_eq!(started(&mut queue, 1000), Some(1));
        queue.finished(NoticeId(1), &attempt, at(1000));
        let again = queue.wake_at().unwrap();
        assert_eq!(queue.start(again).unwrap().notice.notice, NoticeId(1), "a second attempt is under way");
        queue.push(out(2, 1, Change::Resolved), again);
        queue.finished(NoticeId(1), &RETRY, again);
        assert_eq!(queue.take_ended()[0], (NoticeId(1), Delivery::Dropped));
        queue.written(NoticeId(1));
        assert_eq!(queue.start(again).map(|out| out.notice.notice.0), told, "after {attempt:?}");
    }
}

#[test]
fn a_sink_that_is_gone_is_not_called_again() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    queue.push(out(2, 2, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 1000), Some(1));
    queue.finished(NoticeId(1), &Attempt::Gone { why: String::new() }, at(1000));
    queue.push(out(3, 3, Change::Opened), at(1000));
    assert_eq!(started(&mut queue, 99_000), None);
    assert_eq!(queue.take_ended(), [1, 2, 3].map(|id| (NoticeId(id), Delivery::Refused)));
    // But to be tried; and when it takes that, it is there.
    let trial = |id, change| {
        let notice = Notice::of_trial(&crate::model::Name::new("x").unwrap(), Severity::Page, NoticeId(id), 4, change);
        Outgoing { notice: notice.into(), ..out(id, 4, change) }
    };
    queue.push(trial(4, Change::Opened), at(100_000));
    assert_eq!(started(&mut queue, 100_000), Some(4));
    queue.finished(NoticeId(4), &Attempt::Delivered, at(100_000));
    queue.push(out(5, 5, Change::Opened), at(100_000));
    assert_eq!(started(&mut queue, 100_000), Some(5));
}

#[test]
fn the_queue_is_bounded_and_keeps_what_is_loud() {
    let mut queue = queue();
    queue.push(out(1, 1, Change::Opened), at(1000));
    let mut quiet = out(2, 2, Change::Opened);
    Arc::make_mut(&mut quiet.notice).severity = Severity::Info;
    queue.push(quiet, at(1000));
    for id in 3..=1001 {
        queue.push(out(id, id, Change::Opened), at(1000));
    }
    queue.push(out(1, 1, Change::Opened), at(1000));
    assert_eq!(queue.len(), 1000);
    assert_eq!(queue.take_ended(), [(NoticeId(2), Delivery::Dropped)]);
}

#[test]
fn what_calls_nobody_is_dropped_before_a_page() {
    let mut queue = queue();
    for id in 1..=1000 {
        queue.push(out(id, id, Change::Opened), at(1000));
    }
    let mut quiet = out(1001, 1, Change::Updated);
    Arc::make_mut(&mut quiet.notice).evidence = serde_json::json!({ "quiet": true });
    queue.push(quiet, at(1000));
    assert_eq!(queue.take_ended(), [(NoticeId(1001), Delivery::Dropped)]);
    assert_eq!((queue.len(), queue.dropped()), (1000, 1));
}

#[test]
fn a_sink_is_told_no_faster_than_it_bears_and_the_loudest_first() {
    let mut queue = queue().within(Rate { burst: 2, every: Span::from_secs(1) });
    for id in 1..=4 {
        let mut out = out(id, id, Change::Opened);
        Arc::make_mut(&mut out.notice).severity = if id == 4 { Severity::Page } else { Severity::Warn };
        queue.push(out, at(1000));
    }
    assert_eq!([(); 3].map(|()| started(&mut queue, 1000)), [Some(4), Some(1), None]);
    assert_eq!(queue.wake_at(), Some(at(2000)));
    assert_eq!([started(&mut queue, 1999), started(&mut queue, 2000), started(&mut queue, 2000)], [None, Some(2), None]);
    assert_eq!(started(&mut queue, 3000), Some(3));
}

/// Says who has incident 1, for the sake of these calls.
fn seen_late(id: u64, calls: &[u64]) -> Outgoing {
    let mut out = out(id, 1, Change::Acknowledged);
    Arc::make_mut(&mut out.notice).evidence = serde_json::json!({ "called_late": calls, "acknowledged": { "by": "ann" } });
    out
}

#[test]
fn a_call_under_way_when_somebody_comes_is_not_tried_again_and_whoever_got_it_hears_who_has_it() {
    for (attempt, told) in [(RETRY, false), (Attempt::Doubtful { why: String::new() }, false), (BROKEN, true), (Attempt::Delivered, true)] {
        let mut queue = queue();
        queue.push(out(2, 1, Change::Reminder), at(1000));
        assert_eq!(started(&mut queue, 1000), Some(2));
        queue.seen(IncidentId(1));
        queue.push(seen_late(3, &[2]), at(1000));
        queue.finished(NoticeId(2), &attempt, at(2000));
        let how = if attempt == Attempt::Delivered { Delivery::Delivered } else { Delivery::Dropped };
        let mut ended = vec![(NoticeId(2), how)];
        if !told {
            ended.push((NoticeId(3), Delivery::Dropped));
        }
        assert_eq!(queue.take_ended(), ended, "{attempt:?}");
        queue.written(NoticeId(2));
        assert_eq!(started(&mut queue, 900_000), told.then_some(3), "{attempt:?}");
    }
    // The answer was on its way when somebody came.
    for (attempt, told) in [(Attempt::Delivered, true), (Attempt::Refused { why: String::new() }, false)] {
        let mut queue = queue();
        queue.push(out(2, 1, Change::Reminder), at(1000));
        assert_eq!(started(&mut queue, 1000), Some(2));
        queue.finished(NoticeId(2), &attempt, at(1000));
        queue.seen(IncidentId(1));
        queue.push(seen_late(3, &[2]), at(1000));
        queue.written(NoticeId(2));
        assert_eq!(started(&mut queue, 1000), told.then_some(3), "{attempt:?}");
    }
    // What only waited has reached nobody; what an earlier process was trying may have.
    let mut queue = queue();
    queue.push(out(2, 1, Change::Reminder), at(1000));
    queue.seen(IncidentId(1));
    queue.push(seen_late(3, &[2]), at(1000));
    assert_eq!(queue.take_ended(), [2, 3].map(|id| (NoticeId(id), Delivery::Dropped)));
    for (untaken, told) in [(vec![], Some(3)), (vec![NoticeId(2)], None)] {
        let mut later = Queue::new(Pace::default(), 42, at(5000)).after(&untaken.into_iter().collect(), &BTreeMap::new(), None);
        later.push(seen_late(3, &[2]), at(5000));
        assert_eq!(started(&mut later, 5000), told);
    }
}

#[test]
fn a_page_that_a_chat_has_not_taken_when_somebody_comes_rings_nobody() {
    for repeats in [true, false] {
        let mut queue = queue().repeating(repeats);
        queue.push(out(1, 1, Change::Opened), at(1000));
        assert_eq!(started(&mut queue, 1000), Some(1));
        queue.seen(IncidentId(1));
        queue.push(seen_late(2, &[1]), at(1500));
        queue.finished(NoticeId(1), &RETRY, at(2000));
        if repeats {
            assert_eq!(queue.take_ended(), [(NoticeId(1), Delivery::Dropped)]);
            queue.written(NoticeId(1));
            let told = queue.start(at(900_000)).unwrap().notice;
            assert_eq!((told.notice, told.change), (NoticeId(2), Change::Acknowledged));
            queue.finished(NoticeId(2), &RETRY, at(900_000));
            queue.push(out(3, 1, Change::Resolved), at(901_000));
            assert_eq!(queue.take_ended(), [2, 3].map(|id| (NoticeId(id), Delivery::Dropped)), "it has heard of nothing that could end");
        } else {
            assert_eq!(started(&mut queue, 900_000), Some(1), "what is data has everything, in its order");
            queue.finished(NoticeId(1), &Attempt::Delivered, at(900_000));
            queue.written(NoticeId(1));
            assert_eq!(started(&mut queue, 900_000), Some(2));
        }
    }
    // What has only moved is not lost, either.
    let mut queue = queue().repeating(true);
    queue.push(out(4, 1, Change::Updated), at(1000));
    queue.push(seen_late(5, &[4]), at(1000));
    assert_eq!(queue.take_ended(), [(NoticeId(4), Delivery::Dropped)]);
    queue.written(NoticeId(4));
    assert_eq!(started(&mut queue, 1000), Some(5));
}
