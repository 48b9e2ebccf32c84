//! One heartbeat at work: takes proofs in, tries to hand each over while it is fresh, says how that went. A future to be spawned, one a
//! heartbeat, so that a slow one delays no other.

use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, sleep_until};

use super::{Heartbeat, Proof};
use crate::edge::notify::Attempt;
use crate::model::{At, Now, Pulse, Span, on_a_line};

/// The waits before a beat is tried again: a lost packet should call nobody.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];
/// An older proof is not handed over: it would say of now what was so then.
const STALE: Span = Span::from_secs(20);

/// Hands what comes out of `proofs` to `heartbeat`, and keeps `shown` up to date, until `proofs` is closed.
pub async fn work(heartbeat: Heartbeat, mut proofs: mpsc::Receiver<Proof>, shown: watch::Sender<Pulse>, now: Now) {
    while let Some(proof) = proofs.recv().await {
        let attempt = try_while_fresh(&heartbeat, &proof, &now).await;
        let failing = attempt.why().map(str::to_owned);
        let was = shown.borrow().failing.is_some();
        match (&failing, was) {
            (Some(why), false) => {
                tracing::warn!(heartbeat = %heartbeat.name(), why, "heartbeat fails: {}: {}", heartbeat.name(), on_a_line(why))
            }
            (None, true) => tracing::info!(heartbeat = %heartbeat.name(), "heartbeat works again: {}", heartbeat.name()),
            (Some(_), true) | (None, false) => {}
        }
        shown.send_modify(|shown| {
            shown.failures = shown.failures.saturating_add(u64::from(failing.is_some()));
            if failing.is_none() {
                shown.last = Some(proof.at);
            }
            shown.failing = failing;
        });
    }
}

async fn try_while_fresh(heartbeat: &Heartbeat, proof: &Proof, now: &Now) -> Attempt {
    let mut attempt = heartbeat.beat(proof, now()).await;
    for wait in WAITS {
        let Some(wait) = worth_a_wait(&attempt, wait) else { break };
        sleep_until(Instant::now() + wait).await;
        let at: At = now();
        // The process may have been stopped meanwhile.
        if at.since(proof.at) > STALE {
            break;
        }
        attempt = heartbeat.beat(proof, at).await;
    }
    attempt
}

/// How long to wait before another try, if that may help. Who refuses is asked again with the next beat.
fn worth_a_wait(attempt: &Attempt, wait: Duration) -> Option<Duration> {
    match attempt {
        Attempt::Retry { after, .. } => Some(wait.max(after.unwrap_or_default().into())).filter(|wait| *wait <= Duration::from(STALE)),
        Attempt::Delivered | Attempt::Doubtful { .. } | Attempt::Refused { .. } | Attempt::Gone { .. } => None,
    }
}
