//! What records of the DNS say about mail. Pure: texts and bytes in, answers out. Whatever stands there, it is read in one pass and within
//! bounds; nothing of it is believed to be well formed.

mod covers;
mod der;
mod dkim;
mod dmarc;
mod dnssec;
mod hosts;
mod list;
mod spf;
mod tags;
mod transport;
mod walk;

pub use dkim::key;
pub use dmarc::policy;
pub use dnssec::chain;
pub use hosts::{exchanges, names_of};
pub use list::{listing, question, reversed};
pub use transport::{mta_sts, sts_policy, tls_rpt};
pub use walk::{Ask, Walk};
