//! What differs from mail to mail, and so says nothing: a part of it, or one kind of values within a part.

use std::collections::BTreeMap;

use super::{Seen, VALUES};
use crate::model::{At, Mark, Part};

/// A part of which so many values were seen once only differs from mail to mail.
const VARIES: usize = 4;
/// Values that are kept of one kind within a part: of one domain's addresses, of what is added to a text. From then on it differs from mail to mail.
const KIND: usize = 16;

/// What is known of one part.
pub(super) type Values = BTreeMap<String, Seen>;

/// Of which kind a value is, in a part that has several: whose an address is, what was done to the content.
pub(super) fn kind(mark: &Mark) -> Option<&str> {
    kind_of(mark.part, &mark.value)
}

fn kind_of(part: Part, value: &str) -> Option<&str> {
    match part {
        Part::Address => Some(value.rsplit_once('@').map_or(value, |(_, domain)| domain)),
        Part::Content => Some(value.split_once(':').map_or(value, |(word, _)| word)),
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

/// The known values of a mark's kind; none where its part has one kind alone.
fn alike<'v>(mark: &Mark, values: &'v Values) -> impl Iterator<Item = &'v Seen> {
    let (part, kind) = (mark.part, kind(mark));
    values.iter().filter(move |(value, _)| kind.is_some() && kind_of(part, value) == kind).map(|(_, seen)| seen)
}

/// How many were seen once only.
fn once<'v>(seen: impl Iterator<Item = &'v Seen>) -> usize {
    seen.filter(|seen| seen.first == seen.last && !seen.approved).count()
}

/// Whether a part differs from mail to mail: all of it, whatever the kind.
pub(in crate::watchdog) fn varies(part: Part, values: &Values) -> bool {
    values.len() >= VALUES || kind_of(part, "").is_none() && once(values.values()) >= VARIES
}

/// Whether values like this one differ from mail to mail: those of its kind, or whose addresses they are.
pub(super) fn varies_like(mark: &Mark, values: &Values) -> bool {
    varies(mark.part, values)
        || alike(mark, values).count() >= KIND
        || once(alike(mark, values)) >= VARIES
        || strays(mark, values).is_some_and(|strays| strays >= VARIES)
}

/// Whether one more value like this has room. Whose addresses differ from mail to mail leave room for those of others.
pub(super) fn has_room(mark: &Mark, values: &Values) -> bool {
    values.len() < VALUES && alike(mark, values).count() < KIND && strays(mark, values).is_none_or(|strays| strays < KIND)
}

/// Of how many domains addresses stood in one mail and in no other, if this one's has not stood in several either.
fn strays(mark: &Mark, values: &Values) -> Option<usize> {
    if mark.part != Part::Address {
        return None;
    }
    let mut domains: BTreeMap<&str, Option<At>> = BTreeMap::new();
    for (value, seen) in values {
        let only_then = (seen.first == seen.last && !seen.approved).then_some(seen.first);
        let then = domains.entry(kind_of(mark.part, value).unwrap_or_default()).or_insert(only_then);
        if *then != only_then {
            *then = None;
        }
    }
    let is_stray = domains.get(kind(mark).unwrap_or_default()).is_none_or(Option::is_some);
    is_stray.then(|| domains.values().flatten().count())
}
