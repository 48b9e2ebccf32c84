//! `[blocklist.NAME]`: whom to ask whether an address or a domain is listed, and how its answers are read.

use std::net::Ipv4Addr;

use super::SecretRef;
use crate::model::Severity;

/// One blocklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocklist {
    /// Its zone, as `zen.spamhaus.org`.
    pub zone: String,
    /// Whether it lists domains, and not addresses.
    pub domains: bool,
    /// Its answers that are listings, each with what it means; empty: every one under 127.0.0.0/8 that is no refusal.
    pub listed: Vec<(Codes, String)>,
    /// Its answers that say that it does not answer.
    pub refused: Vec<Codes>,
    /// A label before the zone that says who asks.
    pub key: Option<SecretRef>,
    /// How loud a listing is.
    pub severity: Severity,
}

/// Some addresses that a blocklist answers with: one, or a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    base: u32,
    mask: u32,
}

impl Codes {
    /// Reads `127.0.0.2`, or `127.255.255.0/24`; only what is loopback can be an answer.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, Some(32)), |(address, length)| (address, length.parse::<u32>().ok()));
        let (address, length) = (address.parse::<Ipv4Addr>().ok()?, length.filter(|length| (8..=32).contains(length))?);
        let mask = u32::MAX << (32 - length);
        address.is_loopback().then_some(Self { base: u32::from(address) & mask, mask })
    }

    /// Whether `code` is one of them.
    #[must_use]
    pub fn has(self, code: Ipv4Addr) -> bool {
        u32::from(code) & self.mask == self.base
    }
}

/// What is known of the answers of lists that many ask: by the end of the zone, listings and refusals.
type Known = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// From the lists' own documents. Spamhaus: "DNSBL usage: return codes"; SURBL and URIBL: bit masks, of which the first is a refusal.
const KNOWN: &[Known] = &[
    ("zen.spamhaus.org", SPAMHAUS_IP, SPAMHAUS_REFUSALS),
    ("zen.dq.spamhaus.net", SPAMHAUS_IP, SPAMHAUS_REFUSALS),
    ("sbl.spamhaus.org", SPAMHAUS_IP, SPAMHAUS_REFUSALS),
    ("xbl.spamhaus.org", SPAMHAUS_IP, SPAMHAUS_REFUSALS),
    ("pbl.spamhaus.org", SPAMHAUS_IP, SPAMHAUS_REFUSALS),
    ("dbl.spamhaus.org", SPAMHAUS_DOMAIN, SPAMHAUS_REFUSALS),
    ("dbl.dq.spamhaus.net", SPAMHAUS_DOMAIN, SPAMHAUS_REFUSALS),
    ("multi.surbl.org", &[], &["127.0.0.1"]),
    ("multi.uribl.com", &[], &["127.0.0.1"]),
    ("black.uribl.com", &[], &["127.0.0.1"]),
    ("bl.mailspike.net", &[], &["127.255.255.0/24"]),
];
const SPAMHAUS_IP: &[(&str, &str)] = &[
    ("127.0.0.2", "SBL (spam source)"),
    ("127.0.0.3", "CSS (snowshoe or compromised)"),
    ("127.0.0.4", "XBL (exploited)"),
    ("127.0.0.5", "XBL (exploited)"),
    ("127.0.0.6", "XBL (exploited)"),
    ("127.0.0.7", "XBL (exploited)"),
    ("127.0.0.9", "DROP (hijacked network)"),
    ("127.0.0.10", "PBL (should not send directly, by its network)"),
    ("127.0.0.11", "PBL (should not send directly)"),
];
const SPAMHAUS_DOMAIN: &[(&str, &str)] = &[
    ("127.0.1.2", "spam domain"),
    ("127.0.1.4", "phishing domain"),
    ("127.0.1.5", "malware domain"),
    ("127.0.1.6", "botnet domain"),
    ("127.0.1.102", "abused legitimate domain (spam)"),
    ("127.0.1.103", "abused redirector"),
    ("127.0.1.104", "abused legitimate domain (phishing)"),
    ("127.0.1.105", "abused legitimate domain (malware)"),
    ("127.0.1.106", "abused legitimate domain (botnet)"),
];
/// 127.0.1.255: an address was asked for where domains are listed; 127.255.255.252 to 255: a typing error, a public resolver, too much.
const SPAMHAUS_REFUSALS: &[&str] = &["127.255.255.0/24", "127.0.1.255"];
/// What any list means by such an answer: lists that say no use this network after Spamhaus.
const REFUSALS: &[&str] = &["127.255.255.0/24"];

impl Blocklist {
    /// The listings and refusals that are known of a zone.
    #[must_use]
    pub fn known(zone: &str) -> (Vec<(Codes, String)>, Vec<Codes>) {
        let zone = zone.trim_matches('.').to_ascii_lowercase();
        let is_it = |known: &&Known| zone.strip_suffix(known.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let (listed, refused) = KNOWN.iter().find(is_it).map_or((&[][..], REFUSALS), |(_, listed, refused)| (*listed, *refused));
        let listed = listed.iter().filter_map(|(code, meaning)| Some((Codes::read(code)?, (*meaning).to_owned()))).collect();
        (listed, refused.iter().filter_map(|code| Codes::read(code)).collect())
    }

    /// Whether this answer says that the list does not answer.
    #[must_use]
    pub fn refuses(&self, code: Ipv4Addr) -> bool {
        self.refused.iter().any(|codes| codes.has(code))
    }

    /// Whether this answer is a listing.
    #[must_use]
    pub fn lists(&self, code: Ipv4Addr) -> bool {
        if self.listed.is_empty() { code.is_loopback() && !self.refuses(code) } else { self.meaning(code).is_some() }
    }

    /// What this answer means, if that is known.
    #[must_use]
    pub fn meaning(&self, code: Ipv4Addr) -> Option<&str> {
        self.listed.iter().find(|(codes, _)| codes.has(code)).map(|(_, meaning)| meaning.as_str())
    }
}
