//! Finds our token in a message, whatever was done to the message.

use super::decode;
use super::token::{BODY_LEN, Key, PREFIX, claimed, is_probe, verify};
use crate::model::{At, CanaryId};

/// Bytes of a message that are looked at: a canary has a few thousand, and what stands further behind is not ours.
pub const MAX_SCANNED: usize = 256 * 1024;

/// A forwarded message in base64 holds parts in base64; more layers than this nobody puts around a canary.
const MAX_LAYERS: usize = 2;

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

/// Looks for a token in `message`: a raw header block, or headers and a body that may be cut. Tolerates everything, and looks at no more
/// than [`MAX_SCANNED`] bytes. A report about another message is never a canary.
#[must_use]
pub fn recognise(key: &Key, message: &[u8]) -> Found {
    let message = message.get(..MAX_SCANNED).unwrap_or(message);
    if is_report(message) {
        return Found::Nothing;
    }
    covered(key, message)
        .or(|| covered(key, &decode::headers(message)))
        .or(|| covered(key, &decode::quoted_printable(message)))
        .or(|| layers(key, message, MAX_LAYERS))
}

/// Whether the message is a report about another (RFC 6522). A bounce quotes the canary that did not arrive, in its parts and often in its
/// subject, and so it proves nothing wherever the token stands.
fn is_report(message: &[u8]) -> bool {
    let ends = |width: usize, mark: &[u8]| message.windows(width).position(|w| w == mark);
    // A header block that was fetched by itself may lack the empty line.
    let end = [ends(4, b"\r\n\r\n"), ends(2, b"\n\n")].into_iter().flatten().min().unwrap_or(message.len());
    let header = String::from_utf8_lossy(message.get(..end).unwrap_or(message)).to_ascii_lowercase();
    let unfolded = header.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let kind = |line: &str| {
        line.split_once(':').filter(|(name, _)| name.trim_end() == "content-type").map(|(_, kind)| kind.trim_start().to_owned())
    };
    unfolded.lines().filter_map(kind).any(|kind| kind.starts_with("multipart/report"))
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
