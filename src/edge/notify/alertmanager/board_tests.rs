//! The board, in time: what fires, what moves, what is over.

use serde_json::{Value, json};

use super::*;
use crate::model::{Culprit, Kind, Name, Span};

const RETRY: Attempt = Attempt::Retry { after: None, why: String::new(), unclear: true };

fn at(secs: i64) -> At {
    At::from_ms(1_659_987_000_000).plus(Span::from_secs(secs.unsigned_abs()))
}

fn board() -> Board {
    let origin = Origin {
        instance: "mx1".to_owned(),
        installation: "7".to_owned(),
        public_url: Some("https://canary.example".to_owned()),
        own_url: None,
        runbooks: None,
    };
    Board::new(origin, Severity::ALL.to_vec(), Pace::default())
}

fn notice(id: u64, incident: u64, change: Change, severity: Severity) -> Notice {
    Notice {
        notice: NoticeId(id),
        incident: IncidentId(incident),
        change,
        kind: Kind::Stopped,
        severity,
        culprit: Culprit::Stream(Name::new("mailchimp").unwrap(), Name::new("reset").unwrap()),
        summary: "nothing arrives".to_owned(),
        evidence: json!({"arrived": 0}),
    }
}

fn posted(board: &Board, now: At) -> Vec<Value> {
    serde_json::from_slice(&board.post(now)).unwrap()
}

#[test]
fn an_alert_fires_from_the_opening_and_ends_with_the_recovery() {
    let mut board = board();
    board.take(&notice(1, 4, Change::Opened, Severity::Page), at(0), at(60));
    let alerts = posted(&board, at(90));
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        alerts[0]["labels"],
        json!({"alertname": "MailcanaryIncident", "instance": "mx1", "incident": "4", "severity": "page",
            "culprit": "stream:mailchimp/reset", "provider": "mailchimp", "stream": "reset"})
    );
    assert_eq!(alerts[0]["startsAt"], "2022-08-08T19:30:00.000Z");
    assert_eq!(alerts[0]["endsAt"], "2022-08-08T19:35:30.000Z", "four resends from now");
    assert_eq!(alerts[0]["generatorURL"], "https://canary.example/incidents/4");
    assert_eq!(alerts[0]["annotations"]["summary"], "nothing arrives");
    assert_eq!(alerts[0]["annotations"]["evidence"], r#"{"arrived":0}"#);

    board.take(&notice(2, 4, Change::Resolved, Severity::Page), at(0), at(120));
    board.known(board.version());
    let over = posted(&board, at(300));
    assert_eq!(over[0]["labels"], alerts[0]["labels"]);
    assert_eq!(over[0]["endsAt"], "2022-08-08T19:32:00.000Z");
    assert!(board.prune(at(120 + 899)).is_empty() && !board.is_empty(), "told for a quarter of an hour");
    assert!(board.prune(at(120 + 900)).is_empty() && board.is_empty());
}

#[test]
fn a_kind_that_moves_is_the_same_alert_and_a_severity_another() {
    let mut board = board();
    board.take(&notice(1, 4, Change::Opened, Severity::Warn), at(0), at(0));
    let moved = Notice { kind: Kind::Loss, ..notice(2, 4, Change::Updated, Severity::Warn) };
    board.take(&moved, at(0), at(10));
    assert_eq!(posted(&board, at(20)).len(), 1);
    board.take(&notice(3, 4, Change::Updated, Severity::Page), at(0), at(30));
    let alerts = posted(&board, at(40));
    assert_eq!(alerts.len(), 2);
    let ends = |severity: &str| alerts.iter().find(|a| a["labels"]["severity"] == severity).unwrap()["endsAt"].clone();
    assert_eq!(ends("warn"), "2022-08-08T19:30:30.000Z");
    assert_eq!(ends("page"), "2022-08-08T19:34:40.000Z");
    board.take(&notice(4, 4, Change::Resolved, Severity::Page), at(0), at(60));
    assert!(posted(&board, at(70)).iter().all(|a| a["endsAt"].as_str().unwrap() <= "2022-08-08T19:31:00.000Z"));
}

#[test]
fn an_old_notice_changes_nothing() {
    let mut board = board();
    let version = board.take(&notice(9, 4, Change::Resolved, Severity::Page), at(0), at(60));
    assert_eq!(board.take(&notice(8, 4, Change::Opened, Severity::Page), at(0), at(0)), version);
    assert_eq!(posted(&board, at(61))[0]["endsAt"], "2022-08-08T19:31:00.000Z");
}

#[test]
fn a_restart_puts_up_what_is_open_or_lately_over() {
    let view = |id: u64, severity, resolved_at: Option<At>| IncidentView {
        incident: IncidentId(id),
        kind: Kind::Stopped,
        severity,
        culprit: Culprit::Watcher {},
        opened_at: at(0),
        resolved_at,
        last: notice(id * 10, id, if resolved_at.is_some() { Change::Resolved } else { Change::Opened }, severity),
        present: None,
        acknowledged: None,
        also: Vec::new(),
        closed: None,
        delivers: false,
        silenced_until: None,
    };
    let mut board = Board::new(board().origin, vec![Severity::Page], Pace::default());
    let seen = [
        view(1, Severity::Page, None),
        view(2, Severity::Page, Some(at(2000))),
        view(3, Severity::Page, Some(at(100))),
        view(4, Severity::Warn, None),
    ];
    board.restore(&seen, at(2100));
    let mut incidents: Vec<String> =
        posted(&board, at(2100)).iter().map(|a| a["labels"]["incident"].as_str().unwrap().to_owned()).collect();
    incidents.sort();
    assert_eq!(incidents, ["1", "2"]);
}

#[test]
fn an_end_that_nobody_was_told_is_kept_for_a_day() {
    let mut board = board();
    board.take(&notice(1, 4, Change::Resolved, Severity::Page), at(0), at(0));
    assert!(board.prune(at(3600)).is_empty() && !board.is_empty());
    assert_eq!(board.prune(at(86_400)), BTreeSet::from([IncidentId(4)]));
    assert!(board.is_empty());
}

#[test]
fn an_instance_is_told_at_once_then_again_and_again() {
    let (mut board, pace, mut one) = (board(), Pace::default(), Instance::default());
    assert_eq!(one.wake_at(&board, at(0)), None);
    let first = board.take(&notice(1, 4, Change::Opened, Severity::Page), at(0), at(0));
    assert!(one.is_due(&board, at(0)));
    assert_eq!(one.start(&board), first);
    assert_eq!(one.wake_at(&board, at(1)), None, "being told");
    let second = board.take(&notice(2, 5, Change::Opened, Severity::Page), at(1), at(1));
    one.finished(first, &Attempt::Delivered, &pace, 1, at(2));
    assert!(one.is_due(&board, at(2)), "of the second");
    assert_eq!(one.start(&board), second);
    one.finished(second, &Attempt::Delivered, &pace, 1, at(3));
    assert_eq!(one.wake_at(&board, at(3)), Some(at(63)));
    assert!(one.is_due(&board, at(63)));
    assert!(one.is_due(&board, at(1)), "the clock was set back");
}

#[test]
fn an_instance_that_is_down_backs_off_to_the_resend_at_most() {
    let (mut board, pace, mut one) = (board(), Pace::default(), Instance::default());
    board.take(&notice(1, 4, Change::Opened, Severity::Page), at(0), at(0));
    for salt in 0..50 {
        let version = one.start(&board);
        one.finished(version, &RETRY, &pace, salt, at(10));
        assert!(one.wake_at(&board, at(10)).unwrap() <= at(70));
        assert!(!one.is_due(&board, at(10)) && !one.refused(version));
    }
    let version = one.start(&board);
    one.finished(version, &Attempt::Retry { after: Some(Span::from_secs(120)), why: String::new(), unclear: false }, &pace, 1, at(10));
    board.take(&notice(2, 5, Change::Opened, Severity::Page), at(11), at(11));
    assert_eq!(one.wake_at(&board, at(11)), Some(at(130)), "it asked for the wait");
    let version = one.start(&board);
    one.finished(version, &Attempt::Retry { after: Some(Span::ZERO), why: String::new(), unclear: false }, &pace, 1, at(12));
    assert!(!one.is_due(&board, at(12)), "no wait at all would be a busy loop");
    let version = one.start(&board);
    one.finished(version, &Attempt::Refused { why: String::new() }, &pace, 1, at(130));
    assert!(one.refused(version));
}

#[test]
fn what_is_so_now_goes_out_with_the_next_sending_and_is_no_news() {
    let mut board = board();
    let told = notice(1, 4, Change::Opened, Severity::Page);
    board.take(&told, at(0), at(60));
    let version = board.version();
    let present = crate::watchdog::Present { summary: "some arrives".to_owned(), evidence: json!({"arrived": 1}), delivers: false };
    let view = |last: Notice| IncidentView {
        incident: last.incident,
        kind: last.kind,
        severity: last.severity,
        culprit: last.culprit.clone(),
        opened_at: at(0),
        resolved_at: None,
        last,
        present: Some(present.clone()),
        acknowledged: None,
        also: Vec::new(),
        closed: None,
        delivers: false,
        silenced_until: None,
    };
    board.renew(&[view(told.clone())]);
    let summary = |board: &Board| posted(board, at(90))[0]["annotations"]["summary"].clone();
    assert_eq!((summary(&board), board.version()), (json!("some arrives"), version));
    // What fires under other labels, or not any more, stays as it was told.
    board.renew(&[view(Notice { severity: Severity::Warn, ..told.clone() }), view(Notice { incident: IncidentId(5), ..told.clone() })]);
    assert_eq!(posted(&board, at(90)).len(), 1);
    board.take(&notice(2, 4, Change::Resolved, Severity::Page), at(0), at(120));
    board.renew(&[view(told)]);
    assert_eq!(summary(&board), "nothing arrives");
}
