//! An embedded world of mail for the demo, for drills and for tests: real protocols over real sockets, on loopback only.
//!
//! A [`World`] is made from a [`Plan`]. It holds [`Provider`]s that take mail over SMTP or over an HTTP API after Mandrill's, and
//! [`Inbox`]es that are read over IMAP. Each can be broken on purpose, at any moment, with a [`Fault`]; each counts what it saw, so that
//! a test waits for what happened and never for time to pass. Everything ends when the world is dropped.
//!
//! ```text
//! smtp, api → provider → transit → inbox → imap
//! ```
//!
//! What goes wrong at random goes wrong the same way for the same seed. Memory is bounded everywhere: messages, mailboxes, connections,
//! what waits and what is held back.

mod api;
mod chance;
mod configuration;
mod door;
mod fault;
mod imap;
mod inbox;
pub mod incidents;
mod mailbox;
mod message;
#[cfg(test)]
mod nonsense_tests;
mod plan;
mod provider;
mod refusal;
pub mod simulate;
mod smtp;
mod transit;
mod world;

pub use fault::{Fault, Unfit};
pub use inbox::{Inbox, InboxCounts};
pub use mailbox::Stored;
pub use plan::{InboxPlan, JunkFolder, Latency, Plan, ProviderPlan, StreamPlan, Transport};
pub use provider::{Provider, ProviderCounts};
pub use world::{World, WorldError};
