//! Whether an SPF record, with all that it includes, lets an address pass (RFC 7208 4.6, 5).
//!
//! Only what needs no mail can be said: where a macro, `exists` or `ptr` decides, nothing is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::spf::{Kind, Mechanism, Record};

/// Records in records that are followed; a receiver asks for ten in all.
const DEEPEST: usize = 12;

/// What was read and answered on the way through a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    pub(super) records: BTreeMap<String, Record>,
    pub(super) addresses: BTreeMap<String, Vec<IpAddr>>,
    pub(super) exchangers: BTreeMap<String, Vec<String>>,
}

impl Reach {
    /// Whether the record of `domain` lets `address` pass; nothing where that cannot be said.
    pub(super) fn passes(&self, domain: &str, address: IpAddr) -> Option<bool> {
        self.decides(domain, address, 0)
    }

    fn decides(&self, domain: &str, address: IpAddr, depth: usize) -> Option<bool> {
        let record = self.records.get(domain).filter(|_| depth < DEEPEST)?;
        for mechanism in &record.mechanisms {
            if self.fits(mechanism, domain, address, depth)? {
                return Some(mechanism.qualifier == '+');
            }
        }
        record.redirect.as_deref().map_or(Some(false), |to| self.decides(to.trim_end_matches('.'), address, depth.saturating_add(1)))
    }

    fn fits(&self, mechanism: &Mechanism, domain: &str, address: IpAddr, depth: usize) -> Option<bool> {
        let mut parts = mechanism.value.splitn(2, '/');
        let name = parts.next().map(|name| name.trim_end_matches('.')).filter(|name| !name.is_empty()).unwrap_or(domain);
        let lengths = parts.next();
        let is_one = |all: &Vec<IpAddr>| all.iter().any(|one| within(address, *one, length(lengths, address.is_ipv4())));
        match mechanism.kind {
            Kind::All => Some(true),
            Kind::Ip4 | Kind::Ip6 => {
                let length = lengths.and_then(|length| length.parse().ok());
                Some(name.parse().is_ok_and(|network| within(address, network, length.unwrap_or(128))))
            }
            Kind::Include => self.decides(name, address, depth.saturating_add(1)),
            Kind::A => self.addresses.get(name).map(is_one),
            Kind::Mx => {
                let mut fits = false;
                for host in self.exchangers.get(name)? {
                    fits |= is_one(self.addresses.get(host)?);
                }
                Some(fits)
            }
            Kind::Exists | Kind::Ptr => None,
        }
    }
}

/// The length of the prefix for one family: of `24//64`, of `24`, of `/64`.
fn length(lengths: Option<&str>, v4: bool) -> u8 {
    let text = lengths.and_then(|all| match all.split_once('/') {
        Some((first, second)) => Some(if v4 { first } else { second.trim_start_matches('/') }),
        None => v4.then_some(all),
    });
    text.and_then(|text| text.parse().ok()).unwrap_or(128)
}

/// Whether an address is in the network of this many bits; of one family all that stands behind its last bit is no matter.
fn within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let ((address_bits, longest), (network_bits, _)) = (bits(address), bits(network));
    let free = 128_u32.saturating_sub(u32::from(length.min(longest)));
    address.is_ipv4() == network.is_ipv4() && (address_bits ^ network_bits).checked_shr(free).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_network_and_in_no_other() {
        for (address, network, length, expected) in [
            ("192.0.2.77", "192.0.2.0", 24, true),
            ("192.0.3.77", "192.0.2.0", 24, false),
            ("192.0.2.1", "192.0.2.1", 128, true),
            ("192.0.2.1", "192.0.2.2", 32, false),
            ("192.0.2.1", "203.0.113.1", 0, true),
            ("2001:db8:1::5", "2001:db8:1::", 48, true),
            ("2001:db8:2::5", "2001:db8:1::", 48, false),
            ("2001:db8::1", "::", 0, true),
            ("192.0.2.1", "::ffff:192.0.2.1", 128, false),
        ] {
            assert_eq!(within(address.parse().unwrap(), network.parse().unwrap(), length), expected, "{address} {network}/{length}");
        }
        let of = |lengths| (length(lengths, true), length(lengths, false));
        assert_eq!([None, Some("24"), Some("24//64"), Some("/64")].map(of), [(128, 128), (24, 128), (24, 64), (128, 64)]);
    }
}
