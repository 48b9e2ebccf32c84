//! What is written down: the state is a fold over these, and nothing else.

use serde::{Deserialize, Serialize};

use super::event::{Event, Reads};
use crate::model::{At, CanaryId, Culprit, Kind, Name, Notice, Reason};

/// One durable fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it became true.
    pub at: At,
    /// What.
    pub fact: Fact,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The installation began.
    Began {
        /// See [`Event::Started`].
        seed: u64,
        /// See [`Event::Started`].
        reads: Reads,
    },
    /// Time was seen to pass: what was read up to the record before is complete.
    Passed {},
    /// The watcher was asleep until now: what is in flight is no evidence any more.
    Slept {},
    /// A canary is about to be submitted.
    Sent {
        /// Its id.
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
    /// A provider is about to be asked what became of a canary.
    Asked {
        /// Which.
        canary: CanaryId,
    },
    /// A provider is about to be asked how its account stands.
    Polled {
        /// Which.
        provider: Name,
    },
    /// Something happened, as it came in: any event but `started` and `woke`.
    Happened(Event),
    /// The deadline of a canary passed while its inbox could be read, and it was not there.
    Lost {
        /// Which.
        canary: CanaryId,
    },
    /// A canary is not looked for any more; what arrives of it from now on is stale.
    Forgotten {
        /// Which.
        canary: CanaryId,
    },
    /// The evidence against a culprit is enough: the verdict changes. A page may have to wait.
    Alarmed {
        /// Who.
        culprit: Culprit,
        /// Whose alarms this one takes over: the blame has moved.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instead_of: Vec<Culprit>,
        /// What it is about, where the evidence does not say it yet: what was blamed until now explained it away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<Kind>,
    },
    /// What an alarm is about has become clear, or another: mail that is lost in part, or late, or none at all.
    Sorted {
        /// Whose.
        culprit: Culprit,
        /// What it is: stopped, loss or slow.
        kind: Kind,
    },
    /// Health is the better explanation again of what a culprit's routes showed since its alarm.
    Calmed {
        /// Who.
        culprit: Culprit,
    },
    /// A sink is to be told a test notice, or that the test is over.
    Tried {
        /// Which.
        sink: Name,
        /// The message.
        notice: Notice,
    },
    /// A drill ended by itself.
    DrillOver {},
    /// An incident began, moved, goes on or ended, and these sinks are to hear of it.
    Told {
        /// The message.
        notice: Notice,
        /// To whom. May be empty.
        sinks: Vec<Name>,
        /// Nobody is to hear of it: a silence covers it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        silenced: bool,
        /// The incident has not moved: these sinks were not to hear of it before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        late: bool,
    },
}
