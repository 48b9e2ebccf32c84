//! Sight: up to when we could have seen what lies in each inbox.

use serde::{Deserialize, Serialize};

use crate::model::{At, Class};

/// One inbox's memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct InboxState {
    /// Whether it was read at the last try. `None` before the first.
    pub(super) sight: Option<bool>,
    /// Since when it cannot be read, why, and what kind of failure it is.
    pub(super) blind: Option<Blindness>,
    /// Everything that lay in it up to here has been reported.
    pub(super) horizon: Option<At>,
    /// Since when it can be read: what was read before that says nothing of the time in which it could not.
    pub(super) clear_from: At,
    /// The reader's place, for the reader alone.
    pub(super) cursor: Option<String>,
    pub(super) forged: u64,
    pub(super) replayed: u64,
}

/// Why an inbox cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Blindness {
    pub(super) since: At,
    pub(super) class: Option<Class>,
    pub(super) why: Option<String>,
}

impl InboxState {
    pub(super) fn lose_sight(&mut self, at: At, class: Option<Class>, why: Option<&str>) {
        self.sight = Some(false);
        let since = self.blind.as_ref().map_or(at, |b| b.since);
        self.blind = Some(Blindness { since, class, why: why.map(str::to_owned) });
    }

    pub(super) fn gain_sight(&mut self, at: At) {
        self.clear_from = at;
        self.sight = Some(true);
        self.blind = None;
    }

    pub(super) fn read_up_to(&mut self, at: At) {
        self.horizon = Some(self.horizon.map_or(at, |h| h.max(at)));
    }
}
