//! A Debian with a real systemd, booted in a container. It has the host's network, so that it reaches servers of the test on loopback.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A boot takes a few seconds, more on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A booted container. What is changed in it is gone with it.
#[derive(Debug)]
pub struct Container {
    nspawn: Child,
    leader: u32,
}

impl Container {
    /// Boots one, and waits until all is started. Wants root; `tests/run.sh` makes the tree. To be called on the test's own thread, for
    /// the container ends with it.
    pub fn boot() -> Self {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache"), PathBuf::from);
        let tree = cache.join("mailcanary-tests/container");
        assert!(tree.join("usr/lib/systemd/systemd").exists(), "{}: `tests/run.sh` makes it", tree.display());
        let mut nspawn = Command::new("setpriv");
        nspawn.args(["--pdeathsig", "TERM", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe"]);
        nspawn.arg("--volatile=overlay");
        nspawn.arg(format!("--machine=mailcanary-{}", std::process::id())).arg("--directory").arg(tree);
        let nspawn = nspawn.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut container = Self { nspawn, leader: 0 };
        let end = Instant::now() + PATIENCE;
        loop {
            container.leader = container.find_leader().unwrap_or(0);
            if container.leader != 0 && container.run(&["systemctl", "is-system-running"]).stdout.starts_with(b"running") {
                return container;
            }
            let ended = container.nspawn.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "the container does not boot ({ended:?})");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The container's first process, as seen from here.
    fn find_leader(&self) -> Option<u32> {
        let pid = self.nspawn.id();
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?.split_whitespace().next()?.parse().ok()
    }

    /// Where something that is in it stands, seen from here.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.leader))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.leader.to_string(), "--all", "--"]).args(words);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").env("SYSTEMD_PAGER", "");
        command
    }

    /// Runs a command in it.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command prints; it must succeed.
    pub fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{words:?}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The same of a line of shell.
    pub fn shell(&self, line: &str) -> String {
        self.must(&["sh", "-c", line])
    }

    /// Writes a file in it.
    pub fn write(&self, path: &str, content: &[u8]) {
        let mut child = self.command(&["sh", "-c", "cat > \"$0\"", path]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        assert!(child.wait().unwrap().success(), "writing {path}");
    }

    /// A property of a unit.
    pub fn property(&self, unit: &str, name: &str) -> String {
        self.must(&["systemctl", "show", "--value", "--property", name, unit]).trim().to_owned()
    }

    /// What a unit's journal has.
    pub fn journal(&self, unit: &str) -> String {
        self.must(&["journalctl", "--no-pager", "--output=short-monotonic", "--unit", unit])
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() && self.leader != 0 {
            eprintln!("{}", String::from_utf8_lossy(&self.run(&["journalctl", "--no-pager", "--lines=150"]).stdout));
        }
        // Its first process takes this signal for a halt.
        let _ = Command::new("kill").args(["-s", "RTMIN+3", &self.leader.to_string()]).status();
        let end = Instant::now() + Duration::from_secs(20);
        while self.nspawn.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(100));
        }
        // Whatever still runs in it ends with its first process.
        if self.nspawn.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = Command::new("kill").args(["-s", "KILL", &self.leader.to_string()]).status();
            let _ = self.nspawn.wait();
        }
    }
}
