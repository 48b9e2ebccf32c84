//! What went wrong on the way out, in plain words.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustls::CertificateError;

use super::connect::authority;
use crate::model::Class;

/// No connection: ``connecting to `mail.example.net:993`: connection refused``.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct DialError {
    /// `Network` or `Tls`.
    pub class: Class,
    /// What was tried.
    what: String,
    cause: Cause,
}

/// Why it failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cause {
    #[error("name not found")]
    NameNotFound,
    #[error("name look-up failed: {0}")]
    Lookup(String),
    #[error("name look-up timed out")]
    LookupTimedOut,
    #[error("the name has no address of the wanted family")]
    NoAddress,
    #[error("connection refused")]
    Refused,
    #[error("timed out")]
    TimedOut,
    #[error("connection reset")]
    Reset,
    #[error("the other side closed the connection")]
    Closed,
    #[error("network unreachable")]
    Unreachable,
    #[error("the bind address is not one of this host's")]
    BadBind,
    #[error("permission denied")]
    Denied,
    #[error("no such file")]
    NoFile,
    #[error("no certificate in PEM form")]
    BadCaFile,
    #[error("holds no certificate")]
    EmptyCaFile,
    #[error("no certificate authority is known: the system has none (package `ca-certificates`) and no `ca_file` is set")]
    NoAuthorities,
    #[error("neither a host name nor an address")]
    NoServerName,
    #[error("certificate expired")]
    Expired,
    #[error("certificate not valid yet")]
    NotYetValid,
    #[error("certificate is for another name{0}")]
    WrongName(String),
    #[error("certificate from an unknown authority")]
    UnknownAuthority,
    #[error("certificate revoked")]
    Revoked,
    #[error("certificate not signed by the authority that it names")]
    BadSignature,
    #[error("certificate not acceptable: {0}")]
    BadCertificate(String),
    #[error("the other side does not speak TLS there")]
    NotTls,
    #[error("the other side broke the handshake off: {0}")]
    Alert(String),
    #[error("{0}")]
    Tls(String),
    #[error("{0}")]
    Proxy(String),
    #[error("{0}")]
    Other(String),
}

impl Cause {
    /// The cause that hides in an I/O error, TLS errors included.
    pub(super) fn of_io(error: &io::Error) -> Self {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::of_tls(tls);
        }
        // HTTP wraps the connection's error in one of its own.
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
            return Self::of_io(inner);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are open-ended; the rest speaks for itself")]
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => Self::Reset,
            ErrorKind::UnexpectedEof => Self::Closed,
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown => Self::Unreachable,
            ErrorKind::AddrNotAvailable => Self::BadBind,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::NotFound => Self::NoFile,
            _ => Self::Other(error.to_string()),
        }
    }

    /// The cause of a failed look-up. The resolver's errors have no kind of their own, only the C library's words.
    pub(super) fn of_lookup(error: &io::Error) -> Self {
        let text = error.to_string();
        let words = text.rsplit_once("information: ").map_or(text.as_str(), |(_, words)| words);
        let unknown = ["not known", "No address associated", "nodename nor servname"];
        if unknown.iter().any(|sign| words.contains(sign)) { Self::NameNotFound } else { Self::Lookup(words.to_owned()) }
    }

    /// Whose failure it is.
    const fn class(&self) -> Class {
        match self {
            Self::NoAuthorities
            | Self::Expired
            | Self::NotYetValid
            | Self::WrongName(_)
            | Self::UnknownAuthority
            | Self::Revoked
            | Self::BadSignature
            | Self::BadCertificate(_)
            | Self::NotTls
            | Self::Alert(_)
            | Self::Tls(_) => Class::Tls,
            Self::NameNotFound
            | Self::Lookup(_)
            | Self::LookupTimedOut
            | Self::NoAddress
            | Self::Refused
            | Self::TimedOut
            | Self::Reset
            | Self::Closed
            | Self::Unreachable
            | Self::BadBind
            | Self::Denied
            | Self::NoFile
            | Self::BadCaFile
            | Self::EmptyCaFile
            | Self::NoServerName
            | Self::Proxy(_)
            | Self::Other(_) => Class::Network,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the list is open-ended; the rest speaks for itself")]
        match error {
            rustls::Error::InvalidCertificate(certificate) => Self::of_certificate(certificate),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            other => Self::Tls(other.to_string()),
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the list is open-ended; the rest speaks for itself")]
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName => Self::WrongName(String::new()),
            CertificateError::NotValidForNameContext { presented, .. } => Self::WrongName(names(presented)),
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::BadSignature => Self::BadSignature,
            other => Self::BadCertificate(other.to_string()),
        }
    }
}

/// The names in a certificate, for the reason that it is for other ones: at most three, without control characters.
fn names(presented: &[String]) -> String {
    let clean = |name: &String| name.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
    let shown: Vec<_> = presented.iter().take(3).map(clean).collect();
    if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) }
}

impl DialError {
    pub(super) fn connecting(host: &str, port: u16, cause: Cause) -> Self {
        Self { class: Class::Network, what: format!("connecting to `{}`", authority(host, port)), cause }
    }

    pub(super) fn connecting_to_proxy(host: &str, port: u16, cause: Cause) -> Self {
        Self { class: Class::Network, what: format!("connecting to the proxy `{}`", authority(host, port)), cause }
    }

    pub(super) fn through_proxy(host: &str, port: u16, proxy: &str, proxy_port: u16, cause: Cause) -> Self {
        let what = format!("connecting to `{}` through the proxy `{}`", authority(host, port), authority(proxy, proxy_port));
        Self { class: Class::Network, what, cause }
    }

    pub(super) fn tls(server_name: &str, cause: Cause) -> Self {
        Self { class: Class::Tls, what: format!("TLS with `{server_name}`"), cause }
    }

    pub(super) fn ca_file(path: &Path, cause: Cause) -> Self {
        Self { class: Class::Tls, what: format!("reading certificates from `{}`", path.display()), cause }
    }

    pub(super) fn http_client(why: &str) -> Self {
        Self { class: Class::Network, what: "setting up HTTP".to_owned(), cause: Cause::Other(why.to_owned()) }
    }

    /// What a failed HTTP request says of the connection to `host`, in the same plain words. The URL does not appear.
    #[must_use]
    pub fn of_http(host: &str, error: &reqwest::Error) -> Self {
        let mut next = error.source();
        while let Some(inner) = next {
            if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
                return Self::over_http(host, Cause::of_tls(tls));
            }
            if let Some(io) = inner.downcast_ref::<io::Error>() {
                let cause = if io.to_string().contains("lookup address") { Cause::of_lookup(io) } else { Cause::of_io(io) };
                return Self::over_http(host, cause);
            }
            next = inner.source();
        }
        let cause = if error.is_timeout() { Cause::TimedOut } else { Cause::Other(innermost(error)) };
        Self::over_http(host, cause)
    }

    fn over_http(host: &str, cause: Cause) -> Self {
        let class = cause.class();
        let what = if class == Class::Tls { format!("TLS with `{host}`") } else { format!("connecting to `{host}`") };
        Self { class, what, cause }
    }
}

/// The words of the first cause in the chain; without it those of the library, which would name the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut words = "no connection".to_owned();
    let mut next = error.source();
    while let Some(inner) = next {
        words = inner.to_string();
        next = inner.source();
    }
    words
}
