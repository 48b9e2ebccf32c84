//! The real binary, from its configuration to its pages.

mod audience;
mod dashboards;
mod dropped;
mod heartbeat;
mod killed;
mod life;
mod people;
mod real;
mod replies;
mod signs;
mod sinks;
mod told;
mod trigger;
