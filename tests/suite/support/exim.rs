//! A private Exim on loopback.

use std::fmt::Write as _;
use std::ops::Deref;

use super::certs::Certificate;
use super::postfix::{DOMAIN, Stage};
use super::rooted::{NOBODY, Rooted};

/// Exim's own user.
const EXIM: u32 = 101;

/// What an Exim is to be like.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    certificate: Option<Certificate>,
    login: Option<(String, String)>,
    /// The statements of each access list, by its option.
    lists: Vec<(&'static str, String)>,
    extra: String,
    next_hop: Option<u16>,
}

/// A running Exim. Everything it started ends with it.
#[derive(Debug)]
pub struct Exim(Rooted);

impl Deref for Exim {
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

    /// Offers AUTH PLAIN and LOGIN, also in the clear. `condition` is what Exim expands to know whether a login is good; `$auth2` is the
    /// user and `$auth3` the password.
    pub fn login(mut self, condition: &str) -> Self {
        let of_login = condition.replace("$auth2", "$auth1").replace("$auth3", "$auth2");
        self.login = Some((condition.to_owned(), of_login));
        self
    }

    /// Puts `statement` (`defer message = 450 4.2.1 text`) into the access list of `stage`, before what accepts.
    pub fn at(self, stage: Stage, statement: &str) -> Self {
        let list = match stage {
            Stage::Mail => "acl_smtp_mail",
            Stage::Rcpt => "acl_smtp_rcpt",
            Stage::Data => "acl_smtp_predata",
            Stage::EndOfData => "acl_smtp_data",
        };
        self.list(list, statement)
    }

    /// The same, of any access list.
    pub fn list(mut self, list: &'static str, statement: &str) -> Self {
        self.lists.push((list, statement.to_owned()));
        self
    }

    /// More lines of the main part.
    pub fn setting(mut self, line: &str) -> Self {
        let _ = writeln!(self.extra, "{line}");
        self
    }

    /// Passes all mail on to the server at this port, instead of delivering it.
    pub fn next_hop(mut self, port: u16) -> Self {
        self.next_hop = Some(port);
        self
    }

    /// Starts it. It takes mail when this returns.
    pub fn start(self) -> Exim {
        let mut rooted = Rooted::new("exim4-daemon-light");
        let (port, smtps_port) = (rooted.port(), rooted.smtps_port());
        rooted.folder("spool", EXIM);
        rooted.folder("log", EXIM);
        if let Some(Certificate { cert, key }) = &self.certificate {
            rooted.copy(cert, "etc/cert.pem", EXIM);
            rooted.copy(key, "etc/key.pem", EXIM);
        }
        rooted.write("etc/exim4/exim4.conf", &self.config(port, smtps_port));
        rooted.start(&["/usr/sbin/exim4", "-bdf", "-q10m"]);
        Exim(rooted)
    }

    fn config(&self, port: u16, smtps_port: u16) -> String {
        let mut text = format!(
            "primary_hostname = mail.test.example\nexim_path = /usr/sbin/exim4\nspool_directory = /spool\nlog_file_path = /log/%slog\n\
             never_users =\nlocal_interfaces = 127.0.0.1\nkeep_environment =\nnotifier_socket =\nrfc1413_query_timeout = 0s\n\
             domainlist ours = {DOMAIN}\n{}",
            self.extra
        );
        if self.certificate.is_some() {
            let _ = writeln!(text, "daemon_smtp_ports = {port} : {smtps_port}\ntls_on_connect_ports = {smtps_port}");
            text += "tls_advertise_hosts = *\ntls_certificate = /etc/cert.pem\ntls_privatekey = /etc/key.pem\n";
        } else {
            let _ = writeln!(text, "daemon_smtp_ports = {port}\ntls_advertise_hosts =");
        }
        let mut lists = String::from("begin acl\n");
        let rcpt = if self.login.is_some() { "deny !authenticated = *\n message = relay not permitted\n" } else { "" };
        let always = [("acl_smtp_rcpt", rcpt), ("acl_smtp_rcpt", "deny !domains = +ours\n message = relay not permitted")];
        let statements: Vec<(&str, &str)> = self.lists.iter().map(|(list, s)| (*list, s.as_str())).chain(always).collect();
        for list in ["acl_smtp_connect", "acl_smtp_auth", "acl_smtp_mail", "acl_smtp_rcpt", "acl_smtp_predata", "acl_smtp_data"] {
            let _ = writeln!(text, "{list} = {list}");
            let mine: Vec<&str> = statements.iter().filter(|(of, _)| *of == list).map(|(_, statement)| *statement).collect();
            let _ = writeln!(lists, "{list}:\n {}\n accept", mine.join("\n "));
        }
        text += &lists;
        let _ = write!(
            text,
            "begin routers\nall:\n driver = accept\n domains = +ours\n transport = maildir\n\
             begin transports\nmaildir:\n driver = appendfile\n directory = /mail\n maildir_format\n envelope_to_add\n\
             \x20return_path_add\n user = {NOBODY}\n group = {NOBODY}\nbegin retry\n* * F,1h,10m\n"
        );
        if let Some(port) = self.next_hop {
            let onward = format!("driver = smtp\n hosts = 127.0.0.1\n port = {port}\n allow_localhost\nbegin retry\n");
            let (before, rest) = text.split_once("driver = appendfile").unwrap();
            text = format!("{before}{onward}{}", rest.split_once("begin retry\n").unwrap().1);
        }
        if let Some((plain, login)) = &self.login {
            let _ = write!(
                text,
                "begin authenticators\nplain:\n driver = plaintext\n public_name = PLAIN\n server_condition = {plain}\n server_set_id = $auth2\n\
                 login:\n driver = plaintext\n public_name = LOGIN\n server_prompts = <| Username: | Password:\n\
                 \x20server_condition = {login}\n server_set_id = $auth1\n"
            );
        }
        text
    }
}

impl Exim {
    /// One that offers no TLS, demands no login and delivers into a Maildir, unless told otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }
}
