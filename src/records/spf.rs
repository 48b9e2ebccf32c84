//! One SPF record (RFC 7208), as it is written.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Terms of one record that are looked at; a record of a few hundred bytes has some twenty.
const TERMS: usize = 200;
/// Characters of a term that are shown.
const SHOWN: usize = 60;

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Its mechanisms, in order.
    pub(super) mechanisms: Vec<Mechanism>,
    /// Where it goes on, if none fits.
    pub(super) redirect: Option<String>,
    /// What is wrong with it: receivers call that a permanent error.
    pub(super) fault: Option<String>,
    modifiers: Vec<String>,
}

/// One mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mechanism {
    /// `+`, `-`, `~` or `?`.
    pub(super) qualifier: char,
    pub(super) kind: Kind,
    /// A domain, or a network; empty where it is the record's own domain.
    pub(super) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    All,
    Include,
    A,
    Mx,
    Ptr,
    Exists,
    Ip4,
    Ip6,
}

impl Kind {
    const ALL: [(&'static str, Self); 8] = [
        ("all", Self::All),
        ("include", Self::Include),
        ("a", Self::A),
        ("mx", Self::Mx),
        ("ptr", Self::Ptr),
        ("exists", Self::Exists),
        ("ip4", Self::Ip4),
        ("ip6", Self::Ip6),
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Include => "include",
            Self::A => "a",
            Self::Mx => "mx",
            Self::Ptr => "ptr",
            Self::Exists => "exists",
            Self::Ip4 => "ip4",
            Self::Ip6 => "ip6",
        }
    }

    /// Whether a receiver has to ask for it: those are limited (RFC 7208 4.6.4).
    pub(super) const fn asks(self) -> bool {
        match self {
            Self::Include | Self::A | Self::Mx | Self::Ptr | Self::Exists => true,
            Self::All | Self::Ip4 | Self::Ip6 => false,
        }
    }
}

/// The SPF records among a domain's texts (RFC 7208 4.5: the version, then a space or the end).
pub(super) fn records(texts: &[String]) -> Vec<&str> {
    let is_spf = |text: &&String| text.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"));
    texts.iter().filter(is_spf).map(String::as_str).collect()
}

impl Record {
    /// Reads a record; what stands behind the first fault is not looked at, by receivers neither.
    pub(super) fn read(text: &str) -> Self {
        let mut record = Self::default();
        for (at, term) in text.split([' ', '\t']).skip(1).filter(|term| !term.is_empty()).enumerate() {
            if at >= TERMS {
                record.fault = Some(format!("more than {TERMS} terms"));
                break;
            }
            if let Err(why) = record.take(term) {
                let shown: String = term.chars().take(SHOWN).collect();
                record.fault = Some(format!("`{shown}`: {why}"));
                break;
            }
        }
        record
    }

    fn take(&mut self, term: &str) -> Result<(), &'static str> {
        if !term.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("it has characters that no term may have");
        }
        let name_end = term.find([':', '=', '/']).unwrap_or(term.len());
        let (name, rest) = term.split_at_checked(name_end).ok_or("it is no term")?;
        if let Some(value) = rest.strip_prefix('=') {
            return self.modify(name, value);
        }
        let (qualifier, name) = match name.strip_prefix(['+', '-', '~', '?']) {
            Some(bare) => (name.chars().next().unwrap_or('+'), bare),
            None => ('+', name),
        };
        let known = Kind::ALL.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word));
        let (_, kind) = known.ok_or("it is no mechanism that there is")?;
        let value = rest.strip_prefix(':').unwrap_or(rest).to_ascii_lowercase();
        fits(kind, &value, rest.starts_with(':'))?;
        self.mechanisms.push(Mechanism { qualifier, kind, value });
        Ok(())
    }

    fn modify(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err("it is no modifier's name");
        }
        let name = name.to_ascii_lowercase();
        if name == "redirect" {
            if value.is_empty() || self.redirect.is_some() {
                return Err("there may be one `redirect`, to one domain");
            }
            self.redirect = Some(value.to_ascii_lowercase());
        } else {
            self.modifiers.push(format!("{name}={value}"));
        }
        Ok(())
    }

    /// How everybody else is judged who no mechanism before fits.
    pub(super) fn catch_all(&self) -> Option<char> {
        self.mechanisms.iter().find(|m| m.kind == Kind::All).map(|m| m.qualifier)
    }

    /// The mechanisms that count: those up to `all`.
    pub(super) fn counted(&self) -> impl Iterator<Item = &Mechanism> {
        let end = self.mechanisms.iter().position(|m| m.kind == Kind::All).unwrap_or(self.mechanisms.len());
        self.mechanisms.iter().take(end)
    }

    /// One way of writing it: where all that stands before `all` lets pass, its order is no matter.
    pub(super) fn canonical(&self) -> String {
        let written = |m: &Mechanism| {
            let sign = if m.qualifier == '+' { String::new() } else { m.qualifier.to_string() };
            let colon = if m.value.is_empty() || m.value.starts_with('/') { "" } else { ":" };
            format!("{sign}{}{colon}{}", m.kind.as_str(), m.value)
        };
        let mut terms: Vec<String> = self.counted().map(written).collect();
        if self.counted().all(|m| m.qualifier == '+') {
            terms.sort();
            terms.dedup();
        }
        terms.extend(self.redirect.iter().map(|to| format!("redirect={to}")));
        let mut modifiers = self.modifiers.clone();
        modifiers.sort();
        terms.extend(modifiers);
        terms.extend(self.catch_all().map(|sign| format!("{}all", if sign == '+' { '+' } else { sign })));
        std::iter::once("v=spf1".to_owned()).chain(terms).collect::<Vec<_>>().join(" ")
    }
}

/// Whether a mechanism may have this value; `said`: whether there is a `:`.
fn fits(kind: Kind, value: &str, said: bool) -> Result<(), &'static str> {
    match kind {
        Kind::All if value.is_empty() && !said => Ok(()),
        Kind::All => Err("`all` has no value"),
        Kind::Ip4 => network::<Ipv4Addr>(value, 32).ok_or("it is no IPv4 address or network"),
        Kind::Ip6 => network::<Ipv6Addr>(value, 128).ok_or("it is no IPv6 address or network"),
        Kind::Include | Kind::Exists if value.is_empty() || value.contains("//") => Err("it names no domain"),
        Kind::Include | Kind::Exists | Kind::Ptr => Ok(()),
        Kind::A | Kind::Mx if said && (value.is_empty() || value.starts_with('/')) => Err("it names no domain"),
        Kind::A | Kind::Mx => lengths(value).ok_or("what stands behind the `/` is no length of a prefix"),
    }
}

fn network<A: std::str::FromStr>(value: &str, longest: u8) -> Option<()> {
    let (address, length) = value.split_once('/').map_or((value, None), |(address, length)| (address, Some(length)));
    address.parse::<A>().ok()?;
    length.is_none_or(|length| prefix(length, longest)).then_some(())
}

/// `domain/24//64`: one length for each family, or none.
fn lengths(value: &str) -> Option<()> {
    let Some((_, lengths)) = value.split_once('/') else { return Some(()) };
    let (v4, v6) = match lengths.split_once('/') {
        Some(("", v6)) => (None, Some(v6)),
        Some((v4, v6)) => (Some(v4), Some(v6.strip_prefix('/')?)),
        None => (Some(lengths), None),
    };
    let fit = v4.is_none_or(|length| prefix(length, 32)) && v6.is_none_or(|length| prefix(length, 128));
    fit.then_some(())
}

fn prefix(length: &str, longest: u8) -> bool {
    length.bytes().all(|b| b.is_ascii_digit()) && length.parse::<u8>().is_ok_and(|length| length <= longest)
}
