//! How connections are made: the keys that every kind shares, and TLS with its ports.

use std::net::IpAddr;

use super::super::complaint::{Fault, quoted};
use super::super::text::Section;
use super::super::value::{is_loopback_host, is_loopback_url};
use super::super::{Family, Tls, Wire};

/// `ca_file`, `proxy`, `bind` and `family`.
pub(super) fn wire(section: &Section<'_>) -> Option<Wire> {
    let ca_file = section.maybe("ca_file");
    let proxy = section.maybe("proxy");
    let bind = section.maybe::<IpAddr>("bind");
    let family = section.get::<&'static str>("family").map(|word| match word {
        "ipv4" => Family::V4,
        "ipv6" => Family::V6,
        _ => Family::Any,
    });
    let (bind, family) = (bind?, family?);
    if let Some(bind) = bind
        && !fits(bind, family)
    {
        section.refuse(
            "bind",
            Fault::hinted(
                format!("`{bind}` is not of the `family` that is chosen"),
                "choose an address of that family, or leave `family` out",
            ),
        );
    }
    Some(Wire { ca_file: ca_file?, proxy: proxy?, bind, family })
}

fn fits(ip: IpAddr, family: Family) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => ip.is_ipv4(),
        Family::V6 => ip.is_ipv6(),
    }
}

/// Where a server is and how TLS with it begins.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
}

/// Reads `host`, `port` and `tls`; `ports` are the defaults for STARTTLS, implicit TLS and none.
pub(super) fn server(section: &Section<'_>, wire: Option<&Wire>, ports: [u16; 3]) -> Option<Server> {
    server_at(section, section.get("host"), wire, ports)
}

/// The same where the host is known.
pub(super) fn server_at(section: &Section<'_>, host: Option<String>, wire: Option<&Wire>, ports: [u16; 3]) -> Option<Server> {
    let port = section.maybe::<u16>("port");
    let tls = section.get::<&'static str>("tls").map(|word| match word {
        "implicit" => Tls::Implicit,
        "none" => Tls::None,
        _ => Tls::StartTls,
    });
    if let (Some(host), Some(wire)) = (&host, wire)
        && host.parse().is_ok_and(|ip| !fits(ip, wire.family))
    {
        section.refuse(
            "host",
            Fault::hinted(format!("{} is not of the `family` that is chosen", quoted(host)), "leave `family` out, or write a name"),
        );
    }
    if let (Some(host), Some(Tls::None)) = (&host, tls)
        && !is_loopback_host(host)
    {
        let what = format!("`none` would send everything in the clear to {}", quoted(host));
        section.refuse("tls", Fault::hinted(what, "write \"starttls\" or \"implicit\"; \"none\" is for 127.0.0.1, ::1 and localhost"));
    }
    let (host, tls) = (host?, tls?);
    let [starttls, implicit, none] = ports;
    let default = match tls {
        Tls::StartTls => starttls,
        Tls::Implicit => implicit,
        Tls::None => none,
    };
    let port = port?.unwrap_or(default);
    if tls == Tls::StartTls && port == implicit {
        section.warn("port", format!("on port {port} servers speak TLS from the first byte"), "write tls = \"implicit\"");
    }
    if tls == Tls::Implicit && (port == starttls || port == none) {
        section.warn("port", format!("on port {port} servers begin in the clear"), "write tls = \"starttls\"");
    }
    Some(Server { host, port, tls })
}

/// Refuses `http://` to anywhere but this machine.
pub(super) fn clear_only_on_loopback(section: &Section<'_>, key: &str, url: &str) {
    let parsed = url::Url::parse(url).ok();
    if let Some(parsed) = parsed.filter(|u| u.scheme() == "http" && !is_loopback_url(u)) {
        let what = format!("`http://` would send everything in the clear to {}", quoted(parsed.host_str().unwrap_or_default()));
        section.refuse(key, Fault::hinted(what, "write https://; http:// is for 127.0.0.1, [::1] and localhost"));
    }
}
