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
