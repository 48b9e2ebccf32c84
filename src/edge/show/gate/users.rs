//! Users and their passwords. A bcrypt hash takes a tenth of a second on purpose; what was compared is remembered, so that a scrape every few
//! seconds costs it once, and only a few are compared at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;
use tokio::sync::Semaphore;

use super::super::problem::Problem;

/// Hashes that are compared together.
const AT_ONCE: usize = 2;
/// Log-ins that wait for that; a further one is told to come again.
const WAITING: usize = 16;
/// Log-ins that are remembered, good ones and bad ones.
const REMEMBERED: usize = 128;

/// Compares log-ins with hashes.
#[derive(Clone, Debug)]
pub(super) struct Porter(Arc<Desk>);

#[derive(Debug)]
struct Desk {
    /// Of this life alone: what is remembered cannot be tried out elsewhere.
    key: hmac::Key,
    known: Mutex<BTreeMap<Vec<u8>, bool>>,
    places: Arc<Semaphore>,
    queue: Semaphore,
}

impl Porter {
    pub(super) fn new() -> Self {
        let mut key = [0_u8; 32];
        // Without randomness nothing is remembered wrongly either: the key only hides what is remembered.
        let _ = getrandom::fill(&mut key);
        Self(Arc::new(Desk {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            known: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Semaphore::new(WAITING),
        }))
    }

    /// Whether `hash` is that of the password with which somebody wants to be `user`.
    pub(super) async fn is(&self, hash: &str, user: &str, password: &str) -> Result<bool, Problem> {
        let busy = || Problem::busy("too many log in at once: try again in a second");
        let mut login = hmac::Context::with_key(&self.0.key);
        for part in [hash, user, password] {
            login.update(&(part.len() as u64).to_be_bytes());
            login.update(part.as_bytes());
        }
        let login = login.sign().as_ref().to_vec();
        if let Some(is) = self.known().get(&login) {
            return Ok(*is);
        }
        let Ok(_waits) = self.0.queue.try_acquire() else { return Err(busy()) };
        let Ok(place) = Arc::clone(&self.0.places).acquire_owned().await else { return Err(busy()) };
        let (compared, given) = (hash.to_owned(), password.to_owned());
        // Computing on a thread of its own: whoever is connected besides goes on.
        let compared = tokio::task::spawn_blocking(move || {
            let _place = place;
            bcrypt::verify(given.as_bytes(), &compared).unwrap_or(false)
        });
        let is = compared.await.unwrap_or(false);
        let mut known = self.known();
        while known.len() >= REMEMBERED {
            // Which one goes follows from a keyed hash: nobody can choose it.
            known.pop_first();
        }
        known.insert(login, is);
        Ok(is)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<u8>, bool>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_compared_once_and_never_another() {
        let porter = Porter::new();
        let hash = bcrypt::hash("right", 4).unwrap();
        for _ in 0..2 {
            assert!(porter.is(&hash, "ann", "right").await.unwrap());
            assert!(!porter.is(&hash, "ann", "wrong").await.unwrap());
        }
        assert_eq!(porter.known().len(), 2);
        assert!(!porter.is("no hash", "ann", "right").await.unwrap());
        for number in 0..200 {
            let _ = porter.is("no hash", "ann", &number.to_string()).await.unwrap();
        }
        assert_eq!(porter.known().len(), REMEMBERED);
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let porter = Porter::new();
        let hash = bcrypt::hash("right", 8).unwrap();
        let guesses: Vec<String> = (0..40).map(|guess| guess.to_string()).collect();
        let all = futures::future::join_all(guesses.iter().map(|guess| porter.is(&hash, "ann", guess))).await;
        let (answered, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!((answered.len(), refused.len()), (WAITING, 24));
        assert!(refused.into_iter().all(|one| one.unwrap_err().status() == 429));
    }
}
