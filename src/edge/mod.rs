//! Thin async adapters, one protocol a file, no decisions. They do not name each other, except that all may name [`dial`], the one way
//! out, and [`post`], the one way in; and [`beat`] calls as [`notify`] does.

pub mod beat;
pub mod dial;
pub mod dns;
pub mod inbox;
pub mod notify;
pub mod post;
pub mod show;
pub mod submit;
