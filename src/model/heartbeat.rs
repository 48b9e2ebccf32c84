//! A heartbeat out, as it is shown.

use super::{At, Span};

/// How one heartbeat is doing, since the process started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The time between two beats.
    pub every: Span,
    /// When the other side took the last one.
    pub last: Option<At>,
    /// Beats that the other side did not take.
    pub failures: u64,
    /// Why it did not take the last one, if it did not. Holds no secret.
    pub failing: Option<String>,
    /// What keeps the next one back, if it is overdue.
    pub held: Option<&'static str>,
}
