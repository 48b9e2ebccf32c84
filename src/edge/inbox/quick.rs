//! How fast a server may be asked for what it does not push at once.

use std::time::Duration;

use super::pace::Pace;

/// Looks are at least this many round trips apart, so that a far or slow server is left to push.
const ROUND_TRIPS: u32 = 10;
/// Each look comes so much later than the one before.
const GROWTH: f64 = 1.03;

/// A short run of looks, fast at first and slower with each, until `IDLE` is as good.
#[derive(Debug)]
pub(super) struct Quick {
    first: Duration,
    until: Duration,
    /// The best answer time so far; unknown at first, and then nothing is quick.
    round_trip: Option<Duration>,
    /// What comes before the next look, while the run lasts.
    next: Option<Duration>,
    outstanding: bool,
}

impl Quick {
    /// None yet.
    pub(super) const fn new(pace: &Pace) -> Self {
        Self { first: pace.quick, until: pace.quick_until, round_trip: None, next: None, outstanding: false }
    }

    /// The server took this long for next to nothing.
    pub(super) fn answered_after(&mut self, time: Duration) {
        self.round_trip = Some(self.round_trip.map_or(time, |best| best.min(time)));
    }

    /// Begins a run: there was mail, and more may follow.
    pub(super) fn begin(&mut self) {
        self.next = self.round_trip.map(|time| time.saturating_mul(ROUND_TRIPS).max(self.first));
    }

    /// Takes note of whether a canary is outstanding: one that becomes so begins a run, and none ends it.
    pub(super) fn hint(&mut self, outstanding: bool) {
        if outstanding && !self.outstanding {
            self.begin();
        }
        self.outstanding = outstanding;
    }

    /// Whether a run is on.
    pub(super) fn runs(&self) -> bool {
        self.outstanding && self.next.is_some_and(|wait| wait < self.until)
    }

    /// How long to wait before the next look; `None`: the run is over, or there is no need.
    pub(super) fn wait(&mut self) -> Option<Duration> {
        let wait = self.next.filter(|_| self.runs());
        self.next = wait.map(|wait| wait.mul_f64(GROWTH));
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Quick {
        Quick::new(&Pace::default())
    }

    #[test]
    fn a_near_server_is_asked_often_and_not_for_long() {
        let mut quick = quick();
        quick.answered_after(Duration::from_millis(1));
        quick.hint(true);
        let waits: Vec<_> = std::iter::from_fn(|| quick.wait()).collect();
        assert_eq!(waits[0], Duration::from_millis(50));
        let all: Duration = waits.iter().sum();
        assert!((70..85).contains(&waits.len()) && all < Duration::from_secs(17), "{} in {all:?}", waits.len());
        quick.hint(true);
        assert_eq!(quick.wait(), None, "it is the same canary still");
        quick.hint(false);
        quick.hint(true);
        assert!(quick.wait().is_some());
    }

    #[test]
    fn a_far_server_is_left_to_push() {
        let mut far = quick();
        far.answered_after(Duration::from_millis(50));
        far.hint(true);
        assert_eq!(far.wait(), None);
        let mut unknown = quick();
        unknown.hint(true);
        assert_eq!(unknown.wait(), None);
    }
}
