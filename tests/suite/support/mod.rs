//! Private instances of real servers on loopback, each in a folder of its own.

pub(crate) mod alertmanager;

pub mod free_port;
pub mod temp_dir;
pub(crate) mod prometheus;
