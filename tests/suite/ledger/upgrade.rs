//! An upgrade: what an earlier version wrote opens, with all that stood in it.

use mailcanary::model::{Change, Culprit, IncidentId, Kind, Notice, NoticeId, Severity};
use serde_json::json;

use super::*;

/// Every schema that there has been, oldest first, each on top of the one before.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/migrations");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).expect("is there").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).expect("text")).collect()
}

/// A history in which an incident is open.
fn with_incident() -> Vec<Record> {
    let mut records = history(20);
    let at = after(21 * 60_000);
    let notice = Notice {
        notice: NoticeId(1),
        incident: IncidentId(1),
        change: Change::Opened,
        kind: Kind::Stopped,
        severity: Severity::Page,
        culprit: Culprit::Provider(name("mailchimp")),
        summary: "provider `mailchimp` stopped".to_owned(),
        evidence: json!({ "missing": 6 }),
    };
    records.push(Record { at, fact: Fact::Told { notice, sinks: vec![name("pager")], silenced: false, late: false } });
    records
}

/// The folder `old` holds what `new` has, in the tables of the first `count` schemas.
fn downgraded(old: &Path, new: &Path, count: usize) {
    std::fs::create_dir(old).expect("a fresh folder");
    // What begins with a comment would be an option.
    sqlite3(old, &format!(";{}", migrations()[..count].concat()));
    let application = sqlite3(new, "PRAGMA application_id");
    sqlite3(old, &format!("PRAGMA journal_mode = WAL; PRAGMA application_id = {application}; PRAGMA user_version = {count}"));
    let source = new.join("ledger.sqlite").display().to_string();
    for table in sqlite3(old, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").lines() {
        let columns = sqlite3(old, &format!("SELECT group_concat(name) FROM pragma_table_info('{table}')"));
        sqlite3(old, &format!("ATTACH '{source}' AS new; INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"));
    }
    std::fs::copy(new.join("lock"), old.join("lock")).expect("copies");
}

#[test]
fn what_every_earlier_version_wrote_opens_and_keeps_its_incidents() {
    let (scratch, records) = (Scratch::new(), with_incident());
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.append(&records).expect("appends");
    drop(ledger);
    let all = migrations().len();
    for count in 1..=all {
        let old = scratch.0.join(format!("schema-{count}"));
        downgraded(&old, &scratch.ledger(), count);
        let (mut ledger, recovered) = open(&old);
        assert!(recovered.warning.is_none(), "{count}: {:?}", recovered.warning);
        assert_eq!(recovered.tail, records, "{count}");
        ledger.append(&history(21)[61..]).expect("goes on");
        drop(ledger);
        assert_eq!(sqlite3(&old, "PRAGMA user_version"), all.to_string());
        let incident = sqlite3(&old, "SELECT id, kind, culprit, resolved_at IS NULL FROM incidents");
        assert_eq!(incident, "1|stopped|provider:mailchimp|1", "{count}");
        assert_eq!(sqlite3(&old, "SELECT count(*) FROM canaries"), "21", "{count}");
        // And is what the version before would refuse, by its number.
        let newer = sqlite3(&old, "PRAGMA user_version").parse::<usize>().expect("a number");
        assert!(newer > count || count == all);
    }
}
