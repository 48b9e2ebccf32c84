//! What is known of one canary wherever it is spoken of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Identifies one canary for ever. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CanaryId(u64);

/// A text that is no canary id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a canary id is 16 hexadecimal digits")]
pub struct CanaryIdError;

impl CanaryId {
    /// The id with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CanaryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for CanaryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for CanaryId {
    type Err = CanaryIdError;
    fn from_str(text: &str) -> Result<Self, CanaryIdError> {
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(CanaryIdError);
        }
        u64::from_str_radix(text, 16).map(Self).or(Err(CanaryIdError))
    }
}

impl TryFrom<String> for CanaryId {
    type Error = CanaryIdError;
    fn try_from(text: String) -> Result<Self, CanaryIdError> {
        text.parse()
    }
}

impl From<CanaryId> for String {
    fn from(id: CanaryId) -> Self {
        id.to_string()
    }
}

/// Why a canary was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its turn came.
    Routine,
    /// Suspicion asked.
    Confirmation,
}

/// Where in an inbox a canary was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// `INBOX`; where a host has tabs, the first of them.
    Inbox,
    /// A junk folder.
    Junk,
    /// Any other folder.
    Other,
    /// Gmail's tab of that name, which is a part of the inbox.
    Promotions,
    /// Gmail's tab of that name.
    Social,
    /// Gmail's tab of that name.
    Updates,
    /// Gmail's tab of that name.
    Forums,
}

impl Placement {
    /// Every placement, in the order that lists use.
    pub const ALL: [Self; 7] = [Self::Inbox, Self::Junk, Self::Other, Self::Promotions, Self::Social, Self::Updates, Self::Forums];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Junk => "junk",
            Self::Other => "other",
            Self::Promotions => "promotions",
            Self::Social => "social",
            Self::Updates => "updates",
            Self::Forums => "forums",
        }
    }
}

/// One timed part of a canary's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Name look-up and TCP connection to the provider.
    Connect,
    /// TLS handshake, STARTTLS command included.
    Tls,
    /// Authentication.
    Auth,
    /// From the first envelope command to the answer to the message; for an HTTP API the request.
    Data,
    /// From acceptance to the receiver's own time of arrival.
    Delivery,
    /// From the receiver's time of arrival to our sight of it.
    Observation,
}

impl Leg {
    /// Every leg, in the order of the way.
    pub const ALL: [Self; 6] = [Self::Connect, Self::Tls, Self::Auth, Self::Data, Self::Delivery, Self::Observation];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::Data => "data",
            Self::Delivery => "delivery",
            Self::Observation => "observation",
        }
    }
}
