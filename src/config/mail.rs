//! What is said of mail that arrives: what may come.

use super::matches;
use crate::model::{Name, is_for_everybody, registrable};

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

    /// Whether the rule itself says whose an address or a host is: of the sender's organisation; where everybody can have an address, of his own.
    #[must_use]
    pub fn names(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        let whose = registrable(value.rsplit_once('@').map_or(value.as_str(), |(_, domain)| domain));
        let is_named = |pattern: &String, domain: &str| {
            !domain.contains('*') && (matches(pattern, &value) || !is_for_everybody(domain) && registrable(domain) == whose)
        };
        self.from.iter().any(|pattern| pattern.rsplit_once('@').is_some_and(|(_, domain)| is_named(pattern, domain)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_its_sender_s_organisation_and_at_public_mailboxes_one_address() {
        let rule = |from: &str| ExpectedMail { from: vec![from.to_owned()], subject: None, inbox: Vec::new() };
        for (from, value, named) in [
            ("*@news.partner.com", "help@partner.com", true),
            ("*@news.partner.com", "links.partner.com", true),
            ("*@news.partner.com", "spy@evil.com", false),
            ("*@shop.myshopify.com", "evil.myshopify.com", false),
            ("ada@gmail.com", "ada@gmail.com", true),
            ("ada@gmail.com", "spy@gmail.com", false),
            ("billing@*", "billing@evil.com", false),
        ] {
            assert_eq!(rule(from).names(value), named, "{from} {value}");
        }
    }
}
