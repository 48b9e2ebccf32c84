//! Tests against real servers and of whole parts. One binary: it links once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking, and its support is one crate"
)]

mod notify;
mod config;
mod support;
mod watchdog;
