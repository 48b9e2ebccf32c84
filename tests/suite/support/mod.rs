//! Private instances of real servers on loopback, each in a folder of its own.

pub(crate) mod alertmanager;
#![allow(dead_code, reason = "a kit: what one test needs, another may not")]

pub mod free_port;
pub mod temp_dir;
