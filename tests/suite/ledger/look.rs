//! What people ask of the past: found beside the process that writes it, bounded, and without taking its locks away.

use mailcanary::ledger::Past;
use mailcanary::model::past::{Became, Sought, Wanted};
use mailcanary::model::{Change, Class, Culprit, Fate, IncidentId, Kind, Notice, NoticeId, Outcome, Route, Severity};
use serde_json::json;

use super::*;

fn told(ms: u64, number: u64, incident: u64, change: Change) -> Record {
    let notice = Notice {
        notice: NoticeId(number),
        incident: IncidentId(incident),
        change,
        kind: Kind::CutOff,
        severity: Severity::Warn,
        culprit: Culprit::Stream(name("mailchimp"), name("password-reset")),
        summary: "it stopped".to_owned(),
        evidence: json!({ "since": after(300_000).rfc3339() }),
    };
    Record { at: after(ms), fact: Fact::Told { notice, sinks: vec![name("hook")], silenced: false, late: false } }
}

#[test]
fn the_past_is_found_beside_its_writer() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    let mut records = history(3);
    records.extend([
        sent(10, after(240_000)),
        answered(10, after(240_100), Outcome::Accepted, "250 queued"),
        sent(11, after(300_000)),
        answered(11, after(300_100), Outcome::Refused(Class::Suspended), "550 no"),
        told(330_000, 1, 1, Change::Opened),
        Record { at: after(500_000), fact: Fact::Happened(Event::Traced { canary: canary(10), fate: Fate::Bounced, words: None }) },
        Record { at: after(1_140_000), fact: Fact::Lost { canary: canary(10) } },
        told(1_150_000, 2, 1, Change::Resolved),
        told(1_160_000, 3, 2, Change::Opened),
    ]);
    records.extend([sighted(1, after(1_170_000), "gmail-1", "Junk/1/77"), sent(12, after(1_180_000))]);
    ledger.append(&records).unwrap();

    let wal = scratch.ledger().join("ledger.sqlite-wal");
    let past = Past::beside(&scratch.ledger()).unwrap();
    let all = past.canaries_like(&wanted(10)).unwrap();
    assert_eq!(all.iter().map(|way| way.canary).collect::<Vec<_>>(), [12, 11, 10, 3, 2, 1].map(canary), "the newest first");
    let became: Vec<Became> = all.iter().map(|way| way.became).collect();
    assert_eq!(became, [Became::InFlight, Became::Refused, Became::Lost, Became::Arrived, Became::Arrived, Became::Arrived]);
    assert_eq!(all[1].outcome, Some(Outcome::Refused(Class::Suspended)));
    // Page by page the same, however small the pages are.
    let (mut paged, mut after_it) = (Vec::new(), None);
    loop {
        let page = past.canaries_like(&Wanted { after: after_it, ..wanted(2) }).unwrap();
        let Some(last) = page.last() else { break };
        after_it = Some((last.sent_at, last.canary));
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(past.canaries_like(&Wanted { became: Some(Became::Lost), ..wanted(10) }).unwrap().len(), 1);
    assert_eq!(past.canaries_like(&Wanted { provider: Some(name("nobody")), ..wanted(10) }).unwrap(), []);

    let route = all[0].route.clone();
    let points = past.points(&route, after(0), after(1_180_000)).unwrap();
    assert_eq!(
        points.iter().map(|p| (p.canary, p.became)).collect::<Vec<_>>(),
        all[1..].iter().map(|w| (w.canary, w.became)).collect::<Vec<_>>()
    );
    assert!(points.iter().all(|p| p.latency.is_some() == (p.became == Became::Arrived)));
    assert_eq!(past.points(&Route { inbox: name("other"), ..route }, after(0), after(9_999_999)).unwrap(), []);

    let lost = past.way(canary(10)).unwrap().unwrap();
    assert_eq!((lost.became, lost.lost_at, lost.traces.len()), (Became::Lost, Some(after(1_140_000)), 1));
    let first = past.way(canary(1)).unwrap().unwrap();
    assert_eq!(first.sightings.iter().map(|s| s.what.as_str()).collect::<Vec<_>>(), ["duplicate"]);
    assert_eq!(past.way(canary(99)).unwrap(), None);

    let failures = past.failures(&Sought::newest(10)).unwrap();
    assert_eq!(failures.iter().map(|f| (f.incident.0, f.resolved_at.is_some())).collect::<Vec<_>>(), [(2, false), (1, true)]);
    assert_eq!((failures[0].kind, failures[0].culprit.to_string()), (Kind::CutOff, "stream:mailchimp/password-reset".to_owned()));
    let numbers =
        |sought: Sought| -> Vec<u64> { past.failures(&Sought { most: 10, ..sought }).unwrap().iter().map(|f| f.incident.0).collect() };
    assert_eq!(numbers(Sought { before: Some(IncidentId(2)), ..Sought::default() }), [1]);
    assert_eq!(numbers(Sought { kind: Some(Kind::CutOff), open: Some(true), ..Sought::default() }), [2]);
    assert_eq!(numbers(Sought { open: Some(false), ..Sought::default() }), [1]);
    assert_eq!(numbers(Sought { kind: Some(Kind::Loss), ..Sought::default() }), [0; 0]);
    for (party, found) in [("password-reset", 2), ("mailchimp", 2), ("mailchim", 0), ("stream", 0)] {
        assert_eq!(numbers(Sought { party: Some(name(party)), ..Sought::default() }).len(), found, "{party}");
    }
    assert_eq!((failures[1].since, failures[1].opened_at), (after(300_000), after(330_000)), "it began before it was told");

    // The writer's locks outlive its reader: another program that closes the file again does not take itself for the last one.
    drop(past);
    let file = scratch.ledger().join("ledger.sqlite");
    let asked = Command::new("sqlite3").arg(&file).arg("SELECT count(*) FROM canaries").output().unwrap();
    assert_eq!(String::from_utf8(asked.stdout).unwrap().trim(), "6");
    assert!(wal.metadata().unwrap().len() > 0, "the WAL is gone");
    ledger.append(&[sent(13, after(1_240_000))]).unwrap();
    assert!(Past::beside(&scratch.ledger()).unwrap().way(canary(13)).unwrap().is_some());
}

#[test]
fn what_has_stopped_has_a_first_bad_canary_before_any_deadline() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    let mut records = history(3);
    for (number, ms) in [(10, 240_000), (11, 300_000)] {
        records.extend([sent(number, after(ms)), answered(number, after(ms + 100), Outcome::Accepted, "250 queued")]);
    }
    let Record { at, fact: Fact::Told { mut notice, sinks, silenced, late } } = told(330_000, 1, 1, Change::Opened) else {
        panic!("a notice")
    };
    (notice.kind, notice.severity) = (Kind::Stopped, Severity::Page);
    notice.evidence = json!({ "since": after(240_000).rfc3339() });
    records.push(Record { at, fact: Fact::Told { notice, sinks, silenced, late } });
    ledger.append(&records).unwrap();
    let dossier = Past::beside(&scratch.ledger()).unwrap().dossier(IncidentId(1), after(340_000)).unwrap().unwrap();
    let tally = dossier.routes.values().next().unwrap();
    assert_eq!((tally.first_bad, tally.last_good), (Some(after(240_000)), Some(after(180_000))));
}

#[test]
fn when_it_did_not_run_is_known_by_what_it_sent_last() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.append(&history(3)).unwrap();
    drop(ledger);
    let hour = 3_600_000;
    let (mut ledger, _) = Ledger::open(&scratch.ledger(), after(hour)).unwrap();
    let slept = Record { at: after(3 * hour), fact: Fact::Slept {} };
    ledger.append(&[sent(20, after(hour + 1000)), slept, sent(21, after(3 * hour + 1000))]).unwrap();
    let past = Past::beside(&scratch.ledger()).unwrap();
    let pauses = |minutes: u64| past.pauses(Span::from_secs(minutes * 60)).unwrap();
    let night = [after(hour + 1000), after(3 * hour)];
    assert_eq!(pauses(10), [night, [after(180_000), after(hour)]]);
    assert_eq!(pauses(60), [night]);
    drop((past, ledger));
    // A start soon after the last canary is no pause.
    let (_ledger, _) = Ledger::open(&scratch.ledger(), after(3 * hour + 2000)).unwrap();
    assert_eq!(Past::beside(&scratch.ledger()).unwrap().pauses(Span::from_secs(600)).unwrap().len(), 2);
}

fn wanted(most: u32) -> Wanted {
    Wanted { provider: None, stream: None, inbox: None, became: None, from: after(0), to: after(99_999_999), after: None, most }
}

#[test]
fn what_takes_too_long_is_ended_and_the_rest_is_not_harmed() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.append(&history(300)).unwrap();
    let past = Past::beside(&scratch.ledger()).unwrap();
    let stopper = past.stopper();
    let mut read = 0;
    let ended = past.each(|_| {
        read += 1;
        stopper.interrupt();
        true
    });
    assert!(ended.is_err() && read < 900, "{ended:?} after {read}");
    assert_eq!(past.canaries_like(&wanted(10)).unwrap().len(), 10);
}
