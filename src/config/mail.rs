//! What is said of mail that arrives: what may come.

use super::matches;
use crate::model::Name;

/// `[[expected_mail]]`: mail that may come though nobody sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedMail {
    /// Patterns of the sender's address, in lower case; empty: any.
    pub from: Vec<String>,
    /// A pattern of the subject, in lower case.
    pub subject: Option<String>,
    /// Patterns of the inbox's name; empty: any.
    pub inbox: Vec<String>,
}

impl ExpectedMail {
    /// The rule in words, by which it is known again whatever stands before it in the configuration; at most 200 characters.
    #[must_use]
    pub fn words(&self) -> String {
        let from = (!self.from.is_empty()).then(|| format!("from {}", self.from.join(", ")));
        let subject = self.subject.as_ref().map(|subject| format!("subject {subject}"));
        let inbox = (!self.inbox.is_empty()).then(|| format!("in {}", self.inbox.join(", ")));
        let words = [from, subject, inbox].into_iter().flatten().collect::<Vec<_>>().join("; ");
        words.chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect()
    }

    /// Whether the rule itself says at which domain an address in From may be.
    #[must_use]
    pub fn names(&self, from: &str) -> bool {
        let from = from.to_lowercase();
        let says_where = |pattern: &str| pattern.rsplit_once('@').is_some_and(|(_, domain)| !domain.contains('*'));
        self.from.iter().any(|pattern| says_where(pattern) && matches(pattern, &from))
    }

    /// Whether a mail is one of these.
    #[must_use]
    pub fn allows(&self, inbox: &str, from: &str, subject: &str) -> bool {
        let fits = |patterns: &[String], text: &str| patterns.is_empty() || patterns.iter().any(|p| matches(p, text));
        let subject_fits = |pattern: &String| matches(pattern, &subject.to_lowercase());
        fits(&self.from, &from.to_lowercase()) && self.subject.as_ref().is_none_or(subject_fits) && fits(&self.inbox, inbox)
    }
}

/// `[[honeytoken]]`: an address that exists in one provider's list alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Honeytoken {
    /// The address, in lower case, its domain in A-labels.
    pub address: String,
    /// Where mail to it arrives.
    pub inbox: Name,
    /// Who alone knows it.
    pub provider: Name,
}
