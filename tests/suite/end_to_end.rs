//! The real binary, from its configuration to its pages.

mod dropped;
mod life;
mod real;
mod signs;
mod sinks;
mod trigger;
