//! A private OpenSMTPD on loopback.

use std::fmt::Write as _;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;

use super::certs::Certificate;
use super::postfix::{DOMAIN, Stage};
use super::rooted::Rooted;

/// A domain in which only `seed` has a mailbox.
pub const FEW: &str = "few.example";

/// What an OpenSMTPD is to be like.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    certificate: Option<Certificate>,
    filters: Vec<String>,
    extra: String,
}

/// A running OpenSMTPD. Everything it started ends with it.
#[derive(Debug)]
pub struct OpenSmtpd(Rooted);

impl Deref for OpenSmtpd {
    type Target = Rooted;

    fn deref(&self) -> &Rooted {
        &self.0
    }
}

impl Builder {
    /// Offers STARTTLS on the port, and implicit TLS on the other one.
    pub fn certificate(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Answers with `reply` (`552 5.7.0 text`) at `stage`.
    pub fn refuse(self, stage: Stage, reply: &str) -> Self {
        let phase = match stage {
            Stage::Mail => "mail-from",
            Stage::Rcpt => "rcpt-to",
            Stage::Data => "data",
            Stage::EndOfData => "commit",
        };
        self.filter(&format!("phase {phase} match !fcrdns reject \"{reply}\""))
    }

    /// One more filter.
    pub fn filter(mut self, filter: &str) -> Self {
        self.filters.push(filter.to_owned());
        self
    }

    /// More lines at the start.
    pub fn setting(mut self, line: &str) -> Self {
        let _ = writeln!(self.extra, "{line}");
        self
    }

    /// Starts it. It takes mail when this returns.
    pub fn start(self) -> OpenSmtpd {
        let mut rooted = Rooted::new("opensmtpd");
        let (port, smtps_port) = (rooted.port(), rooted.smtps_port());
        for name in ["var/lib/opensmtpd/empty", "var/spool/smtpd", "var/run"] {
            rooted.folder(name, 0);
        }
        std::fs::set_permissions(rooted.path("var/spool/smtpd"), PermissionsExt::from_mode(0o711)).unwrap();
        if let Some(Certificate { cert, key }) = &self.certificate {
            rooted.copy(cert, "etc/cert.pem", 0);
            rooted.copy(key, "etc/key.pem", 0);
        }
        let config = self.config(port, smtps_port);
        rooted.write("etc/smtpd.conf", &config);
        rooted.start(&["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"]);
        OpenSmtpd(rooted)
    }

    fn config(&self, port: u16, smtps_port: u16) -> String {
        let mut text = self.extra.clone();
        text += "table users { \"@\" = \"nobody\" }\ntable known { \"seed\" = \"nobody\" }\n";
        let mut options = String::from("hostname mail.test.example");
        for (number, filter) in self.filters.iter().enumerate() {
            let _ = writeln!(text, "filter f{number} {filter}");
        }
        if !self.filters.is_empty() {
            let names: Vec<String> = (0..self.filters.len()).map(|number| format!("f{number}")).collect();
            let _ = writeln!(text, "filter all chain {{ {} }}", names.join(", "));
            options += " filter all";
        }
        let mut tls = ["", ""];
        if self.certificate.is_some() {
            text += "pki test cert \"/etc/cert.pem\"\npki test key \"/etc/key.pem\"\n";
            tls = ["tls pki test", "smtps pki test"];
        }
        let _ = writeln!(text, "listen on 127.0.0.1 port {port} {} {options}", tls[0]);
        if self.certificate.is_some() {
            let _ = writeln!(text, "listen on 127.0.0.1 port {smtps_port} {} {options}", tls[1]);
        }
        for (name, domain) in [("users", DOMAIN), ("known", FEW)] {
            let _ =
                writeln!(text, "action {name} maildir \"/mail\" virtual <{name}>\nmatch from any for domain \"{domain}\" action {name}");
        }
        text
    }
}

impl OpenSmtpd {
    /// One that offers no TLS, demands no login and delivers into a Maildir, unless told otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Whether its handshakes come to an end. Those of version 6 with OpenSSL 3, as in Debian 12, never do: it has no private key there
    /// (OpenSMTPD's issue 1171).
    pub fn speaks_tls(&self) -> bool {
        !self.log().contains("OpenSMTPD 6.")
    }
}
