//! What people and Prometheus see over HTTP.
//!
//! Everything is drawn from a [`crate::watchdog::View`] that the loop makes on request, so nothing shown can be older than the answer: if
//! the loop does not answer, neither do we. What people say goes to the loop as an event; nothing here changes anything by itself.

mod api;
mod clear;
mod days;
mod facts;
mod gate;
pub mod grafana;
mod health;
mod icon;
mod metrics;
mod months;
mod page;
mod past;
mod problem;
mod public;
mod quiet;
mod reload;
mod router;
mod runbooks;
mod say;
mod serve;
mod top;

pub use api::{Counter, Hub, api, document};
pub use facts::{Fact, Said, facts};
pub use gate::{Gate, Web};
pub use metrics::{CONTENT_TYPE, reference, render};
pub use past::{Answer, Archive, Question};
pub use public::public;
pub use reload::{REFUSED, Taken, Wish, current, reload};
pub use router::router;
pub use say::{Tickets, say};
pub use serve::{Door, Knock, Secured, serve};
pub use top::{Line, Open, PATH as TOP, Party, Top};

use tokio::sync::{mpsc, oneshot};

use crate::watchdog::View;

/// How the loop is asked for its state.
pub type Ask = mpsc::Sender<oneshot::Sender<View>>;

/// How it is going, in one sentence.
#[must_use]
pub fn sentence(view: &View) -> String {
    page::sentence(view).1
}
