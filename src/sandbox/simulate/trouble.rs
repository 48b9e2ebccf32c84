//! Trouble: what breaks on purpose, when, and for how long.

use crate::model::{At, Class, Culprit, Name, Span};

/// One thing that breaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// When it begins, after the start of the story.
    pub after: Span,
    /// How long it lasts.
    pub lasts: Span,
    /// What happens.
    pub harm: Harm,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Harm {
    /// Nothing arrives of what this culprit covers.
    Stop(Culprit),
    /// Nothing arrives while it lasts; then all of it does.
    Hold(Culprit),
    /// This share is lost.
    Loss(Culprit, f64),
    /// Mail takes this many times longer.
    Slow(Culprit, f64),
    /// Submissions are refused.
    Refuse(Culprit, Class),
    /// The inbox cannot be read; what came meanwhile is seen afterwards.
    Blind(Name),
    /// The watcher is suspended.
    Sleep,
    /// The watcher has no network.
    Cut,
}

impl Trouble {
    /// Whether it lasts at `at`, in a story that began at `start`.
    pub(super) fn is_on(&self, start: At, at: At) -> bool {
        at >= start.plus(self.after) && at < self.end(start)
    }

    /// When it is over.
    pub(super) fn end(&self, start: At) -> At {
        start.plus(self.after).plus(self.lasts)
    }
}
