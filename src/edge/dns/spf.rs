//! SPF records (RFC 7208).

use std::fmt;

use super::shown;

/// Who may send for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spf {
    /// The record.
    Record(String),
    /// So many records: receivers treat this as an error (RFC 7208 4.5).
    Several(usize),
    /// Nothing is said.
    Absent,
}

impl Spf {
    /// Whether it is as it should be.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        matches!(self, Self::Record(text) if !passes_everyone(text))
    }
}

/// `+all` lets anybody send.
fn passes_everyone(text: &str) -> bool {
    text.split_ascii_whitespace().any(|term| term.eq_ignore_ascii_case("+all") || term.eq_ignore_ascii_case("all"))
}

impl fmt::Display for Spf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(text) if passes_everyone(text) => write!(f, "SPF lets anybody send: `{}`", shown(text)),
            Self::Record(text) => write!(f, "SPF is `{}`", shown(text)),
            Self::Several(count) => write!(f, "{count} SPF records, where there may be only one: receivers treat it as an error"),
            Self::Absent => f.write_str("no SPF record"),
        }
    }
}

/// The SPF record among a domain's texts.
pub(super) fn read(texts: Vec<String>) -> Spf {
    let mut records: Vec<String> = texts.into_iter().filter(|text| is_spf(text)).collect();
    match (records.len(), records.pop()) {
        (1, Some(record)) => Spf::Record(record),
        (0, _) => Spf::Absent,
        (count, _) => Spf::Several(count),
    }
}

/// RFC 7208 4.5: the version, then a space or the end.
fn is_spf(text: &str) -> bool {
    let version = text.split(' ').next().unwrap_or_default();
    version.eq_ignore_ascii_case("v=spf1")
}
