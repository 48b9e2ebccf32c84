//! How much a sink bears: so many messages at once, and then one in a while.

use crate::model::{At, Span};

/// A sink's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many at once.
    pub burst: u32,
    /// And then one in this time.
    pub every: Span,
}

impl Rate {
    /// No limit.
    pub const NONE: Self = Self { burst: 1, every: Span::ZERO };
}

/// Who counts (the generic cell rate algorithm, ITU-T I.371): one instant says how much is spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    rate: Rate,
    /// When all that was sent is paid for.
    paid: At,
}

impl Meter {
    pub(super) const fn new(rate: Rate, now: At) -> Self {
        Self { rate, paid: now }
    }

    /// When the next may go. May be in the past.
    pub(super) fn next(&self) -> At {
        self.paid.minus(self.slack())
    }

    /// Whether one may go now; counts it if so.
    pub(super) fn spend(&mut self, now: At) -> bool {
        // The clock was set back: nobody waits longer than for a full burst.
        let most = now.plus(self.slack()).plus(self.rate.every);
        self.paid = self.paid.min(most).max(now);
        let may = self.next() <= now;
        if may {
            self.paid = self.paid.plus(self.rate.every);
        }
        may
    }

    fn slack(&self) -> Span {
        self.rate.every.scaled(u64::from(self.rate.burst.saturating_sub(1)), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_in_a_while() {
        let start = At::from_ms(1_000_000);
        let mut meter = Meter::new(Rate { burst: 3, every: Span::from_secs(2) }, start);
        assert_eq!([0; 4].map(|_| meter.spend(start)), [true, true, true, false]);
        assert_eq!(meter.next(), start.plus(Span::from_secs(2)));
        assert!(!meter.spend(start.plus(Span::from_ms(1999))) && meter.spend(start.plus(Span::from_secs(2))));
        assert!(!meter.spend(start.plus(Span::from_secs(3))));
        let later = start.plus(Span::from_secs(100));
        assert_eq!([0; 4].map(|_| meter.spend(later)), [true, true, true, false]);
        // An hour back.
        let back = later.minus(Span::from_secs(3600));
        assert!(!meter.spend(back) && meter.next() <= back.plus(Span::from_secs(2)));
        let mut free = Meter::new(Rate::NONE, start);
        assert!((0..1000).all(|_| free.spend(start)));
    }
}
