//! `[dns]`: whom to ask, and how often.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::Wire;
use crate::model::Span;

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum NameServer {
    /// Those of `/etc/resolv.conf`.
    #[default]
    System,
    /// These; the next where one does not answer.
    Servers(Vec<Upstream>),
    /// None: nothing is asked.
    Off,
}

/// How a name server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// UDP, and TCP where an answer is too long.
    Plain,
    /// TCP alone.
    Tcp,
    /// TLS (RFC 7858).
    Tls,
    /// HTTPS (RFC 8484).
    Https,
}

/// One name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// How it is spoken to.
    pub carrier: Carrier,
    /// Where it is; a name is asked of the system's name servers.
    pub host: Result<IpAddr, String>,
    /// Its port.
    pub port: u16,
    /// The name that its certificate is for.
    pub name: String,
    /// The path of questions over HTTPS.
    pub path: String,
}

impl From<SocketAddr> for NameServer {
    fn from(address: SocketAddr) -> Self {
        Self::Servers(vec![Upstream::plain(address)])
    }
}

impl Upstream {
    fn plain(address: SocketAddr) -> Self {
        Self { carrier: Carrier::Plain, host: Ok(address.ip()), port: address.port(), name: address.ip().to_string(), path: String::new() }
    }

    /// Reads `127.0.0.1:53`, `udp://…`, `tcp://…`, `tls://1.1.1.1#cloudflare-dns.com` or `https://dns.google/dns-query`. What stands behind `#` is
    /// the name in the certificate, where that is not the host.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return (address.port() > 0).then(|| Self::plain(address));
        }
        let url = Url::parse(text).ok()?;
        let (carrier, port) = match url.scheme() {
            "udp" => (Carrier::Plain, 53),
            "tcp" => (Carrier::Tcp, 53),
            "tls" => (Carrier::Tls, 853),
            "https" => (Carrier::Https, 443),
            _ => return None,
        };
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let path = if carrier == Carrier::Https && url.path() == "/" { "/dns-query" } else { url.path() };
        let fits = bare && (carrier == Carrier::Https || matches!(path, "" | "/"));
        // Of schemes that are not the web's the host is taken as it is written.
        let text = url.host_str().filter(|_| fits)?.trim_matches(['[', ']']).to_owned();
        let host = match (url.host()?, text.parse::<IpAddr>()) {
            (Host::Ipv4(v4), _) => Ok(IpAddr::V4(v4)),
            (Host::Ipv6(v6), _) => Ok(IpAddr::V6(v6)),
            (Host::Domain(_), Ok(address)) => Ok(address),
            (Host::Domain(_), Err(_)) => Err(idna::domain_to_ascii_strict(&text).ok()?),
        };
        let encrypted = matches!(carrier, Carrier::Tls | Carrier::Https);
        // Who is spoken to in the clear is named by its address: else it would have to be asked itself.
        if !encrypted && (host.is_err() || url.fragment().is_some()) {
            return None;
        }
        let own = host.as_ref().map_or_else(Clone::clone, ToString::to_string);
        let name = match url.fragment() {
            Some(name) => idna::domain_to_ascii_strict(name).ok().filter(|name| !name.is_empty())?,
            None => own,
        };
        let port = url.port_or_known_default().unwrap_or(port);
        Some(Self { carrier, host, port, name, path: path.to_owned() }).filter(|server| server.port > 0)
    }
}

/// How records are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// Whether they are.
    pub watched: bool,
    /// The time between two questions after the same record.
    pub every: Span,
    /// The same of blocklists.
    pub lists_every: Span,
    /// How TLS to name servers is checked, and how policies of MTA-STS are fetched.
    pub wire: Wire,
}

impl Default for Records {
    fn default() -> Self {
        Self { watched: true, every: Span::from_secs(300), lists_every: Span::from_secs(1800), wire: Wire::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_in_every_way_that_they_are_written() {
        let read = |text: &str| {
            let server = Upstream::read(text)?;
            let host = server.host.map_or_else(|name| name, |address| address.to_string());
            Some(format!("{:?} {host} {} {} {}", server.carrier, server.port, server.name, server.path))
        };
        for (text, expected) in [
            ("127.0.0.1:53", "Plain 127.0.0.1 53 127.0.0.1 "),
            ("[::1]:5353", "Plain ::1 5353 ::1 "),
            ("udp://192.0.2.1", "Plain 192.0.2.1 53 192.0.2.1 "),
            ("tcp://[2001:db8::1]:54", "Tcp 2001:db8::1 54 2001:db8::1 "),
            ("tls://1.1.1.1#cloudflare-dns.com", "Tls 1.1.1.1 853 cloudflare-dns.com "),
            ("tls://dns.quad9.net", "Tls dns.quad9.net 853 dns.quad9.net "),
            ("https://dns.google/dns-query", "Https dns.google 443 dns.google /dns-query"),
            ("https://8.8.8.8:8443#dns.google", "Https 8.8.8.8 8443 dns.google /dns-query"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for bad in
            ["", "1.1.1.1", "127.0.0.1:0", "udp://name.example", "tls://", "tls://a@b", "http://dns.google", "tls://1.1.1.1/x", "x://y"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
