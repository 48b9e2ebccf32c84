//! The watchdog itself: deterministic, no clock, no I/O, no async, no randomness it was not handed. Events in; records and effects out.
//!
//! The contract: **everything in `records` is durable before anything in `effects` begins**; and after a restart, replaying the
//! records gives the same state.

pub mod count;
mod effect;
mod event;
mod record;
mod view;

pub use effect::Effect;
pub use event::{Delivery, Event, Reads};
pub use record::{Fact, Record};
pub use view::{CanaryView, InboxView, IncidentView, PartyView, RouteCounts, RouteView, View};
