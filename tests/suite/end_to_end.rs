//! The real binary, from its configuration to its pages.

mod life;
mod real;
mod sinks;
mod trigger;
