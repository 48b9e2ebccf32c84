//! A damaged, foreign or newer file is refused in clear words, or its damage is worked around and said.

use std::fs;
use std::path::Path;

use mailcanary::ledger::{LedgerError, Recovered};
use mailcanary::model::Span;
use mailcanary::watchdog::Record;

use super::{Scratch, after, history, open, refused, sqlite3};

const STATES: [&str; 2] = ["{\"older\": \"state of record 100\"}", "{\"newer\": \"state of record 200\"}"];

/// 301 records, with checkpoints after 100 and 200 of them.
fn filled(folder: &Path) -> Vec<Record> {
    let records = history(100);
    let (mut ledger, _) = open(folder);
    for (some, state) in [(0..100, STATES[0]), (100..200, STATES[1])] {
        ledger.append(&records[some]).expect("appends");
        ledger.checkpoint(state).expect("keeps");
    }
    ledger.append(&records[200..]).expect("appends");
    records
}

/// Changes one byte in the middle of the only place where `text` stands in the file.
fn scratch_out(folder: &Path, text: &str) {
    let file = folder.join("ledger.sqlite");
    let mut bytes = fs::read(&file).expect("reads");
    let places: Vec<usize> = (0..bytes.len() - text.len()).filter(|i| bytes[*i..].starts_with(text.as_bytes())).collect();
    assert!(!places.is_empty(), "{text} is in the file");
    for place in places {
        bytes[place + text.len() / 2] ^= 1;
    }
    write(&file, &bytes);
}

fn write(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).expect("writes");
}

fn assert_damaged(error: &LedgerError, folder: &Path, what: &str) {
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    for part in [&*folder.join("ledger.sqlite").display().to_string(), what, "restore a backup", ".recover", "move the file away"] {
        assert!(text.contains(part), "{text:?} says nothing of {part:?}");
    }
}

#[test]
fn a_changed_record_is_noticed() {
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    scratch_out(&scratch.ledger(), "250 queued as #90#");
    assert_damaged(&refused(&scratch.ledger()), &scratch.ledger(), "record 270 is not as it was written");
}

#[test]
fn a_missing_record_is_noticed() {
    for (seq, words) in [(250, "record 250 is missing: the next one is 251"), (201, "record 201 is missing: the next one is 202")] {
        let scratch = Scratch::new();
        filled(&scratch.ledger());
        sqlite3(&scratch.ledger(), &format!("DELETE FROM records WHERE seq = {seq}"));
        assert_damaged(&refused(&scratch.ledger()), &scratch.ledger(), words);
    }
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let scratch = Scratch::new();
    let records = filled(&scratch.ledger());
    scratch_out(&scratch.ledger(), STATES[1]);
    let recovered = open(&scratch.ledger()).1;
    assert_eq!(recovered.checkpoint, Some((100, STATES[0].to_owned())));
    assert_eq!(recovered.tail, records[100..]);
    assert_eq!(recovered.warning.as_deref(), Some("the checkpoint at record 200 is damaged: went on from the one at record 100"));

    scratch_out(&scratch.ledger(), STATES[0]);
    let recovered = open(&scratch.ledger()).1;
    assert_eq!(recovered.checkpoint, None);
    assert_eq!(recovered.tail, records);
    assert_eq!(
        recovered.warning.as_deref(),
        Some("the checkpoint at record 200 and at record 100 is damaged: went on from the first record")
    );
}

#[test]
fn without_checkpoint_and_without_the_first_records_there_is_no_state() {
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.prune(after(30 * 86_400_000), Span::from_secs(60), Span::from_secs(60)).expect("prunes");
    drop(ledger);
    let (ledger, recovered) = open(&scratch.ledger());
    assert_eq!(recovered.checkpoint, Some((200, STATES[1].to_owned())));
    drop(ledger);
    scratch_out(&scratch.ledger(), STATES[1]);
    assert_eq!(open(&scratch.ledger()).1.checkpoint, Some((100, STATES[0].to_owned())), "what the older one needs was kept");
    scratch_out(&scratch.ledger(), STATES[0]);
    assert_damaged(&refused(&scratch.ledger()), &scratch.ledger(), "record 1 is missing: the next one is 101");
}

#[test]
fn a_file_cut_short_is_noticed() {
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    let file = scratch.ledger().join("ledger.sqlite");
    let whole = fs::read(&file).expect("reads");
    for length in [whole.len() - 4096, whole.len() / 2, 4096, 1000, 50] {
        write(&file, &whole[..length]);
        assert_damaged(&refused(&scratch.ledger()), &scratch.ledger(), "");
    }
}

#[test]
fn no_overwritten_page_goes_by_in_what_is_recovered() {
    let scratch = Scratch::new();
    let records = filled(&scratch.ledger());
    let file = scratch.ledger().join("ledger.sqlite");
    let whole = fs::read(&file).expect("reads");
    let (mut refusals, mut unharmed) = (0, 0);
    for page in 0..whole.len() / 4096 {
        for (from, to, byte) in [(0, 4096, 0xa5), (0, 4096, 0), (0, 16, 0xff), (2000, 2100, 0x41)] {
            let mut bytes = whole.clone();
            bytes[page * 4096 + from..page * 4096 + to].fill(byte);
            for leftover in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
                drop(fs::remove_file(scratch.ledger().join(leftover)));
            }
            write(&file, &bytes);
            match mailcanary::ledger::Ledger::open(&scratch.ledger(), super::START) {
                Ok((_, Recovered { checkpoint, tail, .. })) => {
                    unharmed += 1;
                    let from = checkpoint.as_ref().map_or(0, |(seq, _)| usize::try_from(*seq).expect("small"));
                    assert_eq!(tail, records[from..], "page {page}");
                    let state = checkpoint.map(|(_, state)| state);
                    let right = [None, Some(STATES[0]), Some(STATES[1])][from / 100];
                    assert_eq!(state.as_deref(), right, "page {page}");
                }
                Err(error) => {
                    refusals += 1;
                    let known = matches!(error, LedgerError::Damaged { .. } | LedgerError::Foreign { .. } | LedgerError::Statement { .. });
                    assert!(known, "page {page}: {error:?}");
                }
            }
        }
    }
    assert!(refusals > 20 && unharmed > 20, "{refusals} refused, {unharmed} unharmed");
}

#[test]
fn an_empty_file_beside_a_full_wal_is_noticed() {
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    write(&scratch.ledger().join("ledger.sqlite"), b"");
    write(&scratch.ledger().join("ledger.sqlite-wal"), &[1; 5000]);
    assert_damaged(&refused(&scratch.ledger()), &scratch.ledger(), "it is empty, but `ledger.sqlite-wal` beside it holds 5000 bytes");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    sqlite3(&scratch.ledger(), "PRAGMA user_version = 99");
    let before = fs::read(scratch.ledger().join("ledger.sqlite")).expect("reads");
    let error = refused(&scratch.ledger());
    assert!(matches!(error, LedgerError::Newer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("its schema is 99"), "{error}");
    assert!(before == fs::read(scratch.ledger().join("ledger.sqlite")).expect("reads"), "the file was changed");
}

#[test]
fn a_foreign_database_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.ledger()).expect("makes");
    sqlite3(&scratch.ledger(), "CREATE TABLE passwords (name TEXT)");
    let error = refused(&scratch.ledger());
    assert!(matches!(error, LedgerError::Foreign { .. }), "{error:?}");
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT group_concat(name) FROM sqlite_schema"), "passwords");
}

#[test]
fn a_table_that_somebody_dropped_is_noticed() {
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    sqlite3(&scratch.ledger(), "DROP TABLE sightings");
    let error = refused(&scratch.ledger());
    assert!(matches!(error, LedgerError::Statement { .. }), "{error:?}");
}

#[test]
fn a_record_of_a_later_version_is_not_called_damage() {
    use sha2::{Digest, Sha256};
    let scratch = Scratch::new();
    filled(&scratch.ledger());
    let body = "{\"foreseen\":{}}";
    let digest = Sha256::new().chain_update(302_i64.to_be_bytes()).chain_update(5_i64.to_be_bytes()).chain_update(body).finalize();
    let sum = i64::from_be_bytes(digest[..8].try_into().expect("eight")) & i64::MAX;
    sqlite3(&scratch.ledger(), &format!("INSERT INTO records VALUES (302, 5, 'foreseen', '{body}', {sum})"));
    let error = refused(&scratch.ledger());
    assert!(matches!(error, LedgerError::Unreadable { seq: 302, .. }), "{error:?}");
}
