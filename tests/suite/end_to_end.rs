//! The real binary, from its configuration to its pages.

mod dropped;
mod life;
mod people;
mod real;
mod sinks;
mod told;
mod trigger;
