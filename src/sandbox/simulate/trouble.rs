//! Trouble: what breaks on purpose, when, and for how long.

use std::fmt;

use crate::model::{Answer, At, Claim, Class, Culprit, Mark, Method, Name, Subject};

/// One thing that breaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// When it begins.
    pub from: At,
    /// When it is over.
    pub until: At,
    /// What happens.
    pub harm: Harm,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Harm {
    /// Nothing arrives of what this culprit covers.
    Stop(Culprit),
    /// This share does not arrive while it lasts; then all of it does.
    Hold(Culprit, f64),
    /// This share is lost.
    Loss(Culprit, f64),
    /// Mail takes this many times longer.
    Slow(Culprit, f64),
    /// This share lands in Junk.
    Junk(Culprit, f64),
    /// This share of submissions is refused.
    Refuse(Culprit, Class, f64),
    /// Every mail arrives twice.
    Twice(Culprit),
    /// Mail carries a value that is not its own.
    Foreign(Culprit, Mark),
    /// The same of mail that comes again and again; canaries are as ever.
    ForeignRecurring(Culprit, Mark),
    /// A check of mail fails.
    Fails(Culprit, Method),
    /// Whoever asks the DNS of this, which this culprit depends on, is told the second answer instead of the first.
    Record(Culprit, Subject, Box<[Answer; 2]>),
    /// A mail that nobody sent lies in this inbox: what it has to do with us, and who it says it is from.
    Stranger(Name, Claim, String),
    /// The inbox cannot be read; what came meanwhile is seen afterwards.
    Blind(Name),
    /// The watcher is suspended.
    Sleep,
    /// The watcher has no network.
    Cut,
}

impl Harm {
    /// Who is to be blamed for it.
    #[must_use]
    pub fn culprit(&self) -> Culprit {
        match self {
            Self::Stop(c) | Self::Hold(c, _) | Self::Loss(c, _) | Self::Slow(c, _) | Self::Junk(c, _) | Self::Refuse(c, ..) => c.clone(),
            Self::Twice(c) | Self::Foreign(c, _) | Self::ForeignRecurring(c, _) | Self::Fails(c, _) | Self::Record(c, ..) => c.clone(),
            Self::Blind(inbox) | Self::Stranger(inbox, ..) => Culprit::Inbox(inbox.clone()),
            Self::Sleep | Self::Cut => Culprit::Watcher {},
        }
    }

    /// Whether mail itself is touched: the rest is the watcher's own.
    #[must_use]
    pub const fn is_of_mail(&self) -> bool {
        !matches!(self, Self::Blind(_) | Self::Sleep | Self::Cut | Self::Stranger(..) | Self::Record(..) | Self::ForeignRecurring(..))
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop(culprit) => write!(f, "stop of {culprit}"),
            Self::Hold(culprit, share) if *share < 1.0 => write!(f, "hold of {} % of {culprit}", share * 100.0),
            Self::Hold(culprit, _) => write!(f, "hold of {culprit}"),
            Self::Loss(culprit, share) => write!(f, "{} % loss of {culprit}", share * 100.0),
            Self::Slow(culprit, factor) => write!(f, "{culprit} {factor} times slower"),
            Self::Junk(culprit, share) => write!(f, "{} % of {culprit} in junk", share * 100.0),
            Self::Refuse(culprit, class, share) if *share < 1.0 => write!(f, "{} % of {culprit} refused ({class})", share * 100.0),
            Self::Refuse(culprit, class, _) => write!(f, "{culprit} refused ({class})"),
            Self::Twice(culprit) => write!(f, "{culprit} twice"),
            Self::Foreign(culprit, mark) => write!(f, "{culprit} with {} {}", mark.part.as_str(), mark.value),
            Self::ForeignRecurring(culprit, mark) => write!(f, "recurring mail of {culprit} with {} {}", mark.part.as_str(), mark.value),
            Self::Fails(culprit, method) => write!(f, "{culprit} fails {}", method.as_str()),
            Self::Record(culprit, subject, ..) => write!(f, "{culprit} with other answers to {subject}"),
            Self::Stranger(inbox, _, from) => write!(f, "mail from {from} in inbox {inbox}"),
            Self::Blind(inbox) => write!(f, "inbox {inbox} blind"),
            Self::Sleep => f.write_str("watcher asleep"),
            Self::Cut => f.write_str("watcher cut off"),
        }
    }
}

impl Trouble {
    /// Whether it lasts at `at`.
    pub(super) fn is_on(&self, at: At) -> bool {
        at >= self.from && at < self.until
    }
}
