//! The real binary, from its configuration to its pages.

mod audience;
mod dashboards;
mod dropped;
mod heartbeat;
mod http;
mod identity;
mod killed;
pub mod life;
mod manager;
mod own;
mod pages;
mod people;
mod real;
mod reload;
mod replies;
mod signs;
mod sinks;
mod told;
mod trigger;
mod zones;
