//! Early signs: what a provider says of the account before mail stops. What of it is a reason to warn is the watchdog's business.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::At;

/// One thing that a provider says of the account. In JSON an object with exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sign {
    /// Whether the account may send.
    Standing {
        /// What that means.
        state: Standing,
        /// The provider's word for it, cut to 200 bytes.
        word: String,
    },
    /// What of an allowance is left.
    Quota {
        /// How much.
        remaining: u64,
        /// Of how much, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
        /// When there is all of it again, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renews_at: Option<At>,
    },
    /// Mail that the provider has taken and holds back.
    Backlog {
        /// How many mails.
        waiting: u64,
    },
    /// The account's reputation.
    Reputation {
        /// Of a hundred.
        percent: u64,
    },
}

/// Whether an account may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing is held against it.
    Good,
    /// It may send, and something is held against it: it is under review.
    Warned,
    /// The provider says that it sends nothing.
    Stopped,
}

impl Standing {
    /// Every standing, from good to bad.
    pub const ALL: [Self; 3] = [Self::Good, Self::Warned, Self::Stopped];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warned => "warned",
            Self::Stopped => "stopped",
        }
    }
}

/// As the person who is told reads it.
impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standing { word, .. } => write!(f, "account status `{word}`"),
            Self::Quota { remaining, limit: Some(limit), .. } => write!(f, "{remaining} of {limit} left of the quota"),
            Self::Quota { remaining, limit: None, .. } => write!(f, "{remaining} left of the quota"),
            Self::Backlog { waiting } => write!(f, "{waiting} mails in the backlog"),
            Self::Reputation { percent } => write!(f, "reputation {percent} of 100"),
        }
    }
}
