//! Private instances of real servers on loopback, each in a folder of its own.

pub(crate) mod alertmanager;
pub(crate) mod prometheus;
