//! Which values of a part belong together, and what differs from mail to mail: an address or a host among those of one organisation, or the
//! organisations themselves. What varies within one says nothing of any other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Seen, VALUES};
use crate::config::kind_of;
use crate::model::{At, Mark, Part, is_for_everybody, organisation, registrable};

/// Of a group so many values were seen once only: it differs from mail to mail.
const VARIES: usize = 4;
/// Values that are kept of one group. From then on it differs from mail to mail.
const GROUP: usize = 16;
/// Groups stood in one mail and in no other, each time others, in so many of the mails that teach: the groups differ from mail to mail.
const DIFFERS: usize = 6;
/// So many groups that stood in one mail alone are kept; where there are so many, fewer mails say the same.
const STRAYS: usize = 40;
const FEW_MAILS: usize = 3;

/// What is known of one part.
pub(super) type Values = BTreeMap<String, Seen>;

/// To which group a value belongs: whose it is, in which larger network, what was done to the content. At domains where everybody has a mailbox an
/// author is nobody's but his own.
pub(in crate::watchdog) fn group(part: Part, value: &str) -> &str {
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    match part {
        Part::From | Part::Sender | Part::ReplyTo if is_for_everybody(domain) => value,
        Part::From | Part::Sender | Part::ReplyTo | Part::Address | Part::Link => registrable(domain),
        Part::ReturnPath | Part::DkimDomain | Part::MessageId | Part::List | Part::Header => house(domain),
        Part::DkimSelector => house(value.split_once("._domainkey.").map_or(value, |(_, domain)| domain)),
        Part::Network if value.contains('/') => neighbours(value),
        Part::Network => house(value),
        Part::Content => value.split_once(':').map_or(value, |(word, _)| word),
    }
}

/// The kind of provider that a mark is known to be of: by whose host a mail came, who signed it and whom its header names.
pub(super) fn sender(mark: &Mark) -> Option<&'static str> {
    sender_in(mark.part, &mark.value)
}

/// The same of a value in a part. A whole address is whoever's has it: customers write from `sandbox7.mailgun.org`.
pub(in crate::watchdog) fn sender_in(part: Part, value: &str) -> Option<&'static str> {
    let name = match part {
        _ if value.contains('@') => return None,
        Part::DkimSelector => value.split_once("._domainkey.")?.1,
        Part::ReturnPath | Part::DkimDomain | Part::MessageId | Part::List | Part::Header | Part::Network => value,
        Part::From | Part::Sender | Part::ReplyTo | Part::Address | Part::Link | Part::Content => return None,
    };
    kind_of(organisation(name))
}

/// Whose a name is; of those by which a kind of provider sends, that kind.
fn house(name: &str) -> &str {
    kind_of(organisation(name)).unwrap_or_else(|| registrable(name))
}

/// The network of 16 bits, or of 32, that one of 24 or 48 is in.
fn neighbours(network: &str) -> &str {
    let by = if network.contains(':') { ':' } else { '.' };
    let end = network.match_indices(by).nth(1).map_or(network.len(), |(at, _)| at);
    network.get(..end).unwrap_or(network)
}

/// Whether another value of a known group is no news at all: hosts and networks of one organisation are, what stands before an `@` is not.
fn is_of_group(mark: &Mark) -> bool {
    match mark.part {
        Part::ReturnPath | Part::MessageId | Part::Link | Part::Network => true,
        Part::List | Part::Header => !mark.value.contains('@') && !is_for_everybody(&mark.value),
        Part::DkimDomain | Part::DkimSelector => sender(mark).is_some(),
        Part::From | Part::Sender | Part::ReplyTo | Part::Address | Part::Content => false,
    }
}

/// Whether a mark is one more of a group that is known, and whose values are all one.
pub(super) fn is_sibling(mark: &Mark, values: &Values) -> bool {
    is_of_group(mark) && alike(mark, values).next().is_some()
}

/// Whether two marks are one and the same for who is told of them.
pub(super) fn is_same(one: &Mark, other: &Mark) -> bool {
    one == other || is_akin(one, other) && is_of_group(one) && is_of_group(other)
}

/// Whether two marks are of one part and group.
pub(super) fn is_akin(one: &Mark, other: &Mark) -> bool {
    one.part == other.part && group(one.part, &one.value) == group(other.part, &other.value)
}

/// The known values of a mark's group.
fn alike<'v>(mark: &Mark, values: &'v Values) -> impl Iterator<Item = &'v Seen> {
    let (part, wanted) = (mark.part, group(mark.part, &mark.value));
    values.iter().filter(move |(value, _)| group(part, value) == wanted).map(|(_, seen)| seen)
}

/// When a value stood in a mail, if in no other.
fn only_then(seen: &Seen) -> Option<At> {
    (seen.first == seen.last && !seen.approved).then_some(seen.first)
}

/// Whether the groups of a part differ from mail to mail, so that another one is no news. Who the mail is from, and who is answered, never do.
pub(in crate::watchdog) fn varies(part: Part, values: &Values) -> bool {
    if matches!(part, Part::From | Part::Sender | Part::ReplyTo) {
        return false;
    }
    let strays = strays(part, values);
    let mails = strays.values().collect::<BTreeSet<_>>().len();
    mails >= DIFFERS || mails >= FEW_MAILS && strays.len() >= STRAYS
}

/// Groups that stood in one mail and in no other, and when.
fn strays(part: Part, values: &Values) -> BTreeMap<&str, At> {
    let mut groups: BTreeMap<&str, Option<At>> = BTreeMap::new();
    for (value, seen) in values {
        let then = groups.entry(group(part, value)).or_insert_with(|| only_then(seen));
        if *then != only_then(seen) {
            *then = None;
        }
    }
    groups.into_iter().filter_map(|(group, then)| Some((group, then?))).collect()
}

/// Whether values like this one differ from mail to mail: those of its group, or the groups where its own is no known one.
pub(super) fn varies_like(mark: &Mark, values: &Values) -> bool {
    let (mut count, mut once) = (0, 0);
    for seen in alike(mark, values) {
        (count, once) = (count + 1, once + usize::from(only_then(seen).is_some()));
    }
    count >= GROUP || once >= VARIES || (count == 0 || count == once) && varies(mark.part, values)
}

/// Whether one more value like this has room. Groups that differ from mail to mail leave room for others.
pub(super) fn has_room(mark: &Mark, values: &Values) -> bool {
    let alike = alike(mark, values).count();
    values.len() < VALUES && alike < GROUP && (alike > 0 || strays(mark.part, values).len() < STRAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_belong_to_whose_they_are() {
        for (part, value, whose) in [
            (Part::ReplyTo, "reply+1f@replies.esp.com", "esp.com"),
            (Part::ReplyTo, "ops@gmail.com", "ops@gmail.com"),
            (Part::Address, "ops@gmail.com", "gmail.com"),
            (Part::Link, "click7.esp.com", "esp.com"),
            (Part::Link, "evil.s3.amazonaws.com", "evil.s3.amazonaws.com"),
            (Part::ReturnPath, "eu-west-1.amazonses.com", "ses"),
            (Part::DkimSelector, "k1._domainkey.mailchimpapp.net", "mandrill"),
            (Part::Network, "mcsv.net", "mandrill"),
            (Part::Network, "198.2.132.0/24", "198.2"),
            (Part::Network, "2a01:111:f400::/48", "2a01:111"),
            (Part::Network, "2001:db8::/48", "2001:db8"),
            (Part::Content, "html-added:1f0c77e2", "html-added"),
        ] {
            assert_eq!(group(part, value), whose, "{value}");
        }
    }

    #[test]
    fn an_address_at_a_provider_s_own_domain_is_a_customer_s() {
        assert_eq!(sender_in(Part::Header, "spy@sandbox123.mailgun.org"), None);
        assert_eq!(sender_in(Part::Header, "mailgun.org"), Some("mailgun"));
        assert_eq!(sender_in(Part::DkimSelector, "k1._domainkey.mailchimpapp.net"), Some("mandrill"));
    }

    #[test]
    fn hosts_of_one_are_the_same_and_people_at_one_are_not() {
        let mark = |part, value: &str| Mark { part, value: value.to_owned() };
        for (part, one, other, same) in [
            (Part::Link, "a.esp.com", "b.esp.com", true),
            (Part::Header, "mandrillapp.com", "mailchimp.com", true),
            (Part::DkimDomain, "mandrillapp.com", "mailchimpapp.net", true),
            (Part::DkimDomain, "a.example.com", "b.example.com", false),
            (Part::Header, "a@example.com", "b@example.com", false),
            (Part::ReplyTo, "a@example.com", "b@example.com", false),
        ] {
            assert_eq!(is_same(&mark(part, one), &mark(part, other)), same, "{one} {other}");
        }
    }
}
