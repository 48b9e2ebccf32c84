//! Blocklists (RFC 5782): how they are asked, and what their answers mean.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use crate::config::Blocklist;
use crate::model::{Answer, Found, Grade};

/// Answers of one question that are looked at.
const MOST: usize = 32;
/// Characters of a list's own reason that are shown.
const REASON: usize = 150;

/// An address as it stands in a name: `2.0.0.127`, or the nibbles of IPv6.
#[must_use]
pub fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(v6) => {
            let mut out = String::with_capacity(63);
            for byte in v6.octets().into_iter().rev() {
                let _ = write!(out, "{}{:x}.{:x}", if out.is_empty() { "" } else { "." }, byte & 0x0f, byte >> 4);
            }
            out
        }
    }
}

/// The name that is asked for: an address or a domain, the key of the account where there is one, and the list's zone.
#[must_use]
pub fn question(name: &str, key: Option<&str>, zone: &str) -> String {
    let first = name.parse::<IpAddr>().map_or_else(|_| name.trim_end_matches('.').to_ascii_lowercase(), reversed);
    let key = key.map_or_else(String::new, |key| format!("{key}."));
    format!("{first}.{key}{}", zone.trim_matches('.'))
}

/// What a list's addresses and texts for a name mean.
#[must_use]
pub fn listing(list: &Blocklist, addresses: &[Ipv4Addr], texts: &[String]) -> Found {
    let mut sorted: Vec<Ipv4Addr> = addresses.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.truncate(MOST);
    if let Some(refusal) = sorted.iter().find(|code| list.refuses(**code)) {
        let reason = texts.first().map_or_else(String::new, |text| format!(": {}", cut(text)));
        return Found::Refused(format!("the list does not answer this resolver ({refusal}{reason})"));
    }
    let listed: Vec<Ipv4Addr> = sorted.iter().copied().filter(|code| list.lists(*code)).collect();
    if listed.is_empty() {
        // An answer outside of what the list gives is a resolver that makes up answers, or a list that has been given up.
        return match sorted.iter().find(|code| !code.is_loopback()) {
            Some(strange) => {
                Found::Unknown(format!("`{strange}` is no answer of a blocklist: the zone is gone, or the resolver invents it"))
            }
            None => Found::Answer(Answer::new(Grade::Sound, "")),
        };
    }
    let meaning = |code: &Ipv4Addr| list.meaning(*code).map_or_else(|| code.to_string(), |meaning| format!("{code} {meaning}"));
    let answer = Answer::new(Grade::Broken, &listed.iter().map(meaning).collect::<Vec<_>>().join(", "));
    let mut reasons: Vec<&String> = texts.iter().collect();
    reasons.sort();
    Found::Answer(reasons.into_iter().take(2).fold(answer, |answer, reason| answer.note(&cut(reason))))
}

fn cut(text: &str) -> String {
    crate::model::plain(text, REASON)
}
