//! What is to be done: begun only when the records beside it are durable.

use serde::{Deserialize, Serialize};

use crate::model::{CanaryId, Name, Notice, Reason};

/// Something to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Hand a canary to its provider, once.
    Submit {
        /// Which.
        canary: CanaryId,
        /// Through whom.
        provider: Name,
        /// What kind of mail.
        stream: Name,
        /// To whom.
        inbox: Name,
        /// Why.
        reason: Reason,
    },
    /// Tell the sinks.
    Notify(Notice),
    /// Read an inbox completely, now: something in it is overdue. Only with [`super::Reads::Explicit`].
    Look {
        /// Which.
        inbox: Name,
    },
}
