//! A private Postfix on loopback.

use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::certs::Certificate;
use super::free_port::free_port;
use super::maildir;
use super::temp_dir::TempDir;

/// The user that owns delivered mail: `nobody`.
const NOBODY: u32 = 65_534;
/// The domain whose every address is delivered.
pub const DOMAIN: &str = "inbox.example";

/// Where a Postfix says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// At `MAIL FROM`.
    Mail,
    /// At `RCPT TO`.
    Rcpt,
    /// At `DATA`.
    Data,
    /// Behind the message.
    EndOfData,
}

/// What a Postfix is to be like.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    certificate: Option<Certificate>,
    sasl: Option<(String, String, String)>,
    virtual_transport: Option<String>,
    restrictions: String,
    extra: String,
}

/// A running Postfix. Everything it started ends with it.
#[derive(Debug)]
pub struct Postfix {
    folder: TempDir,
    port: u16,
    smtps_port: u16,
}

impl Builder {
    /// Offers STARTTLS on the port, and implicit TLS on the other one.
    pub fn certificate(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Demands AUTH by one of `mechanisms` (`"PLAIN LOGIN"`), also in the clear.
    pub fn login(mut self, user: &str, password: &str, mechanisms: &str) -> Self {
        self.sasl = Some((user.to_owned(), password.to_owned(), mechanisms.to_owned()));
        self
    }

    /// Delivers mail for [`DOMAIN`] that way (`lmtp:unix:/path`, `lmtp:inet:127.0.0.1:24`) instead of into a Maildir.
    pub fn virtual_transport(mut self, transport: &str) -> Self {
        self.virtual_transport = Some(transport.to_owned());
        self
    }

    /// Answers with `reply` (`552 5.7.0 text`) at `stage`.
    pub fn refuse(mut self, stage: Stage, reply: &str) -> Self {
        let (list, check) = match stage {
            Stage::Mail => ("smtpd_sender_restrictions", "check_sender_access"),
            Stage::Rcpt => ("smtpd_recipient_restrictions", "check_recipient_access"),
            Stage::Data => ("smtpd_data_restrictions", "check_client_access"),
            Stage::EndOfData => ("smtpd_end_of_data_restrictions", "check_client_access"),
        };
        let _ = writeln!(self.restrictions, "{list} = {check} static:{{{reply}}}");
        self
    }

    /// More lines of main.cf.
    pub fn setting(mut self, line: &str) -> Self {
        let _ = writeln!(self.extra, "{line}");
        self
    }

    /// Starts it. It takes mail when this returns.
    pub fn start(self) -> Postfix {
        let (folder, port, smtps_port) = (TempDir::new("postfix"), free_port(), free_port());
        let at = |name: &str| folder.path().join(name);
        for name in ["etc", "etc/sasl", "queue"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        for (name, owner) in [("data", postfix_uid()), ("mail", NOBODY)] {
            std::fs::create_dir(at(name)).unwrap();
            chown(at(name), Some(owner), None).unwrap();
        }
        if let Some((user, password, mechanisms)) = &self.sasl {
            make_sasl(&at("etc/sasl"), user, password, mechanisms);
        }
        std::fs::write(at("etc/main.cf"), self.main_cf(folder.path())).unwrap();
        std::fs::write(at("etc/master.cf"), self.master_cf(port, smtps_port)).unwrap();
        let postfix = Postfix { folder, port, smtps_port };
        let started = postfix.control("start");
        assert!(started.status.success(), "postfix does not start: {}\n{}", String::from_utf8_lossy(&started.stderr), postfix.log());
        postfix
    }

    fn main_cf(&self, folder: &Path) -> String {
        let at = |name: &str| folder.join(name).display().to_string();
        let mut text = format!(
            "compatibility_level = 3.7\nqueue_directory = {queue}\ndata_directory = {data}\nmaillog_file_prefixes = {here}\nmaillog_file = {log}\n\
             myhostname = mail.test.example\nmydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks =\n\
             alias_maps =\nalias_database =\nlocal_recipient_maps =\nbiff = no\nsmtpd_delay_reject = no\nsmtpd_tls_loglevel = 1\n\
             virtual_mailbox_domains = {DOMAIN}\nvirtual_mailbox_base = {mail}\nvirtual_mailbox_maps = static:all/\n\
             virtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\nnotify_classes =\nsmtpd_client_restrictions =\n\
             virtual_transport = {transport}\n",
            queue = at("queue"),
            data = at("data"),
            here = folder.display(),
            log = at("mail.log"),
            mail = at("mail"),
            transport = self.virtual_transport.as_deref().unwrap_or("virtual"),
        );
        if let Some(Certificate { cert, key }) = &self.certificate {
            let _ = writeln!(
                text,
                "smtpd_tls_security_level = may\nsmtpd_tls_received_header = yes\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}",
                cert.display(),
                key.display()
            );
        }
        if self.sasl.is_some() {
            let _ = writeln!(
                text,
                "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\n\
                 smtpd_sasl_local_domain = test.example\nsmtpd_sasl_security_options = noanonymous\n\
                 smtpd_relay_restrictions = permit_sasl_authenticated, reject"
            );
        } else {
            text += "smtpd_relay_restrictions = reject_unauth_destination\n";
        }
        text + &self.restrictions + &self.extra
    }

    fn master_cf(&self, port: u16, smtps_port: u16) -> String {
        let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        if self.certificate.is_some() {
            let _ = writeln!(text, "127.0.0.1:{smtps_port} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes");
        }
        for line in [
            "cleanup unix n - n - 0 cleanup",
            "pickup unix n - n 60 1 pickup",
            "qmgr unix n - n 300 1 qmgr",
            "tlsmgr unix - - n 1000? 1 tlsmgr",
            "rewrite unix - - n - - trivial-rewrite",
            "bounce unix - - n - 0 bounce",
            "defer unix - - n - 0 bounce",
            "trace unix - - n - 0 bounce",
            "verify unix - - n - 1 verify",
            "flush unix n - n 1000? 0 flush",
            "proxymap unix - - n - - proxymap",
            "smtp unix - - n - - smtp",
            "relay unix - - n - - smtp",
            "error unix - - n - - error",
            "retry unix - - n - - error",
            "discard unix - - n - - discard",
            "virtual unix - n n - - virtual",
            "lmtp unix - - n - - lmtp",
            "anvil unix - - n - 1 anvil",
            "scache unix - - n - 1 scache",
            "postlog unix-dgram n - n - 1 postlogd",
        ] {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

impl Postfix {
    /// One that offers no TLS, demands no login and delivers into a Maildir, unless told otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens in the clear, with STARTTLS if it has a certificate.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens with implicit TLS, if it has a certificate.
    pub fn smtps_port(&self) -> u16 {
        self.smtps_port
    }

    /// All that it logged.
    pub fn log(&self) -> String {
        let path = self.folder.path().join("mail.log");
        format!("{}:\n{}", path.display(), std::fs::read_to_string(&path).unwrap_or_default())
    }

    /// Waits until it has logged `text`, 20 s at most: what it logs passes through a process of its own.
    pub fn wait_for_log(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "no `{text}` in {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where delivered mail stands.
    pub fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail/all/new")
    }

    /// The mails that have been delivered into the Maildir.
    pub fn mails(&self) -> Vec<String> {
        maildir::mails(&self.maildir())
    }

    /// Waits until `count` mails have been delivered, 20 s at most, and gives them.
    pub fn wait_for_mails(&self, count: usize) -> Vec<String> {
        maildir::wait_for_mails(&self.maildir(), count, || self.log())
    }

    /// Changes one line of main.cf while it runs.
    pub fn set(&self, line: &str) {
        let etc = self.folder.path().join("etc");
        let changed = Command::new("postconf").arg("-c").arg(etc).args(["-e", line]).output().unwrap();
        assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
        assert!(self.control("reload").status.success());
    }

    /// Tries everything in the queue again, now.
    pub fn flush(&self) {
        let flushed = self.control("flush");
        assert!(flushed.status.success(), "{}", String::from_utf8_lossy(&flushed.stderr));
    }

    fn control(&self, command: &str) -> std::process::Output {
        let etc = self.folder.path().join("etc");
        Command::new("postfix").arg("-c").arg(etc).arg(command).output().expect("Postfix is installed")
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        self.control("abort");
    }
}

fn postfix_uid() -> u32 {
    let output = Command::new("id").args(["-u", "postfix"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Cyrus SASL's own configuration, which Debian's Postfix looks for beside its own, with one user in a database of its own.
fn make_sasl(folder: &Path, user: &str, password: &str, mechanisms: &str) {
    let db = folder.join("sasldb2");
    let config = format!("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: {mechanisms}\n", db.display());
    std::fs::write(folder.join("smtpd.conf"), config).unwrap();
    let mut command = Command::new("saslpasswd2");
    command.args(["-c", "-p", "-u", "test.example", "-f"]).arg(&db).arg(user).stdin(std::process::Stdio::piped());
    let mut child = command.spawn().expect("sasl2-bin is installed");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), password.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    std::fs::set_permissions(&db, std::fs::Permissions::from_mode(0o644)).unwrap();
}
