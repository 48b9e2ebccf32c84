//! The words of the project as types: time, names, canaries, faults, incidents. No policy, no I/O.

mod canary;
mod dns;
pub mod dossier;
mod fault;
mod heartbeat;
mod hook;
mod incident;
mod loaded;
mod mail;
mod named;
mod names;
pub mod past;
pub mod proof;
mod sign;
mod silence;
mod text;
mod time;
mod trial;
pub mod way;
mod week;

pub use canary::{CanaryId, CanaryIdError, Leg, Placement, Reason};
pub use dns::{Answer, Found, Grade, Looked, Subject, SubjectError, Topic, plain};
pub use fault::{Class, Fate, Outcome};
pub use heartbeat::Pulse;
pub use hook::{HookCounts, Knock, Tiding};
pub use incident::{Change, Culprit, DeliveryKind, IncidentId, Kind, Notice, NoticeId, PART_OF, Severity, Verdict};
pub use loaded::{Loaded, Refusal};
pub use mail::{Check, Claim, Examination, Finding, Hop, Mark, Method, Part, Side, Stranger, unnumbered};
pub use named::{what, whose};
pub use names::{Name, NameError, Route};
pub use sign::{Sign, Standing};
pub use silence::{Silence, Which};
pub use text::{certain, grouped, hides, on_a_line, quoted, spoken, typed};
pub use time::{At, Now, Span};
pub use week::{DAY, Week};
