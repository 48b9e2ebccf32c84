//! A private Cyrus 3.6: IMAP, JMAP and LMTP on loopback, one user. It is unpacked, and not installed, for Debian allows one IMAP server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::dovecot::{PASSWORD, USER};
use super::free_port::free_port;
use super::group;
use super::rooted::{NOBODY, unpacked};
use super::temp_dir::TempDir;

/// How its folders are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// `INBOX.Junk`: everything is in the inbox, and dots separate.
    #[default]
    Dots,
    /// `Junk`, and slashes separate.
    Slashes,
}

/// A running Cyrus. Ends with its value.
#[derive(Debug)]
pub struct Cyrus {
    dir: TempDir,
    server: Option<Child>,
    /// IMAP in the clear.
    pub imap: u16,
    /// JMAP in the clear.
    pub http: u16,
    lmtp: u16,
}

impl Cyrus {
    /// Starts one, whose junk folder is called `junk` and marked as such, and waits until it answers.
    pub fn run(naming: Naming, junk: &str) -> Self {
        let dir = TempDir::new("cyrus");
        let mut cyrus = Self { dir, server: None, imap: free_port(), http: free_port(), lmtp: free_port() };
        for folder in
            ["conf/db", "conf/socket", "conf/proc", "conf/lock", "conf/log", "conf/msg", "conf/user", "spool", "sieve", "run", "bin", "lib"]
        {
            std::fs::create_dir_all(cyrus.path(folder)).unwrap();
        }
        std::fs::write(cyrus.path("imapd.conf"), cyrus.settings(naming, junk)).unwrap();
        std::fs::write(cyrus.path("cyrus.conf"), cyrus.services()).unwrap();
        cyrus.copy_programs();
        cyrus.add_user();
        cyrus.give_away();
        cyrus.start();
        // The first log-in makes the folders.
        let said = cyrus.imap_says(&[]);
        assert!(said.contains(" OK "), "{said}: {}", cyrus.log());
        let inbox = if naming == Naming::Dots { format!("INBOX.{junk}") } else { junk.to_owned() };
        cyrus.file_junk_into(&inbox);
        cyrus
    }

    /// Its programs and libraries, where somebody else than root may run them.
    fn copy_programs(&self) {
        let programs = unpacked("cyrus-common").join("usr/lib/cyrus/bin");
        for name in ["master", "imapd", "httpd", "lmtpd", "idled", "ctl_cyrusdb", "mbpath", "sievec"] {
            std::fs::copy(programs.join(name), self.program_at(name)).unwrap();
        }
        for library in ["libcyrus.so.0", "libcyrus_imap.so.0", "libcyrus_min.so.0", "libcyrus_sieve.so.0"] {
            std::fs::copy(libraries().join(library), self.path("lib").join(library)).unwrap();
        }
    }

    fn program_at(&self, name: &str) -> PathBuf {
        self.path("bin").join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.program_at(program));
        command.env("LD_LIBRARY_PATH", self.path("lib")).arg("-C").arg(self.path("imapd.conf"));
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn settings(&self, naming: Naming, junk: &str) -> String {
        let d = self.dir.path().display();
        let own = if naming == Naming::Slashes { "yes" } else { "no" };
        format!(
            "configdirectory: {d}/conf\npartition-default: {d}/spool\ndefaultpartition: default\nsievedir: {d}/sieve\n\
             idlesocket: {d}/run/idle\nnotifysocket: {d}/run/notify\nlmtpsocket: {d}/run/lmtp\nproc_path: {d}/run/proc\n\
             mboxname_lockpath: {d}/run/lock\ncyrus_user: nobody\nservername: localhost\nallowplaintext: yes\n\
             sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {d}/sasldb2\nsasl_mech_list: PLAIN LOGIN\n\
             virtdomains: userid\ndefaultdomain: default.invalid\nunixhierarchysep: {own}\naltnamespace: {own}\n\
             autocreate_quota: 0\nautocreate_inbox_folders: {junk}\nxlist-junk: {junk}\nspecialuse_protect: \\Trash\n\
             httpmodules: jmap\nconversations: yes\nconversations_db: twoskip\n"
        )
    }

    fn services(&self) -> String {
        let settings = self.path("imapd.conf").display().to_string();
        let run = |program: &str| format!("{} -C {settings}", self.program_at(program).display());
        format!(
            "START {{\n  recover cmd=\"{} -r\"\n}}\nSERVICES {{\n  imap cmd=\"{}\" listen=\"127.0.0.1:{}\" prefork=0\n  \
             http cmd=\"{}\" listen=\"127.0.0.1:{}\" prefork=0\n  lmtp cmd=\"{} -a\" listen=\"127.0.0.1:{}\" prefork=0\n}}\n\
             DAEMON {{\n  idled cmd=\"{}\"\n}}\n",
            run("ctl_cyrusdb"),
            run("imapd"),
            self.imap,
            run("httpd"),
            self.http,
            run("lmtpd"),
            self.lmtp,
            run("idled"),
        )
    }

    fn add_user(&self) {
        let (name, domain) = USER.split_once('@').unwrap();
        let mut add = Command::new("saslpasswd2");
        add.args(["-p", "-c", "-f"]).arg(self.path("sasldb2")).args(["-u", domain, name]).stdin(Stdio::piped());
        let mut add = add.spawn().expect("saslpasswd2 is installed");
        add.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(add.wait().unwrap().success());
    }

    /// It does not run as root.
    fn give_away(&self) {
        let given = Command::new("chown").args(["-R", &format!("{NOBODY}:{NOBODY}")]).arg(self.dir.path()).status().unwrap();
        assert!(given.success());
    }

    /// Mail with `X-Spam: yes` goes into `folder`.
    fn file_junk_into(&self, folder: &str) {
        let script = format!("require [\"fileinto\"];\nif header :is \"X-Spam\" \"yes\" {{ fileinto \"{folder}\"; }}\n");
        let paths = output(self.command("mbpath").args(["-u", "-a", USER]));
        let home = paths.lines().find_map(|line| line.strip_prefix("Sieve: ")).map(Path::new).unwrap_or_else(|| panic!("{paths}"));
        std::fs::create_dir_all(home).unwrap();
        let source = home.join("filter.script");
        std::fs::write(&source, script).unwrap();
        output(self.command("sievec").arg(&source).arg(home.join("filter.bc")));
        symlink("filter.bc", home.join("defaultbc")).unwrap();
        self.give_away();
    }

    fn start(&mut self) {
        let mut master = Command::new("unshare");
        // The first process of a family of its own: whatever it starts ends with it.
        master.args(["--pid", "--fork", "--kill-child"]).arg(self.program_at("master")).env("LD_LIBRARY_PATH", self.path("lib"));
        master.arg("-C").arg(self.path("imapd.conf")).arg("-M").arg(self.path("cyrus.conf")).arg("-p").arg(self.path("run/master.pid"));
        let said = std::fs::File::create(self.path("said")).unwrap();
        master.arg("-D").stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said).process_group(0);
        self.server = Some(master.spawn().expect("unshare runs"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while [self.imap, self.http, self.lmtp].iter().any(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err()) {
            let ended = self.server.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "cyrus does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has said. What it logs goes to the system, if that has anybody for it.
    fn log(&self) -> String {
        std::fs::read_to_string(self.path("said")).unwrap_or_default()
    }

    /// Logs in over IMAP, says `commands`, and gives all that is answered.
    pub fn imap_says(&self, commands: &[&str]) -> String {
        let mut stream = Conversation::with(self.imap);
        stream.lines_until(|_| true);
        let password = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
        let login = format!("LOGIN {USER} \"{password}\"");
        let mut all = String::new();
        for (n, command) in std::iter::once(login.as_str()).chain(commands.iter().copied()).enumerate() {
            let tag = format!("t{n} ");
            stream.say(&format!("{tag}{command}"));
            all += &stream.lines_until(|line| line.starts_with(&tag));
        }
        all
    }

    /// Delivers `message` by LMTP, as a mail server would. Returns when it is stored.
    pub fn deliver(&self, message: &str) {
        let mut stream = Conversation::with(self.lmtp);
        let is_last = |line: &str| line.as_bytes().get(3) != Some(&b'-');
        stream.lines_until(is_last);
        for command in ["LHLO test", "MAIL FROM:<a@example.test>", &format!("RCPT TO:<{USER}>"), "DATA"] {
            stream.say(command);
            let reply = stream.lines_until(is_last);
            assert!(reply.starts_with(['2', '3']), "{command}: {reply}");
        }
        let body = message.replace("\r\n", "\n").replace('\n', "\r\n").replace("\r\n.", "\r\n..");
        stream.say(&format!("{body}\r\n."));
        let reply = stream.lines_until(is_last);
        assert!(reply.starts_with("250"), "{reply}");
    }
}

/// Lines to a server and back.
struct Conversation(BufReader<TcpStream>);

impl Conversation {
    fn with(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    fn lines_until(&mut self, is_last: impl Fn(&str) -> bool) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).unwrap();
            all += &line;
            if read == 0 || is_last(&line) {
                return all;
            }
        }
    }
}

/// Where its own libraries were unpacked; all others are the system's.
fn libraries() -> PathBuf {
    let usr = unpacked("cyrus-common").join("usr/lib");
    let own = |dir: &PathBuf| dir.join("libcyrus.so.0").exists();
    let found = std::fs::read_dir(&usr).unwrap().map(|entry| entry.unwrap().path()).find(own);
    found.unwrap_or_else(|| panic!("no libcyrus in `{}`", usr.display()))
}

fn output(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        if let Some(mut server) = self.server.take() {
            group::end(&mut server);
        }
    }
}
