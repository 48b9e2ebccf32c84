//! MX records.

use std::fmt;

use trust_dns_resolver::proto::rr::{RData, RecordType};

use super::{LookUpError, Resolver, shown};

/// Where mail for a domain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mx {
    /// To these hosts, by preference.
    Hosts(Vec<(u16, String)>),
    /// There is no MX, so to the host of the domain's own name (RFC 5321 5.1).
    Implicit,
    /// Nowhere: the domain says that it takes no mail (RFC 7505).
    Null,
    /// Nowhere: there is neither an MX nor an address.
    Absent,
}

impl Mx {
    /// Whether mail can be sent there at all.
    #[must_use]
    pub const fn takes_mail(&self) -> bool {
        matches!(self, Self::Hosts(_) | Self::Implicit)
    }
}

impl fmt::Display for Mx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(hosts) => {
                let names: Vec<_> = hosts.iter().take(5).map(|(_, name)| shown(name)).collect();
                let more = if hosts.len() > names.len() { ", …" } else { "" };
                write!(f, "mail goes to {}{more}", names.join(", "))
            }
            Self::Implicit => f.write_str("no MX record: mail goes to the host of that name"),
            Self::Null => f.write_str("the domain takes no mail (null MX)"),
            Self::Absent => f.write_str("mail goes nowhere: there is neither an MX nor an address record"),
        }
    }
}

pub(super) async fn find(resolver: &Resolver, domain: &str) -> Result<Mx, LookUpError> {
    let records = resolver.records("MX", domain, RecordType::MX).await?;
    let mut hosts: Vec<(u16, String)> = records.into_iter().filter_map(host).collect();
    hosts.sort();
    if !hosts.is_empty() {
        let null = hosts.iter().all(|(_, name)| name.is_empty());
        return Ok(if null { Mx::Null } else { Mx::Hosts(hosts.into_iter().filter(|(_, name)| !name.is_empty()).collect()) });
    }
    for kind in [RecordType::A, RecordType::AAAA] {
        if !resolver.records("an address", domain, kind).await?.is_empty() {
            return Ok(Mx::Implicit);
        }
    }
    Ok(Mx::Absent)
}

/// Preference and name, without the dot at its end; the root's name is empty.
fn host(data: RData) -> Option<(u16, String)> {
    let RData::MX(mx) = data else { return None };
    Some((mx.preference, mx.exchange.to_ascii().trim_end_matches('.').to_owned()))
}
