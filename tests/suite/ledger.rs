//! The ledger: what is written stays, what is damaged is noticed, what is old goes.

mod crash;
mod damage;
mod disk;
mod evidence;
mod look;
mod retention;
mod tables;
mod upgrade;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use mailcanary::ledger::{Ledger, LedgerError, Recovered};
use mailcanary::model::{At, CanaryId, Leg, Name, Outcome, Placement, Reason, Span};
use mailcanary::watchdog::{Event, Fact, Reads, Record};

/// A folder that is gone when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mailcanary-ledger-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).expect("a fresh folder");
        Self(folder)
    }

    /// Where the ledger goes; not made yet.
    fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const START: At = At::from_ms(1_659_987_000_000);

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn canary(number: u64) -> CanaryId {
    CanaryId::from_bits(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn after(ms: u64) -> At {
    START.plus(Span::from_ms(ms))
}

fn sent(number: u64, at: At) -> Record {
    let fact = Fact::Sent {
        canary: canary(number),
        provider: name("mailchimp"),
        stream: name("password-reset"),
        inbox: name("gmail-1"),
        reason: Reason::Routine,
    };
    Record { at, fact }
}

fn answered(number: u64, at: At, outcome: Outcome, reply: &str) -> Record {
    let legs = vec![(Leg::Connect, Span::from_ms(12)), (Leg::Data, Span::from_ms(80))];
    let message_id = Some(format!("{number}@example.net"));
    let event =
        Event::Answered { canary: canary(number), outcome, reply: Some(reply.to_owned()), hint: None, message_id, legs, retry_after: None };
    Record { at, fact: Fact::Happened(event) }
}

fn sighted(number: u64, at: At, inbox: &str, copy: &str) -> Record {
    let event = Event::Sighted {
        inbox: name(inbox),
        canary: canary(number),
        placement: Placement::Inbox,
        arrived_at: at,
        seen_at: Some(at.plus(Span::from_ms(90))),
        copy: Some(copy.to_owned()),
    };
    Record { at, fact: Fact::Happened(event) }
}

/// The beginning of an installation's history: `began`, then canaries that are sent, accepted and seen.
fn history(canaries: u64) -> Vec<Record> {
    let mut records = vec![Record { at: START, fact: Fact::Began { seed: 7, reads: Reads::Explicit } }];
    for number in 1..=canaries {
        let at = |ms| after(number * 60_000 + ms);
        records.push(sent(number, at(0)));
        records.push(answered(number, at(100), Outcome::Accepted, &format!("250 queued as #{number}#")));
        records.push(sighted(number, at(4000), "gmail-1", &format!("INBOX/1/{number}")));
    }
    records
}

fn open(folder: &Path) -> (Ledger, Recovered) {
    Ledger::open(folder, START).expect("the ledger opens")
}

fn refused(folder: &Path) -> LedgerError {
    Ledger::open(folder, START).map(|_| ()).expect_err("the ledger is refused")
}

/// What the `sqlite3` of an operator says.
fn sqlite3(folder: &Path, statement: &str) -> String {
    let output = Command::new("sqlite3").arg(folder.join("ledger.sqlite")).arg(statement).output().expect("sqlite3 runs");
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

#[test]
fn what_was_appended_comes_back_in_order() {
    let scratch = Scratch::new();
    let records = history(40);
    let (mut ledger, recovered) = open(&scratch.ledger());
    assert!(recovered.checkpoint.is_none() && recovered.tail.is_empty() && recovered.warning.is_none());
    for some in records.chunks(7) {
        ledger.append(some).expect("appends");
    }
    ledger.append(&[]).expect("nothing is fine too");
    assert_eq!(ledger.since_checkpoint(), 121);
    assert_eq!(ledger.records_after(0).expect("reads"), records);
    drop(ledger);
    let (_, recovered) = open(&scratch.ledger());
    assert!(recovered.checkpoint.is_none());
    assert_eq!(recovered.tail, records);
}

#[test]
fn a_checkpoint_shortens_the_tail() {
    let scratch = Scratch::new();
    let records = history(40);
    let (mut ledger, _) = open(&scratch.ledger());
    for (from, to, state) in [(0, 50, "first"), (50, 70, "second"), (70, 100, "third")] {
        ledger.append(&records[from..to]).expect("appends");
        assert_eq!(ledger.checkpoint(state).expect("keeps"), u64::try_from(to).expect("small"));
        assert_eq!(ledger.since_checkpoint(), 0);
    }
    ledger.append(&records[100..]).expect("appends");
    drop(ledger);
    let (ledger, recovered) = open(&scratch.ledger());
    assert_eq!(recovered.checkpoint, Some((100, "third".to_owned())));
    assert_eq!(recovered.tail, records[100..]);
    assert_eq!(ledger.since_checkpoint(), 21);
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT state FROM checkpoints ORDER BY seq"), "second\nthird");
}

#[test]
fn a_second_daemon_is_refused() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch.ledger());
    let error = refused(&scratch.ledger());
    assert!(matches!(error, LedgerError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains(&scratch.ledger().display().to_string()), "{error}");
    drop(ledger);
    open(&scratch.ledger());
}

#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.append(&history(1)).expect("appends");
    let mode = |path: &Path| path.metadata().expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&scratch.ledger()), 0o700);
    for file in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "lock"] {
        assert_eq!(mode(&scratch.ledger().join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_ledger_can_move_between_threads() {
    const fn sent_to_a_thread<T: Send + 'static>() {}
    const { sent_to_a_thread::<Ledger>() };
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    std::thread::spawn(move || ledger.append(&history(1))).join().expect("the thread ends").expect("appends");
    assert_eq!(open(&scratch.ledger()).1.tail, history(1));
}
