//! What a server has delivered into a Maildir.

use std::path::Path;
use std::time::{Duration, Instant};

/// The mails that stand in the folder `new`.
pub(super) fn mails(new: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(new) else { return Vec::new() };
    entries.map(|entry| String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned()).collect()
}

/// Waits until `count` of them have been delivered, 20 s at most; shows the server's `log` if they never are.
pub(super) fn wait_for_mails(new: &Path, count: usize, log: impl Fn() -> String) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mails = mails(new);
        if mails.len() >= count {
            return mails;
        }
        assert!(Instant::now() < deadline, "{} of {count} mails came; {}", mails.len(), log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
