//! Tests against real servers and of whole parts. One binary: it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking, runs its own servers and has nobody to export to"
)]

mod authentication;
mod backtest;
mod canary;
mod cli;
mod config;
mod dns;
mod dns_encrypted;
mod dns_watch;
mod documents;
mod end_to_end;
mod grafana;
mod heartbeats;
mod hooks;
mod image;
mod inbox;
mod inbox_hostile;
mod incidents;
mod ledger;
mod notify;
mod packaging;
mod picture;
mod records;
mod sandbox;
mod show;
mod simulate;
mod sinks;
mod submit;
mod support;
mod systemd;
mod terminal;
mod watchdog;
