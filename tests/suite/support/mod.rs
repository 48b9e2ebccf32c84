//! Private instances of real servers on loopback, each in a folder of its own.

#![allow(dead_code, reason = "a kit: what one test needs, another may not")]

pub(crate) mod alertmanager;

pub mod daemon;
pub mod free_port;
pub(crate) mod prometheus;
pub mod temp_dir;
