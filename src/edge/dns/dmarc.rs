//! DMARC records (RFC 7489), found by walking up the labels.

use std::fmt;

use super::{LookUpError, Resolver, shown, tags};

/// No domain is asked about more often than this: behind the full name of a deep one come its last seven labels, six, and so on, as in
/// the tree walk of DMARCbis (4.10).
const WALK: usize = 7;

/// What receivers are asked to do with mail that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dmarc {
    /// A policy, and the domain that states it.
    Policy {
        /// The domain itself, or one above it.
        at: String,
        /// `none`, `quarantine` or `reject`.
        policy: String,
        /// The record.
        text: String,
    },
    /// A record that states no policy, and the domain that has it: receivers ignore it.
    Broken {
        /// The domain itself, or one above it.
        at: String,
        /// The record.
        text: String,
    },
    /// More than one record at this domain: receivers ignore all of them.
    Several {
        /// The domain itself, or one above it.
        at: String,
    },
    /// Nothing is said, here or above.
    Absent,
}

impl Dmarc {
    /// Whether it is as it should be.
    #[must_use]
    pub const fn is_fine(&self) -> bool {
        matches!(self, Self::Policy { .. })
    }
}

impl fmt::Display for Dmarc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy { at, policy, .. } => write!(f, "DMARC policy is `{}`, stated by {}", shown(policy), shown(at)),
            Self::Broken { at, text } => write!(f, "the DMARC record of {} states no policy: `{}`", shown(at), shown(text)),
            Self::Several { at } => write!(f, "{} has more than one DMARC record: receivers ignore them", shown(at)),
            Self::Absent => f.write_str("no DMARC record"),
        }
    }
}

pub(super) async fn find(resolver: &Resolver, domain: &str) -> Result<Dmarc, LookUpError> {
    for at in walk(domain) {
        let texts = resolver.texts("DMARC", &format!("_dmarc.{at}")).await?;
        let mut records = texts.into_iter().filter(|text| tags(text).next() == Some(("v", "DMARC1")));
        match (records.next(), records.next()) {
            (None, _) => {}
            (Some(_), Some(_)) => return Ok(Dmarc::Several { at }),
            (Some(text), None) => return Ok(judge(at, domain, text)),
        }
    }
    Ok(Dmarc::Absent)
}

/// The domain and those above it, down to two labels; at most [`WALK`] of them.
pub(super) fn walk(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.trim_end_matches('.').split('.').collect();
    let mut names: Vec<String> =
        (0..labels.len()).filter_map(|from| labels.get(from..)).filter(|rest| rest.len() > 1).map(|rest| rest.join(".")).collect();
    if names.is_empty() {
        names.push(domain.to_owned());
    }
    if names.len() > WALK {
        let above = names.split_off(names.len() + 1 - WALK);
        names.truncate(1);
        names.extend(above);
    }
    names
}

/// Reads the policy: of a domain above, `sp` counts before `p` (RFC 7489 6.3).
fn judge(at: String, domain: &str, text: String) -> Dmarc {
    let tag = |name: &str| tags(&text).find(|(tag, _)| *tag == name).map(|(_, value)| value.to_ascii_lowercase());
    let inherited = at != domain.trim_end_matches('.');
    let policy = tag("sp").filter(|_| inherited).or_else(|| tag("p")).filter(|p| ["none", "quarantine", "reject"].contains(&p.as_str()));
    match policy {
        Some(policy) => Dmarc::Policy { at, policy, text },
        None => Dmarc::Broken { at, text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_ends_above_the_top_level_and_is_short() {
        assert_eq!(walk("mail.example.co.uk"), ["mail.example.co.uk", "example.co.uk", "co.uk"]);
        assert_eq!(walk("localhost"), ["localhost"]);
        let deep = walk("a.b.c.d.e.f.g.h.i.j.example.com");
        assert_eq!(deep.len(), 7);
        assert_eq!((deep[0].as_str(), deep[1].as_str()), ("a.b.c.d.e.f.g.h.i.j.example.com", "f.g.h.i.j.example.com"));
        assert_eq!(deep[6], "example.com");
    }
}
