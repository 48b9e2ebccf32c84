//! Whether a zone is signed and its parent vouches for it: a `DS` must be of a `DNSKEY` (RFC 4034 5, RFC 4035 5.2).

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384};

use crate::model::{Answer, Grade};

/// Records of each type that are looked at.
const MOST: usize = 32;
/// The flag of keys that sign zones (RFC 4034 2.1.1).
const ZONE_KEY: u8 = 0x01;

/// The state of the zone at `apex`: what its parent says of it (`DS`) and its own keys (`DNSKEY`), each as it stands in the message.
#[must_use]
pub fn chain(apex: &str, ds: &[Vec<u8>], keys: &[Vec<u8>]) -> Answer {
    let (all_ds, all_keys) = (of_many(ds), of_many(keys));
    let signing = || all_keys.iter().filter(|key| key.first().is_some_and(|flags| flags & ZONE_KEY != 0));
    match (ds.is_empty(), keys.is_empty()) {
        (true, true) => Answer::absent().note("the zone is not signed"),
        (true, false) => Answer::new(Grade::Weak, "signed, not delegated").note("the zone is signed, but its parent does not say so"),
        (false, true) => Answer::new(Grade::Broken, "delegated, not signed")
            .note("its parent says that the zone is signed, and it has no keys: who checks cannot resolve it"),
        (false, false) => {
            let known: Vec<&Vec<u8>> = all_ds.into_iter().filter(|ds| ds.get(3).is_some_and(|kind| matches!(kind, 1 | 2 | 4))).collect();
            if known.is_empty() {
                // RFC 4035 5.2: a zone that is vouched for by unknown means only counts as unsigned.
                Answer::new(Grade::Weak, "signed").note("its parent vouches for it by means that few know")
            } else if known.iter().any(|ds| signing().any(|key| vouches(apex, ds, key))) {
                Answer::new(Grade::Sound, "signed")
            } else {
                Answer::new(Grade::Broken, "signed, with other keys than its parent says")
                    .note("none of its keys is one that its parent vouches for: who checks cannot resolve it")
            }
        }
    }
}

/// Those that are looked at: the same ones, in whatever order a name server gives them.
fn of_many(records: &[Vec<u8>]) -> Vec<&Vec<u8>> {
    let mut all: Vec<&Vec<u8>> = records.iter().collect();
    all.sort_unstable();
    all.truncate(MOST);
    all
}

/// Whether `ds` is of `key`.
fn vouches(apex: &str, ds: &[u8], key: &[u8]) -> bool {
    let Some(([tag_high, tag_low, algorithm, kind], digest)) = ds.split_first_chunk::<4>() else { return false };
    let same = u16::from_be_bytes([*tag_high, *tag_low]) == tag(key) && key.get(3) == Some(algorithm);
    let by = match kind {
        1 => &SHA1_FOR_LEGACY_USE_ONLY,
        2 => &SHA256,
        4 => &SHA384,
        _ => return false,
    };
    let mut sum = Context::new(by);
    sum.update(&wire(apex));
    sum.update(key);
    same && sum.finish().as_ref() == digest
}

/// The key's tag (RFC 4034, appendix B).
fn tag(key: &[u8]) -> u16 {
    let sum = key.iter().zip(0_u64..).fold(0_u64, |sum, (byte, at)| sum + (u64::from(*byte) << if at % 2 == 0 { 8 } else { 0 }));
    u16::try_from((sum + (sum >> 16)) & 0xffff).unwrap_or_default()
}

/// A name as it is digested: small letters, each label behind its length.
fn wire(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        out.extend(label.bytes().map(|b| b.to_ascii_lowercase()));
    }
    out.push(0);
    out
}
