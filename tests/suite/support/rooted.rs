//! Mail servers of which Debian allows only one: unpacked with their libraries, each instance in a root of its own.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port::free_port;
use super::group;
use super::maildir;
use super::temp_dir::TempDir;

/// The user that owns delivered mail: `nobody`.
pub(super) const NOBODY: u32 = 65_534;
/// Where delivered mail stands, in the root.
const DELIVERED: &str = "mail/new";
/// The users that the servers ask for by name, and their numbers.
const USERS: [(&str, u32); 5] = [("root", 0), ("Debian-exim", 101), ("opensmtpd", 102), ("opensmtpq", 103), ("nobody", NOBODY)];

/// A server that sees one folder as the whole file system. It ends with its value, and everything that it started with it.
#[derive(Debug)]
pub struct Rooted {
    root: TempDir,
    server: Option<Child>,
    port: u16,
    smtps_port: u16,
}

impl Rooted {
    /// A root with the files of `package`, and no server yet.
    pub(super) fn new(package: &str) -> Self {
        let unpacked = unpacked(package);
        let root = TempDir::new(package);
        let copied = Command::new("cp").arg("-a").arg(unpacked.join(".")).arg(root.path()).status().unwrap();
        assert!(copied.success(), "`{}` cannot be copied", unpacked.display());
        let this = Self { root, server: None, port: free_port(), smtps_port: free_port() };
        let (users, groups): (Vec<String>, Vec<String>) =
            USERS.iter().map(|(name, id)| (format!("{name}:x:{id}:{id}::/:/bin/sh\n"), format!("{name}:x:{id}:\n"))).unzip();
        this.write("etc/passwd", &users.concat());
        this.write("etc/group", &groups.concat());
        this.folder("mail", NOBODY);
        this.folder("tmp", 0);
        std::fs::set_permissions(this.path("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
        // A plain file: to make a device is not allowed everywhere.
        this.write("dev/null", "");
        std::fs::set_permissions(this.path("dev/null"), PermissionsExt::from_mode(0o666)).unwrap();
        this
    }

    /// Where something of the root is, seen from outside.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file that everybody may read.
    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Makes a folder that belongs to `owner`.
    pub(super) fn folder(&self, name: &str, owner: u32) {
        std::fs::create_dir_all(self.path(name)).unwrap();
        chown(self.path(name), Some(owner), Some(owner)).unwrap();
    }

    /// Copies a file in, which `owner` alone may read.
    pub(super) fn copy(&self, from: &Path, name: &str, owner: u32) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::copy(from, self.path(name)).unwrap();
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
        chown(self.path(name), Some(owner), Some(owner)).unwrap();
    }

    /// Starts the server, and waits until something listens in the clear.
    pub(super) fn start(&mut self, program: &[&str]) {
        let said = std::fs::File::create(self.path("said")).unwrap();
        let mut command = Command::new("unshare");
        // The first process of a family of its own: whatever it starts ends with it.
        command.args(["--pid", "--fork", "--kill-child", "--root"]).arg(self.root.path()).args(program);
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said).process_group(0);
        self.server = Some(command.spawn().expect("unshare runs"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.server.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{} does not start: {}", program[0], self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that it said and logged.
    pub fn log(&self) -> String {
        ["said", "log/mainlog", "log/paniclog"].map(|name| std::fs::read_to_string(self.path(name)).unwrap_or_default()).concat()
    }

    /// The mails that have been delivered.
    pub fn mails(&self) -> Vec<String> {
        maildir::mails(&self.path(DELIVERED))
    }

    /// Waits until `count` mails have been delivered, 20 s at most, and gives them.
    pub fn wait_for_mails(&self, count: usize) -> Vec<String> {
        maildir::wait_for_mails(&self.path(DELIVERED), count, || self.log())
    }

    /// Where it listens in the clear, with STARTTLS if it has a certificate.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens with implicit TLS, if it has a certificate.
    pub fn smtps_port(&self) -> u16 {
        self.smtps_port
    }
}

impl Drop for Rooted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        if let Some(mut server) = self.server.take() {
            group::end(&mut server);
        }
    }
}

/// Where `tests/run.sh` has unpacked a package.
pub fn unpacked(package: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|at| !at.is_empty()).map_or_else(home, PathBuf::from);
    let at = cache.join("mailcanary-tests").join(package);
    assert!(at.is_dir(), "`{package}` is not unpacked at `{}`: `tests/run.sh` does that", at.display());
    at
}
