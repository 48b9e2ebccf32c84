//! The clock: the only place where the present is read.
//!
//! The watchdog needs a time that never goes back and that is the world's time nearly always, since receivers stamp mail with theirs. So
//! it runs on the monotonic clock, and follows the wall clock: at once when that is ahead, at half speed when it is behind.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{At, Now};

/// A difference from the wall clock up to this is drift and is followed quietly; a larger one is a jump. NTP steps from 128 ms on
/// (ntpd's panic and step thresholds); a second is what INTERNALDATE can tell.
const JUMP: i64 = 1000;

/// The clock. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    read_at: Instant,
    at: i64,
    /// By how much the wall was ahead of the monotonic clock at the last reading; a change is a step of the wall.
    lead: i64,
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner::new(instant(), wall()))))
    }

    /// The present.
    pub(crate) fn now(&self) -> At {
        self.read().0
    }

    /// The present, and by how much the wall clock was set since it was read last, if it was.
    pub(crate) fn read(&self) -> (At, Option<i64>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (instant, wall) = (instant(), wall());
        let elapsed = i64::try_from(instant.saturating_duration_since(inner.read_at).as_millis()).unwrap_or(i64::MAX);
        let lead = wall.saturating_sub(i64::try_from(instant.saturating_duration_since(inner.start).as_millis()).unwrap_or(i64::MAX));
        let step = lead.saturating_sub(inner.lead);
        inner.lead = lead;
        let at = follow(inner.at, elapsed, wall);
        // A fraction of a millisecond must not be lost at every reading.
        if elapsed > 0 {
            inner.read_at = instant;
            inner.at = at;
        }
        (At::from_ms(at.max(inner.at)), (step.abs() > JUMP).then_some(step))
    }

    /// The present, for adapters.
    pub(crate) fn hand_out(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    /// When the monotonic clock will show about `at`.
    pub(crate) fn instant_of(&self, at: At) -> tokio::time::Instant {
        let wait = Duration::from(at.since(self.now()));
        tokio::time::Instant::from_std(instant() + wait)
    }
}

impl Inner {
    fn new(start: Instant, wall: i64) -> Self {
        Self { read_at: start, at: wall, lead: wall, start }
    }
}

/// Where the clock stands `elapsed` milliseconds after it stood at `before`, when the wall shows `wall`.
fn follow(before: i64, elapsed: i64, wall: i64) -> i64 {
    wall.max(before.saturating_add(elapsed / 2))
}

#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::follow;

    #[test]
    fn the_clock_follows_the_wall_and_never_goes_back() {
        assert_eq!(follow(1_000_000, 500, 1_000_500), 1_000_500, "all is well");
        assert_eq!(follow(1_000_000, 500, 1_000_400), 1_000_400, "drift");
        assert_eq!(follow(1_000_000, 500, 4_600_500), 4_600_500, "set an hour ahead");
        assert_eq!(follow(1_000_000, 500, -2_599_500), 1_000_250, "set an hour back: half speed");
        let (mut at, mut wall) = (1_000_000, 990_000);
        for _ in 0..30 {
            wall += 1000;
            let next = follow(at, 1000, wall);
            assert!(next >= at);
            at = next;
        }
        assert_eq!(at, wall, "the wall has caught up");
    }
}
