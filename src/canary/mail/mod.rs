//! What a mail says of itself: by which hosts it came, who it says it is from, what its receiver thinks of it, what became of its words.
//!
//! All of it is somebody else's text. It is taken as it is, whatever it is, in one pass each and within bounds; what comes out is safe to
//! show. What of it is foreign is the watchdog's business.

mod account;
mod body;
mod content;
mod date;
pub(super) mod fields;
mod filter;
mod footer;
pub(super) mod head;
mod hops;
mod marks;
mod names;
mod normal;
mod relay;
mod results;
mod strangers;
mod trace;

pub use head::{Envelope, Head, Receiver};
pub use normal::normal;
pub use strangers::Ours;

use std::collections::BTreeMap;

use super::Composed;
use crate::model::{At, Examination, Mark, Part};
use body::Body;

/// Marks of one mail: what its parts can have together.
const MARKS: usize = 160;

/// What is known of a mail before it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// When it was sent, by its token.
    pub sent_at: Option<At>,
    /// What was sent, where it was written here.
    pub sent: Option<&'a Composed>,
    /// The domain of the address that it came to.
    pub inbox_domain: &'a str,
    /// The addresses of whoever it was sent to: they stand in To, and are nobody else's.
    pub own: &'a [&'a str],
    /// There is more of it than is there.
    pub cut: bool,
}

/// What `message` says of itself, besides what its signatures are worth.
#[must_use]
pub fn examine(message: &[u8], head: &Head, known: &Known<'_>) -> Examination {
    let body = Body::read(message, known.cut);
    let mut marks = marks::of_head(head, known.own);
    marks.extend(marks::of_body(&body, known.own));
    let mut added = BTreeMap::new();
    if let Some(sent) = known.sent {
        for (value, words) in content::changes(sent, head, &body) {
            added.extend(words.map(|words| (value.clone(), words)));
            marks.insert(Mark { part: Part::Content, value });
        }
    }
    let checks = results::checks(head, known.inbox_domain);
    Examination {
        marks: marks.into_iter().take(MARKS).collect(),
        cut: body.cut,
        filter: filter::words(head, &checks),
        checks,
        hops: head.way.hops(known.sent_at),
        sender: head.envelope().map(|envelope| envelope.address),
        way: head.way.whole(),
        account: account::values(head, known.own),
        added,
    }
}
