//! The operator's tables and views, read with `sqlite3` while the ledger is open.

use mailcanary::ledger::Ledger;
use mailcanary::model::{
    At, CanaryId, Change, Class, Culprit, IncidentId, Kind, Leg, Notice, NoticeId, Outcome, Placement, Severity, Span,
};
use mailcanary::watchdog::{Delivery, Event, Fact, Reads, Record};

use super::{Scratch, after, answered, canary, name, open, sent, sighted, sqlite3};

fn fact(ms: u64, fact: Fact) -> Record {
    Record { at: after(ms), fact }
}

fn event(ms: u64, event: Event) -> Record {
    fact(ms, Fact::Happened(event))
}

fn notice(number: u64, change: Change, severity: Severity) -> Notice {
    Notice {
        notice: NoticeId(number),
        incident: IncidentId(1),
        change,
        kind: Kind::Stopped,
        severity,
        culprit: Culprit::Provider(name("mailchimp")),
        summary: format!("nothing arrives through \"mailchimp\"; {}", change.as_str()),
        evidence: serde_json::json!({"lost": number}),
    }
}

/// Appends, then reads beside the open ledger.
fn written(records: &[Record]) -> (Scratch, Ledger) {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.append(records).expect("appends");
    (scratch, ledger)
}

#[test]
fn every_way_of_a_canary_ends_in_its_state() {
    let refusal = Outcome::Refused(Class::Suspended);
    let (scratch, _ledger) = written(&[
        sent(1, after(0)),
        sent(2, after(0)),
        answered(2, after(100), Outcome::Accepted, "250 ok"),
        sighted(2, after(4100), "gmail-1", "INBOX/1/2"),
        sent(3, after(0)),
        fact(900_000, Fact::Lost { canary: canary(3) }),
        sighted(3, after(900_500), "gmail-1", "INBOX/1/3"),
        sent(4, after(0)),
        answered(4, after(100), Outcome::Unknown, ""),
        fact(900_000, Fact::Lost { canary: canary(4) }),
        fact(990_000, Fact::Forgotten { canary: canary(4) }),
        sent(5, after(0)),
        answered(5, after(100), refusal, "535 5.7.8 account suspended"),
        sent(6, after(0)),
        event(200, Event::Orphaned { canary: canary(6) }),
        fact(990_000, Fact::Forgotten { canary: canary(6) }),
        sent(7, after(0)),
        sighted(7, after(50), "gmail-1", "INBOX/1/7"),
        answered(7, after(100), refusal, "550 no"),
        fact(990_000, Fact::Forgotten { canary: canary(7) }),
    ]);
    let rows = "SELECT state, ifnull(outcome, '-'), ifnull(class, '-'), ifnull(placement, '-') FROM canaries ORDER BY rowid";
    let expected = "in flight|-|-|-\narrived|accepted|-|inbox\nlate|-|-|inbox\nlost|unknown|-|-\nrefused|refused|suspended|-\n\
                    forgotten|unknown|-|-\narrived|refused|suspended|inbox";
    assert_eq!(sqlite3(&scratch.ledger(), rows), expected);
    let readable = "SELECT id, route, reason, sent, state, latency_s, observation_s, arrived, reply, message_id FROM canaries_readable WHERE outcome = 'accepted'";
    let id = canary(2);
    let expected = format!(
        "{id}|mailchimp/password-reset/gmail-1|routine|2022-08-08T19:30:00.000Z|arrived|4.1|0.09|2022-08-08T19:30:04.100Z|250 ok|2@example.net"
    );
    assert_eq!(sqlite3(&scratch.ledger(), readable), expected);
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT connect_ms, tls_ms, data_ms FROM canaries WHERE outcome = 'accepted'"), "12||80");
}

#[test]
fn further_copies_stand_beside() {
    let (scratch, _ledger) = written(&[
        sent(1, after(0)),
        sighted(1, after(10), "gmail-1", "INBOX/1/1"),
        sighted(1, after(10), "gmail-1", "INBOX/1/1"),
        sighted(1, after(20), "gmail-1", "INBOX/1/2"),
        sighted(1, after(20), "gmail-1", "INBOX/1/2"),
        sighted(1, after(30), "other", "INBOX/1/9"),
        event(40, Event::Forged { inbox: name("other") }),
        event(50, Event::Stale { inbox: name("gmail-1") }),
    ]);
    let rows = "SELECT kind, inbox, ifnull(copy, '-') FROM sightings ORDER BY id";
    let expected = "duplicate|gmail-1|INBOX/1/2\nreplayed|other|INBOX/1/9\nforged|other|-\nstale|gmail-1|-";
    assert_eq!(sqlite3(&scratch.ledger(), rows), expected);
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT copy FROM canaries"), "INBOX/1/1");
}

#[test]
fn incidents_and_their_notices_can_be_followed() {
    let sinks = || vec![name("oncall"), name("hook")];
    let told = |ms, number, change, severity| {
        fact(ms, Fact::Told { notice: notice(number, change, severity), sinks: sinks(), silenced: false, late: false })
    };
    let noticed = |ms, number, sink, outcome| event(ms, Event::Noticed { notice: NoticeId(number), sink: name(sink), outcome, why: None });
    let (scratch, mut ledger) = written(&[
        told(1000, 1, Change::Opened, Severity::Warn),
        noticed(1500, 1, "hook", Delivery::Delivered),
        told(2000, 2, Change::Updated, Severity::Page),
        noticed(2500, 2, "oncall", Delivery::Refused),
    ]);
    let open = "SELECT id, kind, severity, culprit, opened, updated, evidence FROM open_incidents";
    let expected = "1|stopped|page|provider:mailchimp|2022-08-08T19:30:01.000Z|2022-08-08T19:30:02.000Z|{\"lost\":2}";
    assert_eq!(sqlite3(&scratch.ledger(), open), expected);
    let notices = "SELECT id, change, severity, sink, outcome FROM notices_readable ORDER BY id, sink";
    let expected = "1|opened|warn|hook|delivered\n1|opened|warn|oncall|pending\n2|updated|page|hook|pending\n2|updated|page|oncall|refused";
    assert_eq!(sqlite3(&scratch.ledger(), notices), expected);

    ledger.append(&[told(61_000, 3, Change::Resolved, Severity::Page)]).expect("appends");
    assert_eq!(sqlite3(&scratch.ledger(), open), "");
    let ended = "SELECT resolved, lasted_s FROM incidents_readable";
    assert_eq!(sqlite3(&scratch.ledger(), ended), "2022-08-08T19:31:01.000Z|60.0");
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT json_extract(body, '$.culprit.provider') FROM notices WHERE id = 3"), "mailchimp");
}

#[test]
fn sight_is_written_when_it_changes() {
    let blind = |ms, why: &str| event(ms, Event::Blind { inbox: name("gmail-1"), class: Some(Class::Auth), why: Some(why.to_owned()) });
    let (scratch, _ledger) = written(&[
        blind(1000, "NO wrong password"),
        blind(31_000, "NO wrong password"),
        event(40_000, Event::CutOff {}),
        blind(61_000, "NO wrong password"),
        blind(91_000, "BYE"),
        event(92_000, Event::Sight { inbox: name("gmail-1") }),
        event(93_000, Event::Connected {}),
        fact(94_000, Fact::Slept {}),
        event(95_000, Event::ClockJumped { by_ms: -3600 }),
    ]);
    let rows = "SELECT substr(at, 15, 5), whose, what, ifnull(class, '-'), ifnull(why, '-') FROM sight_readable";
    let expected = "30:01|gmail-1|blind|auth|NO wrong password\n30:40|the watcher|cut off|-|-\n31:31|gmail-1|blind|auth|BYE\n\
                    31:32|gmail-1|sight|-|-\n31:33|the watcher|connected|-|-\n31:34|the watcher|slept|-|-\n31:35|the watcher|clock jumped|-|by -3600 ms";
    assert_eq!(sqlite3(&scratch.ledger(), rows), expected);
}

#[test]
fn odd_facts_break_nothing() {
    let far = [At::from_ms(i64::MIN), At::from_ms(i64::MAX), At::from_ms(-1)];
    let mut records = Vec::new();
    for at in far {
        for id in [CanaryId::from_bits(0), CanaryId::from_bits(u64::MAX)] {
            let legs = vec![(Leg::Data, Span::from_ms(u64::MAX)), (Leg::Data, Span::ZERO)];
            let reply = Some("\0'); DROP TABLE canaries; --\u{202e}".repeat(100));
            let sighted =
                Event::Sighted { inbox: name("x"), canary: id, placement: Placement::Junk, arrived_at: at, seen_at: None, copy: None };
            let facts = [
                Fact::Began { seed: u64::MAX, reads: Reads::Implied },
                Fact::Lost { canary: id },
                Fact::Forgotten { canary: id },
                Fact::Happened(Event::Answered {
                    canary: id,
                    outcome: Outcome::Accepted,
                    reply,
                    hint: None,
                    message_id: None,
                    legs,
                    retry_after: None,
                }),
                Fact::Happened(Event::Orphaned { canary: id }),
                Fact::Happened(sighted.clone()),
                Fact::Happened(sighted),
                Fact::Happened(Event::Noticed { notice: NoticeId(u64::MAX), sink: name("x"), outcome: Delivery::Dropped, why: None }),
                Fact::Told {
                    notice: notice(u64::MAX, Change::Reminder, Severity::Info),
                    sinks: vec![name("x"), name("x")],
                    silenced: false,
                    late: false,
                },
                Fact::Happened(Event::ClockJumped { by_ms: i64::MIN }),
                Fact::Happened(Event::Woke {}),
                Fact::Happened(Event::Started { seed: 1, reads: Reads::Implied }),
                Fact::Passed {},
            ];
            records.extend(facts.map(|fact| Record { at, fact }));
            records.push(Record { at, ..sent(id.bits(), at) });
            records.push(Record { at, ..sent(id.bits(), at) });
        }
    }
    let (scratch, ledger) = written(&records);
    for view in ["canaries_readable", "incidents_readable", "open_incidents", "notices_readable", "sight_readable"] {
        sqlite3(&scratch.ledger(), &format!("SELECT * FROM {view}"));
    }
    drop(ledger);
    let (mut ledger, recovered) = open(&scratch.ledger());
    assert_eq!(recovered.tail, records);
    for now in far {
        ledger.prune(now, Span::ZERO, Span::from_ms(u64::MAX)).expect("prunes");
    }
}

#[test]
fn an_operators_sqlite3_never_takes_itself_for_the_last_user() {
    let (scratch, mut ledger) = written(&[sent(1, after(0))]);
    for number in 2..5 {
        assert_eq!(sqlite3(&scratch.ledger(), "SELECT count(*) FROM canaries"), (number - 1).to_string());
        assert!(scratch.ledger().join("ledger.sqlite-wal").exists(), "the WAL was deleted under the open ledger");
        ledger.append(&[sent(number, after(0))]).expect("appends");
    }
}
