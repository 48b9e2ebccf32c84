//! What the kernel knows of this process, from `/proc`. What cannot be read is left out.

use std::fs::{read_dir, read_to_string};

/// `/proc` counts in hundredths of a second for every program (`USER_HZ`), whatever the kernel's own tick.
const TICKS: f64 = 100.0;

/// The usual metrics of a process.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) cpu_secs: Option<f64>,
    pub(super) resident_bytes: Option<f64>,
    pub(super) start_secs: Option<f64>,
    pub(super) open_fds: Option<u64>,
    pub(super) max_fds: Option<f64>,
}

/// Reads them all.
pub(super) fn read() -> Process {
    let file = |path| read_to_string(path).unwrap_or_default();
    let stat = file("/proc/self/stat");
    // The second field is the name in brackets and may hold anything; the third follows the last bracket.
    let fields: Vec<f64> =
        stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split_whitespace().map(|f| f.parse().unwrap_or(f64::NAN)).collect();
    let ticks = |field: usize| fields.get(field - 3).copied().filter(|n| n.is_finite()).map(|n| n / TICKS);
    let booted = after(&file("/proc/stat"), "btime");
    Process {
        cpu_secs: ticks(14).zip(ticks(15)).map(|(user, system)| user + system),
        resident_bytes: after(&file("/proc/self/status"), "VmRSS:").map(|kib| kib * 1024.0),
        start_secs: booted.zip(ticks(22)).map(|(booted, after)| booted + after),
        open_fds: read_dir("/proc/self/fd").ok().map(|fds| fds.count() as u64),
        max_fds: after(&file("/proc/self/limits"), "Max open files"),
    }
}

/// The number that follows `word` at the start of a line.
fn after(text: &str, word: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(word)?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_them_all() {
        let process = read();
        assert!(process.resident_bytes.unwrap() > 100_000.0);
        assert!(process.cpu_secs.unwrap() >= 0.0);
        assert!(process.start_secs.unwrap() > 1_600_000_000.0);
        assert!(process.open_fds.unwrap() > 2);
        assert!(process.max_fds.unwrap() > 2.0);
    }
}
