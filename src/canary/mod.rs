//! The canary itself: its token, how it is written, how it is recognised. Pure.
//!
//! A token is `mc-` and 36 letters and digits that only the holder of the [`Key`] can make. It stands in a header, in the subject, in
//! both bodies and on request in the address; any one of them is enough to recognise the canary, whatever was rewritten on its way. Mail that
//! only quotes one is somebody else's.

mod compose;
mod decode;
mod entities;
mod look;
mod mail;
mod recognise;
mod token;
mod wording;

pub use compose::{Composed, compose};
pub use look::Expected;
pub use mail::{Envelope, Head, Known, Ours, Receiver, examine, normal};
pub use recognise::{Found, MAX_SCANNED, Vouch, find, recognise};
pub use token::{Key, TOKEN_LEN, is_probe, probe_id, token, without_tokens};
