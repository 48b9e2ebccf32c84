//! What a domain says of mail over TLS: MTA-STS (RFC 8461) and TLS-RPT (RFC 8460).

use super::tags::{canonical, is_version, tags, value};
use crate::model::{Answer, Grade};

/// RFC 8461 3.1: an id has 1 to 32 letters and digits.
const ID: usize = 32;

/// The MTA-STS record among the texts of `_mta-sts.domain`.
#[must_use]
pub fn mta_sts(texts: &[String]) -> Answer {
    let mut records = texts.iter().filter(|text| is_version(text, "STSv1"));
    let Some(first) = records.next() else { return Answer::absent() };
    let tags = tags(first);
    let text = canonical(&tags);
    if records.next().is_some() {
        return Answer::new(Grade::Broken, &text).note("there is more than one record: senders ignore all of them");
    }
    let id = value(&tags, "id").unwrap_or_default();
    if !(1..=ID).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Answer::new(Grade::Broken, &text).note("its `id` is not 1 to 32 letters and digits: senders ignore it");
    }
    Answer::new(Grade::Sound, &text)
}

/// The TLS-RPT record among the texts of `_smtp._tls.domain`.
#[must_use]
pub fn tls_rpt(texts: &[String]) -> Answer {
    let mut records = texts.iter().filter(|text| is_version(text, "TLSRPTv1"));
    let Some(first) = records.next() else { return Answer::absent() };
    let tags = tags(first);
    let text = canonical(&tags);
    if records.next().is_some() {
        return Answer::new(Grade::Broken, &text).note("there is more than one record: senders ignore all of them");
    }
    let places = value(&tags, "rua").unwrap_or_default();
    let reachable = |place: &str| place.trim().starts_with("mailto:") || place.trim().starts_with("https:");
    if places.split(',').any(reachable) {
        Answer::new(Grade::Sound, &text)
    } else {
        Answer::new(Grade::Broken, &text).note("its `rua` names no place for reports")
    }
}
