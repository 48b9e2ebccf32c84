//! The words of the project as types: time, names, canaries, faults, incidents. No policy, no I/O.

mod canary;
mod fault;
mod incident;
mod names;
mod sign;
mod time;

pub use canary::{CanaryId, CanaryIdError, Leg, Placement, Reason};
pub use fault::{Class, Fate, Outcome};
pub use incident::{Change, Culprit, IncidentId, Kind, Notice, NoticeId, Severity, Verdict};
pub use names::{Name, NameError, Route};
pub use sign::{Sign, Standing};
pub use time::{At, Now, Span};
