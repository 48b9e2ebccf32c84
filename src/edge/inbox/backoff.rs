//! How long to wait before the next connection.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::pace::Pace;
use super::trouble::Trouble;
use crate::model::{Class, Name};

/// Counts failures in a row.
///
/// It starts over only after a session that lived for [`Pace::proven`]: neither a login nor one read is proof, since a server that drops
/// every connection right after both would be called in a tight loop.
#[derive(Debug)]
pub(super) struct Backoff {
    name: Name,
    failures: u32,
}

impl Backoff {
    /// Nothing has failed yet.
    pub(super) fn new(name: &Name) -> Self {
        Self { name: name.clone(), failures: 0 }
    }

    /// How long to wait after a session ended with `trouble`, `lived` after it was open. Zero for the first loss of a proven session: the
    /// server may just have restarted.
    pub(super) fn after(&mut self, trouble: &Trouble, lived: Duration, pace: &Pace) -> Duration {
        let class = trouble.class();
        let patient = matches!(class, Class::Auth | Class::Rate);
        if lived >= pace.proven {
            self.failures = 0;
            if !patient {
                return Duration::ZERO;
            }
        }
        let n = self.failures;
        self.failures = n.saturating_add(1);
        match class {
            Class::Auth => self.jittered(doubled(pace.auth, n, pace.auth_max), pace.auth_max),
            Class::Rate => {
                let own = self.jittered(doubled(pace.rate, n, pace.rate_max), pace.rate_max);
                trouble.suggested().map_or(own, |asked| asked.max(pace.retry)).min(pace.rate_max)
            }
            Class::Network
            | Class::Tls
            | Class::Suspended
            | Class::Quota
            | Class::Sender
            | Class::Suppressed
            | Class::Recipient
            | Class::Policy
            | Class::Transient
            | Class::Permanent
            | Class::Unknown => {
                let wait = pace.retry.mul_f64(1.6_f64.powi(i32::try_from(n.min(16)).unwrap_or(16))).min(pace.retry_max);
                self.jittered(wait, pace.retry_max)
            }
        }
    }

    /// `wait` less up to a fifth, by the inbox's name and the count: inboxes of one server do not all come back in the same second.
    fn jittered(&self, wait: Duration, max: Duration) -> Duration {
        let mut hash = DefaultHasher::new();
        (self.name.as_str(), self.failures).hash(&mut hash);
        let share = f64::from(u32::try_from(hash.finish() % 1000).unwrap_or(0)) / 5000.0;
        wait.mul_f64(1.0 - share).min(max)
    }
}

fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times.min(20))).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEF: Duration = Duration::from_secs(1);

    fn waits(text: &str, login: bool, n: usize) -> Vec<f64> {
        let mut backoff = Backoff::new(&Name::new("gmail-1").unwrap());
        let trouble = Trouble::Refused { what: "LOGIN", text: text.to_owned(), login };
        (0..n).map(|_| backoff.after(&trouble, BRIEF, &Pace::default()).as_secs_f64()).collect()
    }

    #[test]
    fn lost_connections_are_tried_again_within_thirty_seconds() {
        let mut backoff = Backoff::new(&Name::new("a").unwrap());
        let lost = Trouble::Lost { what: "IDLE", why: String::new() };
        let waits: Vec<_> = (0..12).map(|_| backoff.after(&lost, BRIEF, &Pace::default())).collect();
        assert!(waits[0] <= Duration::from_secs(2) && waits[0] >= Duration::from_millis(1600), "{waits:?}");
        assert!(waits.iter().all(|w| *w <= Duration::from_secs(30)), "{waits:?}");
        assert!(waits[11] >= Duration::from_secs(24), "{waits:?}");
    }

    #[test]
    fn refused_credentials_wait_from_one_to_fifteen_minutes() {
        let waits = waits("[AUTHENTICATIONFAILED]", true, 8);
        assert!(waits[0] >= 48.0 && waits[0] <= 60.0, "{waits:?}");
        assert!(waits[7] >= 720.0 && waits[7] <= 900.0, "{waits:?}");
    }

    #[test]
    fn a_suggested_wait_is_kept_but_not_beyond_five_minutes() {
        assert_eq!(waits("Suggested Backoff Time: 92415 milliseconds", false, 1), [92.415]);
        assert_eq!(waits("Suggested Backoff Time: 999999999 milliseconds", false, 1), [300.0]);
    }

    #[test]
    fn only_a_session_that_lived_starts_it_over() {
        let pace = Pace::default();
        let mut backoff = Backoff::new(&Name::new("a").unwrap());
        let lost = Trouble::Lost { what: "IDLE", why: String::new() };
        for _ in 0..9 {
            backoff.after(&lost, Duration::from_secs(59), &pace);
        }
        assert!(backoff.after(&lost, Duration::from_secs(59), &pace) > Duration::from_secs(20));
        assert_eq!(backoff.after(&lost, Duration::from_secs(60), &pace), Duration::ZERO);
        assert!(backoff.after(&lost, BRIEF, &pace) <= Duration::from_secs(2));
    }
}
