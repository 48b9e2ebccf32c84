//! Full and read-only disks: real file systems, mounted in a namespace of their own that ends with the test.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use mailcanary::ledger::{Ledger, LedgerError};

use super::{START, Scratch, history, open, refused, sqlite3};

/// Tells the child of a test where its own file system is.
const DISK: &str = "MAILCANARY_TEST_DISK";

/// Nothing of the mount is seen outside. In a chroot the root is no mount point and cannot be told so: then at least nothing stays.
const MOUNT: &str = r#"
    mount --make-rprivate / 2>/dev/null
    mount -t tmpfs -o "size=$0" tmpfs "$MAILCANARY_TEST_DISK" || exit
    "$@"
    status=$?
    umount "$MAILCANARY_TEST_DISK"
    exit $status
"#;

/// Runs `test` again, with a tmpfs of `size` that only it can see; in that second run returns where that is.
fn on_a_disk_of(size: &str, test: &str) -> Option<PathBuf> {
    if let Some(disk) = std::env::var_os(DISK) {
        return Some(disk.into());
    }
    let scratch = Scratch::new();
    let root = fs::metadata("/proc/self").expect("procfs").uid() == 0;
    let mut command = Command::new("unshare");
    command.args(if root { ["--mount"].as_slice() } else { &["--mount", "--map-root-user"] });
    command.args(["--propagation", "unchanged", "sh", "-c", MOUNT, size]);
    command.arg(std::env::current_exe().expect("this program")).args(["--exact", test, "--nocapture"]).env(DISK, &scratch.0);
    let output = command.output().expect("unshare runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
    None
}

/// Fills the disk to its last byte and returns the file that does it.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).expect("makes");
    for block in [65_536, 4096, 1] {
        while file.write_all(&vec![0; block]).is_ok() {}
    }
    path
}

/// Appends the history from `done` on until it fails; returns how far it came and why it ended there.
fn append_until_refused(ledger: &mut Ledger, done: usize) -> (usize, LedgerError) {
    let records = history(20_000);
    for end in done + 1..records.len() {
        if let Err(error) = ledger.append(&records[end - 1..end]) {
            return (end - 1, error);
        }
    }
    panic!("the disk was never full");
}

#[test]
fn a_full_disk_is_told_apart_and_outlived() {
    let Some(disk) = on_a_disk_of("3m", "ledger::disk::a_full_disk_is_told_apart_and_outlived") else { return };
    let folder = disk.join("ledger");
    let records = history(20_000);
    let (mut ledger, _) = open(&folder);
    ledger.append(&records[..10]).expect("appends");
    let mut done = 10;
    for _ in 0..3 {
        let filler = fill(&disk);
        let (end, error) = append_until_refused(&mut ledger, done);
        assert!(matches!(error, LedgerError::Full { .. }), "{error:?}");
        assert!(error.to_string().contains("no space left"), "{error}");
        let again = ledger.append(&records[end..end + 1]).expect_err("still full");
        assert!(matches!(again, LedgerError::Full { .. }), "{again:?}");
        fs::remove_file(filler).expect("removes");
        ledger.append(&records[end..end + 20]).expect("appends again");
        ledger.checkpoint("state").expect("keeps");
        done = end + 20;
    }
    assert_eq!(ledger.records_after(0).expect("reads"), records[..done]);
    drop(ledger);
    let (ledger, recovered) = open(&folder);
    assert_eq!(recovered.checkpoint.expect("a checkpoint").0, u64::try_from(done).expect("small"));
    assert_eq!(ledger.records_after(0).expect("reads"), records[..done]);
}

#[test]
fn a_start_on_a_full_disk_says_so() {
    let Some(disk) = on_a_disk_of("3m", "ledger::disk::a_start_on_a_full_disk_says_so") else { return };
    let (there, fresh) = (disk.join("ledger"), disk.join("fresh"));
    open(&there).0.append(&history(10)).expect("appends");
    let filler = fill(&disk);
    for folder in [&there, &fresh] {
        let error = refused(folder);
        assert!(matches!(error, LedgerError::Full { .. }), "{error:?}");
        assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
    }
    fs::remove_file(filler).expect("removes");
    assert_eq!(open(&there).1.tail, history(10));
    assert!(open(&fresh).1.tail.is_empty());
}

#[test]
fn a_read_only_disk_says_so() {
    let Some(disk) = on_a_disk_of("3m", "ledger::disk::a_read_only_disk_says_so") else { return };
    let (there, fresh) = (disk.join("ledger"), disk.join("fresh"));
    open(&there).0.append(&history(10)).expect("appends");
    let remount = |how| {
        let status = Command::new("mount").args(["-o", how]).arg(&disk).status().expect("mount runs");
        assert!(status.success());
    };
    remount("remount,ro");
    for folder in [&there, &fresh] {
        let error = refused(folder);
        assert!(matches!(error, LedgerError::ReadOnly { .. }), "{error:?}");
        assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
    }
    remount("remount,rw");
    assert_eq!(open(&there).1.tail, history(10));
}

#[test]
fn a_file_in_place_of_the_folder_says_so() {
    let scratch = Scratch::new();
    File::create(scratch.ledger()).expect("makes");
    let error = refused(&scratch.ledger());
    assert!(matches!(error, LedgerError::Io { .. }), "{error:?}");
}

#[test]
fn an_operators_write_lock_is_told_apart() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    let other = rusqlite::Connection::open(scratch.ledger().join("ledger.sqlite")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let error = ledger.append(&history(1)).expect_err("locked");
    assert!(matches!(error, LedgerError::Busy { .. }), "{error:?}");
    other.execute_batch("ROLLBACK").expect("unlocks");
    ledger.append(&history(1)).expect("appends");
    assert_eq!(sqlite3(&scratch.ledger(), "SELECT count(*) FROM records"), "4");
    assert!(Ledger::open(&scratch.ledger(), START).is_err(), "still held");
}
