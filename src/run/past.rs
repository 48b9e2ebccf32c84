//! Looks up what people ask of the past: in the ledger, beside the loop, one question at a time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::interval;

use super::book::chain;
use crate::edge::show::Question;
use crate::ledger::{LedgerError, Past};
use crate::model::Now;

/// A look into the ledger may take this long; then it is ended.
const LONGEST: Duration = Duration::from_secs(3);
/// Between two tries to end it.
const AGAIN: Duration = Duration::from_millis(50);

/// Those who answer beside the loop, of the ledger in `folder`.
pub(super) fn beside(folder: &Path, questions: mpsc::Receiver<Question>, now: Now) -> JoinSet<()> {
    JoinSet::from_iter([answer(folder.to_owned(), questions, now)])
}

/// Answers until nobody asks any more. Never more than one connection, and one thread.
async fn answer(folder: PathBuf, mut questions: mpsc::Receiver<Question>, now: Now) {
    while let Some(question) = questions.recv().await {
        let (folder, now) = (folder.clone(), now());
        let (hand, stopper) = oneshot::channel();
        let mut look = spawn_blocking(move || {
            let open = || {
                let past = Past::beside(&folder)?;
                // Nobody waits for it if the look is over already.
                drop(hand.send(past.stopper()));
                Ok(past)
            };
            match question {
                Question::Points(route, [from, to], end) => tell(end, || open()?.points(&route, from, to)),
                Question::Canaries(wanted, end) => tell(end, || open()?.canaries_like(&wanted)),
                Question::Canary(canary, end) => tell(end, || open()?.way(canary)),
                Question::Incidents(sought, end) => tell(end, || open()?.failures(&sought)),
                Question::Pauses(least, end) => tell(end, || open()?.pauses(least)),
                Question::Incident(incident, end) => tell(end, || open()?.dossier(incident, now)),
            }
        });
        if tokio::time::timeout(LONGEST, &mut look).await.is_ok() {
            continue;
        }
        let Ok(stopper) = stopper.await else { continue };
        // Between two statements there is nothing to end: the next is met by the next try.
        let mut tries = interval(AGAIN);
        loop {
            tokio::select! {
                _ = &mut look => break,
                _ = tries.tick() => stopper.interrupt(),
            }
        }
    }
}

fn tell<T>(end: oneshot::Sender<Result<T, String>>, look: impl FnOnce() -> Result<T, LedgerError>) {
    // Who does not wait any more need not be looked up for.
    if !end.is_closed() {
        drop(end.send(look().map_err(|error| chain(&error))));
    }
}
