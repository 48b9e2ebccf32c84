//! Thin async adapters, one protocol a file, no decisions. They do not name each other, except that all may name [`dial`], the one way out.

pub mod dial;
pub mod dns;
pub mod inbox;
pub mod notify;
pub mod show;
pub mod submit;
