//! How quickly things are tried again. Pure.

use crate::model::{At, Span};

/// How quickly things are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The first back-off; it doubles with each failure.
    pub first: Span,
    /// The longest back-off.
    pub cap: Span,
    /// The first wait after a refusal that a receiver gives while it is being replaced; it triples with each further one.
    pub doubt: Span,
    /// What a sink has twice said nothing to, and may have told its people each time, is told no sooner than this; then after twice as long.
    pub seldom: Span,
    /// When a notice of an incident that is over is given up.
    pub give_up: Span,
    /// How often Alertmanager is told of what goes on. An alert ends by itself four times later.
    pub resend: Span,
    /// How long Alertmanager is told of what is over: it forgets with a restart.
    pub linger: Span,
}

impl Default for Pace {
    /// Back-off from a second to five minutes; five seconds; ten minutes; a day; and Prometheus' own minute and quarter of an hour.
    fn default() -> Self {
        Self {
            first: Span::from_secs(1),
            cap: Span::from_secs(300),
            doubt: Span::from_secs(5),
            seldom: Span::from_secs(600),
            give_up: Span::from_secs(86_400),
            resend: Span::from_secs(60),
            linger: Span::from_secs(900),
        }
    }
}

impl Pace {
    /// The wait after the `failures`-th failure in a row: exponential with full jitter, from a hash of `salt`. At least 200 ms.
    #[must_use]
    pub fn back_off(&self, failures: u32, cap: Span, salt: u64) -> Span {
        let ceiling = self.first.scaled(1_u64 << failures.saturating_sub(1).min(30), 1).min(cap);
        Span::from_ms((mix(salt ^ mix(u64::from(failures))) % ceiling.as_ms().max(1)).max(200).min(ceiling.as_ms()))
    }
}

/// The finisher of splitmix64: every bit of the input moves every bit of the output.
pub(super) const fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// From an instant on, or at once if the clock was set back to before `since`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) since: At,
    pub(super) at: At,
}

impl Due {
    pub(super) fn has_come(self, now: At) -> bool {
        now >= self.at || now < self.since
    }
}
