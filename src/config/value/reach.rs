//! Web addresses, proxies, and where to listen and bind.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::super::Proxy;
use super::super::complaint::{Fault, meant, quoted};
use super::{address, line};

/// Whether a checked host can only be this machine.
pub(in crate::config) fn is_loopback_host(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Whether a checked web address can only be on this machine.
pub(in crate::config) fn is_loopback_url(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_loopback_host(name.strip_suffix('.').unwrap_or(name)),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).to_canonical().is_loopback(),
        None => false,
    }
}

/// Scheme and host of a web address.
pub(in crate::config) fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "…".to_owned(), |url| url.origin().ascii_serialization())
}

/// A web address, without a slash at its end if it is a base. `http://` is judged by the reader: it depends on the key.
pub(super) fn url(text: &str, base: bool) -> Result<String, Fault> {
    let text = line(text, 2000)?;
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err(Fault::hinted(format!("{} is not a web address", quoted(without_user(&text))), "begin it with https://"));
    }
    let url = Url::parse(&text).map_err(|why| Fault::new(format!("{} is not a web address: {why}", quoted(without_user(&text)))))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::hinted("a web address with a user name or password in it (not shown)", "leave them out"));
    }
    if url.port() == Some(0) {
        return Err(Fault::hinted(format!("{} has port 0", quoted(&text)), "write a port from 1 to 65535, or none"));
    }
    if url.fragment().is_some() || (base && url.query().is_some()) {
        return Err(Fault::hinted(format!("{} has something behind its path", quoted(&text)), "leave out `?…` and `#…`"));
    }
    Ok(if base { url.as_str().trim_end_matches('/').to_owned() } else { url.into() })
}

/// The part of an address that may be shown: what stands before an `@` may be a password.
fn without_user(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}

/// An IP address.
pub(super) fn ip(text: &str) -> Result<IpAddr, Fault> {
    text.parse().map_err(|_parse_error| {
        Fault::hinted(
            format!("{} is not an IP address", quoted(text)),
            "write an address of this machine, as \"192.0.2.7\" or \"2001:db8::7\"",
        )
    })
}

/// `socks5://host:port` or `http://host:port`.
pub(super) fn proxy(text: &str) -> Result<Proxy, Fault> {
    const WRITE: &str = "write \"socks5://host:port\" or \"http://host:port\"";
    let text = line(text, 300)?;
    let shown = quoted(without_user(&text));
    let wrong = |why: &str| Fault::hinted(format!("{shown} is not a proxy: {why}"), WRITE);
    let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("there is no `://`"))?;
    if !["socks5", "http"].contains(&scheme) {
        let hint = meant(scheme, ["socks5", "http"]).map_or_else(|| WRITE.to_owned(), |near| format!("did you mean `{near}://`?"));
        return Err(Fault::hinted(wrong("its kind is unknown").what, hint));
    }
    if rest.contains('@') {
        return Err(Fault::hinted("a proxy with a user name or password (not shown)", "proxies that want a log-in are not supported"));
    }
    let (host, port) = rest.strip_suffix('/').unwrap_or(rest).rsplit_once(':').ok_or_else(|| wrong("there is no port"))?;
    let port = port.parse().ok().filter(|p| *p > 0).ok_or_else(|| wrong("its port is not a number from 1 to 65535"))?;
    let host = address::host(host).map_err(|fault| wrong(&fault.what))?;
    Ok(if scheme == "http" { Proxy::Http { host, port } } else { Proxy::Socks5 { host, port } })
}

/// An address with a port, or `off`.
pub(super) fn listen(text: &str) -> Result<Option<SocketAddr>, Fault> {
    if text == "off" {
        return Ok(None);
    }
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    let wrong = |_parse_error| {
        Fault::hinted(
            format!("{} is not an address with a port", quoted(&text)),
            "write an IP address and a port, as \"127.0.0.1:9825\" or \"[::]:9825\", or \"off\"",
        )
    };
    text.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_recognised_however_it_is_written() {
        for yes in [
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:2",
            "http://localhost",
            "http://a.localhost.",
            "http://2130706433",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(is_loopback_url(&Url::parse(yes).unwrap()), "{yes}");
        }
        for no in [
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://[::2]",
            "http://example.com/127.0.0.1",
        ] {
            assert!(!is_loopback_url(&Url::parse(no).unwrap()), "{no}");
        }
    }

    #[test]
    fn no_fault_shows_what_stands_before_an_at_sign() {
        for text in ["https://u:hunter2@example.com/", "ftp://u:hunter2@example.com", "https://u:hunter2@", "u:hunter2@h"] {
            let fault = url(text, false).unwrap_err();
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
        for text in ["socks5://u:hunter2@h:1", "socks4://u:hunter2@h:1", "u:hunter2@h:1"] {
            assert!(!format!("{:?}", proxy(text).unwrap_err()).contains("hunter2"), "{text}");
        }
    }
}
