//! What an earlier version knew under other values than this one.

use super::{Identity, LEARNT};
use crate::model::{Mark, Name, Part, is_for_everybody, unnumbered};

impl Identity {
    /// Whether mail at an inbox was learnt from by an earlier version, and too little of it since.
    pub(super) fn is_taught_anew_at(&self, inbox: &Name) -> bool {
        let taught = self.taught.get(inbox).copied().unwrap_or(0);
        taught < LEARNT && self.inboxes.get(inbox).is_some_and(|seen| taught < *seen)
    }

    /// Whether a mark is what an earlier version knew under another value, as far as that can be told.
    pub(super) fn is_old(&self, mark: &Mark, inbox: &Name) -> bool {
        let values = self.parts.get(&mark.part);
        let has = |value: &str| values.is_some_and(|values| values.contains_key(value));
        // Of addresses at mailboxes of everybody the domain alone was known; the first one that stands there takes its place.
        if matches!(mark.part, Part::Header | Part::List)
            && let Some((_, domain)) = mark.value.rsplit_once('@')
            && self.is_taught_anew_at(inbox)
            && is_for_everybody(domain)
            && has(domain)
            && !values.is_some_and(|values| values.keys().any(|known| known.ends_with(&format!("@{domain}"))))
        {
            return true;
        }
        let is_host_of_it = |value: &String| stands_under(value, &mark.value);
        let may_be = mark.part == Part::Header
            || word_of(mark).is_some_and(has)
            || mark.part == Part::MessageId && values.is_some_and(|values| values.keys().any(is_host_of_it));
        may_be && self.is_taught_anew_at(inbox)
    }
}

/// What an earlier version knew of an address, and of what was done to the content.
fn word_of(mark: &Mark) -> Option<&str> {
    match mark.part {
        Part::Address => Some(mark.value.rsplit_once('@').map_or(mark.value.as_str(), |(_, domain)| domain)),
        Part::Content => Some(mark.value.split_once(':').map_or(mark.value.as_str(), |(word, _)| word)),
        Part::From
        | Part::Sender
        | Part::ReplyTo
        | Part::ReturnPath
        | Part::DkimDomain
        | Part::DkimSelector
        | Part::MessageId
        | Part::List
        | Part::Header
        | Part::Network
        | Part::Link => None,
    }
}

/// Whether the host of a Message-ID, as an earlier version wrote it, is `name` or stands under it.
fn stands_under(host: &str, name: &str) -> bool {
    [host, &unnumbered(host)].iter().any(|host| host.strip_suffix(name).is_some_and(|left| left.is_empty() || left.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_an_earlier_version_are_found_under_what_they_are_called_now() {
        for (host, name) in [
            ("mta-#.sender.com", "sender.com"),
            ("ip-#-#-#-#.ec2.internal", "ec2.internal"),
            ("geopod-ismtpd-#-#", "geopod-ismtpd-#"),
            ("web#.mail2.local", "mail#.local"),
        ] {
            assert!(stands_under(host, name), "{host} {name}");
        }
        for (host, name) in [("mta-#.sender.com", "ender.com"), ("geopod-ismtpd-#-#", "ismtpd-#"), ("sender.com", "mta.sender.com")] {
            assert!(!stands_under(host, name), "{host} {name}");
        }
    }
}
