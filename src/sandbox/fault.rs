//! What can be broken on purpose.

use std::fmt;

use crate::model::{Class, Span};

/// One way to be broken. A provider or an inbox has at most one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Connections are refused, and those that stand are closed.
    Down,
    /// Connections are taken and stay open, and nothing is said on them any more, not even a greeting.
    Mute,
    /// Every answer comes this much later.
    Slow(Span),
    /// The credentials are not accepted, though they are right.
    WrongPassword,

    /// Mail is accepted and never arrives.
    Swallow,
    /// Mail is accepted and kept back until it is released.
    Hold,
    /// Mail takes this much longer.
    Delay(Span),
    /// This share of the mail never arrives (0 to 1).
    Lose(f64),
    /// This share of the mail lands in Junk (0 to 1).
    Junk(f64),

    /// Provider: every submission is refused, in the words of real providers.
    Refuse(Class),
    /// Provider: the account is suspended. Mail is accepted and kept back as with [`Fault::Hold`]; the HTTP API says `queued`, and why.
    Suspend,
    /// Provider: the same, but the answer does not tell, as callers saw it before November 2022.
    SuspendSilently,
    /// Provider: takes the message, delivers it, and never answers; the connection stays open.
    NoAnswer,
    /// Provider: takes the message, delivers it, and closes the connection instead of answering.
    CutOff,
    /// Provider: puts a header on every mail that its sender did not write, as an address of somebody else.
    AddHeader {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },

    /// Inbox: IDLE is accepted, and nothing is ever pushed.
    IdleMute,
    /// Inbox: a session that is in IDLE falls dead for ever: no push, no answer to `DONE`, no FIN. New sessions work until they idle.
    IdleDead,
    /// Inbox: over its quota. Mail is put off, and tried again until it fits.
    Full,
}

/// A fault that does not exist for what it was set on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{fault}` is no fault of {whom}")]
pub struct Unfit {
    /// The fault.
    pub fault: Fault,
    /// What it was set on: `a provider` or `an inbox`.
    pub whom: &'static str,
}

impl Fault {
    /// The fault as a provider has it.
    pub(super) fn on_provider(self) -> Result<Self, Unfit> {
        match self {
            Self::Refuse(Class::Network) => Ok(Self::Down),
            // A server without TLS cannot fail at it.
            Self::Refuse(Class::Tls) | Self::IdleMute | Self::IdleDead | Self::Full => Err(Unfit { fault: self, whom: "a provider" }),
            Self::WrongPassword => Ok(Self::Refuse(Class::Auth)),
            Self::Down
            | Self::Mute
            | Self::Slow(_)
            | Self::Swallow
            | Self::Hold
            | Self::Delay(_)
            | Self::Lose(_)
            | Self::Junk(_)
            | Self::Refuse(_)
            | Self::Suspend
            | Self::SuspendSilently
            | Self::NoAnswer
            | Self::CutOff
            | Self::AddHeader { .. } => Ok(self),
        }
    }

    /// The fault as an inbox has it.
    pub(super) fn on_inbox(self) -> Result<Self, Unfit> {
        match self {
            Self::Refuse(_) | Self::Suspend | Self::SuspendSilently | Self::NoAnswer | Self::CutOff | Self::AddHeader { .. } => {
                Err(Unfit { fault: self, whom: "an inbox" })
            }
            Self::Down
            | Self::Mute
            | Self::Slow(_)
            | Self::WrongPassword
            | Self::Swallow
            | Self::Hold
            | Self::Delay(_)
            | Self::Lose(_)
            | Self::Junk(_)
            | Self::IdleMute
            | Self::IdleDead
            | Self::Full => Ok(self),
        }
    }

    /// How much later each answer comes.
    pub(super) const fn slowness(&self) -> Option<Span> {
        if let Self::Slow(span) = self { Some(*span) } else { None }
    }
}

/// As a person would say it: `swallow`, `delay 2s`, `lose 20%`, `refuse quota`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("down"),
            Self::Mute => f.write_str("mute"),
            Self::Slow(span) => write!(f, "slow {span}"),
            Self::WrongPassword => f.write_str("wrong password"),
            Self::Swallow => f.write_str("swallow"),
            Self::Hold => f.write_str("hold"),
            Self::Delay(span) => write!(f, "delay {span}"),
            Self::Lose(share) => write!(f, "lose {:.0}%", share * 100.0),
            Self::Junk(share) => write!(f, "junk {:.0}%", share * 100.0),
            Self::Refuse(class) => write!(f, "refuse {class}"),
            Self::Suspend => f.write_str("suspend"),
            Self::SuspendSilently => f.write_str("suspend silently"),
            Self::NoAnswer => f.write_str("no answer"),
            Self::CutOff => f.write_str("cut off"),
            Self::AddHeader { name, .. } => write!(f, "add header {name}"),
            Self::IdleMute => f.write_str("idle mute"),
            Self::IdleDead => f.write_str("idle dead"),
            Self::Full => f.write_str("full"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_stay_where_they_make_sense() {
        assert_eq!(Fault::WrongPassword.on_provider(), Ok(Fault::Refuse(Class::Auth)));
        assert_eq!(Fault::Refuse(Class::Network).on_provider(), Ok(Fault::Down));
        let error = Fault::IdleDead.on_provider().unwrap_err();
        assert_eq!(error.to_string(), "`idle dead` is no fault of a provider");
        let error = Fault::Refuse(Class::Quota).on_inbox().unwrap_err();
        assert_eq!(error.to_string(), "`refuse quota` is no fault of an inbox");
    }
}
