//! What a person says of the mail of a provider and stream: a value is right, or is not any more, or all of it is to be learnt anew.

use std::net::IpAddr;

use super::kinds::Values;
use super::{Foreign, Seen};
use crate::model::{At, Mark, Name, Part, is_for_everybody, is_suffix};
use crate::watchdog::state::State;

impl State {
    /// A person says that a value is right, whether it was seen or is to come.
    pub(super) fn approve(&mut self, at: At, provider: &Name, stream: &Name, mark: &Mark) {
        let identity = self.identities.entry(provider.clone()).or_default().entry(stream.clone()).or_default();
        let words = identity.foreign.iter().find(|f| f.mark == *mark).and_then(|f| f.words.clone());
        let values = identity.parts.entry(mark.part).or_default();
        let new = Seen { first: at, last: at, approved: true, mails: 0, words };
        values.entry(mark.value.clone()).and_modify(|seen| seen.approved = true).or_insert(new);
        // One value may stand for many: a domain for its addresses and its selectors.
        let (foreign, gone) = (std::mem::take(&mut identity.foreign), std::mem::take(&mut identity.gone));
        let is_left = |f: &Foreign| !identity.knows(&f.mark) && !identity.rotates(&f.mark);
        let (foreign, gone) = (foreign.into_iter().filter(is_left).collect(), gone.into_iter().filter(is_left).collect());
        (identity.foreign, identity.gone) = (foreign, gone);
    }

    /// A value is right no more, learnt or approved: when it comes again, it is foreign. None: all is learnt anew but what was approved.
    pub(super) fn unlearn(&mut self, provider: &Name, stream: &Name, mark: Option<&Mark>) {
        let Some(identity) = self.identities.get_mut(provider).and_then(|streams| streams.get_mut(stream)) else { return };
        if let Some(mark) = mark {
            if let Some(values) = identity.parts.get_mut(&mark.part) {
                values.remove(&mark.value);
            }
            return;
        }
        (identity.seen, identity.written) = (0, 0);
        identity.inboxes.clear();
        identity.taught.clear();
        identity.foreign.clear();
        identity.gone.clear();
        identity.parts.values_mut().for_each(|values| values.retain(|_, seen| seen.approved));
        identity.parts.retain(|_, values| !values.is_empty());
    }
}

/// Whether an approved value stands for a mark: a domain for all below it and for the addresses there, a network for those in it, a word for
/// whatever is added. Of a domain at which everybody has an address, or below which each name is another's, it is right itself, and that is all.
pub(super) fn stands_for(values: &Values, mark: &Mark) -> bool {
    let value = mark.value.as_str();
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    let is_below = |above: &str| domain.strip_suffix(above).is_some_and(|left| left.is_empty() || left.ends_with('.'));
    let stands = |approved: &str| match mark.part {
        Part::From | Part::Sender | Part::ReplyTo | Part::DkimSelector => false,
        Part::Content => value.split_once(':').is_some_and(|(word, _)| word == approved),
        Part::Network if value.contains('/') => holds(approved, value),
        Part::ReturnPath | Part::DkimDomain | Part::MessageId | Part::List | Part::Header | Part::Network | Part::Address | Part::Link => {
            is_below(approved) && !is_for_everybody(approved) && !is_suffix(approved)
        }
    };
    values.iter().any(|(approved, seen)| seen.approved && stands(approved))
}

/// Whether a network is inside of another.
fn holds(outer: &str, inner: &str) -> bool {
    let read = |text: &str| text.split_once('/').and_then(|(first, bits)| Some((first.parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?)));
    match (read(outer), read(inner)) {
        (Some((IpAddr::V4(one), wide)), Some((IpAddr::V4(other), narrow))) if wide <= narrow => {
            (one.to_bits() ^ other.to_bits()).leading_zeros() >= wide
        }
        (Some((IpAddr::V6(one), wide)), Some((IpAddr::V6(other), narrow))) if wide <= narrow => {
            (one.to_bits() ^ other.to_bits()).leading_zeros() >= wide
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_stands_for_all_that_is_its_own() {
        for (part, approved, value, stands) in [
            (Part::Link, "esp-cdn.com", "img7.esp-cdn.com", true),
            (Part::Address, "example.com", "help@example.com", true),
            (Part::Address, "gmail.com", "spy@gmail.com", false),
            (Part::Header, "yahoo.co.jp", "spy@yahoo.co.jp", false),
            (Part::Link, "s3.amazonaws.com", "evil.s3.amazonaws.com", false),
        ] {
            let seen = Seen { first: At::from_ms(0), last: At::from_ms(0), approved: true, mails: 0, words: None };
            let values = Values::from([(approved.to_owned(), seen)]);
            assert_eq!(stands_for(&values, &Mark { part, value: value.to_owned() }), stands, "{approved} {value}");
        }
    }

    #[test]
    fn a_network_holds_those_in_it() {
        for (outer, inner, holds_it) in [
            ("205.201.0.0/16", "205.201.131.0/24", true),
            ("205.201.131.0/24", "205.201.131.0/24", true),
            ("205.201.0.0/16", "205.202.131.0/24", false),
            ("2a01:111::/32", "2a01:111:f400::/48", true),
            ("2a01:111::/32", "2a01:112:f400::/48", false),
            ("0.0.0.0/1", "2001:db8::/48", false),
            ("sendgrid.net", "192.0.2.0/24", false),
        ] {
            assert_eq!(holds(outer, inner), holds_it, "{outer} {inner}");
        }
    }
}
