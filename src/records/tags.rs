//! Records of the shape `tag=value; tag=value` (RFC 6376 3.2), as DKIM, DMARC, MTA-STS and TLS-RPT have them.

/// Tags of one record that are looked at.
const MOST: usize = 64;

/// The tags in order, in small letters, each with its value without spaces around.
pub(super) fn tags(text: &str) -> Vec<(String, &str)> {
    let read = |part: &'_ str| part.split_once('=').map(|(tag, _)| tag.trim().to_ascii_lowercase());
    let values = text.split(';').take(MOST).filter_map(|part| Some((read(part)?, part.split_once('=')?.1.trim())));
    values.collect()
}

/// The value of a tag, if it is there; the first counts.
pub(super) fn value<'t>(tags: &[(String, &'t str)], name: &str) -> Option<&'t str> {
    tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| *value)
}

/// Whether a record begins with this version.
pub(super) fn is_version(text: &str, version: &str) -> bool {
    tags(text).first().is_some_and(|(tag, value)| tag == "v" && *value == version)
}

/// The record in one way of writing it: the version first, then the tags in the order of the alphabet.
pub(super) fn canonical(tags: &[(String, &str)]) -> String {
    let mut all: Vec<(bool, String)> = tags.iter().map(|(tag, value)| (tag != "v", format!("{tag}={}", one_space(value)))).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(|(_, tag)| tag).collect::<Vec<_>>().join("; ")
}

fn one_space(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
