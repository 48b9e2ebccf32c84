//! `kill -9` in the middle of appends: what `append` returned for is there.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::{Scratch, history, open, sqlite3};

/// Tells the child of the test below where to write.
const FOLDER: &str = "MAILCANARY_TEST_CRASH_FOLDER";
const RECORDS: u64 = 20_000;

/// Appends the history from where it stands, in transactions of 1 to 5, and says after each how far it is.
fn append_until_killed(folder: &std::path::Path) {
    let records = history(RECORDS);
    let (mut ledger, recovered) = open(folder);
    let mut done = recovered.tail.len();
    while done < records.len() {
        let next = (done + 1 + done % 5).min(records.len());
        ledger.append(&records[done..next]).expect("appends");
        done = next;
        writeln!(std::io::stdout(), "durable {done}").expect("somebody listens");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_promised() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return append_until_killed(std::path::Path::new(&folder));
    }
    let scratch = Scratch::new();
    let records = history(RECORDS);
    let mut promised = 0;
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "ledger::crash::a_kill_loses_nothing_that_was_promised", "--nocapture"])
            .env(FOLDER, scratch.ledger())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let mut killed = false;
        for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
            let Some(done) = line.expect("text").strip_prefix("durable ").and_then(|n| n.parse::<usize>().ok()) else { continue };
            promised = done;
            if done > round * 150 && !killed {
                child.kill().expect("kill -9");
                killed = true;
            }
        }
        child.wait().expect("it ended");
        assert!(killed, "the child ended before it could be killed");
        let (_, recovered) = open(&scratch.ledger());
        assert!(recovered.tail.len() >= promised, "{} of {promised} records are there", recovered.tail.len());
        assert_eq!(recovered.tail, records[..recovered.tail.len()]);
        let sent = recovered.tail.iter().filter(|r| matches!(r.fact, mailcanary::watchdog::Fact::Sent { .. })).count();
        assert_eq!(sqlite3(&scratch.ledger(), "SELECT count(*) FROM canaries"), sent.to_string());
    }
    assert!(promised > 450);
}
