//! Looks at the configuration file, and wishes for a reload when it has changed; and after one that was refused, when that may end otherwise.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::block_in_place;
use tokio::time::{MissedTickBehavior, interval};

use super::reload::Source;
use crate::edge::show::Wish;

/// Between two looks. A change counts when it is still the same at the next look: editors and deployments write in pieces.
const LOOK: Duration = Duration::from_secs(2);
/// So many looks after a refusal that was no matter of what stands in the file, it is tried again: half a minute.
const REST: u32 = 15;
/// By whom a reload is wished for that was refused before.
pub(super) const AGAIN: &str = "another try after a refusal";

/// Names the content of a file.
pub(super) type Print = [u8; 32];

/// A try to take over what stands in the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tried {
    /// What stood there; nothing where that could not be read.
    pub(super) print: Option<Print>,
    /// How it went.
    pub(super) way: Way,
}

/// How a try went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// It runs.
    #[default]
    Taken,
    /// The file or a secret of it could not be read, or is wrong: the complaints.
    Unread(Vec<String>),
    /// It can be read, and could not be taken over.
    Unfit,
}

/// What is there, as far as it tells whether a try would end otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    print: Print,
    /// What there is to complain of, looked at only where the newest try ended by that.
    complaints: Vec<String>,
}

impl Source {
    /// Wishes for a reload whenever one is due. A file that is not there is no wish: it is somebody's deployment, or somebody's mistake.
    pub(super) async fn watch(self, wishes: mpsc::Sender<Wish>) {
        let (mut tries, mut last, mut rested) = (self.tried.subscribe(), None, 0);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if tries.has_changed().unwrap_or_default() {
                rested = 0;
            }
            let tried = tries.borrow_and_update().clone();
            rested += 1;
            let now = block_in_place(|| self.look(&tried.way));
            let by = now.as_ref().filter(|_| now == last).and_then(|now| tried.wants(now, rested));
            last = now;
            let Some(by) = by else { continue };
            let (done, ended) = oneshot::channel();
            if wishes.send(Wish { by, done: Some(done) }).await.is_err() {
                return;
            }
            // What it ended with stands in `tried`.
            drop(ended.await);
        }
    }

    fn look(&self, way: &Way) -> Option<Look> {
        let print = self.print()?;
        let complaints = if let Way::Unread(_) = way { self.read().err().unwrap_or_default() } else { Vec::new() };
        Some(Look { print, complaints })
    }
}

impl Tried {
    /// Whether another try is due, and because of what; the newest was `rested` looks ago.
    fn wants(&self, now: &Look, rested: u32) -> Option<&'static str> {
        let again = match &self.way {
            Way::Taken => false,
            Way::Unread(complaints) => now.complaints != *complaints,
            Way::Unfit => rested > REST,
        };
        if self.print != Some(now.print) { Some("a change of the file") } else { again.then_some(AGAIN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Print = [1; 32];
    const B: Print = [2; 32];
    const CHANGE: Option<&str> = Some("a change of the file");

    fn look(print: Print, complaints: &[&str]) -> Look {
        Look { print, complaints: complaints.iter().map(|&text| text.to_owned()).collect() }
    }

    #[test]
    fn what_runs_is_tried_again_when_the_file_changes() {
        let taken = Tried { print: Some(A), way: Way::Taken };
        assert_eq!(taken.wants(&look(A, &[]), 99), None);
        assert_eq!(taken.wants(&look(B, &[]), 1), CHANGE);
    }

    #[test]
    fn what_was_refused_is_tried_again_when_that_may_end_otherwise() {
        let gone = Tried { print: None, way: Way::Unread(vec!["gone".to_owned()]) };
        assert_eq!(gone.wants(&look(A, &[]), 1), CHANGE, "the file is there again");
        let secret = Tried { print: Some(A), way: Way::Unread(vec!["no secret".to_owned()]) };
        assert_eq!(secret.wants(&look(A, &["no secret"]), 99), None, "nothing is otherwise");
        assert_eq!(secret.wants(&look(A, &[]), 1), Some(AGAIN), "the secret is there again");
        assert_eq!(secret.wants(&look(B, &["no secret"]), 1), CHANGE);
        let ledger = Tried { print: Some(A), way: Way::Unfit };
        assert_eq!(ledger.wants(&look(A, &[]), REST), None);
        assert_eq!(ledger.wants(&look(A, &[]), REST + 1), Some(AGAIN), "after a rest");
    }
}
