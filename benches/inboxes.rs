//! What it costs to hold many inboxes with `IDLE`, under TLS, at a real Dovecot. Prints figures; asserts nothing.
//!
//! `cargo bench --bench inboxes [-- INBOXES [SECONDS]]`; 1,000 inboxes, which are 2,000 sessions, watched for 60 s, by default.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, and stops at what it did not foresee"
)]

#[path = "../tests/suite/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::certs::Authority;
use support::daemon::Daemon;
use support::free_port::free_port;
use support::temp_dir::TempDir;

/// `nobody`: Dovecot does not serve mail as root.
const MAIL_ID: u32 = 65_534;
/// How many inotify instances one user may have.
const INSTANCES: &str = "/proc/sys/fs/inotify/max_user_instances";
const PASSWORD: &str = "secret";
/// Between two looks whether all sessions are there; logging in thousands takes as long as it takes.
const LOOK: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::main]
async fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let inboxes = numbers.first().copied().unwrap_or(1000);
    let seconds = numbers.get(1).copied().unwrap_or(60);
    let authority = Authority::new();
    let many = Many::run(&authority, inboxes);
    let (one, _) = held(&many, &authority, 1, 1).await;
    let (all, share) = held(&many, &authority, inboxes, seconds).await;
    let each = all.saturating_sub(one) as f64 / (inboxes.max(2) - 1) as f64;
    println!(
        "{inboxes} inboxes with IDLE under TLS ({} sessions): {} MiB resident, {each:.0} KiB each (one alone: {} MiB)",
        2 * inboxes,
        all / 1024,
        one / 1024
    );
    println!("while nothing arrives, over {seconds} s: {:.2} % of one core", share * 100.0);
}

/// Holds so many inboxes: resident memory in KiB once all are watched, and the share of a core while nothing happens.
async fn held(many: &Many, authority: &Authority, inboxes: usize, seconds: usize) -> (u64, f64) {
    let mut daemon = Daemon::new(|folder| {
        let password = folder.write("password", PASSWORD);
        let mut text = "[watch]\nevery = \"1d\"\n\n[stream.reset]\n\n[provider.a.smtp]\nfrom = \"a@example.test\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n".to_owned();
        for n in 0..inboxes {
            write!(
                text,
                "\n[inbox.i{n}.imap]\naddress = \"seed{n}@example.test\"\nhost = \"localhost\"\nport = {}\nusername = \"seed{n}@example.test\"\npassword = {{ file = \"{}\" }}\nca_file = \"{}\"\n",
                many.port,
                password.display(),
                authority.file().display()
            )
            .unwrap();
        }
        text
    });
    daemon.spawn();
    let begun = Instant::now();
    while many.sessions() < 2 * inboxes {
        assert!(begun.elapsed() < PATIENCE, "{} sessions; the server's log:\n{}", many.sessions(), many.log());
        tokio::time::sleep(LOOK).await;
    }
    println!("{inboxes} inboxes were logged in to within {:.1} s", begun.elapsed().as_secs_f64());
    // What logging in has left to be done is done.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (before, since) = (daemon.cpu_time(), Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    let share = (daemon.cpu_time() - before).as_secs_f64() / since.elapsed().as_secs_f64();
    let resident = daemon.resident();
    daemon.stop().await;
    (resident, share)
}

/// A Dovecot for many users, which keeps sessions in `IDLE` in one process.
struct Many {
    dir: TempDir,
    master: Child,
    port: u16,
    /// How many inotify instances one user might have before.
    instances: String,
}

impl Many {
    fn run(authority: &Authority, users: usize) -> Self {
        let (dir, port) = (TempDir::new("dovecot-many"), free_port());
        std::fs::create_dir_all(dir.path().join("home")).unwrap();
        chown(dir.path().join("home"), Some(MAIL_ID), Some(MAIL_ID)).unwrap();
        let certificate = authority.issue(&["localhost"]);
        let (d, limit) = (dir.path().display(), 4 * users + 1000);
        let (cert, key) = (certificate.cert.display(), certificate.key.display());
        let config = format!(
            "base_dir = {d}/run\nstate_dir = {d}/state\nlog_path = {d}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
             mail_location = maildir:~/Maildir\nfirst_valid_uid = 1\nmail_uid = {MAIL_ID}\nmail_gid = {MAIL_ID}\n\
             auth_mechanisms = plain login\nimap_hibernate_timeout = 1s\n\
             ssl = required\nssl_cert = <{cert}\nssl_key = <{key}\n\
             passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
             userdb {{\n  driver = static\n  args = uid={MAIL_ID} gid={MAIL_ID} home={d}/home/%u\n}}\n\
             namespace inbox {{\n  inbox = yes\n  separator = /\n  mailbox Junk {{\n    auto = create\n    special_use = \\Junk\n  }}\n}}\n\
             default_process_limit = {limit}\ndefault_client_limit = {limit}\ndefault_vsz_limit = 4G\n\
             service imap-login {{\n  service_count = 0\n  process_min_avail = 1\n  process_limit = 2\n  \
             inet_listener imap {{\n    port = 0\n  }}\n  inet_listener imaps {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n\
             service imap {{\n  process_limit = {limit}\n  extra_groups = $default_internal_group\n  unix_listener imap-master {{\n    user = $default_internal_user\n  }}\n}}\n\
             service imap-hibernate {{\n  unix_listener imap-hibernate {{\n    mode = 0660\n    group = $default_internal_group\n  }}\n}}\n"
        );
        std::fs::write(dir.path().join("dovecot.conf"), config).unwrap();
        // A session without one is watched by a process of its own, and needs some MiB.
        let instances = std::fs::read_to_string(INSTANCES).unwrap();
        std::fs::write(INSTANCES, (8 * limit).to_string()).expect("root may raise the limit of inotify instances");
        let mut command = Command::new("dovecot");
        command.args(["-F", "-c"]).arg(dir.path().join("dovecot.conf")).process_group(0);
        let master = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dovecot is installed");
        let many = Self { dir, master, port, instances };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "dovecot does not start: {}", many.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        many
    }

    /// Sessions that are logged in.
    fn sessions(&self) -> usize {
        let who = Command::new("doveadm").arg("-c").arg(self.dir.path().join("dovecot.conf")).args(["who", "-1"]).output().unwrap();
        String::from_utf8_lossy(&who.stdout).lines().filter(|line| line.starts_with("seed")).count()
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        log.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.master.id())]).status();
        let _ = self.master.wait();
        let _ = std::fs::write(INSTANCES, &self.instances);
    }
}
