//! How inboxes are read: one variant a protocol.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::preset::Preset;
use super::read::Field as _;
use super::{Proof, SecretRef, Tls};
use crate::model::{At, Placement, Span};

/// What an inbox is logged in to with is warned of so long before its end: a new one may need somebody who is on holiday.
pub const ENDS_SOON: Span = Span::from_secs(21 * 86_400);

/// How an inbox is read.
#[derive(Clone, Debug, PartialEq)]
pub enum InboxKind {
    /// IMAP4rev1.
    Imap(ImapSettings),
    /// A Maildir on this machine.
    Maildir(MaildirSettings),
    /// No mailbox at all: mail is handed to us over SMTP.
    Smtp(MxSettings),
    /// JMAP for mail (RFC 8620, RFC 8621).
    Jmap(JmapSettings),
}

/// `[inbox.NAME.imap]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImapSettings {
    /// Host name or address.
    pub host: String,
    /// Port; 993 by default, 143 with STARTTLS or without TLS.
    pub port: u16,
    /// How TLS is begun.
    pub tls: Tls,
    /// The user name.
    pub username: String,
    /// How it is proved.
    pub proof: Proof,
    /// When the password, the client's secret or the refresh token ends, if that is known.
    pub expires: Option<At>,
    /// Junk folders by name, instead of finding them. Decoded (not modified UTF-7).
    pub junk: Option<Vec<String>>,
    /// Tabs of Gmail's that count as junk.
    pub junk_tabs: Vec<Placement>,
    /// The public host that it is, if that was said.
    pub preset: Option<&'static Preset>,
}

/// `[inbox.NAME.maildir]`.
#[derive(Clone, Debug, PartialEq)]
pub struct MaildirSettings {
    /// The folder with `cur`, `new` and `tmp` in it.
    pub path: PathBuf,
    /// Junk folders by name, instead of finding them: `Junk` is the folder `.Junk`.
    pub junk: Option<Vec<String>>,
}

/// `[inbox.NAME.smtp]`.
#[derive(Clone, Debug, PartialEq)]
pub struct MxSettings {
    /// Where it listens. Inboxes that say the same share one listener.
    pub listen: SocketAddr,
    /// What the server calls itself: the name in the MX record; absent: the domain of the address.
    pub host: String,
    /// Certificate and key for STARTTLS, in PEM form; absent: one that is signed by itself.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// `[inbox.NAME.jmap]`.
#[derive(Clone, Debug, PartialEq)]
pub struct JmapSettings {
    /// The session resource, or the server, of which `/.well-known/jmap` is asked then.
    pub url: String,
    /// The user name.
    pub username: String,
    /// How it is proved: Basic authentication, or a bearer token.
    pub proof: Proof,
    /// When the password or token ends, if that is known.
    pub expires: Option<At>,
    /// Whose mail is read, if not that of who logs in: the id or the name of an account.
    pub account: Option<String>,
    /// Junk mailboxes by name, instead of finding them.
    pub junk: Option<Vec<String>>,
    /// The public host that it is, if that was said.
    pub preset: Option<&'static Preset>,
}

impl JmapSettings {
    /// The server, with its port if that is not the usual one.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }
}

impl InboxKind {
    /// Its word in the configuration.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Imap(_) => "imap",
            Self::Maildir(_) => "maildir",
            Self::Smtp(_) => "smtp",
            Self::Jmap(_) => "jmap",
        }
    }

    /// Where it is, in words.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Imap(imap) => format!("{}:{}, tls {}", imap.host, imap.port, imap.tls.as_str()),
            Self::Maildir(maildir) => maildir.path.display().to_string(),
            Self::Smtp(mx) => format!("listens on {}", mx.listen),
            Self::Jmap(jmap) => jmap.url.clone(),
        }
    }

    /// The server that it is read at, without the port.
    #[must_use]
    pub fn server(&self) -> String {
        match self {
            Self::Imap(imap) => imap.host.to_ascii_lowercase(),
            Self::Jmap(jmap) => jmap.host().to_ascii_lowercase(),
            Self::Maildir(_) | Self::Smtp(_) => "this host".to_owned(),
        }
    }

    /// The port at which it takes mail, if it does.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Smtp(mx) => Some(mx.listen.port()),
            Self::Imap(_) | Self::Maildir(_) | Self::Jmap(_) => None,
        }
    }

    /// When what it logs in with ends, if that is known.
    #[must_use]
    pub const fn expires(&self) -> Option<At> {
        match self {
            Self::Imap(imap) => imap.expires,
            Self::Jmap(jmap) => jmap.expires,
            Self::Maildir(_) | Self::Smtp(_) => None,
        }
    }

    /// Every secret that it needs, by its key.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &SecretRef)> {
        match self {
            Self::Imap(ImapSettings { proof, .. }) | Self::Jmap(JmapSettings { proof, .. }) => proof.secrets("password"),
            Self::Maildir(_) | Self::Smtp(_) => Vec::new(),
        }
    }
}
