//! What people and Prometheus see over HTTP.
//!
//! Everything is drawn from a [`crate::watchdog::View`] that the loop makes on request, so nothing shown can be older than the answer: if
//! the loop does not answer, neither do we. Reading only: nothing here changes anything.

mod health;
mod metrics;
mod page;
mod providers;
mod router;
mod serve;

pub use metrics::{CONTENT_TYPE, reference, render};
pub use router::router;
pub use serve::serve;

use tokio::sync::{mpsc, oneshot};

use crate::watchdog::View;

/// How the loop is asked for its state.
pub type Ask = mpsc::Sender<oneshot::Sender<View>>;
