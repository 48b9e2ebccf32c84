//! Finds our token in a message, whatever was done to the message, and says whether the message is the canary or only quotes it.

use super::decode;
use super::mail::{fields, head};
use super::token::{BODY_LEN, Key, PREFIX, claimed, is_probe, verify};
use crate::model::{At, CanaryId};

/// Bytes of a message that are looked at: a canary has a few thousand, and what stands further behind is not ours.
pub const MAX_SCANNED: usize = 256 * 1024;

/// A forwarded message in base64 holds parts in base64; more layers than this nobody puts around a canary.
const MAX_LAYERS: usize = 2;

/// Addresses in From that are looked at.
const SENDERS: usize = 8;

/// What a message is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A canary of this installation.
    Ours {
        /// Which.
        canary: CanaryId,
        /// When its token was made, to the second.
        issued_at: At,
    },
    /// It carries something of a token's shape that is not of our making, and says that it belongs to a route: a probe that was made with
    /// another key, by somebody who may not read ours, is no forgery.
    Forged,
    /// Not a canary.
    Nothing,
}

impl Found {
    /// Whichever says more: an authentic token anywhere outweighs any number of forged ones.
    fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Ours { .. } => self,
            Self::Forged => match other() {
                Self::Nothing => Self::Forged,
                more @ (Self::Ours { .. } | Self::Forged) => more,
            },
            Self::Nothing => other(),
        }
    }
}

/// Whether the mail of a canary may be from these senders: what it was sent with, or what its provider's mail has had.
pub type Vouch<'v> = &'v dyn Fn(CanaryId, &[String]) -> bool;

/// Finds the canary that `message` is: a raw header block, or headers and a body that may be cut. Tolerates everything, and looks at no more
/// than [`MAX_SCANNED`] bytes.
///
/// Whoever has read a canary can quote it, and so it matters where the token stands:
///
/// | where | what it proves |
/// | --- | --- |
/// | our own field, any other that is no quotation, a recipient's address | it is the canary, whoever it is from |
/// | the subject | the same, unless the mail answers or forwards another: then its sender must be vouched for |
/// | the words | only that somebody has read it: it must be no answer, and its sender vouched for |
///
/// A report about another message is never a canary.
#[must_use]
pub fn recognise(key: &Key, message: &[u8], vouch: Vouch<'_>) -> Found {
    let message = message.get(..MAX_SCANNED).unwrap_or(message);
    let sorted = Sorted::of(message);
    if sorted.manner == Manner::Report {
        return Found::Nothing;
    }
    let vouched = |found: Found| match found {
        Found::Ours { canary, .. } if !vouch(canary, &sorted.from) => Found::Nothing,
        Found::Ours { .. } | Found::Forged | Found::Nothing => found,
    };
    let unless = |never: bool, found: Found| if never && matches!(found, Found::Ours { .. }) { Found::Nothing } else { found };
    search(key, &sorted.marks)
        .or(|| {
            let found = search(key, &sorted.subject);
            match sorted.manner {
                Manner::Fresh => found,
                Manner::Passed | Manner::Answer => vouched(found),
                Manner::Automatic | Manner::Report => unless(true, found),
            }
        })
        .or(|| {
            let never = matches!(sorted.manner, Manner::Answer | Manner::Automatic | Manner::Report);
            unless(never, vouched(search(key, &[&sorted.loose, sorted.body].concat())))
        })
}

/// Finds a token in a text that is no mail: one that somebody hands back.
#[must_use]
pub fn find(key: &Key, text: &[u8]) -> Found {
    search(key, text.get(..MAX_SCANNED).unwrap_or(text))
}

/// How a mail has to do with others, by its own word; the last that applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Manner {
    /// Not at all.
    #[default]
    Fresh,
    /// Its subject says that it answers or forwards.
    Passed,
    /// It names what it answers or forwards (RFC 5322, 3.6.4).
    Answer,
    /// A machine answers (RFC 3834).
    Automatic,
    /// It is a report about another (RFC 6522). A bounce quotes the canary that did not arrive, in its parts and often in its subject.
    Report,
}

/// Fields that hold the subject of the mail, or of one that it belongs to.
const SUBJECTS: [&str; 2] = ["subject", "thread-topic"];
/// Fields in which another mail is quoted.
const QUOTING: [&str; 5] = ["in-reply-to", "references", "x-failed-recipients", "original-message-id", "x-original-message-id"];
/// What subjects of answers, forwards and failures begin with, in the languages of the common mail programs.
const PASSED: [&str; 32] = [
    "re:",
    "re[",
    "fwd:",
    "fw:",
    "aw:",
    "antw:",
    "wg:",
    "sv:",
    "vs:",
    "vl:",
    "vb:",
    "rv:",
    "tr:",
    "res:",
    "enc:",
    "odp:",
    "pd:",
    "ynt:",
    "i:",
    "r:",
    "automatic reply",
    "auto-reply",
    "autoreply",
    "auto:",
    "out of office",
    "automatische antwort",
    "undeliver",
    "returned mail",
    "delivery status",
    "delivery failure",
    "failure notice",
    "mail delivery",
];

/// A message, by what a token in it would prove.
struct Sorted<'m> {
    marks: Vec<u8>,
    subject: Vec<u8>,
    /// What stands before the first empty line and is no field.
    loose: Vec<u8>,
    body: &'m [u8],
    from: Vec<String>,
    manner: Manner,
}

impl<'m> Sorted<'m> {
    fn of(message: &'m [u8]) -> Self {
        let mut sorted =
            Self { marks: Vec::new(), subject: Vec::new(), loose: Vec::new(), body: &[], from: Vec::new(), manner: Manner::Fresh };
        let mut rest = message;
        while let Some(field) = fields::next(&mut rest) {
            match fields::named(field).filter(|(name, _)| !name.is_empty() && name.iter().all(u8::is_ascii_graphic)) {
                Some((name, value)) => sorted.take(field, name, value),
                None => sorted.loose.extend_from_slice(field),
            }
        }
        sorted.body = rest;
        sorted
    }

    fn take(&mut self, field: &[u8], name: &[u8], value: &[u8]) {
        let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
        let plain = || fields::unfolded(value).to_ascii_lowercase();
        let manner = if is(&"content-type") && plain().starts_with("multipart/report") {
            Manner::Report
        } else if is(&"auto-submitted") && plain().starts_with("auto-replied") || is(&"x-autoreply") || is(&"x-autorespond") {
            Manner::Automatic
        } else if is(&"in-reply-to") || is(&"references") {
            Manner::Answer
        } else if is(&"subject") && is_passed(&head::text(value)) {
            Manner::Passed
        } else {
            Manner::Fresh
        };
        self.manner = self.manner.max(manner);
        if is(&"from") && self.from.len() < SENDERS {
            self.from.extend(head::addresses(value));
        }
        if SUBJECTS.iter().any(&is) {
            self.subject.extend_from_slice(field);
        } else if !QUOTING.iter().any(is) {
            self.marks.extend_from_slice(field);
        }
    }
}

/// Whether a subject says of itself that it answers or forwards; what gateways put before it in brackets is passed over.
fn is_passed(subject: &str) -> bool {
    let mut left = subject.trim_start();
    while let Some((_, after)) = left.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        left = after.trim_start();
    }
    PASSED.iter().any(|prefix| left.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix)))
}

/// Looks behind everything that a token may be hidden behind.
fn search(key: &Key, text: &[u8]) -> Found {
    if text.is_empty() {
        return Found::Nothing;
    }
    covered(key, text)
        .or(|| covered(key, &decode::headers(text)))
        .or(|| covered(key, &decode::quoted_printable(text)))
        .or(|| layers(key, text, MAX_LAYERS))
}

/// Looks behind base64, and behind what base64 hides.
fn layers(key: &Key, text: &[u8], left: usize) -> Found {
    if left == 0 {
        return Found::Nothing;
    }
    let decoded = decode::base64(text);
    if decoded.is_empty() {
        return Found::Nothing;
    }
    covered(key, &decoded)
        .or(|| covered(key, &decode::headers(&decoded)))
        .or(|| covered(key, &decode::quoted_printable(&decoded)))
        .or(|| layers(key, &decoded, left.saturating_sub(1)))
}

/// Looks at `text` as it is, without its markup, and without anything between the letters.
fn covered(key: &Key, text: &[u8]) -> Found {
    let bare = || decode::markup(text);
    scan(key, text, true)
        .or(|| scan(key, &bare(), true))
        .or(|| scan(key, &decode::squeezed(text), false))
        .or(|| scan(key, &decode::squeezed(&bare()), false))
}

/// Looks for tokens that stand in one piece. With `whole`, one that does not verify and stands alone counts as forged; in squeezed text
/// nothing stands alone.
fn scan(key: &Key, text: &[u8], whole: bool) -> Found {
    let mut found = Found::Nothing;
    let mut before = None;
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some((body, after)) = shaped(rest) {
            if let Some((canary, issued_at)) = verify(key, body) {
                return Found::Ours { canary, issued_at };
            }
            let alone = |neighbour: Option<u8>| !neighbour.is_some_and(|byte| byte.is_ascii_alphanumeric());
            if whole && alone(before) && alone(after.first().copied()) && !claimed(body).is_some_and(is_probe) {
                found = Found::Forged;
            }
        }
        before = Some(first);
        rest = tail;
    }
    found
}

/// The body of the token that `text` begins with, and what follows it; in any case.
fn shaped(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = text.split_at_checked(PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let (body, after) = rest.split_at_checked(BODY_LEN)?;
    let base32 = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7');
    body.iter().all(base32).then_some((body, after))
}
