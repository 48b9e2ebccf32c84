//! How fast the ledger is: appends a second, one by one and in batches, and a start with a long history.
//!
//! `cargo bench --bench ledger [-- CANARIES]`; 1,000,000 canaries unless said otherwise. Prints figures and asserts nothing.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::path::Path;
use std::time::Instant;

use mailcanary::ledger::{Ledger, LedgerError};
use mailcanary::model::{At, CanaryId, Leg, Name, NameError, Outcome, Placement, Reason, Span};
use mailcanary::watchdog::{Event, Fact, Record};

/// A transaction while the history is built: much larger than the loop's, so that the disk is not what is waited for.
const BUILD: u64 = 20_000;

/// Why a benchmark came to no figure.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the folder of the benchmark: {0}")]
    Folder(#[from] std::io::Error),
}

/// The records of one canary's whole way, one every 6 s from number 0.
fn canary(number: u64) -> Result<[Record; 4], NameError> {
    // Ids are spread as hashes are: the worst case for an index.
    let id = CanaryId::from_bits(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).swap_bytes());
    let inbox = Name::new(&format!("inbox-{}", number % 3))?;
    let at = At::from_ms(1_659_987_000_000).plus(Span::from_secs(number * 6));
    let later = |ms| at.plus(Span::from_ms(ms));
    let sent = Fact::Sent {
        canary: id,
        provider: Name::new(&format!("provider-{}", number / 3 % 3))?,
        stream: Name::new("password-reset")?,
        inbox: inbox.clone(),
        reason: Reason::Routine,
    };
    let answered = Event::Answered {
        canary: id,
        outcome: Outcome::Accepted,
        reply: Some(format!("250 2.0.0 Ok: queued as {number:012X}")),
        hint: None,
        message_id: Some(format!("{number:x}@mail.example.net")),
        legs: [Leg::Connect, Leg::Tls, Leg::Auth, Leg::Data].map(|leg| (leg, Span::from_ms(20 + number % 60))).to_vec(),
        retry_after: None,
    };
    let sighted = Event::Sighted {
        inbox: inbox.clone(),
        canary: id,
        placement: Placement::Inbox,
        arrived_at: later(4000),
        seen_at: Some(later(4090)),
        copy: Some(format!("INBOX/1/{number}")),
    };
    let read = Event::Read { inbox, up_to: Some(later(4090)), cursor: Some(format!("INBOX/1/{number}")) };
    Ok([
        Record { at, fact: sent },
        Record { at: later(200), fact: Fact::Happened(answered) },
        Record { at: later(4090), fact: Fact::Happened(sighted) },
        Record { at: later(4090), fact: Fact::Happened(read) },
    ])
}

/// Appends canaries `from..to`, `together` records to a transaction; prints how fast.
fn append(ledger: &mut Ledger, what: &str, from: u64, to: u64, together: usize) -> Result<(), BenchError> {
    let mut records = Vec::new();
    for number in from..to {
        records.extend(canary(number)?);
    }
    let start = Instant::now();
    for some in records.chunks(together) {
        ledger.append(some)?;
    }
    let took = start.elapsed().as_secs_f64();
    let transactions = records.len().div_ceil(together);
    let (a, b) = (f64::from(u32::try_from(records.len()).unwrap_or(u32::MAX)), f64::from(u32::try_from(transactions).unwrap_or(u32::MAX)));
    println!("{what}: {:.0} records/s, {:.0} durable appends/s, {:.2} ms each", a / took, b / took, took / b * 1000.0);
    Ok(())
}

/// Opens the ledger and prints how long that took.
fn start(folder: &Path, what: &str) -> Result<Ledger, BenchError> {
    let start = Instant::now();
    let (ledger, recovered) = Ledger::open(folder, At::from_ms(1_700_000_000_000))?;
    println!("start {what}: {:.0} ms, {} records after the checkpoint", start.elapsed().as_secs_f64() * 1000.0, recovered.tail.len());
    Ok(ledger)
}

/// The most memory that this process has held, in KiB, as Linux tells it.
fn peak_kib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map_or_else(|| "unknown".to_owned(), |kib| kib.trim().to_owned())
}

fn main() -> Result<(), BenchError> {
    let canaries = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(1_000_000_u64);
    // Beside the build's own output: the system's temporary folder is often in memory.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-ledger");
    drop(std::fs::remove_dir_all(&folder));
    let mut ledger = start(&folder, "of a new ledger")?;
    append(&mut ledger, "one record at a time", 0, 250, 1)?;
    append(&mut ledger, "20 records at a time", 250, 1250, 20)?;
    let building = Instant::now();
    let mut from = 1250;
    while from < canaries {
        let to = canaries.min(from + BUILD);
        let mut records = Vec::new();
        for number in from..to {
            records.extend(canary(number)?);
        }
        ledger.append(&records)?;
        from = to;
    }
    ledger.checkpoint(&"a state of the usual size ".repeat(10_000))?;
    println!("built {canaries} canaries in {:.0} s", building.elapsed().as_secs_f64());
    append(&mut ledger, "one record at a time, now", canaries, canaries + 250, 1)?;
    let bytes = std::fs::metadata(folder.join("ledger.sqlite"))?.len();
    drop(ledger);
    println!("the file has {} MiB; most memory so far {}", bytes / 1_048_576, peak_kib());
    let mut ledger = start(&folder, &format!("with {canaries} canaries"))?;
    let pruning = Instant::now();
    let pruned = ledger.prune(At::from_ms(1_659_987_000_000 + 86_400_000), Span::from_secs(3600), Span::from_secs(86_400))?;
    println!("one step of pruning: {} rows in {:.0} ms", pruned.rows, pruning.elapsed().as_secs_f64() * 1000.0);
    drop(ledger);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
