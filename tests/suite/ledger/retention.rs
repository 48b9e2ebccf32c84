//! Retention: what is old goes in small steps, failures later than successes.

use mailcanary::ledger::{Ledger, Pruned};
use mailcanary::model::{Class, Outcome, Span};
use mailcanary::watchdog::{Event, Fact, Record};

use super::{Scratch, after, answered, canary, history, name, open, sent, sighted, sqlite3};

const DAY: u64 = 86_400_000;
const DAYS: fn(u64) -> Span = |days| Span::from_ms(days * DAY);

/// Prunes until there is no more; returns how many rows went.
fn prune_all(ledger: &mut Ledger, now: u64, keep: Span, keep_failures: Span) -> u64 {
    let mut rows = 0;
    for _ in 0..1000 {
        let Pruned { rows: some, more } = ledger.prune(after(now), keep, keep_failures).expect("prunes");
        rows += some;
        if !more {
            return rows;
        }
    }
    panic!("it never ends");
}

#[test]
fn failures_are_kept_longer() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    let fact = |at: u64, fact| Record { at: after(at), fact };
    for day in [0, 50, 100] {
        let at = day * DAY;
        let id = |n| day * 10 + n;
        let refusal = Outcome::Refused(Class::Suspended);
        ledger
            .append(&[
                sent(id(1), after(at)),
                sighted(id(1), after(at + 10), "gmail-1", "INBOX/1/1"),
                sent(id(2), after(at)),
                fact(at + 20, Fact::Lost { canary: canary(id(2)) }),
                sent(id(3), after(at)),
                answered(id(3), after(at), refusal, "535 suspended"),
                sighted(id(1), after(at + 30), "gmail-1", "INBOX/1/2"),
                fact(at + 40, Fact::Happened(Event::Blind { inbox: name("gmail-1"), class: None, why: Some(day.to_string()) })),
            ])
            .expect("appends");
    }
    let left = || {
        sqlite3(
            &scratch.ledger(),
            "SELECT group_concat(way) FROM (SELECT (sent_at / 86400000 - 19212) || state AS way FROM canaries ORDER BY rowid)",
        )
    };
    assert_eq!(left(), "0arrived,0lost,0refused,50arrived,50lost,50refused,100arrived,100lost,100refused");
    prune_all(&mut ledger, 101 * DAY, DAYS(30), DAYS(90));
    assert_eq!(left(), "50lost,50refused,100arrived,100lost,100refused");
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT (SELECT count(*) FROM sightings), (SELECT count(*) FROM sight)"), "2|2");
    prune_all(&mut ledger, 101 * DAY, DAYS(30), DAYS(1));
    assert_eq!(left(), "100arrived,100lost,100refused", "never shorter than `keep`");
}

#[test]
fn records_that_a_checkpoint_needs_stay() {
    let scratch = Scratch::new();
    let records = history(100);
    let (mut ledger, _) = open(&scratch.ledger());
    let count = || sqlite3(&scratch.ledger(), "SELECT count(*) || ' from ' || min(seq) FROM records");
    ledger.append(&records[..100]).expect("appends");
    prune_all(&mut ledger, 400 * DAY, DAYS(1), DAYS(1));
    assert_eq!(count(), "100 from 1", "no checkpoint: all are needed");
    ledger.checkpoint("first").expect("keeps");
    ledger.append(&records[100..200]).expect("appends");
    ledger.checkpoint("second").expect("keeps");
    ledger.append(&records[200..]).expect("appends");
    prune_all(&mut ledger, 0, DAYS(1), DAYS(1));
    assert_eq!(count(), "301 from 1", "young: all stay");
    prune_all(&mut ledger, 400 * DAY, DAYS(1), DAYS(1));
    assert_eq!(count(), "201 from 101");
    drop(ledger);
    let (mut ledger, recovered) = open(&scratch.ledger());
    assert_eq!((recovered.checkpoint, recovered.tail), (Some((200, "second".to_owned())), records[200..].to_vec()));
    ledger.checkpoint("third").expect("keeps");
    ledger.checkpoint("third again, at the same record").expect("keeps");
    ledger.append(&[]).expect("nothing");
    prune_all(&mut ledger, 400 * DAY, DAYS(1), DAYS(1));
    ledger.append(&records[..1]).expect("appends");
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT max(seq) FROM records"), "302", "numbers go on");
}

#[test]
fn one_call_is_bounded_and_space_is_given_back() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    for some in history(6000).chunks(5000) {
        ledger.append(some).expect("appends");
    }
    ledger.checkpoint("a").expect("keeps");
    ledger.append(&[sent(7000, after(600 * DAY))]).expect("appends");
    ledger.checkpoint("b").expect("keeps");
    let pages = || sqlite3(&scratch.ledger(), "PRAGMA page_count").parse::<u64>().expect("a number");
    let before = pages();
    let first = ledger.prune(after(500 * DAY), DAYS(1), DAYS(2)).expect("prunes");
    assert_eq!(first, Pruned { rows: 4000, more: true });
    let rest = prune_all(&mut ledger, 500 * DAY, DAYS(1), DAYS(2));
    assert_eq!(rest, 6000 + 18_001 - 4000);
    assert_eq!(prune_all(&mut ledger, 500 * DAY, DAYS(1), DAYS(2)), 0);
    assert!(pages() < before / 4, "{before} pages became {}", pages());
}
