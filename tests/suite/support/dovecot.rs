//! A private Dovecot 2.3: IMAP, IMAPS and LMTP on loopback, one user, Maildir.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port::free_port;
use super::group;
use super::temp_dir::TempDir;

/// The user whose mailbox it is.
pub const USER: &str = "seed@example.test";
/// Their password: with what has to be escaped in an IMAP string.
pub const PASSWORD: &str = r#"correct "horse\ battery"#;
/// `nobody`: Dovecot does not serve mail as root.
const MAIL_ID: u32 = 65_534;

/// How a Dovecot is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Junk folders as `mailbox` blocks: name and whether it is marked `\Junk`.
    pub junk: Vec<(String, bool)>,
    /// Paths of certificate and key, both PEM; without them there is no TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether a password in the clear is refused without TLS.
    pub tls_only: bool,
    /// Whether mail with `X-Spam: yes` is filed into the first junk folder by Sieve.
    pub sieve: bool,
    /// Sessions at once for the user.
    pub max_connections: u32,
    /// `imap_capability`: replaces what the server says that it can do.
    pub capability: Option<String>,
    /// By which mechanisms access tokens are taken, which [`token`](super::tokens::token_of) makes.
    pub tokens: Option<&'static str>,
    /// How much mail there may be, e.g. `10M`.
    pub quota: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            junk: vec![("Junk".to_owned(), true)],
            tls: None,
            tls_only: false,
            sieve: false,
            max_connections: 20,
            capability: None,
            tokens: None,
            quota: None,
        }
    }
}

/// A running Dovecot. Ends with its value.
#[derive(Debug)]
pub struct Dovecot {
    dir: TempDir,
    master: Option<Child>,
    /// IMAP in the clear, with STARTTLS if there is a certificate.
    pub imap: u16,
    /// IMAP under TLS.
    pub imaps: u16,
    /// LMTP.
    pub lmtp: u16,
}

impl Dovecot {
    /// Starts one and waits until it answers.
    pub fn run(settings: &Settings) -> Self {
        let dir = TempDir::new("dovecot");
        let mut dovecot = Self { dir, master: None, imap: free_port(), imaps: free_port(), lmtp: free_port() };
        let home = dovecot.home();
        std::fs::create_dir_all(&home).unwrap();
        chown(dovecot.dir.path().join("home"), Some(MAIL_ID), Some(MAIL_ID)).unwrap();
        chown(&home, Some(MAIL_ID), Some(MAIL_ID)).unwrap();
        if settings.sieve {
            let junk = settings.junk.first().map_or("Junk", |(name, _)| name.as_str());
            let script = format!("require [\"fileinto\"];\nif header :is \"X-Spam\" \"yes\" {{ fileinto \"{junk}\"; }}\n");
            std::fs::write(home.join("filter.sieve"), script).unwrap();
            chown(home.join("filter.sieve"), Some(MAIL_ID), Some(MAIL_ID)).unwrap();
        }
        std::fs::write(dovecot.dir.path().join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}::::::\n")).unwrap();
        std::fs::write(dovecot.config(), dovecot.write_config(settings)).unwrap();
        dovecot.start();
        dovecot
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("dovecot.conf")
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home").join(USER)
    }

    fn write_config(&self, s: &Settings) -> String {
        let d = self.dir.path().display();
        let (imap, imaps, lmtp) = (self.imap, self.imaps, self.lmtp);
        let mut out = format!(
            r#"base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = imap lmtp
listen = 127.0.0.1
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_uid = {MAIL_ID}
mail_gid = {MAIL_ID}
auth_mechanisms = plain login {}
auth_failure_delay = 0
disable_plaintext_auth = {}
mail_max_userip_connections = {}
postmaster_address = postmaster@example.test
lda_mailbox_autocreate = yes
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {d}/users
}}
userdb {{
  driver = static
  args = uid={MAIL_ID} gid={MAIL_ID} home={d}/home/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"#,
            s.tokens.unwrap_or_default(),
            if s.tls_only { "yes" } else { "no" },
            s.max_connections,
            if s.tls.is_some() { imaps } else { 0 },
        );
        match &s.tls {
            Some((cert, key)) => write!(out, "ssl = yes\nssl_cert = <{}\nssl_key = <{}\n", cert.display(), key.display()).unwrap(),
            None => out.push_str("ssl = no\n"),
        }
        if s.tls_only {
            // Loopback counts as secure otherwise.
            out.push_str("login_trusted_networks =\nssl = required\n");
        }
        out += &s.tokens.map(|_| super::tokens::passdb(self.dir.path())).unwrap_or_default();
        if let Some(capability) = &s.capability {
            writeln!(out, "imap_capability = {capability}").unwrap();
        }
        out.push_str("namespace inbox {\n  inbox = yes\n  separator = /\n");
        for (name, marked) in &s.junk {
            let special = if *marked { "    special_use = \\Junk\n" } else { "" };
            writeln!(out, "  mailbox \"{name}\" {{\n    auto = create\n{special}  }}").unwrap();
        }
        out.push_str("}\n");
        let plugins = if s.quota.is_some() { "quota" } else { "" };
        let sieve = if s.sieve { "sieve" } else { "" };
        writeln!(out, "mail_plugins = {plugins}\nprotocol lmtp {{\n  mail_plugins = {plugins} {sieve}\n}}").unwrap();
        let quota = s.quota.as_ref().map(|q| format!("  quota = maildir:User quota\n  quota_rule = *:storage={q}\n")).unwrap_or_default();
        writeln!(out, "plugin {{\n  sieve = file:~/filter.sieve\n{quota}}}").unwrap();
        out
    }

    /// Starts it (again), on the same folder and ports, and waits until it answers.
    pub fn start(&mut self) {
        assert!(self.master.is_none(), "it runs");
        let child = Command::new("dovecot")
            .args(["-F", "-c"])
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("dovecot is installed");
        self.master = Some(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answers = [self.imap, self.lmtp].iter().all(|port| greeting(*port).is_some());
            if answers {
                return;
            }
            let ended = self.master.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "dovecot does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it, with all its sessions, at once.
    pub fn stop(&mut self) {
        let Some(mut master) = self.master.take() else { return };
        group::end(&mut master);
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The process ids of the IMAP sessions of the user.
    pub fn sessions(&self) -> Vec<i32> {
        let master = self.master.as_ref().unwrap().id();
        let ps = Command::new("ps").args(["-o", "pid=,comm=", "--ppid", &master.to_string()]).output().unwrap();
        let lines = String::from_utf8_lossy(&ps.stdout).into_owned();
        let imap = lines.lines().filter_map(|line| line.trim().split_once(' ')).filter(|(_, comm)| comm.trim() == "imap");
        imap.map(|(pid, _)| pid.parse().unwrap()).collect()
    }

    /// Delivers `message` by LMTP, as a mail server would. Returns when it is stored.
    pub fn deliver(&self, message: &str) {
        let reply = self.try_deliver(message);
        assert!(reply.starts_with("250"), "{reply}");
    }

    /// Delivers by LMTP; the answer to the data.
    pub fn try_deliver(&self, message: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.lmtp)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut answer = || {
            let mut line = String::new();
            loop {
                line.clear();
                lines.read_line(&mut line).unwrap();
                if line.as_bytes().get(3) != Some(&b'-') {
                    return line.clone();
                }
            }
        };
        answer();
        for command in ["LHLO test", "MAIL FROM:<a@example.test>", &format!("RCPT TO:<{USER}>"), "DATA"] {
            stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
            let reply = answer();
            if !reply.starts_with(['2', '3']) {
                return reply;
            }
        }
        let body = message.replace("\r\n", "\n").replace('\n', "\r\n").replace("\r\n.", "\r\n..");
        stream.write_all(format!("{body}\r\n.\r\n").as_bytes()).unwrap();
        answer()
    }

    /// Puts a file into a folder behind Dovecot's back, as if it had been delivered `age` ago.
    pub fn drop_file(&self, folder: &str, name: &str, message: &str, age: Duration) {
        let maildir = self.home().join("Maildir");
        let dir = if folder == "INBOX" { maildir } else { maildir.join(format!(".{folder}")) };
        for part in ["", "cur", "new", "tmp"] {
            std::fs::create_dir_all(dir.join(part)).unwrap();
        }
        own(&self.home().join("Maildir"));
        own(&dir);
        let path = dir.join("new").join(name);
        std::fs::write(&path, message.replace("\r\n", "\n")).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
        chown(&path, Some(MAIL_ID), Some(MAIL_ID)).unwrap();
    }

    /// Runs `doveadm COMMAND…` and gives what it prints.
    pub fn doveadm(&self, args: &[&str]) -> String {
        let out = Command::new("doveadm").arg("-c").arg(self.config()).args(args).output().unwrap();
        assert!(out.status.success(), "doveadm {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}

fn own(dir: &Path) {
    for part in ["", "cur", "new", "tmp"] {
        let path = dir.join(part);
        if path.metadata().is_ok_and(|m| m.uid() != MAIL_ID) {
            chown(&path, Some(MAIL_ID), Some(MAIL_ID)).unwrap();
        }
    }
}

fn greeting(port: u16) -> Option<String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok().filter(|n| *n > 0)?;
    Some(line)
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("dovecot's log:\n{}", self.log());
        }
        self.stop();
    }
}
