//! Tests against real servers and of whole parts. One binary: it links once.

mod notify;
mod show;
mod support;
