//! How a route itself does, whoever is to blame for what.

use serde::{Deserialize, Serialize};

use super::Verdict;

/// What a route's own canaries show. Its verdict is that of the worst failure that covers it; this is what it has to do with that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Own {
    /// Nothing arrives.
    Nothing,
    /// Some arrives, and some is missing.
    Missing,
    /// What arrives lies in Junk.
    Junk,
    /// What arrives takes longer than nearly all did before.
    Late,
    /// We cannot tell, or not yet.
    #[default]
    Unknown,
    /// Mail arrives as it should.
    Delivering,
}

impl Own {
    /// As it is written and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivering => "delivering",
            Self::Late => "late",
            Self::Junk => "junk",
            Self::Missing => "missing",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
        }
    }

    /// As a person reads it beside the name of a route.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Delivering => "delivering",
            Self::Late => "late",
            Self::Junk => "in junk",
            Self::Missing => "missing some",
            Self::Nothing => "nothing arrives",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict that a route would have if nothing else covered it.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Delivering => Verdict::Delivering,
            Self::Late | Self::Junk | Self::Missing => Verdict::Degraded,
            Self::Nothing => Verdict::Stopped,
            Self::Unknown => Verdict::Unknown,
        }
    }
}
