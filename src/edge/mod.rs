//! Thin async adapters, one protocol a file, no decisions. They do not name each other, except that all may name [`dial`], the one way
//! out, and [`beat`] calls as [`notify`] does.

pub mod beat;
pub mod dial;
pub mod dns;
pub mod inbox;
pub mod notify;
pub mod show;
pub mod submit;
