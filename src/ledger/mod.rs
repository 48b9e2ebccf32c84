//! The durable record.

mod key;

pub use key::{KEY_FILE, KeyError};
