//! Hosts: where mail goes, and what an address is called.

use crate::model::{Answer, Grade};

/// Hosts of one domain that are looked at; a receiver tries fewer.
const MOST: usize = 100;

/// Where mail for a domain goes: its MX by preference and name (the root's is empty), or whether its own name has an address.
#[must_use]
pub fn exchanges(hosts: &[(u16, String)], has_address: bool) -> Answer {
    let bare = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    let mut named: Vec<(u16, String)> = hosts.iter().map(|(preference, name)| (*preference, bare(name))).collect();
    named.sort();
    named.dedup();
    let null = named.iter().any(|(_, name)| name.is_empty());
    let more = named.len().saturating_sub(MOST);
    let text = named.iter().take(MOST).map(|(preference, name)| format!("{preference} {}", if name.is_empty() { "." } else { name }));
    let text = text.collect::<Vec<_>>().join(", ");
    match (named.len(), null) {
        (0, _) if has_address => Answer::new(Grade::Weak, "no MX").note("mail goes to the host of the domain's own name"),
        (0, _) => Answer::absent().note("there is neither an MX nor an address: mail goes nowhere"),
        (1, true) => Answer::new(Grade::Broken, &text).note("null MX: the domain says that it takes no mail"),
        (_, true) => {
            Answer::new(Grade::Broken, &text).note("a null MX beside others: some senders take it for no mail at all (RFC 7505 3)")
        }
        (_, false) if more > 0 => Answer::new(Grade::Weak, &format!("{text}, …")).note(&format!("{more} more hosts than anybody tries")),
        (_, false) => Answer::new(Grade::Sound, &text),
    }
}

/// The names of an address, each with whether it leads back to it.
#[must_use]
pub fn names_of(names: &[(String, bool)]) -> Answer {
    let mut all: Vec<(String, bool)> = names
        .iter()
        .map(|(name, leads)| (name.trim_end_matches('.').to_ascii_lowercase(), *leads))
        .filter(|(n, _)| !n.is_empty())
        .collect();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    let confirmed: Vec<&str> = all.iter().filter(|(_, leads)| *leads).map(|(name, _)| name.as_str()).take(MOST).collect();
    let others: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).take(MOST).collect();
    match (confirmed.is_empty(), others.is_empty()) {
        (_, true) => Answer::absent().note("the address has no name: many receivers refuse such hosts"),
        (true, false) => {
            Answer::new(Grade::Broken, &others.join(", ")).note("the name does not lead back to the address: it counts as none")
        }
        (false, false) => Answer::new(Grade::Sound, &confirmed.join(", ")),
    }
}
