//! The last months, as the ledger knows them: asked once a minute, however many look at it, and waited for no longer than a page can.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Archive;
use crate::model::past::{Failure, Sought};
use crate::model::{At, Span};

/// The ledger is looked into once for so long.
const KEPT: Duration = Duration::from_secs(60);
/// Incidents of the past that are looked at, the newest.
const INCIDENTS: u32 = 1000;
/// A shorter time in which mailcanary did not run is a restart, or nothing was to be sent in it.
const PAUSE: Span = Span::from_secs(600);

/// The incidents of the last months, the newest first, and when mailcanary did not run.
pub(super) type Known = (Vec<Failure>, Vec<[At; 2]>);

/// The same, or why it was not looked up.
pub(super) type Past = Result<Arc<Known>, String>;

/// What the ledger says of them now.
///
/// # Errors
/// In words, why they were not looked up.
pub(super) async fn ask(archive: &Archive) -> Result<Known, String> {
    Ok((archive.incidents(Sought::newest(INCIDENTS)).await?, archive.pauses(PAUSE).await?))
}

/// What was found, and when.
type Found = Option<(Instant, Arc<Known>)>;

/// What was found last, for all who ask.
#[derive(Clone, Debug)]
pub(super) struct Months {
    archive: Archive,
    found: Arc<Mutex<Found>>,
    /// Held by the one who asks: who comes meanwhile waits for the same answer.
    turn: Arc<Mutex<()>>,
}

impl Months {
    /// Nothing is asked yet.
    pub(super) fn new(archive: Archive) -> Self {
        Self { archive, found: Arc::default(), turn: Arc::default() }
    }

    /// What is known; where the ledger does not answer within `patience`, what was known before.
    ///
    /// # Errors
    /// In words, why nothing is known.
    pub(super) async fn within(&self, patience: Duration) -> Past {
        let asked = timeout(patience, self.newest()).await;
        match asked.unwrap_or_else(|_| Err("the ledger did not answer in time".to_owned())) {
            Ok(known) => Ok(known),
            Err(why) => self.found.lock().await.as_ref().map(|(_, known)| Arc::clone(known)).ok_or(why),
        }
    }

    async fn newest(&self) -> Past {
        let _turn = self.turn.lock().await;
        if let Some((at, known)) = self.found.lock().await.as_ref()
            && at.elapsed() < KEPT
        {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(ask(&self.archive).await?);
        *self.found.lock().await = Some((Instant::now(), Arc::clone(&known)));
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Question;
    use super::*;

    #[tokio::test]
    async fn many_ask_once_and_what_does_not_answer_holds_nobody_up() {
        let (archive, mut asked) = Archive::new();
        let months = Months::new(archive);
        let once = async {
            for _ in 0..2 {
                match asked.recv().await {
                    Some(Question::Incidents(_, end)) => drop(end.send(Ok(Vec::new()))),
                    Some(Question::Pauses(_, end)) => drop(end.send(Ok(vec![[At::from_ms(0), At::from_ms(1)]]))),
                    other => panic!("{other:?}"),
                }
            }
        };
        let patience = Duration::from_secs(5);
        let ((), one, other) = tokio::join!(once, months.within(patience), months.within(patience));
        assert_eq!((one.map(|known| known.1.len()), other.map(|known| known.1.len())), (Ok(1), Ok(1)));
        // Nobody answers any more: what is known is told on.
        if let Some((at, _)) = months.found.lock().await.as_mut() {
            *at -= KEPT;
        }
        assert_eq!(months.within(Duration::from_millis(1)).await.map(|known| known.1.len()), Ok(1));
        let (archive, _asked) = Archive::new();
        assert_eq!(Months::new(archive).within(Duration::from_millis(1)).await, Err("the ledger did not answer in time".to_owned()));
    }
}
