//! The commands.

pub mod step;
