//! By which name mailcanary may be asked. A page elsewhere can point a name of its own at this host, and its reader's browser would then
//! read mailcanary for it (DNS rebinding); it cannot ask by a name that is ours.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};

use super::super::problem::Problem;
use crate::config::Http;

/// The names.
#[derive(Debug)]
pub(super) struct Hosts {
    names: BTreeSet<String>,
    public: Option<String>,
    /// Other names are refused.
    closed: bool,
    /// The listener is on loopback, so that loopback's names are ours.
    loopback: bool,
}

impl Hosts {
    /// Beyond loopback every name is ours until some are listed: a proxy or a scraper asks by whatever name the network gives it, and a browser
    /// that is led astray has no credentials for the name that it asks by.
    pub(super) fn new(http: &Http, loopback: bool) -> Self {
        let public = http.public_url.as_ref().and_then(|url| url.parse::<Uri>().ok()).and_then(|url| url.authority().cloned());
        let names = http.hosts.iter().map(|name| plain(name)).chain(public.as_ref().map(|public| plain(public.host()))).collect();
        Self { names, public: public.map(|public| public.to_string()), closed: loopback || !http.hosts.is_empty(), loopback }
    }

    /// Host and port by which people ask, where that is said.
    pub(super) fn public(&self) -> Option<&str> {
        self.public.as_deref()
    }

    /// Whether a request asks by a name that is ours. One without any comes from no browser.
    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err(Problem::unfit("there is more than one `Host`"));
        }
        let named = first.map(|host| host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()));
        let absolute = request.uri().authority().cloned().map(Some);
        for authority in absolute.into_iter().chain(named) {
            let name = authority.map(|authority| plain(authority.host()));
            if !name.is_some_and(|name| self.is_ours(&name)) {
                let why = "mailcanary is not asked by this name: `[http] hosts` lists the names by which it is, besides loopback's";
                return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, why));
            }
        }
        Ok(())
    }

    fn is_ours(&self, name: &str) -> bool {
        let ip = name.parse::<IpAddr>().map(|ip| ip.to_canonical());
        let own = match ip {
            Ok(ip) => ip.is_loopback() || !self.loopback,
            Err(_) => self.loopback && (name == "localhost" || name.ends_with(".localhost")),
        };
        !self.closed || own || self.names.contains(name)
    }
}

/// A host as it is compared: in small letters, without brackets and without a dot at its end.
fn plain(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn http(hosts: &[&str], public_url: Option<&str>) -> Http {
        let hosts = hosts.iter().map(|&name| name.to_owned()).collect();
        Http { public_url: public_url.map(str::to_owned), hosts, ..Http::at(([127, 0, 0, 1], 9825).into()) }
    }

    fn asked(hosts: &Hosts, uri: &str, names: &[&str]) -> u16 {
        let mut request = Request::builder().uri(uri);
        for name in names {
            request = request.header(HOST, *name);
        }
        hosts.check(&request.body(Body::empty()).unwrap()).map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn on_loopback_only_our_own_names_ask() {
        let hosts = Hosts::new(&http(&["Canary.internal"], Some("https://canary.example.com/x")), true);
        for good in [
            "localhost:9825",
            "LOCALHOST.",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:9825",
            "a.localhost",
            "canary.internal:80",
            "canary.example.com",
        ] {
            assert_eq!(asked(&hosts, "/", &[good]), 200, "{good}");
        }
        for bad in ["evil.example", "192.0.2.7:9825", "localhost.evil.example", "", "a b", "127.0.0.1.nip.io", "0.0.0.0"] {
            assert_eq!(asked(&hosts, "/", &[bad]), 421, "{bad}");
        }
        assert_eq!(asked(&hosts, "/", &[]), 200, "no browser leaves it out");
        assert_eq!(asked(&hosts, "http://evil.example/", &["localhost"]), 421);
        assert_eq!(asked(&hosts, "/", &["localhost", "localhost"]), 400);
    }

    #[test]
    fn beyond_loopback_names_are_checked_once_some_are_listed() {
        let free = Hosts::new(&http(&[], None), false);
        assert_eq!(asked(&free, "/", &["mx1.example"]), 200);
        let listed = Hosts::new(&http(&["mx1.example"], None), false);
        assert_eq!((asked(&listed, "/", &["mx1.example"]), asked(&listed, "/", &["mx2.example"])), (200, 421));
        assert_eq!(asked(&listed, "/", &["192.0.2.7:9825"]), 200, "an address cannot be pointed elsewhere");
    }
}
