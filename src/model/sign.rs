//! Early signs: what a provider says of the account before mail stops.

use std::fmt;

/// One thing that a provider says of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Whether the account may send.
    Standing {
        /// Nothing is held against it.
        good: bool,
        /// The provider's word for it.
        word: String,
    },
    /// What of an allowance is left.
    Quota {
        /// How much.
        remaining: u64,
        /// Of how much, if that is known.
        limit: Option<u64>,
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

/// A quota of which less than this share is left is about to run out.
const LOW_PERCENT: u128 = 10;
/// The same in figures, where nobody says of how much.
const FEW: u64 = 100;
/// A reputation below this, of a hundred, is poor.
const POOR_PERCENT: u64 = 40;

impl Sign {
    /// Whether it comes before a stop: the account is not well, the quota is about to run out, mail is held back, the reputation is poor.
    #[must_use]
    pub fn is_early(&self) -> bool {
        match self {
            Self::Standing { good, .. } => !good,
            Self::Quota { remaining, limit: Some(limit) } => u128::from(*remaining) * 100 < u128::from(*limit) * LOW_PERCENT,
            Self::Quota { remaining, limit: None } => *remaining < FEW,
            Self::Backlog { waiting } => *waiting > 0,
            Self::Reputation { percent } => *percent < POOR_PERCENT,
        }
    }
}

/// As the person who is told reads it.
impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standing { word, .. } => write!(f, "account status `{word}`"),
            Self::Quota { remaining, limit: Some(limit) } => write!(f, "{remaining} of {limit} left of the quota"),
            Self::Quota { remaining, limit: None } => write!(f, "{remaining} left of the quota"),
            Self::Backlog { waiting } => write!(f, "{waiting} mails in the backlog"),
            Self::Reputation { percent } => write!(f, "reputation {percent} of 100"),
        }
    }
}
