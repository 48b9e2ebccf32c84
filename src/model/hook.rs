//! What comes in by a provider's webhook, as it is counted.

use std::collections::BTreeMap;

/// How a request to a webhook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knock {
    /// It was taken in.
    Taken,
    /// Not signed by the provider, or too long ago.
    Refused,
    /// Signed, and not what the provider sends.
    Unreadable,
    /// Too large, or too many events in it.
    TooLarge,
    /// Too much at once: the provider is to come again.
    Busy,
}

impl Knock {
    /// Every ending, in the order that lists use.
    pub const ALL: [Self; 5] = [Self::Taken, Self::Refused, Self::Unreadable, Self::TooLarge, Self::Busy];

    /// The word in labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Busy => "busy",
        }
    }
}

/// What one event of those that were taken in is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tiding {
    /// It says what became of a canary.
    Finding,
    /// It says nothing of what became of a mail: an open, a click.
    Mute,
    /// It is about another mail than ours.
    Foreign,
}

impl Tiding {
    /// Every kind, in the order that lists use.
    pub const ALL: [Self; 3] = [Self::Finding, Self::Mute, Self::Foreign];

    /// The word in labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Mute => "mute",
            Self::Foreign => "foreign",
        }
    }
}

/// What was counted of one webhook since the process started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookCounts {
    /// Requests, by how they ended.
    pub requests: BTreeMap<Knock, u64>,
    /// Events of those that were taken in.
    pub events: BTreeMap<Tiding, u64>,
}
