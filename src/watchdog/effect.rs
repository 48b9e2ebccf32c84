//! What is to be done: begun only when the records beside it are durable.

use serde::{Deserialize, Serialize};

use crate::model::{At, CanaryId, Name, Notice, Reason};

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
    /// Ask a provider what became of a canary that it took. [`super::Event::Traced`] is the answer; without one it is asked again, a few times.
    Trace {
        /// Which.
        canary: CanaryId,
        /// Whom to ask.
        provider: Name,
        /// Where it should have arrived.
        inbox: Name,
        /// When it was sent.
        sent_at: At,
        /// The provider's id of the message, if it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
    },
    /// Ask a provider how its account stands. [`super::Event::Signs`] or [`super::Event::NoSigns`] is the answer.
    Poll {
        /// Whom to ask.
        provider: Name,
    },
    /// Tell the sinks.
    Notify(Notice),
    /// Read an inbox completely, now: something in it is overdue. Only with [`super::Reads::Explicit`].
    Look {
        /// Which.
        inbox: Name,
    },
}
