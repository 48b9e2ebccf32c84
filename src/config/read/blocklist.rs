//! `[blocklist.NAME]`.

use std::collections::BTreeMap;

use super::super::complaint::{Fault, quoted};
use super::super::keys;
use super::super::text::{Root, Section};
use super::super::{Blocklist, Codes};
use crate::model::{Name, Severity};

/// How an answer of a blocklist is written.
const CODES: &str = "write an address or a network under 127.0.0.0/8: \"127.0.0.2\", \"127.0.1.0/24\"";

/// Every blocklist; `None` if a complaint leaves a hole.
pub(super) fn blocklists(root: &Root<'_>) -> Option<BTreeMap<Name, Blocklist>> {
    let table = keys::table("blocklist.NAME")?;
    let all: Vec<_> = root.named("blocklist").into_iter().map(|named| (named.name.clone(), one(&named.section(table)))).collect();
    all.into_iter().map(|(name, list)| Some((name?, list?))).collect()
}

fn one(section: &Section<'_>) -> Option<Blocklist> {
    let (zone, lists) = (zone(section), section.get::<&'static str>("lists"));
    let listed = listed(section);
    let refused = refused(section);
    let (key, severity) = (section.maybe("key"), section.get::<&'static str>("severity"));
    let zone = zone?;
    let known = Blocklist::known(&zone);
    Some(Blocklist {
        domains: lists? == "domains",
        listed: listed?.unwrap_or(known.0),
        refused: refused?.unwrap_or(known.1),
        key: key?,
        severity: severity.and_then(|word| Severity::ALL.into_iter().find(|s| s.as_str() == word))?,
        zone,
    })
}

fn zone(section: &Section<'_>) -> Option<String> {
    let text = section.get::<String>("zone")?;
    match idna::domain_to_ascii_strict(text.trim_end_matches('.')) {
        // What is asked stands before it: 63 bytes for the nibbles of an address.
        Ok(zone) if zone.contains('.') && zone.len() <= 120 => Some(zone),
        Ok(_) | Err(_) => {
            section
                .refuse("zone", Fault::hinted(format!("{} is no zone of a blocklist", quoted(&text)), "write it as \"zen.spamhaus.org\""));
            None
        }
    }
}

fn listed(section: &Section<'_>) -> Option<Option<Vec<(Codes, String)>>> {
    let Some(pairs) = section.maybe::<BTreeMap<String, String>>("listed")? else { return Some(None) };
    let read = |(text, meaning): (&String, &String)| Some((codes(section, "listed", text)?, meaning.clone()));
    pairs.iter().map(read).collect::<Option<Vec<_>>>().map(Some)
}

fn refused(section: &Section<'_>) -> Option<Option<Vec<Codes>>> {
    let Some(lines) = section.maybe::<Vec<String>>("refused")? else { return Some(None) };
    lines.iter().map(|text| codes(section, "refused", text)).collect::<Option<Vec<_>>>().map(Some)
}

fn codes(section: &Section<'_>, key: &str, text: &str) -> Option<Codes> {
    let codes = Codes::read(text);
    if codes.is_none() {
        section.refuse(key, Fault::hinted(format!("{} is no answer of a blocklist", quoted(text)), CODES));
    }
    codes
}
