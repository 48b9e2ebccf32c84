//! Tests against real servers and of whole parts. One binary: it links once.

mod config;
mod dns;
mod support;
