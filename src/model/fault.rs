//! How a submission ended, and what kind of refusal it was.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a refusal or failure. The rules that assign it are with each transport; this says only what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// No connection: name look-up, refused, reset, timed out before a banner.
    Network,
    /// TLS handshake or certificate, or STARTTLS missing where it is demanded.
    Tls,
    /// The credentials are not accepted.
    Auth,
    /// The account is suspended, disabled or paused.
    Suspended,
    /// Credits or the plan's allowance are used up.
    Quota,
    /// Throttled for the moment.
    Rate,
    /// The sender address or domain may not be used.
    Sender,
    /// The recipient stands on the provider's suppression list.
    Suppressed,
    /// The recipient does not exist or is disabled.
    Recipient,
    /// Refused as spam, or for a policy such as DMARC.
    Policy,
    /// Another temporary failure (4xx).
    Transient,
    /// Another permanent failure (5xx).
    Permanent,
    /// Bytes that are no answer.
    Unknown,
}

impl Class {
    /// Every class, in the order that lists use.
    pub const ALL: [Self; 13] = [
        Self::Network,
        Self::Tls,
        Self::Auth,
        Self::Suspended,
        Self::Quota,
        Self::Rate,
        Self::Sender,
        Self::Suppressed,
        Self::Recipient,
        Self::Policy,
        Self::Transient,
        Self::Permanent,
        Self::Unknown,
    ];

    /// Whether such a refusal speaks for itself: the account or the plan is the reason, or the provider's own rule. It will not pass by itself.
    #[must_use]
    pub const fn speaks_for_itself(self) -> bool {
        matches!(self, Self::Suspended | Self::Auth | Self::Quota | Self::Sender | Self::Policy | Self::Permanent)
    }

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::Suspended => "suspended",
            Self::Quota => "quota",
            Self::Rate => "rate",
            Self::Sender => "sender",
            Self::Suppressed => "suppressed",
            Self::Recipient => "recipient",
            Self::Policy => "policy",
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a submission ended. `accepted` is no promise of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took the canary.
    Accepted,
    /// The provider, or something on the way to it, said no: the canary is not on its way.
    Refused(Class),
    /// Cut off after the data went out: it may be on its way. Never sent again.
    Unknown,
}

impl Outcome {
    /// The word in labels: the class has a label of its own.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What a provider says became of a mail that it took and that has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The provider does not say: it refuses the question, or answers what is no answer.
    Blind,
    /// The provider knows nothing of it.
    Vanished,
    /// It is still with the provider.
    Stuck,
    /// The receiver has put it off.
    Deferred,
    /// The receiver has taken it, and it is not in the inbox.
    HandedOff,
    /// It came back, or the provider gave it up.
    Bounced,
    /// The provider did not send it: the seed stands on its suppression list.
    Suppressed,
}

impl Fate {
    /// Every fate, in the order of how much it tells.
    pub const ALL: [Self; 7] = [Self::Blind, Self::Vanished, Self::Stuck, Self::Deferred, Self::HandedOff, Self::Bounced, Self::Suppressed];

    /// The word in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Vanished => "vanished",
            Self::Stuck => "stuck",
            Self::Deferred => "deferred",
            Self::HandedOff => "handed_off",
            Self::Bounced => "bounced",
            Self::Suppressed => "suppressed",
        }
    }

    /// The same in a sentence about the mail.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Blind => "what became of it is not told",
            Self::Vanished => "nothing is known of it",
            Self::Stuck => "it has not left yet",
            Self::Deferred => "the receiver puts it off",
            Self::HandedOff => "the receiver took it",
            Self::Bounced => "it bounced",
            Self::Suppressed => "it was not sent: the seed is suppressed",
        }
    }

    /// Whether nothing else will become of it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::HandedOff | Self::Bounced | Self::Suppressed)
    }
}
