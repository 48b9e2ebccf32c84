//! What stands in the DNS about mail: what is asked, and what was answered. What of a change is bad is the watchdog's business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Name;

/// Characters of an answer's text that are kept, and of each of its notes.
const TEXT: usize = 1000;
const NOTE: usize = 200;
/// A text that was cut has a sign and a number of 16 digits behind it.
const HELD: usize = TEXT + 17;
/// Notes that are kept of one answer.
const NOTES: usize = 4;
const DOMAIN: usize = 253;
/// Records that are kept of those which one includes, and addresses.
const INCLUDES: usize = 16;
const HOSTS: usize = 64;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Who may send for a domain (RFC 7208).
    Spf,
    /// A key that signatures are checked with (RFC 6376), by its whole name: `selector._domainkey.domain`.
    Dkim,
    /// What receivers do with mail of a domain that fails (RFC 7489).
    Dmarc,
    /// Where mail for a domain goes (RFC 5321), and whether it takes any (RFC 7505).
    Mx,
    /// The names of an address, and whether they lead back to it.
    Reverse,
    /// Whether a domain wants mail over TLS only, by its record and its policy (RFC 8461).
    MtaSts,
    /// Where a domain wants failures of TLS reported (RFC 8460).
    TlsRpt,
    /// Whether the zone of a domain is signed, and its parent says so (RFC 4035).
    Dnssec,
    /// Whether an address or a domain stands on a blocklist (RFC 5782).
    Listed,
}

impl Topic {
    /// Every topic, in the order that lists use.
    pub const ALL: [Self; 9] =
        [Self::Spf, Self::Dkim, Self::Dmarc, Self::Mx, Self::Reverse, Self::MtaSts, Self::TlsRpt, Self::Dnssec, Self::Listed];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::Mx => "mx",
            Self::Reverse => "reverse",
            Self::MtaSts => "mta_sts",
            Self::TlsRpt => "tls_rpt",
            Self::Dnssec => "dnssec",
            Self::Listed => "listed",
        }
    }

    /// As the person who is told reads it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Spf => "SPF record of",
            Self::Dkim => "DKIM key",
            Self::Dmarc => "DMARC policy of",
            Self::Mx => "MX of",
            Self::Reverse => "name of address",
            Self::MtaSts => "MTA-STS of",
            Self::TlsRpt => "TLS-RPT record of",
            Self::Dnssec => "DNSSEC of",
            Self::Listed => "listing of",
        }
    }
}

/// What is asked about, and of what: one question, and one row wherever it is shown. In JSON and on the command line one text:
/// `dkim s1._domainkey.example.com`, `listed 192.0.2.1 spamhaus`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject {
    /// What.
    pub topic: Topic,
    /// Of what: a domain, a key's name or an address; lower case, printable ASCII without spaces, 1 to 253 bytes.
    pub name: String,
    /// On which blocklist, by its name in the configuration.
    pub list: Option<Name>,
}

/// Why a text is no [`Subject`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write what it is and of what, as `spf example.com`, `dkim s1._domainkey.example.com` or `listed 192.0.2.1 LIST`")]
pub struct SubjectError;

impl Subject {
    /// A question about `name`, unless that cannot be the name of anything.
    #[must_use]
    pub fn new(topic: Topic, name: &str) -> Option<Self> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let fits = (1..=253).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        fits.then_some(Self { topic, name, list: None })
    }

    /// Whether `name` stands on `list`.
    #[must_use]
    pub fn listed(name: &str, list: &Name) -> Option<Self> {
        Some(Self { list: Some(list.clone()), ..Self::new(Topic::Listed, name)? })
    }

    /// The domain that a key's name is under; the name itself, if it is another topic.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.name.split_once("._domainkey.").map_or(self.name.as_str(), |(_, domain)| domain)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.topic.as_str(), self.name)?;
        self.list.as_ref().map_or(Ok(()), |list| write!(f, " {list}"))
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;
    fn try_from(text: String) -> Result<Self, SubjectError> {
        let mut words = text.split(' ');
        let topic = words.next().and_then(|word| Topic::ALL.into_iter().find(|t| t.as_str() == word));
        let (topic, name) = topic.zip(words.next()).ok_or(SubjectError)?;
        let subject = match (topic, words.next()) {
            (Topic::Listed, Some(list)) => Self::listed(name, &Name::new(list).map_err(|_not_a_name| SubjectError)?),
            (Topic::Listed, None) | (_, Some(_)) => None,
            (_, None) => Self::new(topic, name),
        };
        subject.filter(|_| words.next().is_none()).ok_or(SubjectError)
    }
}

/// How good an answer is. Ordered from bad to good; what each means is said by its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing is there.
    Absent,
    /// Something is there that does not work: receivers ignore it, or fail by it.
    Broken,
    /// It works, and protects or says little.
    Weak,
    /// It works, with less than there could be.
    Fair,
    /// It is as it should be.
    Sound,
}

impl Grade {
    /// Every grade, from bad to good.
    pub const ALL: [Self; 5] = [Self::Absent, Self::Broken, Self::Weak, Self::Fair, Self::Sound];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Broken => "broken",
            Self::Weak => "weak",
            Self::Fair => "fair",
            Self::Sound => "sound",
        }
    }

    /// Whether receivers can use what is there.
    #[must_use]
    pub fn works(self) -> bool {
        self >= Self::Weak
    }
}

/// What the DNS says of a subject. Foreign text, made safe to show and bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// How good it is.
    pub grade: Grade,
    /// What stands there, in one way of writing it, so that order, case and spaces are no change; empty where nothing does. At most 1,017
    /// characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What is to be said of it; at most 4, of 200 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Look-ups that a receiver needs for it, where they are limited: SPF, to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookups: Option<u32>,
    /// What the record includes or redirects to, by its domain, in one way of writing it: SPF. At most 16.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub includes: BTreeMap<String, String>,
    /// Addresses that mail was seen to come from, and whether the record lets each pass, where that can be said: SPF. At most 64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<IpAddr, bool>,
}

impl Answer {
    /// An answer with this text, whatever that is.
    #[must_use]
    pub fn new(grade: Grade, text: &str) -> Self {
        Self { text: held(text), ..Self::with(grade) }
    }

    /// Nothing is there.
    #[must_use]
    pub const fn absent() -> Self {
        Self::with(Grade::Absent)
    }

    const fn with(grade: Grade) -> Self {
        Self { grade, text: String::new(), notes: Vec::new(), lookups: None, includes: BTreeMap::new(), hosts: BTreeMap::new() }
    }

    /// The same that includes these records.
    #[must_use]
    pub fn including(self, records: &BTreeMap<String, String>) -> Self {
        let bounded = |(domain, text): (&String, &String)| (plain(domain, DOMAIN), kept(text));
        Self { includes: records.iter().take(INCLUDES).map(bounded).collect(), ..self }
    }

    /// The same with something to say of it.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        if self.notes.len() < NOTES {
            self.notes.push(plain(note, NOTE));
        }
        self
    }

    /// Whether another answer says the same; what it includes may be written otherwise, as long as the same addresses pass.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let agrees = |(host, passes): (&IpAddr, &bool)| other.hosts.get(host).is_none_or(|other| other == passes);
        self.grade == other.grade && self.text == other.text && self.hosts.iter().all(agrees)
    }

    /// The addresses that this one let pass, and `after` does not.
    pub fn lost(&self, after: &Self) -> impl Iterator<Item = IpAddr> {
        self.hosts.iter().filter(|(host, passes)| **passes && after.hosts.get(*host) == Some(&false)).map(|(host, _)| *host)
    }

    /// The included records that are others in `after`: of which domain, before and after; empty where there is none.
    #[must_use]
    pub fn changed_inside<'a>(&'a self, after: &'a Self) -> Vec<(&'a str, &'a str, &'a str)> {
        let domains: BTreeSet<&String> = self.includes.keys().chain(after.includes.keys()).collect();
        let text = |of: &'a Self, domain: &String| of.includes.get(domain).map_or("", String::as_str);
        let all = domains.into_iter().map(|domain| (domain.as_str(), text(self, domain), text(after, domain)));
        all.filter(|(_, before, after)| before != after).collect()
    }

    /// The same within the bounds that its fields promise: what comes from outside may not keep them.
    #[must_use]
    pub fn bounded(self) -> Self {
        let notes = self.notes.iter().take(NOTES).map(|note| plain(note, NOTE)).collect();
        let text = kept(&self.text);
        let hosts = self.hosts.into_iter().take(HOSTS).collect();
        Self { grade: self.grade, text, notes, lookups: self.lookups, includes: BTreeMap::new(), hosts }.including(&self.includes)
    }
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It was answered.
    Answer(Answer),
    /// A blocklist does not answer this resolver: no listing, and no word that it is none. In words.
    Refused(String),
    /// It was not: that is ours, and says nothing of the subject. In words.
    Unknown(String),
}

impl Found {
    /// The same within the bounds that its fields promise.
    #[must_use]
    pub fn bounded(self) -> Self {
        match self {
            Self::Answer(answer) => Self::Answer(answer.bounded()),
            Self::Refused(why) => Self::Refused(plain(&why, NOTE)),
            Self::Unknown(why) => Self::Unknown(plain(&why, NOTE)),
        }
    }
}

/// One question that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    /// What.
    pub subject: Subject,
    /// How it ended.
    pub found: Found,
}

/// Foreign text on one line, without what turns or hides it, at most so many characters.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let safe = |c: char| if c.is_control() || super::hides(c) { '\u{fffd}' } else { c };
    let mut out: String = text.chars().take(most).map(safe).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// A text as it is kept: of a long one the beginning, and a number that differs where the rest does.
fn held(text: &str) -> String {
    if text.chars().nth(TEXT).is_none() {
        return plain(text, TEXT);
    }
    // FNV-1a, 64 bits: no secret, and not to be held against an attacker; only to see that something has changed.
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{}{sum:016x}", plain(text, TEXT))
}

/// The same of a text that was held already, perhaps: it is not held again.
fn kept(text: &str) -> String {
    if text.chars().nth(HELD).is_none() { plain(text, HELD) } else { held(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        for text in ["spf example.com", "dkim s1._domainkey.example.com", "listed 192.0.2.1 spamhaus", "reverse 2001:db8::1", "mta_sts a.b"]
        {
            let subject = Subject::try_from(text.to_owned()).unwrap();
            assert_eq!(subject.to_string(), text);
            assert_eq!(serde_json::from_str::<Subject>(&serde_json::to_string(&subject).unwrap()).unwrap(), subject);
        }
        let long = format!("spf {}", "a".repeat(254));
        for text in ["", "spf", "spf ", "spf a b", "spf a\u{7}b", "spf ä", "listed 192.0.2.1", "listed 1 A", "x y", "listed 1 a b", &long]
        {
            assert_eq!(Subject::try_from(text.to_owned()), Err(SubjectError), "{text:?}");
        }
        assert_eq!(Subject::new(Topic::Dkim, "S1._domainkey.Example.com.").unwrap().domain(), "example.com");
    }

    #[test]
    fn what_is_kept_is_safe_and_a_change_behind_the_cut_shows() {
        let (a, b) = ("x".repeat(100_000), format!("{}y", "x".repeat(99_999)));
        let (a, b) = (Answer::new(Grade::Sound, &a), Answer::new(Grade::Sound, &b));
        assert!(!a.is_same(&b));
        assert_eq!(a.text.chars().count(), 1017);
        let nasty = Answer::new(Grade::Broken, "v=\u{1b}[31m\u{202e}\n").note(&"\u{0}".repeat(500));
        assert_eq!(nasty.text, "v=\u{fffd}[31m\u{fffd}\u{fffd}");
        assert_eq!(nasty.notes[0].chars().count(), 201);
        assert_eq!((0..9).fold(nasty, |n, _| n.note("more")).notes.len(), 4);
        assert!(a.clone().bounded().is_same(&a));
    }
}
